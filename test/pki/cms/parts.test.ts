import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  context,
  contextPrimitive,
  der,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  time,
  utf8String,
} from '../../../src/pki/asn1/der.ts';
import { canonicalCms, isDer } from '../../../src/pki/cms/canonical-cms.ts';
import { cmsAttribute, retag, signCms } from '../../../src/pki/cms/cms.ts';
import { parseCms } from '../../../src/pki/cms/parse.ts';
import { one, verifyCms } from '../../../src/pki/cms/verify.ts';
import { type Identity, loadIdentity } from '../../../src/pki/identity/identity.ts';
import { verifyTimestampToken } from '../../../src/pki/timestamp/timestamp-token.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';

const CONTENT = Buffer.from('content');
const NOW = new Date('2026-02-03T04:05:06Z');
const DATA = '1.2.840.113549.1.7.1';
const SHA256 = sequence(oid('2.16.840.1.101.3.4.2.1'), Buffer.from('0500', 'hex'));
const RSA = sequence(oid('1.2.840.113549.1.1.11'), Buffer.from('0500', 'hex'));
const VALUES = octetString(Buffer.from('signature'));
let identity: Identity;
beforeAll(async () => {
  const authority = await sharedAuthority();
  identity = await loadIdentity('installer', authority.identitySource('installer'), { trust: authority.trust });
});

interface Parts {
  readonly type?: string;
  readonly version?: number;
  readonly digests?: Buffer[];
  readonly contentType?: string;
  readonly content?: Buffer[];
  readonly certificates?: Buffer[];
  readonly revocations?: Buffer[];
  readonly signers?: Buffer[];
  readonly behind?: Buffer[];
  readonly outer?: Buffer[];
  readonly signer?: Signer;
}
interface Signer {
  readonly version?: number;
  readonly sid?: Buffer;
  readonly attributes?: Buffer[] | undefined;
  readonly unsigned?: Buffer[];
  readonly behind?: Buffer[];
}

function signerInfo({ version = 1, sid, attributes, unsigned = [], behind = [] }: Signer = {}): Buffer {
  const { issuer, serialBytes } = identity.certificate;
  const signed = attributes ? [retag(context(0), setOf(...attributes))] : [];
  const name = sid ?? sequence(issuer.der, integer(serialBytes));
  return sequence(integer(version), name, SHA256, ...signed, RSA, VALUES, ...(unsigned.length > 0 ? [retag(context(1), setOf(...unsigned))] : []), ...behind);
} // biome-ignore format: short

/** A SignedData put together here, field by field as in RFC 5652, section 5.1. */
function encode(parts: Parts = {}): Buffer {
  const { type = '1.2.840.113549.1.7.2', version = 1, digests = [SHA256], contentType = DATA, content = [], revocations = [] } = parts;
  const { certificates = identity.chain.map((link) => link.der), signers = [signerInfo(parts.signer)], behind = [], outer = [] } = parts;
  const data = sequence(integer(version), setOf(...digests), sequence(oid(contentType), ...content), der(context(0), ...certificates), ...revocations, setOf(...signers), ...behind);
  return sequence(oid(type), der(context(0), data), ...outer);
} // biome-ignore format: short
const embedded = (bytes: Buffer) => [der(context(0), octetString(bytes))];
const codes = (parts: Parts, content = CONTENT) =>
  verifyCms(parseCms(encode(parts)), content).findings.map(({ code }) => code);
const digest = createHash('sha256').update(CONTENT).digest();
const USUAL = () => [
  cmsAttribute('1.2.840.113549.1.9.3', oid(DATA)),
  cmsAttribute('1.2.840.113549.1.9.4', octetString(digest)),
];

describe('parseCms', () => {
  it('gives what stands there', () => {
    const token = sequence(integer(7));
    const unsigned = [cmsAttribute('1.2.3', integer(1)), cmsAttribute('1.2.840.113549.1.9.16.2.14', token)];
    const attributes = USUAL();
    const bytes = encode({ signer: { attributes, unsigned } });
    const found = parseCms(Buffer.concat([bytes, Buffer.alloc(9)]));
    expect(found).toMatchObject({ encodedSize: bytes.length, version: 1, contentType: DATA, content: undefined, signerVersion: 1, namedByKey: false, signature: Buffer.from('signature'), timestampToken: token });
    expect(found.signerCertificate?.sha256).toBe(identity.certificate.sha256);
    expect(found.signedAttributesDer).toEqual(setOf(...attributes));
    expect(found.signedAttributes?.map(({ type }) => type)).toEqual(['1.2.840.113549.1.9.3', '1.2.840.113549.1.9.4']);
    expect(found.unsignedAttributes.map(({ type, values }) => `${type} ${values.length}`)).toEqual(['1.2.3 1', '1.2.840.113549.1.9.16.2.14 1']);
    const two = [1, 2].map((number) => cmsAttribute('1.2.840.113549.1.9.16.2.14', sequence(integer(number))));
    expect(parseCms(encode({ signer: { unsigned: two } })).timestampToken).toEqual(sequence(integer(1)));
    const bare = parseCms(encode());
    expect([bare.signedAttributes, bare.signedAttributesDer, bare.unsignedAttributes, bare.timestampToken]).toEqual([undefined, undefined, [], undefined]);
    expect(parseCms(encode({ content: embedded(CONTENT) })).content).toEqual(CONTENT);
  }); // biome-ignore format: a table

  it('finds the signer by issuer and serial number, or by its key', () => {
    const { issuer, serialBytes, subjectKeyIdentifier } = identity.certificate;
    const named = (sid: Buffer, certificates?: Buffer[]) => {
      const { namedByKey, signerCertificate } = parseCms(encode({ signer: { sid }, ...(certificates && { certificates }) }));
      return [namedByKey, signerCertificate?.sha256 === identity.certificate.sha256 || signerCertificate];
    };
    expect(named(sequence(issuer.der, integer(serialBytes)))).toEqual([false, true]);
    expect(named(sequence(issuer.der, integer(1)))).toEqual([false, undefined]);
    expect(named(sequence(identity.certificate.subject.der, integer(serialBytes)))).toEqual([false, undefined]);
    expect(named(der(contextPrimitive(0), subjectKeyIdentifier as Buffer))).toEqual([true, true]);
    expect(named(der(contextPrimitive(0), Buffer.alloc(20)))).toEqual([true, undefined]);
    expect(named(sequence(issuer.der, integer(serialBytes)), [])).toEqual([false, undefined]);
  }); // biome-ignore format: a table

  it('takes the first of two certificates that have one issuer and number, or one key', () => {
    const { issuer, serialBytes, subjectKeyIdentifier, der: right } = identity.certificate;
    // Another signature on it: the name, the number and the key stay.
    const other = Buffer.from(right);
    other[other.length - 1] = (other.at(-1) as number) ^ 1;
    for (const sid of [sequence(issuer.der, integer(serialBytes)), der(contextPrimitive(0), subjectKeyIdentifier as Buffer)])
      for (const certificates of [[right, other], [other, right]])
        expect(parseCms(encode({ signer: { sid }, certificates })).signerCertificate?.der).toEqual(certificates[0]);
  }); // biome-ignore format: short

  it('passes over attribute certificates and revocation lists', () => {
    const other = der(context(1), integer(1));
    const found = parseCms(encode({ certificates: [other, identity.certificate.der], revocations: [other] }));
    expect(found.certificates.map(({ sha256 }) => sha256)).toEqual([identity.certificate.sha256]);
  });

  it.each<[string, () => Parts, string]>([
    ['another type', () => ({ type: '1.2.3' }), 'expected signedData, found 1.2.3'],
    ['two signers', () => ({ signers: [signerInfo(), signerInfo({ version: 3 })] }), 'expected one signer, found 2'],
    ['no signer', () => ({ signers: [] }), 'expected one signer, found 0'],
    ['a value behind it', () => ({ outer: [integer(1)] }), 'expected the end of ContentInfo'],
    ['a value behind the signers', () => ({ behind: [integer(1)] }), 'expected the end of SignedData'],
    ['a value behind the signature', () => ({ signer: { behind: [integer(1)] } }), 'expected the end of SignerInfo'],
    ['a value behind the content', () => ({ content: [...embedded(CONTENT), integer(1)] }), 'expected the end of EncapsulatedContentInfo'],
    ['content that is no octets', () => ({ content: [der(context(0), integer(1))] }), 'expected an octet string'],
    ['an attribute of three parts', () => ({ signer: { attributes: [sequence(oid('1.2.3'), setOf(), integer(1))] } }), 'expected the end of Attribute'],
    ['an attribute without a set', () => ({ signer: { attributes: [sequence(oid('1.2.3'), integer(1))] } }), 'expected Attribute.attrValues'],
    ['a signer named by three values', () => ({ signer: { sid: sequence(identity.certificate.issuer.der, integer(1), integer(2)) } }), 'expected the end of IssuerAndSerialNumber'],
    ['a signer named by a set', () => ({ signer: { sid: setOf(integer(1)) } }), 'expected IssuerAndSerialNumber'],
  ])('refuses %s', (_, parts, words) => expect(() => parseCms(encode(parts()))).toThrow(words)); // biome-ignore format: a table
});

describe('verifyCms', () => {
  const right = 'CMS_SIGNATURE'; // nobody signed these
  it.each<[string, () => Parts, string[]]>([
    ['with its attributes', () => ({ signer: { attributes: USUAL() } }), [right]],
    ['without attributes', () => ({}), [right]],
    ['with the content inside', () => ({ content: embedded(CONTENT) }), [right]],
    ['with other content inside', () => ({ content: embedded(Buffer.from('x')) }), ['CMS_CONTENT', right]],
    ['with no digest in the list', () => ({ digests: [] }), ['CMS_ALGORITHM', right]],
    ['with two digests in the list', () => ({ digests: [SHA256, sequence(oid('1.2.3'))] }), [right]],
    ['with parameters in the list', () => ({ digests: [SHA256, sequence(oid('1.2.3'), integer(1))] }), ['CMS_ALGORITHM', right]],
    ['of version 3', () => ({ version: 3 }), ['CMS_VERSION', right]],
    ['of a signer of version 3', () => ({ signer: { version: 3 } }), ['CMS_VERSION', right]],
    ['of other content', () => ({ contentType: '1.2.3', version: 3 }), [right]],
    ['of other content, version 1', () => ({ contentType: '1.2.3' }), ['CMS_VERSION', right]],
    ['named by key', () => ({ version: 3, signer: { version: 3, sid: der(contextPrimitive(0), identity.certificate.subjectKeyIdentifier as Buffer) } }), [right]],
    ['named by key, version 1', () => ({ version: 1, signer: { version: 3, sid: der(contextPrimitive(0), identity.certificate.subjectKeyIdentifier as Buffer) } }), ['CMS_VERSION', right]],
    ['named by key, signer of version 1', () => ({ version: 3, signer: { sid: der(contextPrimitive(0), identity.certificate.subjectKeyIdentifier as Buffer) } }), ['CMS_VERSION', right]],
    ['without a content type', () => ({ signer: { attributes: USUAL().slice(1) } }), ['CMS_ATTRIBUTE', right]],
    ['without a digest', () => ({ signer: { attributes: USUAL().slice(0, 1) } }), ['CMS_DIGEST', right]],
    ['with an attribute twice', () => ({ signer: { attributes: [...USUAL(), cmsAttribute('1.2.3', integer(1)), cmsAttribute('1.2.3', integer(2))] } }), ['CMS_ATTRIBUTE', right]],
    ['with two contents types', () => ({ signer: { attributes: [cmsAttribute('1.2.840.113549.1.9.3', oid(DATA), oid('1.2.3')), USUAL()[1] as Buffer] } }), ['CMS_ATTRIBUTE', right]],
    ['without the certificate', () => ({ certificates: [] }), ['CMS_SIGNER']],
  ])('tells what is wrong %s', (_, parts, expected) => {
    expect(codes(parts())).toEqual(expected);
  }); // biome-ignore format: a table

  it('gives the time that the signer claims, when there is one', async () => {
    const time1 = cmsAttribute('1.2.840.113549.1.9.5', time(NOW));
    const claimed = (attributes?: Buffer[]) => verifyCms(parseCms(encode({ signer: { attributes } })), CONTENT).signingTime;
    expect(claimed([...USUAL(), time1])).toEqual(NOW);
    expect([claimed(USUAL()), claimed()]).toEqual([undefined, undefined]);
    expect(() => claimed([cmsAttribute('1.2.840.113549.1.9.5', integer(1))])).toThrow('expected a time in UTC');
  }); // biome-ignore format: a table

  it('says nothing against what it passes', async () => {
    const cms = parseCms(await signCms({ content: CONTENT, identity, signingTime: NOW }));
    expect(verifyCms(cms, CONTENT)).toMatchObject({ valid: true, findings: [], hash: 'sha256', signingTime: NOW });
    expect(verifyCms(cms, CONTENT).signerCertificate?.sha256).toBe(identity.certificate.sha256);
    expect(verifyCms({ ...cms, signature: Buffer.alloc(256) }, CONTENT)).toMatchObject({ valid: false });
    const unknown = { oid: '1.2.3', parameters: undefined };
    expect(verifyCms({ ...cms, digestAlgorithm: unknown, digestAlgorithms: [unknown] }, CONTENT)).toMatchObject({ valid: false, hash: undefined });
  }); // biome-ignore format: a table
});

describe('one', () => {
  it('is the only value of an attribute', () => {
    const [two, single] = parseCms(encode({ signer: { attributes: [cmsAttribute('1.2.3', integer(1), integer(2)), cmsAttribute('1.2.4', integer(3))] } })).signedAttributes!.toReversed();
    expect(one([two!, single!], '1.2.3')).toBeUndefined();
    expect(one([two!, single!], '1.2.4')?.raw).toEqual(integer(3));
    expect([one([], '1.2.4'), one(undefined, '1.2.4')]).toEqual([undefined, undefined]);
  }); // biome-ignore format: a table
});

describe('canonicalCms', () => {
  it('is the encoding of the parts, or none', () => {
    const again = (parts: Parts) => {
      const bytes = encode(parts);
      return canonicalCms(parseCms(bytes))?.equals(bytes);
    };
    const signer = { attributes: USUAL() };
    expect(again({ signer })).toBe(true);
    expect(again({ signer, version: 3, contentType: '1.2.3', content: embedded(CONTENT) })).toBe(true);
    expect(again({ signer, version: 3 })).toBe(false);
    expect(again({ signer, revocations: [der(context(1), integer(1))] })).toBe(false);
    expect(again({ signer: { ...signer, unsigned: [cmsAttribute('1.2.840.113549.1.9.16.2.14', sequence())] } })).toBe(true);
    expect(again({ signer: { ...signer, unsigned: [cmsAttribute('1.2.3', sequence())] } })).toBe(false);
    expect(again({ signer, digests: [sequence(oid('2.16.840.1.101.3.4.2.1'))] })).toBe(true);
    expect(again({ signer, digests: [sequence(oid('2.16.840.1.101.3.4.2.1'), utf8String(''))] })).toBe(false);
    expect([again({}), again({ signer, certificates: [] })]).toEqual([undefined, undefined]);
  }); // biome-ignore format: a table
});

describe('isDer', () => {
  const value = (length: number, ...octets: number[]) =>
    Buffer.concat([Buffer.from([TAG.octetString, ...octets]), Buffer.alloc(length)]);
  it.each<[number, number[], boolean]>([
    [0x7f, [0x7f], true],
    [0x7f, [0x81, 0x7f], false],
    [0x80, [0x81, 0x80], true],
    [0xff, [0x81, 0xff], true],
    [0xff, [0x82, 0, 0xff], false],
    [0x100, [0x82, 1, 0], true],
    [0xffff, [0x83, 0, 0xff, 0xff], false],
    [0x10000, [0x83, 1, 0, 0], true],
    [0xffffff, [0x84, 0, 0xff, 0xff, 0xff], false],
    [0x1000000, [0x84, 1, 0, 0, 0], true],
    [3, [0x85, 0, 0, 0, 0, 3], false],
    [0, [0x80], false],
    [0, [0x81], false],
    [0, [], false],
    [2, [3], false],
    [4, [3], false],
  ])('of a value of %i bytes with the length %j is %s', (length, octets, expected) => {
    expect(isDer(value(length, ...octets))).toBe(expected);
  }); // biome-ignore format: a table

  it('looks into values that hold others, sixty-four deep', () => {
    expect(isDer(Buffer.from('3003040181', 'hex'))).toBe(true);
    expect(isDer(Buffer.from('0403040281', 'hex'))).toBe(true);
    expect(isDer(Buffer.from('3003040281', 'hex'))).toBe(false);
    expect([isDer(Buffer.alloc(0)), isDer(Buffer.from('05000500', 'hex')), isDer(Buffer.from('300405000500', 'hex'))]).toEqual([true, false, true]);
    const nested = (depth: number) => {
      let data: Buffer = Buffer.from('0500', 'hex');
      for (let level = 0; level < depth; level++) data = sequence(data);
      return data;
    };
    expect([isDer(nested(64)), isDer(nested(65))]).toEqual([true, false]);
  }); // biome-ignore format: a table
});

describe('a token without content', () => {
  it('is none', () => {
    expect(() =>
      verifyTimestampToken(encode(), Buffer.alloc(0), { name: 'apple', roots: [], intermediates: [] }),
    ).toThrow('TSTInfo, offset 0: expected an ASN.1 value: Input buffer has zero length');
  });
});
