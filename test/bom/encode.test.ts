import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BomRecord, directorySize } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { errorOf, FACTS, recordsOf, trees } from '../support/payload.ts';

const folder = (path: string, children = 0): BomRecord => ({
  ...FACTS,
  path,
  kind: 'directory',
  mode: 0o755,
  size: directorySize(children),
});
const plain = (path: string, size = 5, cksum = 7): BomRecord => ({
  ...FACTS,
  path,
  kind: 'file',
  mode: 0o644,
  size,
  cksum,
});

const byPath = (records: readonly BomRecord[]) => records.toSorted((a, b) => (a.path < b.path ? -1 : 1));

describe('encodeBom', () => {
  const bom = encodeBom([
    folder('.', 3),
    plain('./f', 3, 0x11223344),
    folder('./d'),
    { ...FACTS, path: './l', kind: 'symlink', mode: 0o755, size: 9, linkTarget: 'faust.txt' },
  ]);

  // The shapes are those of Boms made by Apple's tools (python-applications.bom, relic-dummy-2021.pkg).
  it('begins with the header and the five variables', () => {
    expect(bom.subarray(0, 16).toString('hex')).toBe(`${Buffer.from('BOMStore').toString('hex')}0000000100000016`);
    expect(bom.subarray(32, 512).equals(Buffer.alloc(480))).toBe(true);
    expect(bom.subarray(512, 572).toString('latin1')).toBe(
      '\0\0\0\x05\0\0\0\x01\x07BomInfo\0\0\0\x02\x05Paths\0\0\0\x04\x07HLIndex\0\0\0\x06\x06VIndex\0\0\0\x09\x06Size64',
    );
  });

  it('has trees of nodes of 4,096 bytes, but for VIndex of 128', () => {
    const table = bom.readUInt32BE(16) + 4;
    const block = (number: number) => {
      const [offset, length] = [bom.readUInt32BE(table + 8 * number), bom.readUInt32BE(table + 8 * number + 4)];
      return bom.subarray(offset, offset + length);
    };
    for (const [tree, size] of [[2, 4096], [4, 4096], [7, 128], [9, 4096]] as const) {
      // A tree: its magic, version, root, size of a node, entries, a byte.
      expect(block(tree).toString('hex', 0, 16)).toBe(`7472656500000001${(tree + 1).toString(16).padStart(8, '0')}${size.toString(16).padStart(8, '0')}`);
      expect(block(tree + 1)).toHaveLength(size);
    }
  }); // biome-ignore format: short

  it('counts one path more than there are, and the bytes of files and links', () => {
    expect(bom.includes(Buffer.from('00000001000000050000000100000000000000000000000c00000000', 'hex'))).toBe(true);
  });

  it('writes records of 31, 35 and 39 bytes and the target', () => {
    const target = Buffer.from('ccb0a0910000000a66617573742e747874000000000000000000', 'hex');
    const time = '6553f100';
    expect(bom.includes(Buffer.from(`0201000f41ed0000000000000000${time}000000a0010000000000000000`, 'hex'))).toBe(
      true,
    );
    expect(
      bom.includes(Buffer.from(`0101000f81a40000000000000000${time}0000000301112233440000000000000000`, 'hex')),
    ).toBe(true);
    expect(
      bom.includes(Buffer.concat([Buffer.from(`0301000fa1ed0000000000000000${time}0000000901`, 'hex'), target])),
    ).toBe(true);
  });

  it('writes a fat record of 72 bytes as pkgbuild does', () => {
    const architectures = [
      { cpuType: 0x01000007, cpuSubtype: 3, size: 0x12240, cksum: 1 },
      { cpuType: 0x0100000c, cpuSubtype: 0, size: 0x12240, cksum: 2 },
    ];
    const made = encodeBom([folder('.', 1), { ...plain('./m', 0x2c240, 9), mode: 0o755, architectures }]);
    const record = `0101200f81ed00000000000000006553f1000002c24001${'00000009'}01${'00000002'}01000007000000030001224000000001${'0100000c000000000001224000000002'}${'00'.repeat(8)}`;
    expect(record.length / 2).toBe(72);
    expect(made.includes(Buffer.from(record, 'hex'))).toBe(true);
    expect(decodeBom(made).totals).toEqual([
      { cpuType: 0, size: 0 },
      { cpuType: 0x01000007, size: 0x12240 },
      { cpuType: 0x0100000c, size: 0x12240 },
    ]);
  });

  it('marks a file that is its only architecture as thin', () => {
    const architectures = [{ cpuType: 0x0100000c, cpuSubtype: 0, size: 50, cksum: 3 }];
    expect(
      encodeBom([folder('.', 1), { ...plain('./m', 50, 3), architectures }]).includes(
        Buffer.from('0101100f81a4', 'hex'),
      ),
    ).toBe(true);
    expect(
      encodeBom([folder('.', 1), { ...plain('./m', 90, 3), architectures }]).includes(
        Buffer.from('0101200f81a4', 'hex'),
      ),
    ).toBe(true);
  });

  it('writes a path-only root as pkgbuild --component does', () => {
    const root: BomRecord = {
      path: '.',
      kind: 'directory',
      mode: 0,
      uid: 0,
      gid: 0,
      mtimeSeconds: 0,
      size: 0,
      pathOnly: true,
    };
    const made = encodeBom([root]);
    expect(made.includes(Buffer.from(`02010001${'00'.repeat(27)}`, 'hex'))).toBe(true);
    expect(decodeBom(made).records).toEqual([root]);
  });

  it('lists folders breadth-first and names by their bytes', () => {
    const paths = ['./b', './a', './a/z', './a/\uffee', './a/💾', './b/c'];
    const records = [folder('.', 2), folder('./b', 1), folder('./a', 3), ...paths.slice(2).map((path) => plain(path))];
    const read = decodeBom(encodeBom(records));
    expect(read.sorted).toBe(true);
    expect(read.records.map(({ path }) => path)).toEqual(['.', './a', './b', './a/z', './a/\uffee', './a/💾', './b/c']);
  });

  it('gives back what random trees hold', async () => {
    await fc.assert(
      fc.asyncProperty(trees(60), async (entries) => {
        const records = await recordsOf(entries);
        const file = encodeBom(records);
        const read = decodeBom(file);
        const expected = records.map((record) =>
          record.kind === 'symlink' ? { ...record, cksum: expect.any(Number) } : record,
        );
        expect(byPath(read.records)).toEqual(byPath(expected));
        expect(read).toMatchObject({ sorted: true, orphanBlocks: 0 });
        expect(encodeBom(read.records).equals(file)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it.each([1, 256, 257, 512, 513, 5000])('lists %i paths', (count) => {
    const records = [folder('.', count - 1)];
    for (let index = 1; index < count; index++) records.push(plain(`./${index}`, index));
    const read = decodeBom(encodeBom(records));
    expect(read.records.length).toBe(count);
    expect(new Set(read.records.map(({ path, size }) => `${path} ${size}`)).size).toBe(count);
    expect(read).toMatchObject({ sorted: true, orphanBlocks: 0 });
  });

  it('needs a third level from 65,537 paths on', () => {
    const records = [folder('.', 65_536)];
    for (let index = 0; index < 65_536; index++) records.push(plain(`./${index}`));
    expect(decodeBom(encodeBom(records)).records.length).toBe(65_537);
  });

  it('takes a file of 4 GiB - 1 and refuses 4 GiB', async () => {
    const made = encodeBom([folder('.', 1), plain('./a', 2 ** 32 - 1)]);
    expect(decodeBom(made).records[1]).toMatchObject({ size: 2 ** 32 - 1 });
    expect(decodeBom(made).totals).toEqual([{ cpuType: 0, size: 2 ** 32 - 1 }]);
    const error = await errorOf(() => encodeBom([folder('.', 1), plain('./a', 2 ** 32)]));
    expect(error).toMatchObject({ code: 'ENTRY_TOO_LARGE', message: expect.stringContaining('./a') });
  });

  it.each([-1, 1.5, Number.NaN, 2 ** 32 + 1])('refuses a file of %s bytes', async (size) => {
    for (const record of [plain('./a', size), { ...plain('./a', size), pathOnly: true as const }])
      expect((await errorOf(() => encodeBom([folder('.', 1), record as BomRecord]))).code).toBe('ENTRY_TOO_LARGE');
  });

  it('lists the totals of processors in the order of their numbers, behind that of all', () => {
    const slice = (cpuType: number, size: number) => ({ cpuType, cpuSubtype: 0, size, cksum: 0 });
    const [x86, arm, old] = [0x01000007, 0x0100000c, 7];
    const records = [
      folder('.', 2),
      { ...plain('./a', 6), architectures: [slice(arm, 4), slice(old, 2)] },
      { ...plain('./b', 3), architectures: [slice(x86, 1), slice(arm, 2)] },
    ];
    expect(decodeBom(encodeBom(records)).totals.map(({ cpuType }) => cpuType)).toEqual([0, old, x86, arm]);
  });

  it('counts totals modulo 2^32', () => {
    const records = [folder('.', 2), plain('./a', 2 ** 32 - 1), plain('./b', 3)];
    expect(decodeBom(encodeBom(records)).totals).toEqual([{ cpuType: 0, size: 2 }]);
  });

  it.each([
    ['no root', [folder('./a')]],
    ['a missing parent', [folder('.'), plain('./a/b')]],
    ['a path twice', [folder('.'), plain('./a'), plain('./a')]],
    ['a link without target', [folder('.'), { ...plain('./a'), kind: 'symlink' as const }]],
    ['a file without cksum', [folder('.'), { ...FACTS, path: './a', kind: 'file' as const, mode: 0o644, size: 1 }]],
  ])('refuses %s', async (_, records) => {
    expect((await errorOf(() => encodeBom(records))).code).toBe('ENTRY_INVALID');
  });
});
