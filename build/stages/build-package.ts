import { rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { makeFolder } from '../../src/base/place/folder.ts';
import type { ProductPlan, UnsignedProduct } from '../../src/package/product.ts';
import type { PackageBuilder } from '../../src/toolchain/toolchain.ts';
import type { Config } from '../plan/config.ts';
import type { Manifest } from '../plan/manifest.ts';
import { laterFiles } from '../plan/output-files.ts';
import { bundleVersionOf, outputName, type Plan, REHEARSAL_SUFFIX } from '../plan/plan.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { AssembledPayload } from './assemble-payload.ts';
import { ofEachPackage, SCRIPT_PACKAGES, type ScriptPackage } from './generate-scripts.ts';

/** The unsigned packages: the product, and the extra ones that travel in the MDM kit. */
export type UnsignedPackages = Readonly<Record<ScriptPackage, UnsignedProduct>>;

/** Builds the flat packages, each a component inside a product archive. */
export async function buildPackages(
  assembled: AssembledPayload,
  builder: PackageBuilder,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
): Promise<StageResult<UnsignedPackages>> {
  const paths = packagePaths(plan);
  await makeFolder(dirname(paths.guard));
  for (const path of earlierResults(plan)) await rm(path, { force: true });
  const make = (name: ScriptPackage) => builder.build(productPlan(plan, assembled, name), paths[name], { signal });
  const made = await Promise.all(SCRIPT_PACKAGES.map(async (name) => [name, await make(name)]));
  const value: UnsignedPackages = Object.fromEntries(made);
  const { product } = value;
  return {
    value,
    facts: factsOf(value, plan),
    summary: `${product.numberOfFiles} entries, ${product.installKBytes} KiB installed, ${product.size} bytes`,
  };
}

/**
 * Returns what an earlier run may have left that is not true of these packages, nor made anew by each run: documents, and packages
 * under the other name, of a rehearsal or of none.
 */
function earlierResults(plan: Plan): string[] {
  const { nameSuffix, ...plain } = plan;
  const forms: readonly Plan[] = [plain, { ...plain, nameSuffix: REHEARSAL_SUFFIX }];
  const others = forms.filter((form) => form.nameSuffix !== nameSuffix);
  return [
    ...forms.flatMap((form) => laterFiles(form).map((name) => join(plan.outFolder, name))),
    ...others.flatMap((form) => Object.values(packagePaths(form))),
  ];
}

/** Returns what the manifest says of packages that nobody has signed yet. */
function factsOf(packages: UnsignedPackages, plan: Plan): Partial<Manifest> {
  const files = SCRIPT_PACKAGES.map((name) => {
    const { path, size, sha256 } = packages[name];
    const role = name === 'product' ? 'package' : 'extra';
    return { path: relative(plan.outFolder, path), role, size, sha256 };
  });
  const { identifier } = plan.config.package;
  const unsigned = { signer: null, teamIdentifier: null, timestamp: null };
  return { files, package: { identifier, tocDigest: packages.product.tocDigest, ...unsigned } };
}

/** Returns where each package goes. A release has one .pkg asset, so the extra ones lie in a folder of their own. */
export function packagePaths(plan: Plan): Readonly<Record<ScriptPackage, string>> {
  return ofEachPackage((name) =>
    name === 'product'
      ? join(plan.outFolder, outputName(plan, 'package'))
      : join(plan.outFolder, 'extras', outputName(plan, name)),
  );
}

/** Returns the identifier of each package: its receipt's and its product's. */
export function packageIdentifiers({
  package: settings,
}: Pick<Config, 'package'>): Readonly<Record<ScriptPackage, string>> {
  return {
    product: settings.identifier,
    guard: settings.guardIdentifier,
    uninstall: settings.uninstallIdentifier,
    request: settings.requestIdentifier,
  };
}

/** Returns what Installer calls each package. */
export function packageTitles({ product }: Pick<Config, 'product'>): Readonly<Record<ScriptPackage, string>> {
  const { title } = product;
  return { product: title, guard: `${title} Guard`, uninstall: `${title} Uninstall`, request: `${title} Request` };
}

/** Returns the bundles in a package of one version; the extra ones only run scripts. */
export function packageBundles({ bundle }: Pick<Config, 'bundle'>, name: ScriptPackage, version: string) {
  const { name: path, identifier: id } = bundle;
  return name === 'product' ? [{ path, id, shortVersion: version, version: String(bundleVersionOf(version)) }] : [];
}

function productPlan(plan: Plan, assembled: AssembledPayload, name: ScriptPackage): ProductPlan {
  const { package: settings, macOS } = plan.config;
  const { version } = plan;
  const identifier = packageIdentifiers(plan.config)[name];
  return {
    identifier,
    version,
    title: packageTitles(plan.config)[name],
    minimumSystemVersion: macOS.installer,
    creationTime: plan.sourceDateEpoch,
    component: {
      identifier,
      version,
      installLocation: settings.installLocation,
      ...assembled[name],
      bundles: packageBundles(plan.config, name, version),
    },
  };
}
