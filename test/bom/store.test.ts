import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/base/input/limits.ts';
import { openBomStore } from '../../src/bom/store.ts';
import { faultOf } from '../support/payload.ts';

/** Numbers of 32 bits, big-endian. */
function words(...values: readonly number[]): Buffer {
  const data = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) data.writeUInt32BE(value, 4 * index);
  return data;
}

interface Parts {
  readonly blocks?: readonly (readonly [offset: number, length: number])[];
  readonly holes?: readonly number[];
  /** What the header and the tables count, where it is another number. */
  readonly used?: number;
  readonly free?: number;
  readonly vars?: Buffer;
}

/** Four bytes of 1 at 100, the variables at 104, then the index: the least file with one block. */
const VARS = Buffer.concat([words(1, 1), Buffer.from('\x01a')]);
function fileOf(parts: Parts = {}): Buffer {
  const { blocks = [[100, 4]], holes = [], vars = VARS } = parts;
  const index = Buffer.concat([
    words(blocks.length + 1, 0, 0, ...blocks.flat(), parts.free ?? holes.length / 2, ...holes),
  ]);
  const used = parts.used ?? blocks.filter(([offset, length]) => offset > 0 || length > 0).length;
  const varsAt = 104;
  const header = [words(1, used, varsAt + vars.length, index.length, varsAt, vars.length)];
  const head = Buffer.concat([Buffer.from('BOMStore'), ...header]);
  return Buffer.concat([head, Buffer.alloc(100 - head.length), Buffer.alloc(4, 1), vars, index]);
}
const INDEX = 104 + VARS.length;

/** The file with one number of its header replaced. */
function withHeader(at: number, value: number, file = fileOf()): Buffer {
  file.writeUInt32BE(value, at);
  return file;
}

describe('openBomStore', () => {
  it('gives a block, where it lies, and how many nobody asked for', () => {
    const store = openBomStore(
      fileOf({
        blocks: [
          [100, 4],
          [0, 0],
          [100 - 8, 8],
        ],
      }),
    );
    expect([...store.vars]).toEqual([['a', 1]]);
    expect(store.untouched()).toBe(2);
    expect(store.block(1, 'X').equals(Buffer.alloc(4, 1))).toBe(true);
    store.block(1, 'X');
    expect(store.untouched()).toBe(1);
    expect(store.block(3, 'X').length).toBe(8);
    expect(store.untouched()).toBe(0);
    expect([0, 1, 3, 4].map((number) => store.offsetOf(number))).toEqual([0, 100, 92, 0]);
  });

  it.each([
    [0, 'BOM_NULL_BLOCK'],
    [2, 'BOM_NULL_BLOCK'],
    [4, 'BOM_BLOCK'],
    [5, 'BOM_BLOCK'],
  ])('has no block %i: %s', async (number, code) => {
    const store = openBomStore(
      fileOf({
        blocks: [
          [100, 4],
          [0, 0],
          [92, 8],
        ],
      }),
    );
    expect(await faultOf(() => store.block(number, 'X'))).toEqual({ code, offset: 0 });
  });

  it.each<[string, Buffer]>([
    [
      'a block that ends with the header',
      fileOf({
        blocks: [
          [100, 4],
          [32, 68],
        ],
      }),
    ],
    [
      'an empty block',
      fileOf({
        blocks: [
          [100, 4],
          [92, 0],
        ],
      }),
    ],
    ['a free list as long as its room', fileOf({ holes: [1, 2] })],
    ['a free list shorter than its room', fileOf({ holes: [1, 2, 3, 4], free: 0 })],
    ['no variable', fileOf({ vars: words(0) })],
    ['a variable without a name', fileOf({ vars: Buffer.concat([words(1, 1), Buffer.from([0])]) })],
  ])('takes %s', (_, file) => {
    expect(() => openBomStore(file)).not.toThrow();
  });

  const size = fileOf().length;
  it.each<[string, Buffer, string, number]>([
    ['a version of 0', withHeader(8, 0), 'BOM_HEADER', 8],
    ['one block more than it counts', withHeader(12, 0), 'BOM_HEADER', 12],
    ['one block less', withHeader(12, 2), 'BOM_HEADER', 12],
    ['an index at the last byte of the header', withHeader(16, 31), 'BOM_HEADER', 16],
    ['an index one byte beyond the file', withHeader(20, size - INDEX + 1), 'BOM_HEADER', 16],
    ['variables at the last byte of the header', withHeader(24, 31), 'BOM_HEADER', 24],
    ['variables one byte beyond the file', withHeader(28, size - 104 + 1), 'BOM_HEADER', 24],
    ['a table without its free list', withHeader(20, 4 + 16), 'BOM_INDEX', INDEX],
    ['a block 0 with an offset', withHeader(INDEX + 4, 50), 'BOM_INDEX', INDEX + 4],
    ['a block 0 with a length', withHeader(INDEX + 8, 1), 'BOM_INDEX', INDEX + 4],
    ['a hole more than there is room', fileOf({ holes: [1, 2], free: 2 }), 'BOM_INDEX', INDEX + 20],
    ['half a hole', fileOf({ holes: [1], free: 1 }), 'BOM_INDEX', INDEX + 20],
    [
      'a block one byte beyond the file',
      fileOf({
        blocks: [
          [100, 4],
          [90, 500],
        ],
      }),
      'BOM_INDEX',
      INDEX + 20,
    ],
    ['a block in the last byte of the header', fileOf({ blocks: [[31, 4]] }), 'BOM_OVERLAP', 31],
    ['a block over the variables', fileOf({ blocks: [[100, 5]] }), 'BOM_OVERLAP', 104],
    ['a block in the index', fileOf({ blocks: [[INDEX + 1, 1]] }), 'BOM_OVERLAP', INDEX + 1],
    [
      'two blocks with a byte in common',
      fileOf({
        blocks: [
          [97, 4],
          [100, 4],
        ],
      }),
      'BOM_OVERLAP',
      100,
    ],
    ['three bytes of a count', fileOf({ vars: Buffer.alloc(3) }), 'BOM_VARS', 104],
    ['a variable too few', fileOf({ vars: Buffer.concat([words(2, 1), Buffer.from('\x01a')]) }), 'BOM_VARS', 114],
    ['four bytes of a variable', fileOf({ vars: words(1, 1) }), 'BOM_VARS', 108],
    ['a name that is cut', fileOf({ vars: Buffer.concat([words(1, 1), Buffer.from('\x02a')]) }), 'BOM_VARS', 108],
    ['a byte behind the variables', fileOf({ vars: Buffer.concat([VARS, Buffer.alloc(1)]) }), 'BOM_VARS', 114],
    [
      'a variable twice',
      fileOf({ vars: Buffer.concat([words(2, 1), Buffer.from('\x01a'), words(1), Buffer.from('\x01a')]) }),
      'BOM_VARS',
      114,
    ],
  ])('refuses %s', async (_, file, code, offset) => {
    expect(await faultOf(() => openBomStore(file))).toEqual({ code, offset });
  });

  it.each([
    [LIMITS.bomBlocks, undefined],
    [LIMITS.bomBlocks + 1, 'SIZE_LIMIT'],
  ])('has a table of %i blocks that stand for none: %s', async (count, code) => {
    const index = Buffer.alloc(4 + 8 * count + 4);
    index.writeUInt32BE(count);
    const numbers = words(1, 0, 36, index.length, 32, 4);
    const file = Buffer.concat([Buffer.from('BOMStore'), numbers, words(0), index]);
    if (code) expect(await faultOf(() => openBomStore(file))).toMatchObject({ code });
    else expect(openBomStore(file).untouched()).toBe(0);
  });
});
