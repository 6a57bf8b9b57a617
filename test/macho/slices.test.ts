import { describe, expect, it } from 'vitest';
import { buildFat, parseFat, slicesOf } from '../../src/macho/fat.ts';
import { isCode, isThin, isUniversal, MACHO_HEAD_SIZE, machoSlices } from '../../src/macho/first-bytes.ts';
import { firstSectionOffset, type Macho, parseMacho, segmentNamed } from '../../src/macho/macho.ts';

const words = (...values: readonly number[]) => Buffer.concat(values.map((value) => word(value)));
const word = (value: number, order: 'LE' | 'BE' = 'LE') => {
  const data = Buffer.alloc(4);
  data[`writeUInt32${order}`](value);
  return data;
};
const big = (...values: readonly number[]) => Buffer.concat(values.map((value) => word(value, 'BE')));
const name = (text: string) => Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(16)]).subarray(0, 16);
const [MAGIC, MAGIC_64, X86_64, ARM64] = [0xfeedface, 0xfeedfacf, 0x01000007, 0x0100000c];
const said = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
};

/** A file of load commands, 64 bits or 32, and some bytes behind them; mach-o/loader.h. */
function macho(bits: 32 | 64, commands: readonly Buffer[], behind = 64, change: { count?: number; size?: number } = {}): Buffer {
  const size = commands.reduce((sum, { length }) => sum + length, 0);
  const header = words(bits === 64 ? MAGIC_64 : MAGIC, X86_64, 3, 6, change.count ?? commands.length, change.size ?? size, 0, ...(bits === 64 ? [0] : []));
  return Buffer.concat([header, ...commands, Buffer.alloc(behind)]);
} // biome-ignore format: short
const wide = (value: number) => [value, 0];
interface SegmentParts {
  readonly file?: readonly [offset: number, size: number];
  readonly sections?: readonly { readonly offset: number; readonly size: number; readonly flags?: number }[];
  readonly extra?: number;
  readonly called?: string;
}
function segment(bits: 32 | 64, { file = [0, 0], sections = [], extra = 0, called = '__TEXT' }: SegmentParts = {}): Buffer {
  const size = (bits === 64 ? 72 + 80 * sections.length : 56 + 68 * sections.length) + extra;
  const number = (value: number) => (bits === 64 ? wide(value) : [value]);
  const own = sections.map(({ offset, size: bytes, flags = 0 }) =>
    Buffer.concat([name('__s'), name(called), words(...number(0x1000), ...number(bytes), offset, 0, 0, 0, flags, 0, 0, ...(bits === 64 ? [0] : []))]),
  );
  return Buffer.concat([words(bits === 64 ? 0x19 : 0x1, size), name(called), words(...number(0x1000), ...number(0x2000), ...number(file[0]), ...number(file[1]), 7, 5, sections.length, 0), ...own, Buffer.alloc(extra)]);
} // biome-ignore format: short

describe.each([64, 32] as const)('parseMacho of %i bits', (bits) => {
  const headerSize = bits === 64 ? 32 : 28;
  const step = bits / 8;
  const command = (size: number, stated = size) =>
    Buffer.concat([words(0x2a, stated), Buffer.alloc(Math.max(0, size - 8))]);

  it('gives segments and sections as they stand there', () => {
    const section = { offset: 10, size: 4 };
    const data = macho(bits, [segment(bits, { file: [5, 20], sections: [section, { offset: 9, size: 8, flags: 1 }] }), segment(bits, { called: '0123456789abcdef' })], 400);
    const found = parseMacho(data);
    expect(found).toMatchObject({ bits, cpuType: X86_64, cpuSubtype: 3, architecture: 'x86_64', fileType: 6, codeSignature: null, version: null, uuid: null, dylibs: [] });
    expect(found.commandsEnd).toBe(data.length - 400);
    expect(found.segments).toEqual([
      { name: '__TEXT', commandOffset: headerSize, fileOffset: 5, fileSize: 20, vmAddress: 0x1000n, vmSize: 0x2000n, sections: [{ name: '__s', segmentName: '__TEXT', fileOffset: 10, size: 4 }, { name: '__s', segmentName: '__TEXT', fileOffset: 0, size: 8 }] },
      { name: '0123456789abcdef', commandOffset: expect.any(Number), fileOffset: 0, fileSize: 0, vmAddress: 0x1000n, vmSize: 0x2000n, sections: [] },
    ]);
    expect(parseMacho(macho(bits, [segment(bits === 64 ? 32 : 64)])).segments).toEqual([]);
  }); // biome-ignore format: a table

  it.each<[string, () => Buffer, RegExp | null]>([
    ['a command of 8 bytes', () => macho(bits, [command(8)]), null],
    ['a command of 0 bytes', () => macho(bits, [command(8, 0)]), /LoadCommand, offset \d+: command 0 has size 0/],
    ['a command of no whole step', () => macho(bits, [command(step * 4, step * 4 - 2), Buffer.alloc(0)]), /command 0 has size/],
    ['a command beyond the others', () => macho(bits, [command(16, 16 + step)]), /command 0 has size/],
    ['a command fewer', () => macho(bits, [command(8), command(8)], 64, { count: 1 }), /load commands end at \d+, the header says/],
    ['a command more', () => macho(bits, [command(8)], 64, { count: 2 }), /no room for command 1/],
    ['half a command', () => macho(bits, [command(8), Buffer.alloc(step)], 64, { count: 2 }), bits === 64 ? /command 1 has size 0/ : /no room for command 1/],
    ['4,096 commands', () => macho(bits, Array(4096).fill(command(8))), null],
    ['4,097 commands', () => macho(bits, Array(4097).fill(command(8))), /4097 load commands, more than 4096/],
    ['commands up to the end', () => macho(bits, [command(8)], 0), null],
    ['commands beyond the end', () => macho(bits, [command(8)], 0).subarray(0, -1), /load commands end at \d+ of/],
    ['4 MiB of commands', () => macho(bits, [command(4 * 1024 * 1024)]), null],
    ['more than 4 MiB of commands', () => macho(bits, [command(4 * 1024 * 1024 + 8)]), /load commands/],
    ['a segment of fewer bytes than its fields', () => macho(bits, [Buffer.concat([words(bits === 64 ? 0x19 : 0x1, bits === 64 ? 64 : 48), Buffer.alloc(bits === 64 ? 56 : 40)])]), bits === 64 ? /expected command size 72, found 64/ : /expected command size 56, found 48/],
    ['a segment up to the end', () => macho(bits, [segment(bits, { file: [0, headerSize + (bits === 64 ? 72 : 56) + 64] })]), null],
    ['a segment beyond the end', () => macho(bits, [segment(bits, { file: [1, headerSize + (bits === 64 ? 72 : 56) + 64] })]), /segment ends at/],
    ['a segment with bytes behind its sections', () => macho(bits, [segment(bits, { extra: 8 })]), /0 sections do not fill/],
    ['a section up to the end', () => macho(bits, [segment(bits, { sections: [{ offset: 4, size: headerSize + (bits === 64 ? 152 : 124) + 60 }] })]), null],
    ['a section beyond the end', () => macho(bits, [segment(bits, { sections: [{ offset: 5, size: headerSize + (bits === 64 ? 152 : 124) + 60 }] })]), /section ends at/],
    ['an empty section anywhere', () => macho(bits, [segment(bits, { sections: [{ offset: 0xffffff, size: 0 }] })]), null],
    ['a section of zeros anywhere', () => macho(bits, [segment(bits, { sections: [{ offset: 0xffffff, size: 5, flags: 0x80000012 }] })]), null],
    ['a section of another type anywhere', () => macho(bits, [segment(bits, { sections: [{ offset: 0xffffff, size: 5, flags: 0x13 }] })]), /section ends at/],
    ['a signature up to the end', () => macho(bits, [words(0x1d, 16, 8, headerSize + 16 + 56)]), null],
    ['a signature beyond the end', () => macho(bits, [words(0x1d, 16, 9, headerSize + 16 + 56)]), /signature ends at/],
    ['two signatures', () => macho(bits, [words(0x1d, 16, 0, 0), words(0x1d, 16, 0, 0)]), /a second LC_CODE_SIGNATURE/],
    ['a longer signature', () => macho(bits, [words(0x1d, 24, 0, 0, 0, 0)]), /expected command size 16, found 24/],
    ['two UUIDs', () => macho(bits, Array(2).fill(words(0x1b, 24, 0, 0, 0, 0))), /a second LC_UUID/],
    ['two least versions', () => macho(bits, Array(2).fill(words(0x24, 16, 0, 0))), /a second LC_VERSION_MIN_MACOSX/],
    ['a longer least version', () => macho(bits, [words(0x24, 24, 0, 0, 0, 0)]), /expected command size 16, found 24/],
    ['a header that is cut off', () => macho(bits, [], 0).subarray(0, headerSize - 1), /./],
    ['a header and nothing else', () => macho(bits, [], 0), null],
  ])('with %s', (_, file, words) => {
    const outcome = said(() => parseMacho(file()));
    if (words === null) expect(outcome).toBeTypeOf('object');
    else expect(outcome).toMatch(words);
  }); // biome-ignore format: a table

  it('reads UUID, versions, signature and libraries', () => {
    const library = (at: number, text: string) => Buffer.concat([words(0xc, 40, at, 0, 0, 0), Buffer.from(text, 'latin1')]);
    const found = parseMacho(macho(bits, [words(0x1b, 24, 1, 2, 3, 4), words(0x24, 16, 0x000a0e00, 0x000b0000), words(0x1d, 16, 30, 2), library(24, 'first\0'.padEnd(16, 'x')), library(39, `${'y'.repeat(15)}\0`)]));
    expect(found).toMatchObject({ uuid: '01000000020000000300000004000000', version: { platform: 1, minimumOs: 0x000a0e00, sdk: 0x000b0000 }, codeSignature: { dataOffset: 30, dataSize: 2 }, dylibs: ['first', ''] });
    const bad = (at: number, text: string) => said(() => parseMacho(macho(bits, [library(at, text)])));
    expect([bad(23, 'a\0'.padEnd(16, 'x')), bad(40, 'a\0'.padEnd(16, 'x'))]).toEqual([expect.stringContaining('name at 23 of a command of 40 bytes'), expect.stringContaining('name at 40 of a command of 40 bytes')]);
    expect(bad(24, 'x'.repeat(16))).toContain('name without a terminator');
  }); // biome-ignore format: a table
});

describe('what is no little-endian Mach-O', () => {
  it('is named', () => {
    const of = (data: Buffer) => said(() => parseMacho(data));
    expect(of(Buffer.concat([big(MAGIC, 18, 0, 2, 0, 0, 0), Buffer.alloc(8)]))).toContain(
      'code for ppc is not supported',
    );
    expect(of(Buffer.concat([big(MAGIC_64, 0x01000012, 0, 2, 0, 0, 0), Buffer.alloc(8)]))).toContain(
      'code for ppc64 is not supported',
    );
    expect(of(Buffer.alloc(40))).toContain('expected magic 0xfeedfacf, found 0x0');
    expect(of(words(MAGIC_64, 0, 0, 0, 0, 0, 0))).toContain('expected magic 0xfeedfacf');
  });
});

describe('segments and sections', () => {
  const section = (fileOffset: number, size: number) => ({ name: '', segmentName: '', fileOffset, size });
  const of = (...sections: ReturnType<typeof section>[]) => ({ segments: [{ name: 'a', sections }, { name: 'b', sections: [] }, { name: 'b', sections: [] }] }) as unknown as Macho; // biome-ignore format: short

  it('are found by name, when there is one', () => {
    expect(segmentNamed(of(), 'a').name).toBe('a');
    expect([said(() => segmentNamed(of(), 'b')), said(() => segmentNamed(of(), 'c'))]).toEqual([expect.stringContaining('found several'), expect.stringContaining('found none')]);
  }); // biome-ignore format: a table

  it('begin with the first that has bytes in the file', () => {
    expect(firstSectionOffset(of(section(9, 1), section(5, 1), section(7, 1)), 100)).toBe(5);
    expect([firstSectionOffset(of(), 100), firstSectionOffset(of(section(0, 5), section(3, 0)), 100), firstSectionOffset(of(section(1, 1)), 100)]).toEqual([100, 100, 1]);
  }); // biome-ignore format: a table
});

describe('universal files', () => {
  const thin = (cpuType: number, cpuSubtype = 0, size = 64) =>
    Buffer.concat([words(MAGIC_64, cpuType, cpuSubtype, 6, 0, 0, 0, 0), Buffer.alloc(size - 32)]);
  /** Records and slices where they say; mach-o/fat.h. */
  const fat = (records: readonly (readonly [cpuType: number, cpuSubtype: number, offset: number, data: Buffer, alignment: number])[], end?: number) => {
    const file = Buffer.alloc(end ?? Math.max(...records.map(([, , offset, data]) => offset + data.length)));
    for (const [, , offset, data] of records) data.copy(file, offset);
    big(0xcafebabe, records.length, ...records.flatMap(([type, subtype, offset, data, alignment]) => [type, subtype, offset, data.length, alignment])).copy(file);
    return file;
  }; // biome-ignore format: short
  const outcome = (file: Buffer) => {
    const found = said(() => parseFat(file));
    return typeof found === 'string' ? found : (found as unknown[]).length;
  };
  const x86 = thin(X86_64, 3);

  it.each<[string, () => Buffer, number | RegExp]>([
    ['a slice at once', () => fat([[X86_64, 3, 28, x86, 2]]), 1],
    ['a slice at no multiple', () => fat([[X86_64, 3, 28, x86, 3]]), /FatArch, offset 24: offset 28 with alignment 2\^3/],
    ['an alignment of 2^15', () => fat([[X86_64, 3, 0x8000, x86, 15]]), 1],
    ['an alignment of 2^16', () => fat([[X86_64, 3, 0x10000, x86, 16]]), /alignment 2\^16/],
    ['a slice over the records', () => fat([[X86_64, 3, 24, x86, 2]]), /FatArch, offset 16: slice at 24 of 64 bytes, 28 of/],
    ['a gap of one less than the alignment', () => fat([[X86_64, 3, 32, x86, 3]]), 1],
    ['a gap as large as the alignment', () => fat([[X86_64, 3, 32, x86, 2]]), /4 unused bytes before a slice/],
    ['a byte behind', () => fat([[X86_64, 3, 28, x86, 2]], 93), /1 bytes after the last slice/],
    ['a slice beyond', () => fat([[X86_64, 3, 28, x86, 2]]).subarray(0, -1), /slice at 28 of 64 bytes/],
    ['two slices in another order', () => fat([[ARM64, 0, 112, thin(ARM64), 4], [X86_64, 3, 48, x86, 4]]), 2],
    ['two models of one processor', () => fat([[ARM64, 0, 48, thin(ARM64), 4], [ARM64, 2, 112, thin(ARM64, 2), 4]]), 2],
    ['two of one model with other capabilities', () => fat([[ARM64, 2, 48, thin(ARM64, 2), 4], [ARM64, 0x80000002, 112, thin(ARM64, 0x80000002), 4]]), /two slices for the same processor/],
    ['another model than its slice', () => fat([[X86_64, 4, 28, x86, 2]]), /the record's processor is not that of its slice \(x86_64\)/],
    ['a slice too short for a header', () => fat([[X86_64, 4, 28, Buffer.alloc(27), 2]]), 1],
    ['a slice that is no Mach-O', () => fat([[X86_64, 4, 28, Buffer.alloc(40), 2]]), 1],
    ['a slice in the other byte order', () => fat([[18, 0, 28, Buffer.concat([big(MAGIC, 18, 0), Buffer.alloc(40)]), 2]]), 1],
    ['another processor in the other byte order', () => fat([[18, 1, 28, Buffer.concat([big(MAGIC, 18, 0), Buffer.alloc(40)]), 2]]), /not that of its slice \(ppc\)/],
    ['no slices', () => big(0xcafebabe, 0), /expected 1 to 204 slices, found 0/],
    ['204 slices without records', () => big(0xcafebabe, 204), /^(?!.*expected 1 to)/],
    ['205 slices', () => big(0xcafebabe, 205), /expected 1 to 204 slices, found 205/],
    ['another magic', () => big(0xcafebabd, 1), /expected magic 0xcafebabe, found 0xcafebabd/],
    ['offsets of 64 bits', () => Buffer.concat([big(0xcafebabf, 1, X86_64, 3, 0, 40, 0, 64, 3, 0), x86]), 1],
    ['offsets of 64 bits beyond 4 GiB', () => Buffer.concat([big(0xcafebabf, 1, X86_64, 3, 1, 40, 0, 64, 3, 0), x86]), /slice at 4294967336 of 64 bytes, 40 of/],
  ])('with %s', (_, file, expected) => {
    if (typeof expected === 'number') expect(outcome(file())).toBe(expected);
    else expect(outcome(file())).toMatch(expected);
  }); // biome-ignore format: a table

  it('hold thin files, as a thin file holds itself', () => {
    const arm = thin(ARM64);
    expect(slicesOf(buildFat([x86, arm]))).toEqual([x86, arm]);
    expect(slicesOf(x86)).toEqual([x86]);
    expect(buildFat([x86]).subarray(0, 28)).toEqual(big(0xcafebabe, 1, X86_64, 3, 0x4000, 64, 14));
    const [first] = parseFat(buildFat([x86]));
    expect(first).toEqual({ cpuType: X86_64, cpuSubtype: 3, architecture: 'x86_64', offset: 0x4000, data: x86 });
    const exact = thin(X86_64, 3, 0x4000);
    expect(parseFat(buildFat([exact, arm])).map(({ offset }) => offset)).toEqual([0x4000, 0x8000]);
  });
});

describe('the first bytes of a file', () => {
  const java = (count: number, record = big(18, 0, 0x2000, 1, 0)) =>
    Buffer.concat([big(0xcafebabe, count), ...Array(Math.min(count, 210)).fill(record)]);

  it('tell a thin file from others', () => {
    const thin = (data: Buffer) => [isThin(data), isCode(data), machoSlices(data, 99).kind];
    for (const magic of [MAGIC, MAGIC_64]) for (const bytes of [words(magic), big(magic)]) {
      expect(thin(Buffer.concat([bytes, Buffer.alloc(24)]))).toEqual([true, true, 'thin']);
      expect(thin(Buffer.concat([bytes, Buffer.alloc(23)]))).toEqual([false, false, 'none']);
    }
    expect(thin(Buffer.concat([words(0xfeedfacd), Buffer.alloc(24)]))).toEqual([false, false, 'none']);
  }); // biome-ignore format: a table

  it('tell a universal file from a Java class', () => {
    expect([isUniversal(big(0xcafebabe, 44)), isUniversal(big(0xcafebabe, 45)), isUniversal(big(0xcafebabf, 99))]).toEqual([true, false, true]);
    expect([isUniversal(big(0xcafebabe, 44).subarray(0, 7)), isUniversal(big(0xcafebabd, 1))]).toEqual([false, false]);
    // One record with a processor of macOS, a usual model, bytes behind the records.
    const of = (...record: readonly [number, number, number, number]) => isUniversal(java(45, big(...record, 0)));
    expect(of(18, 0, 0x2000, 1)).toBe(true);
    expect([of(19, 0, 0x2000, 1), of(18, 255, 0x2000, 1), of(18, 256, 0x2000, 1), of(18, 0x80000000, 0x2000, 1), of(18, 0, 0x2000, 0)]).toEqual([false, true, false, true, false]);
    expect([of(18, 0, 8 + 45 * 20, 1), of(18, 0, 8 + 45 * 20 - 1, 1)]).toEqual([true, false]);
    const last = Buffer.concat([big(0xcafebabe, 300), Buffer.alloc(203 * 20), big(18, 0, 0x9000, 1, 0)]);
    expect([isUniversal(last), isUniversal(last.subarray(0, -1)), last.length]).toEqual([true, false, MACHO_HEAD_SIZE]);
  }); // biome-ignore format: a table

  it('give the slices of a universal file, or none where they cannot be true', () => {
    const kind = (records: readonly (readonly number[])[], size: number) => machoSlices(Buffer.concat([big(0xcafebabe, records.length, ...records.flat()), Buffer.alloc(64)]), size).kind;
    expect(kind([[X86_64, 3, 28, 10, 0]], 38)).toBe('fat');
    expect([kind([[X86_64, 3, 28, 10, 0]], 37), kind([[X86_64, 3, 27, 10, 0]], 99), kind([[X86_64, 3, 28, 0, 0]], 99)]).toEqual(['none', 'none', 'none']);
    const two = (second: number) => kind([[ARM64, 0, second, 10, 0], [X86_64, 3, 48, 10, 0]], 99);
    expect([two(58), two(57)]).toEqual(['fat', 'none']);
    const many = (count: number) => machoSlices(Buffer.concat([big(0xcafebabe, count), ...Array.from({ length: count }, (_, index) => big(18, 0, 0x2000 + index, 1, 0))]), 0x9000).kind;
    expect([many(204), many(205), many(0)]).toEqual(['fat', 'none', 'none']);
    const cut = Buffer.concat([big(0xcafebabe, 2, X86_64, 3, 48, 10, 0, ARM64, 0, 58, 10, 0)]);
    expect([machoSlices(cut, 99).kind, machoSlices(cut.subarray(0, -1), 99).kind]).toEqual(['fat', 'none']);
  }); // biome-ignore format: a table
});
