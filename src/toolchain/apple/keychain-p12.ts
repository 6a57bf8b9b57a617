import { createPublicKey, randomBytes } from 'node:crypto';
import { UsageError } from '../../base/errors.ts';
import { Secret } from '../../base/secret.ts';
import { openPkcs12 } from '../../pki/pkcs12.ts';
import type { SigningIdentity } from '../toolchain.ts';

/**
 * Returns the identity as the .p12 that every macOS imports, under a password made for this one import.
 *
 * macOS does not read what OpenSSL 3 writes (PBES2 with a SHA-256 MAC, reported as a wrong password), so it is written anew: triple
 * DES, SHA-1 MAC, and with the whole chain, without which codesign finds no way to the root. The file lives for a moment, in a
 * folder of ours; its encryption protects nothing.
 *
 * @throws UsageError `IDENTITY_NO_P12`, and those of `openPkcs12`
 */
export async function keychainP12({ identity, p12 }: SigningIdentity): Promise<{ data: Buffer; password: Secret }> {
  if (!p12) {
    throw new UsageError('IDENTITY_NO_P12', `${identity.certificate.commonName}: its key is not in a .p12`, {
      hint: "Apple's tools take keys from a keychain only: give a .p12, or use --toolchain portable.",
    });
  }
  const { keys } = await openPkcs12(p12.data.reveal(), p12.password, identity.role);
  const key = keys.find((one) =>
    createPublicKey(one).export({ type: 'spki', format: 'der' }).equals(identity.certificate.publicKeyInfo),
  );
  if (!key) throw new TypeError(`the .p12 of ${identity.certificate.commonName} is not the one it was read from`);
  const { pki, pkcs12, asn1 } = (await import('node-forge')).default;
  const password = new Secret(randomBytes(24).toString('base64url'));
  const file = pkcs12.toPkcs12Asn1(
    pki.privateKeyFromPem(key.export({ type: 'pkcs8', format: 'pem' }) as string),
    identity.chain.map(({ der }) => pki.certificateFromAsn1(asn1.fromDer(der.toString('latin1')))),
    password.reveal(),
    { algorithm: '3des', friendlyName: identity.certificate.commonName },
  );
  return { data: Buffer.from(asn1.toDer(file).getBytes(), 'latin1'), password };
}
