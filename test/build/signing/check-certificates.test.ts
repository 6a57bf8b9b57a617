import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../../build/plan/config.ts';
import { CERTIFICATES } from '../../../build/signing/external.ts';
import { checkCertificates } from '../../../build/signing/replay.ts';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { leafFor } from '../../pki/identity/identity-files.ts';
import { pemOf } from '../../support/openssl.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';
import { certificatesOf, placeCertificates } from '../../support/stored-keys.ts';
import { testAuthority } from '../../support/test-authority.ts';

let scratch: string;
let authority: RehearsalAuthority;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'certificates-'));
  authority = await testAuthority(join(scratch, 'authority'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(scratch, 'project-'));
  placeCertificates(root, authority);
});
afterEach(() => vi.useRealTimers());

/** Checks the certificates of the project, as those of a team that releases. */
async function check(teamIdentifier: string | null = null): Promise<void> {
  const config = await readConfig('.');
  const signing = { ...config.signing, teamIdentifier };
  await checkCertificates({ root, config: { ...config, signing } }, authority.trust);
}
const putFor = (role: 'application' | 'installer', from: 'application' | 'installer') =>
  writeFileSync(join(root, CERTIFICATES[role]), certificatesOf(authority)[CERTIFICATES[from]] as string);

describe('the certificates of a project, before a key is used', () => {
  it('are taken when both are what a release needs', async () => {
    await expect(check()).resolves.toBeUndefined();
  });

  it('need only be there in a rehearsal, which knows its authority where it signs', async () => {
    putFor('application', 'installer');
    await expect(check(REHEARSAL_TEAM)).resolves.toBeUndefined();
    rmSync(join(root, CERTIFICATES.installer));
    await expect(check(REHEARSAL_TEAM)).rejects.toMatchObject({ code: 'IDENTITY_FILE' });
  });

  it.each(['application', 'installer'] as const)('are refused when that of %s is that of the other', async (role) => {
    putFor(role, role === 'application' ? 'installer' : 'application');
    await expect(check()).rejects.toMatchObject({ code: 'IDENTITY_ROLE_SWAPPED', hint: expect.anything() });
  });

  it('are refused when they have ended', async () => {
    vi.useFakeTimers({ now: new Date('2100-01-01T00:00:00Z'), toFake: ['Date'] });
    await expect(check()).rejects.toMatchObject({ code: 'IDENTITY_EXPIRED', hint: expect.anything() });
  });

  it('are refused when they are of two teams', async () => {
    const other = leafFor('installer', rsaPair(), authority.members.developerIdAuthority);
    const chain = [other, ...authority.chainOf('installer').slice(1)];
    writeFileSync(join(root, CERTIFICATES.installer), chain.map(pemOf).join(''));
    await expect(check()).rejects.toMatchObject({ code: 'IDENTITY_TEAM_MISMATCH', hint: expect.anything() });
  });

  it('are refused when they are of another team', async () => {
    await expect(check('ABCDE12345')).rejects.toMatchObject({ code: 'IDENTITY_WRONG_TEAM', hint: expect.anything() });
  });
});
