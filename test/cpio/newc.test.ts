import { describe, expect, it } from 'vitest';
import { addToChecksum } from '../../src/cpio/header.ts';
import { readCpio, readLinkTarget } from '../../src/cpio/read.ts';
import { collect, errorOf, faultOf, inPieces } from '../support/payload.ts';

/** What differs from an empty file of mode 0644 with one link. */
interface Part {
  readonly name: string | Buffer;
  readonly mode?: number;
  readonly nlink?: number;
  readonly data?: string | Buffer;
  readonly check?: number;
  /** Byte that pads name and data. */
  readonly padding?: number;
}

const TRAILER: Part = { name: 'TRAILER!!!', mode: 0 };

/** One entry by cpio(5), "New ASCII Format": thirteen numbers of eight hexadecimal digits, name and data each padded to four bytes. */
function entry(part: Part, magic = '070701'): Buffer {
  const { name, mode = 0o100644, nlink = 1, data = '', check = 0, padding = 0 } = part;
  const [nameBytes, bytes] = [Buffer.concat([Buffer.from(name), Buffer.alloc(1)]), Buffer.from(data)];
  const numbers = [1, mode, 0, 0, nlink, 0, bytes.length, 0, 0, 0, 0, nameBytes.length, check];
  const header = Buffer.from(magic + numbers.map((number) => number.toString(16).padStart(8, '0')).join(''));
  const pad = (size: number) => Buffer.alloc((4 - (size % 4)) % 4, padding);
  return Buffer.concat([header, nameBytes, pad(110 + nameBytes.length), bytes, pad(bytes.length)]);
}

/** An archive of these, closed and padded to 512 bytes. */
function archive(parts: readonly Part[], magic?: string): Buffer {
  const all = Buffer.concat([...parts, TRAILER].map((part) => entry(part, magic)));
  return Buffer.concat([all, Buffer.alloc((512 - (all.length % 512)) % 512)]);
}

async function list(data: Buffer, piece = 100) {
  const found: string[] = [];
  for await (const { path, kind, mode, offset, data: content } of readCpio(inPieces(data, piece)))
    found.push(`${offset} ${kind} ${path} ${mode.toString(8)} ${(await collect(content)).toString()}`);
  return found;
}

const fault = (data: Buffer, piece?: number) => faultOf(() => list(data, piece));

describe('readCpio of newc', () => {
  it('finds each entry where it lies, whatever name and data are padded by', async () => {
    const parts = ['', 'a', 'ab', 'abc', 'abcd'].map((text) => ({ name: `./${text}x`, data: text, mode: 0o104755 }));
    const found = await list(archive(parts));
    let offset = 0;
    const expected = parts.map(({ name, data }, index) => {
      const line = `${offset} file ${name} 4755 ${data}`;
      offset += entry(parts[index] as Part).length;
      return line;
    });
    expect(found).toEqual(expected);
  });

  it.each<[string, Part, boolean]>([
    ['an empty file with one link', { name: 'a' }, true],
    ['an empty file with two', { name: 'a', nlink: 2 }, false],
    ['a file with its data and two links', { name: 'a', nlink: 2, data: 'x' }, true],
    ['a folder with two links', { name: 'a', nlink: 2, mode: 0o40755 }, true],
  ])('takes or refuses %s as others would lay it down', async (_, part, taken) => {
    if (taken) expect(await list(archive([part]))).toHaveLength(1);
    else expect(await fault(archive([part]))).toEqual({ code: 'CPIO_HARD_LINK', offset: 0 });
  });

  const long = (size: number) => `./${'a'.repeat(size - 2)}`;
  it.each<[string, Part, Part, string]>([
    ['a name of 4,096 bytes with its NUL', { name: long(4095) }, { name: long(4096) }, 'CPIO_NAME'],
    ['a name of two bytes', { name: 'a' }, { name: '' }, 'CPIO_NAME'],
    ['a folder without data', { name: 'a', mode: 0o40755 }, { name: 'a', mode: 0o40755, data: 'x' }, 'CPIO_SIZE'],
    ['a link of one byte', { name: 'a', mode: 0o120755, data: 'x' }, { name: 'a', mode: 0o120755 }, 'CPIO_SIZE'],
    [
      'a link of 4,096 bytes',
      { name: 'a', mode: 0o120755, data: long(4096) },
      { name: 'a', mode: 0o120755, data: long(4097) },
      'CPIO_SIZE',
    ],
  ])('reads %s and refuses one beyond', async (_, right, wrong, code) => {
    expect(await list(archive([right]))).toHaveLength(1);
    expect(await fault(archive([wrong]))).toEqual({ code, offset: 0 });
  });

  it('refuses padding that is not zero, behind the name and behind the data', async () => {
    expect(await fault(archive([{ name: 'ab', data: 'wxyz', padding: 1 }]))).toEqual({
      code: 'CPIO_PADDING',
      offset: 113,
    });
    expect(await fault(archive([{ name: 'a', data: 'xyz', padding: 1 }]))).toEqual({
      code: 'CPIO_PADDING',
      offset: 115,
    });
    for (const at of [113, 114, 115]) {
      const one = archive([{ name: 'a', data: 'x' }]);
      one[at] = 1;
      expect(await fault(one)).toEqual({ code: 'CPIO_PADDING', offset: 113 });
    }
  });

  it('refuses a trailer with data, and anything behind it but zeros', async () => {
    const [first, end] = [entry({ name: 'a' }), entry({ ...TRAILER, data: 'x' })];
    expect(await fault(Buffer.concat([first, end]))).toEqual({ code: 'CPIO_TRAILER', offset: first.length });
    for (const at of [entry(TRAILER).length, 300, 511, 512, 1000, 1023]) {
      const bad = Buffer.concat([archive([]), Buffer.alloc(512)]);
      bad[at] = 1;
      for (const piece of [100, 4096]) expect(await fault(bad, piece)).toEqual({ code: 'CPIO_PADDING', offset: at });
    }
    expect(await fault(archive([]).subarray(0, 508))).toEqual({ code: 'FORMAT_TRUNCATED', offset: 508 });
  });

  it.each([
    ['no NUL at its end', 4, './ab'],
    ['one before', 4, './\0\0'],
    ['one in the middle', 5, './\0a\0'],
  ])('refuses a name with %s, whatever stands in front of it', async (_, size, text) => {
    const header = entry({ name: 'x'.repeat(size - 1) }).subarray(0, 110);
    const name = Buffer.concat([Buffer.from(text), Buffer.alloc((4 - ((110 + size) % 4)) % 4)]);
    const error = await errorOf(() => list(Buffer.concat([header, name, archive([])])));
    expect(error).toMatchObject({
      code: 'CPIO_NAME',
      message: expect.stringContaining('expected one NUL, at the end'),
    });
  });

  it.each([
    ['a./b', './a./b'],
    ['./a./b', './a./b'],
    ['.a', './.a'],
    ['.', '.'],
  ])('gives the name %s as %s', async (name, path) => {
    const mode = 0o40755;
    expect(await list(archive([{ name, mode }]))).toEqual([`0 directory ${path} 755 `]);
  });

  it('closes its source when it is left early, and when it refuses something', async () => {
    for (const data of [archive([{ name: 'a' }, { name: 'b' }]), archive([{ name: 'a' }, { name: 'b', mode: 0 }])]) {
      let isClosed = false;
      async function* source() {
        try {
          for (let at = 0; at < data.length; at += 50) yield data.subarray(at, at + 50);
        } finally {
          isClosed = true;
        }
      }
      try {
        for await (const { name } of readCpio(source())) if (name === 'b') break;
      } catch (error) {
        expect(error).toMatchObject({ code: 'CPIO_MODE' });
      }
      expect(isClosed).toBe(true);
    }
  });

  it('keeps a byte order mark in a name, which is a letter there', async () => {
    expect(await list(archive([{ name: '\ufeffa' }]))).toEqual(['0 file ./\ufeffa 644 ']);
  });
});

describe('readCpio of newc with checksums', () => {
  const sums = (parts: readonly Part[]) => archive(parts, '070702');

  it('adds up the bytes of files, and of files alone', async () => {
    expect(
      await list(
        sums([
          { name: 'a', data: 'az', check: 97 + 122 },
          { name: 'l', mode: 0o120755, data: 'az' },
        ]),
      ),
    ).toHaveLength(2);
    expect(await fault(sums([{ name: 'a', data: 'az', check: 97 + 121 }]))).toEqual({
      code: 'CPIO_CHECKSUM',
      offset: 112,
    });
  });

  it('adds up what comes in pieces, and starts anew with each file', async () => {
    const parts = [300, 2].map((size) => ({ name: `${size}`, data: Buffer.alloc(size, 0xff), check: size * 255 }));
    expect(await list(sums(parts), 100)).toHaveLength(2);
  });

  it.each([
    [0, [], 0],
    [0, [97, 122], 219],
    [2 ** 31 - 1, [1], 2 ** 31],
    [2 ** 32 - 2, [1], 2 ** 32 - 1],
    [2 ** 32 - 2, [1, 255], 254],
  ])('adds to %i the bytes %j modulo 2^32', (sum, bytes, expected) => {
    expect(addToChecksum(sum, Buffer.from(bytes))).toBe(expected);
  });
});

describe('readLinkTarget', () => {
  const targetOf = async (data: string | Buffer) => {
    for await (const found of readCpio(inPieces(archive([{ name: 'x' }, { name: 'l', mode: 0o120755, data }]), 7)))
      if (found.kind === 'symlink') return await readLinkTarget(found);
    throw new Error('no link');
  };

  it('returns the target, a byte order mark included', async () => {
    expect(await targetOf('é/../x')).toBe('é/../x');
    expect(await targetOf('\ufeffx')).toBe('\ufeffx');
  });

  it.each([
    ['NUL', Buffer.from('a\0b')],
    ['bytes that are not UTF-8', Buffer.from([0x61, 0xff])],
  ])('refuses %s, naming the place of the entry', async (_, data) => {
    expect(await faultOf(() => targetOf(data))).toEqual({ code: 'CPIO_LINK', offset: entry({ name: 'x' }).length });
  });
});
