// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { insert, remove, type Seed, set, swap, text } from './seed-edits.ts';

export const ARTIFACT = {
  uses: 'actions/download-artifact@9000827ccba6bdab643e8b6fd33ac0654aef8333',
  with: { 'artifact-ids': '${{ needs.code.outputs.artifact-id }}', 'merge-multiple': true },
};
const USE = 'sh build/signers/sealed.sh --role application --digests "${DIGESTS}" --out signatures.txt';
const CHECK = 'sh build/signers/check-signatures.sh --role application --digests "${DIGESTS}"';
export type Faults = readonly (readonly [name: string, edit: Seed['edit'], broken: RegExp])[];

/** What may not stand beside a key in a secret. */
const BESIDE_A_KEY: Faults = [
  ['npm beside a key', insert('jobs.code-key.steps', { run: 'npm ci' }), /code-key\/steps\/0/],
  ['npm between key and check', set('jobs.code-key.steps.2.run', 'npm run check'), /code-key\/steps\/2\/run/],
  [
    'Node.js set up beside a key',
    insert('jobs.code-key.steps', { uses: `actions/setup-node@${'a'.repeat(40)}` }),
    /code-key\/steps\/0/,
  ],
  ['an artifact beside a key', insert('jobs.code-key.steps', ARTIFACT), /code-key\/steps\/0/],
  ['an artifact after the key', insert('jobs.packages-key.steps', ARTIFACT, 'end'), /packages-key\/steps\/3/],
  [
    'the command line of an artifact beside a key',
    set('jobs.code-key.steps.1.run', 'node cli.mjs release --release --compiled . --until sign-package --out out'),
    /code-key\/steps\/1\/run/,
  ],
  [
    'a script that npm made beside a key',
    set('jobs.packages-key.steps.1.run', 'sh sealed.sh --role installer --digests "${DIGESTS}" --out signatures.txt'),
    /packages-key\/steps\/1\/run/,
  ],
  [
    'a step with digests in its text',
    set('jobs.code-key.steps.1.run', USE.replace('"${DIGESTS}"', "'${{ needs.code.outputs.digests }}'")),
    /code-key\/steps\/1\/run/,
  ],
  ['no checkout', remove('jobs.code-key.steps.0'), /code-key\/steps\/0/],
  [
    'a checkout of another commit beside a key',
    set('jobs.packages-key.steps.0.with.ref', '${{ needs.packages.outputs.commit }}'),
    /packages-key\/steps\/0\/with\/ref/,
  ],
  ['a checkout of somebody', set('jobs.code-key.steps.0.with.repository', 'somebody/x'), /steps\/0\/with\/repository/],
  [
    'a checkout that keeps the token of the job',
    set('jobs.packages-key.steps.0.with.persist-credentials', true),
    /persist-credentials/,
  ],
  ['a checkout by tag', set('jobs.code-key.steps.0.uses', 'actions/checkout@v7'), /code-key\/steps\/0\/uses/],
  [
    'both secrets in one job',
    set('jobs.code-key.steps.1.env.INSTALLER_P12_BASE64', '${{ secrets.INSTALLER_P12_BASE64 }}'),
    /INSTALLER_P12_BASE64/,
  ],
  [
    'the other key',
    set('jobs.packages-key.steps.1.env.INSTALLER_P12_BASE64', '${{ secrets.APPLICATION_P12_BASE64 }}'),
    /packages-key\/steps\/1\/env\/INSTALLER_P12_BASE64/,
  ],
  [
    'secrets for every step',
    set('jobs.code-key.env', { P: '${{ secrets.APPLICATION_P12_PASSWORD }}' }),
    /code-key\/env/,
  ],
  [
    'a secret where it is checked',
    set('jobs.code-key.steps.2.env.APPLICATION_P12_BASE64', '${{ secrets.APPLICATION_P12_BASE64 }}'),
    /code-key\/steps\/2\/env/,
  ],
  [
    'a secret where npm says what is to be signed',
    set('jobs.code.steps.3.env', { P: '${{ secrets.APPLICATION_P12_BASE64 }}' }),
    /code\/steps\/3\/env/,
  ],
  ['the environment where npm runs', set('jobs.packages.environment', 'signing'), /packages\/environment/],
  ['an environment for the package', set('jobs.signed.environment', 'signing'), /signed\/environment/],
  ['no environment', remove('jobs.packages-key.environment'), /packages-key\/environment/],
  [
    'a secret in an argument',
    set('jobs.code-key.steps.1.run', `${USE} --password "\${APPLICATION_P12_PASSWORD}"`),
    /code-key\/steps\/1\/run/,
  ],
  ['a secret as an output', set('jobs.code-key.outputs.p12', '${{ secrets.APPLICATION_P12_BASE64 }}'), /outputs\/p12/],
  [
    'a variable for all steps that follow',
    set('jobs.code-key.steps.1.run', `${USE} && env >> "\${GITHUB_ENV}"`),
    /code-key\/steps\/1\/run/,
  ],
  [
    'a folder in front of PATH',
    set('jobs.code-key.steps.1.run', `echo . >> "\${GITHUB_PATH}" && ${USE}`),
    /code-key\/steps\/1\/run/,
  ],
  ['a PATH of its own', set('jobs.code-key.steps.1.env.PATH', '.:/usr/bin'), /code-key\/steps\/1\/env\/PATH/],
  [
    'the network on',
    set('jobs.code-key.steps.1.run', 'openssl pkeyutl -sign -inkey key.pem -in digests.txt'),
    /code-key\/steps\/1\/run/,
  ],
  [
    'a seal of another network',
    set('jobs.code-key.steps.1.run', USE.replace('sh build', 'sudo ip netns exec x sh build')),
    /code-key\/steps\/1\/run/,
  ],
  [
    'a trace beside the key',
    text('run: sh build/signers/sealed.sh', 'run: sh -x build/signers/sealed.sh'),
    /code-key\/steps\/1\/run/,
  ],
  [
    'a cache beside the key',
    insert('jobs.code-key.steps', { uses: 'actions/cache@v5', with: { path: '.', key: 'x' } }),
    /code-key\/steps\/0/,
  ],
  ['a container beside the key', set('jobs.packages-key.container', 'node:24'), /packages-key\/container/],
  ['a machine of somebody', set('jobs.code-key.runs-on', '${{ needs.plan.outputs.runner }}'), /code-key\/runs-on/],
  ['a job with a key that may write', set('jobs.code-key.permissions.contents', 'write'), /code-key\/permissions/],
  [
    'a token beside a stored key',
    set('jobs.code-key.permissions.id-token', 'write'),
    /code-key\/permissions\/id-token/,
  ],
  [
    'a key in a workflow of its own',
    set('jobs.code-key', { uses: '$/.github/workflows/build.yml', secrets: 'inherit' }),
    /code-key\/secrets/,
  ],
];

/** What a key made leaves its job in one form, checked before. */
const CHECKED: Faults = [
  ['no check', remove('jobs.code-key.steps.2'), /code-key\/steps\/2/],
  ['a check before the key', swap('jobs.packages-key.steps', 1, 2), /packages-key\/steps\/1/],
  ['a check that is passed over', set('jobs.code-key.steps.2.continue-on-error', true), /continue-on-error/],
  [
    'an output that the key itself writes',
    set('jobs.code-key.outputs.signed', '${{ steps.key.outputs.signed }}'),
    /outputs\/signed/,
  ],
  [
    'an output whatever the check says',
    text('--out application.json && printf', '--out application.json; printf'),
    /code-key\/steps\/2\/run/,
  ],
  [
    'an output of what was not checked',
    text('$(cat application.json)', '$(cat signatures.txt)'),
    /code-key\/steps\/2\/run/,
  ],
  [
    'what the key made as an artifact',
    insert(
      'jobs.code-key.steps',
      { uses: `actions/upload-artifact@${'a'.repeat(40)}`, with: { path: 'signatures.txt' } },
      'end',
    ),
    /code-key\/steps\/3/,
  ],
  [
    'an artifact before the check',
    insert('jobs.packages-key.steps', { uses: `actions/upload-artifact@${'a'.repeat(40)}` }),
    /packages-key\/steps\/0/,
  ],
  [
    'the check of an artifact',
    set('jobs.code-key.steps.2.run', CHECK.replace('build/signers/', '')),
    /code-key\/steps\/2\/run/,
  ],
  [
    'a check of other digests',
    set('jobs.code-key.steps.2.env.DIGESTS', '${{ needs.packages.outputs.digests }}'),
    /code-key\/steps\/2\/env/,
  ],
  [
    'a check of the other role',
    text('check-signatures.sh --role application', 'check-signatures.sh --role installer'),
    /code-key\/steps\/2\/run/,
  ],
  [
    'the digests of the code for the packages',
    set('jobs.packages-key.steps.1.env.DIGESTS', '${{ needs.code.outputs.digests }}'),
    /packages-key\/steps\/1\/env/,
  ],
  [
    'digests out of an event',
    set('jobs.code-key.steps.1.env.DIGESTS', '${{ github.event.client_payload.digests }}'),
    /code-key\/steps\/1\/env/,
  ],
  [
    'digests out of a variable',
    set('jobs.code-service.steps.1.env.DIGESTS', '${{ vars.DIGESTS }}'),
    /code-service\/steps\/1\/env/,
  ],
  ['signatures that nobody checks', remove('jobs.packages.steps.3'), /packages\/steps\/3/],
  ['signatures checked after they were used', swap('jobs.signed.steps', 3, 4), /signed\/steps\/3/],
  [
    'signatures of another key',
    set('jobs.signed.steps.2.env.SIGNED', '${{ needs.code-key.outputs.signed }}'),
    /signed\/steps\/2\/env/,
  ],
  [
    'a record that the key hands on',
    set('jobs.packages.steps.2.env.RECORD', '${{ needs.code-key.outputs.record }}'),
    /packages\/steps\/2\/env/,
  ],
  ['a rehearsal', text(' --record signing.json --release', ' --record signing.json'), /code\/steps\/2\/run/],
  ['nobody looks for the signatures', remove('jobs.look.steps.7'), /look\/steps\/7/],
  [
    'signatures that npm says were made',
    set('jobs.look.steps.7.env.APPLICATION', '${{ needs.packages.outputs.signed }}'),
    /APPLICATION/,
  ],
  [
    'a look that the plan can switch off',
    set('jobs.look.steps.4.if', "needs.plan.outputs.runner == 'ubuntu-24.04'"),
    /look\/steps\/4\/if/,
  ],
  ['a look that does not know the key', set('jobs.look.needs', ['plan', 'staple']), /look\/needs/],
];

/** Which of the jobs that sign run, and when. */
const CHOICE: Faults = [
  ['a key before the review', set('jobs.code.needs', ['plan', 'build']), /code\/needs/],
  ['a key whatever the plan says', remove('jobs.code-key.if'), /code-key\/if/],
  ['a key after anything', set('jobs.packages-key.if', 'always()'), /packages-key\/if/],
  [
    'a key without digests',
    set('jobs.packages-key.if', "${{ !cancelled() && needs.plan.outputs.keys == 'stored' }}"),
    /packages-key\/if/,
  ],
  ['a key that needs no digests', set('jobs.code-key.needs', ['plan']), /code-key\/needs/],
  ['one key for both', remove('jobs.packages-key'), /packages-key is not there/],
  ['a Mac because the plan says so', set('jobs.sign.if', "needs.plan.outputs.keys == 'keychain'"), /sign\/if/],
  ['a Mac by default', remove('jobs.sign.if'), /sign\/if/],
  [
    'a Mac in the place of a machine',
    set('jobs.signed.runs-on', '${{ needs.plan.outputs.runner }}'),
    /signed\/runs-on/,
  ],
  [
    'the choice out of an event',
    set('jobs.plan.steps.2.env.SIGNING_KEYS', '${{ github.event.client_payload.keys }}'),
    /SIGNING_KEYS/,
  ],
  ['the choice written down', set('jobs.plan.outputs.keys', 'stored'), /plan\/outputs\/keys/],
  [
    'the packages before the code',
    set('jobs.packages.if', "${{ !cancelled() && needs.code.result == 'success' }}"),
    /packages\/if/,
  ],
  [
    'a package without signatures',
    set('jobs.signed.if', "${{ !cancelled() && needs.packages.result == 'success' }}"),
    /signed\/if/,
  ],
  [
    'a package that nobody signed is submitted',
    set('jobs.submit.if', "${{ !cancelled() && needs.sign.result != 'failure' && needs.signed.result != 'failure' }}"),
    /submit\/if/,
  ],
  [
    'a package that both signed is submitted',
    set(
      'jobs.submit.if',
      "${{ !cancelled() && (needs.sign.result == 'success' || needs.signed.result == 'success') }}",
    ),
    /submit\/if/,
  ],
  ['submit does not wait for the signed package', set('jobs.submit.needs', ['plan', 'build', 'sign']), /submit\/needs/],
  [
    'submit takes the package of another job',
    set('jobs.submit.steps.1.with.artifact-ids', '${{ needs.packages.outputs.artifact-id }}'),
    /submit\/steps\/1/,
  ],
];

/** Faults of the jobs that sign. */
export const SIGNING_SEEDS: readonly Seed[] = [...BESIDE_A_KEY, ...CHECKED, ...CHOICE].map(([name, edit, broken]) => ({
  name,
  file: 'release.yml',
  edit,
  broken,
}));
