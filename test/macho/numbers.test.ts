import { describe, expect, it } from 'vitest';
import * as table from '../../src/macho/layout.ts';

// Written down from mach-o/loader.h, fat.h, nlist.h, fixup-chains.h and mach/machine.h, and not from our own table.
describe('the numbers of Mach-O', () => {
  it('are those of the headers', () => {
    const numbers = Object.fromEntries(Object.entries(table).filter(([, value]) => typeof value === 'number'));
    expect(numbers).toEqual({
      NLIST_64_SIZE: 16, N_STAB: 0xe0, N_TYPE: 0x0e, N_EXT: 1, N_PEXT: 0x10,
      FAT_MAGIC: 0xcafebabe, FAT_MAGIC_64: 0xcafebabf, FIRST_JAVA_VERSION: 45,
      MH_MAGIC: 0xfeedface, MH_MAGIC_64: 0xfeedfacf, MH_OBJECT: 1, MH_EXECUTE: 2, MH_CORE: 4, MH_BUNDLE: 8, MH_DSYM: 10,
      CPU_TYPE_I386: 7, CPU_TYPE_ARM: 12, CPU_TYPE_POWERPC: 18, CPU_TYPE_X86_64: 0x01000007, CPU_TYPE_ARM64: 0x0100000c,
      CPU_TYPE_POWERPC64: 0x01000012, CPU_TYPE_ARM64_32: 0x0200000c, PLATFORM_MACOS: 1,
      LC_SEGMENT: 0x1, LC_SYMTAB: 0x2, LC_DYSYMTAB: 0xb, LC_LOAD_DYLIB: 0xc, LC_SEGMENT_64: 0x19, LC_UUID: 0x1b,
      LC_CODE_SIGNATURE: 0x1d, LC_SEGMENT_SPLIT_INFO: 0x1e, LC_LAZY_LOAD_DYLIB: 0x20, LC_DYLD_INFO: 0x22,
      LC_VERSION_MIN_MACOSX: 0x24, LC_FUNCTION_STARTS: 0x26, LC_DATA_IN_CODE: 0x29, LC_BUILD_VERSION: 0x32, LC_ATOM_INFO: 0x36,
      LC_REQ_DYLD: 0x80000000, LC_DYLD_INFO_ONLY: 0x80000022, LC_LOAD_WEAK_DYLIB: 0x80000018, LC_REEXPORT_DYLIB: 0x8000001f,
      LC_LOAD_UPWARD_DYLIB: 0x80000023, LC_DYLD_EXPORTS_TRIE: 0x80000033, LC_DYLD_CHAINED_FIXUPS: 0x80000034,
    }); // biome-ignore format: a table
    expect(table.ZERO_FILLED_SECTION_TYPES).toEqual([1, 12, 18]);
  });

  it('lay their structures out as the headers do', () => {
    const sizes = Object.entries(table).flatMap(([name, value]) => typeof value === 'object' && 'size' in value ? [[name, value.size]] : []);
    expect(Object.fromEntries(sizes)).toEqual({
      MACH_HEADER_LE: 28, MACH_HEADER_BE: 28, MACH_HEADER_64: 32, FAT_HEADER: 8, FAT_ARCH: 20, FAT_ARCH_64: 32, LOAD_COMMAND: 8,
      SEGMENT_COMMAND_64: 72, SECTION_64: 80, SEGMENT_COMMAND: 56, SECTION: 68, LINKEDIT_DATA_COMMAND: 16,
      BUILD_VERSION_COMMAND: 24, VERSION_MIN_COMMAND: 16, DYLIB_COMMAND: 24, SYMTAB_COMMAND: 24, DYLD_INFO_COMMAND: 48,
      DYSYMTAB_COMMAND: 80, CHAINED_FIXUPS_HEADER: 28, CHAINED_STARTS_IN_SEGMENT: 22, UUID_COMMAND: 24,
    }); // biome-ignore format: a table
  }); // biome-ignore format: a table

  it.each<[number, number, string]>([
    [0x01000007, 3, 'x86_64'],
    [0x0100000c, 0, 'arm64'],
    [0x0100000c, 1, 'arm64'],
    [0x0100000c, 2, 'arm64e'],
    [0x0100000c, 0x80000002, 'arm64e'],
    [0x0100000c, 3, 'arm64'],
    [0x01000007, 2, 'x86_64'],
    [7, 3, 'i386'],
    [12, 9, 'arm'],
    [18, 0, 'ppc'],
    [0x01000012, 0, 'ppc64'],
    [0x0200000c, 1, 'arm64_32'],
    [0x01000008, 0, 'cpu-0x1000008'],
  ])('name the processor %i/%i %s', (type, subtype, name) => {
    expect(table.architectureName(type, subtype)).toBe(name);
    expect(table.CPU_TYPES.includes(type)).toBe(!name.startsWith('cpu-'));
  });

  it.each<[number, string]>([
    [0x000e0400, '14.4'],
    [0x000a0e06, '10.14.6'],
    [0x001a0000, '26.0'],
    [0xffffffff, '65535.255.255'],
    [0x00000001, '0.0.1'],
  ])('write the version %i as %s', (packed, text) => expect(table.versionText(packed)).toBe(text));
});
