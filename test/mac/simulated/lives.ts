import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { keptBuild } from '../../support/kept-build.ts';
import { type Component, install, list, picture } from './installer.ts';
import { writeSealedBundle } from './sealed-bundle.ts';
import { type Run, type Shell, SimulatedMac, stockRight } from './simulated-mac.ts';
import {
  ANCHOR,
  BUNDLE,
  ENTRY,
  GUARD_LABEL,
  GUARD_SCRIPT,
  type Packages,
  packagesUnderTest,
  RESOURCES,
} from './test-package.ts';

/** A simulated Mac with the packages that its lives are made of, and snapshots to begin them from. */
export interface World {
  readonly mac: SimulatedMac;
  readonly packages: Packages;
  /** Nothing of ours; the stock right of macOS 15. */
  readonly empty: string;
  /** Product and guard installed. */
  readonly installed: string;
}

/** Returns a world; `world.mac.stop()` ends it. Without `given`, its packages are `packagesUnderTest`. */
export async function makeWorld(shell: Shell, given?: Packages): Promise<World> {
  const mac = await SimulatedMac.start(shell);
  const packages = given ?? packagesUnderTest(join(mac.work, 'packages'));
  const snapshots = await installedOnce(mac, shell, [packages.product, packages.guard]).catch(async (error) => {
    await mac.stop();
    throw error;
  });
  const [empty, installed] = ['empty', 'installed'].map((name) => join(snapshots, name)) as [string, string];
  await mac.reset(installed);
  return { mac, packages, empty, installed };
}

/** The disk before and after an installation is the same for all Macs with these packages and this shell: a run makes it once. */
function installedOnce(mac: SimulatedMac, shell: Shell, components: readonly Component[]): Promise<string> {
  const words = [shell, ...components.flatMap(digestOf)];
  const key = words.join();
  const made =
    snapshotsOf.get(key) ??
    keptBuild(
      'simulated-disks',
      { files: [import.meta.dirname], programs: [], variables: [], words, keep: 12 },
      async (to) => {
        await mac.save(join(to, 'empty'));
        for (const component of components) {
          const { status, log } = await install(mac, component);
          if (status !== 0) throw new Error(`${component.identifier} does not install: ${log}`);
        }
        mac.forgetLog();
        await mac.save(join(to, 'installed'));
      },
    );
  snapshotsOf.set(key, made);
  return made;
}

const snapshotsOf = new Map<string, Promise<string>>();

/** All that an installation takes from a component. */
function digestOf({ payload, scripts, ...facts }: Component): string[] {
  const trees = [payload, scripts].filter((tree) => tree !== undefined);
  const bytes = (tree: string) =>
    list(tree)
      .map((path) => join(tree, path))
      .filter((path) => lstatSync(path).isFile())
      .map((path) => createHash('sha256').update(readFileSync(path)).digest('hex'));
  return [JSON.stringify(facts), ...trees.flatMap((tree) => [...picture(tree), ...bytes(tree)])];
}

/** Runs the guard as its job does. */
export function runGuard(mac: SimulatedMac): Promise<Run> {
  return mac.run(['/bin/sh', GUARD_SCRIPT], { job: GUARD_LABEL });
}

/** Runs a script of the bundle. */
export function runResource(mac: SimulatedMac, name: string, ...argv: string[]): Promise<Run> {
  return mac.run(['/bin/sh', `${RESOURCES}/${name}`, ...argv]);
}

/** Restarts the Mac: /var/run and /private/tmp are emptied, jobs with RunAtLoad run; the guard is the only one. */
export async function restart(mac: SimulatedMac): Promise<Run | undefined> {
  for (const folder of ['/private/var/run', '/private/tmp'])
    await mac.shell(`for f in ${folder}/* ${folder}/.[!.]*; do /bin/rm -rf -- "$f"; done`);
  if (!existsSync(mac.path(`/.sim/launchd/${GUARD_LABEL}`))) return undefined;
  return runGuard(mac);
}

/** An update of macOS replaces the login right, as authd does for a higher version or a new database. */
export async function updateMacOS(mac: SimulatedMac, release: string): Promise<void> {
  await mac.setRight(readFileSync(stockRight(release)));
  await mac.facts({ productVersion: release.replace('macos-', '').replace('-', '.') });
}

/** What Escrow Buddy 1.0.0 leaves on a Mac: bundle without our scripts, its entry, receipt, setting and a temporary file. */
export async function installUpstream(mac: SimulatedMac): Promise<void> {
  writeSealedBundle(
    mac.path(BUNDLE),
    { short: '1.0.0', build: '7', team: 'T4SK8ZXCXG' },
    {
      'AuthDBSetup.sh': '#!/bin/zsh\n',
      'AuthDBTeardown.sh': '#!/bin/zsh\n',
      'only-in-1.0.0.strings': 'x\n',
    },
  );
  await mac.setRight(readFileSync(stockRight('macos-14-registered')));
  await mac.put(
    '/private/var/db/receipts/com.netflix.Escrow-Buddy.plist',
    '<plist><dict><key>PackageVersion</key><string>1.0.0</string></dict></plist>\n',
  );
  await mac.put('/private/tmp/com.netflix.Escrow-Buddy/auth.db', readFileSync(stockRight('macos-14')));
  await mac.shell('/usr/bin/defaults write /Library/Preferences/com.netflix.Escrow-Buddy GenerateNewKey -bool true');
}

/** Crypt's own check, as its Go source does it: its entry directly before the anchor, each time. */
export async function crypt(mac: SimulatedMac): Promise<boolean> {
  const own = 'Crypt:Check,privileged';
  const list = [...((await mac.right())?.mechanisms ?? [])];
  const others = list.filter((entry) => entry !== own);
  const wanted = others.toSpliced(others.indexOf(ANCHOR), 0, own);
  if (JSON.stringify(wanted) === JSON.stringify(list)) return false;
  await writeMechanisms(mac, wanted);
  return true;
}

/** Replaces the mechanisms through `security`, as another tool would. */
export async function writeMechanisms(mac: SimulatedMac, list: readonly string[]): Promise<void> {
  const xml = mac
    .rightBytes()
    .toString()
    .replace(
      /<key>mechanisms<\/key>\n\t<array>.*?<\/array>/s,
      `<key>mechanisms</key>\n\t<array>\n${list.map((entry) => `\t\t<string>${entry}</string>\n`).join('')}\t</array>`,
    );
  await mac.setRight(xml);
}

/** The mechanisms now. */
export async function mechanisms(mac: SimulatedMac): Promise<readonly string[]> {
  return (await mac.right())?.mechanisms ?? [];
}

/** The stock mechanisms of a release, ours put in where it belongs or not. */
export function stock(release: string, registered = false): string[] {
  const list = [...readFileSync(stockRight(release), 'utf8').matchAll(/\t\t<string>(.*)<\/string>/g)].map((m) => m[1]!);
  return registered ? list.toSpliced(list.indexOf(ANCHOR), 0, ENTRY) : list;
}

/** The whole disk but the simulation's own state and logs. */
export function disk(mac: SimulatedMac): string[] {
  return picture(mac.disk).filter(
    (line) => /^(Library|private|Users|Volumes)/.test(line) && !line.includes(' 120777 '),
  );
}

/** Whether login works: nothing names the bundle, or the bundle is valid. */
export async function loginWorks(mac: SimulatedMac): Promise<boolean> {
  const named = (await mechanisms(mac)).some((entry) => /^escrow buddy[:,]/i.test(entry));
  return !named || (await mac.seal(BUNDLE)) === 'ok';
}

/** Removes what a careless removal by receipt removes: the Bom's files, and the receipt. */
export function removeByReceipt(mac: SimulatedMac): void {
  rmSync(mac.path(BUNDLE), { recursive: true });
  for (const suffix of ['plist', 'bom'])
    rmSync(mac.path(`/private/var/db/receipts/com.netflix.Escrow-Buddy.${suffix}`), { force: true });
}
