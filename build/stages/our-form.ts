import { basename, dirname } from 'node:path';
import { digestFile } from '../../src/base/files.ts';
import type { OpenPackage } from '../../src/package/open-package.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import type { Config } from '../plan/config.ts';
import { readManifest } from '../plan/manifest.ts';
import { EXTRA_PACKAGES, isReleaseVersion, type Plan } from '../plan/plan.ts';
import { readPermissions } from './assemble-payload.ts';
import { packageBundles, packageIdentifiers, packageTitles } from './build-package.ts';
import { SCRIPT_FILES, type ScriptPackage } from './generate-scripts.ts';

/**
 * Returns the form that a package of this project must have.
 *
 * @param known who made it; team and version, where they are known beforehand
 */
export async function ourForm(
  plan: Pick<Plan, 'root' | 'config'>,
  name: ScriptPackage,
  known: Pick<OurForm, 'madeBy' | 'teamIdentifier' | 'version'>,
): Promise<OurForm> {
  const { owner, payload } = await readPermissions(plan);
  const modes = Object.entries(payload).map(([path, mode]): [string, number] => [path, Number.parseInt(mode, 8)]);
  const { config } = plan;
  return {
    ...known,
    identifier: packageIdentifiers(config)[name],
    title: packageTitles(config)[name],
    bundles: (version) => packageBundles(config, name, version),
    isVersion: isReleaseVersion,
    installLocation: config.package.installLocation,
    minimumSystemVersion: config.macOS.installer,
    scripts: SCRIPT_FILES.filter((script) => script.package === name && script.path.startsWith('Scripts/')).map(
      (script) => script.path.slice('Scripts/'.length),
    ),
    owner,
    payload: new Map(name === 'product' ? modes : modes.filter(([path]) => path === '.')),
  };
}

/**
 * Returns which package of this project a package says it is: by an identifier, the title or the name of its file, in whatever case.
 * Such a package is held to our form and never checked as a stranger's, whatever else it says of itself.
 *
 * @param opened undefined when the package cannot be opened: then its file name alone speaks
 * @param file name under which it was given
 */
export function claimedPackage(
  config: Config,
  opened: Pick<OpenPackage, 'distribution' | 'components'> | undefined,
  file: string,
): ScriptPackage | undefined {
  const { distribution, components = [] } = opened ?? {};
  const said = [
    distribution?.product?.id,
    distribution?.title,
    ...components.flatMap(({ info, folder }) => [info.identifier, folder.replace(/\.pkg$/i, '')]),
    ...(distribution?.packages.map(({ id }) => id) ?? []),
  ].map((text) => folded(text ?? ''));
  const [identifiers, titles] = [packageIdentifiers(config), packageTitles(config)];
  const names = [...EXTRA_PACKAGES, 'product'] as const;
  const sayingSo = names.filter((name) => [identifiers[name], titles[name]].some((own) => said.includes(folded(own))));
  // A package that says it is several is held to the one that its product names first.
  const first = names.find((name) => folded(identifiers[name]) === said[0]);
  return (
    first ??
    sayingSo[0] ??
    names.find((name) => isNamedLike(config.output[name === 'product' ? 'package' : name], file))
  );
}

const REHEARSED = '(-rehearsal|-unsigned)?';

/** File systems of a Mac, and people, take these for the same. */
const folded = (text: string) => text.normalize('NFKC').trim().toLowerCase();

function isNamedLike(pattern: string, file: string): boolean {
  const [before = '', after = ''] = pattern.split('{version}').map((part) => folded(part).replace(/[^\w]/g, '\\$&'));
  return new RegExp(`^${before}\\d[\\w.]*${REHEARSED}${after}$`).test(folded(basename(file)));
}

/**
 * Returns whose tools made a package of this project: what the person says, else what is configured, else what the `release.json`
 * beside it records of a file of this very digest. A package is never asked about itself.
 */
export async function makerOf(
  file: string,
  config: Config,
  stated: OurForm['madeBy'] | undefined,
): Promise<OurForm['madeBy']> {
  if (stated) return stated;
  const { toolchain } = config.signing;
  if (toolchain !== 'auto') return toolchain;
  const manifest = await readManifest(dirname(file)).catch(() => null);
  if (!manifest || manifest.toolchain === 'portable') return 'portable';
  const { sha256 } = await digestFile(file);
  return manifest.files.some((listed) => listed.sha256 === sha256) ? manifest.toolchain : 'portable';
}
