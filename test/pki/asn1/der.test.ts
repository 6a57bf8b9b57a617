import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { integerBytes, octetsOf, oidOf, parseWholeAsn1, timeOf } from '../../../src/pki/asn1/asn1.ts';
import {
  der,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  time,
} from '../../../src/pki/asn1/der.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');

describe('der', () => {
  it('writes the shortest length', () => {
    expect(hex(der(TAG.octetString, Buffer.alloc(127)).subarray(0, 2))).toBe('047f');
    expect(hex(der(TAG.octetString, Buffer.alloc(128)).subarray(0, 3))).toBe('048180');
    expect(hex(der(TAG.octetString, Buffer.alloc(256)).subarray(0, 4))).toBe('04820100');
    expect(hex(der(TAG.octetString, Buffer.alloc(65536)).subarray(0, 5))).toBe('0483010000');
  });

  it('keeps integers positive and without needless zeros', () => {
    expect(hex(integer(0))).toBe('020100');
    expect(hex(integer(127))).toBe('02017f');
    expect(hex(integer(128))).toBe('02020080');
    expect(hex(integer(Buffer.from('000001', 'hex')))).toBe('020101');
    for (const size of [0, 1, 2, 9]) expect(hex(integer(Buffer.alloc(size)))).toBe('020100');
  });

  it('sorts a SET OF by its encoded elements', () => {
    expect(hex(setOf(integer(2), octetString(Buffer.alloc(0)), integer(1)))).toBe('3108020101' + '020102' + '0400');
  });

  it('writes the years up to 2049 as UTCTime and later ones as GeneralizedTime', () => {
    expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1', 2)).toBe('491231235959Z');
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1', 2)).toBe('20500101000000Z');
    expect(hex(time(new Date('2050-01-01T00:00:00Z'))).slice(0, 4)).toBe('180f');
  });

  it('writes object identifiers as X.690 does in its example', () => {
    // X.690, section 8.19.5: {2 999 3} is 06 03 88 37 03.
    expect(hex(oid('2.999.3'))).toBe('0603883703');
    expect(hex(oid('1.2.34359738367.9223372036854775807'))).toBe('060f2affffffff7fffffffffffffffff7f');
    for (const wrong of ['', '1', '1.', '.1', '1..2', '1.-2', '1.2e3', '1.2.x'])
      expect(() => oid(wrong)).toThrow(TypeError);
    expect(() => oid('1.x')).toThrow(TypeError);
  });
});

describe('der, read back', () => {
  it('gives object identifiers, octets, integers and times unchanged', () => {
    const arcs = fc.tuple(
      fc.integer({ min: 0, max: 2 }),
      fc.array(fc.integer({ min: 0, max: 2 ** 31 }), { maxLength: 6 }),
    );
    fc.assert(
      fc.property(arcs, fc.integer({ min: 0, max: 39 }), ([first, rest], second) => {
        const dotted = [first, second, ...rest].join('.');
        expect(oidOf(parseWholeAsn1(oid(dotted), 'test'))).toBe(dotted);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const [inner] = parseWholeAsn1(sequence(octetString(bytes)), 'test').children;
        expect(octetsOf(inner!)).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (value) => {
        const bytes = integerBytes(parseWholeAsn1(integer(value), 'test'));
        expect(BigInt(`0x${hex(bytes)}`)).toBe(BigInt(value));
      }),
    );
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true }), (date) => {
        const seconds = new Date(Math.floor(date.getTime() / 1000) * 1000);
        expect(timeOf(parseWholeAsn1(time(seconds), 'test'))).toEqual(seconds);
        expect(timeOf(parseWholeAsn1(generalizedTime(seconds), 'test'))).toEqual(seconds);
      }),
    );
  });
});
