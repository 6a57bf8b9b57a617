import { createHash } from 'node:crypto';
import { context, der, integer, octetString, oid, sequence, setOf, TAG, time } from '../asn1/der.ts';
import { ALGORITHM, CMS } from '../asn1/oids.ts';
import type { Signer } from '../identity/signer.ts';
import type { Certificate } from '../x509/certificate.ts';
import { algorithmIdentifier } from '../x509/signature-algorithms.ts';

/** What a detached CMS signature is made of. */
export interface CmsInput {
  /** The bytes that are signed: the raw TOC checksum of a xar, or a whole CodeDirectory. Not embedded. */
  readonly content: Buffer;
  /** Further signed attributes, each a whole DER Attribute: the two cdhash attributes of a code signature. */
  readonly attributes?: readonly Buffer[];
  readonly identity: {
    readonly certificate: Certificate;
    readonly chain: readonly Certificate[];
    readonly signer: Signer;
  };
  readonly signingTime: Date;
  /** Returns a time-stamp token over the signature value; without it, or with undefined, the signature has none. */
  readonly timestamp?: ((signature: Buffer) => Promise<Buffer | undefined>) | undefined;
}

/**
 * Returns a detached CMS SignedData in DER, as productsign and codesign make it: SHA-256, one signer, the whole chain embedded,
 * signed attributes, and the time-stamp token as unsigned attribute.
 *
 * @returns ContentInfo, DER; errors of the signer and of `timestamp` pass through
 * @example
 * const signature = await signCms({ content: tocChecksum, identity, signingTime: new Date(), timestamp: tokenFor });
 * @see RFC 5652, section 5
 */
export async function signCms(input: CmsInput): Promise<Buffer> {
  const { identity } = input;
  const signedAttributes = signedAttributesOf(input);
  const digest = createHash('sha256').update(signedAttributes).digest();
  const signature = await identity.signer.sign({ hash: 'sha256', digest });
  const token = await input.timestamp?.(signature);
  const unsigned = token ? [retag(context(1), setOf(cmsAttribute(CMS.timestampToken, token)))] : [];
  const signerInfo = sequence(
    integer(1),
    sequence(identity.certificate.issuer.der, integer(identity.certificate.serialBytes)),
    algorithmIdentifier(ALGORITHM.sha256),
    retag(context(0), signedAttributes),
    algorithmIdentifier(ALGORITHM.sha256WithRsa),
    octetString(signature),
    ...unsigned,
  );
  return signedData(sequence(oid(CMS.data)), identity.chain, signerInfo);
}

/**
 * Returns a ContentInfo with a SignedData of one SHA-256 signer.
 *
 * @param encapsulated EncapsulatedContentInfo, DER
 * @param certificates embedded in this order, as Apple does: leaf, intermediate, root (no SET OF order)
 * @param signerInfo DER
 */
export function signedData(
  encapsulated: Buffer,
  certificates: readonly Certificate[],
  signerInfo: Buffer,
  version = 1,
): Buffer {
  const content = sequence(
    integer(version),
    setOf(algorithmIdentifier(ALGORITHM.sha256)),
    encapsulated,
    der(context(0), ...certificates.map((certificate) => certificate.der)),
    setOf(signerInfo),
  );
  return sequence(oid(CMS.signedData), der(context(0), content));
}

function signedAttributesOf(input: CmsInput): Buffer {
  const messageDigest = createHash('sha256').update(input.content).digest();
  return setOf(
    cmsAttribute(CMS.contentType, oid(CMS.data)),
    cmsAttribute(CMS.signingTime, time(input.signingTime)),
    cmsAttribute(CMS.messageDigest, octetString(messageDigest)),
    ...(input.attributes ?? []),
  );
}

/** Returns a DER Attribute with the given values, each DER. */
export function cmsAttribute(type: string, ...values: readonly Buffer[]): Buffer {
  return sequence(oid(type), setOf(...values));
}

/** Returns a value under another identifier octet: signed attributes are signed as SET OF (0x31) and stored as [0]. */
export function retag(tag: number, value: Buffer): Buffer {
  const copy = Buffer.from(value);
  copy[0] = tag;
  return copy;
}

/** Identifier octet under which signed attributes are hashed. Source: RFC 5652, section 5.4. */
export const SIGNED_ATTRIBUTES_TAG = TAG.set;
