import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  bitString,
  boolean,
  context,
  contextPrimitive,
  DER_NULL,
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
} from '../pki/asn1/der.ts';
import { ALGORITHM, EXTENSION, NAME } from '../pki/asn1/oids.ts';
import { type Certificate, parseCertificate } from '../pki/x509/certificate.ts';
import { algorithmIdentifier } from '../pki/x509/signature-algorithms.ts';

/** A certificate to be made. */
export interface CertificatePlan {
  /** Attribute types (dotted) and values, in the order they are written. */
  readonly subject: readonly (readonly [type: string, value: string])[];
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly authority: boolean;
  /** CA certificates allowed below; only with `authority`. */
  readonly pathLength?: number;
  /** First octet of the keyUsage bit string: 0x80 digitalSignature, 0x06 keyCertSign and cRLSign. */
  readonly keyUsage: number;
  readonly extendedKeyUsage?: readonly string[];
  /** Further extensions: Apple's marks, whose value is NULL. */
  readonly marks?: readonly { readonly oid: string; readonly critical: boolean }[];
  /** Any other extension, its value as DER. */
  readonly extra?: readonly { readonly oid: string; readonly critical: boolean; readonly value: Buffer }[];
}

/** Who signs it: undefined makes it self-signed. */
export interface Issuer {
  readonly certificate: Certificate | undefined;
  readonly privateKey: KeyObject;
}

/**
 * Returns a signed certificate: SHA-256 with RSA or with ECDSA (SHA-384 for a P-384 key), by the key of its issuer.
 *
 * @example makeCertificate({ subject: [[NAME.commonName, 'REHEARSAL Root']], ... }, { certificate: undefined, privateKey })
 * @see RFC 5280, section 4.1
 */
export function makeCertificate(plan: CertificatePlan, issuer: Issuer): Certificate {
  const subject = nameOf(plan.subject);
  const { algorithm, hash } = signatureKind(issuer.privateKey);
  const publicKeyInfo = plan.publicKey.export({ type: 'spki', format: 'der' });
  const serial = Buffer.concat([Buffer.of(0x40), randomBytes(7)]); // positive, and always 8 bytes
  const tbs = sequence(
    der(context(0), integer(2)),
    integer(serial),
    algorithm,
    issuer.certificate?.subject.der ?? subject,
    sequence(time(plan.notBefore), time(plan.notAfter)),
    subject,
    publicKeyInfo,
    der(context(3), sequence(...extensionsOf(plan, publicKeyInfo, issuer.certificate))),
  );
  return parseCertificate(sequence(tbs, algorithm, bitString(sign(hash, tbs, issuer.privateKey))));
}

function nameOf(attributes: CertificatePlan['subject']): Buffer {
  const rdns = attributes.map(([type, value]) => {
    const text = type === NAME.country ? printableString(value) : utf8String(value);
    return setOf(sequence(oid(type), text));
  });
  return sequence(...rdns);
}

function signatureKind(key: KeyObject): { algorithm: Buffer; hash: string } {
  if (key.asymmetricKeyType === 'rsa')
    return { algorithm: algorithmIdentifier(ALGORITHM.sha256WithRsa), hash: 'sha256' };
  // ECDSA algorithms have no parameters (RFC 5758, section 3.2).
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? { algorithm: sequence(oid(ALGORITHM.ecdsaWithSha384)), hash: 'sha384' }
    : { algorithm: sequence(oid(ALGORITHM.ecdsaWithSha256)), hash: 'sha256' };
}

function extensionsOf(plan: CertificatePlan, publicKeyInfo: Buffer, issuer: Certificate | undefined): Buffer[] {
  const keyId = createHash('sha1').update(publicKeyInfo).digest();
  const length = plan.pathLength === undefined ? [] : [integer(plan.pathLength)];
  const purposes = plan.extendedKeyUsage?.map(oid);
  return [
    extension(EXTENSION.basicConstraints, true, sequence(...(plan.authority ? [boolean(true), ...length] : []))),
    ...(issuer?.subjectKeyIdentifier
      ? [
          extension(
            EXTENSION.authorityKeyIdentifier,
            false,
            sequence(der(contextPrimitive(0), issuer.subjectKeyIdentifier)),
          ),
        ]
      : []),
    ...(purposes ? [extension(EXTENSION.extendedKeyUsage, true, sequence(...purposes))] : []),
    extension(EXTENSION.subjectKeyIdentifier, false, octetString(keyId)),
    extension(EXTENSION.keyUsage, true, keyUsageBits(plan.keyUsage)),
    ...(plan.marks ?? []).map((mark) => extension(mark.oid, mark.critical, DER_NULL)),
    ...(plan.extra ?? []).map((extra) => extension(extra.oid, extra.critical, extra.value)),
  ];
}

function extension(type: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), octetString(value));
}

/** A named bit list loses its trailing zero bits in DER (X.690, section 11.2.2). */
function keyUsageBits(octet: number): Buffer {
  let unused = 0;
  while (unused < 7 && !((octet >> unused) & 1)) unused++;
  return der(TAG.bitString, Buffer.from([unused, octet]));
}
