import {
  DYLD_INFO_COMMAND,
  DYSYMTAB_COMMAND,
  LC_ATOM_INFO,
  LC_CODE_SIGNATURE,
  LC_DATA_IN_CODE,
  LC_DYLD_CHAINED_FIXUPS,
  LC_DYLD_EXPORTS_TRIE,
  LC_DYLD_INFO,
  LC_DYLD_INFO_ONLY,
  LC_DYSYMTAB,
  LC_FUNCTION_STARTS,
  LC_SEGMENT_SPLIT_INFO,
  LC_SYMTAB,
  LINKEDIT_DATA_COMMAND,
  NLIST_64_SIZE,
  SYMTAB_COMMAND,
} from './layout.ts';
import { builtSince, type LoadCommand, type Macho } from './macho.ts';

/** A piece of __LINKEDIT. Offset, size and alignment in bytes. */
export interface Piece {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly alignment: number;
}

/** Source: `struct relocation_info`, mach-o/reloc.h. */
const RELOCATION_SIZE = 8;
const POINTER_SIZE = 8;
/** Packed as in LC_BUILD_VERSION. Source: Policy.cpp, "fall2018" and "fall2019". */
const SDK_10_14 = 0x000a_0e00;
const SDK_10_15 = 0x000a_0f00;

const DATA_COMMANDS: ReadonlyMap<number, string> = new Map([
  [LC_SEGMENT_SPLIT_INFO, 'shared cache info'],
  [LC_ATOM_INFO, 'atom info'],
  [LC_FUNCTION_STARTS, 'function starts'],
  [LC_DATA_IN_CODE, 'data in code'],
  [LC_CODE_SIGNATURE, 'code signature'],
  [LC_DYLD_EXPORTS_TRIE, 'exports trie'],
  [LC_DYLD_CHAINED_FIXUPS, 'chained fixups'],
]);

/**
 * Returns why dyld would not take the pieces of __LINKEDIT for sound, or null: they may not overlap, leave the segment or be
 * out of alignment, counts of symbols must agree, and fixups come in one encoding.
 *
 * @see dyld-1378, mach_o/Image.cpp, validStructureLinkedit
 */
export function linkeditProblem(slice: Buffer, macho: Macho): string | null {
  const pieces = linkeditPieces(slice, macho);
  return symbolProblem(slice, macho) ?? encodingProblem(macho, pieces) ?? placeProblem(macho, pieces);
}

/** Returns the pieces of __LINKEDIT that load commands name, empty ones left out. */
export function linkeditPieces(slice: Buffer, { commands }: Macho): Piece[] {
  return commands.flatMap((command) => piecesOf(slice, command)).filter(({ size }) => size > 0);
}

function piecesOf(slice: Buffer, { command, offset }: LoadCommand): Piece[] {
  const piece = (name: string, at: number, size: number, alignment = POINTER_SIZE): Piece => ({
    name,
    offset: at,
    size,
    alignment,
  });
  const name = DATA_COMMANDS.get(command);
  if (name !== undefined) {
    const { dataOffset, dataSize } = LINKEDIT_DATA_COMMAND.decode(slice, offset);
    return [piece(name, dataOffset, dataSize)];
  }
  if (command === LC_SYMTAB) {
    const table = SYMTAB_COMMAND.decode(slice, offset);
    return [
      piece('symbol table', table.symbolOffset, table.symbolCount * NLIST_64_SIZE),
      piece('symbol table strings', table.stringOffset, table.stringSize, 1),
    ];
  }
  if (command === LC_DYSYMTAB) {
    const table = DYSYMTAB_COMMAND.decode(slice, offset);
    return [
      piece('local relocations', table.localRelocationOffset, table.localRelocationCount * RELOCATION_SIZE),
      piece('external relocations', table.externalRelocationOffset, table.externalRelocationCount * RELOCATION_SIZE),
      piece('indirect symbol table', table.indirectSymbolOffset, table.indirectSymbolCount * 4, 4),
    ];
  }
  if (command !== LC_DYLD_INFO && command !== LC_DYLD_INFO_ONLY) return [];
  const info = DYLD_INFO_COMMAND.decode(slice, offset);
  return [
    piece('rebase opcodes', info.rebaseOffset, info.rebaseSize),
    piece('bind opcodes', info.bindOffset, info.bindSize),
    piece('weak bind opcodes', info.weakBindOffset, info.weakBindSize),
    piece('lazy bind opcodes', info.lazyBindOffset, info.lazyBindSize),
    piece('exports trie', info.exportOffset, info.exportSize),
  ];
}

function symbolProblem(slice: Buffer, macho: Macho): string | null {
  const symbols = macho.commands.find(({ command }) => command === LC_SYMTAB);
  const dynamic = macho.commands.find(({ command }) => command === LC_DYSYMTAB);
  if (!dynamic) return null;
  const table = DYSYMTAB_COMMAND.decode(slice, dynamic.offset);
  if (table.firstLocal !== 0) return 'LINKEDIT: indirect symbol table ilocalsym != 0';
  if (table.firstExternal !== table.localCount) return 'LINKEDIT: indirect symbol table iextdefsym != nlocalsym';
  if (table.firstUndefined !== table.firstExternal + table.externalCount)
    return 'LINKEDIT: indirect symbol table iundefsym != iextdefsym+nextdefsym';
  const count = symbols ? SYMTAB_COMMAND.decode(slice, symbols.offset).symbolCount : 0;
  return count === table.firstUndefined + table.undefinedCount
    ? null
    : 'LINKEDIT: symbol count from symbol table and dynamic symbol table differ';
}

function encodingProblem(macho: Macho, pieces: readonly Piece[]): string | null {
  const has = (...wanted: number[]) => macho.commands.some(({ command }) => wanted.includes(command));
  const chained = has(LC_DYLD_CHAINED_FIXUPS);
  const opcodes = has(LC_DYLD_INFO_ONLY);
  const relocations = pieces.find(({ name }) => name.endsWith('relocations'))?.name;
  if (chained && opcodes) return 'LINKEDIT: LC_DYLD_INFO and LC_DYLD_CHAINED_FIXUPS in one file';
  if (relocations === undefined) return null;
  if (chained) return `LINKEDIT: LC_DYLD_CHAINED_FIXUPS and ${relocations} in one file`;
  return opcodes && builtSince(macho, SDK_10_14) ? `LINKEDIT: LC_DYLD_INFO_ONLY and ${relocations} in one file` : null;
}

function placeProblem(macho: Macho, pieces: readonly Piece[]): string | null {
  const segment = macho.segments.find(({ name }) => name === '__LINKEDIT');
  if (!segment || segment.fileOffset === 0) return 'LINKEDIT: bad or unknown file offset or size';
  if (pieces.length === 0) return 'LINKEDIT: no information';
  let before = { name: 'start of LINKEDIT', end: segment.fileOffset };
  for (const piece of [...pieces].sort((a, b) => a.offset - b.offset)) {
    const end = piece.offset + piece.size;
    if (piece.offset < before.end) return `LINKEDIT: overlap of ${before.name} and ${piece.name}`;
    if (end > segment.fileOffset + segment.fileSize)
      return `LINKEDIT: content '${piece.name}' extends beyond end of segment`;
    const enforced = builtSince(macho, piece.name === 'code signature' ? SDK_10_15 : SDK_10_14);
    if (enforced && piece.offset % piece.alignment !== 0) return `LINKEDIT: mis-aligned content '${piece.name}'`;
    before = { name: piece.name, end };
  }
  return null;
}
