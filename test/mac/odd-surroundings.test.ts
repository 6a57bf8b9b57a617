import { chownSync, existsSync, lstatSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { byDay } from '../support/by-day.ts';
import { install } from './simulated/installer.ts';
import {
  loginWorks,
  makeWorld,
  mechanisms,
  runGuard,
  runResource,
  stock,
  updateMacOS,
  type World,
} from './simulated/lives.ts';
import { simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, GUARD_JOB, GUARD_LABEL, GUARD_SCRIPT } from './simulated/test-package.ts';

const GUARD_FOLDER = dirname(GUARD_SCRIPT);
const MARK = `/private/var/run/${GUARD_LABEL}.healed`;
const isRoot = process.getuid?.() === 0;

describe.skipIf(simulatedMacNeeds.missing)(`odd surroundings${simulatedMacNeeds.note}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld('dash');
  });
  beforeEach(() => world.mac.reset(world.empty));
  afterAll(() => world?.mac.stop());

  /** Puts something else where a file or folder of the guard belongs. */
  const KINDS: Readonly<Record<string, (path: string) => unknown>> = {
    'a folder': (path) => {
      mkdirSync(world.mac.path(path), { recursive: true });
      writeFileSync(world.mac.path(`${path}/theirs`), 'x');
    },
    'a file': (path) => writeFileSync(world.mac.path(path), 'theirs', { mode: 0o666 }),
    'a link to a folder': (path) => symlinkSync('/Users/alex', world.mac.path(path)),
    'a link to a file': (path) => symlinkSync('/Users/alex/file', world.mac.path(path)),
    'a link to nothing': (path) => symlinkSync('/nowhere', world.mac.path(path)),
    'a pipe': (path) => world.mac.shell(`mkfifo '${path}'`),
    'of another owner': async (path) => {
      await KINDS['a folder']!(path);
      if (isRoot) chownSync(world.mac.path(path), 501, 20);
      else await world.mac.shell(`/bin/chmod 0777 '${path}'`);
    },
    'writable by all': async (path) => {
      await KINDS['a folder']!(path);
      await world.mac.shell(`/bin/chmod 0777 '${path}'`);
    },
    'with an access control list': async (path) => {
      await KINDS['a folder']!(path);
      await world.mac.shell(`/bin/chmod 0755 '${path}'; /bin/chmod +a 'user:alex allow add_file,write' '${path}'`);
    },
  };

  const everywhere = [
    GUARD_FOLDER,
    GUARD_SCRIPT,
    GUARD_JOB,
    `${GUARD_FOLDER}/guard.plist`,
    `${GUARD_FOLDER}/new`,
  ].flatMap((path) => Object.keys(KINDS).map((kind) => [path, kind] as const));
  it.each(byDay(everywhere, 2, ([, kind]) => kind))(
    "%s is %s already: the guard's own comes in its place, and runs",
    async (path, kind) => {
      const { mac, packages } = world;
      await mac.put('/Users/alex/file', 'untouched');
      if (path !== GUARD_FOLDER && path !== GUARD_JOB) await mac.shell(`/bin/mkdir -m 0755 '${GUARD_FOLDER}'`);
      await KINDS[kind]!(path);
      await install(mac, packages.product);
      expect(await install(mac, packages.guard), mac.stdout()).toMatchObject({ status: 0 });
      await runGuard(mac);
      const { stdout } = await mac.shell(
        `/usr/bin/stat -f '%u:%g %Lp %HT' '${GUARD_FOLDER}' '${GUARD_SCRIPT}' '${GUARD_JOB}' '${GUARD_FOLDER}/guard.plist'`,
      );
      expect(stdout).toBe('0:0 755 Directory\n0:0 755 Regular File\n0:0 644 Regular File\n0:0 644 Regular File\n');
      expect((await mac.shell(`/bin/ls -lde '${GUARD_FOLDER}'`)).stdout).not.toContain('allow');
      expect(readFileSync(mac.path(GUARD_SCRIPT), 'utf8')).toMatch(/^#!\/bin\/sh\n# The guard\./);
      expect(readFileSync(mac.path('/Users/alex/file'), 'utf8')).toBe('untouched');
      expect(await mac.shell(`/bin/launchctl print system/${GUARD_LABEL}`)).toMatchObject({ status: 0 });
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
      expect(existsSync(mac.path(GUARD_FOLDER))).toBe(false);
      expect((await mac.shell('find /Library /private -name "*scrow*Buddy*"')).stdout).toBe('');
      expect(mac.unknownCalls()).toBe('');
    },
  );

  it.each(['/Library/Application Support', '/Library/LaunchDaemons'])(
    '%s can be written by others: no guard is laid there, where root would run it',
    async (folder) => {
      const { mac, packages } = world;
      await mac.shell(`/bin/chmod 0777 '${folder}'`);
      expect(await install(mac, packages.guard)).toMatchObject({ status: 1, log: expect.stringContaining(folder) });
      expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(false);
      expect(existsSync(mac.path(GUARD_JOB))).toBe(false);
    },
  );

  it('/var/run is not emptied at a start: the next boot session may heal all the same', async () => {
    const { mac, packages } = world;
    for (const component of [packages.product, packages.guard]) await install(mac, component);
    for (const bootSession of ['11111111-0000-4000-8000-000000000000', '22222222-0000-4000-8000-000000000000']) {
      await updateMacOS(mac, 'macos-26');
      await mac.facts({ productVersion: '26', bootSession });
      await runGuard(mac);
      expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
      await updateMacOS(mac, 'macos-26');
      await mac.facts({ productVersion: '26', bootSession });
      await runGuard(mac);
      expect(await mechanisms(mac), 'once a boot').toEqual(stock('macos-26'));
    }
    expect((await mac.shell('echo /private/var/run/*')).stdout).toBe(`${MARK}.22222222-0000-4000-8000-000000000000\n`);
  });

  it.each(['', 'garbage/../x'])('a boot session that reads %j still lets the guard heal once', async (bootSession) => {
    const { mac, packages } = world;
    for (const component of [packages.product, packages.guard]) await install(mac, component);
    await updateMacOS(mac, 'macos-26');
    await mac.facts({ productVersion: '26', bootSession });
    await runGuard(mac);
    expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    expect(lstatSync(mac.path(MARK)).isDirectory()).toBe(true);
  });

  it.each([
    ['a hidden file', `: >'${BUNDLE}/Contents/.hidden'; /bin/chmod 0666 '${BUNDLE}/Contents/.hidden'`],
    ['a hidden folder', `/bin/mkdir -m 0777 '${BUNDLE}/.hidden'`],
    [
      'a file three folders down',
      `/bin/mkdir -p '${BUNDLE}/Contents/a/b/c'; : >'${BUNDLE}/Contents/a/b/c/d'; /bin/chmod 0666 '${BUNDLE}/Contents/a/b/c/d'`,
    ],
    ['a script', `/bin/chmod 0775 '${BUNDLE}/Contents/Resources/status.sh'`],
    ['a name with a line end', `: >'${BUNDLE}/Contents/a\nb'; /bin/chmod 0666 '${BUNDLE}/Contents/a\nb'`],
    ['the plug-in folder', `/bin/chmod 0777 '${dirname(BUNDLE)}'`],
    ["the plug-in folder's group", `/bin/chmod 0775 '${dirname(BUNDLE)}'`],
    [
      'an access control list on the executable',
      `/bin/chmod +a 'group:staff allow write' '${BUNDLE}/Contents/MacOS/Escrow Buddy'`,
    ],
    [
      'an access control list on the plug-in folder',
      `/bin/chmod +a 'user:alex allow add_subdirectory,delete_child' '${dirname(BUNDLE)}'`,
    ],
  ])('others may write %s: nothing is registered', async (_, damage) => {
    const { mac, packages } = world;
    await install(mac, packages.product);
    await mac.setRight(readFileSync(new URL('../fixtures/authorizationdb/stock-macos-26.plist', import.meta.url)));
    await mac.shell(damage);
    expect(await runResource(mac, 'AuthDBSetup.sh')).toMatchObject({ status: 1 });
    expect(mac.stdout()).toMatch(/others|write/);
    expect(await mechanisms(mac)).toEqual(stock('macos-26'));
  });

  it('an access control list that takes rights away, or lets others read, is no harm', async () => {
    const { mac, packages } = world;
    await install(mac, packages.product);
    await mac.shell(
      `/bin/chmod +a 'group:everyone deny delete,write' '${BUNDLE}'; /bin/chmod +a 'group:staff allow read,search' '${BUNDLE}'`,
    );
    expect(await runResource(mac, 'AuthDBSetup.sh'), mac.stdout()).toMatchObject({ status: 0 });
  });

  it('a plug-in folder that others may write lets no entry stay that they could fill', async () => {
    const { mac, packages } = world;
    for (const component of [packages.product, packages.guard]) await install(mac, component);
    await mac.shell(`/bin/chmod 0777 '${dirname(BUNDLE)}'`);
    await runGuard(mac);
    expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    expect(await loginWorks(mac)).toBe(true);
  });
});
