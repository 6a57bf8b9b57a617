import { describe, expect, it } from 'vitest';
import { unpbzx } from '../../src/cpio/pbzx.ts';
import { collect, faultOf, inPieces, noise } from '../support/payload.ts';

/** What `head -c 1000 /dev/zero | tr '\\0' 0 | xz --check=none` writes (xz 5.4). */
const ZEROS_IN_XZ = Buffer.from(
  'fd377a585a000000ff12d9410200210116000000742fe5a3e003e7000b5d00186ffbbffea3b0b9a65600000000011fe80700000034d0a6b4a8000afc020000000000595a',
  'hex',
);

const word = (value: number | bigint) => {
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt(value));
  return field;
};
const chunk = (inflated: number, stored: Buffer, says = stored.length) =>
  Buffer.concat([word(inflated), word(says), stored]);
const stream = (block: number | bigint, ...chunks: readonly Buffer[]) =>
  Buffer.concat([Buffer.from('pbzx'), word(block), ...chunks]);
const plain = (size: number, seed = 1) => noise(size, seed);
const read = (data: Buffer, piece = 37) => collect(unpbzx(inPieces(data, piece)));

describe('unpbzx', () => {
  it('reads plain chunks, all whole but the last', async () => {
    const [first, second, last] = [plain(100), plain(100, 2), plain(7, 3)];
    const data = stream(100, chunk(100, first), chunk(100, second), chunk(7, last));
    for (const piece of [1, 16, 1000]) expect(await read(data, piece)).toEqual(Buffer.concat([first, second, last]));
    expect(await read(stream(100, chunk(100, first), chunk(100, second)))).toEqual(Buffer.concat([first, second]));
    expect(await read(stream(100))).toEqual(Buffer.alloc(0));
  });

  it('reads chunks shorter than what tells xz, and one of a byte', async () => {
    for (const size of [1, 5, 6, 7]) expect(await read(stream(100, chunk(size, plain(size))))).toEqual(plain(size));
  });

  it.each([
    [1n, true],
    [64n << 20n, true],
    [0n, false],
    [(64n << 20n) + 1n, false],
  ])('takes or refuses blocks of %s bytes', async (block, taken) => {
    const data = stream(block, chunk(1, Buffer.from('x')));
    if (taken) expect((await read(data)).toString()).toBe('x');
    else expect(await faultOf(() => read(data))).toEqual({ code: 'PBZX', offset: 4 });
  });

  it('reads a chunk in xz that holds as much as it says', async () => {
    const tail = chunk(1, Buffer.from('x'));
    for (const piece of [1, 30, 5000])
      expect((await read(stream(1000, chunk(1000, ZEROS_IN_XZ), tail), piece)).toString()).toBe(`${'0'.repeat(1000)}x`);
  });

  const FIRST = 12;
  it.each([
    ['a chunk larger than a block', stream(100, chunk(101, plain(101))), FIRST],
    ['a chunk of nothing', stream(100, chunk(0, Buffer.alloc(0))), FIRST],
    ['a chunk stored in more than it holds', stream(100, chunk(9, plain(10))), FIRST],
    ['plain bytes that are fewer than the chunk has', stream(100, chunk(10, plain(9))), FIRST],
    ['plain bytes that begin like xz', stream(2000, chunk(ZEROS_IN_XZ.length, ZEROS_IN_XZ)), FIRST],
    ['a chunk in xz that holds more', stream(2000, chunk(999, ZEROS_IN_XZ)), FIRST],
    ['a chunk in xz that holds less', stream(2000, chunk(1001, ZEROS_IN_XZ)), FIRST],
    ['a chunk behind one that is not whole', stream(100, chunk(99, plain(99)), chunk(1, plain(1))), FIRST + 16 + 99],
  ])('refuses %s', async (_, data, offset) => {
    expect(await faultOf(() => read(data))).toEqual({ code: 'PBZX', offset });
  });

  it('names the place where the input ends', async () => {
    const whole = stream(100, chunk(100, plain(100)));
    for (const size of [0, 3, 4, 11, 13, 27, 28, 33, 34, 100, whole.length - 1]) {
      const cut = whole.subarray(0, size);
      if (size === 12) expect(await read(cut)).toEqual(Buffer.alloc(0));
      else expect(await faultOf(() => read(cut))).toEqual({ code: 'FORMAT_TRUNCATED', offset: size });
    }
  });

  it('closes its source when it is left early', async () => {
    let closed = false;
    async function* source() {
      try {
        yield* inPieces(stream(10, chunk(10, plain(10)), chunk(10, plain(10))), 30);
      } finally {
        closed = true;
      }
    }
    for await (const _ of unpbzx(source())) break;
    expect(closed).toBe(true);
  });
});
