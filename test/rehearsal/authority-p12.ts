import forge from 'node-forge';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';

/**
 * Returns a rehearsal identity as .p12 with its chain: AES-256, openable by openssl and Keychain Access.
 *
 * @example await writeFile('installer.p12', await rehearsalP12(authority, 'installer', 'password'))
 */
export async function rehearsalP12(authority: RehearsalAuthority, role: Role, password: string): Promise<Buffer> {
  // The key is derived in two thousand rounds, in JavaScript.
  const of = JSON.stringify([authority.members[role].certificate.sha1, password]);
  const p12 = known.get(of) ?? makeP12(authority, role, password);
  known.set(of, p12);
  return Buffer.from(p12);
}

type Role = 'application' | 'installer';
const known = new Map<string, Buffer>();

function makeP12(authority: RehearsalAuthority, role: Role, password: string): Buffer {
  const { pki, pkcs12, asn1 } = forge;
  const pem = authority.members[role].privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const chain = authority.chainOf(role).map(({ der }) => pki.certificateFromAsn1(asn1.fromDer(der.toString('latin1'))));
  const options = { algorithm: 'aes256', friendlyName: `REHEARSAL ${role}` } as const;
  const encoded = asn1.toDer(pkcs12.toPkcs12Asn1(pki.privateKeyFromPem(pem), chain, password, options));
  return Buffer.from(encoded.getBytes(), 'latin1');
}
