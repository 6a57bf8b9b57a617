import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byDay } from '../support/by-day.ts';
import { install, picture } from './simulated/installer.ts';
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
import { BUNDLE } from './simulated/test-package.ts';

/** Places where every local user may make files. */
const PLACES = [
  '/private/tmp',
  '/private/var/tmp',
  '/private/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T',
  '/Users/alex',
];

/** Names a script might use there; 1.0.0 really used the first, with `auth.db` in it. */
const NAMES = [
  'com.netflix.Escrow-Buddy',
  'com.netflix.Escrow-Buddy.lock',
  'com.netflix.Escrow-Buddy.work',
  'com.netflix.Escrow-Buddy.guard',
  'com.netflix.Escrow-Buddy.guard.healed',
  'Escrow Buddy',
  'auth.db',
  'system.login.console.plist',
];

type Kind = 'folder' | 'link to a file' | 'link to a folder' | 'link to nothing' | 'FIFO' | 'file';
const KINDS: readonly Kind[] = ['folder', 'link to a file', 'link to a folder', 'link to nothing', 'FIFO', 'file'];

/** Right with a mechanism of the attacker's: what a user would like root to write. */
const EVIL = readFileSync(new URL('../fixtures/authorizationdb/stock-macos-15.plist', import.meta.url), 'utf8').replace(
  'loginwindow:done',
  'Evil:Root,privileged</string>\n\t\t<string>loginwindow:done',
);

function plant(world: World, kind: Kind): void {
  const { mac } = world;
  mkdirSync(mac.path('/private/etc/victim'), { recursive: true });
  writeFileSync(mac.path('/private/etc/victim/file'), 'untouched\n', { mode: 0o600 });
  const paths = PLACES.flatMap((place) => NAMES.map((name) => join(mac.path(place), name)));
  if (kind === 'FIFO') execFileSync('mkfifo', paths);
  for (const path of paths) {
    if (kind === 'folder') {
      mkdirSync(path, { mode: 0o777 });
      writeFileSync(join(path, 'auth.db'), EVIL);
    } else if (kind === 'file') writeFileSync(path, EVIL, { mode: 0o666 });
    else if (kind === 'link to nothing') symlinkSync('/private/etc/made-by-root', path);
    else if (kind !== 'FIFO')
      symlinkSync(kind === 'link to a file' ? '/private/etc/victim/file' : '/private/etc/victim', path);
    if (process.getuid?.() === 0 && !kind.startsWith('link')) chownSync(path, 501, 20);
  }
}

/** What a user controls of the world a script sees. */
const watched = ({ mac }: World) => [...PLACES, '/private/etc'].flatMap((place) => picture(mac.path(place)));

describe.skipIf(simulatedMacNeeds.missing).each(SHELLS_OF_THE_DAY)(
  `a hostile local user, %s${simulatedMacNeeds.note}`,
  (shell) => {
    let world: World;
    beforeAll(async () => {
      world = await makeWorld(shell);
    });
    afterAll(() => world?.mac.stop());

    // Links mislead a script in much the same way.
    it.each(byDay(KINDS, 0, (kind) => kind.replace(/^link .*/, 'link')))(
      '%s in every temporary place changes nothing',
      async (kind) => {
        const { mac, packages } = world;
        const unharmed = async (what: string, expected: readonly string[], act: () => Promise<unknown>) => {
          const before = watched(world);
          const ended = (await act()) as { status: number };
          expect(ended.status, `${what}: ${mac.stdout()}`).not.toBe(TIME_UP);
          expect(await mechanisms(mac), what).toEqual(expected);
          expect(watched(world), what).toEqual(before);
          expect(readFileSync(mac.path('/private/etc/victim/file'), 'utf8')).toBe('untouched\n');
        };
        await mac.reset(world.empty);
        plant(world, kind);
        await unharmed('install', stock('macos-15', true), () => install(mac, packages.product));
        await unharmed('guard', stock('macos-15', true), () => install(mac, packages.guard));
        await updateMacOS(mac, 'macos-26');
        await unharmed('heal', stock('macos-26', true), () => runGuard(mac));
        await unharmed('unregister', stock('macos-26'), () => runResource(mac, 'AuthDBTeardown.sh'));
        await unharmed('register', stock('macos-26', true), () => runResource(mac, 'AuthDBSetup.sh'));
        await unharmed('uninstall', stock('macos-26'), () => runResource(mac, 'uninstall.sh'));
        await mac.reset(world.installed);
        plant(world, kind);
        removeByReceipt(mac);
        await unharmed('unlock', stock('macos-15'), () => runGuard(mac));
      },
    );

    it('an environment that a user made has no say', async () => {
      const { mac } = world;
      await mac.reset(world.installed);
      await updateMacOS(mac, 'macos-26');
      await mac.shell(
        '/bin/mkdir -p /Users/alex/bin; for t in security rm cp mktemp plutil readlink; do echo "echo stolen >/Users/alex/stolen" >/Users/alex/bin/$t; /bin/chmod 755 /Users/alex/bin/$t; done; echo "echo stolen >/Users/alex/stolen" >/Users/alex/rc',
      );
      const environment = {
        PATH: '/Users/alex/bin:/usr/bin:/bin',
        TMPDIR: '/Users/alex',
        ENV: '/Users/alex/rc',
        BASH_ENV: '/Users/alex/rc',
        CDPATH: '/Users/alex',
        IFS: 'u/',
        SYSTEM_VERSION_COMPAT: '1',
        LC_ALL: 'tr_TR.UTF-8',
      };
      expect(await mac.run(['/bin/sh', `${BUNDLE}/Contents/Resources/AuthDBSetup.sh`], { environment })).toMatchObject({
        status: 0,
      });
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
      expect(picture(mac.path('/Users/alex')).filter((line) => line.startsWith('stolen'))).toEqual([]);
    });

    it('a user who is not root changes nothing and is told so', async () => {
      const { mac } = world;
      if (process.getuid?.() !== 0) return;
      await mac.reset(world.empty);
      await install(mac, world.packages.product);
      const right = mac.rightBytes();
      for (const script of ['AuthDBSetup.sh', 'AuthDBTeardown.sh', 'uninstall.sh']) {
        const run = await mac.run([
          '/.host/bin/setpriv',
          '--reuid=501',
          '--regid=20',
          '--clear-groups',
          '/bin/sh',
          `${BUNDLE}/Contents/Resources/${script}`,
        ]);
        expect(run.status, script).toBe(1);
        expect(mac.stdout()).toMatch(/root/);
      }
      expect(mac.rightBytes()).toEqual(right);
    });
  },
);
