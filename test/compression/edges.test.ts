import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { bunzip2 } from '../../src/compression/bunzip2.ts';
import { isXz, unxz } from '../../src/compression/unxz.ts';
import { collect, errorOf, inPieces } from '../support/payload.ts';

// By bzip2 1.0.8 with -9, and `xz --check=none` (xz 5.4).
const ZEROS_65536 = Buffer.from(
  '425a6839314159265359d771e9eb000080c000c000000820003080291a01a4038bb9229c28486bb8f4f580',
  'hex',
);
const ZEROS_150000 = Buffer.from(
  '425a6839314159265359bba11e190001264800c00000400008200030cc0529a6288d894478bb9229c28485dd08f0c8',
  'hex',
);
const NOTHING_BZIP2 = Buffer.from('425a683917724538509000000000', 'hex');
const HELLO_XZ = Buffer.from(
  'fd377a585a000000ff12d9410200210116000000742fe5a301000468656c6c6f0000000000011505b0a7596706729e7a010000000000595a',
  'hex',
);

async function* given(...pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
}
const EMPTY = Buffer.alloc(0);
/** A source that fails once its pieces are read. */
async function* failing(error: unknown, ...pieces: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* pieces;
  throw error;
}

describe('what comes of a bzip2 stream', () => {
  const sizes = async (data: Buffer, spent: number[] = []) => {
    const found: number[] = [];
    for await (const chunk of bunzip2(inPieces(data, 10), (bytes) => void spent.push(bytes))) found.push(chunk.length);
    return found;
  };

  it.each([
    [NOTHING_BZIP2, []],
    [ZEROS_65536, [65_536]],
    [ZEROS_150000, [65_536, 65_536, 150_000 - 131_072]],
  ])('comes in pieces of 64 KiB, each told before it is held: case %#', async (data, expected) => {
    const spent: number[] = [];
    expect(await sizes(data, spent)).toEqual(expected);
    expect(spent).toEqual(expected.map(() => 65_536));
  });

  // `ab` again and again, which no run shortens; the digit in the header says how long a block may be.
  it('has blocks of 100,000 bytes for each of the digit in its header', async () => {
    const blocks = {
      100000: '425a6839314159265359d1e805a70061a78100300020003080291824a0b049417177245385090d1e805a70',
      100001: '425a6839314159265359e4cc6a350061a80100300020003080291824a0b424a0b8bb9229c28487266351a8',
    };
    const withDigit = (size: keyof typeof blocks, digit: string) => {
      const data = Buffer.from(blocks[size], 'hex');
      data.write(digit, 3);
      return collect(bunzip2(given(data)));
    };
    expect(await withDigit(100_000, '1')).toHaveLength(100_000);
    expect(await withDigit(100_001, '2')).toHaveLength(100_001);
    await expect(withDigit(100_001, '1')).rejects.toMatchObject({ code: 'BZIP2' });
  });
});

describe.each([
  ['bzip2', bunzip2, ZEROS_65536, 65_536, 'bzip2 stream'],
  ['xz', unxz, HELLO_XZ, 5, 'xz stream'],
] as const)('a source of %s', (_, decode, data, size, format) => {
  it('may have empty pieces', async () => {
    const pieces = [EMPTY, data.subarray(0, 9), EMPTY, EMPTY, data.subarray(9), EMPTY];
    expect(await collect(decode(given(...pieces)))).toHaveLength(size);
  });

  it('is read piece by piece, the last byte too', async () => {
    const bytes = [...data].map((byte) => Buffer.of(byte));
    expect(await collect(decode(given(...bytes)))).toHaveLength(size);
  });

  it.each([
    new RangeError('the disk'),
    new FormatError('OTHER', 'something else', 3, 'is no matter of this one'),
  ])('passes on its error as it is: %s', async (error) => {
    for (const pieces of [[], [data.subarray(0, 20)]])
      await expect(collect(decode(failing(error, ...pieces)))).rejects.toBe(error);
    // And the decoder is free again.
    expect(await collect(decode(given(data)))).toHaveLength(size);
  });

  it('says what is found in place of one whole stream', async () => {
    const found = async (...pieces: readonly Buffer[]) => (await errorOf(() => collect(decode(given(...pieces))))).message;
    const start = `${format}, offset 0: expected one whole ${format}, found `;
    expect(await found(data, Buffer.from('x'))).toMatch(new RegExp(`^${start}`));
    expect(await found(Buffer.concat([data, Buffer.from('x')]))).toMatch(new RegExp(`^${start}`));
    for (const length of [0, 3, 20, data.length - 1])
      expect(await found(data.subarray(0, length)), `${length}`).toMatch(new RegExp(`^${start}`));
  });
}); // biome-ignore format: short

describe('an xz stream', () => {
  // Source: xz-file-format.txt, section 2.2.
  it('may be followed by another, and by zero bytes in fours', async () => {
    const read = async (...pieces: Buffer[]) => (await collect(unxz(given(...pieces)))).toString();
    expect(await read(HELLO_XZ, HELLO_XZ)).toBe('hellohello');
    expect(await read(HELLO_XZ, Buffer.alloc(4), HELLO_XZ, Buffer.alloc(8))).toBe('hellohello');
    for (const size of [1, 2, 3, 5]) await expect(read(HELLO_XZ, Buffer.alloc(size))).rejects.toThrow(FormatError);
  });
});

describe('the first bytes of an xz stream', () => {
  it('are six', () => {
    const heads = [HELLO_XZ, HELLO_XZ.subarray(0, 6), HELLO_XZ.subarray(0, 5), EMPTY];
    expect(heads.map(isXz)).toEqual([true, true, false, false]);
  });
});
