import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { SimulatedMac } from './simulated-mac.ts';

/** One component of a package, taken apart: what `installer` needs of it. */
export interface Component {
  readonly identifier: string;
  readonly version: string;
  /** Where the payload goes, such as `/Library/Security/SecurityAgentPlugins`. */
  readonly installLocation: string;
  /** Paths of bundles that replace an older one as a whole, below the payload. */
  readonly upgradeBundles: readonly string[];
  /** Paths of bundles that are left out when a newer one stands there. */
  readonly versionedBundles: readonly string[];
  /** Folder with the payload, owners and modes as in the archive; undefined without payload. */
  readonly payload: string | undefined;
  /** Folder with the installer scripts. */
  readonly scripts: string | undefined;
}

/** Result of an installation; `failedIn` names the script that failed. */
export interface Installation {
  readonly status: 0 | 1;
  readonly failedIn?: 'preinstall' | 'postinstall';
  /** What the scripts printed, as install.log shows it. */
  readonly log: string;
}

/**
 * Returns the components of a flat package, unpacked below `folder` by bsdtar: none of our own code takes part.
 *
 * @param path a component package or a product archive, signed or not
 * @throws Error when bsdtar cannot read the xar, the payload or the scripts
 * @example expandPackage('out/1.1.0/Escrow.Buddy-1.1.0.pkg', '/tmp/expanded')
 */
export function expandPackage(path: string, folder: string): Component[] {
  mkdirSync(folder, { recursive: true });
  execFileSync('bsdtar', ['-xf', path, '-C', folder]);
  const members = existsSync(join(folder, 'PackageInfo'))
    ? [folder]
    : readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((member) => existsSync(join(member, 'PackageInfo')));
  if (members.length === 0) throw new Error(`${basename(path)} holds no PackageInfo`);
  return members.map(expandComponent);
}

function expandComponent(member: string): Component {
  const info = readFileSync(join(member, 'PackageInfo'), 'utf8');
  return readComponent(info, {
    payload: unpack(member, 'Payload'),
    scripts: unpack(member, 'Scripts'),
  });
}

/** cpio in gzip: bsdtar knows both, and keeps owners and modes (`-p`; owners as root only). */
function unpack(member: string, archive: 'Payload' | 'Scripts'): string | undefined {
  if (!existsSync(join(member, archive))) return undefined;
  const folder = join(member, `${archive}.tree`);
  mkdirSync(folder);
  execFileSync('bsdtar', ['-xpf', join(member, archive), '-C', folder, '--numeric-owner']);
  return folder;
}

/** Returns what PackageInfo says of a component whose trees are given. */
export function readComponent(packageInfo: string, trees: Pick<Component, 'payload' | 'scripts'>): Component {
  const attribute = (name: string) => new RegExp(`<pkg-info\\b[^>]*\\s${name}="([^"]*)"`).exec(packageInfo)?.[1];
  const listed = (element: string) => {
    const children = new RegExp(`<${element}>(.*?)</${element}>`, 's').exec(packageInfo)?.[1] ?? '';
    const ids = new Set([...children.matchAll(/id="([^"]*)"/g)].map((match) => match[1]));
    return bundles.filter(([tag]) => ids.has(/\sid="([^"]*)"/.exec(tag)?.[1])).map((match) => match[1]!);
  };
  const bundles = [...packageInfo.matchAll(/<bundle\b[^>]*\spath="([^"]*)"[^>]*>/g)];
  return {
    identifier: attribute('identifier') ?? '',
    version: attribute('version') ?? '0',
    installLocation: attribute('install-location') ?? '/',
    upgradeBundles: listed('upgrade-bundle'),
    versionedBundles: listed('bundle-version'),
    ...trees,
  };
}

/** Where the Installer unpacks scripts; the number is fixed, so that runs can be compared. */
const SANDBOX = '/private/tmp/PKInstallSandbox.sImUla/Scripts';

/**
 * Installs a component on a simulated Mac as `installer -pkg` does, and returns what came of it.
 *
 * Order: preinstall (fails: nothing is copied), payload (a bundle to be upgraded is replaced whole; one that is compared by
 * version and older than what is there is left out, and all other files here with it), postinstall (fails:
 * the payload stays, no receipt), receipt. Source: installer(8), PackageKit's behaviour in the field.
 *
 * @param target mount point of the volume, `/` for the running system
 */
export async function install(mac: SimulatedMac, component: Component, target = '/'): Promise<Installation> {
  let log = '';
  for (const phase of ['preinstall', 'postinstall'] as const) {
    if (phase === 'postinstall') layDown(mac, component, target);
    const run = await runScript(mac, component, phase, target);
    if (run === undefined) continue;
    log += run.log;
    if (run.status !== 0) return { status: 1, failedIn: phase, log };
  }
  writeReceipt(mac, component, target);
  return { status: 0, log };
}

async function runScript(mac: SimulatedMac, component: Component, phase: string, target: string) {
  if (component.scripts === undefined || !existsSync(join(component.scripts, phase))) return undefined;
  const folder = `${SANDBOX}/${component.identifier}.sImUla`;
  cpSync(component.scripts, mac.path(folder), { recursive: true });
  const location = target === '/' ? component.installLocation : `${target}${component.installLocation}`;
  const run = await mac.run([`${folder}/${phase}`, `/private/tmp/${component.identifier}.pkg`, location, target, '/'], {
    folder,
    limitSeconds: 600,
    environment: {
      SCRIPT_NAME: phase,
      PACKAGE_PATH: `/private/tmp/${component.identifier}.pkg`,
      INSTALLER_TEMP: '/private/tmp/PKInstallSandbox.sImUla',
      COMMAND_LINE_INSTALL: '1',
    },
  });
  const log = mac.stdout() + mac.stderr();
  rmSync(mac.path('/private/tmp/PKInstallSandbox.sImUla'), { recursive: true, force: true });
  return { status: run.status, log };
}

function layDown(mac: SimulatedMac, component: Component, target: string): void {
  if (component.payload === undefined) return;
  const location = mac.path(join(target, component.installLocation));
  mkdirSync(location, { recursive: true });
  if (component.versionedBundles.some((bundle) => isOlder(join(component.payload!, bundle), join(location, bundle))))
    return;
  for (const bundle of component.upgradeBundles) rmSync(join(location, bundle), { recursive: true, force: true });
  // cp and not cpSync: owners, modes and links have to survive.
  execFileSync('cp', ['-a', '--no-preserve=timestamps', `${component.payload}/.`, location]);
  // The root record of a payload is the install location itself, which PackageKit does not change.
  chmodSync(location, 0o755);
}

/** Whether Installer leaves a bundle out because a newer one is there: CFBundleVersion, number by number. */
function isOlder(bundle: string, there: string): boolean {
  const numbers = (folder: string) => {
    const info = join(folder, 'Contents/Info.plist');
    if (!existsSync(info)) return [];
    const version = /<key>CFBundleVersion<\/key>\s*<string>([\d.]+)/.exec(readFileSync(info, 'utf8'))?.[1];
    return (version ?? '').split('.').map(Number);
  };
  const [ours, theirs] = [numbers(bundle), numbers(there)];
  const different = theirs.findIndex((number, i) => number !== (ours[i] ?? 0));
  return different >= 0 && theirs[different]! > (ours[different] ?? 0);
}

function writeReceipt(mac: SimulatedMac, component: Component, target: string): void {
  const folder = mac.path(join(target, '/private/var/db/receipts'));
  mkdirSync(folder, { recursive: true });
  const keys = {
    InstallPrefixPath: component.installLocation.slice(1),
    InstallProcessName: 'installer',
    PackageFileName: `${component.identifier}.pkg`,
    PackageIdentifier: component.identifier,
    PackageVersion: component.version,
  };
  const lines = Object.entries(keys).map(([key, value]) => `<key>${key}</key><string>${value}</string>\n`);
  const date = '<key>InstallDate</key><date>2026-11-24T12:00:00Z</date>\n';
  writeFileSync(
    join(folder, `${component.identifier}.plist`),
    `<plist version="1.0"><dict>\n${date}${lines.join('')}</dict></plist>\n`,
  );
  const paths = component.payload === undefined ? [] : list(component.payload).map((path) => `${path}\n`);
  writeFileSync(join(folder, `${component.identifier}.bom`), paths.join(''));
}

/** Every path below a folder, sorted, relative to it. */
export function list(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** Returns a picture of a tree: path, owner, mode, kind and size of each entry; two equal pictures are equal trees. */
export function picture(folder: string): string[] {
  return list(folder).map((path) => {
    const found = lstatSync(join(folder, path));
    const size = found.isFile() ? statSync(join(folder, path)).size : 0;
    return `${path} ${found.uid}:${found.gid} ${found.mode.toString(8)} ${size}`;
  });
}
