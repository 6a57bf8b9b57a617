import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/base/check.ts';
import { FLAG_ADHOC, FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import type { CodeExpectations } from '../../../src/code-signature/verify/code-expectations.ts';
import { checkProgram } from '../../../src/code-signature/verify/verify-program.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { sampleSlice } from '../sample.ts';
import { AD_HOC } from '../signers.ts';
import { AROUND, SIGNING } from './signed-slice.ts';

const OTHERS: CodeExpectations = { ...AD_HOC, ours: false };
const told = ({ id, status, reason, subject }: Check) => `${subject} ${id} ${status}${reason ? `: ${reason}` : ''}`;
const checksOf = (data: Buffer, expectations = OTHERS, around: typeof AROUND | null = AROUND) =>
  checkProgram(data, 'a', around, expectations).checks.map(told);

/** A header and no load commands: MH_MAGIC or MH_MAGIC_64, in either byte order. */
function header(magic: number, cpuType: number, fileType: number, order: 'LE' | 'BE' = 'LE'): Buffer {
  const data = Buffer.alloc(32);
  for (const [index, word] of [magic, cpuType, 3, fileType].entries()) data[`writeUInt32${order}`](word, index * 4);
  return data;
}
const [MAGIC, MAGIC_64, I386, X86_64, ARM64, POWERPC] = [0xfeedface, 0xfeedfacf, 7, 0x01000007, 0x0100000c, 18];

/** A universal file, slice after slice at the next 4096 bytes; `buildFat` takes the processor from a little-endian header. */
function fat(...slices: readonly Buffer[]): Buffer {
  const parts = slices.map((slice) => Buffer.concat([slice, Buffer.alloc(-slice.length & 4095)]));
  const head = Buffer.alloc(4096);
  for (const [index, word] of [0xcafebabe, slices.length].entries()) head.writeUInt32BE(word, index * 4);
  let offset = 4096;
  for (const [index, part] of parts.entries()) {
    const swapped = (slices[index] as Buffer).readUInt8(0) === 0xfe;
    const word = (at: number) => (swapped ? part.readUInt32BE(at) : part.readUInt32LE(at));
    for (const [field, value] of [word(4), word(8), offset, part.length, 12].entries())
      head.writeUInt32BE(value, 8 + index * 20 + field * 4);
    offset += part.length;
  }
  return Buffer.concat([head, ...parts]);
}

describe('code that macOS neither runs nor loads', () => {
  // MH_OBJECT, MH_CORE, MH_DSYM of mach-o/loader.h.
  it.each<[number, string]>([
    [1, 'object file'],
    [4, 'core dump'],
    [10, 'debugging symbols'],
  ])('of file type %i is a(n) %s, and is passed over', (type, name) => {
    const words = `a code-macho skipped: ${name}, which macOS neither runs nor loads`;
    const files = [
      header(MAGIC_64, X86_64, type),
      header(MAGIC, I386, type),
      header(MAGIC, POWERPC, type, 'BE'),
      fat(header(MAGIC_64, X86_64, type), header(MAGIC_64, ARM64, type)),
    ];
    for (const file of files) {
      expect(checksOf(file)).toEqual([words]);
      expect(checkProgram(file, 'a', null, OTHERS).slices).toEqual([]);
      expect(checksOf(file, AD_HOC)).not.toContain(words);
    }
  });

  it.each([2, 3, 5, 6, 8, 9, 11])('is not of file type %i', (type) => {
    expect(checksOf(header(MAGIC_64, X86_64, type))).toContain('a (x86_64) code-layout fail: the slice is not signed');
  });

  it.each([1, 3, 4, 27, 28, 31])('is not a slice of %i bytes, which fails by itself', (size) => {
    const data = Buffer.alloc(4096 + size);
    // Magic, one record: processor, its kind, offset, bytes, alignment.
    for (const [at, word] of [0xcafebabe, 1, ARM64, 0, 4096, size, 12].entries()) data.writeUInt32BE(word, at * 4);
    const failed = checksOf(data).filter((line) => line.includes(' fail: '));
    expect(failed.map((line) => line.split(' fail: ')[0])).toEqual(['a (arm64) code-macho']);
  });

  it('is not passed over beside a slice that is run', () => {
    const mixed = fat(header(MAGIC_64, X86_64, 1), header(MAGIC_64, ARM64, 2));
    expect(checksOf(mixed)).toContain('a (arm64) code-layout fail: the slice is not signed');
  });
});

describe('slices for Macs of old', () => {
  const POWER = 'code-macho skipped: PowerPC code is not supported, and no Mac since 2009 runs it';
  const OLD = 'code-macho skipped: 32-bit code without a signature, which no Mac since macOS 10.15 runs';
  const modern = header(MAGIC_64, ARM64, 2);

  it('for PowerPC are passed over, alone and beside others', () => {
    expect(checksOf(header(MAGIC, POWERPC, 2, 'BE'))).toContain(`a (ppc) ${POWER}`);
    expect(checksOf(header(MAGIC_64, 0x01000012, 2, 'BE'))).toContain(`a (ppc64) ${POWER}`);
    expect(checksOf(fat(header(MAGIC, POWERPC, 2, 'BE'), modern))).toEqual([
      'a code-universal pass',
      `a (ppc) ${POWER}`,
      expect.stringContaining('a (arm64) code-macho'),
      expect.anything(),
      expect.anything(),
      ...Array.from({ length: 5 }, () => expect.stringContaining('skipped: the signature cannot be read')),
      'a code-slices-agree pass',
    ]);
  });

  it('of 32 bits without a signature are passed over beside others alone', () => {
    const old = header(MAGIC, I386, 2);
    expect(checksOf(fat(old, modern))).toContain(`a (i386) ${OLD}`);
    expect(checksOf(old)).toContain('a (i386) code-layout fail: the slice is not signed');
    expect(checksOf(fat(old, header(MAGIC, 12, 2))).join()).not.toContain(OLD);
    expect(checksOf(fat(old, modern), AD_HOC).join()).not.toContain(OLD);
  });

  // A header of 32 bits has 28 bytes; mach-o/loader.h.
  it.each([27, 28, 29])('are told by a header that is whole, in a slice of %i bytes', (size) => {
    const beside = (slice: Buffer, cpuType: number) => {
      const records = [0xcafebabe, 2, ARM64, 3, 4096, 4096, 12, cpuType, 3, 8192, size, 12];
      const head = Buffer.alloc(4096);
      for (const [index, word] of records.entries()) head.writeUInt32BE(word, index * 4);
      return checksOf(Buffer.concat([head, modern, Buffer.alloc(4096 - modern.length), slice.subarray(0, size)])).join('\n');
    };
    const whole = size >= 28;
    expect(beside(header(MAGIC, I386, 2), I386).includes(OLD)).toBe(whole);
    expect(beside(header(MAGIC, POWERPC, 2, 'BE'), POWERPC).includes(POWER)).toBe(whole);
    const object = Buffer.alloc(4096 + size);
    for (const [index, word] of [0xcafebabe, 1, I386, 3, 4096, size, 12].entries()) object.writeUInt32BE(word, index * 4);
    header(MAGIC, I386, 1).copy(object, 4096, 0, size);
    expect(checksOf(object).join().includes('object file')).toBe(whole);
  }); // biome-ignore format: short

  it('of 32 bits with a signature are checked', () => {
    // LC_CODE_SIGNATURE of 16 bytes at the end of the slice; mach-o/loader.h.
    const old = Buffer.concat([header(MAGIC, I386, 2).subarray(0, 28), Buffer.alloc(16 + 20)]);
    old.writeUInt32LE(1, 16);
    old.writeUInt32LE(16, 20);
    for (const [index, word] of [0x1d, 16, 48, 16].entries()) old.writeUInt32LE(word, 28 + index * 4);
    const said = checksOf(fat(old, modern)).join('\n');
    expect(said).not.toContain(OLD);
    expect(said).toContain('a (i386) code-super-blob fail');
  });

  it('that cannot be read are told of, not passed over', () => {
    const broken = header(MAGIC_64, X86_64, 2);
    broken.writeUInt32LE(5000, 16);
    expect(checksOf(fat(broken, modern))).toContainEqual(expect.stringContaining('a (x86_64) code-macho fail'));
    expect(checksOf(header(MAGIC, POWERPC, 2, 'BE').subarray(0, 27))[0]).toContain('a code-universal fail');
  });
});

describe('the Info.plist of a program without a bundle', () => {
  /** The sample with its section __cstring under another name: two bytes at 1194. */
  const renamed = (segment: string, name: string) => {
    const slice = sampleSlice('x86_64');
    const at = slice.indexOf(Buffer.from('__cstring\0'));
    slice.fill(0, at, at + 32);
    slice.write(name, at, 'latin1');
    slice.write(segment, at + 16, 'latin1');
    return slice;
  };
  const slots = async (slice: Buffer, infoPlist: Buffer | null) => {
    const { data } = await signSlice(slice, { ...SIGNING, infoPlist, codeResources: null });
    return checksOf(data, OTHERS, null).filter((words) => words.includes('code-slots'));
  };

  it('lies in the section __TEXT,__info_plist', async () => {
    const slice = renamed('__TEXT', '__info_plist');
    const own = slice.subarray(1194, 1196);
    expect(await slots(slice, own)).toEqual(['a (x86_64) code-slots pass']);
    expect(await slots(slice, Buffer.from('x'))).toEqual([expect.stringContaining('Info.plist changed')]);
    expect(await slots(slice, null)).toEqual([expect.stringContaining('Info.plist is not sealed')]);
    for (const other of [renamed('__DATA', '__info_plist'), renamed('__TEXT', '__info_plists'), sampleSlice('x86_64')]) {
      expect(await slots(other, null)).toEqual(['a (x86_64) code-slots pass']);
      expect(await slots(other, own)).toEqual([expect.stringContaining('Info.plist is sealed, but is not there')]);
    }
  }); // biome-ignore format: a table
});

describe('the slices of one file', () => {
  const { infoPlist, requirements: _requirements, ...rest } = SIGNING;
  const same = { ...SIGNING, infoPlist, ...rest };
  const pair = async (first: Partial<SliceSigning>, second: Partial<SliceSigning>) => {
    const sign = async (architecture: 'x86_64' | 'arm64', change: Partial<SliceSigning>) =>
      (await signSlice(sampleSlice(architecture), { ...same, ...change })).data;
    return buildFat([await sign('x86_64', first), await sign('arm64', second)]);
  };
  const agree = (data: Buffer, expectations = AD_HOC) =>
    checksOf(data, expectations).filter((words) => words.includes('code-slices-agree'));
  const adHoc = FLAG_ADHOC | FLAG_RUNTIME;

  it.each<[string, Partial<SliceSigning>, string]>([
    ['name', { identifier: 'other' }, 'identifiers com.example.plug-in and other'],
    ['flags', { flags: adHoc | 0x200 }, 'flags 0x10002 and 0x10202'],
    ['Info.plist', { infoPlist: Buffer.from('x') }, 'the slices seal different Info.plists, requirements or resources'],
    ['seal', { codeResources: Buffer.from('x') }, 'the slices seal different Info.plists, requirements or resources'],
  ])('have one %s where they are ours; in others it is told of', async (_, second, words) => {
    const data = await pair({}, second);
    expect(agree(data)).toEqual([`a code-slices-agree fail: ${words}`]);
    expect(agree(data, OTHERS)).toEqual([`a code-slices-agree pass: ${words}`]);
  });

  it('have one signer and one team, whoever made them', async () => {
    const data = await pair({}, { teamIdentifier: 'TEAM' });
    for (const expectations of [AD_HOC, OTHERS])
      expect(agree(data, expectations)).toEqual(['a code-slices-agree fail: teams null and TEAM']);
    const withCms = { flags: FLAG_RUNTIME, cms: async () => Buffer.from('cms') };
    const two = await pair(withCms, withCms);
    const signers = ['one', 'two'];
    const verifyCms: CodeExpectations['verifyCms'] = () => ({
      checks: [], certificates: [], anchoredByApple: false, signerName: signers.shift() ?? null, teamIdentifier: null, signingTime: null, timestamp: null,
    }); // biome-ignore format: a table
    expect(agree(two, { ...OTHERS, verifyCms })).toEqual(['a code-slices-agree fail: signers one and two']);
    for (const expectations of [AD_HOC, OTHERS]) expect(agree(await pair({}, {}), expectations)).toEqual(['a code-slices-agree pass']);
  }); // biome-ignore format: a table

  it('are x86_64 and arm64 where they are ours, and lie where codesign puts them', async () => {
    const universal = (data: Buffer, expectations = AD_HOC) => checksOf(data, expectations)[0];
    const expected = 'a code-universal fail: expected one slice for x86_64, then one for arm64';
    const data = await pair({}, {});
    const [x86, arm] = [data.subarray(0x4000, 0x4000 + data.readUInt32BE(20)), data.subarray(data.readUInt32BE(36))] as [Buffer, Buffer];
    expect(universal(data)).toBe('a code-universal pass');
    for (const other of [x86, arm, buildFat([arm, x86]), buildFat([x86]), buildFat([x86, arm, header(MAGIC_64, ARM64, 2).fill(2, 8, 9)])]) {
      expect(universal(other)).toBe(expected);
      expect(universal(other, OTHERS)).toBe('a code-universal pass');
    }
    const closer = fat(x86, arm);
    for (const slice of [0, 1]) expect(parseMacho([x86, arm][slice] as Buffer).architecture).toBe(['x86_64', 'arm64'][slice]);
    expect(universal(closer)).toBe('a code-universal fail: the slices do not lie where codesign puts them');
    expect(universal(closer, { ...AD_HOC, appleMade: true })).toBe('a code-universal pass');
    expect(universal(closer, OTHERS)).toBe('a code-universal pass');
  }); // biome-ignore format: a table
});
