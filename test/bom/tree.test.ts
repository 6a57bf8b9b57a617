import { describe, expect, it } from 'vitest';
import type { BomStore } from '../../src/bom/store.ts';
import { encodeTree, encodeTreeNodes, type TreeEntry, walkTree } from '../../src/bom/tree.ts';
import { faultOf } from '../support/payload.ts';

/** Blocks by number, each at 1,000 times its number. */
function storeOf(blocks: Readonly<Record<number, Buffer>>): BomStore {
  return {
    vars: new Map(),
    untouched: () => 0,
    block: (number) => blocks[number] ?? expect.fail(`block ${number} was asked for`),
    offsetOf: (number) => 1000 * number,
  };
}

const entriesOf = (count: number): TreeEntry[] =>
  Array.from({ length: count }, (_, index) => ({ value: 2 * index + 1, key: 2 * index + 2 }));

/** Block 1 is the tree, 2 its root, those from 10 on the others. */
function treeOf(count: number, nodeSize?: number): Record<number, Buffer> {
  const { root, others } = encodeTreeNodes(entriesOf(count), 10, nodeSize);
  const blocks: Record<number, Buffer> = { 1: encodeTree(2, nodeSize ?? 4096, count), 2: root };
  for (const [index, other] of others.entries()) blocks[10 + index] = other;
  return blocks;
}

/** A node: kind, number of entries, the next and the one before (12 bytes), then 8 bytes an entry. */
function node(isLeaf: number, entries: readonly TreeEntry[], forward = 0, backward = 0, size?: number): Buffer {
  const data = Buffer.alloc(size ?? 12 + 8 * entries.length);
  data.writeUInt16BE(isLeaf, 0);
  data.writeUInt16BE(entries.length, 2);
  data.writeUInt32BE(forward, 4);
  data.writeUInt32BE(backward, 8);
  for (const [index, { value, key }] of entries.entries()) {
    data.writeUInt32BE(value, 12 + 8 * index);
    data.writeUInt32BE(key, 16 + 8 * index);
  }
  return data;
}

const leaf = (count: number, forward = 0, backward = 0) => node(1, entriesOf(count), forward, backward);
const branch = (...children: readonly number[]) =>
  node(
    0,
    children.map((value) => ({ value, key: 0 })),
  );
const tree = (entryCount: number, blockSize = 4096) => encodeTree(2, blockSize, entryCount);

describe('a tree of a Bom', () => {
  it.each([0, 1, 255, 256, 257, 511, 512, 513, 65_536, 65_537])('of %i entries is given back', (count) => {
    expect(walkTree(storeOf(treeOf(count)), 1, 'Paths')).toEqual(entriesOf(count));
  });

  it('has whole nodes of 256 entries, linked in both directions, each with its last key above', () => {
    const { root, others } = encodeTreeNodes(entriesOf(513), 10);
    expect(others.map((one) => one.length)).toEqual([4096, 4096, 4096]);
    const starts = others.map((one) => [0, 2].map((at) => one.readUInt16BE(at)));
    expect(starts).toEqual([
      [1, 256],
      [1, 256],
      [1, 1],
    ]);
    const links = others.map((one) => [4, 8].map((at) => one.readUInt32BE(at)));
    expect(links).toEqual([
      [11, 0],
      [12, 10],
      [0, 11],
    ]);
    const above = [
      { value: 10, key: 512 },
      { value: 11, key: 1024 },
      { value: 12, key: 1026 },
    ];
    expect(root.equals(node(0, above, 0, 0, 4096))).toBe(true);
  });

  it('has one leaf while all fit, of the size asked for', () => {
    expect(encodeTreeNodes(entriesOf(256), 10).others).toEqual([]);
    expect(encodeTreeNodes([], 0, 128)).toEqual({ root: node(1, [], 0, 0, 128), others: [] });
  });

  it('begins with its name, version and counts', () => {
    // tree, 1, root, bytes of a node, entries, a zero.
    const expected = `${Buffer.from('tree').toString('hex')}00000001000000020000100000000007${'00'}`;
    expect(tree(7).toString('hex')).toBe(expected);
  });
});

describe('walkTree', () => {
  it.each<[string, Record<number, Buffer>]>([
    ['a node without room behind its entries', { 1: tree(3), 2: leaf(3) }],
    ['a node as large as the tree allows', { 1: tree(3, 36), 2: leaf(3) }],
    ['room that is no whole entry', { 1: tree(3), 2: Buffer.concat([leaf(3), Buffer.alloc(7)]) }],
    ['a branch with one leaf', { 1: tree(3), 2: branch(3), 3: leaf(3) }],
  ])('reads %s', (_, blocks) => {
    expect(walkTree(storeOf(blocks), 1, 'Paths')).toEqual(entriesOf(3));
  });

  it('reads the leaves of several branches in order', () => {
    const two = [
      { value: 10, key: 0 },
      { value: 11, key: 0 },
    ];
    const blocks = {
      ...{ 1: tree(3), 2: branch(3, 4), 3: node(0, two, 4, 0), 4: node(0, [{ value: 12, key: 0 }], 0, 3) },
      ...{ 10: leaf(1, 11, 0), 11: node(1, [], 12, 10), 12: leaf(2, 0, 11) },
    };
    expect(walkTree(storeOf(blocks), 1, 'Paths')).toEqual([...entriesOf(1), ...entriesOf(2)]);
  });

  /** Branches above each other, then a leaf: so many levels. */
  const deep = (levels: number) => {
    const blocks: Record<number, Buffer> = { 1: tree(1) };
    for (let index = 0; index < levels; index++) blocks[2 + index] = index + 1 < levels ? branch(3 + index) : leaf(1);
    return blocks;
  };

  it('reads eight levels, and no more', async () => {
    expect(walkTree(storeOf(deep(8)), 1, 'Paths')).toEqual(entriesOf(1));
    expect(await faultOf(() => walkTree(storeOf(deep(9)), 1, 'Paths'))).toEqual({ code: 'BOM_TREE', offset: 1000 });
  });

  const other = (data: Buffer, at: number) => {
    const copy = Buffer.from(data);
    copy[at] = (copy[at] as number) + 1;
    return copy;
  };

  it.each<[string, Record<number, Buffer>, string, number]>([
    ['another magic', { 1: other(tree(3), 0), 2: leaf(3) }, 'BOM_TREE', 1000],
    ['another version', { 1: other(tree(3), 7), 2: leaf(3) }, 'BOM_TREE', 1004],
    ['a byte behind the tree', { 1: Buffer.concat([tree(3), Buffer.alloc(1)]), 2: leaf(3) }, 'BOM_TREE', 1000],
    ['one entry less than it says', { 1: tree(4), 2: leaf(3) }, 'BOM_TREE_COUNT', 1016],
    ['one entry more', { 1: tree(2), 2: leaf(3) }, 'BOM_TREE_COUNT', 1016],
    ['a node larger by a byte', { 1: tree(3, 35), 2: leaf(3) }, 'BOM_NODE', 2000],
    ['entries beyond the node', { 1: tree(3), 2: leaf(3).subarray(0, 35) }, 'BOM_NODE', 2000],
    ['a kind of 2', { 1: tree(3), 2: node(2, entriesOf(3)) }, 'BOM_NODE', 2000],
    ['a branch without children', { 1: tree(0), 2: branch() }, 'BOM_NODE', 2000],
    ['a branch that names itself', { 1: tree(3), 2: branch(2) }, 'BOM_TREE_CYCLE', 2000],
    ['a leaf twice', { 1: tree(6), 2: branch(3, 3), 3: leaf(3, 3, 3) }, 'BOM_TREE_CYCLE', 3000],
    [
      'a leaf and a branch',
      { 1: tree(3), 2: branch(3, 4), 3: leaf(3, 4), 4: node(0, [{ value: 5, key: 0 }], 0, 3) },
      'BOM_NODE',
      4000,
    ],
    ['a root with a next one', { 1: tree(3), 2: leaf(3, 9) }, 'BOM_TREE_LINK', 2004],
    ['a root with one before', { 1: tree(3), 2: leaf(3, 0, 9) }, 'BOM_TREE_LINK', 2008],
    ['a leaf without its next', { 1: tree(2), 2: branch(3, 4), 3: leaf(1), 4: leaf(1, 0, 3) }, 'BOM_TREE_LINK', 3004],
    [
      'a leaf without the one before',
      { 1: tree(2), 2: branch(3, 4), 3: leaf(1, 4), 4: leaf(1) },
      'BOM_TREE_LINK',
      4008,
    ],
  ])('refuses %s', async (_, blocks, code, offset) => {
    expect(await faultOf(() => walkTree(storeOf(blocks), 1, 'Paths'))).toEqual({ code, offset });
  });
});
