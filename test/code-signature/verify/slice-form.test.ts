import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../../src/base/check.ts';
import { parseCodeDirectory } from '../../../src/code-signature/code-directory.ts';
import { type Blob, encodeBlob, encodeSuperBlob } from '../../../src/code-signature/super-blob.ts';
import type { CodeExpectations } from '../../../src/code-signature/verify/code-expectations.ts';
import { verifySlice } from '../../../src/code-signature/verify/verify-slice.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { sampleSlice } from '../sample.ts';
import { AD_HOC } from '../signers.ts';
import { AROUND, SIGNING, type SignedSlice, signedSlice } from './signed-slice.ts';

const OTHERS: CodeExpectations = { ...AD_HOC, ours: false };
const APPLE: CodeExpectations = { ...AD_HOC, appleMade: true };

let sample: SignedSlice;
beforeAll(async () => {
  sample = await signedSlice();
});

/** What is said under one id, as `status: reason`. */
const said = (id: string, slice: Buffer, expectations: CodeExpectations = AD_HOC): string[] =>
  verifySlice(slice, 'slice', AROUND, expectations)
    .checks.filter((check) => check.id === id)
    .map(told);
const told = ({ status, reason }: Pick<Check, 'status' | 'reason'>) =>
  reason === undefined ? status : `${status}: ${reason}`;

describe('where a signature lies', () => {
  // Fields of LC_CODE_SIGNATURE and LC_SEGMENT_64, mach-o/loader.h.
  const signature = (offset: number, size: number) => (slice: Buffer) => {
    slice.writeUInt32LE(sample.place.dataOffset + offset, sample.place.commandOffset + 8);
    slice.writeUInt32LE(sample.place.dataSize + size, sample.place.commandOffset + 12);
  };
  const segment = (name: string, offset: number, size: number) => (slice: Buffer) => {
    const { commandOffset, fileOffset, fileSize } = parseMacho(sample.data).segments.find((one) => one.name === name)!;
    slice.writeBigUInt64LE(BigInt(fileOffset + offset), commandOffset + 40);
    slice.writeBigUInt64LE(BigInt(fileSize + size), commandOffset + 48);
  };
  const OFFSET = 8448; // 8440 bytes of the sample, up to a multiple of 16

  it.each<[string, (slice: Buffer) => void, string]>([
    ['as it was made', () => undefined, 'pass'],
    ['a byte too far', signature(1, -1), `fail: the signature begins at ${OFFSET + 1}, no multiple of 16`],
    ['16 bytes further', signature(16, -16), 'pass'],
    ['8 bytes further', signature(8, -8), `fail: the signature begins at ${OFFSET + 8}, no multiple of 16`],
    ['a byte before the end', signature(0, -1), `fail: the signature ends at ${OFFSET + 0x7fff} of ${OFFSET + 0x8000}`],
    ['all of __LINKEDIT', segment('__LINKEDIT', 256, -256), 'pass'],
    ['before __LINKEDIT', segment('__LINKEDIT', 257, -257), 'fail: the signature begins before __LINKEDIT'],
    ['in a __LINKEDIT that ends early', segment('__LINKEDIT', 0, -1), `fail: __LINKEDIT ends at ${OFFSET + 0x7fff} of ${OFFSET + 0x8000}`],
    ['with a segment up to __LINKEDIT', segment('__TEXT', 0, 4096), 'pass'],
    ['with a segment into __LINKEDIT', segment('__TEXT', 0, 4097), 'fail: __LINKEDIT is not the last segment'],
    ['with the other segment into __LINKEDIT', segment('__DATA', 0, 1), 'fail: __LINKEDIT is not the last segment'],
  ])('is right or wrong: %s', (_, edit, words) => {
    for (const expectations of [AD_HOC, OTHERS]) expect(said('code-layout', sample.changed(edit), expectations)).toEqual([words]);
  }); // biome-ignore format: a table

  it('is asked where there is no __LINKEDIT, too', () => {
    const { commandOffset } = parseMacho(sample.data).segments.find(({ name }) => name === '__LINKEDIT')!;
    const other = sample.changed((slice) => void slice.write('__LINKEDIX', commandOffset + 8, 'latin1'));
    const words = 'fail: Mach-O, offset 0: expected one segment __LINKEDIT, found none';
    expect(said('code-layout', other, OTHERS)).toEqual([words]);
    expect(said('code-super-blob', other, OTHERS)).toEqual(['pass']);
  });
});

describe('a slice without a signature', () => {
  const x86 = () => sampleSlice('x86_64');
  const i386 = () => {
    const slice = x86();
    slice.writeUInt32LE(7, 4);
    return slice;
  };
  it.each<[string, () => Buffer, boolean | undefined, string]>([
    ['x86_64', x86, true, 'skipped: the slice is not signed, and Intel Macs run it all the same'],
    ['i386', i386, true, 'skipped: the slice is not signed, and Intel Macs run it all the same'],
    ['arm64', () => sampleSlice('arm64'), true, 'fail: the slice is not signed'],
    ['x86_64', x86, false, 'fail: the slice is not signed'],
    ['x86_64', x86, undefined, 'fail: the slice is not signed'],
  ])('of %s is told of', (_, slice, allowUnsigned, words) => {
    const expectations = { ...OTHERS, ...(allowUnsigned !== undefined && { allowUnsigned }) };
    const { checks, facts } = verifySlice(slice(), 'slice', AROUND, expectations);
    expect(facts).toBeNull();
    expect(checks.map((check) => `${check.id} ${told(check)}`)).toEqual([
      'code-macho pass',
      'code-bind-tables pass',
      `code-layout ${words}`,
      ...['code-directory', 'code-pages', 'code-slots', 'code-cms', 'code-designated-requirement'].map(
        (id) => `${id} skipped: the signature cannot be read`,
      ),
    ]);
  });

  it('or no Mach-O at all has no facts either', () => {
    const { checks, facts } = verifySlice(Buffer.alloc(64), 'slice', AROUND, OTHERS);
    expect([facts, checks.map(({ id, status }) => `${id} ${status}`)]).toEqual([null, ['code-macho fail']]);
  });
});

describe('the blobs of a signature', () => {
  const blob = (type: number, magic: number, size = 4): Blob => ({ type, data: encodeBlob(magic, Buffer.alloc(size)) });
  const [directory, requirements, cms] = [0, 1, 2].map((index) => () => sample.blobs[index] as Blob) as [
    () => Blob,
    () => Blob,
    () => Blob,
  ];
  const superBlob = (change: readonly Blob[], expectations = AD_HOC) =>
    said('code-super-blob', sample.withBlobs(change), expectations);

  it('are as codesign has them', () => {
    for (const expectations of [AD_HOC, OTHERS, APPLE]) expect(superBlob(sample.blobs, expectations)).toEqual(['pass']);
  });

  // CSSLOT_* and CSMAGIC_* of cs_blobs.h.
  it.each<[number, number]>([
    [5, 0xfade7171],
    [7, 0xfade7172],
    [8, 0xfade8181],
    [9, 0xfade8181],
    [10, 0xfade8181],
    [11, 0xfade8181],
    [0x1000, 0xfade0c02],
    [0x1001, 0xfade0c02],
    [0x1004, 0xfade0c02],
  ])('have in slot %i the magic %i and no other one', (slot, magic) => {
    const more = (found: number) => [directory(), requirements(), blob(slot, found), cms()];
    expect(superBlob(more(magic), OTHERS)).toEqual(['pass']);
    expect(superBlob(more(1), OTHERS)).toEqual([`fail: magic 0x1 in slot 0x${slot.toString(16)}`]);
    expect(superBlob(more(magic), APPLE)).toEqual(['pass']);
    expect(superBlob(more(magic))).toEqual(['fail: expected 3 blobs, found 4']);
  });

  it('have their magic in the slots that every signature has', () => {
    expect(superBlob([blob(0, 1), requirements(), cms()], OTHERS)).toEqual(['fail: magic 0x1 in slot 0x0']);
    expect(superBlob([directory(), blob(2, 1), cms()], OTHERS)).toEqual(['fail: magic 0x1 in slot 0x2']);
    expect(superBlob([directory(), requirements(), blob(0x10000, 1)], OTHERS)).toEqual([
      'fail: magic 0x1 in slot 0x10000',
    ]);
  });

  it.each([1, 3, 4, 6, 12, 0xfff, 0x1005, 0x10001])('of a type nobody knows (%i) are refused in ours, told of in others', (type) => {
    const name = `0x${type.toString(16)}`;
    const more = (found: Blob) => [directory(), requirements(), cms(), found].sort((a, b) => a.type - b.type);
    expect(superBlob(more(blob(type, 1)), APPLE)).toEqual([`fail: a blob of unknown type ${name}`]);
    expect(superBlob(more(blob(type, 1)), OTHERS)).toEqual([`pass: blob of type ${name} not checked: not supported`]);
    expect(superBlob(more(blob(type, 0xfade0b01)), OTHERS)).toEqual([
      `pass: second signature of type ${name} not checked: not supported`,
    ]);
  }); // biome-ignore format: a table

  it('are all there', () => {
    const missing = 'a CodeDirectory, a requirement set and a CMS are expected';
    expect(superBlob([requirements(), cms()], OTHERS)).toEqual(['fail: no CodeDirectory']);
    expect(superBlob([directory()], OTHERS)).toEqual(['pass']);
    expect(superBlob([directory(), cms()])).toEqual([`fail: expected 3 blobs, found 2; ${missing}`]);
    expect(superBlob([directory(), cms()], APPLE)).toEqual([`fail: ${missing}`]);
    expect(superBlob([directory(), requirements()], APPLE)).toEqual([`fail: ${missing}`]);
  });

  it('are packed where they are ours', () => {
    const other = [requirements(), directory(), cms()];
    expect(superBlob(other)).toEqual(['fail: the blobs are not packed as codesign packs them']);
    expect(superBlob(other, OTHERS)).toEqual(['pass']);
  });

  it('leave no byte behind or between them in ours; in others it is told of', () => {
    const { length } = encodeSuperBlob(0xfade0cc0, sample.blobs);
    const behind = sample.withBlobs(sample.blobs, Buffer.from([0, 7]));
    const words = `byte ${length + 1} after the SuperBlob is not zero`;
    expect(said('code-padding', behind)).toEqual([`fail: ${words}`]);
    expect(said('code-padding', behind, OTHERS)).toEqual([`pass: ${words}`]);
    expect(said('code-padding', sample.withBlobs(sample.blobs, Buffer.from([7])), OTHERS)).toEqual([
      `pass: byte ${length} after the SuperBlob is not zero`,
    ]);
    // The last blob a byte further: a gap in which that byte lies.
    const between = encodeSuperBlob(0xfade0cc0, sample.blobs);
    const at = between.readUInt32BE(12 + 2 * 8 + 4);
    const spread = Buffer.concat([between.subarray(0, at), Buffer.from([9]), between.subarray(at)]);
    spread.writeUInt32BE(spread.length, 4);
    spread.writeUInt32BE(at + 1, 12 + 2 * 8 + 4);
    const gap = sample.changed((slice) => void spread.copy(slice, sample.place.dataOffset));
    expect(said('code-padding', gap)).toEqual([`fail: byte ${at} between the blobs is not zero`]);
    expect(said('code-padding', gap, OTHERS)).toEqual([`pass: byte ${at} between the blobs is not zero`]);
    for (const expectations of [AD_HOC, OTHERS])
      expect(said('code-padding', sample.data, expectations)).toEqual(['pass']);
  });

  it('hold one code directory for each digest, of which the strongest counts', () => {
    const again = [directory(), requirements(), { type: 0x1000, data: directory().data }, cms()];
    expect(said('code-directory', sample.withBlobs(again), OTHERS)).toEqual([
      'fail: two code directories with sha256',
      'pass',
      'pass',
    ]);
    const both = [sha1Directory(), requirements(), { type: 0x1000, data: directory().data }, cms()];
    const { checks, facts } = verifySlice(sample.withBlobs(both), 'slice', AROUND, OTHERS);
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(facts).toMatchObject({ hashType: 2, cdHash: facts?.cdHashes[1] });
    expect(facts?.cdHashes).toHaveLength(2);
  });

  it('are read only where there is a SuperBlob', () => {
    const none = sample.changed((slice) => slice.writeUInt32BE(1, sample.place.dataOffset));
    expect(said('code-super-blob', none)).toEqual([expect.stringContaining('fail: SuperBlob, offset 0')]);
    expect(said('code-pages', none)).toEqual(['skipped: the signature cannot be read']);
    const broken = sample.withBlobs([{ type: 0, data: encodeBlob(0xfade0c02, Buffer.alloc(4)) }]);
    expect(said('code-directory', broken, OTHERS)).toEqual([
      expect.stringMatching(/^fail: CodeDirectory/),
      'skipped: the signature cannot be read',
    ]);
  });

  it('have pages and slots that are as they were, in every code directory', () => {
    const page = sample.changed((slice) => {
      slice[4096] = slice.readUInt8(4096) ^ 1;
    });
    expect(said('code-pages', page)).toEqual(['fail: page 1 changed, of 3']);
    const slots = verifySlice(sample.data, 'slice', { ...AROUND, infoPlist: Buffer.from('x') }, AD_HOC).checks;
    expect(slots.filter(({ status }) => status === 'fail').map(told)).toEqual(['fail: Info.plist changed since it was sealed']);
  }); // biome-ignore format: a table
});

/** The directory of the sample with SHA-1, put together from the other one: header, name, hashes. */
function sha1Directory(): Blob {
  const other = sample.blobs[0]!.data;
  const { codeLimit, specialSlots } = parseCodeDirectory(other);
  const first = other.readUInt32BE(16) - specialSlots.length * 32;
  const pages: Buffer[] = [];
  for (let at = 0; at < codeLimit; at += 4096) pages.push(sample.data.subarray(at, Math.min(at + 4096, codeLimit)));
  const hashed = [AROUND.codeResources, SIGNING.requirements, AROUND.infoPlist, ...pages];
  const data = Buffer.concat([
    other.subarray(0, first),
    ...hashed.map((content) => createHash('sha1').update(content).digest()),
  ]);
  data.writeUInt32BE(data.length, 4);
  data.writeUInt32BE(first + specialSlots.length * 20, 16);
  data.set([20, 1], 36);
  return { type: 0, data };
}
