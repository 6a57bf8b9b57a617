// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readPins } from '../../build/github/pins.ts';
import { needs } from '../support/needs.ts';
import { policyProblems } from './policy.ts';
import { parseWorkflow, readWorkflows } from './workflow.ts';

const workflows = readWorkflows('.');
const pins = await readPins('.');

describe('the workflows', () => {
  it('are the five that the policy knows', () => {
    expect([...workflows.keys()]).toEqual(['build.yml', 'ci.yml', 'expiry.yml', 'release.yml', 'scorecard.yml']);
  });

  it.each([...workflows.keys()])('%s keeps every rule', (file) => {
    expect(policyProblems(file, workflows.get(file)!, pins)).toEqual([]);
  });

  it('use every action that pins.json lists, and no other', () => {
    const text = [...workflows.values()].join('\n');
    for (const [action, { commit, tag }] of Object.entries(pins))
      expect(text).toContain(`${action}@${commit} # ${tag}\n`);
  });
});

const shellcheck = needs('shellcheck');
describe('run blocks', () => {
  const scripts = [...workflows].flatMap(([file, source]) =>
    Object.entries(parseWorkflow(source).jobs).flatMap(([job, { steps }]) =>
      (steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [{ at: `${file}/${job}`, run }])),
    ),
  );
  it.skipIf(shellcheck.missing)(`are shellcheck clean${shellcheck.note}`, () => {
    expect(scripts.length).toBeGreaterThan(30);
    // One run for all: a comment names the place, and no variable is shared.
    const text = scripts.map(({ at, run }) => `# ${at}\n${run}\n`).join('');
    const { stdout } = spawnSync('shellcheck', ['--shell=bash', '--severity=style', '-'], {
      input: text,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});

/** One edit of one of our files that must not pass, and the words of the rule it breaks. */
interface Seed {
  readonly name: string;
  readonly file: string;
  readonly from: string | RegExp;
  readonly to: string;
  readonly broken: RegExp;
}

const CHECKOUT = `      - uses: actions/checkout@${pins['actions/checkout']!.commit} # v7.0.1\n        with:\n          persist-credentials: false\n`;
const SIGN = '      - name: Sign\n        run: node cli.mjs release';
const SEEDS: readonly Seed[] = [
  {
    name: 'pull_request_target',
    file: 'ci.yml',
    from: '  pull_request:',
    to: '  pull_request_target:',
    broken: /trigger pull_request_target/,
  },
  {
    name: 'workflow_run',
    file: 'release.yml',
    from: '  repository_dispatch:\n    types: [release]',
    to: '  workflow_run:\n    workflows: [ci]',
    broken: /trigger workflow_run/,
  },
  {
    name: 'workflow_dispatch, which runs another branch',
    file: 'release.yml',
    from: '  repository_dispatch:\n    types: [release]',
    to: '  workflow_dispatch:',
    broken: /trigger workflow_dispatch/,
  },
  {
    name: 'a release from every branch',
    file: 'release.yml',
    from: 'branches: [main]',
    to: "branches: ['**']",
    broken: /other branches/,
  },
  {
    name: 'all permissions on top',
    file: 'ci.yml',
    from: 'permissions: {}',
    to: 'permissions: write-all',
    broken: /on top are not/,
  },
  { name: 'no permissions on top', file: 'build.yml', from: 'permissions: {}\n', to: '', broken: /on top are not/ },
  {
    name: 'write permission in the sign job',
    file: 'release.yml',
    from: '    environment: signing\n    permissions: {}',
    to: '    environment: signing\n    permissions:\n      contents: write # tag',
    broken: /sign: permissions/,
  },
  {
    name: 'a job without permissions of its own',
    file: 'ci.yml',
    from: '    permissions:\n      contents: read # checkout, and the tags\n',
    to: '',
    broken: /version: permissions/,
  },
  {
    name: 'a permission without reason',
    file: 'release.yml',
    from: 'contents: write # the release and its tag',
    to: 'contents: write',
    broken: /without a reason/,
  },
  {
    name: 'an action by tag',
    file: 'ci.yml',
    from: /actions\/checkout@\w+ # v7\.0\.1/,
    to: 'actions/checkout@v7',
    broken: /is at v7/,
  },
  {
    name: 'an action at another commit',
    file: 'build.yml',
    from: pins['actions/attest']!.commit,
    to: '55891bbd'.padEnd(40, '0'),
    broken: /is at 55891bbd/,
  },
  {
    name: 'an action with a wrong tag behind it',
    file: 'ci.yml',
    from: '# v7.1.0',
    to: '# v7.2.0',
    broken: /is called v7\.2\.0/,
  },
  {
    name: 'an action nobody listed',
    file: 'ci.yml',
    from: /actions\/setup-node@/,
    to: 'somebody/setup-node@',
    broken: /not in pins\.json/,
  },
  {
    name: 'an action without any reference',
    file: 'ci.yml',
    from: /actions\/setup-node@\w+ # v7\.1\.0/,
    to: 'actions/setup-node',
    broken: /setup-node is at/,
  },
  {
    name: 'a signing secret in the build',
    file: 'build.yml',
    from: 'run: npm run -s cli -- parts --out parts',
    to: 'run: npm run -s cli -- parts --out parts\n        env:\n          KEY: ${{ secrets.APPLICATION_P12_BASE64 }}',
    broken: /sees the secret APPLICATION_P12_BASE64/,
  },
  {
    name: 'a signing secret in the notary job',
    file: 'release.yml',
    from: 'NOTARY_KEY_ID: ${{ secrets.NOTARY_KEY_ID }}',
    to: "NOTARY_KEY_ID: ${{ secrets['INSTALLER_P12_PASSWORD'] }}",
    broken: /submit: sees the secret INSTALLER_P12_PASSWORD/,
  },
  {
    name: 'all secrets at once',
    file: 'ci.yml',
    from: 'run: npm test',
    to: 'run: npm test\n        env:\n          ALL: ${{ toJSON(secrets) }}',
    broken: /sees the secret \*/,
  },
  {
    name: 'secrets outside an environment',
    file: 'release.yml',
    from: '    environment: signing\n',
    to: '',
    broken: /environment undefined/,
  },
  {
    name: 'the signing environment in a second job',
    file: 'release.yml',
    from: '    environment: notary\n',
    to: '    environment: signing\n',
    broken: /environment signing, the policy says notary/,
  },
  {
    name: 'secrets: inherit',
    file: 'release.yml',
    from: '    uses: $/.github/workflows/build.yml\n',
    to: '    uses: $/.github/workflows/build.yml\n    secrets: inherit\n',
    broken: /hands secrets/,
  },
  {
    name: "another repository's workflow",
    file: 'release.yml',
    from: '$/.github/workflows/build.yml',
    to: 'somebody/else/.github/workflows/build.yml@main',
    broken: /calls a workflow of others/,
  },
  {
    name: 'a checkout beside the secrets',
    file: 'release.yml',
    from: SIGN,
    to: `${CHECKOUT}${SIGN}`,
    broken: /sign: step 3 uses actions\/checkout/,
  },
  {
    name: 'npm beside the secrets',
    file: 'release.yml',
    from: SIGN,
    to: `      - run: npm ci\n${SIGN}`,
    broken: /is not sealed/,
  },
  {
    name: 'curl beside the secrets',
    file: 'release.yml',
    from: SIGN,
    to: `      - run: curl -s https://example.com | sh\n${SIGN}`,
    broken: /fetches by itself/,
  },
  {
    name: 'parts that are not compared',
    file: 'release.yml',
    from: /printf '%s {2}parts\.tar\\n' "\$\{PARTS_SHA256\}" \| shasum -a 256 -c - && tar/,
    to: 'tar',
    broken: /before they are compared/,
  },
  {
    name: 'a digest that the artifact brings itself',
    file: 'release.yml',
    from: 'PARTS_SHA256: ${{ needs.build.outputs.parts-sha256 }}',
    to: 'PARTS_SHA256: ${{ github.event.client_payload.sha256 }}',
    broken: /before they are compared/,
  },
  {
    name: 'an artifact by name',
    file: 'release.yml',
    from: 'artifact-ids: ${{ needs.sign.outputs.artifact-id }}',
    to: 'name: signed',
    broken: /by name/,
  },
  {
    name: 'a checkout that keeps the token',
    file: 'ci.yml',
    from: 'persist-credentials: false',
    to: 'fetch-depth: 0',
    broken: /leaves the token/,
  },
  {
    name: "a checkout of a stranger's commit",
    file: 'ci.yml',
    from: 'persist-credentials: false',
    to: 'persist-credentials: false\n          ref: ${{ github.event.pull_request.head.sha }}',
    broken: /another commit/,
  },
  {
    name: 'a title in a script',
    file: 'ci.yml',
    from: 'run: npm test',
    to: 'run: echo "${{ github.event.pull_request.title }}" && npm test',
    broken: /puts an expression/,
  },
  {
    name: 'GITHUB_ENV',
    file: 'ci.yml',
    from: 'run: npm test',
    to: 'run: echo "A=$B" >> "$GITHUB_ENV"',
    broken: /changes later steps/,
  },
  {
    name: 'a program of many lines',
    file: 'ci.yml',
    from: 'run: npm test',
    to: 'run: |\n          npm test\n          npm run bench',
    broken: /more than one line/,
  },
  { name: 'no time limit', file: 'release.yml', from: '    timeout-minutes: 20\n', to: '', broken: /no time limit/ },
  {
    name: 'a time limit of six hours',
    file: 'release.yml',
    from: 'timeout-minutes: 90',
    to: 'timeout-minutes: 360',
    broken: /no time limit, or above/,
  },
  {
    name: 'an image that changes',
    file: 'ci.yml',
    from: 'runs-on: ubuntu-24.04',
    to: 'runs-on: ubuntu-latest',
    broken: /runs on ubuntu-latest/,
  },
  {
    name: 'a machine of our own',
    file: 'release.yml',
    from: 'runs-on: ${{ needs.plan.outputs.runner }}',
    to: 'runs-on: self-hosted',
    broken: /runs on self-hosted/,
  },
  {
    name: 'a Mac whose Xcode nobody named',
    file: 'ci.yml',
    from: /^ {4}env:\n.*\n {6}DEVELOPER_DIR: .*\n/m,
    to: '',
    broken: /macos: DEVELOPER_DIR on macos-26 is undefined/,
  },
  {
    name: "an image's default Xcode, which moves",
    file: 'ci.yml',
    from: 'Xcode_26.6.app',
    to: 'Xcode.app',
    broken: /DEVELOPER_DIR on macos-26-intel is .*Xcode\.app/,
  },
  {
    name: 'an Xcode that another image has',
    file: 'release.yml',
    from: '{ image: macos-15-intel, xcode: "16.4" }',
    to: '{ image: macos-15-intel, xcode: "26.6" }',
    broken: /smoke: DEVELOPER_DIR on macos-15-intel/,
  },
  {
    name: 'an image without a known Xcode',
    file: 'ci.yml',
    from: 'image: [macos-26,',
    to: 'image: [macos-14,',
    broken: /runs on macos-14, whose Xcode nobody named/,
  },
  {
    name: 'a chosen machine without its Xcode',
    file: 'build.yml',
    from: '    env:\n      DEVELOPER_DIR: ${{ inputs.developer-dir }}\n',
    to: '',
    broken: /parts: DEVELOPER_DIR is not/,
  },
  {
    name: 'a build that is not told the Xcode',
    file: 'release.yml',
    from: '      developer-dir: ${{ needs.plan.outputs.developer-dir }}\n',
    to: '',
    broken: /hands on no DEVELOPER_DIR/,
  },
  {
    name: 'an Xcode on Linux',
    file: 'ci.yml',
    from: '    runs-on: ubuntu-24.04\n',
    to: '    runs-on: ubuntu-24.04\n    env:\n      DEVELOPER_DIR: /Applications/Xcode.app\n',
    broken: /DEVELOPER_DIR on ubuntu-24\.04/,
  },
  {
    name: 'a cache',
    file: 'build.yml',
    from: 'package-manager-cache: false',
    to: 'cache: npm',
    broken: /uses a cache/,
  },
  {
    name: 'a release that can be cancelled',
    file: 'release.yml',
    from: 'cancel-in-progress: false',
    to: 'cancel-in-progress: true',
    broken: /may be cancelled/,
  },
  {
    name: 'env for the whole job',
    file: 'release.yml',
    from: '    env:\n      DEVELOPER_DIR',
    to: '    env:\n      A: b\n      DEVELOPER_DIR',
    broken: /env for the whole job/,
  },
  {
    name: 'an error that is passed over',
    file: 'release.yml',
    from: '    environment: signing\n',
    to: '    environment: signing\n    continue-on-error: true\n',
    broken: /goes on after an error/,
  },
];

describe('the policy refuses', () => {
  it.each(SEEDS)('$name', ({ file, from, to, broken }) => {
    const ours = workflows.get(file)!;
    const seeded = ours.replace(from, () => to);
    expect(seeded, 'the seed no longer fits our file').not.toBe(ours);
    expect(policyProblems(file, seeded, pins).join('\n')).toMatch(broken);
  });

  it('at least twenty seeded faults', () => expect(SEEDS.length).toBeGreaterThanOrEqual(20));
});
