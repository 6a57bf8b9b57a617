import { describe, expect, it } from 'vitest';
import { type BomRecord, directorySize } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { BOM_BLOCK, BOM_HEADER, BOM_NODE, BOM_RECORD, BOM_TREE } from '../../src/bom/layout.ts';
import { FACTS, faultOf } from '../support/payload.ts';

const folder = (path: string): BomRecord => ({
  ...FACTS,
  path,
  kind: 'directory',
  mode: 0o755,
  size: directorySize(1),
});
const plain = (path: string): BomRecord => ({ ...FACTS, path, kind: 'file', mode: 0o644, size: 5, cksum: 7 });
const macho: BomRecord = { ...plain('./d/m'), architectures: [{ cpuType: 1, cpuSubtype: 2, size: 3, cksum: 4 }] };
const link: BomRecord = { ...FACTS, path: './l', kind: 'symlink', mode: 0o755, size: 1, linkTarget: 'd' };
/** Tree order: ., ./d, ./l, ./d/f, ./d/m; blocks of path n begin at 11 + 3n: record, name, id. */
const sample = encodeBom([folder('.'), folder('./d'), link, plain('./d/f'), macho]);
const header = BOM_HEADER.decode(sample);

/** Where an entry of the block table lies. */
const tableAt = (block: number) => header.indexOffset + 4 + block * BOM_BLOCK.size;
/** Where a block lies. */
const at = (block: number, inside = 0) => sample.readUInt32BE(tableAt(block)) + inside;
const RECORD = (path: number) => 11 + 3 * path;
const NAME = (path: number) => 12 + 3 * path;
const ID = (path: number) => 13 + 3 * path;

interface Patch {
  readonly offset: number;
  readonly width: 1 | 2 | 4;
  readonly value: number;
}
const u8 = (offset: number, value: number): Patch => ({ offset, width: 1, value });
const u16 = (offset: number, value: number): Patch => ({ offset, width: 2, value });
const u32 = (offset: number, value: number): Patch => ({ offset, width: 4, value });

function patched(file: Buffer, ...patches: Patch[]): Buffer {
  const copy = Buffer.from(file);
  for (const { offset, width, value } of patches) copy.writeUIntBE(value, offset, width);
  return copy;
}

const head = (field: Parameters<typeof BOM_HEADER.offsetOf>[0]) => BOM_HEADER.offsetOf(field);
const tree = (field: Parameters<typeof BOM_TREE.offsetOf>[0], block = 2) => at(block, BOM_TREE.offsetOf(field));
const node = (field: Parameters<typeof BOM_NODE.offsetOf>[0], block = 3) => at(block, BOM_NODE.offsetOf(field));
const record = (path: number, field: Parameters<typeof BOM_RECORD.offsetOf>[0]) =>
  at(RECORD(path), BOM_RECORD.offsetOf(field));
const vars = header.varsOffset;
const free = header.indexOffset + header.indexLength - 20;

describe('decodeBom', () => {
  it('reads the sample that the cases below break', () => {
    expect(decodeBom(sample).records.map(({ path }) => path)).toEqual(['.', './d', './l', './d/f', './d/m']);
  });

  it('refuses every truncation', async () => {
    for (let size = 0; size < sample.length; size++) {
      const { code } = await faultOf(() => decodeBom(sample.subarray(0, size)));
      expect(['FORMAT_TRUNCATED', 'BOM_HEADER']).toContain(code);
    }
  });

  it.each<[string, readonly Patch[], string, number]>([
    ['another magic', [u8(0, 0x62)], 'BOM_HEADER', 0],
    ['version 2', [u32(head('version'), 2)], 'BOM_HEADER', 8],
    ['a wrong count of blocks', [u32(head('blockCount'), 1)], 'BOM_HEADER', 12],
    ['an index outside the file', [u32(head('indexOffset'), 0xffffffff)], 'BOM_HEADER', 16],
    ['an index over the header', [u32(head('indexOffset'), 4)], 'BOM_HEADER', 16],
    ['an index that is too long', [u32(head('indexLength'), 0xffffffff)], 'BOM_HEADER', 16],
    ['an index that is too short', [u32(head('indexLength'), 7)], 'BOM_INDEX', header.indexOffset],
    ['variables outside the file', [u32(head('varsOffset'), 0xfffffff0)], 'BOM_HEADER', 24],
    ['variables that are too long', [u32(head('varsLength'), 0xfffffff0)], 'BOM_HEADER', 24],
    ['variables with bytes behind', [u32(head('varsLength'), header.varsLength + 1)], 'BOM_OVERLAP', at(1)],
    ['variables without a count', [u32(head('varsLength'), 3)], 'BOM_VARS', vars],
    ['more blocks than the table holds', [u32(header.indexOffset, 0xffffffff)], 'BOM_INDEX', header.indexOffset],
    ['no blocks', [u32(header.indexOffset, 0)], 'BOM_INDEX', header.indexOffset],
    ['a block 0', [u32(tableAt(0), 600), u32(tableAt(0) + 4, 1)], 'BOM_INDEX', header.indexOffset + 4],
    ['a block outside the file', [u32(tableAt(5), 0xffffff00)], 'BOM_INDEX', tableAt(5)],
    ['a block that is too long', [u32(tableAt(5) + 4, 0xffffff00)], 'BOM_INDEX', tableAt(5)],
    ['a block over another', [u32(tableAt(12), at(14))], 'BOM_OVERLAP', at(14)],
    ['a block at the front', [u32(tableAt(12), 0)], 'BOM_OVERLAP', 0],
    ['a block over the header', [u32(tableAt(12), 1)], 'BOM_OVERLAP', 1],
    ['a free list that is too long', [u32(free, 3)], 'BOM_INDEX', free],
    ['more variables than there are', [u32(vars, 6)], 'BOM_VARS', vars + 60],
    ['fewer variables', [u32(vars, 4)], 'BOM_VARS', vars + 49],
    ['a variable name that is too long', [u8(vars + 53, 7)], 'BOM_VARS', vars + 49],
    ['a variable without a block', [u32(vars + 4, 0)], 'BOM_NULL_BLOCK', 0],
    ['a variable with a block that does not exist', [u32(vars + 4, 9999)], 'BOM_BLOCK', 0],
    ['no BomInfo', [u8(vars + 9, 0x62)], 'BOM_VARS', 0],
    ['no Paths', [u8(vars + 21, 0x70)], 'BOM_VARS', 0],
    ['BomInfo of another version', [u32(at(1), 2)], 'BOM_INFO', at(1)],
    ['BomInfo with a wrong count of paths', [u32(at(1, 4), 7)], 'BOM_INFO', at(1, 4)],
    ['BomInfo with a wrong count of entries', [u32(at(1, 8), 0x10000000)], 'BOM_INFO', at(1, 8)],
    ['a tree of another magic', [u8(tree('magic'), 0x54)], 'BOM_TREE', at(2)],
    ['a tree of another version', [u32(tree('version'), 2)], 'BOM_TREE', at(2, 4)],
    ['a tree without root', [u32(tree('root'), 0)], 'BOM_NULL_BLOCK', 0],
    ['a root that does not exist', [u32(tree('root'), 500)], 'BOM_BLOCK', 0],
    ['nodes larger than their tree allows', [u32(tree('blockSize'), 4095)], 'BOM_NODE', at(3)],
    ['a wrong count of entries in a tree', [u32(tree('entryCount'), 6)], 'BOM_TREE_COUNT', tree('entryCount')],
    ['a tree in HLIndex that is none', [u8(tree('magic', 4), 0)], 'BOM_TREE', at(4)],
    ['a tree in VIndex that is none', [u32(at(6, 4), 0)], 'BOM_NULL_BLOCK', 0],
    ['a tree in Size64 that is none', [u32(tree('entryCount', 9), 1)], 'BOM_TREE_COUNT', tree('entryCount', 9)],
    ['entries in Size64', [u32(tree('entryCount', 9), 1), u16(node('count', 10), 1)], 'BOM_UNSUPPORTED', at(9)],
    ['a node that is neither leaf nor branch', [u16(node('isLeaf'), 2)], 'BOM_NODE', at(3)],
    ['a leaf taken for a branch', [u16(node('isLeaf'), 0)], 'FORMAT_TRUNCATED', 8],
    ['more entries than a node holds', [u16(node('count'), 511)], 'BOM_NODE', at(3)],
    ['an empty branch', [u16(node('isLeaf'), 0), u16(node('count'), 0)], 'BOM_NODE', at(3)],
    ['a leaf that links to itself', [u32(node('forward'), 3)], 'BOM_TREE_LINK', node('forward')],
    ['a first leaf with one before it', [u32(node('backward'), 3)], 'BOM_TREE_LINK', node('backward')],
    [
      'a branch that holds itself',
      [u16(node('isLeaf'), 0), u16(node('count'), 1), u32(at(3, 12), 3)],
      'BOM_TREE_CYCLE',
      at(3),
    ],
    ['an entry without value', [u32(at(3, 12), 0)], 'BOM_NULL_BLOCK', 0],
    ['an entry without key', [u32(at(3, 16), 0)], 'BOM_NULL_BLOCK', 0],
    ['an id of 0', [u32(at(ID(3)), 0)], 'BOM_PATH', at(NAME(3))],
    ['an id twice', [u32(at(ID(3)), 5)], 'BOM_DUPLICATE_ID', at(NAME(4))],
    ['an id without record', [u32(at(ID(3), 4), 0)], 'BOM_NULL_BLOCK', 0],
    ['a parent that is missing', [u32(at(NAME(3)), 77)], 'BOM_MISSING_PARENT', at(NAME(3))],
    ['a parent that is a link', [u32(at(NAME(3)), 3)], 'BOM_MISSING_PARENT', at(NAME(3))],
    ['a folder in itself', [u32(at(NAME(1)), 2)], 'BOM_UNREACHABLE', at(NAME(1))],
    ['a name without a parent', [u32(at(NAME(3)), 0)], 'BOM_PATH', at(NAME(3))],
    ['no root', [u32(at(NAME(0)), 2)], 'BOM_PATH', at(NAME(0))],
    ['two roots', [u32(at(NAME(3)), 0), u8(at(NAME(3), 4), 0x2e)], 'BOM_PATH', at(NAME(3))],
    ['no root, its folders in a circle', [u32(at(NAME(0)), 2), u8(at(NAME(0), 4), 0x72)], 'BOM_PATH', 0],
    ['one path less than there are', [u32(at(1, 4), 4)], 'BOM_INFO', at(1, 4)],
    ['a root that is a file', [u8(record(0, 'type'), 1)], 'BOM_RECORD', record(0, 'mode')],
    ['a name twice', [u8(at(NAME(4), 4), 0x66)], 'BOM_DUPLICATE_PATH', at(NAME(4))],
    ['a slash in a name', [u8(at(NAME(4), 4), 0x2f)], 'BOM_PATH', at(NAME(4))],
    ['a name that is not UTF-8', [u8(at(NAME(4), 4), 0xff)], 'BOM_PATH', at(NAME(4))],
    ['an empty name', [u8(at(NAME(4), 4), 0)], 'BOM_PATH', at(NAME(4))],
    ['a name without NUL', [u8(at(NAME(4), 5), 0x61)], 'BOM_PATH', at(NAME(4))],
    ['a device', [u8(record(3, 'type'), 4)], 'BOM_RECORD', record(3, 'type')],
    ['another unknown byte', [u8(record(3, 'one'), 2)], 'BOM_RECORD', record(3, 'one')],
    ['another second unknown byte', [u8(record(3, 'oneMore'), 0)], 'BOM_RECORD', record(3, 'oneMore')],
    ['unknown flags', [u16(record(3, 'flags'), 0x300f)], 'BOM_RECORD', record(3, 'flags')],
    ['flags in the middle', [u16(record(3, 'flags'), 0x010f)], 'BOM_RECORD', record(3, 'flags')],
    ['a folder with architectures', [u16(record(1, 'flags'), 0x100f)], 'BOM_RECORD', record(1, 'flags')],
    ['the mode of another type', [u16(record(3, 'mode'), 0o40644)], 'BOM_RECORD', record(3, 'mode')],
    ['a target that is too long', [u32(at(RECORD(2), 27), 0xffffffff)], 'BOM_RECORD', at(RECORD(2), 31)],
    ['a target that is empty', [u32(at(RECORD(2), 27), 1)], 'BOM_RECORD', at(RECORD(2), 32)],
    ['a target without NUL', [u8(at(RECORD(2), 32), 1)], 'BOM_RECORD', at(RECORD(2), 33)],
    ['a target with a NUL inside', [u8(at(RECORD(2), 31), 0)], 'BOM_RECORD', at(RECORD(2), 33)],
    ['more architectures than fit', [u32(at(RECORD(4), 28), 0xffffffff)], 'BOM_RECORD', at(RECORD(4), 32)],
    ['no architecture', [u32(at(RECORD(4), 28), 0)], 'BOM_RECORD', at(RECORD(4), 32)],
    ['another byte before the architectures', [u8(at(RECORD(4), 27), 0)], 'BOM_RECORD', at(RECORD(4), 28)],
    ['a record with bytes behind', [u8(at(RECORD(3), 30), 1)], 'BOM_RECORD', at(RECORD(3), 27)],
    ['a record that is cut short', [u32(tableAt(RECORD(3)) + 4, 22)], 'FORMAT_TRUNCATED', at(RECORD(3))],
    ['a record without cksum', [u32(tableAt(RECORD(3)) + 4, 26)], 'BOM_RECORD', at(RECORD(3), 23)],
  ])('refuses %s', async (_, patches, code, offset) => {
    expect(await faultOf(() => decodeBom(patched(sample, ...patches)))).toEqual({ code, offset });
  });

  it('refuses an id with bytes behind', async () => {
    // Where there is room for it: at the end of the file.
    const longer = Buffer.concat([sample, sample.subarray(at(ID(3)), at(ID(3)) + 8), Buffer.alloc(1)]);
    const file = patched(longer, u32(tableAt(ID(3)), sample.length), u32(tableAt(ID(3)) + 4, 9));
    expect(await faultOf(() => decodeBom(file))).toEqual({ code: 'BOM_PATH', offset: sample.length });
    const moved = patched(longer, u32(tableAt(ID(3)), sample.length));
    expect(decodeBom(moved).records).toEqual(decodeBom(sample).records);
  });

  // The block of a name: the id of its folder, and the name with its NUL. It is put at the end of the file, with the length that it needs.
  it.each<[string, string | undefined]>([
    ['', 'expected one path component, found ""'],
    ['..', 'expected one path component, found ".."'],
    ['/', 'expected one path component, found "/"'],
    ['a/b', 'expected one path component, found "a/b"'],
    ['.', 'expected "." as the only name without a parent, found "."'],
    ['...', undefined],
    ['.a', undefined],
    ['z', undefined],
    ['a\0b', 'expected a name that ends with its only NUL'],
  ])('takes %j for a name, or says why not: %s', (name, words) => {
    const block = Buffer.concat([sample.subarray(at(NAME(4)), at(NAME(4), 4)), Buffer.from(`${name}\0`)]);
    const table = [u32(tableAt(NAME(4)), sample.length), u32(tableAt(NAME(4)) + 4, block.length)];
    const read = () => decodeBom(patched(Buffer.concat([sample, block]), ...table)).records.at(-1)?.path;
    if (words === undefined) expect(read()).toBe(`./d/${name}`);
    else expect(read).toThrow(words);
  });

  it('says whether names stand in order: by their folders, then by their bytes', () => {
    expect(decodeBom(sample).sorted).toBe(true);
    const two = encodeBom([folder('.'), folder('./d'), folder('./e'), plain('./d/f'), plain('./e/m')]);
    const index = BOM_HEADER.decode(two).indexOffset + 4;
    const parent = (path: number, id: number) => u32(two.readUInt32BE(index + NAME(path) * BOM_BLOCK.size), id);
    expect(decodeBom(two).sorted).toBe(true);
    expect(decodeBom(patched(two, parent(3, 3), parent(4, 2)))).toMatchObject({ sorted: false });
    expect(decodeBom(patched(two, parent(4, 2))).sorted).toBe(true);
    const name = two.readUInt32BE(index + NAME(4) * BOM_BLOCK.size) + 4;
    expect(decodeBom(patched(two, u8(name, 0x61))).sorted).toBe(true);
    expect(decodeBom(patched(two, parent(4, 2), u8(name, 0x61))).sorted).toBe(false);
  });

  it('refuses folders inside each other without end, before their paths cost memory', async () => {
    const folder = { kind: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 } as const;
    const depth = 3_000;
    const records = Array.from({ length: depth }, (_, index) => ({ ...folder, path: `.${'/a'.repeat(index)}` }));
    const file = encodeBom(records as BomRecord[]);
    expect(await faultOf(() => decodeBom(file))).toMatchObject({ code: 'BOM_PATH_LENGTH' });
    // The longest path has 4,095 characters, then 4,097.
    expect(decodeBom(encodeBom(records.slice(0, 2_048) as BomRecord[])).records).toHaveLength(2_048);
    const longer = encodeBom(records.slice(0, 2_049) as BomRecord[]);
    expect(await faultOf(() => decodeBom(longer))).toMatchObject({ code: 'BOM_PATH_LENGTH' });
  });

  it('neither crashes nor hangs whatever byte is changed, and reads or refuses', async () => {
    for (let offset = 0; offset < sample.length; offset++) {
      // The insides of empty nodes say nothing.
      if (sample[offset] === 0 && offset % 16 !== 0) continue;
      for (const value of [0, 0xff]) {
        const file = patched(sample, u8(offset, value));
        try {
          decodeBom(file);
        } catch (error) {
          expect(error).toHaveProperty('code');
        }
      }
    }
  });

  it('accepts what other writers do: holes in the free list, unused table slots, unsorted names, short records', () => {
    const index = sample.subarray(header.indexOffset);
    const slots = Buffer.concat([index.subarray(0, -20), Buffer.alloc(80), u32be(2), Buffer.alloc(8 * 4)]);
    slots.writeUInt32BE(index.readUInt32BE(0) + 10, 0);
    const roomy = patched(
      Buffer.concat([sample.subarray(0, header.indexOffset), slots]),
      u32(head('indexLength'), slots.length),
    );
    expect(decodeBom(roomy).records).toEqual(decodeBom(sample).records);
    const swapped = patched(sample, u8(at(NAME(3), 4), 0x7a));
    expect(decodeBom(swapped)).toMatchObject({ sorted: false });
    const short = patched(sample, u32(tableAt(RECORD(3)) + 4, 31), u16(record(3, 'flags'), 3));
    expect(decodeBom(short).records).toEqual(decodeBom(sample).records);
    const inexact = patched(sample, u32(at(1, 4), 5));
    expect(decodeBom(inexact).records).toEqual(decodeBom(sample).records);
  });

  describe('of several levels', () => {
    const many = encodeBom([folder('.'), ...Array.from({ length: 600 }, (_, index) => plain(`./${index}`))]);
    const table = BOM_HEADER.decode(many).indexOffset + 4;
    const blockAt = (block: number) => many.readUInt32BE(table + block * 8);
    const firstLeaf = 11 + 3 * 601;

    it.each<[string, readonly Patch[], string, number]>([
      [
        'a leaf that leads back',
        [u32(blockAt(firstLeaf + 1) + 4, firstLeaf)],
        'BOM_TREE_LINK',
        blockAt(firstLeaf + 1) + 4,
      ],
      [
        'a leaf that skips its neighbour',
        [u32(blockAt(firstLeaf) + 4, firstLeaf + 2)],
        'BOM_TREE_LINK',
        blockAt(firstLeaf) + 4,
      ],
      [
        'a wrong leaf before',
        [u32(blockAt(firstLeaf + 2) + 8, firstLeaf)],
        'BOM_TREE_LINK',
        blockAt(firstLeaf + 2) + 8,
      ],
      ['a leaf listed twice', [u32(blockAt(3) + 12 + 8, firstLeaf)], 'BOM_TREE_CYCLE', blockAt(firstLeaf)],
      ['a branch among leaves', [u16(blockAt(firstLeaf + 1), 0)], 'BOM_NODE', blockAt(firstLeaf + 1)],
      ['a leaf with fewer entries', [u16(blockAt(firstLeaf + 1) + 2, 3)], 'BOM_TREE_COUNT', blockAt(2) + 16],
    ])('refuses %s', async (_, patches, code, offset) => {
      expect(await faultOf(() => decodeBom(patched(many, ...patches)))).toEqual({ code, offset });
    });
  });
});

function u32be(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeUInt32BE(value);
  return data;
}
