import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { ALLOWS, BEGINS, expectRun, IN_FULL, lineOf, ofKind } from '../mac/login-host/expectations.ts';
import { expectFailing, FAILING_CALLS } from '../mac/login-host/failing-calls.ts';
import { buildHost, host, type Run, readScenarios, type Sweep } from '../mac/login-host/host.ts';
import { ARCHITECTURES, linkSlice } from '../plugin/source.ts';

// The host is the same for every fault in the plug-in, and so are all objects but one.
const out = resolve('.build/login-host');
const kept = join(out, 'objects');
const scenarios = readScenarios();
const runs = new Map<string, Run>();
let slice: ReturnType<typeof linkSlice>;

beforeAll(async () => {
  mkdirSync(kept, { recursive: true });
  if (!existsSync(`${out}/login-host-x86_64`)) await buildHost(out, 'x86_64');
  const intel = ARCHITECTURES.find(({ name }) => name === 'x86_64') as (typeof ARCHITECTURES)[number];
  slice = linkSlice(intel, undefined, kept);
  for (const run of await host<Run>(out, 'x86_64', slice.path, ['run'])) runs.set(run.scenario, run);
  return () => slice.remove();
});

it.each(scenarios)('$id: $why', (scenario) => expectRun(runs.get(scenario.id) as Run, scenario));

it.each(Object.entries(IN_FULL))('logs every line in order: %s', (id, lines) => {
  expect(ofKind(runs.get(id) as Run, 'log').map(lineOf)).toEqual([...BEGINS, ...lines, ...ALLOWS]);
});

it.each(FAILING_CALLS.map((row) => [row.why, row.symbols.join(' '), row] as const))('%s: %s', (_why, _symbols, row) =>
  expectFailing(out, 'x86_64', slice.path, row),
);

it('keeps every rule while calls fail', async () => {
  const lines = await host<Sweep | Run>(out, 'x86_64', slice.path, ['sample', '20260601', '300']);
  expect(
    (lines.slice(0, -1) as Run[]).map(({ scenario, fault, violations }) => ({ scenario, fault, violations })),
  ).toEqual([]);
});
