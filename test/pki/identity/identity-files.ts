import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { APPLE, KEY_PURPOSE, NAME } from '../../../src/pki/asn1/oids.ts';
import type { Certificate } from '../../../src/pki/x509/certificate.ts';
import { type CertificatePlan, type Issuer, makeCertificate } from '../../../src/rehearsal/certificate-maker.ts';
import { OpensslFolder, run } from '../../support/openssl.ts';

/** A pair of keys. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const DAY = 24 * 3600 * 1000;

/** Returns a leaf in the shape of Apple's for a role, changed as told. */
export function leafFor(
  role: 'application' | 'installer',
  keys: KeyPair,
  issuer: Issuer,
  change: Partial<CertificatePlan> & { readonly team?: string; readonly commonName?: string } = {},
): Certificate {
  const team = change.team ?? 'ABCDE12345';
  const application = role === 'application';
  const name = `Developer ID ${application ? 'Application' : 'Installer'}: Test (${team})`;
  return makeCertificate(
    {
      subject: [
        [NAME.commonName, change.commonName ?? name],
        [NAME.organizationalUnit, team],
      ],
      publicKey: keys.publicKey,
      notBefore: new Date(Date.now() - DAY),
      notAfter: new Date(Date.now() + 365 * DAY),
      authority: false,
      keyUsage: 0x80,
      extendedKeyUsage: [application ? KEY_PURPOSE.codeSigning : KEY_PURPOSE.installerPackageSigning],
      marks: [{ oid: application ? APPLE.developerIdApplication : APPLE.developerIdInstaller, critical: true }],
      ...change,
    },
    issuer,
  );
}

/** What goes into a .p12. */
export interface P12Plan {
  readonly leaf: Certificate;
  readonly key?: KeyObject;
  readonly others?: readonly Certificate[];
  readonly password?: string;
  /** Further arguments of `openssl pkcs12 -export`. */
  readonly flags?: readonly string[];
}

/** Returns a .p12 that openssl made. */
export function opensslP12(plan: P12Plan): Buffer {
  const folder = new OpensslFolder();
  const out = join(folder.path, 'out.p12');
  const argv = ['pkcs12', '-export', '-in', folder.putPem('leaf.pem', plan.leaf), '-out', out];
  const key = plan.key?.export({ type: 'pkcs8', format: 'pem' });
  argv.push(...(key ? ['-inkey', folder.put('key.pem', key)] : ['-nokeys']));
  if (plan.others) argv.push('-certfile', folder.putPem('others.pem', ...plan.others));
  const password = folder.put('password', `${plan.password ?? 'correct horse'}\n`);
  const { status, output } = run([...argv, '-passout', `file:${password}`, ...(plan.flags ?? [])]);
  if (status !== 0) throw new Error(`openssl pkcs12 ended with ${status}: ${output}`);
  return readFileSync(out);
}

/** Returns a .p12 with several identities, which openssl cannot make: a bag for each key and certificate, not encrypted. */
export async function manyIdentities(pairs: readonly { leaf: Certificate; key: KeyObject }[]): Promise<Buffer> {
  const forge = (await import('node-forge')).default;
  const { asn1, pki } = forge;
  const oid = (dotted: string) =>
    asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes());
  const list = (...items: never[]) => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, items);
  const wrapped = (inner: unknown) => asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, [inner as never]);
  const octets = (bytes: string) => asn1.create(asn1.Class.UNIVERSAL, asn1.Type.OCTETSTRING, false, bytes);
  const encoded = (value: unknown) => asn1.toDer(value as never).getBytes();
  const bags = pairs.flatMap(({ leaf, key }) => [
    list(
      oid(pki.oids.keyBag as string) as never,
      wrapped(asn1.fromDer(key.export({ type: 'pkcs8', format: 'der' }).toString('latin1'))) as never,
    ),
    list(
      oid(pki.oids.certBag as string) as never,
      wrapped(
        list(oid(pki.oids.x509Certificate as string) as never, wrapped(octets(leaf.der.toString('latin1'))) as never),
      ) as never,
    ),
  ]);
  const data = (bytes: string) => list(oid(pki.oids.data as string) as never, wrapped(octets(bytes)) as never);
  const safes = list(data(encoded(list(...(bags as never[])))) as never);
  const version = asn1.create(asn1.Class.UNIVERSAL, asn1.Type.INTEGER, false, '\x03');
  return Buffer.from(encoded(list(version as never, data(encoded(safes)) as never)), 'latin1');
}
