import { describe, expect, it } from 'vitest';
import { attributeNames, isAppleDouble, metadataPartner } from '../../src/tree/apple-double.ts';

interface Attribute {
  readonly name: string;
  /** Bytes of the name as its entry counts them; its NUL included unless told otherwise. */
  readonly nameSize?: number;
}

/** Returns what follows the Finder information: RFC 1740 has no word on it, copyfile.c of Apple has (`attr_header`, `attr_entry`). */
function attributes(list: readonly Attribute[], count = list.length): Buffer {
  const header = Buffer.alloc(36);
  header.write('ATTR');
  header.writeUInt16BE(count, 34);
  const entries = list.map(({ name, nameSize = Buffer.byteLength(name) + 1 }) => {
    const entry = Buffer.alloc(Math.ceil((11 + nameSize) / 4) * 4);
    entry.writeUInt8(nameSize, 10);
    entry.write(name, 11);
    return entry;
  });
  return Buffer.concat([header, ...entries]);
}

/** Returns an AppleDouble file with entries of these identifiers; those of Finder information (9) lead to `finder`, others nowhere. */
function appleDouble(finder: Buffer, ids: readonly number[] = [9, 2], count = ids.length): Buffer {
  const header = Buffer.alloc(26);
  header.writeUInt32BE(0x00051607, 0);
  header.writeUInt32BE(0x00020000, 4);
  header.write('Mac OS X        ', 8);
  header.writeUInt16BE(count, 24);
  const start = 26 + 12 * ids.length;
  const entries = ids.map((id) => {
    const entry = Buffer.alloc(12);
    entry.writeUInt32BE(id, 0);
    entry.writeUInt32BE(start, 4);
    return entry;
  });
  return Buffer.concat([header, ...entries, Buffer.alloc(34), finder]);
}

describe('isAppleDouble', () => {
  it.each([
    ['00051607', true],
    ['0005160700020000', true],
    ['000516', false],
    ['', false],
    ['00051600', false],
    ['07160500', false],
  ])('of %s is %s', (head, expected) => {
    expect(isAppleDouble(Buffer.from(head, 'hex'))).toBe(expected);
  });
});

describe('metadataPartner', () => {
  it.each([
    ['./a/._x', './a/x'],
    ['./._x', './x'],
    ['._x', 'x'],
    ['./a/._._x', './a/._x'],
    ['./a/._', undefined],
    ['./._a/x', undefined],
    ['./a/x._y', undefined],
    ['./a/.x', undefined],
    ['./a/_x', undefined],
    ['.', undefined],
  ])('of %s is %s', (path, partner) => {
    expect(metadataPartner(path)).toBe(partner);
  });
});

describe('attributeNames', () => {
  // Names of 0 to 4 bytes beyond a multiple of 4: each entry begins at the next.
  const names = ['com.apple.provenance', 'a', 'ab', 'abc', 'abcd', 'abcde', 'com.apple.quarantine', 'grüße'];
  const list = names.map((name) => ({ name }));

  it('gives every name in order, whatever its length', () => {
    expect(attributeNames(appleDouble(attributes(list)))).toEqual(names);
    expect(attributeNames(appleDouble(attributes([])))).toEqual([]);
    expect(attributeNames(appleDouble(attributes([{ name: 'a', nameSize: 1 }, { name: 'b' }])))).toEqual(['a', 'b']);
    expect(attributeNames(appleDouble(attributes([{ name: 'a', nameSize: 9 }, { name: 'b' }])))).toEqual(['a', 'b']);
    expect(attributeNames(appleDouble(attributes([{ name: 'x\0y' }])))).toEqual(['x\0y']);
  });

  it('finds the Finder information wherever it stands among the entries', () => {
    expect(attributeNames(appleDouble(attributes(list), [2, 9]))).toEqual(names);
    expect(attributeNames(appleDouble(attributes(list), [1, 2, 3, 9]))).toEqual(names);
    expect(attributeNames(appleDouble(attributes(list), [8, 10, 2]))).toEqual([]);
    expect(attributeNames(appleDouble(attributes(list), [2, 9], 1))).toEqual([]);
    expect(attributeNames(appleDouble(attributes(list), []))).toEqual([]);
  });

  it('passes Finder information over that lies elsewhere or has no attributes', () => {
    const data = appleDouble(attributes(list), [9, 9]);
    data.writeUInt32BE(data.length, 26 + 4);
    expect(attributeNames(data)).toEqual(names);
    data.writeUInt32BE(0, 26 + 4);
    expect(attributeNames(data)).toEqual(names);
    const without = attributes(list);
    without.write('ATTS');
    expect(attributeNames(appleDouble(without))).toEqual([]);
  });

  it('gives the names up to where a file is cut', () => {
    const whole = appleDouble(attributes([{ name: 'abcde' }, { name: 'f' }, { name: 'g' }]));
    const start = 26 + 24 + 34 + 36;
    const of = (size: number) => attributeNames(whole.subarray(0, size));
    expect(of(25)).toEqual([]);
    expect(of(26 + 23)).toEqual([]);
    expect(of(start - 1)).toEqual([]);
    expect(of(start)).toEqual([]);
    expect(of(start + 10)).toEqual([]);
    expect(of(start + 11)).toEqual(['']);
    expect(of(start + 14)).toEqual(['abc']);
    // The first entry has 11 + 6 bytes, and 3 that pad it.
    expect(of(start + 20 + 10)).toEqual(['abcde']);
    expect(of(start + 20 + 12)).toEqual(['abcde', 'f']);
    expect(attributeNames(appleDouble(attributes([{ name: 'a' }], 2)))).toEqual(['a']);
    expect(attributeNames(appleDouble(attributes([{ name: 'a' }, { name: 'b' }], 1)))).toEqual(['a']);
  });

  it('is empty of what is no AppleDouble file', () => {
    const data = appleDouble(attributes(list));
    data.writeUInt32BE(0x00051600, 0);
    expect(attributeNames(data)).toEqual([]);
    expect(attributeNames(Buffer.alloc(0))).toEqual([]);
    const cut = appleDouble(attributes(list), [2], 2).subarray(0, 26 + 12 + 11);
    expect(attributeNames(cut)).toEqual([]);
  });
});
