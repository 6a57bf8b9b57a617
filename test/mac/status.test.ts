import { truncateSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  disk,
  makeWorld,
  removeByReceipt,
  runResource,
  updateMacOS,
  type World,
  writeMechanisms,
} from './simulated/lives.ts';
import { SHELLS, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, RESOURCES } from './simulated/test-package.ts';

const ESCROW = '/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist';
const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS)(`status.sh under %s${simulatedMacNeeds.note}`, (shell) => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(shell);
  });
  beforeEach(async () => {
    await world.mac.reset(world.installed);
    await world.mac.put(ESCROW, '{Location = "Example Inc.";}');
  });
  afterAll(() => world?.mac.stop());

  /** [what, what is done to a healthy Mac, exit status, part of the JSON]. */
  it.each<[string, (world: World) => Promise<unknown>, number, RegExp]>([
    ['healthy', async () => undefined, 0, /"state":"healthy".*"place":"in-place"/],
    [
      'a request that waits',
      ({ mac }) => mac.shell(`/usr/bin/defaults write ${SETTINGS} GenerateNewKey -bool true`),
      0,
      /"request":"pending"/,
    ],
    ['FileVault off', ({ mac }) => mac.facts({ filevault: 'off' }), 1, /"fileVault":"off"/],
    ['FileVault busy', ({ mac }) => mac.facts({ isactiveExit: '2' }), 1, /"fileVault":"busy"/],
    ['no escrow profile', ({ mac }) => mac.shell(`/bin/rm '${ESCROW}'`), 1, /"escrowLocation":null/],
    ['the entry dropped by an update', ({ mac }) => updateMacOS(mac, 'macos-26'), 1, /"place":"absent"/],
    [
      'a failed attempt',
      ({ mac }) => mac.shell(`/usr/bin/defaults write ${SETTINGS} LastOutcome -string rotation-failed`),
      1,
      /"lastOutcome":"rotation-failed"/,
    ],
    [
      'an entry without a bundle that works',
      async ({ mac }) => truncateSync(mac.path(`${BUNDLE}/Contents/Info.plist`), 10),
      2,
      /"state":"broken"/,
    ],
    ['a right without the anchor', ({ mac }) => writeMechanisms(mac, ['builtin:prelogin']), 2, /"state":"broken"/],
    ['no authd', ({ mac }) => mac.facts({ authd: 'no' }), 2, /"state":"broken"/],
  ])('%s', async (_, arrange, status, json) => {
    const { mac } = world;
    await arrange(world);
    const before = disk(mac);
    const right = mac.rightBytes();
    const lines = await runResource(mac, 'status.sh');
    const text = mac.stdout();
    const machine = await runResource(mac, 'status.sh', '--json');
    expect(lines.status, text).toBe(status);
    expect(machine.status).toBe(status);
    expect(JSON.parse(mac.stdout())).toMatchObject({ schema: 1 });
    expect(mac.stdout()).toMatch(json);
    expect(disk(mac), 'status.sh writes nothing').toEqual(before);
    expect(mac.rightBytes()).toEqual(right);
    expect(mac.unknownCalls()).toBe('');
  });

  it('says so when the bundle is gone, run from a copy', async () => {
    const { mac } = world;
    await mac.shell(`/bin/cp '${RESOURCES}/status.sh' /private/tmp/status.sh`);
    removeByReceipt(mac);
    expect((await mac.run(['/bin/sh', '/private/tmp/status.sh', '--json'])).status).toBe(2);
    expect(mac.stdout()).toMatch(/"state":"absent"/);
  });
});
