import { existsSync, lstatSync, readFileSync, truncateSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { install } from './simulated/installer.ts';
import {
  crypt,
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
  writeMechanisms,
} from './simulated/lives.ts';
import { SHELLS_OF_THE_DAY, simulatedMacNeeds, stockRight } from './simulated/simulated-mac.ts';
import {
  BUNDLE,
  ENTRY,
  GUARD_JOB,
  GUARD_LABEL,
  GUARD_SCRIPT,
  RESOURCES,
  testPackages,
} from './simulated/test-package.ts';

const SETTINGS = '/Library/Preferences/com.netflix.Escrow-Buddy';
const RECEIPT = '/private/var/db/receipts/com.netflix.Escrow-Buddy.plist';

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `lives under %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());

    describe('from an empty Mac', () => {
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
        for (const line of added) expect(line).toMatch(/ 0:0 (40|100)(755|644) \d+$/);
        expect((await mac.shell('/usr/sbin/pkgutil --pkg-info com.netflix.Escrow-Buddy')).stdout).toContain(
          'version: ',
        );
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
    });

    describe('from a Mac with product and guard', () => {
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
        [
          'hangs once and refuses once',
          ['codesign:1 hang', 'codesign:2 fail 1', 'codesign:3 hang', 'codesign:4 fail 1'],
        ],
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
    });
  },
);
