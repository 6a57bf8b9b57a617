import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { install } from '../simulated/installer.ts';
import {
  disk,
  loginWorks,
  makeWorld,
  mechanisms,
  removeByReceipt,
  restart,
  runGuard,
  runResource,
  stock,
  updateMacOS,
  type World,
  writeMechanisms,
} from '../simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from '../simulated/simulated-mac.ts';
import { BUNDLE, GUARD_JOB, GUARD_LABEL, GUARD_SCRIPT } from '../simulated/test-package.ts';

const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `lives of product and guard: updates, settings, removals under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());
    beforeEach(() => world.mac.reset(world.installed));

    it.each(['script', 'package'])(
      'uninstall by %s: tree and mechanisms are as before the installation',
      async (way) => {
        const { mac, packages } = world;
        await mac.shell(`/usr/bin/defaults write ${SETTINGS} GenerateNewKey -bool true`);
        await mac.setRight(mac.rightBytes());
        if (way === 'script') expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
        else expect(await install(mac, packages.uninstall)).toMatchObject({ status: 0 });
        const after = disk(mac).filter((line) => !line.includes('receipts/com.netflix.Escrow-Buddy.uninstall'));
        await mac.reset(world.empty);
        expect(after).toEqual(disk(mac));
      },
    );

    it('uninstall: unregisters before it deletes, and its job is gone', async () => {
      const { mac } = world;
      mac.forgetLog();
      await runResource(mac, 'uninstall.sh');
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
      const calls = mac.log().map(({ argv }) => argv.join(' '));
      const written = calls.findIndex((call) => call.includes('authorizationdb write'));
      const deleted = calls.findIndex((call) => call.startsWith('/bin/rm') && call.includes(BUNDLE));
      expect(written).toBeGreaterThan(-1);
      expect(deleted).toBeGreaterThan(written);
      expect((await mac.shell(`/bin/launchctl print system/${GUARD_LABEL}`)).status).toBe(113);
    });

    it('updates of macOS drop the entry: the guard puts it back at the next start, each time', async () => {
      const { mac } = world;
      for (const release of ['macos-12-3', 'macos-13', 'macos-14', 'macos-26']) {
        await updateMacOS(mac, release);
        expect(await restart(mac), mac.stdout()).toMatchObject({ status: 0 });
        expect(await mechanisms(mac)).toEqual(stock(release, true));
      }
      expect(mac.unknownCalls()).toBe('');
    });

    it('heals once a boot', async () => {
      const { mac } = world;
      await updateMacOS(mac, 'macos-26');
      await runGuard(mac);
      await updateMacOS(mac, 'macos-26');
      await runGuard(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
      await restart(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    });

    it.each([
      ['DisableHeal', '{DisableHeal = 1;}'],
      ['MaximumOSVersion', '{MaximumOSVersion = "15";}'],
      ['MaximumOSVersion that is not a version', '{MaximumOSVersion = "newest";}'],
    ])('%s keeps the guard from healing, but not from unlocking', async (_, profile) => {
      const { mac } = world;
      await mac.put('/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist', profile);
      await updateMacOS(mac, 'macos-26');
      await restart(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
      await writeMechanisms(mac, stock('macos-26', true));
      removeByReceipt(mac);
      await runGuard(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
    });

    it('MaximumOSVersion of this release lets it heal', async () => {
      const { mac } = world;
      await mac.put('/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist', '{MaximumOSVersion = "26";}');
      await updateMacOS(mac, 'macos-26');
      await restart(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    });

    it('the bundle is deleted by receipt: the guard unlocks the login, waits for a day, and then leaves with its receipt', async () => {
      const { mac } = world;
      removeByReceipt(mac);
      expect(await loginWorks(mac)).toBe(false);
      await runGuard(mac);
      expect(await loginWorks(mac)).toBe(true);
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
      await runGuard(mac);
      await mac.pass(86_000);
      await runGuard(mac);
      const receipt = `/usr/sbin/pkgutil --pkg-info ${GUARD_LABEL}`;
      expect(existsSync(mac.path(GUARD_SCRIPT)), 'a day is not over').toBe(true);
      expect((await mac.shell(receipt)).status).toBe(0);
      await mac.pass(500);
      await runGuard(mac);
      for (const path of [GUARD_SCRIPT, GUARD_JOB, `/.sim/launchd/${GUARD_LABEL}`])
        expect(existsSync(mac.path(path)), path).toBe(false);
      expect((await mac.shell(receipt)).status, 'its receipt would keep an MDM from installing it again').toBe(1);
    });

    it('removed and installed again within a day, the guard is still there and heals', async () => {
      const { mac, packages } = world;
      removeByReceipt(mac);
      await runGuard(mac);
      await mac.pass(80_000);
      await runGuard(mac);
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      await runGuard(mac);
      await mac.pass(80_000);
      removeByReceipt(mac);
      await runGuard(mac);
      await runGuard(mac);
      await mac.pass(80_000);
      await runGuard(mac);
      expect(existsSync(mac.path(GUARD_SCRIPT)), 'the day begins anew').toBe(true);
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      await updateMacOS(mac, 'macos-26');
      await restart(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    });
  },
);
