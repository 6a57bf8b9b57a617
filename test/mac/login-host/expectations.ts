import { parse } from 'plist';
import { expect } from 'vitest';
import { OUTCOMES } from '../../plugin/source.ts';
import type { HostEvent, Run, Scenario } from './host.ts';

export const ofKind = (run: Run, kind: string): HostEvent[] => run.events.filter(({ event }) => event === kind);
const stored = (run: Run, key: string, domain = 'local') =>
  ofKind(run, 'stored').find((value) => value.key === key && value.domain === domain);
const fromBytes = (text: unknown) => Buffer.from(String(text), 'latin1').toString('utf8');

/** LastOutcome as it stood at the end of each login: the log tells, as the stored value only has the last. */
function outcomesLogged(run: Run): string[] {
  return ofKind(run, 'log').flatMap(
    ({ message }) => /^(?:Outcome|No new key in this login): (.+)$/.exec(String(message))?.[1] ?? [],
  );
}

function expectRules(run: Run): void {
  expect(run.violations).toEqual([]);
  expect(run.allows).toBe(run.invokes);
  expect(run.hits).toMatchObject({ password: 0, key: 0 });
}

/** What each verb of fdesetup gets as descriptors. The new key is printed on a change's standard output, which leads nowhere. */
const COMMANDS: Readonly<Record<string, { argv: readonly string[]; streams: readonly RegExp[] }>> = (() => {
  const [pipe, reads, nowhere] = [/^dup2 pipe/, /^open \/dev\/null flags 0$/, /^open \/dev\/null flags 1$/];
  return {
    isactive: { argv: ['isactive'], streams: [reads, nowhere, pipe] },
    list: { argv: ['list'], streams: [reads, pipe, nowhere] },
    // 3 is the reading end of its own standard error: it may outlive the login, and what it says must not end it.
    changerecovery: { argv: ['changerecovery', '-personal', '-inputplist'], streams: [pipe, nowhere, pipe, pipe] },
  };
})();

function expectChildren(run: Run, { expect: wanted, context }: Scenario): void {
  const spawns = ofKind(run, 'spawn');
  expect(spawns.map(({ argv }) => (argv as string[])[1])).toEqual(wanted.spawns);
  for (const spawn of spawns) {
    const command = COMMANDS[(spawn.argv as string[])[1] as string];
    expect(spawn.path).toBe('/usr/bin/fdesetup');
    expect(spawn.argv).toEqual(['fdesetup', ...(command?.argv ?? [])]);
    expect(spawn.environment).toEqual(['PATH=/usr/bin:/bin:/usr/sbin:/sbin', 'LANG=C', 'HOME=/var/root']);
    // SETPGROUP, SETSIGDEF, SETSIGMASK, CLOEXEC_DEFAULT: bsd/sys/spawn.h.
    expect(spawn.flags).toBe(0x2 | 0x4 | 0x8 | 0x4000);
    // The default for all signals but SIGKILL (9) and SIGSTOP (17), which have no other: sys/signal.h.
    expect([spawn.group, spawn.signalsMask, spawn.signalsDefault]).toEqual([0, 0, 0xfffefeff]);
    const streams = [0, 1, 2, 3].flatMap((number) => (spawn[`descriptor${number}`] as string | undefined) ?? []);
    expect(streams).toEqual(command?.streams.map((stream) => expect.stringMatching(stream)));
  }
  if (wanted.changed !== undefined)
    expect(ofKind(run, 'child').filter(({ rotation, exitedZero }) => rotation && exitedZero)).toHaveLength(
      wanted.changed,
    );
  if (wanted.outcome !== 'rotated' || !wanted.spawns.includes('changerecovery')) return;
  const given = fromBytes(ofKind(run, 'child').findLast(({ rotation }) => rotation)?.stdin);
  const login = parse(given) as Record<string, string>;
  expect(Object.keys(login)).toEqual(['Username', 'Password']);
  if (wanted.stdinPassword !== undefined) expect(login.Password).toBe(wanted.stdinPassword);
  if (wanted.stdinUsername !== undefined) expect(login.Username).toBe(wanted.stdinUsername);
  if (context === undefined && wanted.invokes === undefined)
    expect(login).toEqual({ Username: 'alex', Password: 'Tr0ub4dor &3 <c0rrect>' });
}

/** A record as it is remembered, 0 where there is none: FNV-1a of its eight numbers, 52 bits of it and the last of them set. */
function fingerprint({ inode, size, seconds, nanoseconds }: HostEvent): number {
  if (inode === undefined) return 0;
  const times = [1, 2, 3].flatMap(() => [seconds, nanoseconds]);
  let hash = 0xcbf29ce484222325n;
  for (const part of [inode, size, ...times] as number[])
    for (const byte of Buffer.from(BigUint64Array.of(BigInt(part)).buffer))
      hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return Number((hash >> 12n) | 1n);
}

function expectSettings(run: Run, { expect: wanted, preferences }: Scenario): void {
  const asksLocally = preferences?.local === undefined || Boolean(preferences.local.GenerateNewKey);
  const outcome = stored(run, 'LastOutcome')?.value ?? null;
  expect(outcome).toBe(wanted.outcomeKept ?? wanted.outcome);
  if (wanted.outcomes) expect(outcomesLogged(run)).toEqual(wanted.outcomes);
  if (wanted.cleared !== undefined && asksLocally) expect(run.requestCleared).toBe(wanted.cleared);
  if (wanted.cleared) expect(stored(run, 'GenerateNewKey')).toMatchObject({ type: 'boolean', value: false });
  if (wanted.failures !== undefined) expect(stored(run, 'ConsecutiveFailures')?.value).toBe(wanted.failures);
  // Of the last attempt: an exit status, or a signal as a negative number; none where nobody knows it.
  if (wanted.spawns.includes('changerecovery')) expect(stored(run, 'LastExitStatus')?.value).toBe(wanted.exitStatus);
  if (wanted.outcome?.startsWith('rotated')) expect(stored(run, 'LastRotation')?.type).toBe('date');
  if (wanted.spawns.includes('changerecovery')) expect(stored(run, 'LastAttempt')?.type).toBe('date');
  if (wanted.failedUser !== undefined) expect(stored(run, 'LastFailedUID')?.value).toBe(wanted.failedUser);
  if (wanted.outcome?.startsWith('rotated')) expect(stored(run, 'LastFailedUID')).toBeUndefined();
  // What a later login needs to find out how a change ended, and nothing after that.
  expect(stored(run, 'LastKeyRecord') !== undefined).toBe(wanted.outcome === 'not-awaited');
  if (wanted.outcome === 'not-awaited' && (wanted.invokes ?? 1) === 1)
    expect(stored(run, 'LastKeyRecord')?.value).toBe(fingerprint(ofKind(run, 'stat')[0] as HostEvent));
  for (const domain of wanted.absent ?? []) expect(stored(run, 'GenerateNewKey', domain)).toBeUndefined();
}

const LINES = OUTCOMES.lines.map(({ category, level, text }) => `${category} ${level} ${text}`);
/** os/log.h. */
const LEVELS: Readonly<Record<number, string>> = { 0: 'default', 16: 'error' };
export const lineOf = ({ category, type, format }: HostEvent) => `${category} ${LEVELS[type as number]} ${format}`;

function expectLog(run: Run, { expect: wanted }: Scenario): void {
  const logs = ofKind(run, 'log');
  const messages = logs.map(({ message }) => String(message));
  for (const begin of wanted.log ?? []) expect(messages.filter((message) => message.startsWith(begin))).not.toEqual([]);
  for (const log of logs) {
    expect(log.subsystem).toBe('com.netflix.Escrow-Buddy');
    expect(LINES).toContain(lineOf(log));
    expect(String(log.message)).not.toMatch(/alex|admin/i); // user names stay out of what everybody can read
    expect(String(log.message)).toMatch(/^[\x20-\x7e]*$/);
    expect(String(log.message)).not.toBe('fdesetup Standard Error: ');
  }
}

/** One login in the log, as 1.0.0 wrote it; what an outcome adds stands between the first and the last lines. */
export const BEGINS = ['EBMechanism default initWithMechanismRecord', 'Invoke default Starting Escrow Buddy:Invoke'];
export const ALLOWS = ['EBMechanism default allowLogin called', 'EBMechanism default Proceeding with login'];
const ASKED = [
  'Invoke default GenerateNewKey is True',
  'Invoke default FileVault configured to escrow to: %{public}s',
  'EBMechanism default Getting FileVault status',
];
const valueRead = (name: string) => [
  `EBMechanism default Requesting ${name}`,
  'EBMechanism default getContextData called',
  'EBMechanism default getContextData succeeded',
];
const ATTEMPTED = [
  ...ASKED,
  'EBMechanism default FileVault is ON',
  ...valueRead('username'),
  ...valueRead('password'),
  'Invoke default Generating a new FileVault personal recovery key',
  'Invoke default rotateRecoveryKey called',
];
export const IN_FULL: Readonly<Record<string, readonly string[]>> = {
  idle: ['Invoke default GenerateNewKey is False'],
  rotates: [
    ...ATTEMPTED,
    'Invoke default Outcome: %{public}s',
    'Invoke default rotateRecoveryKey succeeded',
    'Invoke default Setting GenerateNewKey to False to avoid multiple generations',
  ],
  'change-auth-wrong-password': [
    ...ATTEMPTED,
    'Invoke error ERROR: fdesetup terminated with a non-zero exit status: %d',
    'Invoke error fdesetup Standard Error: %{public}s',
    'Invoke default Outcome: %{public}s',
    'Invoke error Caught error trying to generate a new key: %{public}s',
  ],
  'filevault-off': [...ASKED, 'EBMechanism error FileVault is OFF', 'Invoke default FileVault is not enabled'],
  'no-escrow-profile': [
    'Invoke default GenerateNewKey is True',
    'Invoke error ERROR: No MDM profile for enforcing FileVault escrow is present.',
  ],
};

/** "Idle costs nothing": at most two preference reads, no process, no memory, nothing written, nothing read of the context. */
function expectIdle(run: Run): void {
  expect(ofKind(run, 'preference-read').length + ofKind(run, 'preference-forced').length).toBeLessThanOrEqual(2);
  for (const kind of ['spawn', 'preference-set', 'preference-synchronise', 'context', 'hint', 'stat', 'open'])
    expect(ofKind(run, kind)).toEqual([]);
  expect([run.calls._malloc, run.calls._calloc, run.calls._pipe]).toEqual([undefined, undefined, undefined]);
}

/** Naps in microseconds: 0.1 ms doubled up to 20 ms beside a child, 10 ms while one is ended, 50 ms between two looks at the record. */
const NAPS: readonly unknown[] = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 10_000, 50_000];

/** Between two looks after a child it reads 16 times at most, and as often once more when that is over. */
export function expectMeasure({ calls, events }: Run, words?: string): void {
  const spawns = events.filter(({ event }) => event === 'spawn').length;
  for (const { event, microseconds } of events) if (event === 'nap') expect(NAPS, words).toContain(microseconds);
  expect(calls._read ?? 0, words).toBeLessThanOrEqual(16 * ((calls._waitpid ?? 0) + spawns));
}

function expectTimes(run: Run, { expect: wanted }: Scenario): void {
  if (wanted.minMs !== undefined) expect(run.worstMs).toBeGreaterThanOrEqual(wanted.minMs);
  if (wanted.maxMs !== undefined) expect(run.worstMs).toBeLessThanOrEqual(wanted.maxMs);
  const signals = ofKind(run, 'kill').map(({ signal, group }) => (group ? signal : -1));
  expect(signals[0]).toBe(wanted.kills?.includes('TERM') ? 15 : undefined);
  if (wanted.kills?.includes('KILL')) expect(signals).toContain(9);
  expect(run.invokes).toBe(wanted.invokes ?? 1);
  expect(run.deactivations).toBe(wanted.deactivations ?? run.invokes);
  // A child is looked after every 50 ms, or in naps of 20 ms at most, and oftener only while it reads or says something.
  expect(run.calls._waitpid ?? 0).toBeLessThanOrEqual((run.worstMs / 25 + 1000) * Math.max(1, run.invokes));
  expectMeasure(run);
  if (wanted.allocations !== undefined) expect(run.calls._calloc).toBe(wanted.allocations);
  if (wanted.reads !== undefined) expect(ofKind(run, 'context').length).toBe(wanted.reads);
}

/** Holds a run against all that its scenario expects, and against the rules of every run. */
export function expectRun(run: Run, scenario: Scenario): void {
  expectRules(run);
  expectChildren(run, scenario);
  expectSettings(run, scenario);
  expectLog(run, scenario);
  expectTimes(run, scenario);
  if (scenario.expect.idle) expectIdle(run);
}
