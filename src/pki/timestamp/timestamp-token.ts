import { createHash } from 'node:crypto';
import { type Asn1Node, Fields, integerBytes, octetsOf, oidOf, parseAsn1, timeOf } from '../asn1/asn1.ts';
import { boolean, context, contextPrimitive, integer, octetString, sequence, TAG } from '../asn1/der.ts';
import { ALGORITHM, CMS } from '../asn1/oids.ts';
import { parseCms } from '../cms/parse.ts';
import { one, verifyCms } from '../cms/verify.ts';
import type { Trust } from '../x509/apple-roots.ts';
import type { Certificate } from '../x509/certificate.ts';
import { verifyChain } from '../x509/chain.ts';
import { acceptable, type Finding, failure } from '../x509/finding.ts';
import { algorithmIdentifier, type HashName, hashOf, readAlgorithm } from '../x509/signature-algorithms.ts';

/** What a time-stamp token asserts. Source: TSTInfo, RFC 3161, section 2.4.2. */
export interface TimestampInfo {
  readonly policy: string;
  readonly hash: HashName | undefined;
  readonly hashedMessage: Buffer;
  /** Hexadecimal, upper case. */
  readonly serialNumber: string;
  readonly genTime: Date;
  /** Contents of the INTEGER; undefined without one. */
  readonly nonce: Buffer | undefined;
}

/** A token, checked. */
export interface TimestampReport {
  readonly trusted: boolean;
  readonly findings: readonly Finding[];
  readonly info: TimestampInfo;
  /** When the signature existed at the latest. To be believed only when `trusted`. */
  readonly genTime: Date;
  readonly signerCertificate: Certificate | undefined;
  /** Leaf first. */
  readonly chain: readonly Certificate[];
}

/**
 * Returns a TimeStampReq over a signature value: SHA-256, with a nonce, and asking for the certificates.
 *
 * @param signature contents of SignerInfo.signature
 * @param nonce up to 8 random bytes
 * @see RFC 3161, section 2.4.1
 */
export function encodeTimestampRequest(signature: Buffer, nonce: Buffer): Buffer {
  const imprint = createHash('sha256').update(signature).digest();
  return sequence(
    integer(1),
    sequence(algorithmIdentifier(ALGORITHM.sha256), octetString(imprint)),
    integer(nonce),
    boolean(true),
  );
}

/**
 * Returns whether a time-stamp token is right, covers a signature, and comes from a trusted authority.
 *
 * Also reads tokens of the SHA-1 era. The chain is checked at the token's own time: the authority may have expired since.
 *
 * @param token ContentInfo, as embedded in the CMS
 * @param signature the signature value it should cover
 * @returns all findings; throws FormatError when it is not a time-stamp token
 * @see RFC 3161, section 2.4.2
 */
export function verifyTimestampToken(token: Buffer, signature: Buffer, trust: Trust): TimestampReport {
  const cms = parseCms(token);
  const content = cms.content ?? Buffer.alloc(0);
  const info = parseTimestampInfo(content);
  const report = verifyCms(cms, content);
  const findings: Finding[] = [...report.findings];
  if (cms.encodedSize !== token.length) findings.push(failure('TIMESTAMP_TRAILING', 'bytes follow the token'));
  if (cms.contentType !== CMS.timestampInfo) {
    findings.push(failure('TIMESTAMP_TYPE', `the token holds ${cms.contentType}, not a TSTInfo`));
  }
  if (!info.hash || !createHash(info.hash).update(signature).digest().equals(info.hashedMessage)) {
    findings.push(failure('TIMESTAMP_IMPRINT', 'the token is over other bytes than this signature'));
  }
  const leaf = report.signerCertificate;
  if (leaf) findings.push(...signingCertificateFindings(cms, leaf));
  const chain = leaf && verifyChain(leaf, cms.certificates, { trust, at: info.genTime, purpose: 'timestamp' });
  findings.push(...(chain?.findings ?? []));
  return {
    trusted: acceptable(findings),
    findings,
    info,
    genTime: info.genTime,
    signerCertificate: leaf,
    chain: chain?.chain ?? [],
  };
}

/** Returns what a TSTInfo asserts; throws FormatError. */
export function parseTimestampInfo(encoded: Buffer): TimestampInfo {
  const fields = new Fields(parseAsn1(encoded, 'TSTInfo'), TAG.sequence, 'TSTInfo');
  fields.take('version', TAG.integer);
  const policy = oidOf(fields.take('policy'));
  const imprint = readImprint(fields.take('messageImprint'));
  const serialNumber = integerBytes(fields.take('serialNumber')).toString('hex').toUpperCase();
  const genTime = timeOf(fields.take('genTime', TAG.generalizedTime));
  fields.optional(TAG.sequence); // accuracy
  fields.optional(TAG.boolean); // ordering
  const nonce = fields.optional(TAG.integer);
  fields.optional(context(0), contextPrimitive(0)); // tsa
  fields.optional(context(1)); // extensions
  fields.end();
  return { policy, ...imprint, serialNumber, genTime, nonce: nonce?.content };
}

/** Returns the parts of a MessageImprint. */
export function readImprint(node: Asn1Node): { hash: HashName | undefined; hashedMessage: Buffer } {
  const fields = new Fields(node, TAG.sequence, 'MessageImprint');
  const hash = hashOf(readAlgorithm(fields.take('hashAlgorithm')));
  return { hash, hashedMessage: octetsOf(fields.take('hashedMessage')) };
}

/** The token must say which certificate signed it: ESSCertID by SHA-1 (RFC 2634), ESSCertIDv2 by SHA-256 (RFC 5035). */
function signingCertificateFindings(cms: ReturnType<typeof parseCms>, leaf: Certificate): Finding[] {
  const v1 = one(cms.signedAttributes, CMS.signingCertificate);
  const v2 = one(cms.signedAttributes, CMS.signingCertificateV2);
  if (!v1 && !v2) {
    return [failure('TIMESTAMP_SIGNING_CERTIFICATE', 'the token does not say which certificate signed it')];
  }
  const named = [v1 && certificateHash(v1, 'sha1'), v2 && certificateHash(v2, 'sha256')];
  const wrong = named.some((entry) => entry && !createHash(entry.hash).update(leaf.der).digest().equals(entry.value));
  return wrong ? [failure('TIMESTAMP_SIGNING_CERTIFICATE', 'the token names another certificate than its signer')] : [];
}

function certificateHash(value: Asn1Node, usual: HashName): { hash: HashName; value: Buffer } {
  const list = new Fields(new Fields(value, TAG.sequence, 'SigningCertificate').take('certs'), TAG.sequence, 'certs');
  const fields = new Fields(list.take('first'), TAG.sequence, 'ESSCertID');
  const algorithm = fields.optional(TAG.sequence);
  const hash = algorithm ? (hashOf(readAlgorithm(algorithm)) ?? usual) : usual;
  return { hash, value: octetsOf(fields.take('certHash')) };
}

/** Status of a TimeStampResp. Source: PKIStatus and PKIFailureInfo, RFC 3161, section 2.4.2. */
export interface TimestampStatus {
  /** 0 granted, 1 granted with changes, 2 rejection, 3 waiting, 4 and 5 about revocation. */
  readonly status: number;
  readonly text: string;
  /** Numbers of the bits set in failInfo: 14 is timeNotAvailable. */
  readonly failures: readonly number[];
  /** Whole token, when there is one. */
  readonly token: Buffer | undefined;
}

/** Returns the parts of a TimeStampResp; throws FormatError. Which of the errors here are fatal is the client's matter. */
export function parseTimestampResponse(encoded: Buffer): TimestampStatus {
  const fields = new Fields(parseAsn1(encoded, 'TimeStampResp'), TAG.sequence, 'TimeStampResp');
  const info = new Fields(fields.take('status'), TAG.sequence, 'PKIStatusInfo');
  const status = integerBytes(info.take('status')).readIntBE(0, 1);
  const text = info.optional(TAG.sequence)?.children.map((child) => child.content.toString('utf8')) ?? [];
  const bits = info.optional(TAG.bitString)?.content.subarray(1) ?? Buffer.alloc(0);
  const failures = [...bits].flatMap((byte, at) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (0x80 >> bit)).map((bit) => at * 8 + bit),
  );
  const token = fields.optional(TAG.sequence)?.raw;
  fields.end();
  return { status, text: text.join('; '), failures, token };
}
