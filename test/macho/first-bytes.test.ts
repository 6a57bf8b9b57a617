import { describe, expect, it } from 'vitest';
import { MACHO_HEAD_SIZE, machoSlices } from '../../src/macho/first-bytes.ts';

const X86_64 = 0x01000007;
const ARM64 = 0x0100000c;

function fat(
  slices: readonly (readonly [cpuType: number, cpuSubtype: number, offset: number, size: number])[],
): Buffer {
  const words = [0xcafebabe, slices.length, ...slices.flatMap((slice) => [...slice, 14])];
  return be(words);
}

function be(words: readonly number[]): Buffer {
  const data = Buffer.alloc(MACHO_HEAD_SIZE);
  for (const [index, word] of words.entries()) data.writeUInt32BE(word, index * 4);
  return data;
}

function le(words: readonly number[]): Buffer {
  const data = Buffer.alloc(MACHO_HEAD_SIZE);
  for (const [index, word] of words.entries()) data.writeUInt32LE(word, index * 4);
  return data;
}

describe('machoSlices', () => {
  it('takes a fat header', () => {
    const { kind, slices } = machoSlices(
      fat([
        [X86_64, 3, 0x4000, 100],
        [ARM64, 0x80000002, 0x8000, 200],
      ]),
      0x8000 + 200,
    );
    expect(kind).toBe('fat');
    expect(slices).toEqual([
      { cpuType: X86_64, cpuSubtype: 3, offset: 0x4000, size: 100 },
      { cpuType: ARM64, cpuSubtype: 0x80000002, offset: 0x8000, size: 200 },
    ]);
  });

  it.each([
    ['64 bits, little-endian', le([0xfeedfacf, ARM64, 0])],
    ['32 bits, little-endian', le([0xfeedface, ARM64, 0])],
    ['64 bits, big-endian', be([0xfeedfacf, ARM64, 0])],
    ['32 bits, big-endian', be([0xfeedface, ARM64, 0])],
  ])('takes a thin file of %s', (_, head) => {
    expect(machoSlices(head, 5000)).toEqual({
      kind: 'thin',
      slices: [{ cpuType: ARM64, cpuSubtype: 0, offset: 0, size: 5000 }],
    });
  });

  it.each([
    ['text', Buffer.from('#!/bin/sh\n'.repeat(40))],
    ['nothing', Buffer.alloc(0)],
    ['a header cut short', le([0xfeedfacf, ARM64, 0]).subarray(0, 27)],
    ['a Java class of version 52', be([0xcafebabe, 52, 0x001d0a00])],
    ['a fat header without slices', fat([])],
    ['a slice past the end of the file', fat([[X86_64, 3, 0x4000, 0x6000]])],
    ['a slice over the header', fat([[X86_64, 3, 8, 100]])],
    [
      'slices over each other',
      fat([
        [X86_64, 3, 0x1000, 0x1001],
        [ARM64, 0, 0x2000, 16],
      ]),
    ],
    ['an empty slice', fat([[X86_64, 3, 0x1000, 0]])],
    [
      'a table that is cut short',
      fat([
        [X86_64, 3, 0x1000, 16],
        [ARM64, 0, 0x2000, 16],
      ]).subarray(0, 40),
    ],
    ['a 64-bit fat header', be([0xcafebabf, 1, X86_64, 3, 0, 0x4000, 0, 16])],
  ])('takes %s for no Mach-O', (_, head) => {
    expect(machoSlices(head, 0x9000)).toEqual({ kind: 'none', slices: [] });
  });
});
