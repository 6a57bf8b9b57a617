import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { ascii, bytes, layout, octal, u8, u16be, u16le, u32be, u32le, u64be, u64le } from '../../src/base/layout.ts';

const SAMPLE = layout('Sample', {
  magic: ascii(4),
  byte: u8,
  big: u16be,
  little: u16le,
  word: u32be,
  littleWord: u32le,
  long: u64be,
  littleLong: u64le,
  digits: octal(6),
  raw: bytes(3),
});

const VALUE = {
  magic: 'xar!',
  byte: 1,
  big: 0x0203,
  little: 0x0405,
  word: 0x06070809,
  littleWord: 0x0a0b0c0d,
  long: 0x0102030405060708n,
  littleLong: 0x1112131415161718n,
  digits: 0o755,
  raw: Buffer.from('abc'),
};

describe('layout', () => {
  it('lays fields one after the other, each in its byte order', () => {
    expect(SAMPLE.size).toBe(42);
    expect(SAMPLE.encode(VALUE).toString('hex')).toBe(
      '78617221' +
        '01' +
        '0203' +
        '0504' +
        '06070809' +
        '0d0c0b0a' +
        '0102030405060708' +
        '1817161514131211' +
        '303030373535' +
        '616263',
    );
    expect(SAMPLE.offsetOf('raw')).toBe(39);
  });

  it('gives back what it encoded, for any values', () => {
    const values = fc.record({
      magic: fc.string({ minLength: 4, maxLength: 4, unit: fc.constantFrom(...'ABCxyz019!') }),
      byte: fc.nat(0xff),
      big: fc.nat(0xffff),
      little: fc.nat(0xffff),
      word: fc.nat(0xffffffff),
      littleWord: fc.nat(0xffffffff),
      long: fc.bigInt(0n, 2n ** 64n - 1n),
      littleLong: fc.bigInt(0n, 2n ** 64n - 1n),
      digits: fc.nat(0o777777),
      raw: fc.uint8Array({ minLength: 3, maxLength: 3 }).map((array) => Buffer.from(array)),
    });
    fc.assert(
      fc.property(values, (value) => {
        expect(SAMPLE.decode(SAMPLE.encode(value))).toEqual(value);
      }),
    );
  });

  it('refuses every truncation, saying how much is there', () => {
    const whole = SAMPLE.encode(VALUE);
    for (let length = 0; length < whole.length; length++) {
      expect(() => SAMPLE.decode(whole.subarray(0, length))).toThrow(
        new FormatError('FORMAT_TRUNCATED', 'Sample', length, `expected 42 bytes, found ${length}`),
      );
    }
  });

  it('names the field that does not fit', () => {
    expect(() => SAMPLE.encode({ ...VALUE, byte: 256 })).toThrow(/^Sample\.byte does not fit: 256$/);
    expect(() => SAMPLE.encode({ ...VALUE, digits: 0o1000000 })).toThrow(/^Sample\.digits/);
    expect(() => SAMPLE.encode({ ...VALUE, magic: 'xar' })).toThrow(/^Sample\.magic/);
    expect(() => SAMPLE.encode({ ...VALUE, magic: 'xaré' })).toThrow(/^Sample\.magic/);
    expect(() => SAMPLE.encode({ ...VALUE, raw: Buffer.alloc(2) })).toThrow(/^Sample\.raw/);
    expect(() => SAMPLE.encode({ ...VALUE, long: -1n })).toThrow(/^Sample\.long/);
  });

  it('refuses a byte that is not an octal digit, with its offset', () => {
    const bad = SAMPLE.encode(VALUE);
    bad.write('8', SAMPLE.offsetOf('digits') + 2);
    expect(() => SAMPLE.decode(bad)).toThrow(/offset 35: expected an octal digit, found byte 56/);
  });
});
