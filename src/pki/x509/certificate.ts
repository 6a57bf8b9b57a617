import { createHash } from 'node:crypto';
import {
  type Asn1Node,
  asn1Text,
  bitsOf,
  booleanOf,
  explicitOf,
  Fields,
  integerBytes,
  octetsOf,
  oidOf,
  parseAsn1,
  parseWholeAsn1,
  smallInteger,
  timeOf,
  unexpected,
  wholeOctetsOf,
} from '../asn1/asn1.ts';
import { context, contextPrimitive, TAG } from '../asn1/der.ts';
import { EXTENSION, NAME } from '../asn1/oids.ts';
import { Recent } from '../asn1/recent.ts';
import { type AlgorithmIdentifier, readAlgorithm } from './signature-algorithms.ts';

/** A name, kept as its bytes too: issuers are compared as raw DER, as RDN order and string types differ between Apple's CAs. */
export interface DistinguishedName {
  readonly der: Buffer;
  readonly attributes: readonly { readonly type: string; readonly value: string }[];
}

/** One extension, its value as the DER inside the OCTET STRING. */
export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** A certificate's bytes and the facts in them. Nothing here has been verified. */
export interface Certificate {
  readonly der: Buffer;
  /** The part that is signed, as it lies in `der`. */
  readonly tbs: Buffer;
  /** Hexadecimal, upper case, without leading zeros. */
  readonly serialNumber: string;
  /** Contents of the INTEGER, for issuerAndSerialNumber. */
  readonly serialBytes: Buffer;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  readonly commonName: string;
  /** OU: the team identifier in a Developer ID leaf. */
  readonly organizationalUnit: string | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Buffer;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Buffer;
  readonly extensions: readonly Extension[];
  readonly isAuthority: boolean;
  readonly pathLength: number | undefined;
  /** Undefined without the extension; bit 0 of X.509 (digitalSignature) is 0x80, keyCertSign 0x04. */
  readonly keyUsage: number | undefined;
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly subjectKeyIdentifier: Buffer | undefined;
  readonly authorityKeyIdentifier: Buffer | undefined;
  /** Fingerprints of `der`, hexadecimal, upper case. */
  readonly sha1: string;
  readonly sha256: string;
}

/** Bits of keyUsage that matter here. Source: RFC 5280, section 4.2.1.3. */
export const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

/**
 * Returns the facts of an X.509 certificate.
 *
 * @param der whole certificate, nothing before or after it
 * @returns its facts, unverified; throws FormatError
 * @example parseCertificate(await readFile('DeveloperIDG2CA.cer')).commonName // 'Developer ID Certification Authority'
 * @see RFC 5280, section 4.1
 */
export function parseCertificate(der: Buffer): Certificate {
  return recent.of(der, readCertificate);
}

const recent = new Recent<Certificate>(64);

function readCertificate(der: Buffer): Certificate {
  const outer = new Fields(parseWholeAsn1(der, 'Certificate'), TAG.sequence, 'Certificate');
  const tbs = outer.take('tbsCertificate', TAG.sequence);
  const algorithm = outer.take('signatureAlgorithm');
  const signature = wholeOctetsOf(outer.take('signatureValue'));
  outer.end();
  // RFC 5280, section 4.1.1.2: the algorithm outside must be the signed one inside.
  if (!tbs.children.some((child) => child.raw.equals(algorithm.raw))) {
    unexpected(algorithm, 'expected the signature algorithm that tbsCertificate names');
  }
  return {
    ...readTbs(tbs),
    der,
    tbs: tbs.raw,
    signatureAlgorithm: readAlgorithm(algorithm),
    signature,
    sha1: fingerprint('sha1', der),
    sha256: fingerprint('sha256', der),
  };
}

const fingerprint = (hash: string, der: Buffer) => createHash(hash).update(der).digest('hex').toUpperCase();

function readTbs(tbs: Asn1Node) {
  const fields = new Fields(tbs, TAG.sequence, 'TBSCertificate');
  fields.optional(context(0)); // version: v3 whenever there are extensions
  const serialBytes = integerBytes(fields.take('serialNumber'));
  fields.take('signature'); // the algorithm, compared above
  const issuer = readName(fields.take('issuer', TAG.sequence));
  const validity = new Fields(fields.take('validity'), TAG.sequence, 'Validity');
  const subject = readName(fields.take('subject', TAG.sequence));
  const publicKeyInfo = fields.take('subjectPublicKeyInfo', TAG.sequence).raw;
  fields.optional(contextPrimitive(1)); // issuerUniqueID, subjectUniqueID: obsolete
  fields.optional(contextPrimitive(2));
  const extensionList = fields.optional(context(3));
  fields.end();
  const extensions = extensionList ? readExtensions(explicitOf(extensionList, 3, 'extensions')) : [];
  return {
    serialNumber: serialBytes
      .toString('hex')
      .toUpperCase()
      .replace(/^0+(?=.)/, ''),
    serialBytes,
    issuer,
    subject,
    commonName: attribute(subject, NAME.commonName) ?? '',
    organizationalUnit: attribute(subject, NAME.organizationalUnit),
    notBefore: timeOf(validity.take('notBefore')),
    notAfter: timeOf(validity.take('notAfter')),
    publicKeyInfo,
    extensions,
    ...readKnownExtensions(extensions),
  };
}

/** Returns the first value of an attribute of a name, such as `attribute(leaf.subject, NAME.userId)`. */
export function attribute(name: DistinguishedName, type: string): string | undefined {
  return name.attributes.find((candidate) => candidate.type === type)?.value;
}

function readName(node: Asn1Node): DistinguishedName {
  const attributes: { type: string; value: string }[] = [];
  for (const rdn of node.children) {
    for (const pair of rdn.children) {
      const fields = new Fields(pair, TAG.sequence, 'AttributeTypeAndValue');
      attributes.push({ type: oidOf(fields.take('type')), value: asn1Text(fields.take('value')) });
    }
  }
  return { der: node.raw, attributes };
}

function readExtensions(list: Asn1Node): Extension[] {
  return list.children.map((node) => {
    const fields = new Fields(node, TAG.sequence, 'Extension');
    const oid = oidOf(fields.take('extnID'));
    const critical = fields.optional(TAG.boolean);
    const value = octetsOf(fields.take('extnValue'));
    return { oid, critical: critical ? booleanOf(critical) : false, value };
  });
}

function readKnownExtensions(extensions: readonly Extension[]) {
  const inside = (oid: string) => {
    const found = extensions.find((extension) => extension.oid === oid);
    return found ? parseAsn1(found.value, 'Extension') : undefined;
  };
  const constraints = inside(EXTENSION.basicConstraints);
  const usage = inside(EXTENSION.keyUsage);
  const purposes = inside(EXTENSION.extendedKeyUsage);
  const subjectKey = inside(EXTENSION.subjectKeyIdentifier);
  const authorityKey = inside(EXTENSION.authorityKeyIdentifier);
  const authorityKeyId = authorityKey?.children.find((child) => child.tag === contextPrimitive(0));
  return {
    ...readConstraints(constraints),
    keyUsage: usage ? (bitsOf(usage)[0] ?? 0) : undefined,
    extendedKeyUsage: purposes?.children.map(oidOf),
    subjectKeyIdentifier: subjectKey ? octetsOf(subjectKey) : undefined,
    authorityKeyIdentifier: authorityKeyId?.content,
  };
}

function readConstraints(node: Asn1Node | undefined): { isAuthority: boolean; pathLength: number | undefined } {
  if (!node) return { isAuthority: false, pathLength: undefined };
  const fields = new Fields(node, TAG.sequence, 'BasicConstraints');
  const authority = fields.optional(TAG.boolean);
  const length = fields.optional(TAG.integer);
  return {
    isAuthority: authority ? booleanOf(authority) : false,
    pathLength: length ? smallInteger(length) : undefined,
  };
}
