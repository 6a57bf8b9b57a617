import {
  CHAINED_FIXUPS_HEADER,
  CHAINED_STARTS_IN_SEGMENT,
  DYLD_INFO_COMMAND,
  LC_DYLD_CHAINED_FIXUPS,
  LC_DYLD_INFO_ONLY,
  LC_SYMTAB,
  LINKEDIT_DATA_COMMAND,
  SYMTAB_COMMAND,
} from '../../src/macho/layout.ts';
import { parseMacho } from '../../src/macho/macho.ts';

/** A slice with one fault that dyld refuses. */
export interface LooseSlice {
  readonly name: string;
  readonly bytes: Buffer;
  /** What bindTableProblems says of it. */
  readonly problem: RegExp;
  /** What the login host's loader says. */
  readonly refusal: RegExp;
}

type Edit = (opcodes: Buffer[]) => Buffer[];
type Row = readonly [name: string, edit: Edit, problem: RegExp, refusal: RegExp];

const [ORDINAL, SYMBOL, TYPE, PLACE] = [0x10, 0x40, 0x50, 0x70];
const opcodeOf = (item: Buffer) => item.readUInt8(0) & 0xf0;
const without =
  (opcode: number): Edit =>
  (items) =>
    items.filter((item) => opcodeOf(item) !== opcode);
const replaced =
  (opcode: number, ...bytes: number[]): Edit =>
  (items) =>
    items.map((item) => (opcodeOf(item) === opcode ? Buffer.from(bytes) : item));
const before =
  (...bytes: number[]): Edit =>
  (items) => [Buffer.from(bytes), ...items];

const BINDS: readonly Row[] = [
  ['a bind without SET_TYPE_IMM', without(TYPE), /DO_BIND unknown bind type 0$/, /bind of unknown type 0/],
  ['a bind of a text type', replaced(TYPE, 0x52), /unknown bind type 2$/, /bind of unknown type 2/],
  ['an ordinal too large', replaced(ORDINAL, 0x1f), /ordinal too large \(15\) max \(2\)/, /ordinal 15, which is none/],
  ['a special ordinal nobody knows', replaced(ORDINAL, 0x3c), /special ordinal \(-4\)/, /ordinal -4, which is none/],
  ['no ordinal', without(ORDINAL), /missing preceding BIND_OPCODE_SET_DYLIB_ORDINAL/, /without a preceding library/],
  ['no place', without(PLACE), /missing preceding BIND_OPCODE_SET_SEGMENT/, /without a preceding segment/],
  ['a segment too far', replaced(PLACE, 0x7f, 0), /segment index 15 too large|missing/, /segment 15, which is none/],
  ['a bind in __TEXT', replaced(PLACE, 0x70, 0), /non-writable segment __TEXT/, /non-writable segment __TEXT/],
  [
    'an offset beyond its segment',
    replaced(PLACE, 0x72, 0xff, 0xff, 0xff, 0x07),
    /segment offset 0xffffff beyond/,
    /beyond segment/,
  ],
  ['no symbol', without(SYMBOL), /missing preceding BIND_OPCODE_SET_SYMBOL/, /without a preceding symbol/],
  ['an old arm64e opcode', before(0xd0), /old arm64e bind opcodes/, /bind opcode 0xd0/],
  ['an opcode nobody knows', before(0xe0), /unknown bind opcode 0xe0/, /bind opcode 0xe0/],
];

const LAZY_BINDS: readonly Row[] = [
  ['a lazy bind of a text type', before(0x52), /lazy bind opcodes.* unknown bind type 2/, /bind of unknown type 2/],
  ['a lazy ordinal too large', replaced(ORDINAL, 0x1e), /ordinal too large \(14\)/, /ordinal 14, which is none/],
];

const REBASES: readonly Row[] = [
  ['a rebase without a type', replaced(0x10, 0x10), /unknown rebase type 0/, /rebase of unknown type 0/],
  ['rebases that end early', before(0x00), /terminated early/, /end early/],
  ['a rebase in __TEXT', replaced(0x20, 0x20, 0), /rebase is in non-writable segment __TEXT/, /non-writable segment/],
];

/** Returns the slice with each fault that a linker's opcodes, and the pieces around them, could have. */
export function looseOpcodes(slice: Buffer): LooseSlice[] {
  const { offset } = parseMacho(slice).commands.find(({ command }) => command === LC_DYLD_INFO_ONLY)!;
  const info = DYLD_INFO_COMMAND.decode(slice, offset);
  const table = (rows: readonly Row[], start: number, size: number, bind: boolean) =>
    rows.map(([name, edit, problem, refusal]) => {
      const items = splitOpcodes(slice.subarray(start, start + size), bind);
      const bytes = Buffer.from(slice);
      bytes.fill(0, start, start + size);
      Buffer.concat(edit(items)).copy(bytes, start, 0, size);
      return { name, bytes, problem, refusal };
    });
  return [
    ...table(BINDS, info.bindOffset, info.bindSize, true),
    ...table(LAZY_BINDS, info.lazyBindOffset, info.lazyBindSize, true),
    ...table(REBASES, info.rebaseOffset, info.rebaseSize, false),
    cutTable(slice, offset, info.bindSize),
    ...loosePieces(slice, offset),
  ];
}

/** The bind table ends within a name. */
function cutTable(slice: Buffer, command: number, size: number): LooseSlice {
  const bytes = Buffer.from(slice);
  const items = splitOpcodes(slice.subarray(slice.readUInt32LE(command + 16)).subarray(0, size), true);
  const symbol = items.findIndex((item) => opcodeOf(item) === SYMBOL);
  const kept = Buffer.concat(items.slice(0, symbol)).length + 2;
  bytes.writeUInt32LE(kept, command + DYLD_INFO_COMMAND.offsetOf('bindSize'));
  return { name: 'a cut bind table', bytes, problem: /a name without an end/, refusal: /runs past the end/ };
}

function loosePieces(slice: Buffer, info: number): LooseSlice[] {
  const symbols = parseMacho(slice).commands.find(({ command }) => command === LC_SYMTAB)!.offset;
  const at = (field: Parameters<typeof SYMTAB_COMMAND.offsetOf>[0]) => symbols + SYMTAB_COMMAND.offsetOf(field);
  const exports = info + DYLD_INFO_COMMAND.offsetOf('exportOffset');
  const lazy = DYLD_INFO_COMMAND.decode(slice, info).lazyBindOffset;
  const edited = (name: string, offset: number, value: number, problem: RegExp, refusal: RegExp): LooseSlice => {
    const bytes = Buffer.from(slice);
    bytes.writeUInt32LE(value, offset);
    return { name, bytes, problem, refusal };
  };
  const now = (offset: number) => slice.readUInt32LE(offset);
  return [
    edited('a table out of alignment', at('symbolOffset'), now(at('symbolOffset')) + 4, /mis-aligned/, /alignment/),
    edited('two tables in one place', exports, lazy, /overlap of (lazy bind opcodes|exports trie)/, /overlap/),
    edited('a table beyond __LINKEDIT', at('stringSize'), 0x7fffff, /extends beyond end of segment/, /extends beyond/),
    edited('fewer symbols than the other table has', at('symbolCount'), now(at('symbolCount')) - 1, /differ/, /differ/),
  ];
}

/** Returns the opcodes of a table, each with its operands, up to the padding. */
function splitOpcodes(table: Buffer, bind: boolean): Buffer[] {
  const items: Buffer[] = [];
  for (let at = 0; at < table.length; ) {
    const start = at++;
    const opcode = table.readUInt8(start) & 0xf0;
    const numbers = bind ? ({ 32: 1, 96: 1, 112: 1, 128: 1, 160: 1, 192: 2 }[opcode] ?? 0) : 0;
    const rebases = bind ? 0 : ({ 32: 1, 48: 1, 96: 1, 112: 1, 128: 2 }[opcode] ?? 0);
    for (let left = numbers + rebases; left > 0; left--) while (table.readUInt8(at++) >= 0x80);
    if (bind && opcode === SYMBOL) at = table.indexOf(0, at) + 1;
    items.push(table.subarray(start, at));
  }
  return items;
}

/** Returns a slice with chained fixups with each fault that those could have. */
export function looseChains(slice: Buffer): LooseSlice[] {
  const { offset } = parseMacho(slice).commands.find(({ command }) => command === LC_DYLD_CHAINED_FIXUPS)!;
  const data = LINKEDIT_DATA_COMMAND.decode(slice, offset).dataOffset;
  const header = CHAINED_FIXUPS_HEADER.decode(slice, data);
  const starts = data + header.startsOffset;
  const segments = slice.readUInt32LE(starts);
  const used = Array.from({ length: segments }, (_, index) => slice.readUInt32LE(starts + 4 + 4 * index)).find(
    Boolean,
  )!;
  const field = (name: Parameters<typeof CHAINED_FIXUPS_HEADER.offsetOf>[0]) =>
    data + CHAINED_FIXUPS_HEADER.offsetOf(name);
  const inSegment = (name: Parameters<typeof CHAINED_STARTS_IN_SEGMENT.offsetOf>[0]) =>
    starts + used + CHAINED_STARTS_IN_SEGMENT.offsetOf(name);
  const imports = data + header.importsOffset;
  const edited = (name: string, at: number, value: number, width: 2 | 4, problem: RegExp, refusal: RegExp) => {
    const bytes = Buffer.from(slice);
    bytes.writeUIntLE(value, at, width);
    return { name, bytes, problem, refusal };
  };
  const word = slice.readUInt32LE(imports);
  return [
    edited('a newer header', field('version'), 1, 4, /unknown header version \(1\)/, /newer version/),
    edited(
      'starts beyond the table',
      field('startsOffset'),
      0xffff00,
      4,
      /starts_offset exceeds/,
      /beyond their table/,
    ),
    edited('imports beyond the table', field('importsOffset'), 0xffff00, 4, /imports_offset exceeds/, /beyond|overrun/),
    edited('an unknown kind of imports', field('importsFormat'), 9, 4, /unknown imports_format/, /imports format 9/),
    edited('imports over the symbols', field('importsCount'), 0x4000, 4, /overlaps symbols/, /overlap their symbols/),
    edited('compressed symbols', field('symbolsFormat'), 1, 4, /symbols_format unknown/, /newer version/),
    edited('a segment too many', starts, segments + 1, 4, /seg_count exceeds/, /another count of segments/),
    edited('pages of 8 KB', inSegment('pageSize'), 0x2000, 2, /page_size not 4KB or 16KB/, /pages of 8192/),
    edited('an unknown pointer format', inSegment('pointerFormat'), 99, 2, /unknown pointer_format/, /format 99/),
    edited('a chain beyond its page', inSegment('pageCount') + 2, 0x7ffe, 2, /exceeds page size/, /beyond its page/),
    edited('several chains in a page', inSegment('pageCount') + 2, 0x8000, 2, /multi-start/, /several chains/),
    edited('an import of no library', imports, (word & ~0xff) + 9, 4, /ordinal too large \(9\)/, /ordinal 9, which/),
  ];
}
