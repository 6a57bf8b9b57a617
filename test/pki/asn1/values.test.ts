import { describe, expect, it } from 'vitest';
import {
  asn1Text,
  bitsOf,
  booleanOf,
  explicitOf,
  integerBytes,
  octetsOf,
  oidOf,
  parseWholeAsn1,
  smallInteger,
  timeOf,
  wholeOctetsOf,
} from '../../../src/pki/asn1/asn1.ts';

const node = (hex: string) => parseWholeAsn1(Buffer.from(hex.replace(/\s/g, ''), 'hex'), 'test');
const bytes = (hex: string) => Buffer.from(hex, 'hex').toString('latin1');
/** A value with a text inside, by its tag. */
const text = (tag: string, content: string) =>
  `${tag} ${content.length.toString(16).padStart(2, '0')} ${Buffer.from(content, 'latin1').toString('hex')}`;
const asked = (read: (one: ReturnType<typeof node>) => unknown, hex: string) => {
  try {
    const found = read(node(hex));
    return Buffer.isBuffer(found) ? found.toString('hex') : found instanceof Date ? found.toISOString() : found;
  } catch (error) {
    return String(error)
      .replace(/^.*offset \d+: /, '')
      .replace(/(ASN.1 value): .*/, '$1');
  }
};

describe('values of ASN.1', () => {
  it.each<[string, (one: ReturnType<typeof node>) => unknown, string, unknown]>([
    ['a boolean', booleanOf, '0101ff', true],
    ['a boolean of another number', booleanOf, '010101', true],
    ['a boolean', booleanOf, '010100', false],
    ['a boolean of two bytes', booleanOf, '01020000', 'expected a boolean'],
    ['an integer as a boolean', booleanOf, '020101', 'expected a boolean'],
    ['an integer', integerBytes, '02020080', '0080'],
    ['octets as an integer', integerBytes, '040101', 'expected an integer'],
    ['an integer of four bytes', smallInteger, '02047fffffff', 0x7fffffff],
    ['an integer below 0', smallInteger, '0201ff', -1],
    ['an integer of five bytes', smallInteger, '02050100000000', 'expected a small integer, found 5 bytes'],
    ['bits', bitsOf, '030307ff80', 'ff80'],
    ['bits of no octet', bitsOf, '030100', ''],
    ['octets as bits', bitsOf, '040100', 'expected a bit string'],
    ['whole octets', wholeOctetsOf, '030200ff', 'ff'],
    ['bits that are no whole octets', wholeOctetsOf, '030201fe', 'expected a bit string without unused bits'],
    ['octets', octetsOf, '0402abcd', 'abcd'],
    ['octets in pieces', octetsOf, '2406 0401ab 0401cd', 'abcd'],
    ['pieces that are integers', octetsOf, '2403 020101', 'expected an ASN.1 value'],
    ['bits as octets', octetsOf, '030200ff', 'expected an octet string'],
    ['octets under another tag', (one) => octetsOf(one, 0x80), '8001ab', 'ab'],
    ['what is inside a tag', (one) => explicitOf(one, 0, 'x').raw, 'a003020101', '020101'],
  ])('read %s', (_, read, hex, expected) => expect(asked(read, hex)).toBe(expected));

  it.each<[string, string]>([
    ['0601 00', '0.0'],
    ['0601 27', '0.39'],
    ['0601 28', '1.0'],
    ['0601 4f', '1.39'],
    ['0601 50', '2.0'],
    ['0602 8837', '2.999'],
    ['0606 2a864886f70d', '1.2.840.113549'],
    ['0602 2a00', '1.2.0'],
    ['0603 2a8100', '1.2.128'],
    ['0600', 'expected an object identifier'],
    ['0602 2a86', 'expected an ASN.1 value'],
    ['0401 2a', 'expected an object identifier'],
    [`0640 ${'2a'.repeat(64)}`, `1.2${'.42'.repeat(63)}`],
    [`0641 ${'2a'.repeat(65)}`, 'expected an object identifier'],
  ])('read the object identifier %s', (hex, expected) => expect(asked(oidOf, hex)).toBe(expected));

  it.each<[string, string]>([
    [text('0c', bytes('c3a9')), 'é'],
    [text('13', bytes('e9')), 'é'],
    [text('16', 'a'), 'a'],
    [text('12', '1'), '1'],
    [text('14', bytes('e9')), 'é'],
    [text('1a', 'a'), 'a'],
    [text('1e', bytes('00e90061')), 'éa'],
    [text('1e', bytes('00e961')), 'expected an ASN.1 value'],
    ['020101', 'expected a character string'],
    [text('04', 'a'), 'expected a character string'],
  ])('read the text %s', (hex, expected) => expect(asked(asn1Text, hex)).toBe(expected));

  it.each<[string, string]>([
    [text('17', '231114221320Z'), '2023-11-14T22:13:20.000Z'],
    [text('17', '491231235959Z'), '2049-12-31T23:59:59.000Z'],
    [text('17', '500101000000Z'), '1950-01-01T00:00:00.000Z'],
    [text('17', '000101000000Z'), '2000-01-01T00:00:00.000Z'],
    [text('18', '20231114221320Z'), '2023-11-14T22:13:20.000Z'],
    [text('18', '20231114221320.5Z'), '2023-11-14T22:13:20.500Z'],
    [text('18', '20231114221320.123456Z'), '2023-11-14T22:13:20.123Z'],
    [text('18', '18991231000000Z'), '1899-12-31T00:00:00.000Z'],
    [text('18', '20231314221320Z'), 'expected a time that exists, found 20231314221320Z'],
    ...['2311142213Z', '231114221320', '231114221320+0100', '231114221320.5Z'].map((one): [string, string] => [
      text('17', one),
      'expected a time in UTC with seconds',
    ]),
    ...['202311142213Z', '20231114221320', '20231114221320.Z', '20231114221320.1234567890Z', '20231114221320+0100'].map(
      (one): [string, string] => [text('18', one), 'expected a time in UTC with seconds'],
    ),
    [text('0c', '20231114221320Z'), 'expected a time in UTC with seconds'],
  ])('read the time %s', (hex, expected) => expect(asked(timeOf, hex)).toBe(expected));
});
