import { describe, expect, it } from 'vitest';
import { isBinaryPropertyList, parseBinaryPropertyList } from '../../src/xml/binary-property-list.ts';
import { renderPropertyList } from '../../src/xml/property-list.ts';
import { readPropertyListDictionary } from '../../src/xml/read-property-list.ts';
import { faultOf } from '../support/xar.ts';

/** From plistlib of Python 3: every kind it writes, integers and texts at their edges. */
const OF_PYTHON = Buffer.from(
  'YnBsaXN0MDDZAQIDBAUGBwgJCgsMDQ4REhMbUWJTYmlnUWRRZlFyUXNRdFF1UXdDAAH/FAAAAAAAAAAAgAAAAAAAAAAzQceY1bkA' +
    'AAAIog8QIz/gAAAAAAAAI8ACAAAAAAAAXxAQYWJjZGVmZ2hpamtsbW5vcAmnFBUWFxgZGhABEP8RAQASAAEAABMAAAABAAAAABP/' +
    '/////////xN//////////2kAZwByAPwA3wAgIKwAINg93gAIGx0hIyUnKSstLzNETU5RWmN2d3+Bg4aLlJ2mAAAAAAAAAQEAAAAA' +
    'AAAAHAAAAAAAAAAAAAAAAAAAALk=',
  'base64',
);

interface Shape {
  readonly offsetSize?: number;
  readonly referenceSize?: number;
  readonly count?: number;
  readonly top?: number;
  readonly table?: number;
}

function number(value: number, size: number): Buffer {
  const field = Buffer.alloc(8);
  field.writeBigUInt64BE(BigInt(value));
  return field.subarray(8 - size);
}

/** Returns a property list of these objects, in hex, as the comment in CFBinaryPList.c lays it out; the first is the top one. */
function listOf(objects: readonly string[], shape: Shape = {}): Buffer {
  const { offsetSize = 4, referenceSize = 1 } = shape;
  const parts = [Buffer.from('bplist00')];
  const offsets: Buffer[] = [];
  let at = 8;
  for (const object of objects) {
    offsets.push(number(at, offsetSize));
    parts.push(Buffer.from(object, 'hex'));
    at += object.length / 2;
  }
  const sizes = Buffer.from([0, 0, 0, 0, 0, 0, offsetSize, referenceSize]);
  const { count = objects.length, top = 0, table = at } = shape;
  return Buffer.concat([...parts, ...offsets, sizes, number(count, 8), number(top, 8), number(table, 8)]);
}

const read = (objects: readonly string[], shape?: Shape) => parseBinaryPropertyList(listOf(objects, shape));

describe('parseBinaryPropertyList', () => {
  it('reads what another program wrote', () => {
    expect(readPropertyListDictionary(OF_PYTHON)).toEqual(
      new Map<string, unknown>([
        ['b', Buffer.from([0, 1, 0xff])],
        ['big', 2n ** 63n],
        ['d', new Date('2026-02-03T04:05:06Z')],
        ['f', false],
        ['r', [0.5, -2.25]],
        ['s', 'abcdefghijklmnop'],
        ['t', true],
        ['u', [1n, 255n, 256n, 65536n, 2n ** 32n, -1n, 2n ** 63n - 1n]],
        ['w', 'grüß € 😀'],
      ]),
    );
  });

  it.each<[string, string[], unknown]>([
    ['an unsigned integer of 1 byte', ['10ff'], 255n],
    ['an unsigned integer of 2 bytes', ['11ffff'], 65535n],
    ['an unsigned integer of 4 bytes', ['12ffffffff'], 4294967295n],
    ['a signed integer of 8 bytes', ['138000000000000000'], -(2n ** 63n)],
    ['a signed integer of 16 bytes', [`14${'ff'.repeat(16)}`], -1n],
    ['a real of 4 bytes', ['22bf800000'], -1],
    ['a real of 8 bytes', ['233ff8000000000000'], 1.5],
    ['false', ['08'], false],
    ['true', ['09'], true],
    ['the first moment of 2001', ['330000000000000000'], new Date('2001-01-01T00:00:00Z')],
    ['a second before it', ['33bff0000000000000'], new Date('2000-12-31T23:59:59Z')],
    ['data', ['420102'], Buffer.from([1, 2])],
    ['no data', ['40'], Buffer.alloc(0)],
    ['text of 14 characters', [`5e${'61'.repeat(14)}`], 'a'.repeat(14)],
    ['text of 15 characters', [`5f100f${'61'.repeat(15)}`], 'a'.repeat(15)],
    ['a length of 2 bytes', [`5f110100${'61'.repeat(256)}`], 'a'.repeat(256)],
    ['a length of 8 bytes', ['4f13000000000000000107'], Buffer.from([7])],
    ['text of two bytes a character', ['6200e4d83d'], 'ä\ud83d'],
    ['an array', ['a20102', '09', '08'], [true, false]],
    ['an object twice', ['a20101', '09'], [true, true]],
    ['a dictionary: all keys, then all values', ['d201020304', '5161', '5162', '09', '08'], { a: true, b: false }],
  ])('reads %s', (_, objects, value) => {
    const found = read(objects);
    expect(found instanceof Map ? Object.fromEntries(found) : found).toStrictEqual(value);
  });

  it('keeps its own copy of data', () => {
    const list = listOf(['4101']);
    const found = parseBinaryPropertyList(list);
    list.fill(0);
    expect(found).toEqual(Buffer.from([1]));
  });

  it.each([1, 2, 3, 8])('reads references and offsets of %i bytes, whichever object is the top one', (size) => {
    const objects = ['09', `a2${number(0, size).toString('hex')}${number(2, size).toString('hex')}`, '5161'];
    expect(read(objects, { offsetSize: size, referenceSize: size, top: 1 })).toEqual([true, 'a']);
  });

  it.each<[string, Buffer, number, string]>([
    ['less than magic and trailer', listOf([]).subarray(1), 0, '39 bytes'],
    ['no object', listOf([]), 8, 'object 0 of 0'],
    ['offsets of 0 bytes', listOf(['09'], { offsetSize: 0 }), 15, 'numbers of 0 and 1 bytes'],
    ['references of 0 bytes', listOf(['09'], { referenceSize: 0 }), 19, 'numbers of 4 and 0 bytes'],
    ['references of 9 bytes', listOf(['09'], { referenceSize: 9 }), 19, 'numbers of 4 and 9 bytes'],
    ['a table that reaches into the trailer', listOf(['09'], { count: 2 }), 21, 'a table of 2 offsets'],
    ['a table a byte too late', listOf(['09'], { table: 10 }), 21, 'a table of 1 offsets'],
    ['a top object that is none', listOf(['09'], { top: 1 }), 9, 'object 1 of 1'],
    ['a reference to none', listOf(['a101']), 10, 'object 1 of 1'],
    ['an array that holds itself', listOf(['a100']), 10, 'object 0 holds itself'],
    ['arrays that hold each other', listOf(['a101', 'a100']), 12, 'object 0 holds itself'],
    ['null', listOf(['00']), 8, 'an object of kind 0x0'],
    ['a kind that nothing has', listOf(['0e']), 8, 'an object of kind 0xe'],
    ['a UID', listOf(['8001']), 8, 'an object of kind 0x80'],
    ['a set', listOf(['c0']), 8, 'an object of kind 0xc0'],
    ['an integer of 32 bytes', listOf([`15${'00'.repeat(32)}`]), 9, 'an integer of 32 bytes'],
    ['a real of 2 bytes', listOf(['210000']), 9, 'a real of 2 bytes'],
    ['a real of 16 bytes', listOf([`24${'00'.repeat(16)}`]), 9, 'a real of 16 bytes'],
    ['a date of another size', listOf(['3200000000']), 8, 'an object of kind 0x32'],
    ['a date that is no number', listOf(['337ff8000000000000']), 9, 'a date out of range'],
    ['a date beyond what a date holds', listOf(['337e37e43c8800759c']), 9, 'a date out of range'],
    ['a length that is text', listOf(['4f5161']), 9, 'a length of kind 0x51'],
    ['a length of 16 bytes', listOf([`4f14${'00'.repeat(15)}01ff`]), 9, 'a length of kind 0x14'],
    ['a key that is not text', listOf(['d10102', '09', '08']), 9, 'a key that is not text'],
    ['a key twice', listOf(['d201010202', '5161', '09']), 9, "key 'a' is given twice"],
  ])('refuses %s', async (_, data, offset, problem) => {
    expect(await faultOf(() => parseBinaryPropertyList(data))).toMatchObject({
      code: 'PLIST_INVALID',
      format: 'binary property list',
      offset,
      message: expect.stringContaining(problem),
    });
  });

  it('refuses an object before the objects, in the table, and bytes behind the end', async () => {
    const at = (offset: number) => {
      const data = listOf(['09']);
      data.writeUInt32BE(offset, 9);
      return data;
    };
    const problem = async (data: Buffer) => (await faultOf(() => parseBinaryPropertyList(data))).message;
    expect(parseBinaryPropertyList(at(8))).toBe(true);
    expect(await problem(at(7))).toContain('offset 7: an object outside of the objects');
    expect(await problem(at(9))).toContain('offset 9: an object outside of the objects');
    // 37 bytes follow the marker and its length: table and trailer.
    expect((parseBinaryPropertyList(listOf(['4f1024'])) as Buffer).length).toBe(36);
    expect(await problem(listOf(['4f1025']))).toContain('offset 11: 37 bytes behind the end');
    expect(await problem(listOf(['af1025']))).toContain('offset 11: 37 bytes behind the end');
  });

  it('holds 64 values inside each other, and refuses 65', async () => {
    const nested = (depth: number) =>
      Array.from({ length: depth }, (_, index) =>
        index === depth - 1 ? '09' : `a1${number(index + 1, 1).toString('hex')}`,
      );
    expect(JSON.stringify(read(nested(64)))).toBe(`${'['.repeat(63)}true${']'.repeat(63)}`);
    const fault = await faultOf(() => read(nested(65)));
    expect(fault).toMatchObject({ code: 'SIZE_LIMIT', message: expect.stringContaining('at most 64 values inside') });
  });

  it('counts a value as often as it is referred to, each reference too, and each 64 bytes or entries', async () => {
    const arrayOf = (references: string) => `af11${number(references.length / 2, 2).toString('hex')}${references}`;
    const wide = (size: number) => {
      const top = arrayOf(`${'01'.repeat(154)}02${'03'.repeat(485)}`);
      return read([top, arrayOf('03'.repeat(640)), `4f11${number(size, 2).toString('hex')}${'00'.repeat(size)}`, '09']);
    };
    // The top array, 154 arrays of 640 values, data, 485 values.
    const cost = (size: number) => 1 + 10 + 640 + 154 * (1 + 10 + 640 + 640) + (1 + size / 64) + 485;
    expect(cost(3136)).toBe(200_000);
    expect((wide(3136) as unknown[]).length).toBe(640);
    expect(await faultOf(() => wide(3137))).toMatchObject({
      code: 'SIZE_LIMIT',
      message: expect.stringContaining('at most 200000 values'),
    });
  });
});

describe('readPropertyListDictionary', () => {
  it('tells the two forms by their first 8 bytes', () => {
    expect(isBinaryPropertyList(Buffer.from('bplist00'))).toBe(true);
    expect(isBinaryPropertyList(Buffer.from('bplist01'))).toBe(false);
    expect(isBinaryPropertyList(Buffer.from('xbplist00'))).toBe(false);
    expect(isBinaryPropertyList(Buffer.from('bplist0'))).toBe(false);
    const xml = Buffer.from(renderPropertyList(new Map([['a', true]])));
    expect(readPropertyListDictionary(xml)).toEqual(new Map([['a', true]]));
    expect(readPropertyListDictionary(listOf(['d10102', '5161', '09']))).toEqual(new Map([['a', true]]));
  });

  it('refuses another value at the root', async () => {
    expect(await faultOf(() => readPropertyListDictionary(listOf(['a0'])))).toMatchObject({
      code: 'PLIST_INVALID',
      offset: 0,
      message: expect.stringContaining('expected a dictionary at the root'),
    });
  });
});
