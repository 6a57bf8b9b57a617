import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A tree that every maker packages. */
export interface BenchTree {
  readonly name: string;
  readonly files: number;
  /** Bytes of each. */
  readonly fileSize: number;
  /** Runs of each maker; medians of them are told. */
  readonly runs: number;
  /** Whether only our own growth is of interest. */
  readonly oursOnly?: boolean;
}

export const TREES: readonly BenchTree[] = [
  { name: '13 files, 270 kB', files: 13, fileSize: 21_000, runs: 5 },
  { name: '1,000 × 500 B', files: 1_000, fileSize: 500, runs: 9, oursOnly: true },
  { name: '5,000 × 500 B', files: 5_000, fileSize: 500, runs: 9, oursOnly: true },
  { name: '20,000 × 500 B', files: 20_000, fileSize: 500, runs: 3 },
  { name: '100,000 × 500 B', files: 100_000, fileSize: 500, runs: 3 },
  { name: '2,000 × 100 kB', files: 2_000, fileSize: 100_000, runs: 3 },
  { name: 'one file of 1 GB', files: 1, fileSize: 1_000_000_000, runs: 1 },
];

/** Files in one folder. */
const FOLDER_SIZE = 500;
/** What osx-sign wants to see before it packages a folder. */
const INFO = `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>CFBundleIdentifier</key><string>com.example.tree</string><key>CFBundleExecutable</key>
<string>Tree</string><key>CFBundleShortVersionString</key><string>1.0</string><key>CFBundleVersion</key><string>1</string></dict></plist>
`;

/** Writes a tree as `Tree.app` into `folder`: half of it text, half of it bytes that no compressor shrinks, the same in every run. */
export function writeTree(folder: string, { files, fileSize }: BenchTree): void {
  const contents = join(folder, 'Tree.app/Contents');
  mkdirSync(join(contents, 'MacOS'), { recursive: true });
  writeFileSync(join(contents, 'Info.plist'), INFO);
  writeFileSync(join(contents, 'MacOS/Tree'), '#!/bin/sh\n', { mode: 0o755 });
  for (let index = 0; index < files; index++) {
    const path = join(contents, 'Resources', `folder ${Math.floor(index / FOLDER_SIZE)}`, `file-${index}`);
    if (index % FOLDER_SIZE === 0) mkdirSync(dirname(path), { recursive: true });
    if (fileSize > 10_000_000) writeLarge(path, fileSize);
    else writeFileSync(path, index % 2 === 0 ? textOf(index, fileSize) : randomOf(index, fileSize));
  }
}

function writeLarge(path: string, size: number): void {
  const file = openSync(path, 'w');
  for (let index = 0, written = 0; written < size; index++) {
    const block = index % 2 === 0 ? textOf(index, 100_000) : randomOf(index, 100_000);
    written += writeSync(file, block.subarray(0, size - written));
  }
  closeSync(file);
}

function randomOf(seed: number, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < size; at += 64) parts.push(createHash('sha512').update(`${seed}/${at}`).digest());
  return Buffer.concat(parts).subarray(0, size);
}

/** Words that repeat as those of prose do. */
function textOf(seed: number, size: number): Buffer {
  const words: string[] = [];
  let state = seed + 1;
  for (let length = 0; length < size; length += (words.at(-1) as string).length + 1) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    // Squaring makes low numbers, hence some words, far more common, as in prose.
    const rank = Math.floor((state / 2_147_483_648) ** 2 * 4_000);
    words.push(rank % 11 === 0 ? `line ${rank}\n` : `word${rank.toString(36)}`);
  }
  return Buffer.from(words.join(' ')).subarray(0, size);
}
