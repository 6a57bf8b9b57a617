import fc from 'fast-check';
import { expect } from 'vitest';
import { fromBuffer } from '../../src/base/bytes.ts';
import { FormatError, PipelineError } from '../../src/base/errors.ts';
import type { BomRecord } from '../../src/bom/bom.ts';
import { bomRecords } from '../../src/bom/payload-records.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import type { FileFacts } from '../../src/tree/file-facts.ts';

/** Owner and time of entries in tests. */
export const FACTS = { uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 } as const;

export function directory(path: string, mode = 0o755): PayloadEntry {
  return { ...FACTS, kind: 'directory', path, mode };
}

export function file(path: string, data: Buffer | string, mode = 0o644): PayloadEntry {
  return { ...FACTS, kind: 'file', path, mode, source: fromBuffer(Buffer.from(data)) };
}

export function symlink(path: string, target: string): PayloadEntry {
  return { ...FACTS, kind: 'symlink', path, mode: 0o755, target };
}

/** Returns everything an async iterable yields, copied at once as its memory may be used again. */
export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/** Yields `data` in pieces of `size` bytes, each in memory that is overwritten once the next one is asked for. */
export async function* inPieces(data: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < data.length; start += size) {
    const piece = Buffer.from(data.subarray(start, start + size));
    yield piece;
    piece.fill(0xa5);
  }
}

/** Returns the Bom records of entries as the pipeline makes them, from the reading that makes the archive. */
export async function recordsOf(entries: readonly PayloadEntry[]): Promise<BomRecord[]> {
  const facts = new Map<string, FileFacts>();
  await collect(writeCpio(entries, (entry, found) => facts.set(entry.path, found)));
  return bomRecords(entries, facts);
}

/** Returns the PipelineError that `run` ends with; fails the test when it ends otherwise. */
export async function errorOf(run: () => unknown): Promise<PipelineError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof PipelineError) return error;
    throw error;
  }
  return expect.fail('expected an error, found none');
}

/** As `errorOf`, reduced to what a test compares. */
export async function faultOf(run: () => unknown): Promise<{ code: string; offset: number }> {
  const error = await errorOf(run);
  return { code: error.code, offset: error instanceof FormatError ? error.offset : -1 };
}

/** Reproducible bytes without structure. */
export function noise(size: number, seed = 1): Buffer {
  const data = Buffer.alloc(size);
  let state = seed;
  for (let index = 0; index < size; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    data[index] = state >>> 16;
  }
  return data;
}

/** Reproducible text. */
export function text(size: number): Buffer {
  const line = (index: number) => `${index} the quick brown fox jumps over ${index * 7919} lazy dogs\n`;
  let out = '';
  for (let index = 0; out.length < size; index++) out += line(index);
  return Buffer.from(out.slice(0, size));
}

/** Names that formats get wrong: spaces, one text in NFC and in NFD, beyond the basic plane, shell and glob characters. */
const componentNames = fc.oneof(
  fc.constantFrom(
    'a',
    'A',
    'a b',
    ' leading',
    'é',
    'e\u0301',
    '💾',
    '\uffee',
    '-n',
    '*',
    "it's",
    'TRAILER!!',
    '._a',
    'new\nline',
    '日本',
  ),
  fc.stringMatching(/^[A-Za-z0-9 ._+-]{1,20}$/).filter((name) => name !== '.' && name !== '..'),
);

const nodes = fc.record({
  name: componentNames,
  parent: fc.nat(),
  kind: fc.constantFrom('file', 'file', 'directory', 'symlink'),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.constantFrom(0, 501, 0o777777),
  mtimeSeconds: fc.constantFrom(0, 1_700_000_000, 0xffffffff),
  data: fc.uint8Array({ maxLength: 64 }),
});

/** Random trees of up to `most` entries, in no order. */
export function trees(most: number): fc.Arbitrary<PayloadEntry[]> {
  return fc.array(nodes, { maxLength: most - 1 }).map((drawn) => {
    const entries = new Map<string, PayloadEntry>([['.', directory('.')]]);
    const folders = ['.'];
    for (const { name, parent, kind, mode, uid, mtimeSeconds, data } of drawn) {
      const path = `${folders[parent % folders.length]}/${name}`;
      if (entries.has(path)) continue;
      const common = { path, mode, uid, gid: uid, mtimeSeconds };
      if (kind === 'directory') folders.push(path);
      if (kind === 'directory') entries.set(path, { ...common, kind });
      else if (kind === 'symlink') entries.set(path, { ...common, kind, target: `../${name}` });
      else entries.set(path, { ...common, kind: 'file', source: fromBuffer(Buffer.from(data)) });
    }
    return [...entries.values()].reverse();
  });
}
