import { describe, expect, it } from 'vitest';
import { bindTableProblems } from '../../src/macho/bind-tables.ts';
import type { Macho } from '../../src/macho/macho.ts';

/** ULEB128 of DWARF 5, section 7.6. */
const uleb = (value: bigint | number): number[] => {
  const bytes: number[] = [];
  for (let left = BigInt(value); ; left >>= 7n) {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    if (left <= 0x7fn) return bytes;
  }
};
const SEGMENTS = [
  ['__TEXT', 5, 0x4000n],
  ['__DATA', 3, 0x4000n],
  ['__BOTH', 7, 0x4000n],
  ['__LINKEDIT', 1, 0x10000n],
] as const;
const INFO_ONLY = 0x80000022;
const SEGMENT_SIZE = 72;

/** A slice of segments and LC_DYLD_INFO_ONLY, whose tables lie in __LINKEDIT; mach-o/loader.h. */
function problems(tables: { rebase?: number[]; bind?: number[]; weak?: number[]; lazy?: number[] }, sdk = 0x000a0f00, libraries = 2, command = INFO_ONLY): string[] {
  const linkedit = 0x1000;
  const data = Buffer.alloc(linkedit + 0x10000);
  const segments = SEGMENTS.map(([name, protection, vmSize], index) => {
    const commandOffset = 32 + index * SEGMENT_SIZE;
    data.writeUInt32LE(protection, commandOffset + 60); // initprot
    const own = name === '__LINKEDIT';
    return { name, commandOffset, fileOffset: own ? linkedit : 0, fileSize: own ? 0x10000 : 0, vmAddress: 0n, vmSize, sections: [] };
  });
  const offset = 32 + SEGMENTS.length * SEGMENT_SIZE;
  let at = linkedit;
  for (const [index, table] of [tables.rebase, tables.bind, tables.weak, tables.lazy].entries()) {
    if (!table) continue;
    data.set(table, at);
    data.writeUInt32LE(at, offset + 8 + index * 8);
    data.writeUInt32LE(table.length, offset + 12 + index * 8);
    at += Math.ceil(table.length / 8) * 8;
  }
  const macho = { segments, commands: [{ command, offset, size: 48 }], dylibs: Array(libraries).fill('x'), version: { platform: 1, minimumOs: 0, sdk } };
  return bindTableProblems(data, macho as unknown as Macho);
} // biome-ignore format: short

const TEXT = 0;
const DATA = 1;
const BOTH = 2;
const place = (segment: number, offset: bigint | number = 0) => [0x20 | segment, ...uleb(offset)];
const POINTER = 0x11;
/** The last place of a pointer in a segment of 0x4000 bytes, and one byte beyond it. */
const [LAST, BEYOND] = [0x4000 - 8, 0x4000 - 7];

describe('rebase opcodes', () => {
  const said = (...table: number[]) =>
    problems({ rebase: table })
      .join('; ')
      .replace(/^rebase opcodes: (REBASE_OPCODE_DO_REBASE_)?/, '');
  const MISSING = 'missing preceding REBASE_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB';

  it.each<[string, number[], string]>([
    ['nothing but an end', [0], ''],
    ['one pointer', [POINTER, ...place(DATA), 0x51], ''],
    ['no type', [...place(DATA), 0x51], 'IMM_TIMES unknown rebase type 0'],
    ['another type', [0x12, ...place(DATA), 0x51], 'IMM_TIMES unknown rebase type 2'],
    ['no place', [POINTER, 0x51], `IMM_TIMES ${MISSING}`],
    ['none at no place', [POINTER, 0x50], ''],
    ['a segment that is not there', [POINTER, ...place(4), 0x51], 'IMM_TIMES segment index 4 too large'],
    ['the last segment', [POINTER, ...place(3), 0x51], 'IMM_TIMES pointer rebase is in non-writable segment __LINKEDIT'],
    ['__TEXT', [POINTER, ...place(TEXT), 0x51], 'IMM_TIMES pointer rebase is in non-writable segment __TEXT'],
    ['what may be run too', [POINTER, ...place(BOTH), 0x51], 'IMM_TIMES pointer rebase is in executable segment __BOTH'],
    ['the last place', [POINTER, ...place(DATA, LAST), 0x51], ''],
    ['one byte beyond it', [POINTER, ...place(DATA, BEYOND), 0x51], 'IMM_TIMES segment offset 0x3ff9 beyond __DATA'],
    ['two up to the last place', [POINTER, ...place(DATA, LAST - 8), 0x52], ''],
    ['three beyond it', [POINTER, ...place(DATA, LAST - 8), 0x53], 'IMM_TIMES segment offset 0x4000 beyond __DATA'],
    ['one after the other', [POINTER, ...place(DATA, LAST - 8), 0x51, 0x51], ''],
    ['one after the other, too many', [POINTER, ...place(DATA, LAST - 8), 0x51, 0x51, 0x51], 'IMM_TIMES segment offset 0x4000 beyond __DATA'],
    ['a step', [POINTER, ...place(DATA, LAST - 8), 0x30, 8, 0x51], ''],
    ['a step too far', [POINTER, ...place(DATA, LAST - 8), 0x30, 9, 0x51], 'IMM_TIMES segment offset 0x3ff9 beyond __DATA'],
    ['a step back', [POINTER, ...place(DATA, BEYOND), 0x30, ...uleb(2n ** 64n - 1n), 0x51], ''],
    ['steps of pointers', [POINTER, ...place(DATA, LAST - 16), 0x42, 0x51], ''],
    ['steps of pointers too far', [POINTER, ...place(DATA, LAST - 16), 0x43, 0x51], 'IMM_TIMES segment offset 0x4000 beyond __DATA'],
    ['many', [POINTER, ...place(DATA), 0x60, ...uleb(0x800)], ''],
    ['too many', [POINTER, ...place(DATA), 0x60, ...uleb(0x801)], 'ULEB_TIMES segment offset 0x4000 beyond __DATA'],
    ['one and a gap', [POINTER, ...place(DATA, LAST - 16), 0x70, 8, 0x51], ''],
    ['one and too wide a gap', [POINTER, ...place(DATA, LAST - 16), 0x70, 9, 0x51], 'IMM_TIMES segment offset 0x3ff9 beyond __DATA'],
    ['one without room', [POINTER, ...place(DATA, BEYOND), 0x70, 0], 'ADD_ADDR_ULEB segment offset 0x3ff9 beyond __DATA'],
    ['many with gaps', [POINTER, ...place(DATA, LAST - 32), 0x80, 3, 8], ''],
    ['many with too wide gaps', [POINTER, ...place(DATA, LAST - 32), 0x80, 3, 9], 'ULEB_TIMES_SKIPPING_ULEB segment offset 0x3ffa beyond __DATA'],
    ['what follows many with gaps', [POINTER, ...place(DATA, LAST - 32), 0x80, 2, 8, 0x52], 'IMM_TIMES segment offset 0x4000 beyond __DATA'],
    ['as many as are taken', [POINTER, ...place(DATA), 0x60, ...uleb(1n << 20n)], 'ULEB_TIMES segment offset 0x7ffff8 beyond __DATA'],
    ['more than are taken', [POINTER, ...place(DATA), 0x60, ...uleb((1n << 20n) + 1n)], 'REBASE_OPCODE_DO_REBASE_ULEB_TIMES 1048577 times'],
    ['gaps beyond memory', [POINTER, ...place(DATA), 0x80, 3, ...uleb(2n ** 63n - 8n)], 'ULEB_TIMES_SKIPPING_ULEB steps beyond the end of memory'],
    ['a gap of two beyond memory', [POINTER, ...place(DATA, 16), 0x80, 2, ...uleb(2n ** 64n - 16n)], 'ULEB_TIMES_SKIPPING_ULEB steps beyond the end of memory'],
    ['gaps up to the end of memory', [POINTER, ...place(DATA), 0x80, 2, ...uleb(2n ** 64n - 9n)], `ULEB_TIMES_SKIPPING_ULEB segment offset 0x${'f'.repeat(16)} beyond __DATA`],
    ['gaps all around memory', [POINTER, ...place(DATA), 0x80, 2, ...uleb(2n ** 64n - 8n)], ''],
    ['a gap back', [POINTER, ...place(DATA, LAST), 0x70, ...uleb(2n ** 64n - 16n), 0x52], ''],
    ['an opcode nobody knows', [0x90], 'unknown rebase opcode 0x90'],
    ['padding of 15 bytes', [POINTER, ...place(DATA), 0x51, ...Array(16).fill(0)], ''],
    ['padding of 16 bytes', [POINTER, ...place(DATA), 0x51, ...Array(17).fill(0)], 'rebase opcodes terminated early'],
    ['a number without an end', [POINTER, 0x21, 0x80], 'rebase opcodes, offset 3: the table ends within an opcode'],
  ])('with %s', (_, table, words) => expect(said(...table)).toBe(words.replace(/^REBASE_OPCODE_DO_REBASE_/, ''))); // biome-ignore format: a table
});

describe('bind opcodes', () => {
  const at = (segment: number, offset: bigint | number = 0) => [0x70 | segment, ...uleb(offset)];
  const SYMBOL = [0x40, 0x61, 0];
  const ready = (offset: bigint | number = 0) => [0x11, ...SYMBOL, 0x51, ...at(DATA, offset)];
  const said = (table: number[], lazy = false, libraries = 2) =>
    problems(lazy ? { lazy: table } : { bind: table }, undefined, libraries)
      .join('; ')
      .replace(/^(lazy )?bind opcodes: (BIND_OPCODE_)?/, '');

  it.each<[string, number[], string]>([
    ['an end, whatever follows it', [0, 0xe0], ''],
    ['one symbol', [...ready(), 0x90], ''],
    ['no place', [0x11, ...SYMBOL, 0x51, 0x90], 'DO_BIND missing preceding BIND_OPCODE_SET_SEGMENT_AND_OFFSET_ULEB'],
    ['no symbol', [0x11, 0x51, ...at(DATA), 0x90], 'DO_BIND missing preceding BIND_OPCODE_SET_SYMBOL_TRAILING_FLAGS_IMM'],
    ['no library', [...SYMBOL, 0x51, ...at(DATA), 0x90], 'DO_BIND missing preceding BIND_OPCODE_SET_DYLIB_ORDINAL'],
    ['no type', [0x11, ...SYMBOL, ...at(DATA), 0x90], 'DO_BIND unknown bind type 0'],
    ['another type', [0x11, ...SYMBOL, 0x52, ...at(DATA), 0x90], 'DO_BIND unknown bind type 2'],
    ['an empty symbol', [0x11, 0x40, 0, 0x51, ...at(DATA), 0x90], ''],
    ['the last library', [...ready(), 0x12, 0x90], ''],
    ['one library too far', [...ready(), 0x13, 0x90], 'DO_BIND has library ordinal too large (3) max (2)'],
    ['itself', [...ready(), 0x10, 0x90], ''],
    ['a library by a longer number', [...ready(), 0x20, 2, 0x90], ''],
    ['one too far by a longer number', [...ready(), 0x20, ...uleb(128), 0x90], 'DO_BIND has library ordinal too large (128) max (2)'],
    ['a longer number below 0', [...ready(), 0x20, ...uleb(0xfffffffd), 0x90], ''],
    ['one too far below 0', [...ready(), 0x20, ...uleb(0xfffffffc), 0x90], 'DO_BIND has unknown library special ordinal (-4)'],
    ['special libraries', [...ready(), 0x30, 0x90, 0x3f, 0x90, 0x3e, 0x90, 0x3d, 0x90], ''],
    ['a special one nobody knows', [...ready(), 0x3c, 0x90], 'DO_BIND has unknown library special ordinal (-4)'],
    ['an addend', [...ready(), 0x60, 0x7f, 0x90], ''],
    ['an addend of two bytes', [...ready(), 0x60, 0x80, 0x7f, 0x90], ''],
    ['__TEXT', [...ready(), ...at(TEXT), 0x90], 'DO_BIND pointer bind is in non-writable segment __TEXT'],
    ['the last place', [...ready(LAST), 0x90], ''],
    ['two at the last place', [...ready(LAST), 0x90, 0x90], 'DO_BIND segment offset 0x4000 beyond __DATA'],
    ['a step', [...ready(LAST - 8), 0x80, 8, 0x90], ''],
    ['a step too far', [...ready(LAST - 8), 0x80, 9, 0x90], 'DO_BIND segment offset 0x3ff9 beyond __DATA'],
    ['a step back', [...ready(BEYOND), 0x80, ...uleb(2n ** 64n - 1n), 0x90], ''],
    ['one and a gap', [...ready(LAST - 16), 0xa0, 8, 0x90], ''],
    ['one and too wide a gap', [...ready(LAST - 16), 0xa0, 9, 0x90], 'DO_BIND segment offset 0x3ff9 beyond __DATA'],
    ['one without room before a gap', [...ready(BEYOND), 0xa0, 0], 'DO_BIND_ADD_ADDR_ULEB segment offset 0x3ff9 beyond __DATA'],
    ['one and a gap back', [...ready(LAST), 0xa0, ...uleb(2n ** 64n - 16n), 0x90, 0x90], ''],
    ['one and a gap of pointers', [...ready(LAST - 24), 0xb2, 0x90], ''],
    ['one and a pointer too many', [...ready(LAST - 24), 0xb3, 0x90], 'DO_BIND segment offset 0x4000 beyond __DATA'],
    ['one without room before pointers', [...ready(BEYOND), 0xb0], 'DO_BIND_ADD_ADDR_IMM_SCALED segment offset 0x3ff9 beyond __DATA'],
    ['many with gaps', [...ready(LAST - 32), 0xc0, 3, 8], ''],
    ['many with too wide gaps', [...ready(LAST - 32), 0xc0, 3, 9], 'DO_BIND_ULEB_TIMES_SKIPPING_ULEB segment offset 0x3ffa beyond __DATA'],
    ['none of many', [...ready(BEYOND), 0xc0, 0, 9], ''],
    ['an old opcode', [0xd0], 'old arm64e bind opcodes not supported'],
    ['an opcode nobody knows', [0xe0], 'unknown bind opcode 0xe0'],
  ])('with %s', (_, table, words) => expect(said(table)).toBe(words)); // biome-ignore format: a table

  it('of a file without libraries may name itself', () => {
    expect(said([...ready(), 0x30, 0x90], false, 0)).toBe('');
    expect(said([...ready(), 0x90], false, 0)).toBe('DO_BIND has library ordinal too large (1) max (0)');
  });

  it('that are lazy are pointers without saying so, and go on behind an end', () => {
    const lazy = [0x11, ...SYMBOL, ...at(DATA), 0x90, 0, 0x90];
    expect(said(lazy, true)).toBe('');
    expect(said([...lazy, 0xe0], true)).toBe('unknown bind opcode 0xe0');
    expect(said([0x52, ...lazy], true)).toBe('DO_BIND unknown bind type 2');
    expect(said([...ready(LAST), 0x90, 0, 0x90], true)).toBe('DO_BIND segment offset 0x4000 beyond __DATA');
  });
});

describe('the tables of a slice', () => {
  const text = [POINTER, ...place(TEXT), 0x51];

  it('may be in __TEXT for an SDK before 10.15', () => {
    expect([problems({ rebase: text }, 0x000a0eff), problems({ rebase: text }, 0x000a0f00)]).toEqual([[], [expect.stringContaining('non-writable')]]);
  }); // biome-ignore format: a table

  it('are each looked at, up to the first fault of each', () => {
    expect(problems({ rebase: [0x90, 0xa0], bind: [0xe0], lazy: [0xf0] })).toEqual(['rebase opcodes: unknown rebase opcode 0x90', 'bind opcodes: unknown bind opcode 0xe0', 'lazy bind opcodes: unknown bind opcode 0xf0']);
    expect(problems({ bind: [0xe0] }, undefined, 2, 0x22)).toEqual(['bind opcodes: unknown bind opcode 0xe0']);
    expect(problems({ bind: [0xe0] }, undefined, 2, 0x26)).toEqual([expect.stringMatching(/^LINKEDIT/)]);
  }); // biome-ignore format: a table
});
