import { ascii, bytes, layout, u8, u16be, u32be } from '../base/layout.ts';

/*
 * Structures of a Bom ("BOMStore") file; big-endian, nothing is aligned.
 *
 * Apple documents none of this. Sources: bom.h and mkbom.cpp of hogliux/bomutils, the docs of igankevich/stuckliste, and the Boms
 * made by Apple's tools from macOS 10.12 to 15 that the tests read.
 */

/** First bytes of the file; padded with zeros to BOM_HEADER_SPACE. */
export const BOM_HEADER = layout('BomHeader', {
  magic: ascii(8), // BOMStore
  version: u32be, // 1
  blockCount: u32be, // blocks in use, without block 0
  indexOffset: u32be, // of the block table
  indexLength: u32be, // block table and free list
  varsOffset: u32be,
  varsLength: u32be,
});
export const BOM_MAGIC = 'BOMStore';
export const BOM_HEADER_SPACE = 512;

/** Where a block lies; entry of the block table and of the free list. Block 0 is (0, 0) and stands for "none". */
export const BOM_BLOCK = layout('BomBlock', {
  offset: u32be,
  length: u32be,
});

/** Names a block; its name follows, without NUL. */
export const BOM_VAR = layout('BomVar', {
  block: u32be,
  nameLength: u8,
});

/** Block BomInfo; `entryCount` totals follow. */
export const BOM_INFO = layout('BomInfo', {
  version: u32be, // 1
  pathCount: u32be, // paths + 1 in every Bom made by Apple
  entryCount: u32be,
});

/** Bytes that one architecture takes; informative. */
export const BOM_TOTAL = layout('BomTotal', {
  cpuType: u32be, // 0 for everything that is not Mach-O
  zeroA: u32be, // unknown; 0 in every Bom seen
  size: u32be, // bytes modulo 2^32
  zeroB: u32be, // unknown; 0 in every Bom seen
});

/** Block of a tree. */
export const BOM_TREE = layout('BomTree', {
  magic: ascii(4), // tree
  version: u32be, // 1
  root: u32be, // block of the root node
  blockSize: u32be, // bytes of a node
  entryCount: u32be, // entries in all leaves
  last: u8, // unknown; 0 in every Bom seen
});

/** Start of a node; `count` BOM_NODE_ENTRY follow. */
export const BOM_NODE = layout('BomNode', {
  isLeaf: u16be, // 1 leaf, 0 branch
  count: u16be,
  forward: u32be, // next node of the same level, 0 for none
  backward: u32be, // previous one
});

export const BOM_NODE_ENTRY = layout('BomNodeEntry', {
  value: u32be, // leaf of Paths: block of BomPathInfo; branch: block of the child
  key: u32be, // leaf of Paths: block of BomFile; branch: the last key of the child
});

/** Value of a path. */
export const BOM_PATH_INFO = layout('BomPathInfo', {
  id: u32be, // from 1
  record: u32be, // block of BomRecord
});

/** Start of a path's key; its last component in UTF-8 and a NUL follow. */
export const BOM_FILE = layout('BomFile', {
  parent: u32be, // id of the folder, 0 for the root
});

/** Start of what is known of a path; what follows depends on type and flags, then 8 zero bytes. */
export const BOM_RECORD = layout('BomRecord', {
  type: u8, // 1 file, 2 directory, 3 symbolic link, 4 device
  one: u8, // unknown; 1 in every Bom seen
  flags: u16be, // low nibble 0xF: all fields hold, 0 or 1: path only; high nibble: 0 plain, 1 thin Mach-O, 2 fat Mach-O
  mode: u16be, // st_mode with the type bits
  uid: u32be,
  gid: u32be,
  mtimeSeconds: u32be,
  size: u32be, // bytes; directories: st_size on the building machine
  oneMore: u8, // unknown; 1 in every record with all fields
});
export const BOM_RECORD_END = 8;

/** One architecture of a Mach-O file. */
export const BOM_ARCHITECTURE = layout('BomArchitecture', {
  cpuType: u32be,
  cpuSubtype: u32be,
  size: u32be, // bytes of the slice
  cksum: u32be, // of the slice
});

/** Block VIndex. */
export const BOM_VINDEX = layout('BomVIndex', {
  version: u32be, // 1
  tree: u32be, // block of its tree
  zero: u32be, // unknown; 0 in every Bom seen
  last: bytes(1), // unknown; 0 by Apple, 1 by stuckliste
});

/** Node sizes in every Bom made by Apple. */
export const BOM_NODE_SIZE = 4096;
export const BOM_VINDEX_NODE_SIZE = 128;
/** Record types. */
export const BOM_TYPES = { file: 1, directory: 2, symlink: 3 } as const;
/** Flags: all fields hold; high nibbles for Mach-O. */
export const BOM_FLAGS_FULL = 0x000f;
export const BOM_FLAGS_PATH_ONLY = 0x0001;
export const BOM_FLAGS_THIN = 0x1000;
export const BOM_FLAGS_FAT = 0x2000;
