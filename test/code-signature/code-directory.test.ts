import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import {
  bestCodeDirectory,
  CODE_DIRECTORY,
  type CodeDirectoryInput,
  codeDirectorySize,
  encodeCodeDirectory,
  FLAG_RUNTIME,
  parseCodeDirectory,
} from '../../src/code-signature/code-directory.ts';
import { developerIdRequirement } from '../../src/code-signature/requirement/requirement.ts';
import { encodeRequirementSet } from '../../src/code-signature/requirement/requirement-set.ts';

/** A directory whose digest a throw-away signer in another language had: computed apart from this code. */
const VECTOR: CodeDirectoryInput = {
  identifier: 'com.netflix.Escrow-Buddy',
  teamIdentifier: 'ABCDE12345',
  flags: FLAG_RUNTIME,
  code: Buffer.from(Array.from({ length: 4196 }, (_, index) => index & 255)),
  specialSlots: [
    Buffer.from('INFO'),
    encodeRequirementSet(developerIdRequirement('com.netflix.Escrow-Buddy', 'ABCDE12345')),
    Buffer.from('RES'),
  ],
  execSegment: { base: 0n, limit: 0x4000n, flags: 0n },
  runtimeVersion: 0x000e0400,
};

describe('encodeCodeDirectory', () => {
  const data = encodeCodeDirectory(VECTOR);

  it('makes the bytes that another implementation made', () => {
    expect(data).toHaveLength(292);
    expect(CODE_DIRECTORY.decode(data).hashOffset).toBe(228);
    expect(createHash('sha256').update(data).digest('hex')).toBe(
      'd46ed159e9b1ec3ef31d6c6bf789c17a8ecd4a9788efc05151165cb698ef7b9a',
    );
  });

  it('puts each hash where its slot is', () => {
    const { specialSlots, codeHashes } = parseCodeDirectory(data);
    const codeSlots = [codeHashes.subarray(0, 32), codeHashes.subarray(32)];
    const start = (hash: Buffer) => hash.toString('hex', 0, 8);
    expect(specialSlots.map(start)).toEqual(['cda14d0b2d954643', '9dafe196b2e73c62', '25bb6d457cbf1961']);
    expect(codeSlots.map(start)).toEqual(['c8f5d0341d54d951', 'bce0aff19cf5aa6a']);
  });

  it('takes the lowest version that holds what is given', () => {
    const version = (change: Partial<CodeDirectoryInput>) =>
      parseCodeDirectory(encodeCodeDirectory({ ...VECTOR, runtimeVersion: 0, ...change })).version;
    expect(version({ runtimeVersion: 1 })).toBe(0x20500);
    expect(version({})).toBe(0x20400);
    expect(version({ execSegment: null })).toBe(0x20200);
    expect(version({ execSegment: null, teamIdentifier: null })).toBe(0x20100);
  });

  it('has the size that was foretold, and reads back as what it was made of', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9.-]{1,40}$/);
    const inputs = fc.record({
      identifier: word,
      teamIdentifier: fc.option(word),
      flags: fc.integer({ min: 0, max: 0xffffffff }),
      size: fc.integer({ min: 0, max: 20000 }),
      runtimeVersion: fc.integer({ min: 0, max: 0xffffff }),
      specialSlots: fc.array(fc.option(fc.uint8Array({ maxLength: 9 }).map((bytes) => Buffer.from(bytes))), {
        maxLength: 7,
      }),
    });
    fc.assert(
      fc.property(inputs, ({ size, ...rest }) => {
        const input = { ...rest, code: Buffer.alloc(size, 7), execSegment: null };
        const encoded = encodeCodeDirectory(input);
        expect(encoded).toHaveLength(codeDirectorySize(input, size));
        const { identifier, teamIdentifier, flags, codeLimit, codeHashes, specialSlots } = parseCodeDirectory(encoded);
        expect({ identifier, flags, codeLimit }).toEqual({
          identifier: rest.identifier,
          flags: rest.flags,
          codeLimit: size,
        });
        expect(teamIdentifier).toBe(rest.teamIdentifier);
        expect(codeHashes).toHaveLength(32 * Math.ceil(size / 4096));
        expect(specialSlots).toHaveLength(rest.specialSlots.length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('parseCodeDirectory', () => {
  const data = encodeCodeDirectory(VECTOR);

  it('refuses every truncation', () => {
    for (let length = 0; length < data.length; length++) {
      expect(() => parseCodeDirectory(data.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  it.each([
    ['magic', 0],
    ['length', 4],
    ['version', 8],
    ['hashOffset', 16],
    ['identifierOffset', 20],
    ['codeSlotCount', 28],
    ['codeLimit', 32],
    ['hashSize', 36],
    ['hashType', 37],
    ['pageSizeLog2', 39],
    ['scatterOffset', 44],
    ['teamOffset', 48],
    ['codeLimit64', 56],
  ] as const)('refuses a wrong %s', (field, offset) => {
    const bad = Buffer.from(data);
    bad[offset] = bad[offset]! ^ 0x40;
    expect(CODE_DIRECTORY.offsetOf(field)).toBe(offset);
    expect(() => parseCodeDirectory(bad)).toThrow(FormatError);
  });

  it.each([
    ['spare2', 40],
    ['spare3', 52],
    ['preEncryptOffset', 92],
  ] as const)('tells from codesign’s form a %s that is not zero', (_, offset) => {
    const other = Buffer.from(data);
    other[offset] = 1;
    expect(parseCodeDirectory(data).packed).toBe(true);
    expect(parseCodeDirectory(other).packed).toBe(false);
  });

  it('reads the padding before the hashes that LLVM’s linker writes, and hashes that do not end the blob', () => {
    const { hashOffset, specialSlotCount } = CODE_DIRECTORY.decode(data);
    const strings = hashOffset - specialSlotCount * 32;
    const padded = Buffer.concat([data.subarray(0, strings), Buffer.alloc(5), data.subarray(strings), Buffer.alloc(3)]);
    padded.writeUInt32BE(padded.length, 4);
    padded.writeUInt32BE(hashOffset + 5, 16);
    const found = parseCodeDirectory(padded);
    const { identifier, codeHashes, specialSlots } = parseCodeDirectory(data);
    expect(found).toMatchObject({ identifier, codeHashes, specialSlots, packed: false });
  });

  it('takes the wider limit where there is one', () => {
    const wide = Buffer.from(data);
    wide.writeUInt32BE(0, 32);
    wide.writeBigUInt64BE(BigInt(parseCodeDirectory(data).codeLimit), 56);
    expect(parseCodeDirectory(wide)).toMatchObject({ codeLimit: parseCodeDirectory(data).codeLimit, packed: false });
  });

  it('names the field and where it lies', () => {
    const bad = Buffer.from(data);
    bad.writeUInt32BE(3, 28);
    expect(() => parseCodeDirectory(bad)).toThrow('CodeDirectory, offset 28: codeSlotCount: 3, expected 2');
  });

  it('never takes millions of slots on trust', () => {
    const bad = Buffer.from(data);
    bad.writeUInt32BE(0xffffffff, CODE_DIRECTORY.offsetOf('specialSlotCount'));
    expect(() => parseCodeDirectory(bad)).toThrow(FormatError);
  });
});

describe('bestCodeDirectory', () => {
  it('prefers SHA-384, then SHA-256, then the shortened one, then SHA-1', () => {
    const order = [1, 3, 2, 4].map((hashType) => ({ hashType }));
    expect(order.map((_, index) => bestCodeDirectory(order.slice(0, index + 1))?.hashType)).toEqual([1, 3, 2, 4]);
  });
});
