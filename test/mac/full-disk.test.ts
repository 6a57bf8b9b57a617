import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  disk,
  loginWorks,
  makeWorld,
  mechanisms,
  removeByReceipt,
  stock,
  updateMacOS,
  type World,
} from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, GUARD_LABEL, GUARD_SCRIPT, RESOURCES } from './simulated/test-package.ts';

const LOCK = '/private/var/db/com.netflix.Escrow-Buddy.lock';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `a disk that takes nothing, under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    beforeEach(() => world.mac.reset(world.installed));
    afterAll(() => world?.mac.stop());

    /** Runs a script while every write to the disk fails, /private/tmp among it; nothing may have changed on it then. */
    const run = async (script: string) => {
      const { mac } = world;
      const before = disk(mac);
      const job = script === GUARD_SCRIPT ? GUARD_LABEL : '-';
      const { status } = await mac.run(['/bin/sh', script], { readOnly: true, job });
      expect(disk(mac)).toEqual(before);
      return { status, said: mac.stdout(), stderr: mac.stderr() };
    };

    it('is really one', async () => {
      const { mac } = world;
      await mac.put(
        '/private/tmp/try.sh',
        'for f in /private/tmp/x /Library/x /var/db/x /Users/x; do (: >$f) 2>/dev/null && echo "$f"; done',
      );
      expect(await run('/private/tmp/try.sh')).toMatchObject({ said: '' });
    });

    it.each([
      ['the bundle is gone', () => removeByReceipt(world.mac)],
      ['the executable is gone', () => world.mac.shell(`/bin/rm '${BUNDLE}/Contents/MacOS/Escrow Buddy'`)],
      ['the bundle is damaged', () => world.mac.shell(`echo >>'${BUNDLE}/Contents/Info.plist'`)],
    ])('the guard unlocks the login: %s', async (_, damage) => {
      await damage();
      expect(await loginWorks(world.mac)).toBe(false);
      const { said } = await run(GUARD_SCRIPT);
      expect(await mechanisms(world.mac), said).toEqual(stock('macos-15'));
      expect(said).toContain('could not be written');
    });

    it('even when a dead script has left its lock', async () => {
      const { mac } = world;
      await mac.shell(`/bin/ln -s 99999.1 ${LOCK}`);
      removeByReceipt(mac);
      await run(GUARD_SCRIPT);
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    });

    it('AuthDBSetup.sh unlocks too, and AuthDBTeardown.sh unregisters', async () => {
      const { mac } = world;
      expect(await run(`${RESOURCES}/AuthDBTeardown.sh`)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
      await mac.reset(world.installed);
      await mac.shell(`echo >>'${BUNDLE}/Contents/Info.plist'`);
      expect(await run(`${RESOURCES}/AuthDBSetup.sh`)).toMatchObject({ status: 1 });
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    });

    it('an entry is not put in without the lock, and it is said why', async () => {
      const { mac } = world;
      await updateMacOS(mac, 'macos-26');
      for (const script of [GUARD_SCRIPT, `${RESOURCES}/AuthDBSetup.sh`])
        expect((await run(script)).said).toContain(`${LOCK} could not be made`);
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
    });

    it('an uninstall takes the entry out, and what it says is left is true', async () => {
      const { mac } = world;
      const { status, said } = await run(`${RESOURCES}/uninstall.sh`);
      expect(status).toBe(1);
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
      expect(said).toContain(`${BUNDLE} could not be deleted`);
      expect(said).toContain("The guard's files could not be deleted");
    });

    it('a healthy Mac is found healthy', async () => {
      const { mac } = world;
      await run(GUARD_SCRIPT);
      expect((await run(`${RESOURCES}/status.sh`)).said).toContain('mechanism: in-place');
      expect((await mechanisms(mac)).filter((entry) => entry === ENTRY)).toHaveLength(1);
    });
  },
);
