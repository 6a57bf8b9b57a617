import { describe, expect, it } from 'vitest';
import { codeDifference } from '../../../build/prove/code-difference.ts';
import { buildTools, regionsOf, symbolAt } from '../../../build/prove/code-regions.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { buildFat, slicesOf } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { listSymbols } from '../../../src/macho/symbols.ts';
import { SAMPLE_EXECUTABLE, sampleBundle, sampleSlice } from '../../code-signature/sample.ts';

// Numbers from mach-o/loader.h.
const [LC_UUID, LC_BUILD_VERSION, TOOLS_AT] = [0x1b, 0x32, 24];
const [INTEL, ARM] = [sampleSlice('x86_64'), sampleSlice('arm64')];
const PROGRAM = buildFat([INTEL, ARM]);
const macho = parseMacho(ARM);
const commandAt = (number: number) => macho.commands.find(({ command }) => command === number)!.offset;
const text = macho.segments.flatMap(({ sections }) => sections).find(({ name }) => name === '__text')!;

/** What is said of a program whose second slice has other bytes at an offset. */
function changed(at: number, ...bytes: number[]) {
  const slice = Buffer.from(ARM);
  Buffer.from(bytes).copy(slice, at);
  return codeDifference(buildFat([INTEL, slice]), PROGRAM);
}

describe('two programs', () => {
  it('that are one differ in nothing', () => {
    expect(codeDifference(Buffer.from(PROGRAM), PROGRAM)).toEqual({ problems: [], tools: [] });
  });

  it('that are not both programs, or of other slices, are not compared further', () => {
    expect(codeDifference(Buffer.from('text'), PROGRAM)).toEqual({
      problems: [expect.stringMatching(/^it cannot be read as a program: ./)],
      tools: [],
    });
    // What is no fault of the file is none of its differences.
    expect(() => codeDifference({ equals: () => false } as never, PROGRAM)).toThrow(TypeError);
    const { problems } = codeDifference(buildFat([INTEL]), PROGRAM);
    expect(problems).toEqual(['slices x86_64, expected x86_64, arm64']);
  });

  it('are told apart by command, section with symbol, and what is between', () => {
    const flip = (at: number) => changed(at, ARM[at]! ^ 1).problems;
    expect(flip(commandAt(LC_UUID) + 8)).toEqual([
      expect.stringMatching(/^arm64, LC_UUID, byte 8: expected [0-9a-f]{8}, found [0-9a-f]{8}$/),
    ]);
    expect(flip(text.fileOffset + 4)).toEqual([expect.stringMatching(/^arm64, __TEXT,__text, byte 4 \(.*\): /)]);
    expect(flip(macho.commandsEnd)).toEqual([
      expect.stringMatching(
        new RegExp(`^arm64, byte ${macho.commandsEnd}, between its parts: expected 00000000, found 01000000$`),
      ),
    ]);
  });

  it('are told apart outside of their slices', () => {
    // struct fat_arch of the second slice: the alignment that it asks for, as a power of two; 2^15 suits its place too.
    const [at, other] = [8 + 20 + 19, Buffer.from(PROGRAM)];
    other[at] = 15;
    expect(codeDifference(other, PROGRAM).problems).toEqual([`byte ${at}, outside of the slices`]);
  });

  it('of which one has another load command lack one and have one too many', () => {
    const { problems } = changed(commandAt(LC_UUID), 0x63, 0, 0, 0);
    expect(problems).toEqual([
      'arm64, LC_UUID is missing',
      'arm64, load command 0x63 is there, which the sources make none of',
    ]);
  });

  it('that other tools made say so, each slice', () => {
    // The version is packed in 16, 8 and 8 bits.
    const version = commandAt(LC_BUILD_VERSION) + TOOLS_AT + 4;
    const [own] = buildTools(ARM, macho);
    const { tools, problems } = changed(version, 1, 2, 3, 0);
    expect(tools).toEqual([`arm64 names ${own!.split(' ')[0]} 3.2.1, here ${own}`]);
    expect(problems).toEqual([expect.stringMatching(/^arm64, LC_BUILD_VERSION, byte 2[89]: /)]);
    expect(changed(commandAt(LC_UUID) + 8, 1, 2, 3).tools).toEqual([]);
  });

  it('whose part has another length say both', async () => {
    const signed = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const program = signed.entries.find(({ path }) => path === SAMPLE_EXECUTABLE) as { data: Buffer };
    const { problems } = codeDifference(program.data, PROGRAM);
    expect(problems.join('\n')).toMatch(/arm64, CodeDirectory is there, which the sources make none of/);
  });
});

describe('the parts of a slice', () => {
  it('are header, commands, sections, and pieces behind', async () => {
    const regions = regionsOf(ARM, macho);
    const names = regions.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(regions[0]).toEqual({ name: 'Mach-O header', offset: 0, size: 32 });
    expect(names).toEqual(
      expect.arrayContaining(['LC_SEGMENT_64', 'LC_SEGMENT_64 (2)', 'LC_SYMTAB', 'LC_UUID', 'LC_LOAD_DYLIB']),
    );
    expect(names).not.toContain('LC_UUID (2)');
    expect(regions.find(({ name }) => name === '__TEXT,__text')).toMatchObject({
      offset: text.fileOffset,
      size: text.size,
    });
    expect(
      regions.filter(({ name }) => name.startsWith('__')).every(({ size, offset }) => size > 0 && offset > 0),
    ).toBe(true);
  });

  it('of a signed one are the blobs of its signature, one behind the other', async () => {
    const signed = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const program = signed.entries.find(({ path }) => path === SAMPLE_EXECUTABLE) as { data: Buffer };
    const [slice] = slicesOf(program.data) as [Buffer];
    const { codeSignature, ...rest } = parseMacho(slice);
    const regions = regionsOf(slice, { codeSignature, ...rest }).filter(
      ({ offset }) => offset >= codeSignature!.dataOffset,
    );
    expect(regions.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['list of signature blobs', 'CodeDirectory', 'requirement set']),
    );
    const [list, ...blobs] = regions;
    expect(list).toMatchObject({ offset: codeSignature!.dataOffset, size: 12 + 8 * blobs.length });
    blobs.reduce((end, { offset, size }) => {
      expect(offset).toBe(end);
      return offset + size;
    }, list!.offset + list!.size);
    // Magics of the blobs: xnu, osfmk/kern/cs_blobs.h.
    const magic = (name: string) => slice.toString('hex', blobs.find((blob) => blob.name === name)!.offset).slice(0, 8);
    expect([magic('CodeDirectory'), magic('requirement set')]).toEqual(['fade0c02', 'fade0c01']);
  });
});

describe('symbolAt', () => {
  const [first, second] = listSymbols(ARM, macho)
    .filter(({ defined }) => defined)
    .sort((a, b) => Number(a.address - b.address));

  it('names the nearest symbol before, and how far behind it', () => {
    expect(symbolAt(ARM, macho, first!.address)).toBe(` (${first!.name})`);
    const room = second === undefined ? 8n : second.address - first!.address - 1n;
    expect(symbolAt(ARM, macho, first!.address + room)).toBe(` (${first!.name}+0x${room.toString(16)})`);
    expect(symbolAt(ARM, macho, first!.address - 1n)).toBe('');
  });
});

describe('buildTools', () => {
  const command = (size: number, count: number, ...tools: number[]) => {
    const words = [LC_BUILD_VERSION, size, 1, 0x000b0000, 0x000e0400, count, ...tools];
    const slice = Buffer.alloc(words.length * 4);
    for (const [at, word] of words.entries()) slice.writeUInt32LE(word, at * 4);
    const commands = [{ command: LC_BUILD_VERSION, offset: 0, size }];
    return buildTools(slice, { ...macho, commands });
  };

  it.each<[string, string[], string[]]>([
    ['no tool', command(24, 0), []],
    [
      'each tool by name',
      command(56, 4, 1, 0x000e0006, 2, 0x00050a00, 3, 0x03e80000, 4, 0x000e0006),
      ['clang 14.0.6', 'swift 5.10', 'ld 1000.0', 'lld 14.0.6'],
    ],
    ['a number that nobody named', command(32, 1, 1024, 0x00010000), ['tool 1024 1.0']],
    ['no more tools than there is room for', command(32, 9, 3, 0x00010000), ['ld 1.0']],
    ['no half of one', command(39, 2, 3, 0x00010000), ['ld 1.0']],
    ['no more tools than are counted', command(40, 1, 3, 0x00010000, 4, 0x00010000), ['ld 1.0']],
    ['no tool in a command that is too short', command(16, 1, 0, 0), []],
  ])('tells %s', (_, found, expected) => expect(found).toEqual(expected));

  it('passes over other commands', () => {
    expect(
      buildTools(ARM, {
        ...macho,
        commands: macho.commands.filter(({ command: number }) => number !== LC_BUILD_VERSION),
      }),
    ).toEqual([]);
  });
});

it('names load commands by their numbers in mach-o/loader.h, with or without LC_REQ_DYLD', () => {
  const names: readonly (readonly [number, string])[] = [
    [0x2, 'LC_SYMTAB'],
    [0xb, 'LC_DYSYMTAB'],
    [0xc, 'LC_LOAD_DYLIB'],
    [0x19, 'LC_SEGMENT_64'],
    [0x1b, 'LC_UUID'],
    [0x8000001c, 'LC_RPATH'],
    [0x1d, 'LC_CODE_SIGNATURE'],
    [0x80000022, 'LC_DYLD_INFO'],
    [0x24, 'LC_VERSION_MIN_MACOSX'],
    [0x26, 'LC_FUNCTION_STARTS'],
    [0x29, 'LC_DATA_IN_CODE'],
    [0x2a, 'LC_SOURCE_VERSION'],
    [0x32, 'LC_BUILD_VERSION'],
    [0x80000033, 'LC_DYLD_EXPORTS_TRIE'],
    [0x80000034, 'LC_DYLD_CHAINED_FIXUPS'],
    [0x80000000, 'load command 0x80000000'],
    [0x7fffffff, 'load command 0x7fffffff'],
  ];
  const slice = sampleSlice('arm64');
  const commands = names.map(([command], index) => ({ command, offset: 32 + index * 8, size: 8 }));
  const regions = regionsOf(slice, { ...parseMacho(slice), commands: [...commands, { ...commands[0]!, size: 16 }] });
  expect(regions.slice(0, names.length + 2)).toEqual([
    { name: 'Mach-O header', offset: 0, size: 32 },
    ...names.map(([, name], index) => ({ name, offset: 32 + index * 8, size: 8 })),
    { name: 'LC_SYMTAB (2)', offset: 32, size: 16 },
  ]);
});

it('has a header up to the first command, and no section that takes no bytes of the file', () => {
  const slice = sampleSlice('arm64');
  const parsed = parseMacho(slice);
  const section = { ...text, name: '__a' };
  const sections = [
    { ...section, fileOffset: 1, size: 1 },
    { ...section, name: '__b', fileOffset: 0, size: 1 },
    { ...section, name: '__c', fileOffset: 1, size: 0 },
  ];
  const segment = { ...parsed.segments[0]!, name: '__X', vmAddress: 16n, fileOffset: 0, sections };
  const bare = { ...parsed, commands: [], segments: [segment], codeSignature: undefined };
  expect(regionsOf(slice, bare as unknown as typeof parsed).slice(0, 2)).toEqual([
    { name: 'Mach-O header', offset: 0, size: parsed.commandsEnd },
    { name: '__X,__a', offset: 1, size: 1, address: 17n },
  ]);
  expect(regionsOf(slice, bare as unknown as typeof parsed)).toHaveLength(2);
});
