import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FormatError } from '../../src/base/errors.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { PathSurvey } from '../../src/package/path-survey.ts';
import { readXar } from '../../src/xar/read.ts';
import { sealXar } from '../support/xar.ts';

/** Numbers that look random and are the same each time. Source: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Random = () => number;
const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

const NAMES = ['alpha', 'Payload', 'Bom', 'e\u0301', 'caf\u00e9', 'a&amp;b', 'a b', 'PackageInfo'];
const SPLITS = ['<!-- x -->', '<?x?>', '<![CDATA[', '<x/>', '&#97;', '\u0000', ' ', '\n', '/', '..', '\ufeff'];
const NOISE = ['<file id="9"><name>new</name><type>file</type></file>', '<x:file xmlns:x="u"/>', '<name>other</name>'];

/** Returns a TOC, often with something in it that readers could take in two ways. */
export function editedToc(random: Random): string {
  const name = () => {
    const plain = pick(random, NAMES);
    if (random() < 0.6) return plain;
    const at = Math.floor(random() * plain.length);
    const split = pick(random, SPLITS);
    const inserted = split === '<![CDATA[' ? `<![CDATA[${plain.slice(at)}]]>` : split + plain.slice(at);
    return plain.slice(0, at) + inserted;
  };
  const element = (id: number, depth: number): string => {
    const isFolder = depth < 2 && random() < 0.3;
    const inner = isFolder ? Array.from({ length: 2 }, (_, index) => element(id * 10 + index, depth + 1)).join('') : '';
    const type =
      random() < 0.9 ? (isFolder ? 'directory' : 'file') : pick(random, ['symlink', 'hardlink', 'fifo', 'File']);
    const parts = [`<name>${name()}</name>`, `<type>${type}</type>`, random() < 0.1 ? pick(random, NOISE) : ''];
    if (random() < 0.2) parts.reverse();
    return `<file id="${random() < 0.95 ? id : 1}">${parts.join('')}${inner}</file>`;
  };
  const files = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, index) => element(index + 1, 0)).join('');
  const checksum = '<checksum style="sha1"><offset>0</offset><size>20</size></checksum>';
  return `<?xml version="1.0" encoding="UTF-8"?>\n<xar><toc>${checksum}${files}</toc></xar>`;
}

const octal = (value: number, width: number) => value.toString(8).padStart(width, '0').slice(-width);

/** Returns a cpio archive, often with something in it that readers could take in two ways. */
export function editedCpio(random: Random): Buffer {
  const parts: Buffer[] = [];
  const names = [
    '.',
    './a',
    './b',
    './a/c',
    'a',
    './A',
    './TRAILER!!!',
    'TRAILER!!!',
    '/etc/x',
    './../x',
    './a//d',
    './link',
  ];
  const count = 1 + Math.floor(random() * 4);
  const entry = (name: string, data: Buffer, kind: number, index: number) => {
    const size = random() < 0.95 ? data.length : Math.floor(random() * 20);
    const nlink = random() < 0.9 ? 1 : 2;
    const header =
      `070707${octal(0, 6)}${octal(random() < 0.9 ? index : 1, 6)}${octal(kind, 6)}${octal(0, 6)}${octal(0, 6)}` +
      `${octal(nlink, 6)}${octal(0, 6)}${octal(0, 11)}${octal(Buffer.byteLength(name) + 1, 6)}${octal(size, 11)}`;
    const bytes = Buffer.from(`${header}${name}\0`);
    if (random() < 0.05) bytes.write(pick(random, [' ', '9', 'x', '-', '+']), 6 + Math.floor(random() * 70));
    return Buffer.concat([bytes, data]);
  };
  for (let index = 0; index < count; index++) {
    const name = pick(random, names);
    const kind = pick(random, [0o100644, 0o100644, 0o100755, 0o040755, 0o120755, 0o020644]);
    const data = kind === 0o040755 ? Buffer.alloc(0) : Buffer.from(pick(random, ['', 'x', 'hello', 'target']));
    parts.push(entry(name, data, kind, index));
  }
  parts.push(trailer());
  if (random() < 0.1) parts.push(entry('./behind', Buffer.from('x'), 0o100644, 9));
  const all = Buffer.concat(parts);
  return Buffer.concat([all, Buffer.alloc((512 - (all.length % 512)) % 512)]);
}

function trailer(): Buffer {
  const zeros = octal(0, 6);
  return Buffer.from(
    `070707${zeros}${zeros}${zeros}${zeros}${zeros}${octal(1, 6)}${zeros}${octal(0, 11)}${octal(11, 6)}${octal(0, 11)}TRAILER!!!\0`,
  );
}

/** Returns the paths that we read, or null when we refuse. */
export async function ourListing(kind: 'xar' | 'cpio', data: Buffer): Promise<string[] | null> {
  const survey = new PathSurvey();
  const paths: string[] = [];
  try {
    if (kind === 'xar') {
      for (const { path, kind: what } of (await readXar(accessBuffer(data))).members) {
        survey.claim(path, what);
        paths.push(path);
      }
      return paths;
    }
    for await (const { path, kind: what } of readCpio(chunksOf(data))) {
      survey.claim(path, what);
      paths.push(path);
    }
    return paths;
  } catch (error) {
    if (error instanceof FormatError) return null;
    throw error;
  }
}

async function* chunksOf(data: Buffer): AsyncGenerator<Buffer> {
  yield data;
}

/** Another reader of archives: its name, and the paths it lists, or null when it refuses. */
export interface OtherReader {
  readonly name: string;
  list(path: string): string[] | null;
}

/** libarchive by its bsdtar, and 7-Zip, as far as they are there. */
export function otherReaders(onPath: (program: string) => boolean): OtherReader[] {
  const run = (program: string, argv: string[]) => {
    const { status, stdout } = spawnSync(program, argv, {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    return status === 0 ? stdout : null;
  };
  const bsdtar: OtherReader = {
    name: 'bsdtar',
    list: (path) => run('bsdtar', ['-tf', path])?.split('\n').filter(Boolean) ?? null,
  };
  const sevenZip = ['7zz', '7z'].find(onPath);
  const seven: OtherReader = {
    name: '7-Zip',
    list: (path) => {
      const text = run(sevenZip ?? '', ['l', '-slt', '-ba', path]);
      return text === null ? null : [...text.matchAll(/^Path = (.*)$/gm)].map((match) => match[1] as string);
    },
  };
  return [...(onPath('bsdtar') ? [bsdtar] : []), ...(sevenZip ? [seven] : [])];
}

/**
 * Names as all readers write them: without `./` in front and `/` behind, entities of XML decoded, in one normal form. A folder above
 * another path follows from it, and not every reader lists it.
 */
function sameWords(paths: readonly string[]): string[] {
  const words = paths
    .map((path) => path.replace(/^\.\//, '').replace(/\/$/, '').replaceAll('&amp;', '&').normalize('NFC'))
    .filter((path) => path !== '.' && path !== '[TOC].xml' && path !== '')
    .sort();
  return words.filter((path) => !words.some((other) => other.startsWith(`${path}/`)));
}

/** One edit that we read and another reader lists in another way. */
export interface Difference {
  readonly seed: number;
  readonly reader: string;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

/** Makes `count` edits from `first` on and returns those where a listing differs from ours; and how many we read at all. */
export async function compareReaders(
  kind: 'xar' | 'cpio',
  first: number,
  count: number,
  readers: readonly OtherReader[],
): Promise<{ differences: Difference[]; read: number; refused: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'differential-'));
  const path = join(folder, `archive.${kind}`);
  const differences: Difference[] = [];
  let read = 0;
  for (let seed = first; seed < first + count; seed++) {
    const random = randomFrom(seed);
    const data = kind === 'xar' ? sealXar(editedToc(random)) : editedCpio(random);
    const ours = await ourListing(kind, data);
    if (!ours) continue;
    read++;
    writeFileSync(path, data);
    for (const reader of readers) {
      const theirs = reader.list(path);
      // What another reader refuses cannot be taken for something else.
      if (!theirs || sameWords(theirs).join('\n') === sameWords(ours).join('\n')) continue;
      differences.push({ seed, reader: reader.name, ours: sameWords(ours), theirs: sameWords(theirs) });
    }
  }
  rmSync(folder, { recursive: true });
  return { differences, read, refused: count - read };
}
