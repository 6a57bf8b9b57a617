import {
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
  SLOT_CODE_DIRECTORY,
  SLOT_REQUIREMENTS,
} from '../../src/code-signature/super-blob.ts';
import { BUILD_VERSION_COMMAND, LC_BUILD_VERSION, versionText } from '../../src/macho/layout.ts';
import { linkeditPieces } from '../../src/macho/linkedit.ts';
import type { Macho } from '../../src/macho/macho.ts';
import { listSymbols } from '../../src/macho/symbols.ts';

/** A named part of a slice. Offsets and sizes are bytes from the start of the slice. */
export interface Region {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** Virtual address of its first byte; sections alone have one. */
  readonly address?: bigint;
}

const BLOB_NAMES: Readonly<Record<number, string>> = {
  [SLOT_CODE_DIRECTORY]: 'CodeDirectory',
  [SLOT_REQUIREMENTS]: 'requirement set',
  [SLOT_CMS]: 'CMS',
};

/** Names of load commands, LC_REQ_DYLD left aside. Source: mach-o/loader.h. */
const COMMAND_NAMES: Readonly<Record<number, string>> = {
  2: 'LC_SYMTAB',
  11: 'LC_DYSYMTAB',
  12: 'LC_LOAD_DYLIB',
  25: 'LC_SEGMENT_64',
  27: 'LC_UUID',
  28: 'LC_RPATH',
  29: 'LC_CODE_SIGNATURE',
  34: 'LC_DYLD_INFO',
  36: 'LC_VERSION_MIN_MACOSX',
  38: 'LC_FUNCTION_STARTS',
  41: 'LC_DATA_IN_CODE',
  42: 'LC_SOURCE_VERSION',
  50: 'LC_BUILD_VERSION',
  51: 'LC_DYLD_EXPORTS_TRIE',
  52: 'LC_DYLD_CHAINED_FIXUPS',
};
const LC_REQ_DYLD = 0x80000000;

/** Returns the parts of a slice: header, load commands, sections, pieces of __LINKEDIT, blobs of the signature. */
export function regionsOf(slice: Buffer, macho: Macho): Region[] {
  const seen = new Map<string, number>();
  const commands = macho.commands.map(({ command, offset, size }) => {
    const plain = command >= LC_REQ_DYLD ? command - LC_REQ_DYLD : command;
    const name = COMMAND_NAMES[plain] ?? `load command 0x${command.toString(16)}`;
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return { name: count > 1 ? `${name} (${count})` : name, offset, size };
  });
  const first = macho.commands[0]?.offset ?? macho.commandsEnd;
  return [
    { name: 'Mach-O header', offset: 0, size: first },
    ...commands,
    ...macho.segments.flatMap((segment) =>
      segment.sections
        .filter(({ fileOffset, size }) => fileOffset > 0 && size > 0)
        .map(({ name, fileOffset: offset, size }) => {
          const address = segment.vmAddress + BigInt(offset - segment.fileOffset);
          return { name: `${segment.name},${name}`, offset, size, address };
        }),
    ),
    ...linkeditPieces(slice, macho).filter(({ name }) => name !== 'code signature'),
    ...blobRegions(slice, macho),
  ];
}

function blobRegions(slice: Buffer, { codeSignature }: Macho): Region[] {
  if (!codeSignature) return [];
  const { dataOffset, dataSize } = codeSignature;
  const { blobs } = parseSuperBlob(slice.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
  let at = dataOffset + 12 + blobs.length * 8;
  const regions: Region[] = [{ name: 'list of signature blobs', offset: dataOffset, size: at - dataOffset }];
  for (const { type, data } of blobs) {
    regions.push({ name: BLOB_NAMES[type] ?? `signature blob 0x${type.toString(16)}`, offset: at, size: data.length });
    at += data.length;
  }
  return regions;
}

/** Returns the symbol that an address belongs to, such as ` (_decide+0x1c)`; nothing where the table names none. */
export function symbolAt(slice: Buffer, macho: Macho, address: bigint): string {
  const before = listSymbols(slice, macho)
    .filter((symbol) => symbol.defined && symbol.address <= address)
    .sort((a, b) => Number(b.address - a.address));
  const [nearest] = before;
  if (!nearest) return '';
  const behind = address - nearest.address;
  return behind === 0n ? ` (${nearest.name})` : ` (${nearest.name}+0x${behind.toString(16)})`;
}

/** Numbers of tools in LC_BUILD_VERSION. Source: mach-o/loader.h. */
const TOOL_NAMES: Readonly<Record<number, string>> = { 1: 'clang', 2: 'swift', 3: 'ld', 4: 'lld' };
const TOOL_RECORD_SIZE = 8;

/** Returns what LC_BUILD_VERSION says of the tools that made a slice, such as `lld 14.0.6`. */
export function buildTools(slice: Buffer, { commands }: Macho): string[] {
  return commands
    .filter(({ command }) => command === LC_BUILD_VERSION)
    .flatMap(({ offset, size }) => {
      const room = Math.floor((size - BUILD_VERSION_COMMAND.size) / TOOL_RECORD_SIZE);
      const { toolCount } = BUILD_VERSION_COMMAND.decode(slice, offset);
      return Array.from({ length: Math.max(0, Math.min(toolCount, room)) }, (_, index) => {
        const at = offset + BUILD_VERSION_COMMAND.size + index * TOOL_RECORD_SIZE;
        const tool = slice.readUInt32LE(at);
        return `${TOOL_NAMES[tool] ?? `tool ${tool}`} ${versionText(slice.readUInt32LE(at + 4))}`;
      });
    });
}
