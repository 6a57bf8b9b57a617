import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY, SHELLS, SimulatedMac, simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { BUNDLE, putProduct, RUN } from './product.ts';

const FIXTURES = join(REPOSITORY, 'test/fixtures/authorizationdb');
interface Outcome {
  readonly outcome: 'changed' | 'unchanged' | 'refuse';
  readonly mechanisms?: readonly string[];
  readonly reason?: string;
  readonly mayDeleteBundle?: boolean;
}
interface Case {
  readonly file: string;
  readonly read: { exit: number; stderr: string };
  readonly register: Outcome;
  readonly unregister: Outcome;
  readonly heal: Outcome;
  readonly unlock: Outcome;
  readonly authd?: { write: string; readBack?: readonly string[] };
}
const cases = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')).cases as Record<string, Case> | Case[];
const all: Case[] = Array.isArray(cases) ? cases : Object.values(cases);

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing).each(SHELLS)(`the scripts under %s${note}`, (shell) => {
  let mac: SimulatedMac;
  let fresh: string;
  beforeAll(async () => {
    mac = await SimulatedMac.start(shell);
    await putProduct(mac);
    fresh = await mac.save('fresh');
  });
  afterAll(() => mac.stop());

  async function begin(c: Case) {
    await mac.reset(fresh);
    await mac.setRight(readFileSync(join(FIXTURES, c.file)), c.read);
  }

  async function check(c: Case, task: 'register' | 'unregister' | 'heal' | 'unlock', program: readonly string[]) {
    await begin(c);
    if (task === 'unlock') rmSync(mac.path(BUNDLE), { recursive: true });
    const before = mac.rightBytes();
    const run = await mac.run(['/bin/sh', ...program]);
    const said = `${mac.stdout()}${mac.stderr()}`;
    const { outcome, mechanisms, reason } = c[task];
    const refused = outcome === 'refuse' || (outcome === 'changed' && c.authd?.write === 'denied');
    if (outcome === 'refuse') expect(said).toContain(`(${reason})`);
    if (refused || outcome === 'unchanged') expect(mac.rightBytes().equals(before), said).toBe(true);
    else {
      const expected = (task !== 'unlock' && c.authd?.readBack) || mechanisms;
      expect((await mac.right())?.mechanisms ?? [], said).toEqual(expected);
    }
    const kept = task === 'unregister' && c.unregister.mayDeleteBundle === false;
    expect(run.status, said).toBe(refused || kept ? 1 : 0);
    expect(mac.unknownCalls()).toBe('');
    expect(mac.stderr()).toBe('');
  }

  for (const c of all) {
    it(`registers ${c.file}`, () => check(c, 'register', RUN.register));
    it(`unregisters ${c.file}`, () => check(c, 'unregister', RUN.unregister));
    it(`heals ${c.file}`, () => check(c, 'heal', RUN.guard));
    it(`unlocks ${c.file}`, () => check(c, 'unlock', RUN.guard));
  }
});
