import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REHEARSAL_TEAM } from '../../../../src/rehearsal/authority.ts';
import { inProcess } from '../../../support/in-process.ts';
import { externalSignerFor } from '../../../support/key-services/key-service.ts';
import { placeCertificates } from '../../../support/stored-keys.ts';
import { testAuthority } from '../../../support/test-authority.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'set-up-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const SIGNING = [
  'APPLICATION_P12_BASE64',
  'APPLICATION_P12_PASSWORD',
  'INSTALLER_P12_BASE64',
  'INSTALLER_P12_PASSWORD',
];
const NOTARY = ['NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID'];
const named = (names: readonly string[]) => ({ secrets: names.map((name) => ({ name })) });
const branches = { branch_policies: [{ name: 'main' }] };
const selected = { deployment_branch_policy: { custom_branch_policies: true } };
function tagRules(...types: string[]): object {
  return {
    conditions: { ref_name: { include: ['refs/tags/v*'], exclude: [] } },
    rules: types.map((type) => ({ type })),
  };
}
const GOOD: Readonly<Record<string, unknown>> = {
  'environments/signing': {
    ...selected,
    protection_rules: [{ type: 'required_reviewers' }, { type: 'branch_policy' }],
  },
  'environments/signing/deployment-branch-policies': branches,
  'environments/signing/secrets': named(SIGNING),
  'environments/notary': { ...selected, protection_rules: [{ type: 'branch_policy' }] },
  'environments/notary/deployment-branch-policies': branches,
  'environments/notary/secrets': named(NOTARY),
  'actions/secrets': named(['OTHER']),
  'immutable-releases': { enabled: true },
  'rules/branches/main': [{ type: 'pull_request' }, { type: 'required_status_checks' }, { type: 'non_fast_forward' }],
  'rulesets?includes_parents=true&per_page=100': [
    { id: 1, name: 'versions', target: 'tag', enforcement: 'active' },
    { id: 2, name: 'main', target: 'branch', enforcement: 'active' },
    { id: 3, name: 'old', target: 'tag', enforcement: 'disabled' },
  ],
  'rulesets/1': tagRules('update', 'deletion'),
  'rulesets/3': tagRules('creation'),
  'codeowners/errors': { errors: [] },
  'actions/variables?per_page=30': { variables: [] },
  'repos/owner/name': { full_name: 'owner/name', id: 456, owner: { id: 123 } },
};

/** Runs `doctor --ci` with a `gh` that answers from a table, and returns the status of each check. */
type Checks = Record<string, { status: string; reason: string }>;
function look(answers: Readonly<Record<string, unknown>>, project?: string): Promise<Checks> {
  const bin = mkdtempSync(join(scratch, 'bin-'));
  for (const [path, answer] of Object.entries(answers)) {
    mkdirSync(join(bin, path), { recursive: true });
    writeFileSync(join(bin, path, 'answer.json'), JSON.stringify(answer));
  }
  const script = `#!/bin/sh
[ "$1" = auth ] && exit 0
file="${bin}/\${4#repos/owner/name/}/answer.json"
[ -f "$file" ] || { echo 'gh: HTTP 403: Resource not accessible' >&2; exit 1; }
exec cat "$file"
`;
  writeFileSync(join(bin, 'gh'), script);
  chmodSync(join(bin, 'gh'), 0o755);
  return checksOf({ GITHUB_REPOSITORY: 'owner/name', PATH: `${bin}:${process.env.PATH}` }, project);
}

async function checksOf(env: NodeJS.ProcessEnv, project?: string): Promise<Checks> {
  const { checks } = JSON.parse(
    (
      await inProcess(['doctor', '--ci', '--json'], {
        env,
        ...(project && { cwd: project }),
      })
    ).stdout,
  );
  return Object.fromEntries(checks.map((check: { id: string }) => [check.id, check]));
}

describe('doctor --ci', () => {
  it('passes a repository that is set up as docs/releasing.md says', async () => {
    const checks = await look(GOOD);
    // Team and certificates are for each maintainer to set.
    expect(checks.team).toMatchObject({ status: 'fail' });
    expect(checks['signing-keys']).toMatchObject({
      status: 'fail',
      reason: expect.stringContaining('cannot read certificates/application.pem'),
    });
    for (const id of [
      'workflows',
      'pins',
      'changelog',
      'environment-signing',
      'environment-notary',
      'repository-secrets',
      'immutable-releases',
      'main-rules',
      'tag-rules',
      'code-owners',
    ])
      expect(checks[id], id).toMatchObject({ status: 'pass' });
  });

  it.each([
    [
      'environment-signing',
      'environments/signing',
      { ...(GOOD['environments/signing'] as object), deployment_branch_policy: null },
      /main alone/,
    ],
    ['environment-signing', 'environments/signing', { ...selected, protection_rules: [] }, /no required reviewer/],
    [
      'environment-signing',
      'environments/signing',
      {
        ...selected,
        protection_rules: [{ type: 'required_reviewers', prevent_self_review: true, reviewers: [{ type: 'User' }] }],
      },
      /may not approve what they merged/,
    ],
    ['tag-rules', 'rulesets/1', tagRules('creation', 'update', 'deletion'), /stops publish.*creation/],
    ['tag-rules', 'rulesets/1', tagRules('update', 'deletion', 'required_status_checks'), /take out required_status/],
    ['code-owners', 'codeowners/errors', { errors: [{ line: 4, kind: 'Unknown owner' }] }, /line 4: Unknown owner/],
    ['tag-rules', 'rulesets/1', tagRules('update'), /no rule for tags v\*: deletion/],
    ['tag-rules', 'rulesets?includes_parents=true&per_page=100', [], /no rule for tags v\*: update, deletion/],
    [
      'tag-rules',
      'rulesets/1',
      {
        ...tagRules('update', 'deletion'),
        conditions: { ref_name: { include: ['refs/tags/nightly-*'], exclude: [] } },
      },
      /no rule for tags v\*/,
    ],
    [
      'environment-signing',
      'environments/signing/deployment-branch-policies',
      { branch_policies: [{ name: '*' }] },
      /open to: \*/,
    ],
    ['environment-signing', 'environments/signing/secrets', named(SIGNING.slice(1)), /lacks: APPLICATION_P12_BASE64/],
    [
      'environment-notary',
      'environments/notary',
      { ...selected, protection_rules: [{ type: 'required_reviewers' }] },
      /retries would wait/,
    ],
    [
      'repository-secrets',
      'actions/secrets',
      named(['NOTARY_KEY']),
      /open to every job: NOTARY_KEY; remove each: gh secret delete NOTARY_KEY/,
    ],
    ['immutable-releases', 'immutable-releases', { enabled: false }, /not immutable/],
    ['main-rules', 'rules/branches/main', [], /no rule for main: pull_request/],
  ])('fails %s for a wrong %s', async (id, path, answer, reason) => {
    const check = (await look({ ...GOOD, [path]: answer }))[id];
    expect(check).toMatchObject({ status: 'fail' });
    expect(check?.reason).toMatch(reason);
  });

  it('says what it could not see with these rights', async () => {
    const { 'immutable-releases': _, ...visible } = GOOD;
    expect((await look(visible))['immutable-releases']).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('by hand'),
    });
  });

  it('checks what lies in the checkout, and says so, without gh', async () => {
    const checks = await checksOf({ PATH: '/nonexistent' });
    expect(checks.pins).toMatchObject({ status: 'pass' });
    expect(checks['environment-notary']).toMatchObject({ status: 'skipped' });
  });
});

describe('doctor --ci with stored keys', () => {
  const chosen = (value: string) => ({
    'actions/variables?per_page=30': { variables: [{ name: 'SIGNING_KEYS', value }] },
  });
  let project: string;
  beforeAll(async () => {
    project = makeProject('stored', (config) => {
      config.signing.teamIdentifier = REHEARSAL_TEAM;
    });
    placeCertificates(project, await testAuthority(join(scratch, 'authority')));
  });

  it('finds a certificate that Apple did not issue', async () => {
    const real = makeProject('real', (config) => {
      config.signing.teamIdentifier = 'ABCDE12345';
    });
    placeCertificates(real, await testAuthority(join(scratch, 'authority')));
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

/** A project of its own, with a changed configuration. */
function makeProject(name: string, change: (config: any) => void): string {
  const project = join(scratch, name);
  for (const part of ['package.json', 'CHANGELOG.md', 'release.config.json', '.github'])
    cpSync(part, join(project, part), { recursive: true });
  const config = JSON.parse(readFileSync(join(project, 'release.config.json'), 'utf8'));
  change(config);
  writeFileSync(join(project, 'release.config.json'), JSON.stringify(config));
  return project;
}

describe('doctor --ci with keys in a service', () => {
  const ROLE = { name: 'AWS_ROLE_ARN', value: 'arn:aws:iam::111122223333:role/signing' };
  const chosen = (...variables: object[]) => ({ 'actions/variables?per_page=30': { variables } });
  const AWS = { name: 'SIGNING_KEYS', value: 'aws' };
  const SERVICE = { ...GOOD, 'environments/signing/secrets': named([]), ...chosen(AWS, ROLE) };
  let project: string;
  beforeAll(async () => {
    const authority = await testAuthority(join(scratch, 'authority'));
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
