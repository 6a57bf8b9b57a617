import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  crypt,
  makeWorld,
  mechanisms,
  restart,
  runGuard,
  stock,
  updateMacOS,
  type World,
  writeMechanisms,
} from '../simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from '../simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, GUARD_SCRIPT } from '../simulated/test-package.ts';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `lives of product and guard: damage, doubt and neighbours under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());
    beforeEach(() => world.mac.reset(world.installed));

    it.each([
      ['an executable that is gone', `/bin/rm '${BUNDLE}/Contents/MacOS/Escrow Buddy'`],
      ['an executable others may write', `/bin/chmod 0757 '${BUNDLE}/Contents/MacOS/Escrow Buddy'`],
      ['a folder others may write', `/bin/chmod 0777 '${BUNDLE}'`],
      ['a changed executable', `printf x >>'${BUNDLE}/Contents/Info.plist'`],
      ['an added file', `: >'${BUNDLE}/Contents/Resources/added'`],
      ['a link in place of the bundle', `/bin/mv '${BUNDLE}' /Users/alex/b; /bin/ln -s /Users/alex/b '${BUNDLE}'`],
    ])('%s: the guard takes the entry out and stays', async (_, damage) => {
      const { mac } = world;
      await mac.shell(damage);
      await runGuard(mac);
      expect(await mechanisms(mac), mac.stdout()).toEqual(stock('macos-15'));
      expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(true);
    });

    it.skipIf(process.getuid?.() !== 0)('an executable of another owner: the guard takes the entry out', async () => {
      const { mac } = world;
      await mac.shell(`/usr/sbin/chown 501:20 '${BUNDLE}/Contents/MacOS/Escrow Buddy'`);
      await runGuard(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    });

    it.each([
      ['hangs', ['codesign:1 hang', 'codesign:2 hang', 'codesign:3 hang', 'codesign:4 hang']],
      ['hangs once and refuses once', ['codesign:1 hang', 'codesign:2 fail 1', 'codesign:3 hang', 'codesign:4 fail 1']],
      ['cannot run', ['codesign:1 fail 2', 'codesign:2 fail 2', 'codesign:3 fail 2', 'codesign:4 fail 2']],
      ['refuses once', ['codesign:1 fail 1']],
    ])('a codesign that %s proves nothing', async (_, faults) => {
      const { mac } = world;
      const right = mac.rightBytes();
      await mac.faults(...faults);
      await runGuard(mac);
      expect(mac.rightBytes()).toEqual(right);
    });

    it('an entry far before the anchor is left alone, one behind it or before the password is not', async () => {
      const { mac } = world;
      const list = stock('macos-15');
      const at = (index: number) => list.toSpliced(index, 0, ENTRY);
      for (const [index, healed] of [
        [list.length, true],
        [0, true],
        [10, false],
        [list.length - 2, false],
      ] as const) {
        await mac.reset(world.installed);
        await writeMechanisms(mac, at(index));
        await runGuard(mac);
        expect(await mechanisms(mac), `at ${index}`).toEqual(healed ? stock('macos-15', true) : at(index));
      }
    });

    it("Crypt's check and ours come to rest: both entries there, no more writes", async () => {
      const { mac } = world;
      await updateMacOS(mac, 'macos-14');
      const changed: boolean[] = [];
      for (let round = 0; round < 10; round++) {
        const before = mac.rightBytes();
        const theirs = await crypt(mac);
        await restart(mac);
        changed.push(theirs || !mac.rightBytes().equals(before));
      }
      expect(changed.slice(2)).toEqual(Array(8).fill(false));
      expect((await mechanisms(mac)).slice(-3)).toEqual([ENTRY, 'Crypt:Check,privileged', 'loginwindow:done']);
    });
  },
);
