import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  loginWorks,
  makeWorld,
  mechanisms,
  runGuard,
  runResource,
  stock,
  updateMacOS,
  type World,
  writeMechanisms,
} from './simulated/lives.ts';
import { simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, ENTRY, GUARD_JOB, GUARD_LABEL, GUARD_SCRIPT } from './simulated/test-package.ts';

const EXECUTABLE = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;
const isRoot = process.getuid?.() === 0;

describe.skipIf(simulatedMacNeeds.missing)(`what the guard hears${simulatedMacNeeds.note}`, () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld('dash');
  });
  beforeEach(async () => {
    await world.mac.reset(world.installed);
    await runGuard(world.mac);
    world.mac.forgetLog();
  });
  afterAll(() => world?.mac.stop());

  const tools = () => world.mac.log().map(({ argv }) => argv[0]!);
  const job = () => readFileSync(world.mac.path(`/.sim/launchd/${GUARD_LABEL}`), 'utf8');

  it('launchd watches every folder that the bundle cannot do without, and starts it every ten minutes', () => {
    const watched = /<key>WatchPaths<\/key>\s*<array>(.*?)<\/array>/s.exec(job())?.[1] ?? '';
    expect([...watched.matchAll(/<string>(.*?)<\/string>/g)].map((match) => match[1])).toEqual([
      dirname(BUNDLE),
      BUNDLE,
      `${BUNDLE}/Contents`,
      `${BUNDLE}/Contents/MacOS`,
    ]);
    expect(job()).toMatch(/<key>StartInterval<\/key>\s*<integer>600<\/integer>/);
    expect(job()).toMatch(/<key>RunAtLoad<\/key>\s*<true\/>/);
    expect(job()).not.toContain('StartCalendarInterval');
    expect(readFileSync(world.mac.path(GUARD_JOB), 'utf8')).toBe(job());
  });

  it('a look at a Mac where nothing has changed asks no codesign, takes no lock and writes nothing', async () => {
    const { mac } = world;
    const record = `${dirname(GUARD_SCRIPT)}/guard.plist`;
    const before = readFileSync(mac.path(record), 'utf8');
    await mac.pass(600);
    expect(await runGuard(mac)).toMatchObject({ status: 0 });
    expect(tools()).not.toContain('/usr/bin/codesign');
    expect(tools()).not.toContain('/bin/ln');
    expect(tools()).not.toContain('/bin/mv');
    expect(mac.stdout()).toBe('');
    expect(readFileSync(mac.path(record), 'utf8')).toBe(before);
  });

  it('looks closely again after a day, and in another boot session', async () => {
    const { mac } = world;
    await mac.pass(86_400);
    await runGuard(mac);
    expect(tools()).toContain('/usr/bin/codesign');
    mac.forgetLog();
    await mac.facts({ bootSession: '33333333-0000-4000-8000-000000000000' });
    await runGuard(mac);
    expect(tools()).toContain('/usr/bin/codesign');
  });

  /** Whatever is done to the bundle, the next look of the guard unlocks the login; none of it is heard at 11:40 only. */
  it.each<[string, () => unknown]>([
    ['the executable deleted', () => rmSync(world.mac.path(EXECUTABLE))],
    ['Info.plist deleted', () => rmSync(world.mac.path(`${BUNDLE}/Contents/Info.plist`))],
    ['the signature deleted', () => rmSync(world.mac.path(`${BUNDLE}/Contents/_CodeSignature`), { recursive: true })],
    ['Contents deleted', () => rmSync(world.mac.path(`${BUNDLE}/Contents`), { recursive: true })],
    ['a resource deleted', () => rmSync(world.mac.path(`${BUNDLE}/Contents/Resources/AuthDBSetup.sh`))],
    ['a byte of the executable changed, size and times kept', () => {
      const path = world.mac.path(EXECUTABLE);
      const [bytes, { atime, mtime }] = [readFileSync(path), statSync(path)];
      bytes[17_000] = bytes[17_000]! ^ 1; // the first slice begins at 16384
      writeFileSync(path, bytes);
      utimesSync(path, atime, mtime);
    }],
    ['Info.plist changed', () => writeFileSync(world.mac.path(`${BUNDLE}/Contents/Info.plist`), 'x')],
    ['a mode changed', () => world.mac.shell(`/bin/chmod 0777 '${BUNDLE}/Contents/MacOS'`)],
    ['an owner changed', () => (isRoot ? world.mac.shell(`/usr/sbin/chown 501 '${EXECUTABLE}'`) : rmSync(world.mac.path(EXECUTABLE)))],
    ['the plug-in folder opened to others', () => world.mac.shell(`/bin/chmod 0757 '${dirname(BUNDLE)}'`)],
    ['the plug-in folder given away', () => world.mac.shell(isRoot ? `/usr/sbin/chown 501 '${dirname(BUNDLE)}'` : `/bin/chmod 0775 '${dirname(BUNDLE)}'`)],
    ['a resource of another group', () => world.mac.shell(`${isRoot ? '/usr/sbin/chown 0:20' : '/bin/chmod 0775'} '${BUNDLE}/Contents/Resources/status.sh'`)],
    ['another bundle moved there', () => world.mac.shell(`/bin/mv '${BUNDLE}' /Users/alex/x; /bin/mkdir '${BUNDLE}'`)],
  ])('%s', async (_, damage) => {
    const { mac } = world;
    await damage();
    await mac.pass(600);
    await runGuard(mac);
    expect(await mechanisms(mac), mac.stdout()).toEqual(stock('macos-15'));
  }); // biome-ignore format: a table

  it('an entry that is lost while the bundle is as it was is put back after a full look', async () => {
    const { mac } = world;
    await updateMacOS(mac, 'macos-26');
    await runGuard(mac);
    expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    expect(tools()).toContain('/usr/bin/codesign');
  });

  it.each(['lost', 'doubled', 'misplaced'])('the record says healthy, but the entry is %s: it is seen', async (how) => {
    const { mac } = world;
    const list = stock('macos-15');
    const wrong = { lost: list, doubled: [ENTRY, ...stock('macos-15', true)], misplaced: [...list, ENTRY] }[how]!;
    await writeMechanisms(mac, wrong);
    await runGuard(mac);
    expect(await mechanisms(mac)).toEqual(stock('macos-15', true));
  });

  it('a record that somebody made up does not talk it out of a look', async () => {
    const { mac } = world;
    rmSync(mac.path(EXECUTABLE));
    const record = `${dirname(GUARD_SCRIPT)}/guard.plist`;
    for (const seen of ['valid', 'valid ', 'valid 1 2', '']) {
      await writeMechanisms(mac, stock('macos-15', true));
      await mac.put(record, `{LastResult = healthy; BundleSeen = "${seen}";}`);
      await runGuard(mac);
      expect(await loginWorks(mac), seen).toBe(true);
    }
  });

  it('a record that calls the bundle bad does not make it take the entry out', async () => {
    const { mac } = world;
    const record = `${dirname(GUARD_SCRIPT)}/guard.plist`;
    for (const state of ['unsigned', 'exposed', 'absent', 'not-code']) {
      await mac.put(record, readFileSync(mac.path(record), 'utf8').replace(/<string>valid /, `<string>${state} `));
      await runGuard(mac);
      expect(await mechanisms(mac), state).toEqual(stock('macos-15', true));
      await runGuard(mac);
      expect(readFileSync(mac.path(record), 'utf8'), 'it has looked itself').toContain('<string>valid ');
    }
  });

  describe('an uninstall that cannot delete', () => {
    /** rm of the bundle or of the guard's files does nothing, as for files with the flag uchg. */
    const cannotDelete = (...names: string[]) =>
      world.mac.put('/.sim/undeletable', names.map((name) => `${name}\n`).join(''), 0o600);

    it('the bundle: the guard is gone, so that the entry stays out, as the message says', async () => {
      const { mac } = world;
      await cannotDelete(BUNDLE);
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 1 });
      expect(mac.stdout()).toContain('The mechanism is gone, so logins work; delete it by hand');
      expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(false);
      expect(existsSync(mac.path(GUARD_JOB))).toBe(false);
      expect((await mac.shell(`/bin/launchctl print system/${GUARD_LABEL}`)).status).toBe(113);
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    });

    it('the guard: it says that the guard comes back, and the bundle goes', async () => {
      const { mac } = world;
      await cannotDelete(GUARD_JOB);
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 1 });
      expect(mac.stdout()).toMatch(/guard's files could not be deleted.*Delete them by hand/);
      expect(existsSync(mac.path(BUNDLE))).toBe(false);
      expect(await mechanisms(mac)).toEqual(stock('macos-15'));
    });

    it('an entry of others that needs the bundle: nothing is deleted, and the guard runs on', async () => {
      const { mac } = world;
      await writeMechanisms(mac, ['Escrow Buddy:Other', ...stock('macos-15', true)]);
      expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 1 });
      for (const path of [BUNDLE, GUARD_SCRIPT, GUARD_JOB]) expect(existsSync(mac.path(path)), path).toBe(true);
      expect((await mac.shell(`/bin/launchctl print system/${GUARD_LABEL}`)).status).toBe(0);
    });
  });

  it('an uninstall leaves no setting, not even in the domain of root', async () => {
    const { mac } = world;
    await mac.shell('/usr/bin/defaults write com.netflix.Escrow-Buddy GenerateNewKey -bool true');
    await runResource(mac, 'uninstall.sh');
    expect((await mac.shell('find /private /Library -name "*scrow*Buddy*"')).stdout).toBe('');
  });
});
