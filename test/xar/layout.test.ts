import { describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { isMemberName, readXarHeader, XAR_HEADER } from '../../src/xar/layout.ts';
import { faultOf } from '../support/xar.ts';

/** First 28 bytes of a package by Apple's productbuild of 2025 (Kandji's JQ 1.8.1). */
const APPLE_HEADER = Buffer.from('78617221001c000100000000000011c80000000000003b1900000001', 'hex');
const ROOM = Buffer.alloc(4552);

const read = (header: Buffer, behind: Buffer = ROOM) => readXarHeader(accessBuffer(Buffer.concat([header, behind])));

function changed(field: (typeof XAR_HEADER.fields)[number]['name'], value: string | number | bigint): Buffer {
  return XAR_HEADER.encode({ ...XAR_HEADER.decode(APPLE_HEADER), [field]: value });
}

/** A header of 64 bytes with a name behind its fields, as mackyle/xar 1.6 and later write it for SHA-2. */
function named(name: string): Buffer {
  const fields = { ...XAR_HEADER.decode(APPLE_HEADER), headerSize: 64, checksumAlgorithm: 3 };
  return Buffer.concat([XAR_HEADER.encode(fields), Buffer.from(name)], 64);
}

const numbered = (checksumAlgorithm: number, headerSize: number) =>
  XAR_HEADER.encode({ ...XAR_HEADER.decode(APPLE_HEADER), headerSize, checksumAlgorithm });

describe('the name of a member', () => {
  it.each(['a', '.a', '..a', '...', 'a b', '-', 'é', '~', '\x80'])('may be %j', (name) => {
    expect(isMemberName(name)).toBe(true);
  });

  it.each(['', '.', '..', '/', 'a/', '/a', ' a', 'a ', '\ta', 'a\u00a0', '\0', 'a\x1fb', 'a\x7fb', 'a\nb'])(
    'may not be %j',
    (name) => {
      expect(isMemberName(name)).toBe(false);
    },
  );
});

describe('XarHeader', () => {
  it('is read from an Apple package and written back as it was', async () => {
    expect(await read(APPLE_HEADER)).toEqual({
      headerSize: 28,
      tocCompressedSize: 4552,
      tocSize: 15129,
      checksum: 'sha1',
    });
    expect(XAR_HEADER.encode(XAR_HEADER.decode(APPLE_HEADER))).toEqual(APPLE_HEADER);
  });

  it('takes SHA-256 and SHA-512 by number or by name', async () => {
    expect((await read(changed('checksumAlgorithm', 3))).checksum).toBe('sha256');
    expect((await read(changed('checksumAlgorithm', 4))).checksum).toBe('sha512');
    expect(await read(named('sha256'))).toMatchObject({ headerSize: 64, checksum: 'sha256' });
    expect(await read(named('sha512'))).toMatchObject({ headerSize: 64, checksum: 'sha512' });
  });

  it('names a digest behind its fields for number 3 alone', async () => {
    const name = Buffer.from('sha512\0');
    for (const [number, checksum] of [
      [0, 'none'],
      [1, 'sha1'],
      [2, 'md5'],
      [3, 'sha512'],
      [4, 'sha512'],
    ] as const)
      expect(await read(Buffer.concat([numbered(number, 35), name]))).toMatchObject({ headerSize: 35, checksum });
  });

  it('may say that the XML has any size that is a number', async () => {
    expect((await read(changed('tocSize', 2n ** 53n - 1n))).tocSize).toBe(2 ** 53 - 1);
  });

  const faults: [string, Buffer, string, number][] = [
    ['another magic', changed('magic', 'xar?'), 'XAR_MAGIC', 0],
    ['a header of 27 bytes', changed('headerSize', 27), 'XAR_HEADER_SIZE', 4],
    ['a header of no bytes', changed('headerSize', 0), 'XAR_HEADER_SIZE', 4],
    ['a header of 65 bytes', changed('headerSize', 65), 'XAR_HEADER_SIZE', 4],
    ['version 0', changed('version', 0), 'XAR_VERSION', 6],
    ['version 2', changed('version', 2), 'XAR_VERSION', 6],
    ['a TOC that the file cannot hold', changed('tocCompressedSize', 4553n), 'XAR_TOC_TRUNCATED', 8],
    ['a TOC of 2^64 - 1 bytes', changed('tocCompressedSize', 2n ** 64n - 1n), 'XAR_TOC_TRUNCATED', 8],
    ['2^53 bytes of XML', changed('tocSize', 2n ** 53n), 'XAR_TOC_SIZE', 16],
    ['an unknown digest', changed('checksumAlgorithm', 5), 'XAR_CHECKSUM_ALGORITHM', 24],
    ['an unknown name of a digest', named('crc32'), 'XAR_CHECKSUM_ALGORITHM', 24],
    ['an empty name of a digest', named(''), 'XAR_CHECKSUM_ALGORITHM', 24],
    ['a name of a byte', Buffer.concat([numbered(3, 29), Buffer.from([0])]), 'XAR_CHECKSUM_ALGORITHM', 24],
  ];
  it.each(faults)('refuses %s', async (_, header, code, offset) => {
    const fault = await faultOf(() => read(header));
    expect(fault).toMatchObject({ code, offset, format: 'XarHeader' });
  });

  it('refuses every prefix', async () => {
    for (let length = 0; length < APPLE_HEADER.length; length++) {
      const fault = await faultOf(() => read(APPLE_HEADER.subarray(0, length), Buffer.alloc(0)));
      expect(fault.code, `${length} bytes`).toBe('FORMAT_TRUNCATED');
    }
    const long = named('sha256');
    for (let length = 28; length < long.length; length++) {
      const fault = await faultOf(() => read(long.subarray(0, length), Buffer.alloc(0)));
      expect(fault.code, `${length} bytes`).toBe('FORMAT_TRUNCATED');
    }
  });
});
