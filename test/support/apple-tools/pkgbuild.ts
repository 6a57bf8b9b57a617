import { existsSync, lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../../src/base/files.ts';
import { buildComponent } from '../../../src/package/component.ts';
import { type BundleRecord, NO_BUNDLE_LISTS, renderPackageInfo } from '../../../src/package/package-info.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { deflatedFile, emitXar, layoutXar } from '../../../src/xar/write.ts';
import {
  type PropertyListDictionary,
  parsePropertyList,
  parsePropertyListDictionary,
} from '../../../src/xml/property-list.ts';
import { readTree } from '../read-tree.ts';
import { ToolFailure } from './machine.ts';
import type { Printed } from './main.ts';
import { type Options, parseOptions } from './options.ts';

const OPTIONS = {
  '--root': 'value',
  '--component': 'value',
  '--component-plist': 'value',
  '--scripts': 'value',
  '--nopayload': 'none',
  '--identifier': 'value',
  '--version': 'value',
  '--install-location': 'value',
  '--analyze': 'none',
  '--prior': 'value',
  '--filter': 'value',
  '--ownership': 'value',
  '--large-payload': 'none',
  '--compression': 'value',
  '--min-os-version': 'value',
  '--sign': 'value',
  '--keychain': 'value',
  '--cert': 'value',
  '--timestamp': 'optional',
  '--quiet': 'none',
} as const;
const PLAYED = [
  '--root',
  '--component-plist',
  '--scripts',
  '--identifier',
  '--version',
  '--install-location',
  '--ownership',
  '--quiet',
];
const FILTERED = /(^|\/)(\.svn|CVS|\.DS_Store)(\/|$)/;

/** pkgbuild(1) with `--root`: the tree as it lies on the disk, owned by root, and the lists that the property list asks for. */
export async function pkgbuild(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, OPTIONS);
  const idle = [...options.given.keys()].find((name) => !PLAYED.includes(name));
  if (idle) throw new Error(`${idle} is not played`);
  const identifier = options.value('--identifier');
  if (identifier === undefined) {
    const problem = 'No package identifier specified and not exactly one component to derive it from';
    throw new ToolFailure(1, `pkgbuild: error: ${problem}`);
  }
  const [output, ...more] = options.rest;
  if (output === undefined || more.length > 0)
    throw new ToolFailure(1, 'Usage: pkgbuild [options] --root <root-path> <path>');
  const root = options.value('--root') as string;
  if (!existsSync(root)) throw new ToolFailure(1, `pkgbuild: error: Root path "${root}" does not exist.`);
  await write(options, identifier, root, output);
  const quiet = options.has('--quiet');
  return { stdout: quiet ? '' : `pkgbuild: Inferring bundle components\npkgbuild: Wrote package to ${output}\n` };
}

async function write(options: Options, identifier: string, root: string, output: string): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const scripts = options.value('--scripts');
  const plan = {
    identifier,
    version: options.value('--version') ?? '0',
    installLocation: options.value('--install-location') ?? '/',
    payload: await readDisk(root, 0),
    // The archive of scripts keeps the owner of whoever builds.
    scripts: scripts === undefined ? [] : await readDisk(scripts, 501),
    bundles: [],
  };
  const component = await buildComponent(plan, output, new AbortController().signal);
  try {
    const info = packageInfo(options, plan, root, component);
    const members = [...component.members.slice(0, -1), deflatedFile('PackageInfo', info)];
    await writeWhole(output, emitXar(layoutXar(members, { creationTime: now })));
  } finally {
    await component.dispose();
  }
}

function packageInfo(
  options: Options,
  plan: { identifier: string; version: string; installLocation: string; scripts: readonly PayloadEntry[] },
  root: string,
  counters: { numberOfFiles: number; installKBytes: number },
): Buffer {
  const wishes = readWishes(options.value('--component-plist'));
  const bundles = wishes.map((wish) => recordOf(root, wish));
  const chosen = (test: (wish: PropertyListDictionary) => boolean) =>
    wishes.flatMap((wish, index) => (test(wish) ? [bundles[index]?.id ?? ''] : []));
  const names = ['preinstall', 'postinstall'].filter((name) => plan.scripts.some(({ path }) => path === `./${name}`));
  return renderPackageInfo({
    ...plan,
    overwritePermissions: true,
    relocatable: false,
    postinstallAction: 'none',
    auth: 'root',
    generatorVersion: 'InstallCmds-883 (stand-in)',
    payload: { numberOfFiles: counters.numberOfFiles, installKBytes: counters.installKBytes },
    bundles,
    lists: {
      ...NO_BUNDLE_LISTS,
      bundleVersion: chosen((wish) => wish.get('BundleIsVersionChecked') !== false),
      upgradeBundle: chosen((wish) => wish.get('BundleOverwriteAction') === 'upgrade'),
      updateBundle: chosen((wish) => wish.get('BundleOverwriteAction') === 'update'),
      strictIdentifier: chosen((wish) => wish.get('BundleHasStrictIdentifier') === true),
      relocate: chosen((wish) => wish.get('BundleIsRelocatable') === true),
    },
    scripts: names.map((name) => ({ name, file: `./${name}`, timeoutSeconds: 600 })),
  });
}

function readWishes(path: string | undefined): PropertyListDictionary[] {
  return path === undefined ? [] : (parsePropertyList(readFileSync(path)) as unknown as PropertyListDictionary[]);
}

function recordOf(root: string, wish: PropertyListDictionary): BundleRecord & { readonly id: string } {
  const path = wish.get('RootRelativeBundlePath') as string;
  const plist = join(root, path, 'Contents', 'Info.plist');
  if (!existsSync(plist)) throw new ToolFailure(1, `pkgbuild: error: No bundle at "${path}" in the root.`);
  const information = parsePropertyListDictionary(readFileSync(plist));
  return {
    path,
    id: information.get('CFBundleIdentifier') as string,
    shortVersion: information.get('CFBundleShortVersionString') as string,
    version: information.get('CFBundleVersion') as string,
  };
}

/** The tree with the disk's own times; readTree gives all the same. */
async function readDisk(folder: string, owner: number): Promise<PayloadEntry[]> {
  const tree = readTree(folder, { uid: owner, gid: owner, mtimeSeconds: 0 });
  return tree
    .filter(({ path }) => !FILTERED.test(path))
    .map((entry) => ({ ...entry, mtimeSeconds: Math.floor(lstatSync(join(folder, entry.path)).mtimeMs / 1000) }));
}
