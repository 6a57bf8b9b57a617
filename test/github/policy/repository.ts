import { parseDocument } from 'yaml';
import { differences, type Value } from './canonical.ts';
import { WORKFLOWS } from './workflows-table.ts';

/*
 * What stands around the workflows and decides what they do: who is asked about a change, what may be updated, what the checks pass
 * over, and what the one-line commands of npm are. Each is told exactly, and no other file may stand beside them.
 */

const REVIEWED = [
  '/.github/',
  '/test/github/policy/',
  '/build/setup/',
  '/build/github/',
  '/build/signing/',
  '/build/signers/',
  '/build/parts/',
  '/build/look/',
  '/certificates/',
  '/package.json',
  '/package-lock.json',
  '/.npmrc',
  '/vitest.config.ts',
  '/release.config.json',
  '/payload/',
  '/scripts/',
];
const SCRIPTS = {
  start: 'sh build/setup/run.sh release',
  cli: 'sh build/setup/run.sh',
  test: 'sh build/setup/test.sh',
  check: 'sh build/setup/check.sh',
  bench: 'sh build/setup/bench.sh',
  figures: 'sh build/setup/figures.sh',
  fuzz: 'sh build/setup/fuzz.sh',
  mutants: 'sh build/setup/mutants.sh',
  mutations: 'sh build/setup/mutations.sh',
  nightly: 'sh build/setup/nightly.sh',
  'test:interop': 'sh build/setup/interop.sh',
};
/** Files whose lines npm and git obey. */
const LINES: Readonly<Record<string, readonly string[]>> = {
  '.npmrc': [
    'omit-lockfile-registry-resolved=true',
    'save-exact=true',
    'engine-strict=true',
    'fund=false',
    'audit=false',
  ],
  '.gitattributes': ['build/plan/source-archive.txt export-subst'],
};
const WEEKLY = { directory: '/', schedule: { interval: 'weekly' }, cooldown: { 'default-days': 7 } };
/** Files in YAML, each as it must be. */
const DOCUMENTS: Readonly<Record<string, Value>> = {
  '.github/dependabot.yml': {
    version: 2,
    updates: [
      { 'package-ecosystem': 'github-actions', ...WEEKLY, groups: { actions: { patterns: ['*'] } } },
      { 'package-ecosystem': 'npm', ...WEEKLY, groups: { development: { 'dependency-type': 'development' } } },
    ],
  },
  '.github/zizmor.yml': {
    rules: {
      'unpinned-uses': { config: { policies: { '*': 'hash-pin' } } },
      'forbidden-uses': { config: { allow: ['actions/*', 'ossf/scorecard-action'] } },
    },
  },
  '.github/actionlint.yaml': {
    'self-hosted-runner': { labels: ['xcode-27'] },
    paths: {
      '.github/workflows/release.yml': {
        ignore: [
          'reusable workflow call "\\$/\\.github/workflows/build\\.yml" .+ is not following the format',
          'unexpected key "queue" for "concurrency" section',
        ],
      },
    },
  },
};
/** Files outside .github that GitHub or npm would obey. */
export const OBEYED = [
  ...['.npmrc', 'package.json', '.gitattributes', '.gitmodules', '.lfsconfig'],
  ...[
    'CODEOWNERS',
    'docs/CODEOWNERS',
    'action.yml',
    'action.yaml',
    '.gitlab-ci.yml',
    'npm-shrinkwrap.json',
    '.yarnrc.yml',
  ],
];

/** What GitHub shows to people who write an issue or a pull request; it runs nothing in them. */
const FORMS: readonly string[] = [
  '.github/pull_request_template.md',
  ...['config', 'message', 'on-a-mac', 'pipeline'].map((name) => `.github/ISSUE_TEMPLATE/${name}.yml`),
];

/**
 * Returns everything around the workflows that nobody allowed; empty when it is what the tables above say.
 *
 * @param files text by path: all of .github, and of OBEYED what is there
 */
export function repositoryProblems(files: ReadonlyMap<string, string>): string[] {
  const workflows = Object.keys(WORKFLOWS).map((name) => `.github/workflows/${name}`);
  const known = [
    ...workflows,
    ...Object.keys(DOCUMENTS),
    '.github/CODEOWNERS',
    '.github/pins.json',
    ...Object.keys(LINES),
    ...FORMS,
    'package.json',
  ];
  return [
    ...[...files.keys()].filter((path) => !known.includes(path)).map((path) => `${path}: a file that nobody allowed`),
    ...known.filter((path) => !files.has(path)).map((path) => `${path}: is not there`),
    ...Object.entries(DOCUMENTS).flatMap(([path, value]) => documentProblems(path, value, files.get(path) ?? '')),
    ...ownerProblems(files.get('.github/CODEOWNERS') ?? ''),
    ...pinsProblems(files),
    ...npmProblems(files),
  ];
}

function documentProblems(path: string, value: Value, source: string): string[] {
  const document = parseDocument(source, { version: '1.2', strict: true, uniqueKeys: true, merge: false });
  const errors = [...document.errors, ...document.warnings].map(({ message }) => `${path}: ${message.split('\n')[0]}`);
  return errors.length > 0 ? errors : differences(value, document.toJS() as Value, path);
}

/** The last line that fits a path decides whom GitHub asks, and a line without an owner asks nobody. */
function ownerProblems(source: string): string[] {
  const lines = source.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const [places, owners] = [lines.map((line) => line.split(/\s+/)[0]), lines.map((line) => line.split(/\s+/).slice(1))];
  const problems = differences(REVIEWED, places as string[], 'CODEOWNERS');
  for (const [index, names] of owners.entries()) {
    const known = names.length > 0 && names.every((name) => /^@[\w-]+(\/[\w.-]+)?$/.test(name));
    if (!known || names.join() !== owners[0]?.join())
      problems.push(`CODEOWNERS: ${places[index]} is owned by ${names.join(' ') || 'nobody'}`);
  }
  return problems;
}

/** Every pin is used, at a commit and a version's tag. */
function pinsProblems(files: ReadonlyMap<string, string>): string[] {
  const pins = Object.entries(
    JSON.parse(files.get('.github/pins.json') ?? '{}') as Record<string, Record<string, string>>,
  );
  const text = [...files]
    .filter(([path]) => path.startsWith('.github/workflows/'))
    .map(([, source]) => source)
    .join('\n');
  return pins.flatMap(([action, { tag = '', commit = '', ...more }]) => {
    const isWell = /^v\d+(\.\d+){0,2}$/.test(tag) && /^[0-9a-f]{40}$/.test(commit) && Object.keys(more).length === 0;
    return isWell && text.includes(`${action}@${commit} # ${tag}\n`)
      ? []
      : [`pins.json: ${action} is not used as it says`];
  });
}

/** A required check is one line that calls a script of npm: what that is decides what is checked. */
function npmProblems(files: ReadonlyMap<string, string>): string[] {
  const { scripts = {} } = JSON.parse(files.get('package.json') ?? '{}') as { scripts?: Record<string, string> };
  const lines = Object.entries(LINES).flatMap(([path, expected]) =>
    differences(
      [...expected],
      (files.get(path) ?? '').split('\n').filter((line) => line !== ''),
      path,
    ),
  );
  return [...differences(SCRIPTS, scripts, 'package.json/scripts'), ...lines];
}
