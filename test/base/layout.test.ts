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

  it('lists its fields, and knows no others', () => {
    expect(SAMPLE.name).toBe('Sample');
    expect(SAMPLE.fields.slice(0, 3)).toMatchObject([
      { name: 'magic', offset: 0, width: 4 },
      { name: 'byte', offset: 4, width: 1 },
      { name: 'big', offset: 5, width: 2 },
    ]);
    expect(SAMPLE.offsetOf('magic')).toBe(0);
    expect(() => SAMPLE.offsetOf('none' as 'raw')).toThrow(new TypeError('Sample has no field none'));
  });

  it('reads and writes in the middle of other bytes', () => {
    const around = Buffer.alloc(46, 0xee);
    SAMPLE.encodeInto(around, 2, VALUE);
    expect(around.subarray(2, 44).equals(SAMPLE.encode(VALUE))).toBe(true);
    expect([around[1], around[44]]).toEqual([0xee, 0xee]);
    expect(SAMPLE.decode(around, 2)).toEqual(VALUE);
    SAMPLE.encodeInto(around, 4, VALUE);
    expect(SAMPLE.decode(around, 4)).toEqual(VALUE);
    const refused = (offset: number) => () => SAMPLE.decode(around, offset);
    expect(refused(5)).toThrow('Sample, offset 41: expected 42 bytes, found 41');
    expect(refused(46)).toThrow('Sample, offset 0: expected 42 bytes, found 0');
    expect(refused(47)).toThrow('Sample, offset 0: expected 42 bytes, found 0');
    expect(refused(-1)).toThrow('expected 42 bytes, found 47');
  });

  it('keeps its own copy of raw bytes', () => {
    const data = SAMPLE.encode(VALUE);
    const { raw } = SAMPLE.decode(data);
    data.fill(0);
    expect(raw.toString()).toBe('abc');
  });

  it('holds every field at its edges', () => {
    const field = (value: object) => () => SAMPLE.encode({ ...VALUE, ...value });
    const most = {
      byte: 0xff,
      big: 0xffff,
      little: 0xffff,
      word: 0xffffffff,
      littleWord: 0xffffffff,
      digits: 0o777777,
    };
    for (const [name, value] of Object.entries(most)) {
      expect(SAMPLE.decode(field({ [name]: value })())).toMatchObject({ [name]: value });
      expect(SAMPLE.decode(field({ [name]: 0 })())).toMatchObject({ [name]: 0 });
      expect(field({ [name]: value + 1 })).toThrow(`Sample.${name} does not fit: ${value + 1}`);
      expect(field({ [name]: -1 })).toThrow(`Sample.${name} does not fit: -1`);
    }
    for (const name of ['long', 'littleLong']) expect(field({ [name]: 2n ** 64n })).toThrow(`Sample.${name}`);
    expect(field({ digits: 1.5 })).toThrow('Sample.digits');
    for (const magic of ['\0\0\0\x7f', 'a\nb\0']) expect(SAMPLE.decode(field({ magic })()).magic).toBe(magic);
    for (const magic of ['abc\x80', 'abcde', 'abc']) expect(field({ magic })).toThrow('Sample.magic');
    for (const size of [2, 4]) expect(field({ raw: Buffer.alloc(size) })).toThrow('Sample.raw');
  });

  it.each(['/', '8', ' ', '\0'])('refuses %j as an octal digit wherever it stands', (digit) => {
    for (const index of [0, 5]) {
      const bad = SAMPLE.encode(VALUE);
      bad.write(digit, SAMPLE.offsetOf('digits') + index);
      expect(() => SAMPLE.decode(bad)).toThrow(`octal number, offset ${33 + index}: expected an octal digit`);
    }
  });
});
