// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { add, insert, remove, set, swap, text } from './seed-edits.ts';

/** One bad edit of a file of the repository; undefined stands for a file that is not there. */
export interface HeldOut {
  readonly name: string;
  readonly path: string;
  readonly edit: (source: string) => string | undefined;
}

const WORKFLOWS = '.github/workflows';
const workflow = (file: string, faults: readonly (readonly [string, (source: string) => string])[]): HeldOut[] =>
  faults.map(([name, edit]) => ({ name, path: `${WORKFLOWS}/${file}`, edit }));
const job = (steps: readonly object[], rest: object = {}) => ({
  name: 'more',
  'runs-on': 'ubuntu-24.04',
  'timeout-minutes': 10,
  permissions: { contents: 'read' },
  steps: [
    { uses: 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1', with: { 'persist-credentials': false } },
    {
      uses: 'actions/setup-node@949feb2413d6458794dcd2491c4babbbce0c15c1',
      with: { 'node-version': 24, 'package-manager-cache': false },
    },
    ...steps,
  ],
  ...rest,
});
/** A job more whose comments are all there, so that nothing but the fault is refused. */
const withJob = (id: string, value: object) => (source: string) =>
  add(
    'jobs',
    id,
    value,
  )(source)
    .replace(/(checkout@\w+)$/gm, '$1 # v7.0.1')
    .replace(/(setup-node@\w+)$/gm, '$1 # v7.1.0')
    .replace(/(contents: read)$/gm, '$1 # checkout');
const script = (source: string, name: string, command: string) => {
  const package_ = JSON.parse(source);
  package_.scripts[name] = command;
  return JSON.stringify(package_, null, 2);
};

/** Faults that were written before the policy knew of them, after its own seeds; each kind that passed was mended. */
export const HELD_OUT: readonly HeldOut[] = [
  ...workflow('ci.yml', [
    ['a required check under another name', set('jobs.linux.name', 'Linux')],
    [
      'a check that takes the name of a required one',
      withJob('more', job([{ name: 'x', run: 'npm run check' }], { name: 'workflows' })),
    ],
    [
      'the name of a required check by its matrix',
      withJob('more', job([{ name: 'x', run: 'npm run check' }], { name: 'Linux, Node.js 24' })),
    ],
    ['a required check that is skipped when another fails', set('jobs.linux.needs', 'version')],
    ['a required check that waits for one that is never there', set('jobs.workflows.needs', ['macos'])],
    ['the token of the job taken away from the version', remove('jobs.version.steps.2.env')],
    ['an image of the macOS check taken from elsewhere', set('jobs.macos.steps.6.env.IMAGE', 'macos-26')],
    [
      'a job whose name is that of every object',
      withJob('__proto__', job([{ name: 'x', run: 'npm test' }], { permissions: 'write-all' })),
    ],
    ['a step whose key is that of every object', set('jobs.linux.steps.2.__proto__', { run: 'curl x' })],
    ['a matrix with a version that is text', set('jobs.linux.strategy.matrix.node', [22, '24'])],
    ['a matrix with an exclusion', set('jobs.linux.strategy.matrix.exclude', [{ node: 24 }])],
    ['one check at a time', set('jobs.macos.strategy.max-parallel', 1)],
    ['a run that is started with a title', set('run-name', '${{ github.event.pull_request.title }}')],
    ['a check that is cancelled by any other', set('concurrency.group', 'ci')],
    ['checks of main that a push cancels', set('concurrency.cancel-in-progress', true)],
    ['pull requests that are only labelled', set('on.pull_request', { types: ['labeled'] })],
    ['pull requests without a folder', set('on.pull_request', { 'paths-ignore': ['docs/**'] })],
    ['merge groups of another branch', set('on.merge_group', { branches: ['release'] })],
    ['checks that a comment starts', set('on.issue_comment', { types: ['created'] })],
    ['checks that another workflow starts', set('on.workflow_run', { workflows: ['release'], types: ['completed'] })],
    ['an empty command', set('jobs.linux.steps.2.run', '')],
    ['a command behind another line', set('jobs.linux.steps.2.run', 'npm test\ncurl x')],
    ['npm that runs as root', set('jobs.linux.steps.2.run', 'sudo npm test')],
    ['a folder of npm', set('jobs.linux.steps.2.run', 'npm test --prefix=/tmp/x')],
    ['a test that passes without tests', set('jobs.linux.steps.2.run', 'npm test -- --passWithNoTests nothing')],
    ['fewer tests', set('jobs.linux.steps.2.run', 'npm test -- test/base')],
    [
      'a rehearsal of another checkout',
      set('jobs.macos.steps.3.run', 'npm start -- --rehearsal --toolchain portable --out "${HOME}/out"'),
    ],
    ['a secret in the name of a job', set('jobs.linux.name', '${{ secrets.NOTARY_KEY }}')],
    ['a debugger of the runner', set('jobs.linux.steps.2.env', { ACTIONS_STEP_DEBUG: 'true' })],
    ['old commands of the runner', set('jobs.linux.steps.2.env', { ACTIONS_ALLOW_UNSECURE_COMMANDS: 'true' })],
    ['a quoted version of an action', text(/setup-node@\w+ # v7\.1\.0/, '"setup-node@v7" # v7.1.0')],
    ['a comment that names a commit of its own', text('# v7.0.1', '# v7.0.1 @55891bbd')],
  ]),
  ...workflow('expiry.yml', [
    ['a look whose findings go nowhere', remove('jobs.pins.outputs')],
    ['a step whose findings nobody finds', remove('jobs.certificates.steps.2.id')],
    ['an issue that hears nothing of the notary', remove('jobs.issue.steps.2.env.NOTARY_RESULT')],
    [
      'an issue that hears of one look twice',
      set('jobs.issue.steps.2.env.CERTIFICATES_FINDINGS', '${{ needs.pins.outputs.findings }}'),
    ],
    ['a look that is called like a required check', set('jobs.pins.name', 'workflows')],
    ['a look that waits for the key', set('jobs.pins.needs', 'notary')],
    ['a week that is a year', set('on.schedule', [{ cron: '23 5 1 1 *' }])],
    [
      'a job more beside the notary that writes',
      withJob('more', job([{ name: 'x', run: 'npm test' }], { permissions: { contents: 'read', issues: 'write' } })),
    ],
    ['a key that is looked at without its environment', remove('jobs.notary.environment')],
  ]),
  ...workflow('release.yml', [
    ['one approval for two commits', set('jobs.sign.steps.0.with.repository', 'somebody/x')],
    ['the run of another commit', set('jobs.plan.steps.0.with.ref', 'main')],
    ['a history that is cut', remove('jobs.plan.steps.0.with.fetch-depth')],
    ['a look with a compiler of somebody', set('jobs.look.steps.3.run', 'sudo apt-get install -qq -y ./clang.deb')],
    ['a look only where it is not needed', set('jobs.look.steps.4.if', "needs.plan.outputs.runner != 'ubuntu-24.04'")],
    ['an uninstaller that nobody looks at', remove('jobs.look.steps.6')],
    ['a turn fewer', set('jobs.wait.strategy.matrix.turn', [1])],
    ['an exit code more that is fine', text('[ "$?" -eq 5 ]', '[ "$?" -le 6 ]')],
    ['a Mac on another branch of the test', set('jobs.smoke.steps.0.with.ref', 'refs/heads/smoke')],
    ['an output that a step sets by itself', set('jobs.staple.outputs.team', '${{ env.TEAM }}')],
    ['bundles in another order', swap('jobs.attest.steps', 3, 4)],
    ['a release that is made again', insert('jobs.publish.steps', { run: 'gh release delete x' }, 'front')],
    [
      'a verdict from a file of the artifact',
      set('jobs.attest.steps.2.run', 'cp finished-verdicts.jsonl "out/${VERSION}/smoke-verdicts.jsonl"'),
    ],
    [
      'a comparison in another way',
      text('shasum -a 256 -c - && tar -xf parts.tar', 'sha256sum --status -c - && tar -xf parts.tar'),
    ],
    ['archives that keep their owners', text('tar -xf signed.tar -C out', 'tar -xpf signed.tar -C out')],
    ['a machine by a variable', set('jobs.publish.runs-on', '${{ vars.RUNNER }}')],
    ['an artifact among what looks at it', remove('jobs.look.steps.1.with.path')],
    ['an artifact in the place of what looks at it', set('jobs.look.steps.1.with.path', 'build/look')],
    ['a package unpacked over the sources', set('jobs.smoke.steps.2.run', 'tar -xf fetched/finished.tar')],
    ['a key that waits for nobody', set('jobs.code-key.environment', { name: 'signing', deployment: false })],
    ['a startup file of the shell beside a key', set('jobs.code-key.steps.1.env.BASH_ENV', './x.sh')],
    ['a startup file of sh beside a key', set('jobs.packages-key.steps.1.env.ENV', './x.sh')],
    ['a configuration of openssl where it is checked', set('jobs.code-key.steps.2.env.OPENSSL_CONF', './x.cnf')],
    [
      'a certificate of an output',
      set('jobs.packages-key.steps.1.env.CERTIFICATE', '${{ needs.packages.outputs.record }}'),
    ],
    ['submodules beside a key', set('jobs.code-key.steps.0.with.submodules', true)],
    ['another folder for the checkout', set('jobs.packages-key.steps.0.with.path', 'x')],
    ['large files beside a key', set('jobs.packages-key.steps.0.with.lfs', true)],
    ['a debugging session beside a key', insert('jobs.packages-key.steps', { run: 'sleep 600' }, 'end')],
    [
      'a summary of what was signed',
      text('>> "${GITHUB_OUTPUT}"', '| tee -a "${GITHUB_STEP_SUMMARY}" >> "${GITHUB_OUTPUT}"'),
    ],
    ['two matrix legs with one key', set('jobs.code-key.strategy', { matrix: { role: ['application', 'installer'] } })],
    ['digests that are not quoted', text('--digests "${DIGESTS}"', '--digests ${DIGESTS}')],
    ['signatures that go by an artifact', set('jobs.packages.steps.2.run', 'tar -xf code-signatures.tar')],
    ['a package without its second signature', remove('jobs.signed.steps.3')],
    [
      'a record of the first digests for the package',
      set('jobs.signed.steps.2.env.RECORD', '${{ needs.code.outputs.record }}'),
    ],
    ['a Mac whose variable is of the event', set('jobs.sign.if', "github.event.client_payload.keys == 'keychain'")],
    [
      'a look for fewer signatures',
      set('jobs.look.steps.7.run', 'node build/look/every-signature.mjs "out/${VERSION}" || true'),
    ],
    ['permission to write for reading', set('jobs.review.permissions.contents', 'write')],
    ['an attestation of everything that is left', set('jobs.attest.permissions.artifact-metadata', 'write')],
  ]),
  ...workflow('build.yml', [
    ['a second machine that is not another', remove('jobs.again.needs')],
    ['a machine of its own choice', set('jobs.again.runs-on', 'macos-26')],
    ['an input that is a secret', set('on.workflow_call.inputs.runner.default', '${{ secrets.X }}')],
    ['an attestation that is left out', remove('jobs.parts.steps.3')],
  ]),
  ...workflow('release.yml', [
    [
      'a service that the event names',
      set('jobs.code-service.steps.1.env.SERVICE', '${{ github.event.client_payload.service }}'),
    ],
    ['a proxy between token and service', set('jobs.code-service.steps.1.env.HTTPS_PROXY', 'http://x.invalid')],
    ['a program in front of all others', set('jobs.packages-service.steps.1.env.PATH', '.:/usr/bin')],
    ['a library that every program loads', set('jobs.packages-service.steps.1.env.LD_PRELOAD', './x.so')],
    ['an authority that every program trusts', set('jobs.code-service.steps.1.env.CURL_CA_BUNDLE', 'ca.pem')],
    [
      'the digests of the code for the packages',
      set('jobs.packages-service.steps.1.env.DIGESTS', '${{ needs.code.outputs.digests }}'),
    ],
    [
      'a trace of what has the token',
      text('run: sh build/signers/key-service.sh', 'run: sh -x build/signers/key-service.sh'),
    ],
  ]),
  ...workflow('scorecard.yml', [
    [
      'results that are published by somebody',
      set('jobs.scorecard.steps.1.with.repo_token', '${{ secrets.SCORECARD_TOKEN }}'),
    ],
    ['a scorecard that may write', set('jobs.scorecard.permissions.security-events', 'write')],
  ]),
  { name: 'a workflow more', path: `${WORKFLOWS}/weekly.yml`, edit: () => 'on: push\njobs: {}\n' },
  { name: 'a workflow with the other ending', path: `${WORKFLOWS}/ci.yaml`, edit: () => 'on: push\njobs: {}\n' },
  { name: 'a workflow in other letters', path: `${WORKFLOWS}/Release.yml`, edit: () => 'on: push\njobs: {}\n' },
  { name: 'a workflow that is gone', path: `${WORKFLOWS}/expiry.yml`, edit: () => undefined },
  {
    name: 'an action of our own',
    path: '.github/actions/fetch/action.yml',
    edit: () => 'runs: { using: composite, steps: [] }\n',
  },
  {
    name: 'an action at the top of the repository',
    path: 'action.yml',
    edit: () => 'runs: { using: node24, main: x.js }\n',
  },
  { name: 'a template that nobody looks at', path: '.github/PULL_REQUEST_TEMPLATE/other.md', edit: () => 'x\n' },
  { name: 'owners for nothing', path: '.github/CODEOWNERS', edit: () => '' },
  {
    name: 'owners that a later line takes away',
    path: '.github/CODEOWNERS',
    edit: (source) => `${source}* @somebody\n`,
  },
  {
    name: 'a folder whose owners are taken away',
    path: '.github/CODEOWNERS',
    edit: (source) => `${source}/.github/workflows/\n`,
  },
  {
    name: 'one file with another owner',
    path: '.github/CODEOWNERS',
    edit: text(
      '/package-lock.json             @your-organisation/release-owners',
      '/package-lock.json             @somebody',
    ),
  },
  { name: 'owners of less', path: '.github/CODEOWNERS', edit: text(/^\/payload\/.*\n/m, '') },
  { name: 'owners behind a comment', path: '.github/CODEOWNERS', edit: text('/build/setup/ ', '/build/setup/ # ') },
  { name: 'owners in a file that is looked at first', path: 'docs/CODEOWNERS', edit: () => '* @somebody\n' },
  {
    name: 'updates that run what they bring',
    path: '.github/dependabot.yml',
    edit: set('updates.1.insecure-external-code-execution', 'allow'),
  },
  {
    name: 'updates from another registry',
    path: '.github/dependabot.yml',
    edit: set('registries', { x: { type: 'npm-registry', url: 'https://x.invalid', token: '${{ secrets.T }}' } }),
  },
  { name: 'updates of the same day', path: '.github/dependabot.yml', edit: remove('updates.0.cooldown') },
  { name: 'updates of another branch', path: '.github/dependabot.yml', edit: set('updates.0.target-branch', 'next') },
  { name: 'no updates of actions', path: '.github/dependabot.yml', edit: remove('updates.0') },
  {
    name: 'a check that lets tags pass',
    path: '.github/zizmor.yml',
    edit: set('rules.unpinned-uses.config.policies', { '*': 'any' }),
  },
  {
    name: 'a check that is switched off',
    path: '.github/zizmor.yml',
    edit: set('rules.template-injection', { disable: true }),
  },
  {
    name: 'a check that lets every action pass',
    path: '.github/zizmor.yml',
    edit: insert('rules.forbidden-uses.config.allow', '*'),
  },
  {
    name: 'a check that passes over everything',
    path: '.github/actionlint.yaml',
    edit: text("'unexpected key", "'.*' # '"),
  },
  { name: 'a pin with a tag of another form', path: '.github/pins.json', edit: text('"v7.0.1"', '"main"') },
  {
    name: 'a pin more',
    path: '.github/pins.json',
    edit: text('{\n', '{\n  "somebody/x": { "tag": "v1", "commit": "3d3c42e5aac5ba805825da76410c181273ba90b1" },\n'),
  },
  { name: 'tests that are none', path: 'package.json', edit: (source) => script(source, 'test', 'true') },
  {
    name: 'a command line of somebody',
    path: 'package.json',
    edit: (source) => script(source, 'cli', 'sh build/setup/run.sh && curl x'),
  },
  { name: 'a script before every test', path: 'package.json', edit: (source) => script(source, 'pretest', 'curl x') },
  {
    name: 'a script at every install',
    path: 'package.json',
    edit: (source) => script(source, 'postinstall', 'curl x'),
  },
  { name: 'a shell of npm', path: '.npmrc', edit: (source) => `${source}script-shell=./x.sh\n` },
  { name: 'options of every Node.js', path: '.npmrc', edit: (source) => `${source}node-options=--import=./x.mjs\n` },
  { name: 'packages from another registry', path: '.npmrc', edit: (source) => `${source}registry=https://x.invalid\n` },
  // A second round, written once the first one was refused: three of nine passed.
  ...workflow('ci.yml', [
    [
      'a space in front of the name of a required check',
      withJob('more', job([{ name: 'x', run: 'npm test' }], { name: ' workflows' })),
    ],
    [
      'a further job that takes an Xcode that moves',
      withJob('more', job([{ name: 'x', run: 'npm test' }], { env: { DEVELOPER_DIR: '/x' } })),
    ],
  ]),
  ...workflow('expiry.yml', [
    [
      'another look that is called like a check',
      withJob('more', job([{ name: 'x', run: 'npm test' }], { name: 'macOS, macos-26' })),
    ],
  ]),
  { name: 'settings that a bot obeys', path: '.github/settings.yml', edit: () => 'repository: { private: false }\n' },
  { name: 'a workflow in a folder', path: `${WORKFLOWS}/more/x.yml`, edit: () => 'on: push\njobs: {}\n' },
  { name: 'updates in a file with the other ending', path: '.github/dependabot.yaml', edit: () => 'version: 2\n' },
  { name: 'a lock file that npm prefers', path: 'npm-shrinkwrap.json', edit: () => '{}\n' },
  { name: 'a checkout that is changed on its way', path: '.gitattributes', edit: () => '*.sh filter=x\n' },
  { name: 'tests whose list nobody is asked about', path: '.github/CODEOWNERS', edit: text(/^\/vitest.*\n/m, '') },
];
