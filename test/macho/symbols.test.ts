import { describe, expect, it } from 'vitest';
import type { Macho } from '../../src/macho/macho.ts';
import { OpcodeReader } from '../../src/macho/opcode-reader.ts';
import { listExports, listSymbols } from '../../src/macho/symbols.ts';

// Numbers, sizes and flags from mach-o/loader.h and mach-o/nlist.h, not from our own table.
const LC_SYMTAB = 0x2;
const LC_FUNCTION_STARTS = 0x26;
const LC_DYLD_EXPORTS_TRIE = 0x80000033;
const [N_EXT, N_PEXT, N_SECT, N_STAB] = [0x01, 0x10, 0x0e, 0x24];

const words = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32LE(value, index * 4);
  return bytes;
};
const machoWith = (command: number, size: number) => ({ commands: [{ command, offset: 0, size }] }) as unknown as Macho;

interface Entry {
  readonly name: string;
  readonly type: number;
  readonly value: bigint;
}

/** LC_SYMTAB, then the records, then the names, one behind the other. */
function symbolTable(entries: readonly Entry[], change: { count?: number; strings?: number; size?: number } = {}) {
  const names = Buffer.from(entries.map(({ name }) => `${name}\0`).join(''), 'latin1');
  const records = entries.map(({ type, value }, index) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(
      entries.slice(0, index).reduce((sum, { name }) => sum + name.length + 1, 0),
      0,
    );
    record.writeUInt8(type, 4);
    record.writeBigUInt64LE(value, 8);
    return record;
  });
  const symbols = 24;
  const strings = symbols + records.length * 16;
  const { count = entries.length, strings: size = names.length } = change;
  const command = words(LC_SYMTAB, 24, symbols, count, strings, size);
  const slice = Buffer.concat([command, ...records, names]);
  return { slice, macho: machoWith(LC_SYMTAB, change.size ?? 24) };
}

const ENTRIES: readonly Entry[] = [
  { name: '_outside', type: N_EXT, value: 0n },
  { name: '_first', type: N_SECT | N_EXT, value: 0x100000f00n },
  { name: '_hidden', type: N_SECT | N_EXT | N_PEXT, value: 0x10n },
  { name: 'line', type: N_STAB, value: 0x20n },
  { name: '_own', type: N_SECT, value: 0x30n },
];

describe('a symbol table', () => {
  it('is read with names, kinds and addresses, debugging records left aside', () => {
    const { slice, macho } = symbolTable(ENTRIES);
    expect(listSymbols(slice, macho)).toEqual([
      { name: '_outside', defined: false, external: true, address: 0n },
      { name: '_first', defined: true, external: true, address: 0x100000f00n },
      { name: '_hidden', defined: true, external: false, address: 0x10n },
      { name: '_own', defined: true, external: false, address: 0x30n },
    ]);
    expect(listExports(slice, macho)).toEqual(['_first']);
    expect(listSymbols(slice, { commands: [] } as unknown as Macho)).toEqual([]);
  });

  it.each([
    ['a command of another size', { size: 32 }, 'SymtabCommand, offset 4: size 32'],
    ['one record more than there is room for', { count: 20 }, 'symbol table, offset 24: ends at 344 of'],
    ['more symbols than any file has', { count: (1 << 20) + 1 }, 'SymtabCommand, offset 12: too many symbols'],
    ['as many as are allowed, which do not fit', { count: 1 << 20 }, 'symbol table, offset 24: ends at'],
    ['a string table one byte too long', { strings: 35 }, 'string table, offset 104: ends at 139 of 138'],
    ['a name that does not end', { strings: 33 }, 'nlist_64, offset 88: name at 29 of 33'],
  ])('is refused: %s', (_, change, problem) => {
    const { slice, macho } = symbolTable(ENTRIES, change);
    expect(() => listSymbols(slice, macho)).toThrow(problem);
  });
});

describe('a symbol without a name', () => {
  it('is read, where the table of names begins with an empty one', () => {
    const { slice, macho } = symbolTable([{ name: '', type: N_SECT, value: 1n }]);
    expect(listSymbols(slice, macho)).toEqual([{ name: '', defined: true, external: false, address: 1n }]);
  });
});

describe('an export trie', () => {
  const read = (trie: readonly number[], size = 16) => {
    const slice = Buffer.concat([words(LC_DYLD_EXPORTS_TRIE, 16, 16, trie.length), Buffer.from(trie)]);
    return listExports(slice, machoWith(LC_DYLD_EXPORTS_TRIE, size));
  };
  const [a, b] = [0x61, 0x62];

  it('names every node that exports something', () => {
    // "a" exports, with one byte about it; "ab" exports too; "b" only leads on and has no child.
    expect(read([0, 2, a, 0, 8, b, 0, 14, 1, 0, 1, b, 0, 16, 0, 0, 1, 0, 0])).toEqual(['a', 'ab']);
  });

  it('may be empty', () => expect(read([])).toEqual([]));

  it('is not looked for in a command of another size, nor in another one of its size', () => {
    expect(read([0, 0], 24)).toEqual([]);
    const slice = Buffer.concat([words(LC_FUNCTION_STARTS, 16, 16, 6), Buffer.from([0, 1, a, 0, 5, 1])]);
    expect(listExports(slice, machoWith(LC_FUNCTION_STARTS, 16))).toEqual([]);
  });

  // LC_DYLD_INFO and LC_DYLD_INFO_ONLY: 48 bytes, the last two words say where the trie lies.
  it.each([0x22, 0x80000022])('is found by command %i of 48 bytes', (command) => {
    const trie = Buffer.from([0, 1, a, 0, 5, 1, 0, 0]);
    const info = (size: number) => Buffer.concat([words(command, size, 1, 2, 3, 4, 5, 6, 7, 8, 48, trie.length), trie]);
    expect(listExports(info(48), machoWith(command, 48))).toEqual(['a']);
    for (const size of [40, 56]) expect(listExports(info(size), machoWith(command, size))).toEqual([]);
    expect(listExports(info(48), machoWith(command + 1, 48))).toEqual([]);
    expect(() => listExports(info(48).subarray(0, -1), machoWith(command, 48))).toThrow(
      'export trie, offset 48: ends at 56 of 55',
    );
  });

  it('is that of the first command that names one, and comes before the table of symbols', () => {
    const tries = [Buffer.from([0, 1, a, 0, 5, 1, 0, 0]), Buffer.from([0, 1, b, 0, 5, 1, 0, 0])];
    const slice = Buffer.concat([words(0x80000033, 16, 32, 8), words(0x80000033, 16, 40, 8), ...tries]);
    const commands = [0, 16].map((offset) => ({ command: LC_DYLD_EXPORTS_TRIE, offset, size: 16 }));
    expect(listExports(slice, { commands } as unknown as Macho)).toEqual(['a']);
    const { slice: table, macho } = symbolTable(ENTRIES);
    const at = table.length;
    const both = Buffer.concat([table, words(0x80000033, 16, at + 16, 8), tries[1]!]);
    const after = [...macho.commands, { command: LC_DYLD_EXPORTS_TRIE, offset: at, size: 16 }];
    expect(listExports(both, { commands: after } as unknown as Macho)).toEqual(['b']);
    expect(listExports(both, { commands: after.slice(0, 1) } as unknown as Macho)).toEqual(['_first']);
  });

  it('gives its names sorted, as the table of symbols does', () => {
    expect(read([0, 2, b, 0, 8, a, 0, 11, 1, 0, 0, 1, 0, 0])).toEqual(['a', 'b']);
    const { slice, macho } = symbolTable([
      { name: 'b', type: N_SECT | N_EXT, value: 1n },
      { name: 'a', type: N_SECT | N_EXT, value: 2n },
    ]);
    expect(listExports(slice, macho)).toEqual(['a', 'b']);
    expect(listSymbols(slice, macho).map(({ name }) => name)).toEqual(['b', 'a']);
  });

  it('has numbers of up to 5 bytes, of which each gives 7 bits', () => {
    const far = [0x80 | 0x48, 0x81, 0x80, 0x80, 0]; // 0x48 + (1 << 7) = 200
    const trie = [0, 1, a, 0, ...far, ...Array<number>(200 - 9).fill(0), 0x81, 0, 0, 0];
    expect(read(trie)).toEqual(['a']);
  });

  it.each([
    ['a node with two parents', [0, 2, a, 0, 8, b, 0, 8, 0, 0], 'offset 8: a node with two parents'],
    ['a name without an end', [0, 1, a, b], 'offset 2: a name without an end'],
    ['a child beyond the table', [0, 1, a, 0, 9], 'offset 9: beyond its 5 bytes'],
    ['a number of six bytes', [0, 1, a, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 1], 'a number of more than 5 bytes'],
  ])('is refused: %s', (_, trie, problem) => {
    expect(() => read(trie)).toThrow(problem);
  });

  it('takes names of 4,096 characters, and not of one more', () => {
    const named = (length: number) => {
      const at = 4 + length + 1; // behind the name, its end and the offset in two bytes
      return [0, 1, ...Array<number>(length).fill(a), 0, (at & 0x7f) | 0x80, at >> 7, 1, 0, 0];
    };
    expect(read(named(4096))).toEqual(['a'.repeat(4096)]);
    expect(() => read(named(4097))).toThrow('a name without an end');
  });
});

describe('OpcodeReader', () => {
  const reader = (...bytes: number[]) => new OpcodeReader('table', Buffer.from(bytes), 0, bytes.length);

  it('reads a table up to the end of its slice, and refuses one that goes beyond', () => {
    expect(new OpcodeReader('table', Buffer.alloc(8), 4, 4).left).toBe(4);
    expect(() => new OpcodeReader('table', Buffer.alloc(8), 4, 5)).toThrow('table, offset 4: ends at 9 of 8');
  });

  // DWARF 5, section 7.6, table 7.7.
  it.each([
    [[0x02], 2n],
    [[0x7e], -2n],
    [[0xff, 0x00], 127n],
    [[0x81, 0x7f], -127n],
    [[0x80, 0x01], 128n],
    [[0x80, 0x7f], -128n],
  ])('reads the signed number %j', (bytes, value) => {
    const signed = reader(...bytes);
    expect([signed.sleb(), signed.done]).toEqual([value, true]);
  });

  it.each([
    [[0x02], 2n],
    [[0x7f], 127n],
    [[0x80, 0x01], 128n],
    [[0xb9, 0x64], 12857n],
    [[...Array<number>(9).fill(0xff), 0x01], 2n ** 64n - 1n],
  ])('reads the unsigned number %j', (bytes, value) => {
    const unsigned = reader(...bytes);
    expect([unsigned.uleb(), unsigned.done]).toEqual([value, true]);
  });

  it('reads a name up to its NUL, an empty one too', () => {
    const names = reader(0, a, b, 0, b, 0);
    expect([names.text(), names.text(), names.text(), names.done]).toEqual(['', 'ab', 'b', true]);
  });

  it('refuses numbers of more than 64 bits, and what ends too soon', () => {
    expect(() => reader(...Array<number>(9).fill(0xff), 0x02).uleb()).toThrow('uleb128 of more than 64 bits');
    expect(() => reader(...Array<number>(10).fill(0x80), 0x00).sleb()).toThrow('sleb128 of more than 64 bits');
    expect(() => reader(0x80).uleb()).toThrow('the table ends within an opcode');
    expect(() => reader(a, b).text()).toThrow('a name without an end');
  });
  const [a, b] = [0x61, 0x62];
});
