import { randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { UsageError } from '../../../base/errors.ts';
import { Secret } from '../../../base/secret.ts';
import type { SigningIdentity } from '../../toolchain.ts';

/**
 * Returns the identity as a .p12 that every macOS imports, under a password made for this one import.
 *
 * macOS does not read what OpenSSL 3 writes (PBES2 with a SHA-256 MAC, reported as a wrong password), so whatever the identity was
 * read from, this is triple DES with a SHA-1 MAC, and the whole chain, without which codesign finds no way to the root. The file
 * lives for a moment, in a folder of ours; its encryption protects nothing.
 *
 * @throws UsageError `IDENTITY_KEY_ELSEWHERE`
 */
export async function keychainP12({ identity }: SigningIdentity): Promise<{ data: Buffer; password: Secret }> {
  const { privateKey: key } = identity;
  if (!key) {
    throw new UsageError('IDENTITY_KEY_ELSEWHERE', `${identity.certificate.commonName}: its key is kept elsewhere`, {
      hint: "Apple's tools take keys from a keychain only: give a .p12, or use --toolchain portable.",
    });
  }
  const { pki, pkcs12, asn1 } = forge;
  const password = new Secret(randomBytes(24).toString('base64url'));
  const file = pkcs12.toPkcs12Asn1(
    pki.privateKeyFromPem(key.export({ type: 'pkcs8', format: 'pem' }) as string),
    identity.chain.map(({ der }) => pki.certificateFromAsn1(asn1.fromDer(der.toString('latin1')))),
    password.reveal(),
    { algorithm: '3des', friendlyName: identity.certificate.commonName },
  );
  return { data: Buffer.from(asn1.toDer(file).getBytes(), 'latin1'), password };
}
