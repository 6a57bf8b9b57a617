import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { install } from './simulated/installer.ts';
import { makeWorld, mechanisms, runResource, stock, type World, writeMechanisms } from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { ENTRY, GUARD_LABEL } from './simulated/test-package.ts';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `tools that lie, under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());

    beforeEach(() => world.mac.reset(world.empty));
    const registered = () => stock('macos-15', true);

    it('read cut short with exit 0: nothing is written', async () => {
      const { mac, packages } = world;
      for (const bytes of [0, 1, 300, 900]) {
        await mac.reset(world.empty);
        const right = mac.rightBytes();
        await mac.faults(`security-read:1 truncate ${bytes}`);
        expect(await install(mac, packages.product)).toMatchObject({ status: 1 });
        expect(mac.rightBytes()).toEqual(right);
      }
    });

    it('write says YES and changes nothing, again and again: it fails', async () => {
      const { mac, packages } = world;
      const right = mac.rightBytes();
      await mac.faults(...[1, 2, 3, 4, 5, 6].map((n) => `security-write:${n} swallow`));
      expect(await install(mac, packages.product)).toMatchObject({ status: 1 });
      expect(mac.rightBytes()).toEqual(right);
    });

    it('write says YES and changes nothing, once: the second attempt counts', async () => {
      const { mac, packages } = world;
      await mac.faults('security-write:1 swallow');
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(registered());
    });

    it('write says NO but did it: reading back decides', async () => {
      const { mac, packages } = world;
      await mac.faults('security-write:1 late');
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(registered());
    });

    it.each([1, 2, 3])('another tool writes before our read %i: its entry survives', async (read) => {
      const { mac, packages } = world;
      const other = stock('macos-15').toSpliced(17, 0, 'Other:Tool,privileged');
      const plain = mac.rightBytes();
      await writeMechanisms(mac, other);
      await mac.put('/.sim/hooks/other', mac.rightBytes());
      await mac.setRight(plain);
      await mac.faults(`security-read:${read} between other`);
      const { status } = await install(mac, packages.product);
      const list = await mechanisms(mac);
      expect(list).toContain('Other:Tool,privileged');
      expect(list.filter((entry) => entry !== ENTRY)).toEqual(other);
      expect(list.includes(ENTRY)).toBe(status === 0);
    });

    it('plutil prints nothing, or half of the right, and ends with 0: nothing is written', async () => {
      const { mac, packages } = world;
      const right = mac.rightBytes();
      for (const fault of ['empty-output', 'truncate 300', 'truncate 1200']) {
        await mac.reset(world.empty);
        await mac.faults(...[1, 2, 3].map((n) => `plutil-convert:${n} ${fault}`));
        expect(await install(mac, packages.product)).toMatchObject({ status: 1 });
        expect(mac.rightBytes()).toEqual(right);
      }
    });

    it('pkgutil keeps a damaged receipt and says it forgot it: the uninstaller ends well all the same', async () => {
      const { mac } = world;
      await mac.reset(world.installed);
      await mac.facts({ forget: 'damaged' });
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
    });

    it('launchd takes its time after a bootout', async () => {
      const { mac, packages } = world;
      await mac.reset(world.installed);
      await mac.facts({ busyAfterBootout: '3' });
      expect(await install(mac, packages.guard)).toMatchObject({ status: 0 });
      expect(existsSync(mac.path(`/.sim/launchd/${GUARD_LABEL}`))).toBe(true);
    });
  },
);
