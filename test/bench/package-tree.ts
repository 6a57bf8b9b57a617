import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildProduct } from '../../src/package/product.ts';
import { findOnPath } from '../support/needs.ts';
import { readTree } from '../support/read-tree.ts';
import { measure, printTable } from './measure.ts';

const FILES = 2_000;
const FILE_SIZE = 100_000;
const RUNS = 5;

/** The argument that makes the bench program package one folder and end: what is measured. */
const PACKAGE_ONE = '--package';

/** Packages 2,000 files of 100 kB, half text, half random: ours beside what GNU cpio and gzip alone take for the Payload. */
export async function benchTree(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-tree-'));
  try {
    const tree = join(folder, 'tree');
    writeTree(tree);
    const target = join(folder, 'tree.pkg');
    const ours = measure([process.execPath, process.argv[1] as string, PACKAGE_ONE, tree, target], RUNS);
    const pipe = (compressor: string) => [
      'sh',
      '-c',
      `cd '${tree}' && find . | cpio -o -H odc --quiet | ${compressor} > '${folder}/Payload'`,
    ];
    const rows: [string, ReturnType<typeof measure>][] = [['this project, whole package', ours]];
    if (findOnPath('cpio')) rows.push(['GNU cpio + gzip, Payload alone', measure(pipe('gzip -n'), RUNS)]);
    if (findOnPath('cpio') && findOnPath('pigz'))
      rows.push(['GNU cpio + pigz, Payload alone', measure(pipe('pigz -n'), RUNS)]);
    printTable(rows);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Packages 1 GB, to see that memory does not grow with it. */
export async function benchLarge(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-large-'));
  try {
    const tree = join(folder, 'tree');
    mkdirSync(tree);
    const block = Buffer.concat([textOf(1), randomOf(2)]);
    const file = openSync(join(tree, 'large'), 'w');
    for (let size = 0; size < 1_000_000_000; size += block.length) writeSync(file, block);
    closeSync(file);
    const ours = measure([process.execPath, process.argv[1] as string, PACKAGE_ONE, tree, join(folder, 'a.pkg')], 1);
    printTable([['this project, one file of 1 GB', ours]]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Packages a folder when this program was started for that; returns whether it was. */
export async function packageOne(argv: readonly string[]): Promise<boolean> {
  const [flag, tree, target] = argv;
  if (flag !== PACKAGE_ONE || !tree || !target) return false;
  const payload = readTree(tree, { uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 });
  const component = {
    identifier: 'com.example.tree',
    version: '1.0',
    installLocation: '/Library',
    payload,
    scripts: [],
    bundles: [],
  };
  const plan = {
    identifier: 'com.example.tree',
    version: '1.0',
    title: 'Tree',
    minimumSystemVersion: '10.14.4',
    creationTime: 1_700_000_000,
    component,
  };
  await buildProduct(plan, target, new AbortController().signal);
  return true;
}

/** Text of words that repeat as prose does, and bytes that no compressor shrinks; the same in every run. */
function writeTree(tree: string): void {
  for (let index = 0; index < FILES; index++) {
    const folder = join(tree, `folder ${index % 40}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file-${index}`), index % 2 === 0 ? textOf(index) : randomOf(index));
  }
}

function randomOf(seed: number): Buffer {
  const parts: Buffer[] = [];
  for (let size = 0; size < FILE_SIZE; size += 64) parts.push(createHash('sha512').update(`${seed}/${size}`).digest());
  return Buffer.concat(parts).subarray(0, FILE_SIZE);
}

function textOf(seed: number): Buffer {
  const words: string[] = [];
  let state = seed + 1;
  for (let size = 0; size < FILE_SIZE; size += (words.at(-1) as string).length + 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    // Squaring makes low numbers, hence some words, far more common, as in prose.
    const rank = Math.floor((state / 2_147_483_648) ** 2 * 4_000);
    words.push(rank % 11 === 0 ? `line ${rank}\n` : `word${rank.toString(36)}`);
  }
  return Buffer.from(words.join(' ')).subarray(0, FILE_SIZE);
}
