import { UsageError } from '../base/errors.ts';
import { baseName, checkTree, invalidEntry, parentPath } from '../tree/entry.ts';
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
import { encodeBomRecord, u32 } from './record.ts';
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
  checkTree(records);
  for (const record of records) checkRecord(record);
  const sorted = sortForTree(records);
  const pathBlocks = encodePaths(sorted);
  const pathEntries = sorted.map((_, index) => ({ value: pathBlock(index) + 2, key: pathBlock(index) + 1 }));
  const nodes = encodeTreeNodes(pathEntries, FIRST_PATH_BLOCK + pathBlocks.length);
  const blocks = [
    encodeInfo(sorted),
    encodeTree(PATHS_ROOT, BOM_NODE_SIZE, sorted.length),
    nodes.root,
    ...emptyTree(HLINDEX_TREE, BOM_NODE_SIZE),
    BOM_VINDEX.encode({ version: 1, tree: VINDEX_TREE, zero: 0, last: Buffer.alloc(1) }),
    ...emptyTree(VINDEX_TREE, BOM_VINDEX_NODE_SIZE),
    ...emptyTree(SIZE64_TREE, BOM_NODE_SIZE),
    ...pathBlocks,
    ...nodes.others,
  ];
  return encodeContainer(blocks);
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

/** Breadth-first: folders in the order of their ids, names within each by their bytes. */
function sortForTree(records: readonly BomRecord[]): BomRecord[] {
  const children = new Map<string, BomRecord[]>();
  for (const record of records) {
    if (record.path === '.') continue;
    const siblings = children.get(parentPath(record.path));
    if (siblings) siblings.push(record);
    else children.set(parentPath(record.path), [record]);
  }
  const sorted = records.filter(({ path }) => path === '.');
  // The list grows while it is walked: that is what makes the walk breadth-first.
  for (const { path } of sorted) {
    const named = (children.get(path) ?? []).map((record) => ({ record, name: Buffer.from(baseName(record.path)) }));
    for (const { record } of named.sort((a, b) => Buffer.compare(a.name, b.name))) sorted.push(record);
  }
  return sorted;
}

function encodePaths(sorted: readonly BomRecord[]): Buffer[] {
  const ids = new Map(sorted.map(({ path }, index) => [path, index + 1]));
  return sorted.flatMap((record, index) => {
    const parent = record.path === '.' ? 0 : (ids.get(parentPath(record.path)) as number);
    return [
      encodeBomRecord(record),
      Buffer.concat([BOM_FILE.encode({ parent }), Buffer.from(`${baseName(record.path)}\0`)]),
      BOM_PATH_INFO.encode({ id: index + 1, record: pathBlock(index) }),
    ];
  });
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

/** Returns header, variables, blocks, block table and an empty free list, in this order. */
function encodeContainer(blocks: readonly Buffer[]): Buffer {
  const vars = encodeVars();
  let offset = BOM_HEADER_SPACE + vars.length;
  const varsOffset = BOM_HEADER_SPACE;
  const table = [u32(blocks.length + 1), BOM_BLOCK.encode({ offset: 0, length: 0 })];
  for (const block of blocks) {
    table.push(BOM_BLOCK.encode({ offset, length: block.length }));
    offset += block.length;
  }
  // No holes; two empty slots, as bomutils writes them and the Installer accepts.
  table.push(u32(0), Buffer.alloc(2 * BOM_BLOCK.size));
  const index = Buffer.concat(table);
  const header = BOM_HEADER.encode({
    magic: BOM_MAGIC,
    version: 1,
    blockCount: blocks.length,
    indexOffset: offset,
    indexLength: index.length,
    varsOffset,
    varsLength: vars.length,
  });
  return Buffer.concat([header, Buffer.alloc(BOM_HEADER_SPACE - header.length), vars, ...blocks, index]);
}

function encodeVars(): Buffer {
  const parts = VARS.flatMap(([name, block]) => [
    BOM_VAR.encode({ block, nameLength: name.length }),
    Buffer.from(name, 'latin1'),
  ]);
  return Buffer.concat([u32(VARS.length), ...parts]);
}
