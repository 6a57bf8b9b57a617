import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseWholeAsn1 } from '../../../src/pki/asn1/asn1.ts';
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  der,
  integer,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  TAG,
  time,
  utf8String,
} from '../../../src/pki/asn1/der.ts';
import { attribute, parseCertificate } from '../../../src/pki/x509/certificate.ts';
import { hashOf, publicKeyOf, readAlgorithm, signatureProblem } from '../../../src/pki/x509/signature-algorithms.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const rsa = rsaPair();
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const spki = (key: typeof rsa.publicKey) => key.export({ type: 'spki', format: 'der' });
const ALGORITHM = sequence(oid('1.2.840.113549.1.1.11'), Buffer.from('0500', 'hex'));
const name = (...pairs: readonly (readonly [string, Buffer])[]) =>
  sequence(...pairs.map(([type, value]) => setOf(sequence(oid(type), value))));
const FROM = new Date('2020-01-02T03:04:05Z');
const TO = new Date('2051-01-02T03:04:05Z');

interface Parts {
  readonly version?: Buffer[];
  readonly serial?: Buffer;
  readonly inner?: Buffer;
  readonly issuer?: Buffer;
  readonly subject?: Buffer;
  readonly key?: Buffer;
  readonly behindKey?: Buffer[];
  readonly extensions?: Buffer[] | undefined;
  readonly behind?: Buffer[];
  readonly signature?: Buffer;
  readonly outer?: Buffer[];
}
/** A certificate put together here, field by field as in RFC 5280, section 4.1; its signature is never right. */
function encode(parts: Parts = {}): Buffer {
  const { version = [der(context(0), integer(2))], serial = integer(5), inner = ALGORITHM, behindKey = [] } = parts;
  const { issuer = name(['2.5.4.3', utf8String('issuer')]), subject = name(['2.5.4.3', utf8String('subject')]) } = parts;
  const { key = spki(rsa.publicKey), extensions, behind = [], signature = bitString(Buffer.from('sig')), outer = [] } = parts;
  const list = extensions ? [der(context(3), sequence(...extensions))] : [];
  const tbs = sequence(...version, serial, inner, issuer, sequence(time(FROM), time(TO)), subject, key, ...behindKey, ...list, ...behind);
  return sequence(tbs, ALGORITHM, signature, ...outer);
} // biome-ignore format: a table
const read = (parts: Parts = {}) => parseCertificate(encode(parts));
const extension = (type: string, value: Buffer, critical?: boolean) =>
  sequence(oid(type), ...(critical === undefined ? [] : [boolean(critical)]), octetString(value));

describe('parseCertificate', () => {
  it('gives what stands there', () => {
    const bytes = encode();
    const found = parseCertificate(bytes);
    const digest = (hash: string) => createHash(hash).update(bytes).digest('hex').toUpperCase();
    expect(found).toMatchObject({
      der: bytes, serialNumber: '5', serialBytes: Buffer.from([5]), commonName: 'subject', organizationalUnit: undefined,
      notBefore: FROM, notAfter: TO, publicKeyInfo: spki(rsa.publicKey), signature: Buffer.from('sig'), extensions: [],
      isAuthority: false, pathLength: undefined, keyUsage: undefined, extendedKeyUsage: undefined,
      subjectKeyIdentifier: undefined, authorityKeyIdentifier: undefined, sha1: digest('sha1'), sha256: digest('sha256'),
      signatureAlgorithm: { oid: '1.2.840.113549.1.1.11', parameters: Buffer.from('0500', 'hex') },
    }); // biome-ignore format: a table
    expect(bytes.indexOf(found.tbs)).toBe(4);
    expect(found.issuer).toEqual({ der: name(['2.5.4.3', utf8String('issuer')]), attributes: [{ type: '2.5.4.3', value: 'issuer' }] });
  }); // biome-ignore format: a table

  it.each<[string, string]>([
    ['00', '0'],
    ['0080', '80'],
    ['7f00', '7F00'],
    ['000001', '1'],
    ['ab', 'AB'],
  ])('writes the serial number %s as %s', (bytes, text) => {
    const { serialNumber, serialBytes } = read({ serial: der(TAG.integer, Buffer.from(bytes, 'hex')) });
    expect([serialNumber, serialBytes.toString('hex')]).toEqual([text, bytes]);
  });

  it('takes the first of each attribute of a name', () => {
    const subject = name(['2.5.4.11', utf8String('one')], ['2.5.4.3', printableString('a')], ['2.5.4.11', utf8String('two')]);
    const found = read({ subject });
    expect([found.organizationalUnit, found.commonName, attribute(found.subject, '2.5.4.6')]).toEqual(['one', 'a', undefined]);
    expect(read({ subject: sequence() }).commonName).toBe('');
    const together = sequence(setOf(sequence(oid('2.5.4.3'), utf8String('a')), sequence(oid('2.5.4.11'), utf8String('b'))));
    expect(read({ subject: together })).toMatchObject({ commonName: 'a', organizationalUnit: 'b' });
  }); // biome-ignore format: a table

  it('reads extensions, and what they mean', () => {
    const constraints = (...items: Buffer[]) => read({ extensions: [extension('2.5.29.19', sequence(...items), true)] });
    expect(constraints()).toMatchObject({ isAuthority: false, pathLength: undefined });
    expect(constraints(boolean(true))).toMatchObject({ isAuthority: true, pathLength: undefined });
    expect(constraints(boolean(false), integer(0))).toMatchObject({ isAuthority: false, pathLength: 0 });
    expect(constraints(boolean(true), integer(3))).toMatchObject({ isAuthority: true, pathLength: 3 });
    const usage = (hex: string) => read({ extensions: [extension('2.5.29.15', Buffer.from(hex, 'hex'))] }).keyUsage;
    expect([usage('03020780'), usage('0303078006'), usage('030100')]).toEqual([0x80, 0x80, 0]);
    const critical = (value?: boolean) => read({ extensions: [extension('1.2.3', Buffer.from('0500', 'hex'), value)] }).extensions;
    const value = Buffer.from('0500', 'hex');
    expect([critical(), critical(true), critical(false)]).toEqual([false, true, false].map((one) => [{ oid: '1.2.3', critical: one, value }]));
    const ids = [extension('2.5.29.14', octetString(Buffer.from('me'))), extension('2.5.29.35', sequence(der(context(1), Buffer.alloc(0)), der(contextPrimitive(0), Buffer.from('it'))))];
    expect(read({ extensions: ids })).toMatchObject({ subjectKeyIdentifier: Buffer.from('me'), authorityKeyIdentifier: Buffer.from('it') });
    expect(read({ extensions: [extension('2.5.29.35', sequence(der(contextPrimitive(2), Buffer.from('x'))))] }).authorityKeyIdentifier).toBeUndefined();
    expect(read({ extensions: [extension('2.5.29.37', sequence(oid('1.2.3'), oid('1.2.4')))] }).extendedKeyUsage).toEqual(['1.2.3', '1.2.4']);
  }); // biome-ignore format: a table

  it('passes over a version that is left out, and obsolete ids', () => {
    expect(read({ version: [] }).commonName).toBe('subject');
    const ids = [der(contextPrimitive(1), Buffer.from([0, 1])), der(contextPrimitive(2), Buffer.from([0, 1]))];
    expect(read({ behindKey: ids, extensions: [] }).extensions).toEqual([]);
    expect(read({ behindKey: ids.slice(1) }).commonName).toBe('subject');
  });

  it.each<[string, Parts, string]>([
    ['a value behind the extensions', { extensions: [], behind: [integer(1)] }, 'expected the end of TBSCertificate'],
    ['a value behind the signature', { outer: [integer(1)] }, 'expected the end of Certificate'],
    ['two lists of extensions', { extensions: [], behind: [der(context(3), sequence())] }, 'expected the end of TBSCertificate'],
    ['a signature with spare bits', { signature: der(TAG.bitString, Buffer.from([1, 2])) }, 'expected a bit string without unused bits'],
    ['another algorithm inside', { inner: sequence(oid('1.2.3')) }, 'expected the signature algorithm that tbsCertificate names'],
    ['a key that is no sequence', { key: integer(1) }, 'expected TBSCertificate.subjectPublicKeyInfo'],
    ['a name that is no sequence', { subject: setOf() }, 'expected TBSCertificate.subject (tag 0x30), found tag 0x31'],
    ['an issuer that is no sequence', { issuer: setOf() }, 'expected TBSCertificate.issuer (tag 0x30), found tag 0x31'],
    ['an attribute that is no sequence', { subject: sequence(setOf(integer(1))) }, 'expected AttributeTypeAndValue'],
    ['a serial number that is none', { serial: octetString(Buffer.from([1])) }, 'expected an integer'],
    ['an extension that is none', { extensions: [setOf()] }, 'expected Extension'],
    ['an extension of two booleans', { extensions: [sequence(oid('1.2.3'), boolean(true), boolean(true))] }, 'expected an octet string'],
  ])('refuses %s', (_, parts, words) => expect(() => read(parts)).toThrow(words)); // biome-ignore format: a table

  it('refuses what lies behind it', () => {
    expect(() => parseCertificate(Buffer.concat([encode(), Buffer.alloc(1)]))).toThrow('found 1 bytes');
  });
});

describe('the algorithms of signatures', () => {
  const DATA = Buffer.from('data');
  // RFC 3279, RFC 4055, RFC 5758.
  const RSA: [string, string][] = [['5', 'sha1'], ['11', 'sha256'], ['12', 'sha384'], ['13', 'sha512']]; // biome-ignore format: a table
  const EC: [string, string][] = [['1', 'sha1'], ['3.2', 'sha256'], ['3.3', 'sha384'], ['3.4', 'sha512']]; // biome-ignore format: a table
  const problem = (algorithm: string, keys: typeof rsa | typeof ec, hash: string, beside?: string, data = DATA) =>
    signatureProblem({
      publicKeyInfo: spki(keys.publicKey),
      algorithm: { oid: algorithm, parameters: undefined },
      hash: beside as 'sha1' | undefined,
      data,
      signature: sign(hash, DATA, keys.privateKey),
    });

  it.each([
    ...RSA.map(([end, hash]) => [`1.2.840.113549.1.1.${end}`, rsa, ec, hash] as const),
    ...EC.map(([end, hash]) => [`1.2.840.10045.4.${end}`, ec, rsa, hash] as const),
  ])('%s is one key and one digest', (algorithm, keys, others, hash) => {
    const another = hash === 'sha256' ? 'sha384' : 'sha256';
    expect(problem(algorithm, keys, hash)).toBeUndefined();
    expect(problem(algorithm, keys, hash, hash)).toBeUndefined();
    expect(problem(algorithm, keys, hash, another)).toBe(`its algorithm names ${hash}, the field beside it ${another}`);
    expect(problem(algorithm, keys, another)).toBe('it does not match what was signed');
    expect(problem(algorithm, keys, hash, undefined, Buffer.from('x'))).toBe('it does not match what was signed');
    expect(problem(algorithm, others, hash)).toBe(`its algorithm wants a key of type ${keys === rsa ? 'rsa' : 'ec'}`);
  });

  it.each([
    ['1.2.840.113549.1.1.1', rsa],
    ['1.2.840.10045.2.1', ec],
  ] as const)('%s leaves the digest to the field beside it', (algorithm, keys) => {
    expect(problem(algorithm, keys, 'sha384', 'sha384')).toBeUndefined();
    expect(problem(algorithm, keys, 'sha384', 'sha256')).toBe('it does not match what was signed');
    expect(problem(algorithm, keys, 'sha384')).toBe('it names no digest');
  });

  it('that nobody knows are said to be', () => {
    expect(problem('1.2.3', rsa, 'sha256')).toBe('its algorithm 1.2.3 is not supported');
    const check = { algorithm: { oid: '1.2.840.113549.1.1.11', parameters: undefined }, data: DATA, signature: Buffer.alloc(3) };
    expect(signatureProblem({ ...check, publicKeyInfo: Buffer.alloc(3) })).toBe('its public key cannot be read');
    expect(signatureProblem({ ...check, publicKeyInfo: spki(rsa.publicKey) })).toBe('it does not match what was signed');
    expect(publicKeyOf(Buffer.alloc(3))).toBeUndefined();
  }); // biome-ignore format: a table

  it('are read with their parameters, and digests by their numbers', () => {
    const algorithm = (...items: Buffer[]) => readAlgorithm(parseWholeAsn1(sequence(...items), 'test'));
    expect(algorithm(oid('1.2.3'))).toEqual({ oid: '1.2.3', parameters: undefined });
    expect(algorithm(oid('1.2.3'), Buffer.from('0500', 'hex'))).toEqual({ oid: '1.2.3', parameters: Buffer.from('0500', 'hex') });
    const hash = (dotted: string) => hashOf({ oid: dotted, parameters: undefined });
    const sha2 = '2.16.840.1.101.3.4.2';
    expect(['1.3.14.3.2.26', `${sha2}.1`, `${sha2}.2`, `${sha2}.3`, `${sha2}.4`].map(hash)).toEqual(['sha1', 'sha256', 'sha384', 'sha512', undefined]);
  }); // biome-ignore format: a table
});
