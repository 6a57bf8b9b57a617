import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';
import { loadIdentity } from '../../src/pki/identity/identity.ts';
import { OpensslFolder, openssl, run } from '../support/openssl.ts';
import { rehearsalP12 } from './authority-p12.ts';
import { sharedAuthority } from './shared-authority.ts';

describe('rehearsalP12', () => {
  it.each(['application', 'installer'] as const)('gives the %s identity, to be loaded again', async (role) => {
    const authority = await sharedAuthority();
    const p12 = new Secret(await rehearsalP12(authority, role, 'password'));
    const identity = await loadIdentity(role, { p12, password: new Secret('password') }, { trust: authority.trust });
    expect(identity.certificate.sha256).toBe(authority.members[role].certificate.sha256);
    expect(identity.chain).toHaveLength(3);
  });

  it.skipIf(openssl.missing)(`is opened by openssl${openssl.note}`, async () => {
    const p12 = await rehearsalP12(await sharedAuthority(), 'installer', 'password');
    const file = new OpensslFolder().put('installer.p12', p12);
    const { output } = run(['pkcs12', '-in', file, '-passin', 'pass:password', '-nodes', '-info']);
    expect(output).toContain('PBES2, PBKDF2, AES-256-CBC');
    expect(output.match(/BEGIN CERTIFICATE/g)).toHaveLength(3);
    expect(output).toMatch(/BEGIN (RSA )?PRIVATE KEY/);
  });
});
