import { describe, expect, it } from 'vitest';
import type { BindContext } from '../../src/macho/bind-context.ts';
import { chainedFixupProblem } from '../../src/macho/chained-fixups.ts';
import { linkeditPieces, linkeditProblem } from '../../src/macho/linkedit.ts';
import type { Macho } from '../../src/macho/macho.ts';

// Numbers of load commands and their fields: mach-o/loader.h.
const [SYMTAB, DYSYMTAB, INFO, INFO_ONLY, CHAINED, TRIE] = [0x2, 0xb, 0x22, 0x80000022, 0x80000034, 0x80000033];
const START = 0x1000;
const SIZE = 0x1000;

/** A slice of load commands, each its words behind number and size, and a __LINKEDIT from 0x1000 on. */
function image(commands: readonly (readonly [number, ...number[]])[], change: { sdk?: number | null; fileOffset?: number; segments?: boolean } = {}) {
  const data = Buffer.alloc(START + SIZE);
  let offset = 0;
  const list = commands.map(([command, ...words]) => {
    const place = { command, offset, size: 8 + words.length * 4 };
    for (const [index, word] of [command, place.size, ...words].entries()) data.writeUInt32LE(word, offset + index * 4);
    offset += place.size;
    return place;
  });
  const { sdk = 0x000f0000, fileOffset = START, segments = true } = change;
  const linkedit = { name: '__LINKEDIT', fileOffset, fileSize: SIZE };
  const macho = { commands: list, segments: segments ? [linkedit] : [], version: sdk === null ? null : { sdk } } as unknown as Macho;
  return { data, macho };
} // biome-ignore format: short
const problem = (...given: Parameters<typeof image>) => {
  const { data, macho } = image(...given);
  return linkeditProblem(data, macho)?.replace(/^LINKEDIT: /, '') ?? 'sound';
};
const data = (command: number, offset: number, size: number) => [command, offset, size] as const;
/** Symbols at `offset`, their strings behind them. */
const symtab = (offset: number, count: number) => [SYMTAB, offset, count, offset + count * 16, 8] as const;
const dysymtab = (
  local: number,
  external: number,
  undefined_: number,
  change: Partial<Record<number, number>> = {},
) => {
  const words = [0, local, local, external, local + external, undefined_, ...Array(12).fill(0)];
  for (const [index, word] of Object.entries(change)) words[Number(index)] = word;
  return [DYSYMTAB, ...words] as [number, ...number[]];
};

describe('the pieces of __LINKEDIT', () => {
  it('are those that load commands name', () => {
    const pieces = (...commands: readonly (readonly [number, ...number[]])[]) => {
      const { data: slice, macho } = image(commands);
      return linkeditPieces(slice, macho).map(({ name, offset, size, alignment }) => `${name} ${offset}+${size}/${alignment}`);
    };
    const names = [[0x1e, 'shared cache info'], [0x36, 'atom info'], [0x26, 'function starts'], [0x29, 'data in code'], [0x1d, 'code signature'], [TRIE, 'exports trie'], [CHAINED, 'chained fixups']] as const;
    for (const [command, name] of names) expect(pieces(data(command, 8, 9))).toEqual([`${name} 8+9/8`]);
    expect(pieces(data(0x26, 8, 0), data(0x27, 8, 9))).toEqual([]);
    expect(pieces(symtab(16, 3))).toEqual(['symbol table 16+48/8', 'symbol table strings 64+8/1']);
    expect(pieces(dysymtab(0, 0, 0, { 12: 100, 13: 3, 14: 200, 15: 2, 16: 300, 17: 1 }))).toEqual(['local relocations 300+8/8', 'external relocations 200+16/8', 'indirect symbol table 100+12/4']);
    const tables = ['rebase opcodes 1+2/8', 'bind opcodes 3+4/8', 'weak bind opcodes 5+6/8', 'lazy bind opcodes 7+8/8', 'exports trie 9+10/8'];
    for (const command of [INFO, INFO_ONLY]) expect(pieces([command, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toEqual(tables);
  }); // biome-ignore format: a table
});

describe('linkeditProblem', () => {
  const one = data(TRIE, START, 8);
  it.each<[string, Parameters<typeof image>, string]>([
    ['one piece', [[one]], 'sound'],
    ['no piece', [[]], 'no information'],
    ['no segment', [[one], { segments: false }], 'bad or unknown file offset or size'],
    ['a segment at 0', [[one], { fileOffset: 0 }], 'bad or unknown file offset or size'],
    ['a piece before the segment', [[data(TRIE, START - 8, 8)]], 'overlap of start of LINKEDIT and exports trie'],
    ['a piece up to the end', [[data(TRIE, START + SIZE - 8, 8)]], 'sound'],
    ['a piece beyond the end', [[data(TRIE, START + SIZE - 8, 9)]], "content 'exports trie' extends beyond end of segment"],
    ['two pieces side by side', [[data(0x26, START + 8, 8), one]], 'sound'],
    ['two pieces over each other', [[data(0x26, START + 8, 8), data(TRIE, START, 9)]], 'overlap of exports trie and function starts'],
    ['a piece at an odd place', [[data(TRIE, START + 4, 8)]], "mis-aligned content 'exports trie'"],
    ['the same before 10.14', [[data(TRIE, START + 4, 8)], { sdk: 0x000a0dff }], 'sound'],
    ['the same from 10.14 on', [[data(TRIE, START + 4, 8)], { sdk: 0x000a0e00 }], "mis-aligned content 'exports trie'"],
    ['a signature at an odd place before 10.15', [[data(0x1d, START + 4, 8)], { sdk: 0x000a0eff }], 'sound'],
    ['a signature at an odd place from 10.15 on', [[data(0x1d, START + 4, 8)], { sdk: 0x000a0f00 }], "mis-aligned content 'code signature'"],
    ['an odd place without an SDK', [[data(TRIE, START + 4, 8)], { sdk: null }], 'sound'],
    ['strings at any place', [[[SYMTAB, START, 0, START + 1, 3]]], 'sound'],
    ['indirect symbols at a multiple of 4', [[dysymtab(0, 0, 0, { 12: START + 4, 13: 1 })]], 'sound'],
    ['symbols that add up', [[symtab(START, 6), dysymtab(1, 2, 3)]], 'sound'],
    ['one symbol more', [[symtab(START, 7), dysymtab(1, 2, 3)]], 'symbol count from symbol table and dynamic symbol table differ'],
    ['one symbol less', [[symtab(START, 5), dysymtab(1, 2, 3)]], 'symbol count from symbol table and dynamic symbol table differ'],
    ['symbols without a table', [[one, dysymtab(0, 0, 1)]], 'symbol count from symbol table and dynamic symbol table differ'],
    ['a table without dynamic symbols', [[symtab(START, 5)]], 'sound'],
    ['local symbols that begin later', [[symtab(START, 6), dysymtab(1, 2, 3, { 0: 1 })]], 'indirect symbol table ilocalsym != 0'],
    ['external ones that begin later', [[symtab(START, 6), dysymtab(1, 2, 3, { 2: 2 })]], 'indirect symbol table iextdefsym != nlocalsym'],
    ['undefined ones that begin later', [[symtab(START, 6), dysymtab(1, 2, 3, { 4: 4 })]], 'indirect symbol table iundefsym != iextdefsym+nextdefsym'],
    ['both kinds of fixups', [[data(CHAINED, START, 8), [INFO_ONLY, ...Array(10).fill(0)]]], 'LC_DYLD_INFO and LC_DYLD_CHAINED_FIXUPS in one file'],
    ['chained fixups and the older opcodes', [[data(CHAINED, START, 8), [INFO, ...Array(10).fill(0)]]], 'sound'],
  ])('of %s', (_, given, words) => expect(problem(...given)).toBe(words)); // biome-ignore format: a table

  it('takes relocations beside no newer kind of fixups', () => {
    for (const [change, name] of [[{ 14: START, 15: 1 }, 'external'], [{ 16: START, 17: 1 }, 'local']] as const) {
      const relocations = dysymtab(0, 0, 0, change);
      const info = (command: number) => [command, ...Array(10).fill(0)] as [number, ...number[]];
      expect(problem([relocations])).toBe('sound');
      expect(problem([relocations, data(CHAINED, START + 8, 8)])).toBe(`LC_DYLD_CHAINED_FIXUPS and ${name} relocations in one file`);
      expect(problem([relocations, info(INFO_ONLY)], { sdk: 0x000a0e00 })).toBe(`LC_DYLD_INFO_ONLY and ${name} relocations in one file`);
      expect(problem([relocations, info(INFO_ONLY)], { sdk: 0x000a0dff })).toBe('sound');
      expect(problem([relocations, info(INFO)])).toBe('sound');
    }
  }); // biome-ignore format: a table
});

/** LC_DYLD_CHAINED_FIXUPS put together here; mach-o/fixup-chains.h. */
function fixups(change: Partial<Record<'version' | 'starts' | 'imports' | 'symbols' | 'count' | 'format' | 'compressed', number>> = {}, more: (data: Buffer) => void = () => undefined) {
  const { version = 0, starts = 28, imports = 72, count = 2, format = 1, compressed = 0 } = change;
  const size = [0, 4, 8, 16][format] ?? 4;
  const symbols = change.symbols ?? imports + size * count;
  const bytes = Buffer.alloc(symbols + 8);
  for (const [index, word] of [version, starts, imports, symbols, count, format, compressed].entries()) bytes.writeUInt32LE(word, index * 4);
  if (starts + 16 <= bytes.length) for (const [index, word] of [3, 0, 16, 0].entries()) bytes.writeUInt32LE(word, starts + index * 4);
  // struct dyld_chained_starts_in_segment at 44: size 24 (one page start), pages of 4 KiB, DYLD_CHAINED_PTR_64_OFFSET, one page.
  bytes.writeUInt32LE(24, 44);
  bytes.writeUInt16LE(0x1000, 48);
  bytes.writeUInt16LE(6, 50);
  bytes.writeUInt16LE(1, 64);
  bytes.writeUInt16LE(8, 66);
  for (let index = 0; index < count && imports + size * (index + 1) <= bytes.length; index++) bytes.writeUInt8(1, imports + size * index);
  bytes.write('_a\0_b\0', symbols);
  more(bytes);
  return bytes;
} // biome-ignore format: short
const segment = (name: string) => ({ name, size: 0x4000n, vmAddress: 0n, writable: true, executable: false });
const CONTEXT: BindContext = {
  segments: ['__TEXT', '__DATA', '__LINKEDIT'].map(segment),
  dylibCount: 2,
  onlyInData: true,
};

describe('chainedFixupProblem', () => {
  const said = (bytes: Buffer, context = CONTEXT) => {
    try {
      return chainedFixupProblem(bytes, context)?.replace(/^chained fixups: /, '') ?? 'sound';
    } catch (error) {
      return (error as Error).message;
    }
  };
  type Change = Parameters<typeof fixups>[0];

  it.each<[string, Change, ((data: Buffer) => void) | undefined, string]>([
    ['as it is', {}, undefined, 'sound'],
    ['imports with addends', { format: 2 }, undefined, 'sound'],
    ['imports of 64 bits', { format: 3 }, undefined, 'sound'],
    ['no kind of imports', { format: 0 }, undefined, 'unknown imports_format (0)'],
    ['an unknown kind of imports', { format: 4 }, undefined, 'unknown imports_format (4)'],
    ['version 1', { version: 1 }, undefined, 'unknown header version (1)'],
    ['compressed symbols', { compressed: 1 }, undefined, 'symbols_format unknown (1)'],
    ['imports up to the symbols', { symbols: 80 }, undefined, 'sound'],
    ['imports over the symbols', { symbols: 79 }, undefined, 'imports array overlaps symbols'],
    ['imports beyond the end', {}, (data) => data.writeUInt32LE(data.length + 1, 8), 'imports_offset exceeds LC_DYLD_CHAINED_FIXUPS size'],
    ['imports at the end', {}, (data) => data.writeUInt32LE(data.length, 8), 'imports array overlaps symbols'],
    ['starts at the end', {}, (data) => data.writeUInt32LE(data.length, 4), 'starts_offset exceeds LC_DYLD_CHAINED_FIXUPS size'],
    ['starts that do not fit', {}, (data) => data.writeUInt32LE(data.length - 3, 4), 'chained fixups, offset 85: beyond its 88 bytes'],
    ['a segment more', {}, (data) => data.writeUInt32LE(4, 28), 'seg_count exceeds number of segments'],
    ['a segment less', {}, (data) => data.writeUInt32LE(2, 28), 'seg_count does not match number of segments'],
    ['no segment with fixups', {}, (data) => data.writeUInt32LE(0, 36), 'sound'],
    ['a structure up to the imports', {}, (data) => data.writeUInt32LE(28, 44), 'sound'],
    ['a structure into the imports', {}, (data) => data.writeUInt32LE(29, 44), 'dyld_chained_starts_in_segment overruns imports table in segment #1'],
    ['pages of 16 KiB', {}, (data) => data.writeUInt16LE(0x4000, 48), 'sound'],
    ['pages of 8 KiB', {}, (data) => data.writeUInt16LE(0x2000, 48), 'page_size not 4KB or 16KB in segment #1'],
    ['a structure without room for its pages', {}, (data) => data.writeUInt32LE(23, 44), 'page_start array overflows size in segment #1'],
    ['two pages', {}, (data) => { data.writeUInt32LE(26, 44); data.writeUInt16LE(2, 64); data.writeUInt16LE(0x1001, 68); }, 'page_start[1] exceeds page size in segment #1'],
    ['a chain at the end of its page', {}, (data) => data.writeUInt16LE(0x1000, 66), 'sound'],
    ['a chain beyond its page', {}, (data) => data.writeUInt16LE(0x1001, 66), 'page_start[0] exceeds page size in segment #1'],
    ['no chain', {}, (data) => data.writeUInt16LE(0xffff, 66), 'sound'],
    ['several chains', {}, (data) => data.writeUInt16LE(0x8000, 66), 'page_start[0] multi-start chains not supported in 64-bit archs in segment #1'],
    ['almost no chain', {}, (data) => data.writeUInt16LE(0xfffe, 66), 'page_start[0] multi-start chains not supported in 64-bit archs in segment #1'],
    ['more pages than there is room for', {}, (data) => data.writeUInt16LE(45, 64), 'page_start arrays lie over each other'],
    ['as many pages as there is room for', {}, (data) => data.writeUInt16LE(44, 64), 'page_start array overflows size in segment #1'],
    ['the last library', {}, (data) => data.writeUInt8(2, 72), 'sound'],
    ['a library too far', {}, (data) => data.writeUInt8(3, 76), 'import 1 has library ordinal too large (3) max (2)'],
    ['the last library but the special ones', {}, (data) => data.writeUInt8(0xf0, 72), 'import 0 has library ordinal too large (240) max (2)'],
    ['the least special library', {}, (data) => data.writeUInt8(0xfd, 72), 'sound'],
    ['a special one nobody knows', {}, (data) => data.writeUInt8(0xfc, 72), 'import 0 has unknown library special ordinal (-4)'],
    ['the first special one', {}, (data) => data.writeUInt8(0xf1, 72), 'import 0 has unknown library special ordinal (-15)'],
    ['a name at the last end', {}, (data) => { data.fill(0x61, 80); data.writeUInt8(0, 87); data.writeUInt32LE(1 | (7 << 9), 72); }, 'sound'],
    ['a name behind the last end', {}, (data) => { data.fill(0x61, 80); data.writeUInt8(0, 86); data.writeUInt32LE(1 | (7 << 9), 72); }, 'import 0 has a name without an end'],
    ['a weak import', {}, (data) => data.writeUInt32LE(1 | (1 << 8), 72), 'sound'],
    ['a wide library below 0', { format: 3 }, (data) => data.writeUInt32LE(0xfffd, 72), 'sound'],
    ['a wide one nobody knows', { format: 3 }, (data) => data.writeUInt32LE(0xfffc, 72), 'import 0 has unknown library special ordinal (-4)'],
    ['a wide library too far', { format: 3 }, (data) => data.writeUInt32LE(3, 88), 'import 1 has library ordinal too large (3) max (2)'],
    ['a wide name without an end', { format: 3 }, (data) => data.writeUInt32LE(9, 76), 'import 0 has a name without an end'],
    ['a wide word above the library', { format: 3 }, (data) => data.writeUInt32LE(0x00010001, 72), 'sound'],
  ])('of %s', (_, change, more, words) => expect(said(fixups(change, more))).toBe(words)); // biome-ignore format: a table

  // DYLD_CHAINED_PTR_*: 3, 4 and 5 are of 32 bits.
  it.each([1, 2, 6, 7, 8, 9, 10, 11, 12])('takes the pointer format %i', (format) =>
    expect(said(fixups({}, (bytes) => bytes.writeUInt16LE(format, 50)))).toBe('sound'),
  );
  it.each([0, 3, 4, 5, 13])('does not take the pointer format %i', (format) =>
    expect(said(fixups({}, (bytes) => bytes.writeUInt16LE(format, 50)))).toBe(
      `unknown pointer_format ${format} in segment #1`,
    ),
  );

  it('is the same for all segments, and passes over one that ctf_insert added', () => {
    const two = (format: number) => fixups({ imports: 100 }, (bytes) => {
      bytes.writeUInt32LE(44, 40);
      bytes.copy(bytes, 72, 44, 68);
      bytes.writeUInt16LE(format, 78);
    }); // biome-ignore format: short
    expect([said(two(6)), said(two(2))]).toEqual(['sound', 'pointer_format not same for all segments']);
    const ctf = { ...CONTEXT, segments: [...CONTEXT.segments, segment('__CTF')] };
    expect([said(fixups(), ctf), said(fixups(), { ...ctf, segments: ctf.segments.toReversed() })]).toEqual(['sound', 'seg_count does not match number of segments']);
  }); // biome-ignore format: a table
});
