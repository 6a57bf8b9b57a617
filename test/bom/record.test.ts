import { describe, expect, it } from 'vitest';
import type { BomRecord } from '../../src/bom/bom.ts';
import { bomRecordSize, decodeBomRecord, encodeBomRecord } from '../../src/bom/record.ts';
import { FACTS, faultOf } from '../support/payload.ts';

const PLAIN: BomRecord = { ...FACTS, path: './f', kind: 'file', mode: 0o4644, uid: 501, gid: 80, size: 5, cksum: 7 };
const LINK: BomRecord = {
  ...FACTS,
  path: './l',
  kind: 'symlink',
  mode: 0o755,
  size: 3,
  cksum: 9,
  linkTarget: 'd/\u00e9',
};
const FOLDER: BomRecord = { ...FACTS, path: './d', kind: 'directory', mode: 0o1755, size: 96 };
const slice = (cpuType: number, size: number) => ({ cpuType, cpuSubtype: 3, size, cksum: 4 });
const FAT: BomRecord = { ...PLAIN, size: 100, architectures: [slice(7, 40), slice(18, 60)] };

/** The block of a record, in a larger room at some place, and what lies beside it. */
function encoded(record: BomRecord): Buffer {
  const size = bomRecordSize(record);
  const room = Buffer.alloc(size + 20, 0xaa);
  room.fill(0, 10, 10 + size);
  encodeBomRecord(record, room, 10);
  expect(room.subarray(0, 10).equals(Buffer.alloc(10, 0xaa))).toBe(true);
  expect(room.subarray(10 + size).equals(Buffer.alloc(10, 0xaa))).toBe(true);
  return room.subarray(10, 10 + size);
}

function withoutPath(record: BomRecord) {
  const { path: _, ...rest } = record;
  return rest;
}

/** The code and the place, counted from the record's block. */
const fault = async (data: Buffer) => {
  const { code, offset } = await faultOf(() => decodeBomRecord(data, 1000));
  return [code, offset - 1000];
};

function changed(record: BomRecord, ...bytes: readonly [at: number, value: number][]): Buffer {
  const data = Buffer.from(encoded(record));
  for (const [at, value] of bytes) data[at] = value;
  return data;
}

describe('a Bom record', () => {
  // Fixed part of 23 bytes, a sum, a target with its length and NUL, architectures of 16 bytes, eight zeros (bom.h of bomutils).
  it.each<[string, BomRecord, number]>([
    ['a file', PLAIN, 23 + 4 + 8],
    ['a file with an empty list of architectures', { ...PLAIN, architectures: [] }, 23 + 4 + 8],
    ['a folder', FOLDER, 23 + 8],
    ['a link, its target in UTF-8', LINK, 23 + 4 + 4 + 5 + 8],
    ['a program of two', FAT, 23 + 4 + 5 + 32 + 8],
    ['a path-only file', { ...PLAIN, pathOnly: true }, 23 + 8],
    ['a path-only link', { ...LINK, pathOnly: true }, 23 + 8],
  ])('of %s takes its bytes', (_, record, size) => {
    expect(encoded(record).length).toBe(size);
  });

  it.each<[string, BomRecord]>([
    ['file', PLAIN],
    ['folder', FOLDER],
    ['link', LINK],
    ['program of two', FAT],
    ['program of one', { ...PLAIN, architectures: [slice(7, 5)] }],
  ])('of a %s is given back', (_, record) => {
    expect(decodeBomRecord(encoded(record), 0)).toEqual(withoutPath(record));
  });

  it('has the sum of the target where none is given', () => {
    const { cksum: _, ...link } = { ...LINK, linkTarget: 'hello' };
    // As `printf hello | cksum` prints it.
    expect(decodeBomRecord(encoded(link), 0).cksum).toBe(3287646509);
  });

  it.each<[string, BomRecord, number]>([
    ['a plain file', PLAIN, 0x000f],
    ['an empty list', { ...PLAIN, architectures: [] }, 0x000f],
    ['one slice that is the file', { ...PLAIN, architectures: [slice(7, 5)] }, 0x100f],
    ['one slice that is not', { ...PLAIN, architectures: [slice(7, 4)] }, 0x200f],
    ['two slices, one as large as the file', { ...FAT, architectures: [slice(7, 100), slice(18, 60)] }, 0x200f],
    ['a path alone', { ...PLAIN, pathOnly: true }, 0x0001],
  ])('is marked for %s', (_, record, flags) => {
    expect(encoded(record).readUInt16BE(2)).toBe(flags);
  });

  it.each<[string, BomRecord, number]>([
    ['a file', PLAIN, 0o104644],
    ['a folder', FOLDER, 0o041755],
    ['a link', LINK, 0o120755],
    ['a path-only file', { ...PLAIN, pathOnly: true }, 0o104644],
    ['a path-only root without a mode', { ...FOLDER, mode: 0, pathOnly: true }, 0],
  ])('has the mode of %s', (_, record, mode) => {
    expect(encoded(record).readUInt16BE(4)).toBe(mode);
  });

  it('says nothing but type and mode of a path alone', () => {
    const data = encoded({ ...PLAIN, pathOnly: true });
    expect(data.subarray(6).equals(Buffer.alloc(25))).toBe(true);
    const zero = { uid: 0, gid: 0, mtimeSeconds: 0, size: 0 };
    expect(decodeBomRecord(data, 0)).toEqual({ ...zero, kind: 'file', mode: 0o4644, pathOnly: true });
  });

  // Bytes of the flags: the upper half-byte is the kind of program, the rest how much of the record holds.
  it.each<[string, BomRecord, number, boolean | undefined]>([
    ['a full file', PLAIN, 0x000f, false],
    ['a file as bomutils has it', PLAIN, 0x0003, false],
    ['the least that holds', PLAIN, 0x0002, false],
    ['a path alone, 1', FOLDER, 0x0001, true],
    ['a path alone, 0', FOLDER, 0x0000, true],
    ['more than all', PLAIN, 0x0010, undefined],
    ['a program of a third kind', PLAIN, 0x300f, undefined],
    ['a thin folder', FOLDER, 0x100f, undefined],
    ['a fat link', LINK, 0x200f, undefined],
  ])('reads the flags of %s', async (_, record, flags, pathOnly) => {
    const data = changed(record, [2, flags >> 8], [3, flags & 0xff]);
    if (pathOnly === undefined) expect(await fault(data)).toEqual(['BOM_RECORD', 2]);
    else expect(decodeBomRecord(data, 0).pathOnly ?? false).toBe(pathOnly);
  });

  it('takes the mode of another type with a path alone, and needs no second 1 there', () => {
    const data = changed({ ...PLAIN, pathOnly: true }, [4, 0o041755 >> 8], [5, 0o041755 & 0xff]);
    expect(decodeBomRecord(data, 0)).toMatchObject({ kind: 'file', mode: 0o1755, pathOnly: true });
  });

  it.each<[string, Buffer, readonly [string, number]]>([
    ['a type of 0', changed(PLAIN, [0, 0]), ['BOM_RECORD', 0]],
    ['a type of 4', changed(PLAIN, [0, 4]), ['BOM_RECORD', 0]],
    ['a first byte of 0', changed(PLAIN, [1, 0]), ['BOM_RECORD', 1]],
    ['the mode of a folder', changed(PLAIN, [4, 0x41]), ['BOM_RECORD', 4]],
    ['the mode of a link in a folder', changed(FOLDER, [4, 0xa1]), ['BOM_RECORD', 4]],
    ['a second byte of 2', changed(PLAIN, [22, 2]), ['BOM_RECORD', 22]],
    ['22 bytes', encoded(FOLDER).subarray(0, 22), ['FORMAT_TRUNCATED', 0]],
    ['a folder of nine zeros', Buffer.concat([encoded(FOLDER), Buffer.alloc(1)]), ['BOM_RECORD', 23]],
    ['a folder with something at the end', changed(FOLDER, [30, 1]), ['BOM_RECORD', 23]],
    ['a path alone with something behind', changed({ ...FOLDER, pathOnly: true }, [23, 1]), ['BOM_RECORD', 23]],
    ['a file of nine zeros', Buffer.concat([encoded(PLAIN), Buffer.alloc(1)]), ['BOM_RECORD', 27]],
    ['three bytes of a sum', encoded(PLAIN).subarray(0, 26), ['BOM_RECORD', 23]],
    ['three bytes of a length', encoded(LINK).subarray(0, 30), ['BOM_RECORD', 27]],
    ['a target that is cut', encoded(LINK).subarray(0, 35), ['BOM_RECORD', 31]],
    ['a target of NUL alone', changed(LINK, [30, 1], [31, 0]), ['BOM_RECORD', 32]],
    [
      'a target of NUL alone, and zeros',
      changed(LINK, [30, 1], ...Array.from({ length: 5 }, (_, at): [number, number] => [31 + at, 0])),
      ['BOM_RECORD', 32],
    ],
    ['a target of no byte', changed(LINK, [30, 0]), ['BOM_RECORD', 31]],
    ['a target without NUL', changed(LINK, [35, 0x61]), ['BOM_RECORD', 36]],
    ['a target with a NUL inside', changed(LINK, [32, 0]), ['BOM_RECORD', 36]],
    ['a target that is not UTF-8', changed(LINK, [33, 0xff]), ['BOM_RECORD', 36]],
    ['a link with something behind', changed(LINK, [36, 1]), ['BOM_RECORD', 36]],
    ['no byte before the architectures', encoded(FAT).subarray(0, 27), ['BOM_RECORD', 27]],
    ['another byte before them', changed(FAT, [27, 2]), ['BOM_RECORD', 28]],
    ['no architecture', changed(FAT, [31, 0]), ['BOM_RECORD', 32]],
    ['one architecture less than it has', changed(FAT, [31, 1]), ['BOM_RECORD', 48]],
    ['one architecture more', changed(FAT, [31, 3]), ['BOM_RECORD', 32]],
  ])('with %s is refused', async (_, data, expected) => {
    expect(await fault(data)).toEqual(expected);
  });

  it.each<[string, Buffer]>([
    ['a folder without zeros', encoded(FOLDER).subarray(0, 23)],
    ['a file without zeros', encoded(PLAIN).subarray(0, 27)],
    ['a link without zeros', encoded(LINK).subarray(0, 36)],
    ['a program without zeros', encoded(FAT).subarray(0, 64)],
  ])('is read as of %s, as bomutils writes some', (_, data) => {
    expect(() => decodeBomRecord(data, 0)).not.toThrow();
  });

  it('may have a target of one byte', () => {
    expect(decodeBomRecord(encoded({ ...LINK, linkTarget: 'd' }), 0).linkTarget).toBe('d');
  });
});
