import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { PLUGIN_FOLDER } from '../../plugin/source.ts';
import { byDay, DAY_SEED, ofTheDay } from '../../support/by-day.ts';
import { ALLOWS, BEGINS, expectRun, IN_FULL, lineOf, ofKind } from '../login-host/expectations.ts';
import { buildHost, host, isEmulated, type Run, readScenarios, type Slice, type Sweep } from '../login-host/host.ts';
import { pluginUnderTest } from '../login-host/plugin-under-test.ts';
import { NO_HURRY_MS } from './held.ts';

const scenarios = readScenarios();
/**
 * This machine's own slice plays all of them every day; of what is emulated, thirty times slower, and of what sanitizers watch a
 * day plays a part: each outcome, with and without a signal to a child, and what is compared in full.
 */
const playedOf = (slice: Slice | 'native') => {
  const count = isEmulated(slice) ? 20 : slice === 'native' ? 40 : scenarios.length;
  const part = new Set(byDay(scenarios, count, ({ expect: { outcome, kills } }) => `${outcome} ${kills?.length ?? 0}`));
  return scenarios.filter((one) => one.id in IN_FULL || part.has(one));
};
/** Runs of the seeded sample of failing calls, one of each call and kind first; emulated ones at night. */
const sampleOf = (slice: Slice | 'native') => {
  if (isEmulated(slice)) return ofTheDay === '' ? 60 : 0;
  return slice === 'native' || ofTheDay ? 100 : 300;
};

/** Plays scenarios on a slice of the plug-in that ships, or on its sources with sanitizers (`native`), and holds each run to them. */
export function describeScenarios(slice: Slice | 'native', state: { missing: boolean; note: string }): void {
  const played = playedOf(slice);
  const sample = sampleOf(slice);
  const part = played.length < scenarios.length ? ofTheDay : '';
  describe.skipIf(state.missing)(`plugin, ${slice}${state.note}${part}`, () => {
    const runs = new Map<string, Run>();
    let swept: (Sweep | Run)[] = [];
    beforeAll(async () => {
      const out = mkdtempSync(join(tmpdir(), 'login-host-'));
      const plugin = slice === 'native' ? '-' : (await pluginUnderTest(inject('releaseFolder'), [slice]))[slice];
      await buildHost(out, slice, slice === 'native' ? PLUGIN_FOLDER : undefined);
      const ids = played.map(({ id }) => id);
      const drawn = join(out, 'played.json');
      writeFileSync(drawn, JSON.stringify(played));
      const draw = ['--scenarios', drawn, 'sample', String(DAY_SEED), String(sample)];
      const ask = <T>(command: readonly string[]) => host<T>(out, slice, plugin as string, command);
      const both = await Promise.all([ask<Run>(['run', ...ids]), sample > 0 ? ask<Sweep | Run>(draw) : []]);
      for (const run of both[0]) runs.set(run.scenario, run);
      swept = both[1];
      rmSync(out, { recursive: true, force: true });
    }, NO_HURRY_MS);

    it.each(played)('$id: $why', (scenario) => {
      const run = runs.get(scenario.id);
      if (!run) throw new Error('the host printed no line for it');
      expectRun(run, scenario);
    });

    it.each(Object.entries(IN_FULL))('logs every line of 1.0.0 in order, and what is new: %s', (id, lines) => {
      const run = runs.get(id) as Run;
      expect(ofKind(run, 'log').map(lineOf)).toEqual([...BEGINS, ...lines, ...ALLOWS]);
    });

    it('leaves one persisted line at least in each login', () => {
      for (const { id, mechanism } of played)
        if (mechanism === undefined) expect(ofKind(runs.get(id) as Run, 'log').length).toBeGreaterThan(0);
    });

    if (sample === 0) return;
    it('keeps every rule while calls fail, in a sample of each import and kind', () => {
      const sweep = swept.at(-1) as Sweep;
      const broken = (swept.slice(0, -1) as Run[]).map(({ scenario, fault, violations }) => ({
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
