import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { install } from './simulated/installer.ts';
import {
  disk,
  installUpstream,
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
} from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, testPackages } from './simulated/test-package.ts';

/** Packages of a team with a Developer ID, which no rehearsal can make. */
describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `a team's package under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    let folder: string;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'team-package-'));
      world = await makeWorld(shell, testPackages(folder));
    });
    beforeEach(() => world.mac.reset(world.empty));
    afterAll(async () => {
      await world?.mac.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    it('is installed, guarded, healed, checked healthy, unlocked and uninstalled', async () => {
      const { mac, packages } = world;
      const before = disk(mac);
      for (const component of [packages.product, packages.guard])
        expect(await install(mac, component)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(stock('macos-15', true));
      await updateMacOS(mac, 'macos-26');
      await restart(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
      await runResource(mac, 'status.sh', '--json');
      expect(JSON.parse(mac.stdout())).toMatchObject({ bundle: { state: 'valid' }, mechanism: { place: 'in-place' } });
      removeByReceipt(mac);
      await runGuard(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
      expect(disk(mac)).toEqual(before);
      expect(mac.unknownCalls()).toBe('');
    });

    it('hands codesign its requirement as an argument of its own, after one =', async () => {
      const { mac, packages } = world;
      await install(mac, packages.product);
      const asked = mac.log().filter(({ argv }) => argv[0] === '/usr/bin/codesign');
      expect(asked.length).toBeGreaterThan(0);
      for (const { argv, status } of asked) {
        expect(argv.slice(1, 4)).toEqual(['--verify', '--strict', '-R']);
        expect(argv[4]).toMatch(/^=identifier "com\.netflix\.Escrow-Buddy" and anchor apple generic and /);
        expect(status).toBe(0);
      }
    });

    it('rolled back to 1.0.0, which another team signed: the entry stays, registering is refused, it is told', async () => {
      const { mac, packages } = world;
      for (const component of [packages.product, packages.guard]) await install(mac, component);
      const setup = mac.path('/private/tmp/AuthDBSetup.sh');
      await mac.shell(
        `/bin/cp '${BUNDLE}/Contents/Resources/AuthDBSetup.sh' '${BUNDLE}/Contents/Resources/status.sh' /private/tmp`,
      );
      rmSync(mac.path(BUNDLE), { recursive: true });
      await installUpstream(mac);
      const right = mac.rightBytes();
      expect(await runGuard(mac)).toMatchObject({ status: 1 });
      expect(mac.stdout()).toContain("not that of this product's team");
      expect(await mac.run(['/bin/sh', '/private/tmp/AuthDBSetup.sh']), setup).toMatchObject({ status: 1 });
      expect(mac.rightBytes()).toEqual(right);
      expect(await loginWorks(mac)).toBe(true);
      expect(await mac.run(['/bin/sh', '/private/tmp/status.sh', '--json'])).toMatchObject({ status: 1 });
      const status = JSON.parse(mac.stdout());
      expect(status).toMatchObject({ bundle: { state: 'unfamiliar' }, guard: { lastResult: 'unfamiliar' } });
    });
  },
);
