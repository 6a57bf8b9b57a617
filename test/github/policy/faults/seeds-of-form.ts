import { readPins } from '../../../../build/github/upkeep/pins.ts';
import { type Seed, set, text } from './seed-edits.ts';

const pins = await readPins('.');
const CHECKOUT = pins['actions/checkout']!.commit;

/** Faults that hide in the form: what a person or another reader of YAML would not see. [what, edit of ci.yml, words]. */
const IN_CI: readonly (readonly [name: string, edit: Seed['edit'], broken: RegExp])[] = [
  ['a key twice', text('    timeout-minutes: 10\n', '    timeout-minutes: 10\n    timeout-minutes: 90\n'), /unique/],
  ['an anchor and an alias', text('permissions: {}\n', 'permissions: &none {}\n'), /anchor or alias/],
  ['an alias', text('push:\n    branches: [main]', 'push: &p\n    branches: [main]\n  release: *p'), /anchor or alias/],
  [
    'a merge key',
    text('    timeout-minutes: 10\n', '    timeout-minutes: 10\n    <<: { if: always() }\n'),
    /not a word: <</,
  ],
  ['a tag', text('name: ci', 'name: !!str ci'), /a tag/],
  ['a tag of somebody', text('name: ci', 'name: !include ci'), /a tag|YAML/],
  ['a second document', (source) => `${source}---\nname: ci\n`, /2 documents/],
  ['a document mark', (source) => `---\n${source}`, /document mark/],
  ['a directive', (source) => `%YAML 1.1\n---\n${source}`, /document mark/],
  ['yes, a boolean of YAML 1.1', text('persist-credentials: false', 'persist-credentials: no'), /boolean in YAML 1\.1/],
  ['off, a boolean of YAML 1.1', text('fail-fast: false', 'fail-fast: off'), /boolean in YAML 1\.1/],
  ['a boolean in capitals', text('persist-credentials: false', 'persist-credentials: FALSE'), /as a boolean/],
  ['an octal number', text('timeout-minutes: 10', 'timeout-minutes: 0o12'), /number that is not plain/],
  ['a number with a zero in front', text('timeout-minutes: 10', 'timeout-minutes: 012'), /number that is not plain/],
  ['a hexadecimal number', text('timeout-minutes: 10', 'timeout-minutes: 0xA'), /number that is not plain/],
  ['a number in base 60', text('timeout-minutes: 10', 'timeout-minutes: 1:30'), /number that is not plain/],
  ['a number with an exponent', text('timeout-minutes: 10', 'timeout-minutes: 1e1'), /number that is not plain/],
  ['a null that is written', text('  pull_request:\n', '  pull_request: ~\n'), /null that is written/],
  ['a space of no width', text('run: npm test', 'run: npm\u200b test'), /U\+200b/],
  ['text from right to left', text('name: Test', 'name: Te\u202est'), /U\+202e/],
  ['a letter that looks like ours', text('actions/checkout', '\u0430ctions/checkout'), /U\+0430/],
  ['a letter behind an escape', text('name: Test', 'name: "Te\\u200bst"'), /printable ASCII/],
  ['a tab', text('run: npm test', 'run: npm\ttest'), /U\+0009/],
  ['an end of line of another kind', text('run: npm test\n', 'run: npm test\r\n'), /U\+000d/],
  ['a mark at the front', (source) => `\ufeff${source}`, /U\+feff|YAML/],
  ['a script of many lines', text('run: npm test', 'run: |\n          npm test\n          curl x'), /several lines/],
  ['a folded script', text('run: npm test', 'run: >-\n          npm test\n          --x'), /several lines/],
  ['a quoted key', text('        run: npm test', '        "run": npm test'), /not a plain word/],
  ['a key that is a list', text('permissions: {}\n', 'permissions: {}\n? [a]\n: b\n'), /not a plain word/],
  ['an action by tag', text(`checkout@${CHECKOUT} # v7.0.1`, 'checkout@v7'), /steps\/0\/uses/],
  ['an action at another commit', text(CHECKOUT, '55891bbd'.padEnd(40, '0')), /steps\/0\/uses/],
  ['an action at a short commit', text(CHECKOUT, CHECKOUT.slice(0, 12)), /steps\/0\/uses/],
  ['an action with a wrong tag behind it', text('# v7.1.0', '# v7.2.0'), /is called v7\.2\.0/],
  ['an action without its tag', text(' # v7.1.0', ''), /is called undefined/],
  ['an action nobody listed', text('actions/setup-node@', 'somebody/setup-node@'), /not in pins\.json/],
  ['an action in another spelling', text('actions/checkout@', 'Actions/Checkout@'), /steps\/0\/uses/],
  [
    'an action without any reference',
    text(/actions\/setup-node@\w+ # v7\.1\.0/, 'actions/setup-node'),
    /steps\/1\/uses/,
  ],
  [
    'an action where no tag can stand',
    text(
      / {6}- uses: (actions\/checkout@\w+) # v7\.0\.1\n {8}with:\n {10}persist-credentials: false\n/,
      `      - { uses: actions/checkout@${CHECKOUT}, with: { persist-credentials: false } }\n`,
    ),
    /have their tag behind them/,
  ],
  ['a permission without a reason', text('contents: read # checkout, and the tags', 'contents: read'), /with a reason/],
  ['not YAML', text('jobs:\n', 'jobs: [\n'), /YAML/],
  ['no jobs', (source) => source.slice(0, source.indexOf('jobs:')), /not a workflow/],
];

export const FORM_SEEDS: readonly Seed[] = [
  ...IN_CI.map(([name, edit, broken]) => ({ name, file: 'ci.yml', edit, broken })),
  { name: 'a file that nobody knows', file: 'weekly.yml', edit: (source) => source, broken: /does not know/ },
  {
    name: 'a file by a name that every object has',
    file: 'constructor',
    edit: (source) => source,
    broken: /does not know/,
  },
  {
    name: 'an input of the build more',
    file: 'build.yml',
    edit: set('on.workflow_call.inputs.ref', { type: 'string' }),
    broken: /inputs\/ref/,
  },
  {
    name: 'secrets that the build asks for',
    file: 'build.yml',
    edit: set('on.workflow_call.secrets', { K: { required: true } }),
    broken: /workflow_call\/secrets/,
  },
  {
    name: 'an output of the build from elsewhere',
    file: 'build.yml',
    edit: set('on.workflow_call.outputs.parts-sha256.value', 'x'),
    broken: /parts-sha256\/value/,
  },
  {
    name: 'a build that anybody starts',
    file: 'build.yml',
    edit: set('on.workflow_dispatch', null),
    broken: /workflow_dispatch/,
  },
  {
    name: 'a cache in the build',
    file: 'build.yml',
    edit: set('jobs.parts.steps.1.with.cache', 'npm'),
    broken: /with\/cache/,
  },
  {
    name: 'a second build that is not compared',
    file: 'build.yml',
    edit: set('jobs.again.steps.2.run', 'npm run -s cli -- parts --out again'),
    broken: /again\/steps\/2\/run/,
  },
  {
    name: 'another look at the key',
    file: 'expiry.yml',
    edit: set('jobs.notary.steps.2.run', 'node cli.mjs github notary-access > x'),
    broken: /notary\/steps\/2\/run/,
  },
  {
    name: 'a scorecard by a tag',
    file: 'scorecard.yml',
    edit: text(/scorecard-action@\w+/, 'scorecard-action@v2'),
    broken: /steps\/1\/uses/,
  },
];
