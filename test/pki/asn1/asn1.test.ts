import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { asn1Text, Fields, octetsOf, oidOf, parseAsn1, parseWholeAsn1, timeOf } from '../../../src/pki/asn1/asn1.ts';
import { der, octetString, sequence, TAG, utf8String } from '../../../src/pki/asn1/der.ts';

const node = (text: string) => parseWholeAsn1(Buffer.from(text.replace(/\s/g, ''), 'hex'), 'test');

describe('parseAsn1', () => {
  it('reads indefinite lengths and strings in pieces', () => {
    // SEQUENCE (indefinite) { OCTET STRING (indefinite) { 'ab', 'c' } }
    const outer = node('3080 2480 0402 6162 0401 63 0000 0000');
    expect(octetsOf(outer.children[0]!).toString()).toBe('abc');
    expect(outer.children).toHaveLength(1);
    expect(outer.content.toString('hex')).toBe('2480040261620401630000');
  });

  it('knows where each value lies', () => {
    const bytes = sequence(utf8String('a'), sequence(octetString(Buffer.from('xyz'))));
    const inner = parseAsn1(bytes, 'test').children[1]!.children[0]!;
    expect(bytes.subarray(inner.offset, inner.offset + inner.raw.length)).toEqual(inner.raw);
  });

  it('stops after the first value, unless the whole is asked for', () => {
    const padded = Buffer.concat([octetString(Buffer.from('a')), Buffer.alloc(5)]);
    expect(parseAsn1(padded, 'test').raw).toHaveLength(3);
    expect(() => parseWholeAsn1(padded, 'test')).toThrow(
      'test, offset 3: expected nothing after the value, found 5 bytes',
    );
  });

  it('refuses every cut of a value', () => {
    const bytes = sequence(utf8String('hello'), octetString(Buffer.alloc(200)));
    for (let size = 0; size < bytes.length; size++) {
      expect(() => parseAsn1(bytes.subarray(0, size), 'test'), `${size} bytes`).toThrow(FormatError);
    }
  });

  it('refuses parts longer than the whole, shorter ones, and end marks where none belongs', () => {
    for (const bad of ['3003 0403 616263', '3007 0403 616263 0000', '3005 020101 0000', '3005 0000 020101', '0000']) {
      expect(() => node(bad), bad).toThrow(FormatError);
    }
  });

  it('refuses nesting and numbers of values that only an attack has', () => {
    expect(() => parseAsn1(Buffer.alloc(100_000, 0x30), 'test')).toThrow(FormatError);
    expect(() => parseAsn1(Buffer.from('3080'.repeat(5000), 'hex'), 'test')).toThrow(FormatError);
    let nested: Buffer = Buffer.alloc(0);
    for (let depth = 0; depth < 300; depth++) nested = sequence(nested);
    expect(() => parseAsn1(nested, 'test')).toThrow(FormatError);
    const many = der(TAG.sequence, Buffer.from('0500'.repeat(20_000), 'hex'));
    expect(() => parseAsn1(many, 'test')).toThrow(FormatError);
  });
});

describe('Fields', () => {
  it('names the field that is missing or of another type', () => {
    const fields = () => new Fields(node('3003 0201 01'), TAG.sequence, 'Thing');
    expect(() => fields().take('name', TAG.oid)).toThrow(
      'test, offset 2: expected Thing.name (tag 0x06), found tag 0x02',
    );
    expect(() => fields().end()).toThrow('expected the end of Thing, found tag 0x02');
    const emptied = fields();
    emptied.take('number', TAG.integer);
    expect(() => emptied.take('more')).toThrow('expected Thing.more, found the end of Thing');
    expect(() => new Fields(node('020101'), TAG.sequence, 'Thing')).toThrow(
      'expected Thing (tag 0x30), found tag 0x02',
    );
  });
});

describe('values', () => {
  it('are refused when they are of another type or form', () => {
    for (const bad of ['0600', '060180', '0401ff']) expect(() => oidOf(node(bad)), bad).toThrow(FormatError);
    for (const bad of ['0401ff', `170d${Buffer.from('261301000000Z').toString('hex')}`, '1700']) {
      expect(() => timeOf(node(bad)), bad).toThrow(FormatError);
    }
    expect(() => asn1Text(node('020101'))).toThrow(FormatError);
  });

  it('are read as their types say', () => {
    expect(asn1Text(node('1e04 00c4 0042'))).toBe('ÄB');
    expect(asn1Text(node('1401 e9'))).toBe('é');
    const fraction = Buffer.from('20260102030405.25Z', 'latin1');
    expect(timeOf(parseWholeAsn1(der(TAG.generalizedTime, fraction), 'test')).toISOString()).toBe(
      '2026-01-02T03:04:05.250Z',
    );
    const utc = (text: string) => timeOf(parseWholeAsn1(der(TAG.utcTime, Buffer.from(text)), 'test')).getUTCFullYear();
    expect([utc('500101000000Z'), utc('490101000000Z')]).toEqual([1950, 2049]);
  });
});
