import { expect } from 'vitest';
import { expectMeasure, expectRun, ofKind } from './expectations.ts';
import { host, type Run, readScenarios, type Scenario, type Slice } from './host.ts';

/** Calls that fail, each in a run of its own, and what comes of the login. */
interface FailingCalls {
  readonly why: string;
  readonly scenario?: string;
  readonly symbols: readonly string[];
  readonly kinds: readonly string[];
  /** Which call of the symbol fails, from 1; all from that one on where `lasting`. */
  readonly calls: readonly number[];
  readonly lasting?: boolean;
  /** Nothing is noticed of it: all that the scenario expects holds, and no line of an error is logged. */
  readonly unnoticed?: boolean;
  readonly outcome?: string;
  readonly spawns?: readonly string[];
  readonly cleared?: boolean;
  /** ConsecutiveFailures and LastFailedUID; undefined where nothing was written. */
  readonly failures?: readonly [count: number | undefined, user: number | undefined];
  /** Lines of errors, in order; each is the beginning of one. */
  readonly errors?: readonly string[];
  /** A line of the log. */
  readonly says?: string;
  /** How often a child is looked after. */
  readonly looks?: number;
  /** How often settings are written. */
  readonly writes?: number;
  /** How long it naps, in microseconds: each length once, in the order in which they come. */
  readonly naps?: readonly number[];
  /** How often a child may be looked after: it is never spun for. */
  readonly turns?: number;
}

const BOTH = ['isactive', 'changerecovery'];
const ATTRIBUTES = ['setflags', 'setpgroup', 'setsigdefault', 'setsigmask'].map((name) => `_posix_spawnattr_${name}`);
const ENDS = ['_posix_spawn_file_actions_destroy', '_posix_spawnattr_destroy'];
/** What stands for a failed beginning of `fdesetup isactive`, which is no attempt yet; numbers of errors as errno.h has them. */
const asking = (symbols: readonly string[], number: number, ...calls: readonly number[]): FailingCalls => ({
  why: 'the question cannot be begun: no attempt, nothing is counted',
  symbols,
  kinds: ['error'],
  calls,
  outcome: 'spawn-failed',
  spawns: symbols[0] === '_posix_spawn' ? ['isactive'] : [],
  cleared: false,
  failures: [undefined, undefined],
  errors: [`ERROR: fdesetup isactive could not be started: ${number}`, 'No new key in this login: spawn-failed'],
});
/** The same of `fdesetup changerecovery`, which is one. */
const changing = (symbols: readonly string[], number: number, ...calls: readonly number[]): FailingCalls => ({
  why: 'the change cannot be begun: a failure',
  symbols,
  kinds: ['error'],
  calls,
  outcome: 'spawn-failed',
  spawns: symbols[0] === '_posix_spawn' ? BOTH : ['isactive'],
  cleared: false,
  failures: [1, 501],
  errors: [
    `ERROR: fdesetup could not be started: ${number}`,
    'Caught error trying to generate a new key: spawn-failed',
  ],
});
const [ENOMEM, EINVAL, EMFILE] = [12, 22, 24];
const NOT_WRITTEN = 'ERROR: The settings cannot be written, so the request could not be cleared';
const NOT_KEPT = 'ERROR: The outcome could not be written to the settings';
const NO_PROFILE = 'ERROR: No MDM profile for enforcing FileVault escrow is present.';
const NOT_CLEARED = 'ERROR: GenerateNewKey could not be set to False';
const LEFT = 'ERROR: fdesetup did not end in time; it goes on without this login';
const NO_VALUE = (name: string) => ['getContextData failed', `Unable to instantiate ${name}`];
const stop = (outcome: string) => `No new key in this login: ${outcome}`;

// The scenario `rotates` looks after fdesetup 63 times: once for the question, then every 50 ms for three seconds.
export const FAILING_CALLS: readonly FailingCalls[] = [
  { why: 'done again', symbols: ['_read'], kinds: ['interrupted', 'again', 'short'], calls: [1, 2, 3, 4, 9], unnoticed: true, turns: 64 },
  { why: 'done again', symbols: ['_poll'], kinds: ['error', 'interrupted', 'again'], calls: [1, 2, 7], unnoticed: true, turns: 64 },
  { why: 'done again', symbols: ['_waitpid'], kinds: ['error', 'interrupted'], calls: [1, 2, 3, 9], unnoticed: true, turns: 64 },
  { why: 'done again', symbols: ['_write'], kinds: ['interrupted', 'again', 'short'], calls: [1], unnoticed: true, turns: 64 },
  { why: 'nothing to take back', symbols: ['_close', '_nanosleep', ...ENDS, '_munlock'], kinds: ['error'], calls: [1, 2], unnoticed: true, turns: 64 },
  { why: 'not read on, and waited for in naps', symbols: ['_read'], kinds: ['error'], calls: [3, 4, 8], unnoticed: true, turns: 170 },
  { why: 'naps instead', symbols: ['_poll'], kinds: ['error', 'interrupted'], calls: [1], lasting: true, unnoticed: true, turns: 170 },
  { why: 'naps no longer than 20 ms', scenario: 'hang-after-reading', symbols: ['_poll'], kinds: ['error'], calls: [2], lasting: true, outcome: 'not-awaited', spawns: BOTH, cleared: false, failures: [0, 501], errors: [LEFT], turns: 1600, naps: [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 20_000] },
  { why: 'a flood byte by byte: looked after every 16 reads', scenario: 'flood-stderr', symbols: ['_read'], kinds: ['short'], calls: [1], lasting: true, outcome: 'not-awaited', spawns: BOTH, cleared: false, failures: [0, 501], errors: [LEFT, 'fdesetup Standard Error: '], turns: 1900 },
  { why: 'byte by byte', symbols: ['_write'], kinds: ['short'], calls: [1], lasting: true, outcome: 'rotated', spawns: BOTH, cleared: true, failures: [0, undefined], errors: [], turns: 370 },
  { why: 'never taken: left at its limit', symbols: ['_write'], kinds: ['again', 'interrupted'], calls: [1], lasting: true, outcome: 'not-awaited', spawns: BOTH, cleared: false, failures: [0, 501], errors: [LEFT], turns: 1500 },
  { why: 'a status lost for good: the record decides', symbols: ['_waitpid'], kinds: ['error'], calls: [2], lasting: true, outcome: 'internal-error', spawns: BOTH, cleared: false, failures: [1, 501], errors: ['ERROR: The exit status of fdesetup is unknown', 'Caught error trying to generate a new key: internal-error'], turns: 3 },
  // Ten seconds of polls and naps, then 50 looks after SIGTERM and 100 after SIGKILL, and one behind each of them.
  { why: 'a status that never comes', symbols: ['_waitpid'], kinds: ['interrupted'], calls: [1], lasting: true, outcome: 'timed-out', spawns: ['isactive'], cleared: false, failures: [undefined, undefined], errors: ['ERROR: fdesetup isactive gave no answer: 0', stop('timed-out')], turns: 636 },
  asking(['_pipe'], EMFILE, 1),
  asking(['_fcntl'], EINVAL, 1, 2, 3, 4),
  asking(['_posix_spawn'], ENOMEM, 1),
  asking(['_posix_spawn_file_actions_init', '_posix_spawn_file_actions_adddup2', '_posix_spawnattr_init'], ENOMEM, 1),
  asking(['_posix_spawn_file_actions_addopen'], ENOMEM, 1, 2),
  asking(ATTRIBUTES, EINVAL, 1),
  changing(['_pipe'], EMFILE, 2, 3),
  changing(['_fcntl'], EINVAL, 5, 6, 7, 8, 9, 10, 11, 12),
  changing(['_posix_spawn'], ENOMEM, 2),
  changing(['_posix_spawn_file_actions_init', '_posix_spawnattr_init'], ENOMEM, 2),
  changing(['_posix_spawn_file_actions_adddup2'], ENOMEM, 2, 3, 4),
  changing(['_posix_spawn_file_actions_addopen'], ENOMEM, 3),
  changing(ATTRIBUTES, EINVAL, 2),
  { why: 'no clock, no question', symbols: ['_clock_gettime'], kinds: ['error'], calls: [1, 2, 3], outcome: 'timed-out', spawns: [], cleared: false, failures: [undefined, undefined], errors: ['ERROR: fdesetup isactive gave no answer: 0', stop('timed-out')] },
  { why: 'no clock, no change', symbols: ['_clock_gettime'], kinds: ['error'], calls: [4, 5], outcome: 'timed-out', spawns: ['isactive'], cleared: false, failures: [1, 501], errors: ['ERROR: No time is left to begin a key change in this login', 'Caught error trying to generate a new key: timed-out'] },
  { why: 'without a clock nobody waits', symbols: ['_clock_gettime'], kinds: ['error'], calls: [6, 9], outcome: 'not-awaited', spawns: BOTH, cleared: false, failures: [0, 501], errors: [LEFT], turns: 8 },
  { why: 'less is said, the same is done', symbols: ['_calloc', '_os_log_create'], kinds: ['error'], calls: [1], outcome: 'rotated', spawns: BOTH, cleared: true, failures: [0, undefined], errors: [], looks: 63, writes: 3 },
  { why: 'no memory for the password', symbols: ['_calloc'], kinds: ['error'], calls: [2], outcome: 'internal-error', spawns: ['isactive'], cleared: false, failures: [undefined, undefined], errors: ['ERROR: No memory for the password', stop('internal-error')] },
  { why: 'memory that cannot be locked is used all the same', symbols: ['_mlock'], kinds: ['error'], calls: [1], outcome: 'rotated', spawns: BOTH, cleared: true, failures: [0, undefined], errors: ['ERROR: The memory for the password could not be locked'] },
  { why: 'what a later login needs is not on disk: nothing is attempted', symbols: ['_CFDateCreate', '_CFStringCreateWithCString', '_CFPreferencesSynchronize'], kinds: ['error'], calls: [1], outcome: 'internal-error', spawns: ['isactive'], cleared: false, failures: [0, undefined], errors: [NOT_WRITTEN] },
  { why: 'a request that cannot be cleared is a failure of everybody', symbols: ['_CFPreferencesSynchronize'], kinds: ['error'], calls: [2], outcome: 'rotated', spawns: BOTH, cleared: false, failures: [1, undefined], errors: [NOT_CLEARED] },
  { why: 'an outcome that cannot be written stays open', symbols: ['_CFPreferencesSynchronize'], kinds: ['error'], calls: [3], outcome: 'not-awaited', spawns: BOTH, cleared: true, failures: [0, 501], errors: [NOT_KEPT] },
  { why: 'what the next login finds out is written before it goes on', scenario: 'not-awaited-remembered-unchanged', symbols: ['_CFPreferencesSynchronize'], kinds: ['error'], calls: [1], outcome: 'authentication-failed', spawns: BOTH, cleared: false, failures: [1, 501], errors: ['ERROR: The key record has not changed since the last attempt, which counts as a failure', NOT_KEPT, 'ERROR: fdesetup terminated with a non-zero exit status: 11', 'fdesetup Standard Error: ', 'Caught error trying to generate a new key: authentication-failed'] },
  { why: 'a Location of more than a million characters is not read', symbols: ['_CFStringGetLength'], kinds: ['error'], calls: [1], outcome: 'rotated', spawns: BOTH, cleared: true, failures: [0, undefined], errors: [], says: 'FileVault configured to escrow to: (No Location Description)' },
  { why: 'an outcome without a name is not written', scenario: 'no-escrow-profile', symbols: ['_CFStringCreateWithCString'], kinds: ['error'], calls: [1], spawns: [], cleared: false, failures: [undefined, undefined], errors: [NO_PROFILE], writes: 0 },
  { why: 'a number that cannot be had is none', scenario: 'timeout-20', symbols: ['_CFNumberGetValue'], kinds: ['error'], calls: [1], outcome: 'not-awaited', spawns: BOTH, cleared: false, failures: [0, 501], errors: ['ERROR: CommandTimeout is not a number of seconds; it counts as not set', LEFT] },
  { why: 'nobody is told, and nobody can be asked', symbols: ['_CFPreferencesAppValueIsForced'], kinds: ['error'], calls: [2], outcome: 'no-escrow-profile', spawns: [], cleared: false, failures: [undefined, undefined], errors: [NO_PROFILE] },
  { why: 'no record before: no success can be seen', symbols: ['_stat'], kinds: ['error'], calls: [1], outcome: 'rotated-unconfirmed', spawns: BOTH, cleared: true, failures: [0, undefined], errors: [] },
  { why: 'looked at again', symbols: ['_stat'], kinds: ['error'], calls: [2, 3], unnoticed: true },
  { why: 'nobody knows who it is', symbols: ['GetContextValue'], kinds: ['error', 'again', 'short'], calls: [1], scenario: 'change-auth-wrong-password', outcome: 'authentication-failed', spawns: BOTH, cleared: false, failures: [1, undefined] },
  { why: 'no name', symbols: ['GetContextValue'], kinds: ['error', 'again', 'short'], calls: [2], outcome: 'no-credentials', spawns: ['isactive'], cleared: false, failures: [undefined, undefined], errors: [...NO_VALUE('username'), stop('no-credentials')] },
  { why: 'no password', symbols: ['GetContextValue'], kinds: ['error', 'again', 'short'], calls: [7], outcome: 'no-password-login', spawns: ['isactive'], cleared: false, failures: [undefined, undefined], errors: [...NO_VALUE('password'), stop('no-password-login')] },
  { why: 'a value that is gone when it is copied', symbols: ['GetContextValue'], kinds: ['error', 'again', 'short'], calls: [8, 9], outcome: 'password-not-representable', spawns: ['isactive'], cleared: false, failures: [undefined, undefined], errors: [stop('password-not-representable')] },
  { why: 'the answer of the engine changes nothing', symbols: ['SetResult', 'DidDeactivate'], kinds: ['error'], calls: [1], unnoticed: true },
]; // biome-ignore format: a table

const scenarios = readScenarios();
const stored = (run: Run, key: string) =>
  ofKind(run, 'stored').find((value) => value.key === key && value.domain === 'local')?.value;

/** Plays each call of a row, and holds the runs to it. */
export async function expectFailing(out: string, slice: Slice, plugin: string, row: FailingCalls): Promise<void> {
  const { symbols, kinds, calls, lasting, scenario: id = 'rotates' } = row;
  const scenario = scenarios.find((one) => one.id === id) as Scenario;
  for (const name of symbols)
    for (const kind of kinds)
      for (const call of calls) {
        // The old layout of struct stat has the plain name on x86_64.
        const symbol = name === '_stat' && slice === 'x86_64' ? '_stat$INODE64' : name;
        const words = ['fault', id, symbol, kind, String(call), ...(lasting ? ['lasting'] : [])];
        const [run] = await host<Run>(out, slice, plugin, words);
        expectRow(run as Run, scenario, row, words.join(' '));
      }
}

function expectRow(run: Run, scenario: Scenario, row: FailingCalls, words: string): void {
  const said = ofKind(run, 'log').filter(({ type }) => type === 16);
  const errors = said.map(({ message }) => String(message));
  expect(run.violations, words).toEqual([]);
  expectMeasure(run, words);
  if (row.turns !== undefined) expect(run.calls._waitpid ?? 0, words).toBeLessThanOrEqual(row.turns);
  if (row.says)
    expect(
      ofKind(run, 'log').map(({ message }) => message),
      words,
    ).toContain(row.says);
  if (row.looks !== undefined) expect(run.calls._waitpid, words).toBe(row.looks);
  if (row.writes !== undefined) expect(run.calls._CFPreferencesSynchronize ?? 0, words).toBe(row.writes);
  if (row.naps)
    expect([...new Set(ofKind(run, 'nap').map(({ microseconds }) => microseconds))], words).toEqual(row.naps);
  if (row.unnoticed) {
    expectRun(run, scenario);
    expect(errors, words).toEqual([]);
    return;
  }
  expect(
    {
      outcome: stored(run, 'LastOutcome'),
      spawns: ofKind(run, 'spawn').map(({ argv }) => (argv as string[])[1]),
      cleared: run.requestCleared,
      failures: [stored(run, 'ConsecutiveFailures'), stored(run, 'LastFailedUID')],
    },
    words,
  ).toEqual({ outcome: row.outcome, spawns: row.spawns, cleared: row.cleared, failures: row.failures });
  if (row.errors) {
    expect(errors, words).toHaveLength(row.errors.length);
    for (const [at, begins] of row.errors.entries())
      expect(errors[at], words).toMatch(new RegExp(`^${begins.replace(/[.()]/g, '\\$&')}`));
  }
}
