import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  bestCodeDirectory,
  CODE_DIRECTORY,
  codeDirectorySize,
  EXEC_SEGMENT_MAIN_BINARY,
  encodeCodeDirectory,
  FLAG_ADHOC,
  FLAG_RUNTIME,
  hashPages,
  hashTypeName,
  hashWith,
  parseCodeDirectory,
} from '../../src/code-signature/code-directory.ts';
import * as blobs from '../../src/code-signature/super-blob.ts';

// Written down from xnu, osfmk/kern/cs_blobs.h, and not from our own tables.
describe('the numbers of a code signature', () => {
  it('are those of the kernel', () => {
    const { BLOB_HEADER: _, SUPER_BLOB_HEADER: __, BLOB_INDEX: ___, ...rest } = blobs;
    const numbers = Object.entries(rest).filter(([, value]) => typeof value === 'number');
    expect(Object.fromEntries(numbers)).toEqual({
      MAGIC_EMBEDDED_SIGNATURE: 0xfade0cc0,
      MAGIC_CODE_DIRECTORY: 0xfade0c02,
      MAGIC_REQUIREMENTS: 0xfade0c01,
      MAGIC_REQUIREMENT: 0xfade0c00,
      MAGIC_ENTITLEMENTS: 0xfade7171,
      MAGIC_DER_ENTITLEMENTS: 0xfade7172,
      MAGIC_LAUNCH_CONSTRAINT: 0xfade8181,
      MAGIC_BLOB_WRAPPER: 0xfade0b01,
      SLOT_CODE_DIRECTORY: 0,
      SLOT_INFO_PLIST: 1,
      SLOT_REQUIREMENTS: 2,
      SLOT_CODE_RESOURCES: 3,
      SLOT_ENTITLEMENTS: 5,
      SLOT_DER_ENTITLEMENTS: 7,
      SLOT_ALTERNATE_CODE_DIRECTORIES: 0x1000,
      MAX_ALTERNATE_CODE_DIRECTORIES: 5,
      SLOT_CMS: 0x10000,
    });
    expect([FLAG_ADHOC, FLAG_RUNTIME, EXEC_SEGMENT_MAIN_BINARY]).toEqual([2, 0x10000, 1n]);
  });
});

describe('the digests of a code directory', () => {
  const data = Buffer.from('abc');
  const full = (algorithm: string) => createHash(algorithm).update(data).digest();

  // CS_HASHTYPE_SHA1, SHA256, SHA256_TRUNCATED, SHA384.
  it.each<[number, string, number]>([
    [1, 'sha1', 20],
    [2, 'sha256', 32],
    [3, 'sha256', 20],
    [4, 'sha384', 48],
  ])('of type %i are %s, the first %i bytes', (type, algorithm, size) => {
    expect(hashWith(type, data)).toEqual(full(algorithm).subarray(0, size));
    expect(hashTypeName(type)).toBe(algorithm);
  });

  it('are of no other type', () => {
    for (const type of [0, 5]) {
      expect(() => hashWith(type, data)).toThrow(`hash type ${type}`);
      expect(hashTypeName(type)).toBe(String(type));
    }
  });

  it('are one a page, the last of what is left', () => {
    const hashes = (size: number) => hashPages(Buffer.alloc(size, 'x'), 2, 4).map((hash) => hash.toString('hex', 0, 2));
    const of = (size: number) => createHash('sha256').update('x'.repeat(size)).digest('hex').slice(0, 4);
    expect([hashes(0), hashes(1), hashes(4), hashes(5)]).toEqual([[], [of(1)], [of(4)], [of(4), of(1)]]);
  });

  it('have an order that is the same whatever comes first', () => {
    const best = (...types: number[]) => bestCodeDirectory(types.map((hashType) => ({ hashType })))?.hashType;
    expect([best(2, 1), best(1, 2), best(4, 2), best(2, 4), best(3, 2), best(2, 3), best(1, 3), best(3, 1)]).toEqual([
      2, 2, 4, 4, 2, 2, 3, 3,
    ]);
    expect(best()).toBeUndefined();
  });
});

interface Parts {
  readonly version?: number;
  readonly header?: number;
  readonly strings?: string;
  readonly identifierAt?: number;
  readonly teamAt?: number;
  readonly special?: number;
  readonly hash?: readonly [type: number, size: number];
  readonly limit?: number;
  readonly shift?: number;
  readonly pages?: number;
  readonly behind?: number;
  readonly fields?: (data: Buffer) => void;
}

/** A code directory put together here, word by word: header, strings, special hashes, hashes of pages. */
function directory(parts: Parts = {}): Buffer {
  const {
    version = 0x20001,
    header = 44,
    strings = 'a\0',
    special = 0,
    hash = [2, 32],
    limit = 10,
    shift = 12,
  } = parts;
  const pages = parts.pages ?? Math.ceil(limit / 4096);
  const hashOffset = header + strings.length + special * hash[1];
  const data = Buffer.alloc(hashOffset + pages * hash[1] + (parts.behind ?? 0));
  const words = [0xfade0c02, data.length, version, 0x10000, hashOffset, parts.identifierAt ?? header, special, pages];
  for (const [index, word] of [...words, limit].entries()) data.writeUInt32BE(word, index * 4);
  data.set([hash[1], hash[0], 7, shift], 36);
  if (parts.teamAt !== undefined) data.writeUInt32BE(parts.teamAt, 48);
  data.write(strings, header, 'latin1');
  for (let slot = 0; slot < special + pages; slot++) {
    const start = header + strings.length + slot * hash[1];
    data.fill(slot + 1, start, start + hash[1]);
  }
  parts.fields?.(data);
  return data;
}

const said = (parts: Parts) => {
  try {
    return parseCodeDirectory(directory(parts)).packed ? 'packed' : 'taken';
  } catch (error) {
    return String((error as Error).message).replace(/^CodeDirectory, /, '');
  }
};

describe('parseCodeDirectory', () => {
  // The comments of struct __CodeDirectory: what ends where, by version.
  it.each<[number, number]>([
    [0x20001, 44],
    [0x200ff, 44],
    [0x20100, 48],
    [0x201ff, 48],
    [0x20200, 52],
    [0x202ff, 52],
    [0x20300, 64],
    [0x203ff, 64],
    [0x20400, 88],
    [0x204ff, 88],
    [0x20500, 96],
    [0x2efff, 96],
  ])('of version %i has a header of %i bytes', (version, header) => {
    expect(said({ version, header })).toBe('packed');
    expect(said({ version, header, strings: '\0a\0', identifierAt: header + 1 })).toBe('taken');
    expect(said({ version, header, identifierAt: header - 1 })).toContain(`expected ${header} or more`);
    const short = directory({ version, header }).subarray(0, header - 1);
    short.writeUInt32BE(short.length, 4);
    expect(() => parseCodeDirectory(short)).toThrow(header === 44 ? 'expected 44 bytes' : `in ${header - 1} bytes`);
    const whole = Buffer.from(directory({ version, header }).subarray(0, header));
    whole.writeUInt32BE(whole.length, 4);
    expect(() => parseCodeDirectory(whole)).toThrow('hashOffset: the hashes end at');
  });

  it('gives the fields of the version alone', () => {
    const fields = (data: Buffer) => {
      data.writeBigUInt64BE(0x11n, 64);
      data.writeBigUInt64BE(0x22n, 72);
      data.writeBigUInt64BE(0x33n, 80);
    };
    const read = (version: number, header: number, edit = fields) =>
      parseCodeDirectory(directory({ version, header, strings: `${'a'.repeat(60)}\0`, fields: edit }));
    expect(read(0x20400, 88).execSegment).toEqual({ base: 0x11n, limit: 0x22n, flags: 0x33n });
    expect(read(0x203ff, 64).execSegment).toBeNull();
    expect(read(0x20500, 96, (data) => data.writeUInt32BE(0x0e0400, 88)).runtimeVersion).toBe(0x0e0400);
    expect(read(0x20400, 88, (data) => data.writeUInt32BE(0x0e0400, 88)).runtimeVersion).toBe(0);
    expect(parseCodeDirectory(directory())).toMatchObject({ version: 0x20001, flags: 0x10000, platform: 7 });
  });

  it('finds the hashes where they lie, the special ones backwards', () => {
    const { specialSlots, codeHashes, hashSize, pageSize } = parseCodeDirectory(
      directory({ special: 3, limit: 8193, hash: [1, 20] }),
    );
    expect(specialSlots).toEqual([3, 2, 1].map((byte) => Buffer.alloc(20, byte)));
    expect(codeHashes).toEqual(Buffer.concat([4, 5, 6].map((byte) => Buffer.alloc(20, byte))));
    expect([hashSize, pageSize]).toEqual([20, 4096]);
  });

  it.each<[string, Parts, string]>([
    ['as it is', {}, 'packed'],
    ['without a page', { limit: 0 }, 'packed'],
    ['one byte less than a page', { limit: 4095, pages: 1 }, 'packed'],
    ['of a whole page', { limit: 4096, pages: 1 }, 'packed'],
    ['one byte more than a page', { limit: 4097, pages: 1 }, 'offset 28: codeSlotCount: 1, expected 2'],
    ['one page for everything', { limit: 70_000, pages: 1, shift: 0 }, 'packed'],
    ['one page for nothing', { limit: 0, pages: 0, shift: 0 }, 'packed'],
    ['pages of 64 KiB', { limit: 65_537, pages: 2, shift: 16 }, 'packed'],
    ['digests of 20 bytes of SHA-256', { hash: [3, 20] }, 'packed'],
    ['digests of SHA-384', { hash: [4, 48] }, 'packed'],
    ['a digest nobody knows', { hash: [5, 32] }, 'offset 37: hashType: 5'],
    ['a digest of another size', { hash: [2, 20] }, 'offset 36: hashSize: 20, expected 32'],
    ['a byte behind the hashes', { behind: 1 }, 'taken'],
    ['a byte between strings and hashes', { strings: 'a\0\0' }, 'taken'],
    ['a name that goes into the hashes', { strings: 'a' }, 'offset 20: identifierOffset: a string at 44 that does not end before 45'],
    ['a name behind its end', { identifierAt: 46 }, 'offset 20: identifierOffset: a string at 46 that does not end before 46'],
    ['scattered pages', { version: 0x20100, header: 48, fields: (data) => data.writeUInt32BE(1, 44) }, 'offset 44: scattered pages are not supported'],
    ['a team behind the name', { version: 0x20200, header: 52, strings: 'a\0T\0', teamAt: 54 }, 'packed'],
    ['a team before the name', { version: 0x20200, header: 52, strings: 'T\0a\0', teamAt: 52, identifierAt: 54 }, 'taken'],
    ['a team with a gap', { version: 0x20200, header: 52, strings: 'a\0\0T\0', teamAt: 55 }, 'taken'],
    ['a team in the header', { version: 0x20200, header: 52, strings: 'a\0T\0', teamAt: 51 }, 'offset 48: teamOffset: 51, expected 52 or more'],
    ['a team without an end', { version: 0x20200, header: 52, strings: 'a\0T', teamAt: 54 }, 'offset 48: teamOffset: a string at 54 that does not end before 55'],
    ['hashes one byte beyond', { fields: (data) => data.writeUInt32BE(47, 16) }, 'offset 16: hashOffset: the hashes end at 79 of 78'],
    ['special hashes over the name', { fields: (data) => data.writeUInt32BE(1, 24) }, 'offset 20: identifierOffset: a string at 44 that does not end before 14'],
    ['special hashes before the start', { fields: (data) => data.writeUInt32BE(2, 24) }, 'offset 20: identifierOffset: a string at 44 that does not end before -18'],
  ])('says of one with %s what it is', (_, parts, words) => {
    expect(said(parts)).toBe(words);
  }); // biome-ignore format: a table
});

describe('encodeCodeDirectory', () => {
  const INPUT = {
    identifier: 'a',
    teamIdentifier: null as string | null,
    flags: 2,
    code: Buffer.alloc(4097),
    specialSlots: [null, Buffer.from('x')],
    execSegment: { base: 1n, limit: 2n, flags: 3n },
    runtimeVersion: 4,
  };

  it('leaves every field 0 that nobody uses, and writes the others where they belong', () => {
    const { length, ...fields } = CODE_DIRECTORY.decode(encodeCodeDirectory(INPUT));
    expect(length).toBe(96 + 2 + 4 * 32);
    expect(fields).toEqual({
      magic: 0xfade0c02, version: 0x20500, flags: 2, hashOffset: 96 + 2 + 64, identifierOffset: 96,
      specialSlotCount: 2, codeSlotCount: 2, codeLimit: 4097, hashSize: 32, hashType: 2, platform: 0, pageSizeLog2: 12,
      spare2: 0, scatterOffset: 0, teamOffset: 0, spare3: 0, codeLimit64: 0n, execSegmentBase: 1n, execSegmentLimit: 2n,
      execSegmentFlags: 3n, runtimeVersion: 4, preEncryptOffset: 0,
    }); // biome-ignore format: a table
    expect(CODE_DIRECTORY.decode(encodeCodeDirectory({ ...INPUT, teamIdentifier: 'T' })).teamOffset).toBe(98);
    const none = CODE_DIRECTORY.decode(encodeCodeDirectory({ ...INPUT, execSegment: null }));
    expect([none.execSegmentBase, none.execSegmentLimit, none.execSegmentFlags]).toEqual([0n, 0n, 0n]);
  });

  it('hashes what is there, and zeros for what is not', () => {
    const { specialSlots } = parseCodeDirectory(encodeCodeDirectory(INPUT));
    expect(specialSlots).toEqual([Buffer.alloc(32), createHash('sha256').update('x').digest()]);
  });

  it.each([0, 1, 4095, 4096, 4097, 8192, 8193])('has the size that was foretold, of %i bytes of code', (size) => {
    for (const teamIdentifier of [null, 'TEAM'])
      for (const identifier of ['a', 'grün']) {
        const input = { ...INPUT, identifier, teamIdentifier, code: Buffer.alloc(size) };
        expect(codeDirectorySize(input, size)).toBe(encodeCodeDirectory(input).length);
      }
  });
});
