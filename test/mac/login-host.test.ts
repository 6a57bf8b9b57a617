import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'plist';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { PLUGIN_FOLDER, sanitizers } from '../plugin/source.ts';
import {
  buildHost,
  canRun,
  type HostEvent,
  host,
  type Run,
  readScenarios,
  SCENARIOS,
  type Scenario,
  type Slice,
  type Sweep,
} from './login-host/host.ts';
import { pluginUnderTest } from './login-host/plugin-under-test.ts';
import { linkProbe } from './login-host/probes.ts';

const scenarios = readScenarios();
const slices: readonly Slice[] = ['x86_64', 'arm64'];
const able = slices.filter((slice) => !canRun(slice).missing);
const native = { ...sanitizers, missing: sanitizers.missing || process.platform !== 'linux' };
/** Runs of the seeded sample: native code is some thirty times faster than emulated. */
const SAMPLE: Record<Slice | 'native', number> = { x86_64: 1200, arm64: 220, native: 300 };
const SEED = '20260601';

const out = mkdtempSync(join(tmpdir(), 'login-host-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));
let plugins: Partial<Record<Slice, string>> = {};
const runs = new Map<string, Run>();
const sweeps = new Map<string, (Sweep | Run)[]>();
const keyOf = (slice: string, scenario: string) => `${slice} ${scenario}`;

async function collect(slice: Slice | 'native', plugin: string, sources?: string): Promise<void> {
  await buildHost(out, slice, sources);
  for (const run of await host<Run>(out, slice, plugin, ['run'])) runs.set(keyOf(slice, run.scenario), run);
  sweeps.set(slice, await host<Sweep | Run>(out, slice, plugin, ['sample', SEED, String(SAMPLE[slice])]));
}

beforeAll(async () => {
  plugins = pluginUnderTest(inject('releaseFolder'), out, able);
  const jobs = able.map((slice) => collect(slice, plugins[slice] as string));
  if (!native.missing) jobs.push(collect('native', '-', PLUGIN_FOLDER));
  await Promise.all(jobs);
}, 240_000);

const ofKind = (run: Run, kind: string): HostEvent[] => run.events.filter(({ event }) => event === kind);
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

function expectChildren(run: Run, { expect: wanted, context }: Scenario): void {
  const spawns = ofKind(run, 'spawn');
  expect(spawns.map(({ argv }) => (argv as string[])[1])).toEqual(wanted.spawns);
  for (const spawn of spawns) {
    const rotation = (spawn.argv as string[])[1] === 'changerecovery';
    expect(spawn.path).toBe('/usr/bin/fdesetup');
    expect(spawn.argv).toEqual(
      rotation ? ['fdesetup', 'changerecovery', '-personal', '-inputplist'] : ['fdesetup', 'isactive'],
    );
    expect(spawn.environment).toEqual(['PATH=/usr/bin:/bin:/usr/sbin:/sbin', 'LANG=C', 'HOME=/var/root']);
    // SETPGROUP, SETSIGDEF, SETSIGMASK, CLOEXEC_DEFAULT: bsd/sys/spawn.h.
    expect(spawn.flags).toBe(0x2 | 0x4 | 0x8 | 0x4000);
    expect([spawn.group, spawn.signalsMask]).toEqual([0, 0]);
    expect(String(spawn.descriptor0)).toMatch(rotation ? /^dup2 pipe/ : /^open \/dev\/null flags 0$/);
    expect(String(spawn.descriptor1)).toBe('open /dev/null flags 1');
    expect(String(spawn.descriptor2)).toMatch(/^dup2 pipe/);
  }
  if (wanted.outcome !== 'rotated' || !wanted.spawns.includes('changerecovery')) return;
  const given = fromBytes(ofKind(run, 'child').findLast(({ rotation }) => rotation)?.stdin);
  const login = parse(given) as Record<string, string>;
  expect(Object.keys(login)).toEqual(['Username', 'Password']);
  if (wanted.stdinPassword !== undefined) expect(login.Password).toBe(wanted.stdinPassword);
  if (wanted.stdinUsername !== undefined) expect(login.Username).toBe(wanted.stdinUsername);
  if (context === undefined && wanted.invokes === undefined)
    expect(login).toEqual({ Username: 'alex', Password: 'Tr0ub4dor &3 <c0rrect>' });
}

function expectSettings(run: Run, { expect: wanted, preferences }: Scenario): void {
  const asksLocally = preferences?.local === undefined || Boolean(preferences.local.GenerateNewKey);
  const outcome = stored(run, 'LastOutcome')?.value ?? null;
  expect(outcome).toBe(wanted.outcomeKept ?? wanted.outcome);
  if (wanted.outcomes) expect(outcomesLogged(run)).toEqual(wanted.outcomes);
  if (wanted.cleared !== undefined && asksLocally) expect(run.requestCleared).toBe(wanted.cleared);
  if (wanted.cleared) expect(stored(run, 'GenerateNewKey')).toMatchObject({ type: 'boolean', value: false });
  if (wanted.failures !== undefined) expect(stored(run, 'ConsecutiveFailures')?.value).toBe(wanted.failures);
  if (wanted.exitStatus !== undefined) expect(stored(run, 'LastExitStatus')?.value).toBe(wanted.exitStatus);
  if (wanted.outcome?.startsWith('rotated')) expect(stored(run, 'LastRotation')?.type).toBe('date');
  if (wanted.spawns.includes('changerecovery')) expect(stored(run, 'LastAttempt')?.type).toBe('date');
  for (const domain of wanted.absent ?? []) expect(stored(run, 'GenerateNewKey', domain)).toBeUndefined();
}

function expectLog(run: Run, { expect: wanted }: Scenario): void {
  const logs = ofKind(run, 'log');
  const messages = logs.map(({ message }) => String(message));
  for (const begin of wanted.log ?? []) expect(messages.filter((message) => message.startsWith(begin))).not.toEqual([]);
  for (const log of logs) {
    expect(log.subsystem).toBe('com.netflix.Escrow-Buddy');
    expect(['Invoke', 'EBMechanism']).toContain(log.category);
    expect(String(log.message)).not.toMatch(/alex|admin/); // user names stay out of what everybody can read
    expect(String(log.message)).toMatch(/^[\x20-\x7e]*$/);
  }
  if (wanted.idle && !wanted.wrongType) expect(logs.length).toBeLessThanOrEqual(wanted.logs ?? 0);
}

/** "Idle costs nothing": at most two preference reads, no process, no memory, nothing written, nothing read of the context. */
function expectIdle(run: Run): void {
  expect(ofKind(run, 'preference-read').length + ofKind(run, 'preference-forced').length).toBeLessThanOrEqual(2);
  for (const kind of ['spawn', 'preference-set', 'preference-synchronise', 'context', 'hint', 'stat', 'open'])
    expect(ofKind(run, kind)).toEqual([]);
  expect([run.calls._malloc, run.calls._calloc, run.calls._pipe]).toEqual([undefined, undefined, undefined]);
}

function expectTimes(run: Run, { expect: wanted }: Scenario): void {
  if (wanted.minMs !== undefined) expect(run.worstMs).toBeGreaterThanOrEqual(wanted.minMs);
  if (wanted.maxMs !== undefined) expect(run.worstMs).toBeLessThanOrEqual(wanted.maxMs);
  const signals = ofKind(run, 'kill').map(({ signal, group }) => (group ? signal : -1));
  if (wanted.kills?.includes('TERM')) expect(signals[0]).toBe(15);
  if (wanted.kills?.includes('KILL')) expect(signals).toContain(9);
  expect(run.invokes).toBe(wanted.invokes ?? 1);
  expect(run.deactivations).toBe(wanted.deactivations ?? run.invokes);
  if (wanted.reads !== undefined) expect(ofKind(run, 'context').length).toBe(wanted.reads);
}

function describeScenarios(slice: Slice | 'native', state: { missing: boolean; note: string }): void {
  describe.skipIf(state.missing)(`plugin, ${slice}${state.note}`, () => {
    it.each(scenarios)('$id: $why', (scenario) => {
      const run = runs.get(keyOf(slice, scenario.id));
      if (!run) throw new Error('the host printed no line for it');
      expectRules(run);
      expectChildren(run, scenario);
      expectSettings(run, scenario);
      expectLog(run, scenario);
      expectTimes(run, scenario);
      if (scenario.expect.idle) expectIdle(run);
    });

    it('keeps every rule while calls fail, in a sample of each import and kind', () => {
      const lines = sweeps.get(slice) ?? [];
      const sweep = lines.at(-1) as Sweep;
      const broken = (lines.slice(0, -1) as Run[]).map(({ scenario, fault, violations }) => ({
        scenario,
        ...fault,
        violations,
      }));
      process.stdout.write(
        `login host, ${slice}: ${scenarios.length} scenarios, ${sweep.runs} runs with a failing call in ${sweep.seconds} s\n`,
      );
      expect(broken).toEqual([]);
      expect(sweep.runs).toBeGreaterThanOrEqual(SAMPLE[slice]);
      const imports = new Set(sweep.covered.map((entry) => entry.split(' ')[0]));
      for (const call of [
        '_pipe',
        '_fcntl',
        '_posix_spawn',
        '_read',
        '_write',
        '_poll',
        '_waitpid',
        '_kill',
        '_clock_gettime',
        '_mlock',
        '_CFPreferencesCopyValue',
        'GetContextValue',
      ])
        expect(imports).toContain(call);
    });
  });
}

/** What decisions.md and spec of the plugin allow it to link: nothing that is not in every macOS since 10.14. */
const LIBRARIES = [
  '/usr/lib/libSystem.B.dylib',
  '/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation',
];

interface Imports {
  readonly fixups: string;
  readonly rebases: number;
  readonly binds: number;
  readonly libraries: readonly string[];
  readonly imports: readonly string[];
}

describe.each(slices)('loading of a plugin for %s', (slice) => {
  const state = canRun(slice);
  const fixture = fileURLToPath(new URL(`../fixtures/login-host/chained-fixups-${slice}`, import.meta.url));

  it.skipIf(state.missing)(`binds every import, to two libraries only${state.note}`, async () => {
    const [image] = await host<Imports>(out, slice, plugins[slice] as string, ['imports']);
    expect(image?.libraries).toEqual(LIBRARIES);
    expect(image?.fixups).toMatch(/^LC_DYLD_(INFO_ONLY|CHAINED_FIXUPS)$/);
    expect(image?.imports).toContain('_posix_spawn');
    expect(image?.imports.filter((name) => /fork|exec|system|popen|dlopen|assert|abort/.test(name))).toEqual([]);
  });

  it.skipIf(state.missing)(`follows chained fixups${state.note}`, async () => {
    const [image] = await host<Imports>(out, slice, fixture, ['imports']);
    expect(image).toMatchObject({ fixups: 'LC_DYLD_CHAINED_FIXUPS', rebases: 7, binds: 7 });
    const [run] = await host<Run>(out, slice, fixture, ['run', 'rotates']);
    expect(run?.violations).toEqual(['clears the request without a success']);
  });

  it.skipIf(state.missing)(`takes its slice out of the fat file that ships${state.note}`, async () => {
    expect(readFileSync(plugins[slice] as string).readUInt32BE(0)).toBe(0xcafebabe);
    const [run] = await host<Run>(out, slice, plugins[slice] as string, ['run', 'rotates']);
    expect(run?.slice).toBe(slice);
  });

  it.skipIf(state.missing)(`refuses what is no plugin${state.note}`, async () => {
    await expect(host(out, slice, SCENARIOS, ['imports'])).rejects.toThrow('is no 64-bit Mach-O');
  });
});

for (const slice of slices) describeScenarios(slice, canRun(slice));
describeScenarios('native', native);

describe.skipIf(able.length === 0)(`the search for traces${able.length ? '' : canRun('x86_64').note}`, () => {
  it.each(['stack', 'heap', 'objects', 'data'])('finds a password and a key left in the %s', async (place) => {
    const slice = able[0] as Slice;
    const [run] = await host<Run>(out, slice, plugins[slice] as string, ['plant', place]);
    expect(run?.hits.password).toBeGreaterThan(0);
    expect(run?.hits.key).toBeGreaterThan(0);
    expect(run?.violations.join()).toMatch(/the password is left in \d+ places,the new key is left/);
  });
});

/** Each rule, and the words it is broken with: a host that finds nothing would be worth nothing. */
const RULES: readonly (readonly [probe: string, found: RegExp])[] = [
  ['TWICE', /SetResult a second time in one Invoke/],
  ['SILENT', /no SetResult by the end of Invoke/],
  ['DENY', /a result other than Allow/],
  ['KEEP', /the password is left in/],
  ['FREED', /the password is left in/],
  ['PAST', /crashed: Segmentation fault/],
  ['DESCRIPTORS', /leaves 2 descriptors open/],
  ['MEMORY', /leaves 1 blocks of memory/],
  ['CLEAR', /clears the request without a success/],
  ['LATE', /Invoke took 60\.\d+ s/],
  ['INHERIT', /lets the child inherit descriptors/],
  ['ZOMBIE', /leaves 1 zombies/],
  ['OBJECT', /leaves 1 objects/],
  ['RELEASED', /uses a released object/],
  ['LOG', /the password in a public log value/],
];

describe.skipIf(!able.includes('x86_64'))(`rules of the login host${canRun('x86_64').note}`, () => {
  const probe = (name: string) => host<Run>(out, 'x86_64', linkProbe(out, 'x86_64', name), ['run', 'rotates']);

  it('finds nothing in a plugin that only allows', async () => {
    expect((await probe('NONE'))[0]?.violations).toEqual([]);
  });

  it.each(RULES)('catches a plugin that breaks %s', async (name, found) => {
    expect((await probe(name))[0]?.violations.join('; ')).toMatch(found);
  });

  it('refuses a plugin that imports what no stand-in is there for, by name', async () => {
    await expect(probe('IMPORT')).rejects.toThrow('unknown import _system of /usr/lib/libSystem.B.dylib');
  });
});
