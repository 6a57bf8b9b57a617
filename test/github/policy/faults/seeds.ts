// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.

import { add, insert, remove, type Seed, set, swap, text } from './seed-edits.ts';
import { FORM_SEEDS } from './seeds-of-form.ts';
import { ORDINARY_SEEDS } from './seeds-of-ordinary-jobs.ts';
import { SERVICE_SEEDS } from './seeds-of-service.ts';
import { SIGNING_SEEDS } from './seeds-of-signing.ts';

/** Sealed jobs by their place, with a step that runs a script. */
const SEALED: readonly (readonly [file: string, job: string, script: number])[] = [
  ['release.yml', 'plan', 2],
  ['release.yml', 'review', 4],
  ['release.yml', 'sign', 2],
  ['release.yml', 'code', 2],
  ['release.yml', 'code-key', 1],
  ['release.yml', 'code-service', 1],
  ['release.yml', 'packages', 3],
  ['release.yml', 'packages-key', 1],
  ['release.yml', 'packages-service', 1],
  ['release.yml', 'signed', 3],
  ['release.yml', 'submit', 4],
  ['release.yml', 'wait', 4],
  ['release.yml', 'staple', 4],
  ['release.yml', 'look', 4],
  ['release.yml', 'smoke', 3],
  ['release.yml', 'attest', 2],
  ['release.yml', 'publish', 6],
  ['release.yml', 'verify', 2],
  ['build.yml', 'parts', 2],
  ['build.yml', 'again', 2],
  ['expiry.yml', 'notary', 2],
  ['scorecard.yml', 'scorecard', 0],
];

/** What may be done to any job, each with the part of the job that it changes. */
const TO_ANY_JOB: readonly (readonly [name: string, key: string, value: unknown])[] = [
  ['runs whatever happened before', 'if', 'always()'],
  ['goes on after an error', 'continue-on-error', true],
  ['runs in a container', 'container', 'node:24'],
  ['has a service beside it', 'services', { db: { image: 'postgres' } }],
  ['may write everything', 'permissions', 'write-all'],
  ['runs on a machine of somebody', 'runs-on', 'self-hosted'],
  ['runs for six hours', 'timeout-minutes', 360],
  ['has a shell of its own', 'defaults', { run: { shell: 'bash -x {0}' } }],
  ['names another environment', 'environment', 'production'],
  ['has its own line to wait in', 'concurrency', { group: 'mine', 'cancel-in-progress': true }],
  ['has a variable more', 'env', { NODE_OPTIONS: '--import=./x.mjs' }],
];
/** What may be done to any step. */
const TO_ANY_STEP: readonly (readonly [name: string, key: string, value: unknown])[] = [
  ['runs under another shell', 'shell', 'bash -x {0}'],
  ['runs in another folder', 'working-directory', '/tmp'],
  ['goes on after an error', 'continue-on-error', true],
  ['runs after a failure too', 'if', '${{ !cancelled() }}'],
  ['has a time limit', 'timeout-minutes', 1],
];

const generated: Seed[] = SEALED.flatMap(([file, job, script], index) => {
  const at = new RegExp(`^${file.replace('.', '\\.')}/${job}/`, 'm');
  // Each job gets a third of the kinds, and together they get each kind several times.
  const ofJob = TO_ANY_JOB.filter((_, kind) => (kind + index) % 3 === 0).map(([name, key, value]) => ({
    name: `${file}/${job} ${name}`,
    file,
    edit: set(`jobs.${job}.${key}`, value),
    broken: at,
  }));
  const ofStep = TO_ANY_STEP.filter((_, kind) => (kind + index) % 3 === 0).map(([name, key, value]) => ({
    name: `${file}/${job}: a step ${name}`,
    file,
    edit: set(`jobs.${job}.steps.${script}.${key}`, value),
    broken: at,
  }));
  return [...ofJob, ...ofStep];
});

/** [what, edit of release.yml, where it is refused]. */
const RELEASE: readonly (readonly [name: string, edit: Seed['edit'], broken: RegExp])[] = [
  ['attest does not need smoke', set('jobs.attest.needs', ['plan', 'staple']), /attest\/needs\/2/],
  ['publish does not need attest', set('jobs.publish.needs', ['plan', 'build', 'staple']), /publish\/needs\/3/],
  ['the Mac does not wait for the review', set('jobs.sign.needs', ['plan', 'build']), /sign\/needs\/2/],
  ['nobody verifies', remove('jobs.verify'), /verify is not there/],
  ['nobody tries a Mac', remove('jobs.smoke'), /smoke is not there/],
  ['a job more', add('jobs', 'notify', { 'runs-on': 'ubuntu-24.04', steps: [{ run: 'true' }] }), /notify: a job that/],
  ['no question to the plan', remove('jobs.build.if'), /build\/if/],
  ['a plan that always says yes', set('jobs.build.if', true), /build\/if/],
  ['the environment of signing renamed', set('jobs.sign.environment', 'Signing'), /sign\/environment/],
  ['no environment for signing', remove('jobs.sign.environment'), /sign\/environment/],
  [
    'an environment with a page',
    set('jobs.sign.environment', { name: 'signing', url: 'https://x.invalid' }),
    /sign\/environment/,
  ],
  [
    'an environment out of an input',
    set('jobs.sign.environment', '${{ github.event.client_payload.env }}'),
    /sign\/environment/,
  ],
  [
    'a token beside the signing keys',
    set('jobs.sign.permissions', { contents: 'write' }),
    /sign\/permissions\/contents/,
  ],
  ['an OIDC token beside the signing keys', set('jobs.sign.permissions', { 'id-token': 'write' }), /sign\/permissions/],
  ['permissions left to the default', remove('jobs.staple.permissions'), /staple\/permissions/],
  ['publish may write packages', set('jobs.publish.permissions.packages', 'write'), /publish\/permissions\/packages/],
  ['a step before the keys are used', insert('jobs.sign.steps', { run: 'true' }), /sign\/steps\/0/],
  ['a step after the keys were used', insert('jobs.sign.steps', { run: 'env' }, 'end'), /sign\/steps\/5/],
  ['npm beside the keys', set('jobs.sign.steps.1.run', 'npm ci'), /sign\/steps\/1\/run/],
  [
    'a command behind the signing',
    set(
      'jobs.signed.steps.4.run',
      'node cli.mjs release --release --compiled . --signatures signing.json --until sign-package --out out; env | base64',
    ),
    /signed\/steps\/4\/run/,
  ],
  [
    'another file than the checked one',
    set(
      'jobs.signed.steps.4.run',
      'node ./cli.mjs release --release --compiled . --signatures signing.json --until sign-package --out out',
    ),
    /signed\/steps\/4\/run/,
  ],
  ['parts that are not compared', set('jobs.sign.steps.1.run', 'tar -xf parts.tar'), /sign\/steps\/1\/run/],
  [
    'a comparison whose failure is passed over',
    text('shasum -a 256 -c - && tar -xf parts.tar', 'shasum -a 256 -c - ; tar -xf parts.tar'),
    /steps\/\d\/run/,
  ],
  [
    'a digest that the artifact brings itself',
    set('jobs.sign.steps.1.env.PARTS_SHA256', '${{ github.event.client_payload.sha256 }}'),
    /PARTS_SHA256/,
  ],
  [
    'a digest of another job',
    set('jobs.publish.steps.4.env.SHA256', '${{ needs.signed.outputs.sha256 }}'),
    /publish\/steps\/4\/env/,
  ],
  ['steps in another order', swap('jobs.publish.steps', 5, 6), /publish\/steps\/5/],
  ['parts that are run before they are compared', swap('jobs.sign.steps', 1, 2), /sign\/steps\/1/],
  ['a step left out', remove('jobs.publish.steps.4'), /publish\/steps\/4/],
  [
    'a secret in an input',
    set('jobs.sign.steps.0.with.github-token', '${{ secrets.APPLICATION_P12_BASE64 }}'),
    /sign\/steps\/0\/with/,
  ],
  ['a secret more', set('jobs.sign.steps.2.env.NPM_TOKEN', '${{ secrets.NPM_TOKEN }}'), /NPM_TOKEN/],
  ['all secrets', set('jobs.sign.steps.2.env.ALL', '${{ toJSON(secrets) }}'), /ALL/],
  [
    'a secret by index',
    set('jobs.submit.steps.4.env.NOTARY_KEY', "${{ secrets['INSTALLER_P12_BASE64'] }}"),
    /NOTARY_KEY/,
  ],
  ['secrets for the whole job', set('jobs.sign.env.K', '${{ secrets.APPLICATION_P12_PASSWORD }}'), /sign\/env\/K/],
  [
    'a secret as a job output',
    set('jobs.sign.outputs.key', '${{ secrets.APPLICATION_P12_PASSWORD }}'),
    /sign\/outputs\/key/,
  ],
  [
    'a secret out of an organisation variable',
    set('jobs.sign.steps.2.env.APPLICATION_P12_BASE64', '${{ vars.P12 }}'),
    /APPLICATION_P12_BASE64/,
  ],
  ['secrets handed to the build', set('jobs.build.secrets', 'inherit'), /build\/secrets/],
  ['secrets handed on by name', set('jobs.build.secrets', { K: '${{ secrets.NOTARY_KEY }}' }), /build\/secrets/],
  ['a build of somebody else', set('jobs.build.uses', 'somebody/x/.github/workflows/build.yml@main'), /build\/uses/],
  ['a build of the working tree', set('jobs.build.uses', './.github/workflows/build.yml'), /build\/uses/],
  ['another build of ours', set('jobs.build.uses', '$/.github/workflows/ci.yml'), /build\/uses/],
  ['an action of the working tree', set('jobs.sign.steps.0.uses', './.github/actions/fetch'), /sign\/steps\/0\/uses/],
  ['an action in a container', set('jobs.sign.steps.0.uses', 'docker://alpine:3'), /sign\/steps\/0\/uses/],
  [
    'an artifact by name',
    set('jobs.submit.steps.1.with', { name: 'signed-1', 'merge-multiple': true }),
    /submit\/steps\/1\/with/,
  ],
  ['an artifact by pattern', set('jobs.submit.steps.1.with.pattern', '*'), /with\/pattern/],
  ['an artifact of another run', set('jobs.submit.steps.1.with.run-id', '1'), /with\/run-id/],
  [
    'an artifact of another job',
    set('jobs.publish.steps.1.with.artifact-ids', '${{ needs.attest.outputs.artifact-id }}'),
    /artifact-ids/,
  ],
  ['the whole folder as an artifact', set('jobs.sign.steps.4.with.path', '.'), /sign\/steps\/4\/with\/path/],
  ['the keys as an artifact', set('jobs.sign.steps.4.with.path', '/home/runner/work/_temp'), /steps\/4\/with\/path/],
  ['an artifact whose name a re-run takes again', set('jobs.sign.steps.4.with.name', 'signed'), /steps\/4\/with\/name/],
  ['an artifact that replaces another', set('jobs.sign.steps.4.with.overwrite', true), /with\/overwrite/],
  ['an empty artifact is fine', set('jobs.sign.steps.4.with.if-no-files-found', 'ignore'), /if-no-files-found/],
  ['hidden files in an artifact', set('jobs.sign.steps.4.with.include-hidden-files', true), /include-hidden-files/],
  ['a release that can be cancelled', set('concurrency.cancel-in-progress', true), /concurrency\/cancel-in-progress/],
  ['a queue in which the second is lost', remove('concurrency.queue'), /concurrency\/queue/],
  ['a line for each commit', set('concurrency.group', 'release-${{ github.sha }}'), /concurrency\/group/],
  ['no line at all', remove('concurrency'), /concurrency/],
  ['variables for the whole workflow', set('env', { NODE_OPTIONS: '--require ./x.cjs' }), /release\.yml\/env/],
  ['a startup file for every shell', set('env', { BASH_ENV: 'x.sh' }), /release\.yml\/env/],
  ['another shell for all', set('defaults.run.shell', 'bash -x {0}'), /defaults\/run\/shell/],
  ['a shell that passes over errors', set('defaults.run.shell', 'bash {0}'), /defaults\/run\/shell/],
  ['another folder for all', set('defaults.run.working-directory', '/tmp'), /defaults\/run\/working-directory/],
  ['no default shell', remove('defaults'), /defaults/],
  ['all permissions on top', set('permissions', 'write-all'), /release\.yml\/permissions/],
  ['no permissions on top', remove('permissions'), /release\.yml\/permissions/],
  ['pull_request_target', set('on.pull_request_target', { types: ['opened'] }), /on\/pull_request_target/],
  ['workflow_run', set('on.workflow_run', { workflows: ['ci'] }), /on\/workflow_run/],
  [
    'workflow_dispatch, which runs another branch',
    set('on.workflow_dispatch', { inputs: { version: { type: 'string' } } }),
    /on\/workflow_dispatch/,
  ],
  ['issue_comment', set('on.issue_comment', { types: ['created'] }), /on\/issue_comment/],
  ['a schedule', set('on.schedule', [{ cron: '0 0 * * *' }]), /on\/schedule/],
  ['a release from every branch', set('on.push.branches', ['**']), /on\/push\/branches/],
  ['a release from a tag', set('on.push.tags', ['v*']), /on\/push\/tags/],
  ['pushes that change only a path', set('on.push.paths', ['src/**']), /on\/push\/paths/],
  ['any repository event', set('on.repository_dispatch', null), /on\/repository_dispatch/],
  ['events in short form', set('on', ['push', 'pull_request']), /release\.yml\/on/],
  ['an image fewer', remove('jobs.smoke.strategy.matrix.include.4'), /smoke\/strategy\/matrix\/include\/4/],
  ['an image that is excluded', set('jobs.smoke.strategy.matrix.exclude', [{ image: 'xcode-27' }]), /matrix\/exclude/],
  [
    'an image that may fail',
    set('jobs.smoke.strategy.matrix.include.4.experimental', true),
    /include\/4\/experimental/,
  ],
  [
    'a matrix out of an expression',
    set('jobs.smoke.strategy.matrix', '${{ fromJSON(github.event.client_payload.m) }}'),
    /smoke\/strategy\/matrix/,
  ],
  ['images that fail each other', set('jobs.smoke.strategy.fail-fast', true), /fail-fast/],
  [
    'a development build for a release',
    set('jobs.smoke.steps.3.run', 'bash test/mac-runner/smoke.sh --ad-hoc x.pkg'),
    /smoke\/steps\/3\/run/,
  ],
  ['another Xcode', set('jobs.smoke.strategy.matrix.include.0.xcode', '26.6'), /include\/0\/xcode/],
  [
    'an Xcode that moves',
    set('jobs.smoke.env.DEVELOPER_DIR', '/Applications/Xcode.app/Contents/Developer'),
    /smoke\/env\/DEVELOPER_DIR/,
  ],
  ['turns of waiting all at once', remove('jobs.wait.strategy.max-parallel'), /wait\/strategy\/max-parallel/],
  [
    'waiting without end',
    set('jobs.wait.steps.4.run', 'node cli.mjs release --compiled . --resume --until notarize --out out || true'),
    /wait\/steps\/4\/run/,
  ],
  ['another team', set('jobs.smoke.steps.3.env.TEAM', 'ABCDE12345'), /env\/TEAM/],
  ['an attestation of another file', set('jobs.attest.steps.3.with.subject-path', 'out/*'), /subject-path/],
  [
    'an attestation that is pushed elsewhere',
    set('jobs.attest.steps.3.with.push-to-registry', true),
    /push-to-registry/,
  ],
  [
    'an attestation of a digest from outside',
    set('jobs.attest.steps.3.with.subject-digest', '${{ needs.build.outputs.parts-sha256 }}'),
    /subject-digest/,
  ],
  ['a verdict that is written by hand', set('jobs.attest.steps.2.env.XCODE_27', '{"verdict":"pass"}'), /XCODE_27/],
  [
    'publishing without the verdicts',
    set(
      'jobs.publish.steps.6.run',
      'node cli.mjs github publish --folder "out/${VERSION}" --bundle EscrowBuddy.intoto.jsonl',
    ),
    /publish\/steps\/6\/run/,
  ],
  ['a token of a person', set('jobs.publish.steps.6.env.GH_TOKEN', '${{ secrets.PERSONAL_TOKEN }}'), /GH_TOKEN/],
  [
    'an expression in a script',
    set('jobs.publish.steps.6.run', 'node cli.mjs github publish --folder "out/${{ needs.plan.outputs.version }}"'),
    /publish\/steps\/6\/run/,
  ],
  [
    'a dispatched word in a script',
    set('jobs.plan.steps.2.run', 'npm run -s cli -- github plan ${{ github.event.client_payload.version }}'),
    /plan\/steps\/2\/run/,
  ],
  ['a checkout that keeps the token', set('jobs.verify.steps.0.with.persist-credentials', true), /persist-credentials/],
  [
    'a checkout of another commit',
    set('jobs.verify.steps.0.with.ref', '${{ github.event.client_payload.ref }}'),
    /with\/ref/,
  ],
  ['a checkout of another repository', set('jobs.plan.steps.0.with.repository', 'somebody/x'), /with\/repository/],
  ['a checkout with submodules', set('jobs.plan.steps.0.with.submodules', 'recursive'), /with\/submodules/],
  [
    'a checkout beside the keys',
    insert('jobs.submit.steps', { uses: 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1' }),
    /submit\/steps\/0/,
  ],
  ['another Node.js', set('jobs.plan.steps.1.with.node-version', 20), /node-version/],
  ['a registry with a token', set('jobs.plan.steps.1.with.registry-url', 'https://npm.invalid'), /registry-url/],
  ['an output of its own', set('jobs.plan.outputs.release', 'true'), /plan\/outputs\/release/],
  ['a runner out of an event', set('jobs.sign.runs-on', '${{ github.event.client_payload.runner }}'), /sign\/runs-on/],
  ['a group of runners', set('jobs.sign.runs-on', { group: 'ours', labels: ['x'] }), /sign\/runs-on/],
  ['an image that moves', set('jobs.publish.runs-on', 'ubuntu-latest'), /publish\/runs-on/],
  ['no time limit', remove('jobs.sign.timeout-minutes'), /sign\/timeout-minutes/],
  ['steps at the same time', set('jobs.sign.steps.2.parallel', [{ run: 'true' }]), /sign\/steps\/2\/parallel/],
  ['a key that nobody knows yet', set('jobs.sign.snapshot', 'image'), /sign\/snapshot/],
];

/** Faults that the policy must find, each made by one edit. Others of every kind are kept apart from it. */
export const SEEDS: readonly Seed[] = [
  ...generated,
  ...RELEASE.map(([name, edit, broken]) => ({ name, file: 'release.yml', edit, broken })),
  ...SIGNING_SEEDS,
  ...SERVICE_SEEDS,
  ...ORDINARY_SEEDS,
  ...FORM_SEEDS,
];
