import { UsageError } from '../base/errors.ts';
import { baseName, invalidEntry, parentPath, sortTree } from '../tree/entry.ts';
import type { BomRecord, BomTotal } from './bom.ts';
import {
  BOM_BLOCK,
  BOM_FILE,
  BOM_HEADER,
  BOM_HEADER_SPACE,
  BOM_INFO,
  BOM_MAGIC,
  BOM_NODE_SIZE,
  BOM_PATH_INFO,
  BOM_TOTAL,
  BOM_VAR,
  BOM_VINDEX,
  BOM_VINDEX_NODE_SIZE,
} from './layout.ts';
import { bomRecordSize, encodeBomRecord } from './record.ts';
import { encodeTree, encodeTreeNodes } from './tree.ts';

/**
 * Returns a Bom file that lists `records`, in any order given.
 *
 * Blocks are numbered as Apple's tools number them. Ids go breadth-first with siblings by the bytes of their names, which makes the
 * order of the tree that of the ids.
 *
 * @throws UsageError `ENTRY_INVALID` when the records are not a tree with its root, `ENTRY_TOO_LARGE` for a file from 4 GiB on (Size64 is
 *   not written)
 * @example encodeBom([{ path: '.', kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1700000000, size: 64 }])
 */
export function encodeBom(records: readonly BomRecord[]): Buffer {
  const sorted = sortForTree(records);
  for (const record of records) checkRecord(record);
  const pathEntries = sorted.map((_, index) => ({ value: pathBlock(index) + 2, key: pathBlock(index) + 1 }));
  const nodes = encodeTreeNodes(pathEntries, pathBlock(sorted.length));
  const first = [
    encodeInfo(sorted),
    encodeTree(PATHS_ROOT, BOM_NODE_SIZE, sorted.length),
    nodes.root,
    ...emptyTree(HLINDEX_TREE, BOM_NODE_SIZE),
    BOM_VINDEX.encode({ version: 1, tree: VINDEX_TREE, zero: 0, last: Buffer.alloc(1) }),
    ...emptyTree(VINDEX_TREE, BOM_VINDEX_NODE_SIZE),
    ...emptyTree(SIZE64_TREE, BOM_NODE_SIZE),
  ];
  const count = first.length + 3 * sorted.length + nodes.others.length;
  const file = new BomFile(count, sizeOf(first) + pathBlocksSize(sorted) + sizeOf(nodes.others));
  for (const block of first) file.add(block);
  addPaths(file, sorted);
  for (const block of nodes.others) file.add(block);
  return file.data;
}

/** Block numbers in every Bom made by Apple. */
const BOM_INFO_BLOCK = 1;
const PATHS_TREE = 2;
const PATHS_ROOT = 3;
const HLINDEX_TREE = 4;
const VINDEX_BLOCK = 6;
const VINDEX_TREE = 7;
const SIZE64_TREE = 9;
const FIRST_PATH_BLOCK = 11;

/** In the order of Apple's files. */
const VARS = [
  ['BomInfo', BOM_INFO_BLOCK],
  ['Paths', PATHS_TREE],
  ['HLIndex', HLINDEX_TREE],
  ['VIndex', VINDEX_BLOCK],
  ['Size64', SIZE64_TREE],
] as const;

/** Three blocks a path: record, name, id. */
function pathBlock(index: number): number {
  return FIRST_PATH_BLOCK + 3 * index;
}

function checkRecord(record: BomRecord): void {
  if (!Number.isInteger(record.size) || record.size < 0 || record.size >= 2 ** 32) {
    const problem = `payload entry ${JSON.stringify(record.path)}: expected less than 4 GiB, found ${record.size} bytes`;
    throw new UsageError('ENTRY_TOO_LARGE', problem);
  }
  if (record.pathOnly) return;
  if (record.kind === 'symlink' && !record.linkTarget) throw invalidEntry(record.path, 'a link without target');
  if (record.kind === 'file' && record.cksum === undefined) throw invalidEntry(record.path, 'a file without cksum');
}

/** Breadth-first: folders in the order of their ids, names within each by their bytes. That is each level of the sorted tree in turn. */
function sortForTree(records: readonly BomRecord[]): BomRecord[] {
  const levels: BomRecord[][] = [];
  for (const record of sortTree(records)) {
    let depth = 0;
    for (let at = record.path.indexOf('/'); at >= 0; at = record.path.indexOf('/', at + 1)) depth++;
    levels[depth] ??= [];
    levels[depth]?.push(record);
  }
  return levels.flat();
}

function nameBlockSize({ path }: BomRecord): number {
  return BOM_FILE.size + Buffer.byteLength(baseName(path)) + 1;
}

function pathBlocksSize(records: readonly BomRecord[]): number {
  return records.reduce((sum, one) => sum + bomRecordSize(one) + nameBlockSize(one) + BOM_PATH_INFO.size, 0);
}

/** Writes straight into the file: a buffer for each of three blocks a path would cost most of the time. */
function addPaths(file: BomFile, sorted: readonly BomRecord[]): void {
  const { data } = file;
  const ids = new Map<string, number>();
  for (let index = 0; index < sorted.length; index++) {
    const record = sorted[index] as BomRecord;
    const id = index + 1;
    if (record.kind === 'directory') ids.set(record.path, id);
    encodeBomRecord(record, data, file.place(bomRecordSize(record)));
    const name = file.place(nameBlockSize(record));
    BOM_FILE.encodeInto(data, name, { parent: record.path === '.' ? 0 : (ids.get(parentPath(record.path)) as number) });
    data.write(baseName(record.path), name + BOM_FILE.size);
    BOM_PATH_INFO.encodeInto(data, file.place(BOM_PATH_INFO.size), { id, record: pathBlock(index) });
  }
}

function encodeInfo(records: readonly BomRecord[]): Buffer {
  const totals = sumTotals(records);
  return Buffer.concat([
    BOM_INFO.encode({ version: 1, pathCount: records.length + 1, entryCount: totals.length }),
    ...totals.map((total) => BOM_TOTAL.encode({ ...total, zeroA: 0, zeroB: 0 })),
  ]);
}

/** Plain files and links under cpuType 0, slices under theirs; none at all when there are only directories, as Apple's Boms have it. */
function sumTotals(records: readonly BomRecord[]): BomTotal[] {
  const sums = new Map<number, number>();
  const add = (cpuType: number, size: number) => sums.set(cpuType, ((sums.get(cpuType) ?? 0) + size) % 2 ** 32);
  for (const { kind, size, architectures, pathOnly } of records) {
    if (kind === 'directory' || pathOnly) continue;
    add(0, architectures ? 0 : size);
    for (const slice of architectures ?? []) add(slice.cpuType, slice.size);
  }
  return [...sums].sort(([a], [b]) => a - b).map(([cpuType, size]) => ({ cpuType, size }));
}

function emptyTree(treeBlock: number, nodeSize: number): [Buffer, Buffer] {
  const nodes = encodeTreeNodes([], 0, nodeSize);
  return [encodeTree(treeBlock + 1, nodeSize, 0), nodes.root];
}

/** A Bom file of known size: header, variables, blocks, block table and an empty free list, in this order; all zero but the blocks. */
class BomFile {
  readonly data: Buffer;
  /** Where the next block begins, and its entry in the table. */
  #end: number;
  #entry: number;

  /** @param count blocks that will be added; @param size their bytes, all together */
  constructor(count: number, size: number) {
    const vars = encodeVars();
    const indexOffset = BOM_HEADER_SPACE + vars.length + size;
    // The count, block 0, the count of holes; two empty slots, as bomutils writes them and the Installer accepts.
    const indexLength = 4 + (1 + count) * BOM_BLOCK.size + 4 + 2 * BOM_BLOCK.size;
    this.data = Buffer.alloc(indexOffset + indexLength);
    BOM_HEADER.encodeInto(this.data, 0, {
      magic: BOM_MAGIC,
      version: 1,
      blockCount: count,
      indexOffset,
      indexLength,
      varsOffset: BOM_HEADER_SPACE,
      varsLength: vars.length,
    });
    this.#end = BOM_HEADER_SPACE + vars.copy(this.data, BOM_HEADER_SPACE);
    this.data.writeUInt32BE(count + 1, indexOffset);
    this.#entry = indexOffset + 4 + BOM_BLOCK.size;
  }

  /** Returns where the next block begins, which takes `length` bytes. */
  place(length: number): number {
    const offset = this.#end;
    BOM_BLOCK.encodeInto(this.data, this.#entry, { offset, length });
    this.#entry += BOM_BLOCK.size;
    this.#end += length;
    return offset;
  }

  add(block: Buffer): void {
    block.copy(this.data, this.place(block.length));
  }
}

function encodeVars(): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32BE(VARS.length);
  const parts = VARS.flatMap(([name, block]) => [
    BOM_VAR.encode({ block, nameLength: name.length }),
    Buffer.from(name, 'latin1'),
  ]);
  return Buffer.concat([count, ...parts]);
}

const sizeOf = (blocks: readonly Buffer[]) => blocks.reduce((sum, block) => sum + block.length, 0);
