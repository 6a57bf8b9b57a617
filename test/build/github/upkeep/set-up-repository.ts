import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { inProcess } from '../../../support/in-process.ts';

export const SIGNING = [
  'APPLICATION_P12_BASE64',
  'APPLICATION_P12_PASSWORD',
  'INSTALLER_P12_BASE64',
  'INSTALLER_P12_PASSWORD',
];
const NOTARY = ['NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID'];
export const named = (names: readonly string[]) => ({ secrets: names.map((name) => ({ name })) });
const branches = { branch_policies: [{ name: 'main' }] };
export const selected = { deployment_branch_policy: { custom_branch_policies: true } };
export function tagRules(...types: string[]): object {
  return {
    conditions: { ref_name: { include: ['refs/tags/v*'], exclude: [] } },
    rules: types.map((type) => ({ type })),
  };
}
/** What `gh` answers, by its path, for a repository that is set up as docs/releasing.md says. */
export const GOOD: Readonly<Record<string, unknown>> = {
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

/** The status of each check, by its name. */
type Checks = Record<string, { status: string; reason: string }>;

/** Runs `doctor --ci`. */
export async function checksOf(env: NodeJS.ProcessEnv, project?: string): Promise<Checks> {
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

function lookWith(scratch: string, answers: Readonly<Record<string, unknown>>, project?: string): Promise<Checks> {
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

function projectIn(scratch: string, name: string, change: (config: any) => void): string {
  const project = join(scratch, name);
  for (const part of ['package.json', 'CHANGELOG.md', 'release.config.json', '.github'])
    cpSync(part, join(project, part), { recursive: true });
  const config = JSON.parse(readFileSync(join(project, 'release.config.json'), 'utf8'));
  change(config);
  writeFileSync(join(project, 'release.config.json'), JSON.stringify(config));
  return project;
}

interface SetUps {
  /** Folder for files of the tests. */
  readonly scratch: string;
  /** Runs `doctor --ci` with a `gh` that answers from a table. */
  look(answers: Readonly<Record<string, unknown>>, project?: string): Promise<Checks>;
  /** Makes a project of its own, with a changed configuration. */
  makeProject(name: string, change: (config: any) => void): string;
}

/** Returns what the tests of a file look at set-ups with, in a folder that they have from their start to their end. */
export function setUps(): SetUps {
  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'set-up-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  return {
    get scratch() {
      return scratch;
    },
    look: (answers, project) => lookWith(scratch, answers, project),
    makeProject: (name, change) => projectIn(scratch, name, change),
  };
}
