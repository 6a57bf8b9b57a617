import { FormatError } from '../base/errors.ts';
import { BOM_NODE, BOM_NODE_ENTRY, BOM_NODE_SIZE, BOM_TREE } from './layout.ts';
import type { BomStore } from './store.ts';

/** One entry of a leaf: two block numbers. */
export interface TreeEntry {
  readonly value: number;
  readonly key: number;
}

/** Entries of a full node, as bomutils writes it; up to 510 would fit. */
const NODE_ENTRIES = 256;

/** Returns the block of a tree whose root node is block `root`. */
export function encodeTree(root: number, blockSize: number, entryCount: number): Buffer {
  return BOM_TREE.encode({ magic: 'tree', version: 1, root, blockSize, entryCount, last: 0 });
}

/**
 * Returns the nodes of a tree: one leaf while all entries fit, else leaves linked to each other under as many levels of branches as it
 * takes.
 *
 * @param firstBlock number of the block of `others[0]`; the rest follow
 */
export function encodeTreeNodes(
  entries: readonly TreeEntry[],
  firstBlock: number,
  nodeSize: number = BOM_NODE_SIZE,
): { readonly root: Buffer; readonly others: readonly Buffer[] } {
  const others: Buffer[] = [];
  let level = entries;
  let isLeaf = true;
  while (level.length > NODE_ENTRIES) {
    const first = firstBlock + others.length;
    const count = Math.ceil(level.length / NODE_ENTRIES);
    const parents: TreeEntry[] = [];
    for (let index = 0; index < count; index++) {
      const part = level.slice(index * NODE_ENTRIES, (index + 1) * NODE_ENTRIES);
      const forward = index + 1 < count ? first + index + 1 : 0;
      const backward = index > 0 ? first + index - 1 : 0;
      others.push(encodeNode(isLeaf, part, { forward, backward, nodeSize }));
      parents.push({ value: first + index, key: (part.at(-1) as TreeEntry).key });
    }
    level = parents;
    isLeaf = false;
  }
  return { root: encodeNode(isLeaf, level, { forward: 0, backward: 0, nodeSize }), others };
}

function encodeNode(
  isLeaf: boolean,
  entries: readonly TreeEntry[],
  { forward, backward, nodeSize }: { forward: number; backward: number; nodeSize: number },
): Buffer {
  const node = Buffer.alloc(nodeSize); // whole, zero filled, as in Apple's files
  BOM_NODE.encodeInto(node, 0, { isLeaf: isLeaf ? 1 : 0, count: entries.length, forward, backward });
  for (let index = 0; index < entries.length; index++) {
    const entry = entries[index] as TreeEntry;
    BOM_NODE_ENTRY.encodeInto(node, BOM_NODE.size + index * BOM_NODE_ENTRY.size, entry);
  }
  return node;
}

/** A tree deeper than this would hold more paths than a Bom has bytes. */
const DEPTH_MAX = 8;

/**
 * Returns the entries of all leaves of a tree, in order.
 *
 * @param block number of the tree's block
 * @param name for errors, such as `Paths`
 * @throws FormatError `BOM_TREE` (header), `BOM_NODE` (kind, size, count), `BOM_TREE_CYCLE` (a node met twice), `BOM_TREE_LINK` (siblings
 *   that do not link to each other), `BOM_TREE_COUNT`; what `BomStore.block` throws
 */
export function walkTree(store: BomStore, block: number, name: string): TreeEntry[] {
  const { root, blockSize, entryCount } = readTree(store, block, name);
  const seen = new Set<number>();
  let level = [root];
  for (let depth = 0; depth < DEPTH_MAX; depth++) {
    const nodes = level.map((number) => readNode(store, number, { name, blockSize, seen }));
    checkLevel(store, nodes, level, name);
    const entries = nodes.flatMap((node) => node.entries);
    if (nodes[0]?.isLeaf) {
      if (entries.length === entryCount) return entries;
      const problem = `expected ${entryCount} entries in ${name}, found ${entries.length}`;
      throw new FormatError(
        'BOM_TREE_COUNT',
        'BomTree',
        store.offsetOf(block) + BOM_TREE.offsetOf('entryCount'),
        problem,
      );
    }
    level = entries.map(({ value }) => value);
  }
  throw new FormatError(
    'BOM_TREE',
    'BomTree',
    store.offsetOf(block),
    `expected at most ${DEPTH_MAX} levels in ${name}`,
  );
}

function readTree(store: BomStore, block: number, name: string) {
  const data = store.block(block, 'BomTree');
  const tree = BOM_TREE.decode(data);
  const fields = [
    ['magic', tree.magic, 'tree'],
    ['version', tree.version, 1],
  ] as const;
  for (const [field, found, expected] of fields) {
    if (found === expected) continue;
    const problem = `expected ${field} ${expected} in ${name}, found ${JSON.stringify(found)}`;
    throw new FormatError('BOM_TREE', 'BomTree', store.offsetOf(block) + BOM_TREE.offsetOf(field), problem);
  }
  if (data.length !== BOM_TREE.size) {
    const problem = `expected ${BOM_TREE.size} bytes in ${name}, found ${data.length}`;
    throw new FormatError('BOM_TREE', 'BomTree', store.offsetOf(block), problem);
  }
  return tree;
}

interface Node {
  readonly isLeaf: boolean;
  readonly forward: number;
  readonly backward: number;
  readonly entries: readonly TreeEntry[];
}

function readNode(
  store: BomStore,
  block: number,
  { name, blockSize, seen }: { name: string; blockSize: number; seen: Set<number> },
): Node {
  const data = store.block(block, 'BomNode');
  const offset = store.offsetOf(block);
  if (seen.has(block))
    throw new FormatError('BOM_TREE_CYCLE', 'BomNode', offset, `expected block ${block} once in ${name}`);
  seen.add(block);
  const { isLeaf, count, forward, backward } = BOM_NODE.decode(data);
  const bad = (problem: string) => new FormatError('BOM_NODE', 'BomNode', offset, `${problem} in ${name}`);
  if (isLeaf > 1) throw bad(`expected leaf (1) or branch (0), found ${isLeaf}`);
  if (data.length > blockSize) throw bad(`expected at most ${blockSize} bytes, found ${data.length}`);
  const room = Math.floor((data.length - BOM_NODE.size) / BOM_NODE_ENTRY.size);
  if (count > room) throw bad(`expected at most ${room} entries, found ${count}`);
  if (count === 0 && isLeaf === 0) throw bad('expected a branch with children, found none');
  const entries = Array.from({ length: count }, (_, index) =>
    BOM_NODE_ENTRY.decode(data, BOM_NODE.size + index * BOM_NODE_ENTRY.size),
  );
  return { isLeaf: isLeaf === 1, forward, backward, entries };
}

/** Throws unless all nodes of a level are of one kind and each names its neighbours. */
function checkLevel(store: BomStore, nodes: readonly Node[], blocks: readonly number[], name: string): void {
  for (const [index, node] of nodes.entries()) {
    const offset = store.offsetOf(blocks[index] as number);
    if (node.isLeaf !== nodes[0]?.isLeaf) {
      throw new FormatError('BOM_NODE', 'BomNode', offset, `expected leaves at one depth in ${name}`);
    }
    for (const [field, neighbour] of [
      ['forward', blocks[index + 1] ?? 0],
      ['backward', blocks[index - 1] ?? 0],
    ] as const) {
      if (node[field] === neighbour) continue;
      const problem = `expected ${field} ${neighbour} in ${name}, found ${node[field]}`;
      throw new FormatError('BOM_TREE_LINK', 'BomNode', offset + BOM_NODE.offsetOf(field), problem);
    }
  }
}
