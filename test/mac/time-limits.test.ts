import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byDay } from '../support/by-day.ts';
import { install } from './simulated/installer.ts';
import {
  makeWorld,
  mechanisms,
  removeByReceipt,
  runGuard,
  runResource,
  stock,
  updateMacOS,
  type World,
} from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds, TIME_UP } from './simulated/simulated-mac.ts';

/** Every n-th call of a tool hangs. */
const hang = (tool: string) => Array.from({ length: 40 }, (_, i) => `${tool}:${i + 1} hang`);

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `time limits under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    beforeEach(async () => {
      await world.mac.reset(world.installed);
    });
    afterAll(() => world?.mac.stop());

    const tools = [
      'security',
      'codesign',
      'defaults',
      'fdesetup',
      'launchctl',
      'pkgutil',
      'dscl',
      'sysadminctl',
      'logger',
    ];
    it.each(byDay(tools, 4))(
      'no script waits for ever, or changes anything by mistake, when %s hangs',
      async (tool) => {
        const { mac, packages } = world;
        const right = mac.rightBytes();
        const acts: [string, number, () => Promise<{ status: number }>][] = [
          ['AuthDBSetup.sh', 200, () => runResource(mac, 'AuthDBSetup.sh')],
          ['guard', 200, () => runGuard(mac)],
          ['status.sh', 200, () => runResource(mac, 'status.sh')],
          ['postinstall', 400, () => install(mac, packages.product)],
          ['guard postinstall', 400, () => install(mac, packages.guard)],
        ];
        for (const [name, seconds, act] of acts) {
          await mac.faults(...hang(tool));
          const start = mac.now();
          const { status } = await act();
          expect(status, `${name}: ${mac.stdout()}`).not.toBe(TIME_UP);
          expect(mac.now() - start, name).toBeLessThan(seconds);
          expect(mac.rightBytes(), name).toEqual(right);
        }
        await mac.faults(...hang(tool));
        expect((await runResource(mac, 'uninstall.sh')).status).not.toBe(TIME_UP);
      },
    );

    it('a write that hangs is checked by what can be read afterwards', async () => {
      const { mac } = world;
      await updateMacOS(mac, 'macos-26');
      await mac.faults('security-write:1 hang');
      expect(await runResource(mac, 'AuthDBSetup.sh'), mac.stdout()).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    });

    it('a guard that got no answer says so, and does its work at the next look', async () => {
      const { mac } = world;
      removeByReceipt(mac);
      await mac.faults(...hang('security'));
      expect(await runGuard(mac)).toMatchObject({ status: 1 });
      expect(mac.stdout()).toContain('no-answer');
      await mac.faults();
      expect(await runGuard(mac)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    });

    it('settings that could not be read keep the guard from healing, as DisableHeal may be among them', async () => {
      const { mac } = world;
      await mac.put('/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist', '{DisableHeal = 1;}');
      await updateMacOS(mac, 'macos-26');
      await mac.faults(...hang('defaults'));
      await runGuard(mac);
      expect(mac.stdout()).toContain('settings could not be read');
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
    });

    it('status.sh tells a missing answer from a bad one', async () => {
      const { mac } = world;
      const check = async (id: string) => {
        await runResource(mac, 'status.sh', '--json');
        return JSON.parse(mac.stdout()).checks.find((found: { id: string }) => found.id === id);
      };
      await mac.faults(...hang('security'));
      expect(await check('mechanism')).toMatchObject({
        status: 'skipped',
        level: 1,
        reason: expect.stringContaining('no-answer'),
      });
      await mac.faults(...hang('codesign'));
      expect(await check('bundle')).toMatchObject({ status: 'skipped', level: 1 });
      await mac.faults(...hang('fdesetup'));
      expect(await check('filevault')).toMatchObject({ status: 'skipped', level: 1 });
      await mac.faults(...hang('dscl'));
      expect(await check('secure-token')).toMatchObject({ status: 'skipped', level: 1 });
      await mac.faults(...hang('sysadminctl'));
      expect(await check('secure-token')).toMatchObject({ status: 'skipped', level: 1 });
      await mac.faults(...hang('defaults'));
      for (const id of ['escrow-profile', 'request', 'last-outcome']) {
        await mac.put('/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow.plist', '{Location = x;}');
        await mac.shell(
          '/usr/bin/defaults write /Library/Preferences/com.netflix.Escrow-Buddy GenerateNewKey -bool true',
        );
        await mac.faults(...hang('defaults'));
        expect(await check(id)).toMatchObject({ status: 'skipped', level: 1 });
      }
      await mac.faults();
      await mac.facts({ authd: 'no' });
      expect(await check('mechanism')).toMatchObject({ status: 'fail', level: 2 });
    });
  },
);
