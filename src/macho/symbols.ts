import { FormatError } from '../base/errors.ts';
import {
  DYLD_INFO_COMMAND,
  LC_DYLD_EXPORTS_TRIE,
  LC_DYLD_INFO,
  LC_DYLD_INFO_ONLY,
  LC_SYMTAB,
  LINKEDIT_DATA_COMMAND,
  N_EXT,
  N_PEXT,
  N_STAB,
  N_TYPE,
  NLIST_64_SIZE,
  SYMTAB_COMMAND,
} from './layout.ts';
import type { Macho } from './macho.ts';

/** More symbols than the files we look at have; a bound against hostile ones. */
const MAX_SYMBOLS = 1 << 20;
/** Longest symbol that is read from an export trie, in bytes. */
const MAX_NAME = 4096;

/** A symbol of a Mach-O file's symbol table, debugging records left aside. */
export interface Symbol {
  readonly name: string;
  readonly defined: boolean;
  readonly external: boolean;
  /** Virtual address; 0 where the symbol is not defined. */
  readonly address: bigint;
}

/**
 * Returns the names that dyld lets others find in a Mach-O file, sorted: those of its export trie, or those of its symbol table
 * when it has no trie.
 *
 * @throws FormatError when a table lies outside of the slice or loops
 * @example listExports(slice, parseMacho(slice)) // ['_AuthorizationPluginCreate']
 */
export function listExports(slice: Buffer, macho: Macho): string[] {
  const trie = exportTrie(slice, macho);
  if (trie) return walkTrie(trie).sort();
  return listSymbols(slice, macho)
    .filter(({ external, defined }) => external && defined)
    .map(({ name }) => name)
    .sort();
}

/**
 * Returns what the symbol table lists, in its order.
 *
 * @throws FormatError when the table lies outside of the slice
 */
export function listSymbols(slice: Buffer, macho: Macho): Symbol[] {
  const command = macho.commands.find((candidate) => candidate.command === LC_SYMTAB);
  if (!command) return [];
  if (command.size !== SYMTAB_COMMAND.size) throw invalid('SymtabCommand', command.offset + 4, `size ${command.size}`);
  const table = SYMTAB_COMMAND.decode(slice, command.offset);
  if (table.symbolCount > MAX_SYMBOLS) throw invalid('SymtabCommand', command.offset + 12, 'too many symbols');
  const records = within(slice, table.symbolOffset, table.symbolCount * NLIST_64_SIZE, 'symbol table');
  const strings = within(slice, table.stringOffset, table.stringSize, 'string table');
  const found: Symbol[] = [];
  for (let at = 0; at < records.length; at += NLIST_64_SIZE) {
    const type = records.readUInt8(at + 4);
    if ((type & N_STAB) !== 0) continue;
    const name = stringAt(strings, records.readUInt32LE(at), table.symbolOffset + at);
    const external = (type & N_EXT) !== 0 && (type & N_PEXT) === 0;
    found.push({ name, defined: (type & N_TYPE) !== 0, external, address: records.readBigUInt64LE(at + 8) });
  }
  return found;
}

function exportTrie(slice: Buffer, macho: Macho): Buffer | null {
  for (const { command, offset, size } of macho.commands) {
    if (command === LC_DYLD_EXPORTS_TRIE && size === LINKEDIT_DATA_COMMAND.size) {
      const { dataOffset, dataSize } = LINKEDIT_DATA_COMMAND.decode(slice, offset);
      return within(slice, dataOffset, dataSize, 'export trie');
    }
    if ((command === LC_DYLD_INFO || command === LC_DYLD_INFO_ONLY) && size === DYLD_INFO_COMMAND.size) {
      const { exportOffset, exportSize } = DYLD_INFO_COMMAND.decode(slice, offset);
      return within(slice, exportOffset, exportSize, 'export trie');
    }
  }
  return null;
}

/**
 * Returns all names of an export trie. A node is: ULEB128 size of what it exports, that many bytes, a count of children, and for
 * each the characters to add, a NUL and the ULEB128 offset of its node.
 *
 * @see mach-o/loader.h, comment at `struct dyld_info_command`
 */
function walkTrie(trie: Buffer): string[] {
  const names: string[] = [];
  const pending: { offset: number; prefix: string }[] = trie.length > 0 ? [{ offset: 0, prefix: '' }] : [];
  const seen = new Set<number>();
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node.offset)) throw invalid('export trie', node.offset, 'a node with two parents');
    seen.add(node.offset);
    const terminal = uleb128(trie, node.offset);
    if (terminal.value > 0) names.push(node.prefix);
    let at = terminal.end + terminal.value;
    const count = byteAt(trie, at++);
    for (let child = 0; child < count; child++) {
      const end = trie.indexOf(0, at);
      if (end < 0 || node.prefix.length + end - at > MAX_NAME)
        throw invalid('export trie', at, 'a name without an end');
      const target = uleb128(trie, end + 1);
      pending.push({ offset: target.value, prefix: node.prefix + trie.toString('latin1', at, end) });
      at = target.end;
    }
  }
  return names;
}

function uleb128(data: Buffer, offset: number): { value: number; end: number } {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = byteAt(data, offset + index);
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: offset + index + 1 };
  }
  throw invalid('export trie', offset, 'a number of more than 5 bytes');
}

function byteAt(data: Buffer, offset: number): number {
  const byte = data[offset];
  if (byte === undefined) throw invalid('export trie', offset, `beyond its ${data.length} bytes`);
  return byte;
}

function stringAt(strings: Buffer, start: number, symbolOffset: number): string {
  const end = strings.indexOf(0, start);
  if (start >= strings.length || end < 0)
    throw invalid('nlist_64', symbolOffset, `name at ${start} of ${strings.length}`);
  return strings.toString('latin1', start, end);
}

function within(slice: Buffer, offset: number, size: number, what: string): Buffer {
  if (offset + size > slice.length) throw invalid(what, offset, `ends at ${offset + size} of ${slice.length}`);
  return slice.subarray(offset, offset + size);
}

function invalid(structure: string, offset: number, problem: string): FormatError {
  return new FormatError('MACHO_INVALID', structure, offset, problem);
}
