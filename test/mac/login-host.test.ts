import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parseFat } from '../../src/macho/fat.ts';
import { looseChains, looseOpcodes } from '../macho/loose-tables.ts';
import { ARCHITECTURES, linkers, linkSlice, llvmTool, PLUGIN_FOLDER, sanitizers } from '../plugin/source.ts';
import { byDay, DAY_SEED, ofTheDay } from '../support/by-day.ts';
import { ALLOWS, BEGINS, expectRun, IN_FULL, lineOf, ofKind } from './login-host/expectations.ts';
import { expectFailing, FAILING_CALLS } from './login-host/failing-calls.ts';
import {
  buildHost,
  canRun,
  host,
  isEmulated,
  type Run,
  readScenarios,
  SCENARIOS,
  type Slice,
  type Sweep,
} from './login-host/host.ts';
import { pluginUnderTest } from './login-host/plugin-under-test.ts';
import { linkProbes } from './login-host/probes.ts';

const scenarios = readScenarios();
const slices: readonly Slice[] = ['x86_64', 'arm64'];
const able = slices.filter((slice) => !canRun(slice).missing);
const native = { ...sanitizers, missing: sanitizers.missing || process.platform !== 'linux' };
/**
 * This machine's own slice plays all of them every day; of what is emulated, thirty times slower, and of what sanitizers watch a
 * day plays a part: each outcome, and what is compared in full.
 */
const playedOf = (slice: Slice | 'native') => {
  const count = isEmulated(slice) ? 20 : slice === 'native' ? 60 : scenarios.length;
  const part = new Set(byDay(scenarios, count, ({ expect: { outcome } }) => String(outcome)));
  return scenarios.filter((one) => one.id in IN_FULL || part.has(one));
};
/** Runs of the seeded sample of failing calls; emulated ones at night. */
const sampleOf = (slice: Slice | 'native') =>
  slice === 'native' ? 100 : !isEmulated(slice) ? 300 : ofTheDay === '' ? 60 : 0;
/** A run that hangs is ended by the host itself, in virtual or processor time: how busy the machine is decides nothing. */
const NO_HURRY_MS = 3_600_000;

const out = mkdtempSync(join(tmpdir(), 'login-host-'));
afterAll(() => rmSync(out, { recursive: true, force: true }));
let plugins: Partial<Record<Slice, string>> = {};
const runs = new Map<string, Run>();
const sweeps = new Map<string, (Sweep | Run)[]>();
const keyOf = (slice: string, scenario: string) => `${slice} ${scenario}`;

async function collect(slice: Slice | 'native', plugin: string, sources?: string): Promise<void> {
  await buildHost(out, slice, sources);
  const ids = playedOf(slice).map(({ id }) => id);
  for (const run of await host<Run>(out, slice, plugin, ['run', ...ids])) runs.set(keyOf(slice, run.scenario), run);
  const sample = sampleOf(slice);
  if (sample > 0)
    sweeps.set(slice, await host<Sweep | Run>(out, slice, plugin, ['sample', String(DAY_SEED), String(sample)]));
}

beforeAll(async () => {
  plugins = pluginUnderTest(inject('releaseFolder'), out, able);
  const jobs = able.map((slice) => collect(slice, plugins[slice] as string));
  if (!native.missing) jobs.push(collect('native', '-', PLUGIN_FOLDER));
  await Promise.all(jobs);
}, NO_HURRY_MS);

function describeScenarios(slice: Slice | 'native', state: { missing: boolean; note: string }): void {
  const played = playedOf(slice);
  const part = played.length < scenarios.length ? ofTheDay : '';
  describe.skipIf(state.missing)(`plugin, ${slice}${state.note}${part}`, () => {
    it.each(played)('$id: $why', (scenario) => {
      const run = runs.get(keyOf(slice, scenario.id));
      if (!run) throw new Error('the host printed no line for it');
      expectRun(run, scenario);
    });

    it.each(Object.entries(IN_FULL))('logs every line of 1.0.0 in order, and what is new: %s', (id, lines) => {
      const run = runs.get(keyOf(slice, id)) as Run;
      expect(ofKind(run, 'log').map(lineOf)).toEqual([...BEGINS, ...lines, ...ALLOWS]);
    });

    it('leaves one persisted line at least in each login', () => {
      for (const { id, mechanism } of played)
        if (mechanism === undefined) expect(ofKind(runs.get(keyOf(slice, id)) as Run, 'log').length).toBeGreaterThan(0);
    });

    const sample = sampleOf(slice);
    if (sample === 0) return;
    it('keeps every rule while calls fail, in a sample of each import and kind', () => {
      const lines = sweeps.get(slice) ?? [];
      const sweep = lines.at(-1) as Sweep;
      const broken = (lines.slice(0, -1) as Run[]).map(({ scenario, fault, violations }) => ({
        scenario,
        ...fault,
        violations,
      }));
      process.stdout.write(
        `login host, ${slice}: ${played.length} scenarios, ${sweep.runs} runs with a failing call in ${sweep.seconds} s\n`,
      );
      expect(broken).toEqual([]);
      expect(sweep.runs).toBeGreaterThanOrEqual(sample);
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

  it.skipIf(state.missing)(
    `refuses what the dyld of macOS 27 refuses${state.note}`,
    async () => {
      const shipped = parseFat(readFileSync(plugins[slice] as string)).find((part) => part.architecture === slice);
      const loose = [...looseOpcodes(shipped?.data as Buffer), ...looseChains(readFileSync(fixture))];
      // All are refused by bindTableProblems, every day: test/macho/bind-tables.test.ts.
      for (const { name, bytes, refusal } of isEmulated(slice) ? byDay(loose, 6) : loose) {
        const path = join(out, `loose-${slice}`);
        writeFileSync(path, bytes);
        await expect(host(out, slice, path, ['imports']), name).rejects.toThrow(refusal);
      }
      expect(loose.length).toBeGreaterThan(30);
    },
    NO_HURRY_MS,
  );

  it.skipIf(state.missing || !llvmTool('clang'))(
    `binds what any version of the linker writes${state.note}`,
    async () => {
      const architecture = ARCHITECTURES.find(({ name }) => name === slice) as (typeof ARCHITECTURES)[number];
      for (const linker of linkers()) {
        const { path, remove } = linkSlice(architecture, linker);
        const [run] = await host<Run>(out, slice, path, ['run', 'rotates']);
        expect(run?.violations, linker).toEqual([]);
        remove();
      }
    },
    NO_HURRY_MS,
  );

  it.skipIf(state.missing)(`refuses what is not a plugin${state.note}`, async () => {
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

describe.skipIf(able.length === 0)(`a login in odd surroundings${able.length ? '' : canRun('x86_64').note}`, () => {
  const slice = able[0] as Slice;

  it.each(FAILING_CALLS.map((row) => [row.why, row.symbols.join(' '), row] as const))(
    '%s: %s',
    (_why, _symbols, row) => expectFailing(out, slice, plugins[slice] as string, row),
    NO_HURRY_MS,
  );

  it('goes the same way each time, byte for byte', async () => {
    const ids = ['rotates', 'not-awaited-then-rotated', 'backs-off', 'flood-both', 'filevault-hangs'];
    const [first, second] = await Promise.all(
      [1, 2].map(() => host<Run>(out, slice, plugins[slice] as string, ['run', ...ids])),
    );
    expect(first).toHaveLength(ids.length);
    expect(second).toEqual(first);
  });
});

/** Each rule, and the words it is broken with: a host that finds nothing would be worth nothing. */
const RULES: readonly (readonly [probe: string, found: RegExp, scenario?: string])[] = [
  ['TWICE', /SetResult a second time in one Invoke/],
  ['SILENT', /no SetResult by the end of Invoke/],
  ['DENY', /a result other than Allow/],
  ['KEEP', /the password is left in/],
  ['FREED', /the password is left in/],
  ['PAST', /crashed: Segmentation fault/],
  ['DESCRIPTORS', /leaves 2 descriptors open/],
  ['WAITS', /waits for a child with 4 descriptors open/],
  ['READS', /asks for 8192 bytes at once/],
  ['LOCKS', /mlock of a part of a page/],
  ['MEMORY', /leaves 1 blocks of memory/],
  ['CLEAR', /clears the request without a success/],
  ['LATE', /Invoke took 60\.\d+ s/],
  ['INHERIT', /lets the child inherit descriptors/],
  ['ZOMBIE', /leaves 1 zombies/],
  ['OBJECT', /leaves 1 objects/],
  ['RELEASED', /uses a released object/],
  ['LOG', /the password in a public log value/],
  ['SIGNAL', /signals a key change that has begun/],
  ['HURRY', /leaves a key change after 1\.0\d+ s/],
  ['BROKEN', /SIGPIPE ends a key change/, 'change-ok-verbose'],
  ['STREAMS', /gives the child descriptor 7/],
];

const rules = byDay(RULES, 8);

describe.skipIf(!able.includes('x86_64'))(`rules of the login host${ofTheDay}${canRun('x86_64').note}`, () => {
  let probes: string;
  beforeAll(async () => {
    probes = await linkProbes('x86_64', ['NONE', 'IMPORT', ...rules.map(([name]) => name)]);
  }, NO_HURRY_MS);
  const probe = (name: string, scenario = 'rotates') =>
    host<Run>(out, 'x86_64', join(probes, `probe-${name}`), ['run', scenario]);

  it('finds nothing in a plugin that only allows', async () => {
    expect((await probe('NONE'))[0]?.violations).toEqual([]);
  });

  it.each(rules.map(([name, found, scenario]) => ({ name, found, scenario })))(
    'catches a plugin that breaks $name',
    async ({ name, found, scenario }) => {
      expect((await probe(name, scenario))[0]?.violations.join('; ')).toMatch(found);
    },
    NO_HURRY_MS,
  );

  it('refuses a plugin that imports what no stand-in is there for, by name', async () => {
    await expect(probe('IMPORT')).rejects.toThrow('unknown import _system of /usr/lib/libSystem.B.dylib');
  });
});
