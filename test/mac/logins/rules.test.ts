import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { canRun, host, type Run, type Slice } from '../login-host/host.ts';
import { linkProbes } from '../login-host/probes.ts';
import { able, NO_HURRY_MS, useHosts } from './held.ts';

// The probes are for x86_64; what is planted is looked for in the first slice that can run.
const held = useHosts(able.slice(0, 1));

describe.skipIf(able.length === 0)(`the search for traces${able.length ? '' : canRun('x86_64').note}`, () => {
  it.each(['stack', 'heap', 'objects', 'data'])('finds a password and a key left in the %s', async (place) => {
    const slice = able[0] as Slice;
    const [run] = await host<Run>(held.out, slice, held.plugins[slice] as string, ['plant', place]);
    expect(run?.hits.password).toBeGreaterThan(0);
    expect(run?.hits.key).toBeGreaterThan(0);
    expect(run?.violations.join()).toMatch(/the password is left in \d+ places,the new key is left/);
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
    host<Run>(held.out, 'x86_64', join(probes, `probe-${name}`), ['run', scenario]);

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
