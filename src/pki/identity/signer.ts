import { constants as cryptoConstants, type KeyObject, privateEncrypt } from 'node:crypto';

/** What a key is asked to sign. */
export interface SignRequest {
  readonly hash: 'sha1' | 'sha256';
  /** Already hashed: 20 bytes for sha1, 32 for sha256. */
  readonly digest: Buffer;
}

/** A private key, wherever it is kept: it can do one thing. */
export interface Signer {
  /** Digests this key signs; without `sha1` a package gets no RSA element, only the CMS. */
  readonly hashes: ReadonlySet<'sha1' | 'sha256'>;
  /** Returns the RSASSA-PKCS1-v1_5 signature of a digest, as many bytes as the modulus. */
  sign(request: SignRequest): Promise<Buffer>;
}

/** DER of DigestInfo up to the digest. Source: RFC 8017, section 9.2, note 1. */
export const DIGEST_INFO_PREFIX: Readonly<Record<'sha1' | 'sha256', Buffer>> = {
  sha1: Buffer.from('3021300906052b0e03021a05000414', 'hex'),
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
};
export const DIGEST_SIZE = { sha1: 20, sha256: 32 } as const;

/**
 * Returns a signer that uses an RSA key held in memory.
 *
 * @param key private RSA key
 * @example await localSigner(key).sign({ hash: 'sha1', digest: tocChecksum }) // 256 bytes with a 2048-bit key
 */
export function localSigner(key: KeyObject): Signer {
  return {
    hashes: new Set(['sha1', 'sha256'] as const),
    async sign({ hash, digest }) {
      if (digest.length !== DIGEST_SIZE[hash]) throw new TypeError(`${hash} digest of ${digest.length} bytes`);
      const padding = cryptoConstants.RSA_PKCS1_PADDING;
      return privateEncrypt({ key, padding }, Buffer.concat([DIGEST_INFO_PREFIX[hash], digest]));
    },
  };
}
