import { bytes, type Field, layout, u16le, u32be, u32le, u64be, u64le } from '../base/layout.ts';

/** Header of a 32-bit Mach-O file, 28 bytes; the 64-bit one begins with the same fields. Source: `struct mach_header`, mach-o/loader.h. */
const machHeader = (word: Field<number>) =>
  layout('MachHeader', {
    magic: word, // MH_MAGIC, MH_MAGIC_64
    cpuType: word,
    cpuSubtype: word,
    fileType: word,
    commandCount: word,
    commandsSize: word, // bytes
    flags: word,
  });
/** In the byte order of x86 and ARM, and in that of PowerPC. */
export const MACH_HEADER_LE = machHeader(u32le);
export const MACH_HEADER_BE = machHeader(u32be);

/** Header of a 64-bit Mach-O file, 32 bytes, little-endian. Source: `struct mach_header_64`, mach-o/loader.h. */
export const MACH_HEADER_64 = layout('MachHeader64', {
  magic: u32le, // MH_MAGIC_64
  cpuType: u32le, // CPU_TYPE_*
  cpuSubtype: u32le, // low 24 bits: model; high 8 bits: capabilities
  fileType: u32le, // MH_*
  commandCount: u32le,
  commandsSize: u32le, // bytes of all load commands, which follow the header
  flags: u32le,
  reserved: u32le,
});

/** Header of a universal file, 8 bytes, big-endian. Source: `struct fat_header`, mach-o/fat.h. */
export const FAT_HEADER = layout('FatHeader', {
  magic: u32be, // FAT_MAGIC
  count: u32be, // records that follow
});

/** One slice of a universal file, 20 bytes, big-endian. Source: `struct fat_arch`, mach-o/fat.h. */
export const FAT_ARCH = layout('FatArch', {
  cpuType: u32be,
  cpuSubtype: u32be,
  offset: u32be, // bytes from the start of the file
  size: u32be, // bytes
  alignment: u32be, // power of two that divides the offset
});

/** The same in a universal file with 64-bit offsets, 32 bytes, big-endian. Source: `struct fat_arch_64`, mach-o/fat.h. */
export const FAT_ARCH_64 = layout('FatArch64', {
  cpuType: u32be,
  cpuSubtype: u32be,
  offset: u64be,
  size: u64be,
  alignment: u32be,
  reserved: u32be,
});

/** First two words of every load command. Source: `struct load_command`, mach-o/loader.h. */
export const LOAD_COMMAND = layout('LoadCommand', {
  command: u32le, // LC_*
  size: u32le, // bytes, this header included; a multiple of 8 in 64-bit files
});

/** A segment, 72 bytes, its sections follow. Source: `struct segment_command_64`, mach-o/loader.h. */
export const SEGMENT_COMMAND_64 = layout('SegmentCommand64', {
  command: u32le, // LC_SEGMENT_64
  size: u32le, // 72 + 80 * sectionCount
  segmentName: bytes(16), // NUL padded
  vmAddress: u64le,
  vmSize: u64le, // bytes in memory
  fileOffset: u64le,
  fileSize: u64le, // bytes in the file
  maxProtection: u32le,
  initialProtection: u32le,
  sectionCount: u32le,
  flags: u32le,
});

/** A section, 80 bytes. Source: `struct section_64`, mach-o/loader.h. */
export const SECTION_64 = layout('Section64', {
  sectionName: bytes(16),
  segmentName: bytes(16),
  address: u64le,
  size: u64le, // bytes
  fileOffset: u32le, // 0 for zero-filled sections
  alignment: u32le, // power of two
  relocationOffset: u32le,
  relocationCount: u32le,
  flags: u32le, // low 8 bits: type
  reserved1: u32le,
  reserved2: u32le,
  reserved3: u32le,
});

/** A segment of a 32-bit file, 56 bytes, its sections follow. Source: `struct segment_command`, mach-o/loader.h. */
export const SEGMENT_COMMAND = layout('SegmentCommand', {
  command: u32le, // LC_SEGMENT
  size: u32le, // 56 + 68 * sectionCount
  segmentName: bytes(16),
  vmAddress: u32le,
  vmSize: u32le,
  fileOffset: u32le,
  fileSize: u32le,
  maxProtection: u32le,
  initialProtection: u32le,
  sectionCount: u32le,
  flags: u32le,
});

/** A section of a 32-bit file, 68 bytes. Source: `struct section`, mach-o/loader.h. */
export const SECTION = layout('Section', {
  sectionName: bytes(16),
  segmentName: bytes(16),
  address: u32le,
  size: u32le,
  fileOffset: u32le,
  alignment: u32le,
  relocationOffset: u32le,
  relocationCount: u32le,
  flags: u32le,
  reserved1: u32le,
  reserved2: u32le,
});

/** A piece of __LINKEDIT, 16 bytes; LC_CODE_SIGNATURE is one. Source: `struct linkedit_data_command`, mach-o/loader.h. */
export const LINKEDIT_DATA_COMMAND = layout('LinkeditDataCommand', {
  command: u32le,
  size: u32le, // 16
  dataOffset: u32le, // bytes from the start of the slice
  dataSize: u32le,
});

/** Platform and versions, 24 bytes, tool records follow. Source: `struct build_version_command`, mach-o/loader.h. */
export const BUILD_VERSION_COMMAND = layout('BuildVersionCommand', {
  command: u32le,
  size: u32le,
  platform: u32le, // 1 macOS
  minimumOs: u32le, // xxxx.yy.zz packed in 16, 8 and 8 bits
  sdk: u32le, // packed likewise
  toolCount: u32le,
});

/** Versions in files for older systems, 16 bytes. Source: `struct version_min_command`, mach-o/loader.h. */
export const VERSION_MIN_COMMAND = layout('VersionMinCommand', {
  command: u32le,
  size: u32le,
  minimumOs: u32le,
  sdk: u32le,
});

/** A library that is linked, 24 bytes, its name follows. Source: `struct dylib_command`, mach-o/loader.h. */
export const DYLIB_COMMAND = layout('DylibCommand', {
  command: u32le,
  size: u32le,
  nameOffset: u32le, // bytes from the start of the command
  timestamp: u32le,
  currentVersion: u32le,
  compatibilityVersion: u32le,
});

/** Symbol and string table, 24 bytes. Source: `struct symtab_command`, mach-o/loader.h. */
export const SYMTAB_COMMAND = layout('SymtabCommand', {
  command: u32le,
  size: u32le,
  symbolOffset: u32le, // bytes from the start of the slice; 16 bytes a symbol
  symbolCount: u32le,
  stringOffset: u32le,
  stringSize: u32le,
});

/** Rebase, bind and export information, 48 bytes. Source: `struct dyld_info_command`, mach-o/loader.h. */
export const DYLD_INFO_COMMAND = layout('DyldInfoCommand', {
  command: u32le,
  size: u32le,
  rebaseOffset: u32le,
  rebaseSize: u32le,
  bindOffset: u32le,
  bindSize: u32le,
  weakBindOffset: u32le,
  weakBindSize: u32le,
  lazyBindOffset: u32le,
  lazyBindSize: u32le,
  exportOffset: u32le,
  exportSize: u32le,
});

/** Which symbols are local, external and undefined, and tables by symbol, 80 bytes. Source: `struct dysymtab_command`, mach-o/loader.h. */
export const DYSYMTAB_COMMAND = layout('DysymtabCommand', {
  command: u32le,
  size: u32le,
  firstLocal: u32le,
  localCount: u32le,
  firstExternal: u32le,
  externalCount: u32le,
  firstUndefined: u32le,
  undefinedCount: u32le,
  contentsOffset: u32le,
  contentsCount: u32le,
  modulesOffset: u32le,
  modulesCount: u32le,
  externalReferencesOffset: u32le,
  externalReferencesCount: u32le,
  indirectSymbolOffset: u32le,
  indirectSymbolCount: u32le,
  externalRelocationOffset: u32le,
  externalRelocationCount: u32le,
  localRelocationOffset: u32le,
  localRelocationCount: u32le,
});

/** What LC_DYLD_CHAINED_FIXUPS names begins with this, 28 bytes. Source: `struct dyld_chained_fixups_header`, mach-o/fixup-chains.h. */
export const CHAINED_FIXUPS_HEADER = layout('ChainedFixupsHeader', {
  version: u32le, // 0
  startsOffset: u32le, // bytes from here, as the two below
  importsOffset: u32le,
  symbolsOffset: u32le,
  importsCount: u32le,
  importsFormat: u32le, // DYLD_CHAINED_IMPORT*
  symbolsFormat: u32le, // 0: not compressed
});

/** Where the chains of a segment begin, 22 bytes, an offset a page follows. Source: `struct dyld_chained_starts_in_segment`, there. */
export const CHAINED_STARTS_IN_SEGMENT = layout('ChainedStartsInSegment', {
  structureSize: u32le, // bytes, page starts included
  pageSize: u16le, // 4096 or 16384
  pointerFormat: u16le, // DYLD_CHAINED_PTR_*
  segmentOffset: u64le,
  maxValidPointer: u32le,
  pageCount: u16le,
});

/** Unique id, 24 bytes. Source: `struct uuid_command`, mach-o/loader.h. */
export const UUID_COMMAND = layout('UuidCommand', { command: u32le, size: u32le, uuid: bytes(16) });

/** Size in bytes of one symbol. Source: `struct nlist_64`, mach-o/nlist.h. */
export const NLIST_64_SIZE = 16;
/** Bits of `n_type`: any of these marks a debugging entry; type field; visible to others. Source: mach-o/nlist.h. */
export const N_STAB = 0xe0;
export const N_TYPE = 0x0e;
export const N_EXT = 0x01;
export const N_PEXT = 0x10;

/** Source of all below: mach-o/loader.h, mach-o/fat.h and mach/machine.h. */
export const FAT_MAGIC = 0xcafebabe;
/** With 64-bit offsets. Nothing that is signed for macOS 10.14 uses it, and codesign does not write it for small files. */
export const FAT_MAGIC_64 = 0xcafebabf;
/**
 * A Java class file begins with FAT_MAGIC too; its next word is a version, from 45 on, where a universal file counts its slices.
 * Source: The Java Virtual Machine Specification, section 4.1.
 */
export const FIRST_JAVA_VERSION = 45;
export const MH_MAGIC = 0xfeedface;
export const MH_MAGIC_64 = 0xfeedfacf;
/** File types that macOS neither runs nor loads: object files, core dumps, debugging symbols. */
export const MH_OBJECT = 1;
export const MH_CORE = 4;
export const MH_DSYM = 10;
export const MH_EXECUTE = 2;
export const MH_BUNDLE = 8;
/** CPU_TYPE_*. */
export const CPU_TYPE_I386 = 7;
export const CPU_TYPE_ARM = 12;
export const CPU_TYPE_POWERPC = 18;
export const CPU_TYPE_POWERPC64 = 0x01000012;
export const CPU_TYPE_ARM64_32 = 0x0200000c;
export const CPU_TYPE_X86_64 = 0x01000007;
export const CPU_TYPE_ARM64 = 0x0100000c;
export const PLATFORM_MACOS = 1;
export const LC_SEGMENT = 0x1;
export const LC_SYMTAB = 0x2;
export const LC_LOAD_DYLIB = 0xc;
export const LC_SEGMENT_64 = 0x19;
export const LC_DYSYMTAB = 0xb;
export const LC_UUID = 0x1b;
export const LC_SEGMENT_SPLIT_INFO = 0x1e;
export const LC_FUNCTION_STARTS = 0x26;
export const LC_DATA_IN_CODE = 0x29;
export const LC_ATOM_INFO = 0x36;
export const LC_CODE_SIGNATURE = 0x1d;
export const LC_DYLD_INFO = 0x22;
export const LC_VERSION_MIN_MACOSX = 0x24;
export const LC_BUILD_VERSION = 0x32;
/** Set in commands that dyld must understand. */
export const LC_REQ_DYLD = 0x80000000;
export const LC_DYLD_INFO_ONLY = LC_REQ_DYLD + 0x22;
export const LC_LOAD_WEAK_DYLIB = LC_REQ_DYLD + 0x18;
export const LC_REEXPORT_DYLIB = LC_REQ_DYLD + 0x1f;
export const LC_LOAD_UPWARD_DYLIB = LC_REQ_DYLD + 0x23;
export const LC_LAZY_LOAD_DYLIB = 0x20;
export const LC_DYLD_EXPORTS_TRIE = LC_REQ_DYLD + 0x33;
export const LC_DYLD_CHAINED_FIXUPS = LC_REQ_DYLD + 0x34;
/** Section types without bytes in the file: S_ZEROFILL, S_GB_ZEROFILL, S_THREAD_LOCAL_ZEROFILL. */
export const ZERO_FILLED_SECTION_TYPES: readonly number[] = [0x1, 0xc, 0x12];

/** Processors that macOS and its kin ever ran on. */
const ARCHITECTURES: readonly (readonly [number, string])[] = [
  [CPU_TYPE_X86_64, 'x86_64'],
  [CPU_TYPE_ARM64, 'arm64'],
  [CPU_TYPE_I386, 'i386'],
  [CPU_TYPE_ARM, 'arm'],
  [CPU_TYPE_POWERPC, 'ppc'],
  [CPU_TYPE_POWERPC64, 'ppc64'],
  [CPU_TYPE_ARM64_32, 'arm64_32'],
];
export const CPU_TYPES: readonly number[] = ARCHITECTURES.map(([type]) => type);

/**
 * Returns the name of a processor as Apple's tools print it, or its number in hexadecimal.
 *
 * @example architectureName(0x0100000c, 2) // 'arm64e'
 */
export function architectureName(cpuType: number, cpuSubtype: number): string {
  if (cpuType === CPU_TYPE_ARM64 && (cpuSubtype & 0xffffff) === 2) return 'arm64e';
  const known = ARCHITECTURES.find(([type]) => type === cpuType);
  return known ? known[1] : `cpu-0x${cpuType.toString(16)}`;
}

/** Returns a packed version in text; the last part is left out when it is 0. `versionText(0x000e0400)` is `14.4`. */
export function versionText(packed: number): string {
  const parts = [packed >>> 16, (packed >>> 8) & 0xff, packed & 0xff];
  if (parts[2] === 0) parts.pop();
  return parts.join('.');
}
