import { describe, expect, it } from 'vitest';
import { checksOf, GOOD, named, SIGNING, selected, setUps, tagRules } from './set-up-repository.ts';

const { look } = setUps();

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
