import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CERTIFICATES } from '../../build/signing/external.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { keptBuild } from './kept-build.ts';
import { check, findOnPath } from './needs.ts';

const ROLES = ['application', 'installer'] as const;
export type Role = (typeof ROLES)[number];

/** Returns the certificates of a release as PEM, leaf first, by their path in a project. */
export function certificatesOf(authority: RehearsalAuthority): Record<string, string> {
  return Object.fromEntries(
    ROLES.map((role) => [
      CERTIFICATES[role],
      authority
        .chainOf(role)
        .map(({ der }) => pemOf(der))
        .join(''),
    ]),
  );
}

/** Writes the certificates of a release into a project. */
export function placeCertificates(project: string, authority: RehearsalAuthority): void {
  for (const [path, pem] of Object.entries(certificatesOf(authority))) {
    mkdirSync(join(project, dirname(path)), { recursive: true });
    writeFileSync(join(project, path), pem);
  }
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/**
 * Returns the four secrets of the environment `signing`: each key in a .p12 that openssl made, in base64, and its password.
 *
 * A .p12 has salts of its own, so they are kept from run to run: what was made with the same secrets is known by them.
 */
export async function secretsOf(authority: RehearsalAuthority): Promise<Record<string, string>> {
  const openssl = findOnPath('openssl');
  const words = Object.values(certificatesOf(authority));
  const madeOf = { files: [], programs: openssl ? [openssl] : [], variables: [], words };
  const folder = await keptBuild('stored-keys', madeOf, async (made) => {
    for (const role of ROLES) {
      const p12 = p12Of(authority, role, { password: passwordOf(role) });
      writeFileSync(join(made, `${role}.p12`), p12, { mode: 0o600 });
    }
  });
  return Object.fromEntries(
    ROLES.flatMap((role) => {
      const prefix = role.toUpperCase();
      return [
        [`${prefix}_P12_BASE64`, readFileSync(join(folder, `${role}.p12`)).toString('base64')],
        [`${prefix}_P12_PASSWORD`, passwordOf(role)],
      ];
    }),
  );
}

const passwordOf = (role: Role) => `Losung für ${role}`;

/** Returns a key and its certificate in a .p12 that openssl made. @param argv further options of `openssl pkcs12 -export` */
export function p12Of(
  { members, chainOf }: RehearsalAuthority,
  role: Role,
  { password, argv = [] }: { readonly password: string; readonly argv?: readonly string[] },
): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'p12-'));
  try {
    const [key, certificate, p12] = ['key.pem', 'certificate.pem', 'identity.p12'].map((name) => join(folder, name));
    writeFileSync(key!, members[role].privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(certificate!, pemOf(chainOf(role)[0]!.der));
    const files = ['-inkey', key!, '-in', certificate!, '-out', p12!];
    check('openssl', ['pkcs12', '-export', ...argv, ...files, '-passout', `pass:${password}`]);
    return readFileSync(p12!);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
