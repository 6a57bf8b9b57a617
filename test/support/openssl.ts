import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/pki/x509/certificate.ts';
import { needs } from './needs.ts';

/** Whether tests that need openssl can run. */
export const openssl = needs('openssl');

/** Whether this openssl has the provider with RC2, which old .p12 files are protected with. */
export const legacyProvider = (() => {
  const listed = openssl.missing ? '' : run(['list', '-providers', '-provider', 'legacy']).output;
  const missing = !listed.includes('OpenSSL Legacy Provider');
  return { missing, note: missing ? " (skipped: needs openssl's legacy provider)" : '' };
})();

/** Runs openssl; its words are standard output and error together. */
export function run(argv: string[], input?: Buffer): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('openssl', argv, { input, encoding: 'latin1' });
  return { status, output: `${stdout}${stderr}` };
}

/** A new folder, for files that openssl reads and writes. */
export class OpensslFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'pki-'));

  /** Writes a file and returns its path. */
  put(name: string, content: Buffer | string): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** Writes certificates as one PEM file and returns its path. */
  putPem(name: string, ...certificates: readonly Certificate[]): string {
    return this.put(name, certificates.map(pemOf).join(''));
  }
}

/** Returns a certificate in PEM. */
export function pemOf(certificate: Certificate): string {
  const lines = certificate.der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
