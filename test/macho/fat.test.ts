import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { buildFat, parseFat } from '../../src/macho/fat.ts';
import { isUniversal } from '../../src/macho/first-bytes.ts';
import { FAT_ARCH, FAT_HEADER } from '../../src/macho/layout.ts';
import { sampleSlice } from '../code-signature/sample.ts';
import { check, firstOnPath } from '../support/needs.ts';

const slices = [sampleSlice('x86_64'), sampleSlice('arm64')];
const file = buildFat(slices);

/** Returns the file with one word of a slice's record changed. */
function withWord(
  slice: number,
  field: 'cpuType' | 'cpuSubtype' | 'offset' | 'size' | 'alignment',
  value: number,
): Buffer {
  const bad = Buffer.from(file);
  bad.writeUInt32BE(value, FAT_HEADER.size + slice * FAT_ARCH.size + FAT_ARCH.offsetOf(field));
  return bad;
}

describe('buildFat', () => {
  it('puts every slice at a multiple of 0x4000, as codesign does', () => {
    expect(parseFat(file).map(({ architecture, offset }) => [architecture, offset])).toEqual([
      ['x86_64', 0x4000],
      ['arm64', 0x8000],
    ]);
    expect(file.readUInt32BE(8 + 16)).toBe(14);
  });

  it('keeps every byte of every slice', () => {
    expect(parseFat(file).every(({ data }, index) => data.equals(slices[index]!))).toBe(true);
  });
});

describe('parseFat', () => {
  it.each([
    ['a wrong alignment', withWord(1, 'alignment', 16)],
    ['an alignment that the offset does not have', withWord(0, 'alignment', 15)],
    ['a gap of more than one unit of alignment', withWord(0, 'alignment', 12)],
    ['slices that overlap', withWord(1, 'offset', 0x4000)],
    ['a slice beyond the end', withWord(1, 'size', 0x100000)],
    ['a slice that ends early', withWord(1, 'size', 0xc000)],
    ['no bytes', withWord(0, 'size', 0)],
    ['another processor than the slice has', withWord(0, 'cpuType', 7)],
    ['another model than the slice has', withWord(1, 'cpuSubtype', 2)],
    ['the same processor twice', buildFat([slices[0]!, slices[0]!])],
    ['a byte in a gap', Buffer.from(file).fill(1, 0x3fff, 0x4000)],
    ['bytes after the last slice', Buffer.concat([file, Buffer.alloc(1)])],
    ['no slices', FAT_HEADER.encode({ magic: 0xcafebabe, count: 0 })],
  ])('refuses %s', (_, bad) => {
    expect(() => parseFat(bad)).toThrow(FormatError);
  });

  it('refuses every truncation', () => {
    for (let length = 0; length < file.length; length += length < 48 ? 1 : 997) {
      expect(() => parseFat(file.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });
});

describe('isUniversal', () => {
  it('tells a universal file from a Java class', () => {
    expect(isUniversal(file)).toBe(true);
    expect(isUniversal(Buffer.from('cafebabe00000034', 'hex'))).toBe(false);
  });

  it('takes no count of slices for a Java class where one of them is for a processor of macOS', () => {
    const records = Array.from({ length: 60 }, (_, index) =>
      FAT_ARCH.encode({
        cpuType: index === 41 ? 0x0100000c : 0x000a0700,
        cpuSubtype: 0,
        offset: 4096,
        size: 1,
        alignment: 0,
      }),
    );
    const many = Buffer.concat([FAT_HEADER.encode({ magic: 0xcafebabe, count: 60 }), ...records]);
    expect(isUniversal(many)).toBe(true);
    expect(isUniversal(many.subarray(0, 8 + 41 * 20))).toBe(false);
  });
});

const lipo = firstOnPath('llvm-lipo', 'llvm-lipo-19', 'llvm-lipo-14');
const note = lipo ? '' : ' (skipped: needs llvm-lipo)';
const folder = mkdtempSync(join(tmpdir(), 'fat-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a universal file of ours', () => {
  it.skipIf(!lipo)(`is listed by llvm-lipo${note}`, () => {
    const path = join(folder, 'program');
    writeFileSync(path, file);
    expect(
      check(lipo as string, ['-archs', path])
        .toString()
        .trim(),
    ).toBe('x86_64 arm64');
  });
});
