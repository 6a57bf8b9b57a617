import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../../build/command.ts';
import { examineSetUp } from '../../../../build/github/upkeep/set-up.ts';
import { createProgress } from '../../../../build/report/progress.ts';

// Every decision on what GitHub answers. The checks look at different answers, so that one look tries the next case of each.
let scratch: string;
let project: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'set-up-table-'));
  project = makeProject('project');
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A project for Apple's tools, whose keys need no certificate here. */
function makeProject(name: string): string {
  const root = join(scratch, name);
  for (const part of ['package.json', 'release.config.json', '.github'])
    cpSync(part, join(root, part), { recursive: true });
  const config = JSON.parse(readFileSync(join(root, 'release.config.json'), 'utf8'));
  const signing = { ...config.signing, toolchain: 'apple', teamIdentifier: 'ABCDE12345' };
  writeFileSync(join(root, 'release.config.json'), JSON.stringify({ ...config, signing }));
  writeFileSync(join(root, 'CHANGELOG.md'), '# Changelog\n\n## 1.1.0, not released\n\n- a\n');
  return root;
}

type Checks = Readonly<Record<string, readonly [status: string, reason: string]>>;
/** @param gh shell that stands for gh; `$4` of `gh api` is the path that is asked for */
async function look(gh: string, env: NodeJS.ProcessEnv = {}, root = project): Promise<Checks> {
  const bin = mkdtempSync(join(scratch, 'bin-'));
  writeFileSync(join(bin, 'gh'), `#!/bin/sh\n${gh}\n`, { mode: 0o755 });
  const before = process.env.PATH;
  process.env.PATH = `${bin}:/usr/bin:/bin`;
  const { signal } = new AbortController();
  const progress = createProgress({ stream: { write: () => undefined }, verbose: false, color: false });
  const context = { root, program: '', progress, signal, argv: [], json: false, verbose: false } as const;
  try {
    const checks = await examineSetUp({ ...context, env: { ...process.env, ...env } } as unknown as CommandContext);
    return Object.fromEntries(checks.map(({ id, status, reason }) => [id, [status, reason ?? '']]));
  } finally {
    process.env.PATH = before;
  }
}

/** gh that answers from a table of paths. */
function answering(answers: Readonly<Record<string, unknown>>): string {
  const folder = mkdtempSync(join(scratch, 'answers-'));
  for (const [path, answer] of Object.entries(answers)) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'answer'), JSON.stringify(answer));
  }
  return `[ "$1" != auth ] || exit 0
[ -f "${folder}/\${4#repos/owner/name/}/answer" ] || { printf 'first\\nHTTP 403\\n' >&2; exit 1; }
exec cat "${folder}/\${4#repos/owner/name/}/answer"`;
}

const SIGNING = [
  'APPLICATION_P12_BASE64',
  'APPLICATION_P12_PASSWORD',
  'INSTALLER_P12_BASE64',
  'INSTALLER_P12_PASSWORD',
];
const NOTARY = ['NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID'];
const named = (names: readonly string[]) => ({ secrets: names.map((name) => ({ name })) });
const branches = (...names: string[]) => ({ branch_policies: names.map((name) => ({ name })) });
const selected = { deployment_branch_policy: { custom_branch_policies: true } };
const reviewers = (never: boolean, ...types: string[]) => [
  { type: 'branch_policy' },
  { type: 'required_reviewers', prevent_self_review: never, reviewers: types.map((type) => ({ type })) },
];
const ruleset = (...types: string[]) => ({ rules: types.map((type) => ({ type })) });
const about = (include: readonly string[], exclude: readonly string[] = []) => ({
  conditions: { ref_name: { include, exclude } },
  ...ruleset('update', 'deletion'),
});
const rules = (...types: string[]) => types.map((type) => ({ type }));
const TAG = { id: 1, name: 'a', target: 'tag', enforcement: 'active' };
const GOOD = {
  'actions/variables?per_page=30': { variables: [{ name: 'SIGNING_KEYS', value: 'keychain' }] },
  'environments/signing': { ...selected, protection_rules: reviewers(false, 'User') },
  'environments/signing/deployment-branch-policies': branches('main'),
  'environments/signing/secrets': named(SIGNING),
  'environments/notary': selected,
  'environments/notary/deployment-branch-policies': branches('main'),
  'environments/notary/secrets': named(NOTARY),
  'actions/secrets': named([]),
  'immutable-releases': { enabled: true },
  'rules/branches/main': rules('non_fast_forward', 'pull_request', 'required_status_checks'),
  'rulesets?includes_parents=true&per_page=100': [TAG],
  'rulesets/1': about(['refs/tags/v*']),
  'codeowners/errors': { errors: [] },
};

/** What is answered instead, and what comes of it; undefined takes the answer away. */
type Case = readonly [
  answers: Partial<Record<keyof typeof GOOD, unknown>> | Record<string, unknown>,
  status: string,
  reason: string,
];
const environment = (name: string, more: object) => ({ [`environments/${name}`]: { ...selected, ...more } });
const policies = (name: string, ...of: string[]) => ({
  [`environments/${name}/deployment-branch-policies`]: branches(...of),
});
const HIDDEN = 'cannot be read with these rights; look at it by hand: HTTP 403';
const NO_TAGS = 'no rule for tags v*: update, deletion';
const CASES: Readonly<Record<string, readonly Case[]>> = {
  'signing-keys': [
    [{ 'actions/variables?per_page=30': undefined }, 'skipped', HIDDEN],
    [{ 'actions/variables?per_page=30': { variables: [] } }, 'fail', 'signing.toolchain is apple, and SIGNING_KEYS says stored: keychain goes with apple, and apple with nothing else'],
    [{ 'actions/variables?per_page=30': { variables: [{ name: 'OTHER', value: 'x' }, { name: 'SIGNING_KEYS', value: 'keychain' }] } }, 'pass', 'keys in the secrets of the environment signing, used in a keychain of a Mac'],
  ],
  'environment-signing': [
    [environment('signing', { deployment_branch_policy: null }), 'fail', 'environment signing is open to other branches: allow selected branches, main alone'],
    [environment('signing', { deployment_branch_policy: { custom_branch_policies: false } }), 'fail', 'environment signing is open to other branches: allow selected branches, main alone'],
    [policies('signing'), 'fail', 'environment signing is open to: nothing; allow main alone'],
    [policies('signing', 'main', 'x'), 'fail', 'environment signing is open to: main, x; allow main alone'],
    [environment('signing', {}), 'fail', 'environment signing has no required reviewer'],
    [environment('signing', { protection_rules: [{ type: 'branch_policy' }] }), 'fail', 'environment signing has no required reviewer'],
    [environment('signing', { protection_rules: reviewers(true, 'User', 'User') }), 'pass', 'main alone, 4 secrets, reviewed'],
    [environment('signing', { protection_rules: reviewers(true, 'Team') }), 'pass', 'main alone, 4 secrets, reviewed'],
    [environment('signing', { protection_rules: reviewers(false, 'User') }), 'pass', 'main alone, 4 secrets, reviewed'],
    [environment('signing', { protection_rules: reviewers(true, 'User') }), 'fail', 'environment signing has one reviewer, who may not approve what they merged: add a second one, or allow self-review'],
    [{ 'environments/signing/secrets': named(['OTHER', ...SIGNING]) }, 'pass', 'main alone, 4 secrets, reviewed'],
    [{ 'environments/signing/secrets': named([SIGNING[0]!, SIGNING[2]!, SIGNING[3]!]) }, 'fail', 'environment signing lacks: APPLICATION_P12_PASSWORD; set each: gh secret set APPLICATION_P12_PASSWORD --env signing'],
    [{ 'environments/signing/secrets': undefined }, 'skipped', HIDDEN],
    [{ 'environments/signing/secrets': named([]) }, 'fail', `environment signing lacks: ${SIGNING.join(', ')}; set each: gh secret set ${SIGNING[0]} --env signing`],
  ],
  'environment-notary': [
    [environment('notary', { protection_rules: reviewers(false, 'User') }), 'fail', 'environment notary has a reviewer: retries would wait for a person'],
    [environment('notary', { protection_rules: [{ type: 'wait_timer', prevent_self_review: true, reviewers: [{ type: 'User' }] }] }), 'pass', 'main alone, 3 secrets'],
    [{ 'environments/notary/secrets': named(['NOTARY_KEY', 'NOTARY_ISSUER_ID']) }, 'fail', 'environment notary lacks: NOTARY_KEY_ID; set each: gh secret set NOTARY_KEY_ID --env notary'],
    [{ 'environments/notary/secrets': named([]) }, 'fail', 'environment notary lacks: NOTARY_KEY, NOTARY_KEY_ID, NOTARY_ISSUER_ID; set each: gh secret set NOTARY_KEY --env notary'],
    [policies('notary', 'x'), 'fail', 'environment notary is open to: x; allow main alone'],
  ],
  'repository-secrets': [
    [{ 'actions/secrets': named(['OTHER', 'NOTARY_KEY_ID', 'APPLICATION_P12_BASE64']) }, 'fail', 'open to every job: NOTARY_KEY_ID, APPLICATION_P12_BASE64; remove each: gh secret delete NOTARY_KEY_ID'],
    [{ 'actions/secrets': named(['OTHER']) }, 'pass', 'none of ours'],
    [{ 'actions/secrets': named([...SIGNING, ...NOTARY]) }, 'fail', `open to every job: ${[...SIGNING, ...NOTARY].join(', ')}; remove each: gh secret delete ${SIGNING[0]}`],
  ],
  'immutable-releases': [
    [{ 'immutable-releases': { enabled: false } }, 'fail', 'releases are not immutable; run: gh api --method PUT repos/owner/name/immutable-releases'],
  ],
  'main-rules': [
    [{ 'rules/branches/main': rules('required_status_checks', 'non_fast_forward') }, 'fail', 'no rule for main: pull_request'],
    [{ 'rules/branches/main': rules('pull_request', 'non_fast_forward') }, 'fail', 'no rule for main: required_status_checks'],
    [{ 'rules/branches/main': rules('pull_request', 'required_status_checks') }, 'fail', 'no rule for main: non_fast_forward'],
    [{ 'rules/branches/main': rules('pull_request', 'other', 'required_status_checks', 'non_fast_forward') }, 'pass', 'pull_request, other, required_status_checks, non_fast_forward'],
  ],
  'tag-rules': [
    [{ 'rulesets/1': about(['~ALL']) }, 'pass', 'update, deletion'],
    [{ 'rulesets/1': about(['refs/tags/x', 'refs/tags/v1.*']) }, 'pass', 'update, deletion'],
    [{ 'rulesets/1': about(['refs/tags/?1']) }, 'pass', 'update, deletion'],
    [{ 'rulesets/1': about(['refs/tags/[uvw]*']) }, 'pass', 'update, deletion'],
    [{ 'rulesets/1': about(['refs/tags/*']) }, 'pass', 'update, deletion'],
    [{ 'rulesets/1': ruleset('update', 'deletion', 'non_fast_forward') }, 'pass', 'update, deletion, non_fast_forward'],
    [{ 'rulesets/1': about(['refs/tags/nightly*']) }, 'fail', NO_TAGS],
    [{ 'rulesets/1': about([]) }, 'fail', NO_TAGS],
    ...['~ALL', 'refs/tags/v*', 'refs/tags/*', 'refs/tags/**'].map((pattern): Case => [{ 'rulesets/1': about(['~ALL'], ['refs/tags/x', pattern]) }, 'fail', NO_TAGS]),
    [{ 'rulesets/1': about(['~ALL'], ['refs/tags/vx*']) }, 'pass', 'update, deletion'],
    [{ 'rulesets/1': ruleset('update') }, 'fail', 'no rule for tags v*: deletion'],
    [{ 'rulesets/1': ruleset('deletion') }, 'fail', 'no rule for tags v*: update'],
    [{ 'rulesets/1': ruleset('update', 'deletion', 'creation') }, 'fail', 'a rule for tags v* stops publish, whose token keeps every rule: take out creation'],
    [{ 'rulesets?includes_parents=true&per_page=100': [{ ...TAG, target: 'branch' }] }, 'fail', NO_TAGS],
    [{ 'rulesets?includes_parents=true&per_page=100': [{ ...TAG, enforcement: 'evaluate' }] }, 'fail', NO_TAGS],
    [{ 'rulesets?includes_parents=true&per_page=100': [TAG, { ...TAG, id: 2 }], 'rulesets/1': ruleset('update'), 'rulesets/2': ruleset('deletion') }, 'pass', 'update, deletion'],
  ],
  'code-owners': [
    [{ 'codeowners/errors': { errors: [{ line: 4, kind: 'Unknown owner' }, { line: 7, kind: 'Invalid pattern' }] } }, 'fail', '.github/CODEOWNERS asks nobody: line 4: Unknown owner, line 7: Invalid pattern; put your owners in'],
  ],
}; // biome-ignore format: a table

describe('examineSetUp, with answers of GitHub', () => {
  const looks = Math.max(...Object.values(CASES).map((cases) => cases.length));

  it.each(Array.from({ length: looks }, (_, at) => at))('decides on case %i of each check', async (at) => {
    const tried = Object.entries(CASES).flatMap(([id, cases]) => (cases[at] ? [[id, cases[at]] as const] : []));
    const answers: Record<string, unknown> = Object.assign({}, GOOD, ...tried.map(([, [changed]]) => changed));
    const there = Object.fromEntries(Object.entries(answers).filter(([, answer]) => answer !== undefined));
    const checks = await look(answering(there), { GITHUB_REPOSITORY: 'owner/name' });
    for (const [id, [, status, reason]] of tried) expect(checks[id], id).toEqual([status, reason]);
    for (const [id, [status, reason]] of Object.entries(checks))
      if (!tried.some(([one]) => one === id)) expect([id, status, reason]).toEqual([id, 'pass', reason]);
  });
});

describe('examineSetUp, in the checkout', () => {
  const alone = (root: string) => look('[ "$1" = --version ]', {}, root);
  const edit = (root: string, path: string, change: (text: string) => string) =>
    writeFileSync(join(root, path), change(readFileSync(join(root, path), 'utf8')));

  it('passes what is there, and says of what only GitHub knows why it was not asked', async () => {
    const checks = await alone(project);
    expect(Object.keys(checks)).toEqual(['workflows', 'pins', 'team', 'changelog', ...Object.keys(CASES)]);
    expect(checks.workflows).toEqual(['pass', '4 files, 7 secrets named']);
    expect(checks.pins).toEqual(['pass', expect.stringMatching(/^[1-9]\d uses of actions, each at the commit in pins.json$/)]);
    expect(checks.team).toEqual(['pass', 'ABCDE12345, on apple']);
    expect(checks.changelog).toEqual(['pass', '1.1.0 is not to be released yet']);
    expect(checks['signing-keys']).toEqual(['skipped', 'gh is not signed in; run: gh auth login']);
    for (const id of Object.keys(CASES).slice(1)) expect(checks[id]).toEqual(['skipped', 'as signing-keys']);
  }); // biome-ignore format: a list

  it.each<[string, (root: string) => void, string, string]>([
    ['workflows', (root) => rmSync(join(root, '.github/workflows/expiry.yml')), 'missing in .github/workflows: expiry.yml', 'fail'],
    ...['build.yml', 'ci.yml', 'release.yml'].map((name): [string, (root: string) => void, string, string] => ['workflows', (root) => rmSync(join(root, '.github/workflows', name)), `missing in .github/workflows: ${name}`, 'fail']),
    ['workflows', (root) => edit(root, '.github/workflows/release.yml', (text) => text.replaceAll(/secrets\.[A-Z0-9_]+ }}/g, 'x }}')), `release.yml does not hand over: ${[...SIGNING, ...NOTARY].join(', ')}`, 'fail'],
    ['workflows', (root) => edit(root, '.github/workflows/release.yml', (text) => text.replaceAll('secrets.NOTARY_KEY }}', 'x }}')), 'release.yml does not hand over: NOTARY_KEY', 'fail'],
    ['pins', (root) => edit(root, '.github/workflows/ci.yml', (text) => text.replace(/@[0-9a-f]{40} /, '@v1 ')), 'is at v1, pins.json says', 'fail'],
    ['pins', (root) => writeFileSync(join(root, '.github/pins.json'), '{'), 'pins.json', 'fail'],
    ['team', (root) => edit(root, 'release.config.json', (text) => text.replace('"ABCDE12345"', 'null')), 'signing.teamIdentifier in release.config.json is null', 'fail'],
    ['changelog', (root) => edit(root, 'CHANGELOG.md', (text) => text.replace('1.1.0', '1.0.0')), 'CHANGELOG.md has no heading for 1.1.0', 'fail'],
    ['changelog', (root) => edit(root, 'CHANGELOG.md', (text) => text.replace('1.1.0,', '1.1.0')), 'CHANGELOG.md line 3', 'fail'],
    ['changelog', (root) => edit(root, 'CHANGELOG.md', (text) => text.replace('not released', '2026-11-26')), '1.1.0 has a date: merged to main it is released', 'pass'],
  ])('%s', async (id, change, words, status) => {
    const root = makeProject(`of-${Math.random()}`);
    change(root);
    const checks = await alone(root);
    expect(checks[id]).toEqual([status, expect.stringContaining(words)]);
    expect(Object.values(checks).filter(([one]) => one === 'fail')).toHaveLength(status === 'fail' ? 1 : 0);
  }); // biome-ignore format: a table

  it.each([
    ['there is no gh', 'exit 127', 'gh is missing; Debian, Ubuntu: sudo apt-get install -y gh    macOS: brew install gh'],
    ['nobody is signed in', '[ "$1" = --version ]', 'gh is not signed in; run: gh auth login'],
    ['the folder has no repository', '[ "$1" != repo ]', 'gh knows no repository for this folder; run: GITHUB_REPOSITORY=OWNER/NAME npm run -s cli -- doctor --ci'],
  ])('says what to do where %s', async (_, gh, reason) => {
    expect((await look(gh))['signing-keys']).toEqual(['skipped', reason]);
  }); // biome-ignore format: a table

  it.each([
    ['what gh prints of the checkout', 'if [ "$1" = repo ]; then echo "{"; exit; fi', {}],
    ['an answer of GitHub', '', { GITHUB_REPOSITORY: 'owner/name' }],
  ])('ends with an error of its own where %s is of no known form', async (_, first, env) => {
    await expect(look(`${first}\n${answering({ ...GOOD, 'immutable-releases': null })}`, env)).rejects.not.toHaveProperty('code'); // biome-ignore format: a line
  });

  it('takes the repository that gh finds for the checkout', async () => {
    const found = `if [ "$1" = repo ]; then pwd >"${scratch}/asked"; echo '{"nameWithOwner":"owner/name"}'; exit; fi`;
    const checks = await look(`${found}\n${answering(GOOD)}`);
    expect(Object.values(checks).map(([status]) => status)).toEqual(Array.from({ length: 12 }, () => 'pass'));
    expect(readFileSync(join(scratch, 'asked'), 'utf8').trim()).toBe(project);
  });
});
