import {
  type Asn1Node,
  explicitOf,
  Fields,
  integerBytes,
  octetsOf,
  oidOf,
  parseAsn1,
  smallInteger,
  unexpected,
} from '../asn1/asn1.ts';
import { context, contextPrimitive, der, TAG } from '../asn1/der.ts';
import { CMS } from '../asn1/oids.ts';
import { Recent } from '../asn1/recent.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';
import { type AlgorithmIdentifier, readAlgorithm } from '../x509/signature-algorithms.ts';

/** One attribute; its values as they were found. */
export interface CmsAttribute {
  readonly type: string;
  readonly values: readonly Asn1Node[];
}

/** What a CMS SignedData says. Nothing here has been verified. */
export interface ParsedCms {
  /** Bytes of the encoding; in a xar's slot zero bytes follow. */
  readonly encodedSize: number;
  readonly version: number;
  readonly contentType: string;
  /** Embedded content; undefined in a detached signature. */
  readonly content: Buffer | undefined;
  readonly digestAlgorithms: readonly AlgorithmIdentifier[];
  /** In the order they are embedded. */
  readonly certificates: readonly Certificate[];
  readonly signerVersion: number;
  /** How the signer is named: by key identifier, or by issuer and serial number. */
  readonly namedByKey: boolean;
  /** The embedded certificate the signer names by issuer and serial number, or by key identifier. */
  readonly signerCertificate: Certificate | undefined;
  readonly digestAlgorithm: AlgorithmIdentifier;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  /** Undefined when the signature is over the content itself (Apple's packages up to 2021). */
  readonly signedAttributes: readonly CmsAttribute[] | undefined;
  /** What was signed when there are signed attributes: they, re-tagged as SET OF. */
  readonly signedAttributesDer: Buffer | undefined;
  readonly unsignedAttributes: readonly CmsAttribute[];
  /** Whole time-stamp token, when there is one. */
  readonly timestampToken: Buffer | undefined;
}

const FORMAT = 'CMS SignedData';

/**
 * Returns what a CMS SignedData with one signer says; BER with indefinite lengths, as Apple writes it, and DER.
 *
 * @param encoded ContentInfo; bytes after it are ignored, `encodedSize` says where it ended
 * @returns its parts; throws FormatError on anything else
 * @see RFC 5652, section 5.1
 */
export function parseCms(encoded: Buffer): ParsedCms {
  return recent.of(encoded, readCms);
}

/** Signatures of a package's few programs, their timestamps, and its own. */
const recent = new Recent<ParsedCms>(32);

function readCms(encoded: Buffer): ParsedCms {
  const node = parseAsn1(encoded, FORMAT);
  const info = new Fields(node, TAG.sequence, 'ContentInfo');
  const type = info.take('contentType');
  if (oidOf(type) !== CMS.signedData) unexpected(type, `expected signedData, found ${oidOf(type)}`);
  const data = new Fields(explicitOf(info.take('content'), 0, 'content'), TAG.sequence, 'SignedData');
  info.end();
  const version = smallInteger(data.take('version'));
  const digestAlgorithms = data.take('digestAlgorithms', TAG.set).children.map(readAlgorithm);
  const encapsulated = new Fields(data.take('encapContentInfo'), TAG.sequence, 'EncapsulatedContentInfo');
  const contentType = oidOf(encapsulated.take('eContentType'));
  const content = encapsulated.optional(context(0));
  encapsulated.end();
  const certificates = readCertificates(data.optional(context(0)));
  data.optional(context(1)); // revocation lists: none of Apple's signatures has any
  const signers = data.take('signerInfos', TAG.set);
  data.end();
  const [signer, second] = signers.children;
  if (!signer || second) unexpected(signers, `expected one signer, found ${signers.children.length}`);
  return {
    encodedSize: node.raw.length,
    version,
    contentType,
    content: content ? octetsOf(explicitOf(content, 0, 'eContent')) : undefined,
    digestAlgorithms,
    certificates,
    ...readSigner(signer, certificates),
  };
}

/** Other kinds of certificate (attribute certificates) have other tags; nobody needs them. */
function readCertificates(node: Asn1Node | undefined): Certificate[] {
  const found = node?.children.filter((child) => child.tag === TAG.sequence) ?? [];
  return found.map((child) => parseCertificate(child.raw));
}

function readSigner(node: Asn1Node, certificates: readonly Certificate[]) {
  const fields = new Fields(node, TAG.sequence, 'SignerInfo');
  const signerVersion = smallInteger(fields.take('version'));
  const sid = fields.take('sid');
  const digestAlgorithm = readAlgorithm(fields.take('digestAlgorithm'));
  const signed = fields.optional(context(0));
  const signatureAlgorithm = readAlgorithm(fields.take('signatureAlgorithm'));
  const signature = octetsOf(fields.take('signature'));
  const unsigned = fields.optional(context(1));
  fields.end();
  const unsignedAttributes = unsigned ? readAttributes(unsigned) : [];
  return {
    signerVersion,
    namedByKey: sid.tag === contextPrimitive(0),
    signerCertificate: findSigner(sid, certificates),
    digestAlgorithm,
    signatureAlgorithm,
    signature,
    signedAttributes: signed ? readAttributes(signed) : undefined,
    signedAttributesDer: signed ? der(TAG.set, signed.content) : undefined,
    unsignedAttributes,
    timestampToken: unsignedAttributes.find((one) => one.type === CMS.timestampToken)?.values[0]?.raw,
  };
}

function findSigner(sid: Asn1Node, certificates: readonly Certificate[]): Certificate | undefined {
  if (sid.tag === contextPrimitive(0)) {
    return certificates.find((one) => one.subjectKeyIdentifier?.equals(sid.content));
  }
  const fields = new Fields(sid, TAG.sequence, 'IssuerAndSerialNumber');
  const issuer = fields.take('issuer').raw;
  const serial = integerBytes(fields.take('serialNumber'));
  fields.end();
  return certificates.find((one) => one.issuer.der.equals(issuer) && one.serialBytes.equals(serial));
}

function readAttributes(set: Asn1Node): CmsAttribute[] {
  return set.children.map((node) => {
    const fields = new Fields(node, TAG.sequence, 'Attribute');
    const type = oidOf(fields.take('attrType'));
    const values = fields.take('attrValues', TAG.set).children;
    fields.end();
    return { type, values };
  });
}
