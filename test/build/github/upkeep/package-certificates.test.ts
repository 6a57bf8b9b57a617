import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { packageCertificates } from '../../../../build/github/upkeep/package-certificates.ts';
import { samplePackage } from '../../../notary/sample-package.ts';
import { testAuthority } from '../../../support/test-authority.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'certificates-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe('packageCertificates', () => {
  it('finds both leaves, their authority and the root, each once', async () => {
    const path = join(inject('releaseFolder'), 'Escrow.Buddy-1.1.0-rehearsal.pkg');
    const names = (await packageCertificates(path, scratch, AbortSignal.timeout(60_000))).map(
      ({ commonName }) => commonName,
    );
    expect(names).toHaveLength(4);
    for (const word of [
      'Developer ID Installer:',
      'Developer ID Application:',
      'Developer ID Certification Authority',
      'Root CA',
    ])
      expect(names.filter((name) => name.includes(word))).toHaveLength(1);
  });

  it('refuses a package without a signature', async () => {
    const authority = await testAuthority(join(scratch, 'authority'));
    const path = join(scratch, 'unsigned.pkg');
    writeFileSync(path, await samplePackage([], { a: Buffer.from('a') }, { authority, role: null }));
    await expect(packageCertificates(path, scratch, AbortSignal.timeout(60_000))).rejects.toMatchObject({ code: 'PACKAGE_UNSIGNED' }); // biome-ignore format: a line
  });
});
