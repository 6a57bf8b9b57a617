// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { evaluate, holds, interpolate } from './expression.ts';
import { orderProblems } from './order.ts';
import { remove, set } from './policy/faults/seed-edits.ts';
import { arrive, EMPTY_LINE, leave } from './queue.ts';
import { parseWorkflow, readWorkflows } from './workflow.ts';

const source = readWorkflows('.').get('release.yml')!;

/** Moves a job: it needs another one, and asks about that. */
const comesAfter = (job: string, earlier: string) => (text: string) =>
  set(
    `jobs.${job}.if`,
    `\${{ !cancelled() && needs.${earlier}.result == 'success' }}`,
  )(set(`jobs.${job}.needs`, ['plan', earlier])(text));

/** What breaks the order, and what is then said. */
const BREAKS: readonly [what: string, edit: (text: string) => string, words: string][] = [
  ['smoke does not wait for the look', comesAfter('smoke', 'staple'), 'smoke begins, and look did not'],
  ['the look may fail', set('jobs.look.steps.4.continue-on-error', true), 'look fails in step 5: smoke begins'],
  ['attest does not need smoke', comesAfter('attest', 'staple'), 'attest begins, and smoke did not succeed'],
  [
    'attest asks about a job that it does not need',
    set('jobs.attest.needs', ['plan', 'staple']),
    'all well: attest does not begin',
  ],
  ['attest runs whatever smoke found', set('jobs.attest.if', 'always()'), 'attest begins, and smoke did not succeed'],
  ['attest runs unless somebody cancels', set('jobs.attest.if', '${{ !cancelled() }}'), 'attest begins, and smoke'],
  ['attest runs when something failed', set('jobs.attest.if', 'failure() || success()'), 'attest begins, and smoke'],
  [
    'attest does not look at the result',
    set('jobs.attest.if', "always() && needs.staple.result == 'success'"),
    'attest begins, and smoke',
  ],
  [
    'attest runs when smoke was skipped',
    set('jobs.attest.if', "!cancelled() && needs.smoke.result != 'failure'"),
    'attest begins, and smoke',
  ],
  ['smoke may fail', set('jobs.smoke.continue-on-error', true), 'attest begins, and smoke did not succeed'],
  [
    'a step of smoke may fail',
    set('jobs.smoke.steps.3.continue-on-error', true),
    'smoke fails in step 4: attest begins',
  ],
  ['smoke is switched off', set('jobs.smoke.if', false), 'smoke does not begin'],
  [
    'smoke runs on pull requests only',
    set('jobs.smoke.if', "github.event_name == 'pull_request'"),
    'smoke does not begin',
  ],
  ['publish does not need attest', comesAfter('publish', 'staple'), 'publish begins, and attest did not succeed'],
  ['publish runs after a failure', set('jobs.publish.if', 'failure()'), 'publish begins, and attest did not succeed'],
  ['verify is missing', remove('jobs.verify'), 'verify is missing'],
  ['verify runs only after a failure', set('jobs.verify.if', 'failure()'), 'nobody verifies'],
  ['verify does not wait for publish', comesAfter('verify', 'staple'), 'verify begins, and publish did not succeed'],
  ['the Mac does not need the build', set('jobs.sign.needs', ['plan']), 'sign begins, and build did not succeed'],
  ['the plan is not asked', remove('jobs.build.if'), 'the plan says no, and there begin'],
  [
    'the plan is asked for a word',
    set('jobs.build.if', 'needs.plan.outputs.release'),
    'the plan says no, and there begin',
  ],
  ['a Mac signs too', remove('jobs.sign.if'), 'all well: sign begins too'],
  [
    'a Mac signs because the plan says so',
    set('jobs.sign.if', "needs.plan.outputs.keys == 'keychain'"),
    'the plan alone says keychain',
  ],
  ['both kinds of key sign', remove('jobs.code-key.if'), 'aws, all well: code-key begins too'],
  ['nobody signs with keys in a service', set('jobs.code-service.if', false), 'aws, all well: code-service does not'],
  ['a service signs by default', remove('jobs.code-service.if'), 'all well: code-service begins too'],
  [
    'a service signs whatever is chosen',
    set('jobs.code.if', "needs.plan.outputs.keys != 'keychain'"),
    'keys in "gcp": there begin code',
  ],
  ['a key is used before the review', set('jobs.code.needs', ['plan', 'build']), 'review ends as failure: code begins'],
  [
    'a key is used without digests',
    set('jobs.packages-key.if', "${{ !cancelled() && needs.plan.outputs.keys == 'stored' }}"),
    'packages ends as failure: packages-key begins',
  ],
  [
    'packages are put together without signatures',
    set('jobs.signed.if', "${{ !cancelled() && needs.packages.result == 'success' }}"),
    'packages-key ends as failure: signed begins',
  ],
  [
    'packages are described before the code is signed',
    set('jobs.packages.if', "${{ !cancelled() && needs.code.result == 'success' }}"),
    'code-key ends as failure: packages begins',
  ],
  [
    'the packages’ key waits for the code’s, which is skipped in a service',
    set('jobs.packages-service.if', "needs.plan.outputs.keys == 'aws'"),
    'aws, all well: packages-service does not begin',
  ],
  [
    'submit does not ask who signed',
    set('jobs.submit.if', "${{ !cancelled() && needs.build.result == 'success' }}"),
    'submit begins, and signed did not succeed',
  ],
  [
    'submit takes one that failed for one that was skipped',
    set(
      'jobs.submit.if',
      "${{ !cancelled() && (needs.signed.result == 'success' || needs.sign.result != 'success') }}",
    ),
    'submit begins, and signed did not succeed',
  ],
  ['submit runs by default only', remove('jobs.submit.if'), 'all well: submit does not begin'],
  ['wait runs by default only', remove('jobs.wait.if'), 'all well: wait does not begin'],
  [
    'staple does not wait for the verdict',
    set('jobs.staple.if', '${{ !cancelled() }}'),
    'staple begins, and wait did not succeed',
  ],
];

/** Which job it is about is no kind of its own. */
const kindOf = (words: string) =>
  words.replace(/(^|, |: )[a-z-]+ (begins|does not begin|did not succeed|fails in step \d+|ends as failure)/g, '$1$2');

describe('the order of a release', () => {
  it('holds however any job or step ends', async () => {
    expect(await orderProblems(parseWorkflow(source))).toEqual([]);
  });

  it.each(byDay(BREAKS, 6, ([, , words]) => kindOf(words)))(`is broken when %s${ofTheDay}`, async (_, edit, words) => {
    expect((await orderProblems(parseWorkflow(edit(source)))).join('\n')).toContain(words);
  });

  it.each<[string, (text: string) => string]>([
    ['a container', set('jobs.sign.container', 'node')],
    ['services', set('jobs.sign.services', {})],
    ['secrets for a called workflow', set('jobs.build.secrets', 'inherit')],
    ['a shell of a step', set('jobs.sign.steps.2.shell', 'bash')],
    ['a folder of a step', set('jobs.sign.steps.2.working-directory', 'x')],
    ['another shell for all', set('defaults.run.shell', 'sh')],
    ['variables for all', set('env', { A: 'b' })],
    ['a matrix with exclude', set('jobs.smoke.strategy.matrix.exclude', [])],
    ['a key of tomorrow', set('jobs.sign.snapshot', 'x')],
  ])('is not checked with %s: what the replay does not play, it refuses', (_, edit) => {
    expect(() => parseWorkflow(edit(source))).toThrow(/does not know|exclude/);
  });

  it.each([
    "hashFiles('x') == ''",
    'fromJSON(needs.plan.outputs.release)',
    'env.RELEASE',
    'needs.plan && ',
    'needs.*.result',
    "a ' b",
    '1 < 2',
  ])('is not checked with the condition %s', async (condition) => {
    await expect(orderProblems(parseWorkflow(set('jobs.build.if', condition)(source)))).rejects.toThrow(
      'does not know',
    );
  });

  it('is not checked with needs that are not there or go in a circle', async () => {
    await expect(orderProblems(parseWorkflow(set('jobs.sign.needs', ['signs'])(source)))).rejects.toThrow(
      'is not a job',
    );
    await expect(orderProblems(parseWorkflow(set('jobs.plan.needs', ['verify'])(source)))).rejects.toThrow(
      'needs itself',
    );
  });
});

describe('expressions', () => {
  const contexts = { needs: { a: { result: 'success', outputs: { 'x-y': 'It', empty: '' } } }, n: 3 };
  it.each<[string, unknown]>([
    ["needs.a.result == 'SUCCESS'", true],
    ["needs['a'].outputs['x-y']", 'It'],
    ['needs.a.outputs.x-y', 'It'],
    ['needs.b.result', null],
    ["needs.b.result == ''", true],
    ["'it''s'", "it's"],
    ["!(n == 3) || n != 4 && 'y'", 'y'],
    ["needs.a.outputs.empty || 'other'", 'other'],
    ["n == '3'", true],
    ["contains('Hello', 'ELL')", true],
    ["startsWith('Hello', 'hell') && endsWith('Hello', 'lo')", true],
  ])('%s is %j', (expression, value) => expect(evaluate(expression, contexts)).toBe(value));

  it('puts values into text', () => {
    expect(interpolate('a-${{ n }}-${{ needs.a.outputs.x-y }}-${{ needs.z }}', contexts)).toBe('a-3-It-');
  });

  const well = { success: true, failure: false, cancelled: false };
  const failed = { success: false, failure: true, cancelled: false };
  it.each<[unknown, boolean, boolean]>([
    [undefined, true, false],
    ['always()', true, true],
    ['${{ !cancelled() }}', true, true],
    ['failure()', false, true],
    ['n == 3', true, false],
    ['${{ n == 3 }}', true, false],
    ['n == 3 && always()', true, true],
    [true, true, false],
    [false, false, false],
  ])('the condition %j holds after a success: %j, after a failure: %j', (condition, success, failure) => {
    expect([holds(condition, contexts, well), holds(condition, contexts, failed)]).toEqual([success, failure]);
  });

  it('a status function has its place in conditions only', () => {
    expect(() => evaluate('always()', contexts)).toThrow('does not know');
    expect(() => holds('${{ n }} == 3', contexts, well)).toThrow('always true');
  });
});

describe('the line in which releases wait', () => {
  const { concurrency } = parseWorkflow(source);
  const come = (settings: unknown) => ['a', 'b', 'c'].reduce((line, run) => arrive(line, run, settings), EMPTY_LINE);

  it('loses nobody: two merges while a release waits for Apple run one after the other', () => {
    const line = come(concurrency);
    expect(line).toEqual({ running: 'a', waiting: ['b', 'c'], cancelled: [] });
    expect(leave(leave(line)).running).toBe('c');
  });

  it('would lose the second without `queue`', () => {
    expect(come({ group: 'release', 'cancel-in-progress': false }).cancelled).toEqual(['b']);
    expect(come({ group: 'release', 'cancel-in-progress': true })).toMatchObject({
      running: 'c',
      cancelled: ['a', 'b'],
    });
  });

  it.each([
    {},
    { group: 'x', queue: 'all' },
    { group: 'x', queue: 'max', 'cancel-in-progress': true },
    { group: 'x', more: 1 },
  ])('is not checked with %j', (settings) =>
    expect(() => arrive({ ...EMPTY_LINE, running: 'a' }, 'b', settings)).toThrow('does not know'),
  );
});
