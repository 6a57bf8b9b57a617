import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Component, install } from './simulated/installer.ts';
import {
  installUpstream,
  loginWorks,
  makeWorld,
  mechanisms,
  runGuard,
  runResource,
  stock,
  type World,
  writeMechanisms,
} from './simulated/lives.ts';
import { writeSealedBundle } from './simulated/sealed-bundle.ts';
import { simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, GUARD_SCRIPT, RESOURCES } from './simulated/test-package.ts';

const RECEIPT = 'com.netflix.Escrow-Buddy';

/**
 * A package in the form of 1.0.0's: `pkgbuild --root`, whose bundle is compared by version (7), and a postinstall that
 * starts AuthDBSetup.sh of whatever bundle is there.
 */
function upstreamPackage(folder: string): Component {
  const [payload, scripts] = [join(folder, 'payload'), join(folder, 'scripts')];
  for (const made of [payload, scripts]) mkdirSync(made, { recursive: true });
  const setup =
    '#!/bin/sh\n/usr/bin/security -q authorizationdb read system.login.console | /usr/bin/grep -q "Escrow Buddy:Invoke"\n';
  writeSealedBundle(
    join(payload, 'Escrow Buddy.bundle'),
    { short: '1.0.0', build: '7', team: 'T4SK8ZXCXG' },
    { 'AuthDBSetup.sh': setup },
  );
  writeFileSync(join(scripts, 'postinstall'), `#!/bin/sh\n"$3/${RESOURCES}/AuthDBSetup.sh"\n`, { mode: 0o755 });
  return {
    identifier: RECEIPT,
    version: '1.0.0',
    installLocation: '/Library/Security/SecurityAgentPlugins',
    upgradeBundles: ['./Escrow Buddy.bundle'],
    versionedBundles: ['./Escrow Buddy.bundle'],
    payload,
    scripts,
  };
}

describe.skipIf(simulatedMacNeeds.missing)(`what docs/upgrading.md says${simulatedMacNeeds.note}`, () => {
  let world: World;
  let folder: string;
  let upstream: Component;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'upgrading-'));
    upstream = upstreamPackage(folder);
    world = await makeWorld('dash');
  });
  beforeEach(() => world.mac.reset(world.installed));
  afterAll(async () => {
    await world?.mac.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const version = () =>
    /<key>CFBundleShortVersionString<\/key>\s*<string>(.*?)</.exec(
      readFileSync(world.mac.path(`${BUNDLE}/Contents/Info.plist`), 'utf8'),
    )?.[1];

  it('from 1.0.0: one installation, the right is not written, the request stays', async () => {
    const { mac, packages } = world;
    await mac.reset(world.empty);
    await installUpstream(mac);
    const right = mac.rightBytes();
    expect(await install(mac, packages.product)).toMatchObject({ status: 0 });
    expect(mac.rightBytes()).toEqual(right);
    await runResource(mac, 'status.sh', '--json');
    expect(JSON.parse(mac.stdout())).toMatchObject({
      request: 'pending',
      bundle: { state: 'valid' },
      mechanism: { place: 'in-place' },
    });
    expect(existsSync(mac.path('/private/tmp/com.netflix.Escrow-Buddy/auth.db'))).toBe(true);
  });

  it('1.0.0 over this version: Installer leaves the newer bundle, and its receipt is wrong', async () => {
    const { mac } = world;
    expect(await install(mac, upstream)).toMatchObject({ status: 0 });
    expect(version()).toBe('1.1.0');
    expect((await mac.shell(`/usr/sbin/pkgutil --pkg-info ${RECEIPT}`)).stdout).toContain('version: 1.0.0');
    expect(await loginWorks(mac)).toBe(true);
  });

  it('back to 1.0.0 by uninstalling first', async () => {
    const { mac } = world;
    expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
    expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(false);
    await install(mac, upstream);
    expect(version()).toBe('1.0.0');
  });

  it('1.0.0 brought back beside the guard: both are left alone, for as long as it stays', async () => {
    const { mac } = world;
    rmSync(mac.path(BUNDLE), { recursive: true });
    await install(mac, upstream);
    const right = mac.rightBytes();
    for (let day = 0; day < 3; day++) {
      expect(await runGuard(mac)).toMatchObject({ status: 1 });
      await mac.pass(86_400);
    }
    expect(mac.rightBytes()).toEqual(right);
    expect(version()).toBe('1.0.0');
    expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(true);
  });

  /** As it works: our teardown, or else only its own exact entry; the bundle goes in any case. */
  const upstreamUninstall = async () => {
    const { mac } = world;
    const teardown = await runResource(mac, 'AuthDBTeardown.sh');
    if (teardown.status !== 0)
      await writeMechanisms(
        mac,
        (await mechanisms(mac)).filter((entry) => entry !== 'Escrow Buddy:Invoke,privileged'),
      );
    await mac.shell(`/bin/rm -rf '${BUNDLE}'; /usr/sbin/pkgutil --forget ${RECEIPT}`);
  };

  it('uninstall.sh of 1.0.0 with our entry alone: logins work, and the guard leaves after a day', async () => {
    const { mac } = world;
    await upstreamUninstall();
    expect(await loginWorks(mac)).toBe(true);
    await runGuard(mac);
    await mac.pass(86_400);
    await runGuard(mac);
    expect(existsSync(mac.path(GUARD_SCRIPT))).toBe(false);
  });

  it('uninstall.sh of 1.0.0 with an entry in another form: nobody could log in, and the guard mends it', async () => {
    const { mac } = world;
    await writeMechanisms(mac, ['escrow buddy:Invoke', ...stock('macos-15', true)]);
    await upstreamUninstall();
    expect(await loginWorks(mac)).toBe(false);
    await runGuard(mac);
    expect(await loginWorks(mac)).toBe(true);
    expect(await mechanisms(mac)).toEqual(stock('macos-15'));
  });
});
