import { chmodSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeWorld, mechanisms, runGuard, runResource, stock, type World } from './simulated/lives.ts';
import { simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, GUARD_LABEL } from './simulated/test-package.ts';

const EXECUTABLE = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;

/** What takes an entry out, and what does not. */
describe.skipIf(simulatedMacNeeds.missing)(`proof against a bundle${simulatedMacNeeds.note}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld('dash');
  });
  beforeEach(() => world.mac.reset(world.installed));
  afterAll(() => world?.mac.stop());

  const setup = () => runResource(world.mac, 'AuthDBSetup.sh');
  const asked = () => world.mac.log().filter(({ argv }) => argv[0] === '/usr/bin/codesign').length;
  /** The n-th answers of codesign. */
  const codesign = (...kinds: string[]) => world.mac.faults(...kinds.map((kind, i) => `codesign:${i + 1} ${kind}`));

  it.each<[string, readonly string[], number, boolean]>([
    ['refuses three times', ['fail 1', 'fail 1', 'fail 1'], 1, false],
    ['crashes over it three times', ['fail 139', 'fail 134', 'fail 139'], 1, false],
    ['refuses twice and then takes it', ['fail 1', 'fail 1'], 0, true],
    ['cannot tell, and then takes it', ['fail 2'], 0, true],
    ['hangs, and then takes it', ['hang'], 0, true],
    ['hangs twice', ['hang', 'hang'], 1, true],
    ['refuses, hangs, refuses, hangs', ['fail 1', 'hang', 'fail 1', 'hang'], 1, true],
    ['is not there', ['fail 127', 'fail 127'], 1, true],
    ['finds another signer', ['fail 3'], 1, true],
    ['refuses twice and finds another signer', ['fail 1', 'fail 1', 'fail 3'], 1, true],
  ])('codesign %s', async (_, faults, status, stays) => {
    const { mac } = world;
    await codesign(...faults);
    expect(await setup(), mac.stdout()).toMatchObject({ status });
    expect((await mechanisms(mac)).includes(ENTRY)).toBe(stays);
  });

  it('asks codesign three times over ten seconds or more', async () => {
    const { mac } = world;
    await codesign('fail 1', 'fail 1', 'fail 1');
    const start = mac.now();
    await setup();
    expect(asked()).toBe(3);
    expect(mac.now() - start).toBeGreaterThanOrEqual(10);
  });

  it.each<[string, () => unknown]>([
    ['a text', () => writeFileSync(world.mac.path(EXECUTABLE), '#!/bin/sh\nexit 0\n')],
    ['empty', () => writeFileSync(world.mac.path(EXECUTABLE), '')],
    ['a file of another system', () => writeFileSync(world.mac.path(EXECUTABLE), '\x7fELF\x02\x01\x01')],
    ['not executable', () => chmodSync(world.mac.path(EXECUTABLE), 0o644)],
    ['gone', () => world.mac.shell(`/bin/rm '${EXECUTABLE}'`)],
  ])('an executable that is %s is proof without codesign', async (_, damage) => {
    const { mac } = world;
    await damage();
    mac.forgetLog();
    expect(await setup()).toMatchObject({ status: 1 });
    expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    expect(asked()).toBe(0);
  });

  it.each(['1', '2', '97', '126'])('a look at the bundle that fails with %s is none', async (status) => {
    const { mac } = world;
    for (const tool of ['find', 'stat', 'file', 'uname', 'od', 'ls']) {
      await mac.reset(world.installed);
      await mac.faults(...[1, 2, 3, 4, 5].map((n) => `${tool}:${n} fail ${status}`));
      await setup();
      expect((await mechanisms(mac)).includes(ENTRY), tool).toBe(true);
      await runGuard(mac);
      expect((await mechanisms(mac)).includes(ENTRY), tool).toBe(true);
    }
  });

  it('what the guard has in its record is not proof either', async () => {
    const { mac } = world;
    await codesign('fail 1', 'fail 1', 'fail 1', 'fail 1', 'fail 1', 'fail 1');
    await runGuard(mac);
    expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    await mac.faults();
    expect(await setup()).toMatchObject({ status: 0 });
    await runGuard(mac);
    expect(await mechanisms(mac), `${GUARD_LABEL}: ${mac.stdout()}`).toEqual(stock('macos-15', true));
  });
});
