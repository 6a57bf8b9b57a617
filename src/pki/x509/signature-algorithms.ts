import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { type Asn1Node, Fields, oidOf } from '../asn1/asn1.ts';
import { DER_NULL, oid, sequence, TAG } from '../asn1/der.ts';
import { ALGORITHM } from '../asn1/oids.ts';
import { Recent } from '../asn1/recent.ts';

/** Digests that signatures of macOS software use; SHA-1 in those up to about 2017 and in xar table-of-contents digests. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** An algorithm and its parameters as they were found. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  /** DER of the parameters; undefined when absent. */
  readonly parameters: Buffer | undefined;
}

const HASHES: Readonly<Record<string, HashName>> = {
  [ALGORITHM.sha1]: 'sha1',
  [ALGORITHM.sha256]: 'sha256',
  [ALGORITHM.sha384]: 'sha384',
  [ALGORITHM.sha512]: 'sha512',
};

/** Key type and digest of each signature algorithm; a plain key algorithm leaves the digest to the field beside it. */
const SIGNATURES: Readonly<Record<string, { readonly key: 'rsa' | 'ec'; readonly hash: HashName | undefined }>> = {
  [ALGORITHM.rsa]: { key: 'rsa', hash: undefined },
  [ALGORITHM.sha1WithRsa]: { key: 'rsa', hash: 'sha1' },
  [ALGORITHM.sha256WithRsa]: { key: 'rsa', hash: 'sha256' },
  [ALGORITHM.sha384WithRsa]: { key: 'rsa', hash: 'sha384' },
  [ALGORITHM.sha512WithRsa]: { key: 'rsa', hash: 'sha512' },
  [ALGORITHM.ecPublicKey]: { key: 'ec', hash: undefined },
  [ALGORITHM.ecdsaWithSha1]: { key: 'ec', hash: 'sha1' },
  [ALGORITHM.ecdsaWithSha256]: { key: 'ec', hash: 'sha256' },
  [ALGORITHM.ecdsaWithSha384]: { key: 'ec', hash: 'sha384' },
  [ALGORITHM.ecdsaWithSha512]: { key: 'ec', hash: 'sha512' },
};

/** What a signature is checked with. */
export interface SignatureCheck {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyInfo: Buffer;
  readonly algorithm: AlgorithmIdentifier;
  /** Digest algorithm named beside the signature (CMS); undefined in certificates, where the algorithm names it. */
  readonly hash?: HashName | undefined;
  /** What was signed, not hashed. */
  readonly data: Buffer;
  readonly signature: Buffer;
}

/**
 * Returns undefined when a signature is right, else what is wrong, as the end of a sentence.
 *
 * RSASSA-PKCS1-v1_5 and ECDSA with SHA-1 and the SHA-2 digests; hostile keys and signatures are only refused.
 */
export function signatureProblem(check: SignatureCheck): string | undefined {
  const known = SIGNATURES[check.algorithm.oid];
  if (!known) return `its algorithm ${check.algorithm.oid} is not supported`;
  if (known.hash && check.hash && known.hash !== check.hash) {
    return `its algorithm names ${known.hash}, the field beside it ${check.hash}`;
  }
  const hash = known.hash ?? check.hash;
  if (!hash) return 'it names no digest';
  const key = publicKeyOf(check.publicKeyInfo);
  if (!key) return 'its public key cannot be read';
  if (key.asymmetricKeyType !== known.key) return `its algorithm wants a key of type ${known.key}`;
  try {
    return verify(hash, check.data, key, check.signature) ? undefined : 'it does not match what was signed';
  } catch {
    return 'it cannot be computed with this key';
  }
}

/** Returns a public key from its SubjectPublicKeyInfo, or undefined when it is none that OpenSSL can read. */
export function publicKeyOf(publicKeyInfo: Buffer): KeyObject | undefined {
  return recent.of(publicKeyInfo, (key) => {
    try {
      return createPublicKey({ key, format: 'der', type: 'spki' });
    } catch {
      return undefined;
    }
  });
}

const recent = new Recent<KeyObject | undefined>(64);

/** Returns an AlgorithmIdentifier as found. */
export function readAlgorithm(node: Asn1Node): AlgorithmIdentifier {
  const fields = new Fields(node, TAG.sequence, 'AlgorithmIdentifier');
  const algorithm = oidOf(fields.take('algorithm'));
  const parameters = node.children[1]?.raw;
  return { oid: algorithm, parameters };
}

/** Returns the digest an AlgorithmIdentifier names, or undefined. */
export function hashOf(algorithm: AlgorithmIdentifier): HashName | undefined {
  return HASHES[algorithm.oid];
}

/** Returns an AlgorithmIdentifier with NULL parameters, as Apple writes those of RSA and digests. */
export function algorithmIdentifier(dotted: string): Buffer {
  return sequence(oid(dotted), DER_NULL);
}
