import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { UsageError } from '../../base/errors.ts';
import { bitString, context, der, integer, oid, printableString, sequence, setOf, utf8String } from '../asn1/der.ts';
import { ALGORITHM, NAME } from '../asn1/oids.ts';
import { algorithmIdentifier } from '../x509/signature-algorithms.ts';
import type { Signer } from './signer.ts';

/** Who asks for a certificate. Apple puts its own words into the certificate; it wants a mail address and a name here. */
export interface RequestSubject {
  readonly email: string;
  readonly commonName: string;
  /** Two letters, such as `US`. */
  readonly country: string;
}

/** emailAddress of PKCS #9, and its string type. Source: RFC 2985, section 5.2.1. */
const EMAIL_ADDRESS = '1.2.840.113549.1.9.1';
const IA5_STRING = 0x16;
/** What Apple asks for in a Developer ID certificate. Source: Apple Developer, "Create a certificate signing request". */
const MODULUS_BITS = 2048;

/**
 * Returns a certificate request in DER, signed by the key that the certificate is for, wherever that key is.
 *
 * @param publicKey RSA, 2048 bits
 * @throws UsageError `REQUEST_KEY` when the key is of another kind, or when the signature is not by it
 * @see RFC 2986, section 4
 * @example await certificateRequest(subject, publicKey, localSigner(privateKey))
 */
export async function certificateRequest(
  subject: RequestSubject,
  publicKey: KeyObject,
  signer: Signer,
): Promise<Buffer> {
  if (publicKey.asymmetricKeyType !== 'rsa' || publicKey.asymmetricKeyDetails?.modulusLength !== MODULUS_BITS) {
    const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? '';
    throw new UsageError('REQUEST_KEY', `the key is of kind ${publicKey.asymmetricKeyType} ${bits}`.trimEnd(), {
      hint: 'Apple issues Developer ID certificates for RSA keys of 2048 bits.',
    });
  }
  const info = sequence(
    integer(0),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(context(0)), // no attributes
  );
  const signature = await signer.sign({ hash: 'sha256', digest: createHash('sha256').update(info).digest() });
  if (!verify('sha256', info, publicKey, signature)) {
    throw new UsageError('REQUEST_KEY', 'what was signed does not fit the public key', {
      hint: 'The command must sign with the key whose public half was given: PKCS #1 v1.5, SHA-256, over the digest as it is.',
    });
  }
  return sequence(info, algorithmIdentifier(ALGORITHM.sha256WithRsa), bitString(signature));
}

function nameOf({ email, commonName, country }: RequestSubject): Buffer {
  const attribute = (type: string, value: Buffer) => setOf(sequence(oid(type), value));
  return sequence(
    attribute(EMAIL_ADDRESS, der(IA5_STRING, Buffer.from(email, 'latin1'))),
    attribute(NAME.commonName, utf8String(commonName)),
    attribute(NAME.country, printableString(country)),
  );
}

/**
 * Returns the public key in a file that a key service gave out: PEM, or DER as AWS KMS has it.
 *
 * @throws UsageError `PUBLIC_KEY_INVALID`
 */
export function readPublicKey(file: Buffer): KeyObject {
  const isPem = file.includes('-----BEGIN');
  // A private key would be taken for its public half; it has no business in this file.
  if (!file.includes('PRIVATE KEY')) {
    try {
      return isPem ? createPublicKey(file) : createPublicKey({ key: file, format: 'der', type: 'spki' });
    } catch {
      // What is wrong with it is said below.
    }
  }
  throw new UsageError('PUBLIC_KEY_INVALID', 'the file holds no public key', {
    hint: 'AWS: aws kms get-public-key --query PublicKey --output text | base64 -d. Azure: az keyvault key download --encoding PEM.',
  });
}
