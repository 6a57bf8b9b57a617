import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ToolError } from '../../base/errors.ts';
import { withFile } from '../../base/with-file.ts';
import type { ComponentPlan } from '../../package/component.ts';
import { cpioEntries, openPackage } from '../../package/open-package.ts';
import { metadataPartner } from '../../tree/apple-double.ts';
import { renderPropertyList } from '../../xml/property-list.ts';
import type { WorkOptions } from '../toolchain.ts';
import { writePayloadTree } from './disk-tree.ts';
import { runAppleTool } from './run-apple-tool.ts';

const BUILD_TIMEOUT_MS = 600_000;

/**
 * Writes a component package with pkgbuild, from the plan that the portable writer takes too.
 *
 * @param path file to make or replace
 */
export async function runPkgbuild(plan: ComponentPlan, path: string, options: WorkOptions): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'pkgbuild-'));
  try {
    const root = join(work, 'root');
    const scripts = join(work, 'scripts');
    const components = join(work, 'components.plist');
    await writePayloadTree(plan.payload, root);
    await writeFile(components, renderComponentPlist(plan.bundles));
    const hasScripts = plan.scripts.length > 1;
    if (hasScripts) await writePayloadTree(plan.scripts, scripts);
    const argv = pkgbuildArguments(plan, { root, components, path, scripts: hasScripts ? scripts : undefined });
    await runAppleTool('pkgbuild', argv, { ...options, timeoutMs: BUILD_TIMEOUT_MS });
    await demandNoMetadata(path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Throws when a package holds AppleDouble files, which pkgbuild of macOS 13 and later makes of extended attributes
 * (com.apple.provenance): they are laid down on the Mac, and are in no plan.
 *
 * @throws ToolError `PKGBUILD_METADATA`
 */
export async function demandNoMetadata(path: string): Promise<void> {
  const found = await withFile(path, async (access) => {
    const { archive, components } = await openPackage(access);
    const names = components.flatMap(({ bom }) => bom?.records.map((record) => record.path) ?? []);
    for (const member of components.flatMap(({ payload, scripts }) => [payload, scripts])) {
      if (member) for await (const entry of cpioEntries(archive, member)) names.push(entry.path);
    }
    return names.filter((name) => metadataPartner(name) !== undefined);
  });
  if (found.length === 0) return;
  const problem = `pkgbuild put extended attributes into the package: ${[...new Set(found)].slice(0, 5).join(', ')}`;
  throw new ToolError('PKGBUILD_METADATA', 'pkgbuild', problem, {
    hint: 'See what the files carry with `xattr -lr`, and build where nothing adds it, or with --toolchain portable.',
  });
}

/** Returns the arguments of pkgbuild; `--ownership recommended` gives everything to root and wheel. */
function pkgbuildArguments(
  plan: ComponentPlan,
  places: {
    readonly root: string;
    readonly components: string;
    readonly path: string;
    readonly scripts: string | undefined;
  },
): string[] {
  return [
    '--quiet',
    '--root',
    places.root,
    '--component-plist',
    places.components,
    '--install-location',
    plan.installLocation,
    ...(places.scripts === undefined ? [] : ['--scripts', places.scripts]),
    '--identifier',
    plan.identifier,
    '--version',
    plan.version,
    '--ownership',
    'recommended',
    places.path,
  ];
}

/**
 * Returns the component property list: what Installer does with each bundle of the payload.
 *
 * `BundleIsRelocatable` false: an installed bundle that was moved is not followed, as the path is what is registered.
 * `BundleIsVersionChecked` false: an older version replaces a newer one, so a roll-back really happens.
 * `BundleOverwriteAction` upgrade: files of the old version vanish. `BundleHasStrictIdentifier` false: whatever lies there goes.
 *
 * @see pkgbuild(1), COMPONENT PROPERTY LIST
 */
export function renderComponentPlist(bundles: ComponentPlan['bundles']): string {
  return renderPropertyList(
    bundles.map(
      ({ path }) =>
        new Map<string, string | boolean>([
          ['BundleHasStrictIdentifier', false],
          ['BundleIsRelocatable', false],
          ['BundleIsVersionChecked', false],
          ['BundleOverwriteAction', 'upgrade'],
          ['RootRelativeBundlePath', path],
        ]),
    ),
  );
}
