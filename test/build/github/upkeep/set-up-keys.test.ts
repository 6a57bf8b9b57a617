import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { REHEARSAL_TEAM } from '../../../../src/rehearsal/authority.ts';
import { externalSignerFor } from '../../../support/key-services/key-service.ts';
import { placeCertificates } from '../../../support/stored-keys.ts';
import { testAuthority } from '../../../support/test-authority.ts';
import { GOOD, named, SIGNING, setUps } from './set-up-repository.ts';

const setUp = setUps();
const { look, makeProject } = setUp;

describe('doctor --ci with stored keys', () => {
  const chosen = (value: string) => ({
    'actions/variables?per_page=30': { variables: [{ name: 'SIGNING_KEYS', value }] },
  });
  let project: string;
  beforeAll(async () => {
    project = makeProject('stored', (config) => {
      config.signing.teamIdentifier = REHEARSAL_TEAM;
    });
    placeCertificates(project, await testAuthority(join(setUp.scratch, 'authority')));
  });

  it('finds a certificate that Apple did not issue', async () => {
    const real = makeProject('real', (config) => {
      config.signing.teamIdentifier = 'ABCDE12345';
    });
    placeCertificates(real, await testAuthority(join(setUp.scratch, 'authority')));
    const { status, reason } = (await look(GOOD, real))['signing-keys'] as { status: string; reason: string };
    expect([status, reason]).toEqual([
      'fail',
      expect.stringContaining('the Developer ID Application identity: the chain'),
    ]);
  });

  it('says where they are used', async () => {
    expect((await look(GOOD, project))['signing-keys']).toMatchObject({
      status: 'pass',
      reason: expect.stringContaining('each approved and used by itself'),
    });
    const mac = makeProject('mac', (config) => {
      config.signing.toolchain = 'apple';
    });
    expect((await look({ ...GOOD, ...chosen('keychain') }, mac))['signing-keys']).toMatchObject({
      status: 'pass',
      reason: expect.stringContaining('a keychain of a Mac'),
    });
    expect((await look(GOOD, mac))['signing-keys']).toMatchObject({
      status: 'fail',
      reason: expect.stringContaining('keychain goes with apple'),
    });
  });

  it('fails when a certificate is not PEM', async () => {
    writeFileSync(join(project, 'certificates/installer.pem'), 'DER');
    expect((await look(GOOD, project))['signing-keys']).toMatchObject({
      status: 'fail',
      reason: expect.stringContaining('certificates/installer.pem holds no certificate in PEM'),
    });
  });
});

describe('doctor --ci with keys in a service', () => {
  const ROLE = { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/signing' };
  const chosen = (...variables: object[]) => ({ 'actions/variables?per_page=30': { variables } });
  const AWS = { name: 'SIGNING_KEYS', value: 'aws' };
  const SERVICE = { ...GOOD, 'environments/signing/secrets': named([]), ...chosen(AWS, ROLE) };
  let project: string;
  beforeAll(async () => {
    const authority = await testAuthority(join(setUp.scratch, 'authority'));
    const { settings } = externalSignerFor('aws', authority);
    project = makeProject('project', (config) => {
      config.signing.externalSigner = settings;
      config.signing.teamIdentifier = REHEARSAL_TEAM;
    });
    placeCertificates(project, authority);
  });

  it('says which service signs, and which subject it must trust', async () => {
    const checks = await look(SERVICE, project);
    expect(checks['signing-keys']).toMatchObject({ status: 'pass' });
    expect(checks['signing-keys']?.reason).toContain('repo:owner@123/name@456:environment:signing');
    expect(checks['environment-signing']).toMatchObject({ status: 'pass' });
  });

  it.each<[string, string, object, RegExp]>([
    ['both variants are chosen', 'signing-keys', chosen(ROLE), /SIGNING_KEYS does not choose one/],
    ['neither variant is chosen', 'signing-keys', chosen({ ...AWS, value: 'gcp' }), /SIGNING_KEYS says "gcp"/],
    ['another service is chosen', 'signing-keys', chosen({ ...AWS, value: 'azure' }), /azure-key-vault\.sh/],
    ['the role is missing', 'signing-keys', chosen(AWS), /variables missing: AWS_ROLE_ARN/],
    [
      'stored keys are still there',
      'environment-signing',
      { 'environments/signing/secrets': named(SIGNING) },
      /remove from environment signing: APPLICATION_P12_BASE64/,
    ],
  ])('fails when %s', async (_, id, change, reason) => {
    const check = (await look({ ...SERVICE, ...change }, project))[id];
    expect(check).toMatchObject({ status: 'fail' });
    expect(check?.reason).toMatch(reason);
  });

  it('says that the subject cannot be read where the repository is hidden', async () => {
    const { 'repos/owner/name': _, ...hidden } = SERVICE as Record<string, unknown>;
    expect((await look(hidden, project))['signing-keys']).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('look at it by hand'),
    });
  });

  it('fails when a certificate is not there', async () => {
    rmSync(join(project, 'certificates/installer.pem'));
    expect((await look(SERVICE, project))['signing-keys']).toMatchObject({
      status: 'fail',
      reason: expect.stringContaining('cannot read certificates/installer.pem'),
    });
  });

  it('fails when the variable is set and the configuration knows no service', async () => {
    expect((await look({ ...GOOD, ...chosen(AWS, ROLE) }))['signing-keys']).toMatchObject({
      status: 'fail',
      reason: expect.stringContaining('has no signing.externalSigner'),
    });
  });
});
