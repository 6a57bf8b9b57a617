import { describe, expect, it } from 'vitest';
import { explicitOf, Fields, octetsOf, parseAsn1, parseWholeAsn1 } from '../../../src/pki/asn1/asn1.ts';
import {
  boolean,
  context,
  contextPrimitive,
  der,
  integer,
  octetString,
  oid,
  sequence,
  TAG,
  time,
} from '../../../src/pki/asn1/der.ts';

const hex = (bytes: Buffer) => bytes.toString('hex');
const node = (text: string) => parseWholeAsn1(Buffer.from(text.replace(/\s/g, ''), 'hex'), 'test');
const said = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return (error as Error).message;
  }
};

describe('parseAsn1', () => {
  it('reads 4,000 values, and no more', () => {
    const values = (inside: number) => said(() => parseAsn1(der(TAG.sequence, Buffer.from('0500'.repeat(inside), 'hex')), 'test').children.length);
    expect(values(3999)).toBe(3999);
    expect(values(4000)).toMatch(/^test, offset 0: expected an ASN.1 value: Maximum/);
  }); // biome-ignore format: a table

  it('copies nothing: every value is a part of what was read', () => {
    const bytes = sequence(octetString(Buffer.from('abc')));
    const { raw, children } = parseAsn1(bytes, 'test');
    expect([raw.buffer === bytes.buffer, children[0]?.content.buffer === bytes.buffer]).toEqual([true, true]);
  });

  it.each<[string, number]>([
    ['0500', 0x05],
    ['3000', 0x30],
    ['4100', 0x41],
    ['8000', 0x80],
    ['a000', 0xa0],
    ['c000', 0xc0],
    ['9e00', 0x9e],
    ['9f1f00', -1],
    ['9f8100 00', -1],
  ])('gives %s the tag %i', (bytes, tag) => expect(node(bytes).tag).toBe(tag));

  it.each<[string, string]>([
    ['3003 0403 616263', 'test, offset 0: expected a value of 3 bytes, found 5'],
    ['3007 0403 616263', 'test, offset 0: expected an ASN.1 value'],
    ['3005 020101 0000', 'test, offset 5: expected a value of 0 bytes, found 0'],
    ['30', 'test, offset 0: expected an ASN.1 value'],
    ['', 'test, offset 0: expected an ASN.1 value'],
  ])('refuses %s', (bytes, words) => expect(said(() => node(bytes))).toContain(words));

  it('gives places from the start of what was read, also within long and open lengths', () => {
    const long = sequence(octetString(Buffer.alloc(200)), integer(1));
    expect(parseAsn1(long, 'test').children.map(({ offset }) => offset)).toEqual([3, 3 + 203]);
    const open = node('3080 020101 020102 0000');
    expect(open.children.map(({ offset, raw }) => [offset, hex(raw)])).toEqual([
      [2, '020101'],
      [5, '020102'],
    ]);
    expect(hex(open.content)).toBe('020101020102');
  });
});

describe('Fields', () => {
  const fields = () => new Fields(node('3009 020101 0101ff 040161'), TAG.sequence, 'Thing');

  it('takes what is optional by its tag, and passes nothing over', () => {
    const own = fields();
    expect(own.optional(TAG.boolean)).toBeUndefined();
    expect(own.optional(TAG.boolean, TAG.integer)?.tag).toBe(2);
    expect(own.take('flag').tag).toBe(1);
    expect(own.optional(TAG.octetString, TAG.boolean)?.tag).toBe(4);
    expect(own.optional(TAG.octetString)).toBeUndefined();
    expect(() => own.end()).not.toThrow();
    expect(said(() => own.take('more', 1))).toBe('test, offset 0: expected Thing.more, found the end of Thing');
  });

  it('names tags in two digits', () => {
    expect(said(() => fields().take('a', TAG.null))).toBe('test, offset 2: expected Thing.a (tag 0x05), found tag 0x02');
    expect(said(() => fields().end())).toBe('test, offset 2: expected the end of Thing, found tag 0x02');
    expect(said(() => explicitOf(node('a103020101'), 0, 'value'))).toBe('test, offset 0: expected value (tag 0xa0), found tag 0xa1');
    expect(said(() => explicitOf(node('a000'), 0, 'value'))).toContain('expected value.value, found the end');
  }); // biome-ignore format: a table

  it('joins octets under another tag, in pieces', () => {
    expect(hex(octetsOf(node('a006 0401ab 0401cd'), 0x80))).toBe('abcd');
    expect(said(() => octetsOf(node('a103 0401ab'), 0x80))).toContain('expected an octet string');
  });
});

describe('der', () => {
  it.each<[Buffer, string]>([
    [der(0x04, Buffer.alloc(127)).subarray(0, 2), '047f'],
    [der(0x04, Buffer.alloc(128)).subarray(0, 3), '048180'],
    [der(0x04, Buffer.alloc(255)).subarray(0, 3), '0481ff'],
    [der(0x04, Buffer.alloc(256)).subarray(0, 4), '04820100'],
    [der(0x04, Buffer.alloc(65_535)).subarray(0, 4), '0482ffff'],
    [der(0x04, Buffer.alloc(65_536)).subarray(0, 5), '0483010000'],
    [der(0x04, Buffer.from('a'), Buffer.from('b')), '04026162'],
    [integer(1), '020101'],
    [integer(255), '020200ff'],
    [integer(256), '02020100'],
    [integer(65_535), '020300ffff'],
    [integer(2 ** 32), '02050100000000'],
    [integer(Buffer.from('0000', 'hex')), '020100'],
    [integer(Buffer.from('007f', 'hex')), '02017f'],
    [integer(Buffer.from('0080', 'hex')), '02020080'],
    [integer(Buffer.from('ff', 'hex')), '020200ff'],
    [boolean(true), '0101ff'],
    [boolean(false), '010100'],
    [oid('0.0'), '060100'],
    [oid('1.2'), '06012a'],
    [oid('2.47'), '06017f'],
    [oid('2.48'), '06028100'],
    [oid('1.2.127'), '06022a7f'],
    [oid('1.2.128'), '06032a8100'],
    [oid('1.2.16383'), '06032aff7f'],
    [oid('1.2.16384'), '06042a818000'],
    [oid('1.2.840.113549.1.7.2'), '06092a864886f70d010702'],
    [der(context(3)), 'a300'],
    [der(contextPrimitive(3)), '8300'],
  ])('writes %j as %s', (bytes, expected) => expect(hex(bytes)).toBe(expected)); // biome-ignore format: a table

  it.each(['1', '', 'a.b', '-1.2', '1.-2'])('writes no %j as an object identifier', (dotted) =>
    expect(() => oid(dotted)).toThrow(`not an object identifier: ${dotted}`),
  );
  it('writes numbers beyond those that are safe', () =>
    expect(['1.2.9007199254740991', '1.2.9007199254740992'].map((one) => hex(oid(one)))).toEqual([
      '06092a8fffffffffffff7f',
      '06092a9080808080808000',
    ]));

  it('writes times to the second', () => {
    expect(time(new Date('2026-02-03T04:05:06.999Z')).toString('latin1')).toBe('\x17\x0d260203040506Z');
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1')).toBe('\x18\x0f20500101000000Z');
  });
});
