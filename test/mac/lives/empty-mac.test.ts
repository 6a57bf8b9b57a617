import { existsSync, lstatSync, readFileSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { install } from '../simulated/installer.ts';
import {
  disk,
  installUpstream,
  loginWorks,
  makeWorld,
  mechanisms,
  restart,
  runGuard,
  runResource,
  stock,
  updateMacOS,
  type World,
} from '../simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds, stockRight } from '../simulated/simulated-mac.ts';
import { BUNDLE, GUARD_JOB, GUARD_LABEL, GUARD_SCRIPT, RESOURCES, testPackages } from '../simulated/test-package.ts';

/** Whom all on the simulated Mac belongs to: root there is whoever runs the tests. */
const OWNER = `${process.getuid?.()}:${process.getgid?.()}`;
const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';
const RECEIPT = '/private/var/db/receipts/com.netflix.Escrow-Buddy.plist';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `lives that begin with an empty Mac under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());
    beforeEach(() => world.mac.reset(world.empty));

    it('install: the bundle, its receipt and one entry are there, and nothing else', async () => {
      const { mac, packages } = world;
      const before = disk(mac);
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(stock('macos-15', true));
      expect(await mac.seal(BUNDLE)).toBe('ok');
      const added = disk(mac).filter((line) => !before.includes(line));
      const ours =
        /^(Library\/Security\/SecurityAgentPlugins\/Escrow Buddy\.bundle|private\/var\/db\/receipts\/com\.netflix)/;
      expect(added.filter((line) => !ours.test(line))).toEqual([]);
      for (const line of added) expect(line).toMatch(new RegExp(` ${OWNER} (40|100)(755|644) \\d+$`));
      expect((await mac.shell('/usr/sbin/pkgutil --pkg-info com.netflix.Escrow-Buddy')).stdout).toContain('version: ');
      expect(mac.unknownCalls()).toBe('');
    });

    it('upgrade from 1.0.0: stale files go, the right is not even written, the setting stays', async () => {
      const { mac, packages } = world;
      await installUpstream(mac);
      const right = mac.rightBytes();
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(mac.rightBytes()).toEqual(right);
      expect(existsSync(mac.path(`${RESOURCES}/only-in-1.0.0.strings`))).toBe(false);
      expect(await mac.seal(BUNDLE)).toBe('ok');
      expect((await mac.shell(`/usr/bin/defaults read ${SETTINGS} GenerateNewKey`)).stdout).toBe('1\n');
    });

    it('downgrade: the older bundle is really there afterwards', async () => {
      const { mac, packages } = world;
      const newer = testPackages(`${mac.work}/newer-${shell}`, '1.2.0');
      expect(await install(mac, newer.product)).toMatchObject({ status: 0 });
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      const version = `/usr/libexec/PlistBuddy -c 'Print :CFBundleShortVersionString' '${BUNDLE}/Contents/Info.plist'`;
      expect((await mac.shell(version)).stdout).toBe('1.1.0\n');
      expect(await mechanisms(mac)).toEqual(stock('macos-15', true));
    });

    it('reinstall over a damaged bundle', async () => {
      const { mac, packages } = world;
      await install(mac, packages.product);
      truncateSync(mac.path(`${BUNDLE}/Contents/MacOS/Escrow Buddy`), 100);
      await mac.shell(`/bin/chmod 0777 '${BUNDLE}/Contents'; /bin/rm '${BUNDLE}/Contents/Info.plist'`);
      expect(await loginWorks(mac)).toBe(false);
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(await loginWorks(mac)).toBe(true);
      expect(lstatSync(mac.path(`${BUNDLE}/Contents`)).mode & 0o7777).toBe(0o755);
    });

    it('install on another volume: files only, authd is not asked', async () => {
      const { mac, packages } = world;
      await mac.put('/Volumes/Other/keep', '');
      const right = mac.rightBytes();
      expect(await install(mac, packages.product, '/Volumes/Other')).toMatchObject({ status: 0 });
      expect(mac.rightBytes()).toEqual(right);
      expect(mac.log().filter(({ argv }) => /security|launchctl|defaults/.test(argv[0]!))).toEqual([]);
      expect(existsSync(mac.path(`/Volumes/Other${BUNDLE}/Contents/Info.plist`))).toBe(true);
      expect(existsSync(mac.path(BUNDLE))).toBe(false);
      for (const extra of [packages.guard, packages.uninstall])
        expect(await install(mac, extra, '/Volumes/Other')).toMatchObject({ status: 0 });
      expect(mac.log().filter(({ argv }) => /security|launchctl|defaults/.test(argv[0]!))).toEqual([]);
    });

    it('EnableGuard in a profile makes postinstall install the guard', async () => {
      const { mac, packages } = world;
      await mac.put('/Library/Managed Preferences/com.netflix.Escrow-Buddy.plist', '{EnableGuard = yes;}');
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(true);
      expect((await mac.shell(`/bin/launchctl print system/${GUARD_LABEL}`)).status).toBe(0);
      expect(lstatSync(mac.path(GUARD_JOB)).mode & 0o7777).toBe(0o644);
    });

    it('the guard installed before the product waits for it', async () => {
      const { mac, packages } = world;
      expect(await install(mac, packages.guard)).toMatchObject({ status: 0 });
      await runGuard(mac);
      await restart(mac);
      expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
      await updateMacOS(mac, 'macos-26');
      await runGuard(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    });

    it('without that setting there is no guard', async () => {
      const { mac, packages } = world;
      await install(mac, packages.product);
      expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(false);
      expect(existsSync(mac.path(GUARD_JOB))).toBe(false);
    });

    it.each([
      ['no authd', { authd: 'no' }],
      ['a revoked certificate', { codesign: 'CSSMERR_TP_CERT_REVOKED' }],
      ['a processor the bundle is not for', { machine: 'riscv64' }],
    ])('%s: the install fails, the bundle is inert, nothing is registered', async (_, facts) => {
      const { mac, packages } = world;
      const right = mac.rightBytes();
      await mac.facts(facts);
      expect(await install(mac, packages.product)).toMatchObject({ status: 1, failedIn: 'postinstall' });
      expect(mac.rightBytes()).toEqual(right);
      expect(existsSync(mac.path(RECEIPT))).toBe(false);
    });

    it('a macOS that is too old stops before anything is copied', async () => {
      const { mac, packages } = world;
      await mac.facts({ productVersion: '10.13.6' });
      expect(await install(mac, packages.product)).toMatchObject({ status: 1, failedIn: 'preinstall' });
      expect(existsSync(mac.path(BUNDLE))).toBe(false);
    });

    it('uninstall when half installed: an entry, but neither bundle nor receipt', async () => {
      const { mac, packages } = world;
      await mac.setRight(readFileSync(stockRight('macos-26-registered')));
      expect(await install(mac, packages.uninstall)).toMatchObject({ status: 0 });
      expect(await mechanisms(mac)).toEqual(stock('macos-26'));
    });

    it('uninstall when half installed: a bundle, but no entry', async () => {
      const { mac, packages } = world;
      await mac.facts({ authd: 'no' });
      await install(mac, packages.product);
      await mac.facts({});
      const right = mac.rightBytes();
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
      expect(existsSync(mac.path(BUNDLE))).toBe(false);
      expect(mac.rightBytes()).toEqual(right);
    });
  },
);
