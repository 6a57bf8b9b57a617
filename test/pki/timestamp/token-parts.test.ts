import { createHash, sign } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  boolean,
  context,
  contextPrimitive,
  der,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  utf8String,
} from '../../../src/pki/asn1/der.ts';
import { cmsAttribute, retag, signedData } from '../../../src/pki/cms/cms.ts';
import {
  parseTimestampInfo,
  parseTimestampResponse,
  verifyTimestampToken,
} from '../../../src/pki/timestamp/timestamp-token.ts';
import { algorithmIdentifier } from '../../../src/pki/x509/signature-algorithms.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';

const SIGNATURE = Buffer.from('signature');
const GEN_TIME = new Date(Math.floor(Date.now() / 1000) * 1000);
const [SHA1, SHA256, SHA384] = ['1.3.14.3.2.26', '2.16.840.1.101.3.4.2.1', '2.16.840.1.101.3.4.2.2'];
const INFO_TYPE = '1.2.840.113549.1.9.16.1.4';
const [V1, V2] = ['1.2.840.113549.1.9.16.2.12', '1.2.840.113549.1.9.16.2.47'];
const hashed = (hash: string, data: Buffer = SIGNATURE) => createHash(hash).update(data).digest();
let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await sharedAuthority();
});

/** TSTInfo of RFC 3161, section 2.4.2. */
const info = (
  more: readonly Buffer[] = [],
  imprint = sequence(algorithmIdentifier(SHA256), octetString(hashed('sha256'))),
) => sequence(integer(1), oid('1.2.3'), imprint, integer(0x1ab), generalizedTime(GEN_TIME), ...more);

const own = () => authority.members.timestamp.certificate.der;
const naming = (version: typeof V1 | typeof V2, hash: Buffer, ...before: Buffer[]) =>
  cmsAttribute(version as string, sequence(sequence(sequence(...before, octetString(hash)))));

interface Parts {
  readonly content?: Buffer | null;
  readonly type?: string;
  readonly naming?: readonly Buffer[];
  readonly certificates?: 'none';
}
function token({
  content = info() as Buffer | null,
  type = INFO_TYPE,
  naming: named,
  certificates,
}: Parts = {}): Buffer {
  const { certificate, privateKey } = authority.members.timestamp;
  const attributes = setOf(
    cmsAttribute('1.2.840.113549.1.9.3', oid(type)),
    cmsAttribute('1.2.840.113549.1.9.4', octetString(hashed('sha256', content ?? Buffer.alloc(0)))),
    ...(named ?? [naming(V2 as string, hashed('sha256', own()))]),
  );
  const signer = sequence(
    integer(1),
    sequence(certificate.issuer.der, integer(certificate.serialBytes)),
    algorithmIdentifier(SHA256 as string),
    retag(context(0), attributes),
    algorithmIdentifier('1.2.840.113549.1.1.11'),
    octetString(sign('sha256', attributes, privateKey)),
  );
  const encapsulated = sequence(oid(type), ...(content ? [der(context(0), octetString(content))] : []));
  return signedData(encapsulated, certificates === 'none' ? [] : authority.chainOf('timestamp'), signer, 3);
}
const codes = (parts: Parts = {}) =>
  verifyTimestampToken(token(parts), SIGNATURE, authority.trust).findings.map(({ code }) => code);

describe('what a token asserts', () => {
  it('is read with and without what may be left out', () => {
    const usual = { policy: '1.2.3', hash: 'sha256', hashedMessage: hashed('sha256'), serialNumber: '01AB', genTime: GEN_TIME };
    expect(parseTimestampInfo(info())).toEqual({ ...usual, nonce: undefined });
    const accuracy = sequence(integer(1));
    const tsa = der(context(0), octetString(Buffer.alloc(1)));
    const all = [accuracy, boolean(true), integer(7), tsa, der(context(1), integer(1))];
    expect(parseTimestampInfo(info(all))).toEqual({ ...usual, nonce: Buffer.from([7]) });
    for (const one of all) expect(parseTimestampInfo(info([one])).policy).toBe('1.2.3');
    expect(parseTimestampInfo(info([der(contextPrimitive(0), Buffer.alloc(1))])).policy).toBe('1.2.3');
  }); // biome-ignore format: a table

  it.each<[string, () => Buffer, string]>([
    ['a value that belongs to nothing', () => info([octetString(Buffer.alloc(1))]), 'expected the end of TSTInfo'],
    ['extensions under another tag', () => info([der(context(2), integer(1))]), 'expected the end of TSTInfo'],
    ['two nonces', () => info([integer(1), integer(2)]), 'expected the end of TSTInfo'],
    ['no imprint', () => sequence(integer(1), oid('1.2.3'), integer(1)), 'expected MessageImprint'],
    ['a version that is no number', () => sequence(boolean(true)), 'expected TSTInfo.version'],
    ['a time of another kind', () => sequence(integer(1), oid('1.2.3'), sequence(algorithmIdentifier(SHA256), octetString(Buffer.alloc(1))), integer(1), der(TAG.utcTime, Buffer.from('260101000000Z'))), 'expected TSTInfo.genTime'],
  ])('is refused with %s', (_, encoded, words) => expect(() => parseTimestampInfo(encoded())).toThrow(words)); // biome-ignore format: a table
});

describe('verifyTimestampToken', () => {
  const imprint = (oidOf: string, hash: string, data = SIGNATURE) =>
    info([], sequence(algorithmIdentifier(oidOf), octetString(hashed(hash, data))));
  it.each<[string, () => Parts, string[]]>([
    ['as usual', () => ({}), []],
    ['over SHA-1', () => ({ content: imprint(SHA1, 'sha1') }), []],
    ['over SHA-384', () => ({ content: imprint(SHA384, 'sha384') }), []],
    ['over another digest than it names', () => ({ content: imprint(SHA1, 'sha256') }), ['TIMESTAMP_IMPRINT']],
    ['over a digest nobody knows', () => ({ content: imprint('1.2.3', 'sha256') }), ['TIMESTAMP_IMPRINT']],
    ['over other bytes', () => ({ content: imprint(SHA256, 'sha256', Buffer.from('x')) }), ['TIMESTAMP_IMPRINT']],
    ['of another type', () => ({ type: '1.2.3' }), ['TIMESTAMP_TYPE']],
    ['that names no certificate', () => ({ naming: [] }), ['TIMESTAMP_SIGNING_CERTIFICATE']],
    ['that names its certificate by SHA-1', () => ({ naming: [naming(V1, hashed('sha1', own()))] }), []],
    ['that names another one by SHA-1', () => ({ naming: [naming(V1, hashed('sha1'))] }), ['TIMESTAMP_SIGNING_CERTIFICATE']],
    ['that names another one by SHA-256', () => ({ naming: [naming(V2, hashed('sha256'))] }), ['TIMESTAMP_SIGNING_CERTIFICATE']],
    ['that names it in both ways', () => ({ naming: [naming(V1, hashed('sha1', own())), naming(V2, hashed('sha256', own()))] }), []],
    ['that names another one in one of them', () => ({ naming: [naming(V1, hashed('sha1', own())), naming(V2, hashed('sha256'))] }), ['TIMESTAMP_SIGNING_CERTIFICATE']],
    ['that names another one in the other', () => ({ naming: [naming(V1, hashed('sha1')), naming(V2, hashed('sha256', own()))] }), ['TIMESTAMP_SIGNING_CERTIFICATE']],
    ['that names it by SHA-384', () => ({ naming: [naming(V2, hashed('sha384', own()), algorithmIdentifier(SHA384))] }), []],
    ['that names it by an unknown digest', () => ({ naming: [naming(V2, hashed('sha256', own()), algorithmIdentifier('1.2.3'))] }), []],
    ['without its certificates', () => ({ certificates: 'none' }), ['CMS_SIGNER']],
  ])('says of a token %s', (_, parts, expected) => expect(codes(parts())).toEqual(expected)); // biome-ignore format: a table

  it('gives the chain and the time, and trusts only what has no fault', () => {
    const report = verifyTimestampToken(token(), SIGNATURE, authority.trust);
    expect(report).toMatchObject({ trusted: true, genTime: GEN_TIME, info: { genTime: GEN_TIME } });
    expect(report.chain.map(({ sha256 }) => sha256)).toEqual(authority.chainOf('timestamp').map(({ sha256 }) => sha256));
    expect(report.signerCertificate?.sha256).toBe(authority.members.timestamp.certificate.sha256);
    const none = verifyTimestampToken(token({ certificates: 'none' }), SIGNATURE, authority.trust);
    expect(none).toMatchObject({ trusted: false, chain: [], signerCertificate: undefined });
    expect(() => verifyTimestampToken(token({ content: null }), SIGNATURE, authority.trust)).toThrow('TSTInfo');
  }); // biome-ignore format: a table
});

describe('parseTimestampResponse', () => {
  const response = (status: number, more: readonly Buffer[] = [], outer: readonly Buffer[] = []) =>
    sequence(sequence(der(TAG.integer, Buffer.from([status])), ...more), ...outer);
  const bits = (unused: number, ...bytes: number[]) => der(TAG.bitString, Buffer.from([unused, ...bytes]));

  it('reads status, words, bits and token', () => {
    const usual = { status: 0, text: '', failures: [], token: undefined };
    expect(parseTimestampResponse(response(0))).toEqual(usual);
    expect(parseTimestampResponse(response(5)).status).toBe(5);
    expect(parseTimestampResponse(response(2, [sequence(utf8String('a'), utf8String('é'))]))).toEqual({ ...usual, status: 2, text: 'a; é' });
    expect(parseTimestampResponse(response(0, [], [sequence(integer(1))]))).toEqual({ ...usual, token: sequence(integer(1)) });
    // PKIFailureInfo of RFC 3161, section 2.4.2: the first bit is the highest.
    expect(parseTimestampResponse(response(2, [bits(0, 0x81, 0x02)])).failures).toEqual([0, 7, 14]);
    expect(parseTimestampResponse(response(2, [bits(6, 0, 0, 0, 0x40)])).failures).toEqual([25]);
    expect(parseTimestampResponse(response(2, [bits(0)])).failures).toEqual([]);
    const all = Array.from({ length: 16 }, (_, bit) => bit);
    expect(parseTimestampResponse(response(2, [bits(0, 0xff, 0xff)])).failures).toEqual(all);
  }); // biome-ignore format: a table

  it('refuses what is none', () => {
    expect(() => parseTimestampResponse(response(0, [], [sequence(), sequence()]))).toThrow('expected the end of TimeStampResp');
    expect(() => parseTimestampResponse(sequence(integer(0)))).toThrow('expected PKIStatusInfo');
    expect(() => parseTimestampResponse(sequence(sequence(boolean(true))))).toThrow('expected an integer');
  }); // biome-ignore format: a table
});
