import { join } from 'node:path';
import type { Requirement } from '../../src/code-signature/requirement/requirement.ts';
import { renderRequirement } from '../../src/code-signature/requirement/text.ts';
import { requirementOf } from '../../src/toolchain/portable/code-signer.ts';
import { EXTRA_PACKAGES, type ExtraPackage, type Plan } from '../plan/plan.ts';
import type { StageContext, StageResult } from '../run.ts';
import { type ReadTemplate, scriptRenderer, templateReader } from '../scripts/render-script.ts';
import { type ScriptInput, scriptValues } from '../scripts/script-values.ts';
import type { ReleaseSigning } from '../signing/identities.ts';

/** A file that goes into the package, by its path below the root it belongs to. */
export interface BuiltFile {
  readonly path: string;
  readonly data: Buffer;
}

/** Which package a script belongs to: the product's own, or an extra one without a payload. */
export type ScriptPackage = 'product' | ExtraPackage;

/** Every package of a release, the product first. */
export const SCRIPT_PACKAGES: readonly ScriptPackage[] = ['product', ...EXTRA_PACKAGES];

/** Returns something of each package. */
export function ofEachPackage<Value>(make: (name: ScriptPackage) => Value): Readonly<Record<ScriptPackage, Value>> {
  return Object.fromEntries(SCRIPT_PACKAGES.map((name) => [name, make(name)])) as Record<ScriptPackage, Value>;
}

/** One script as it lies in a package. */
export interface ScriptFile {
  readonly package: ScriptPackage;
  /** Template in `scripts/`. */
  readonly template: string;
  /** `Scripts/NAME`: in the Scripts archive. `Contents/Resources/NAME`: inside the bundle. */
  readonly path: string;
}

/** A script with its text. */
export interface RenderedScript extends ScriptFile {
  readonly text: string;
}

/** Every script of every package. `guard.sh` lies beside the postinstall that copies it into place. */
export const SCRIPT_FILES: readonly ScriptFile[] = [
  { package: 'product', template: 'preinstall.sh', path: 'Scripts/preinstall' },
  { package: 'product', template: 'postinstall.sh', path: 'Scripts/postinstall' },
  { package: 'product', template: 'guard.sh', path: 'Scripts/guard.sh' },
  { package: 'product', template: 'AuthDBSetup.sh', path: 'Contents/Resources/AuthDBSetup.sh' },
  { package: 'product', template: 'AuthDBTeardown.sh', path: 'Contents/Resources/AuthDBTeardown.sh' },
  { package: 'product', template: 'status.sh', path: 'Contents/Resources/status.sh' },
  { package: 'product', template: 'uninstall.sh', path: 'Contents/Resources/uninstall.sh' },
  { package: 'guard', template: 'guard-postinstall.sh', path: 'Scripts/postinstall' },
  { package: 'guard', template: 'guard.sh', path: 'Scripts/guard.sh' },
  { package: 'uninstall', template: 'uninstall-postinstall.sh', path: 'Scripts/postinstall' },
  { package: 'request', template: 'request-postinstall.sh', path: 'Scripts/postinstall' },
];

/**
 * Returns all scripts of all packages, rendered.
 *
 * @throws UsageError when a value cannot be used in a script, TypeError when a template is wrong
 * @example renderScripts(input, templateReader('scripts')).find((script) => script.path === 'Scripts/postinstall')?.text
 */
export function renderScripts(input: ScriptInput, readTemplate: ReadTemplate): RenderedScript[] {
  const render = scriptRenderer(scriptValues(input), readTemplate);
  return SCRIPT_FILES.map((file) => ({ ...file, text: render(file.template) }));
}

/** The scripts of this version: what is sealed inside the bundle, and what Installer runs for each package. */
export interface GeneratedScripts {
  readonly kind: 'generated-scripts';
  /** Files of the bundle, with paths below it. */
  readonly resources: readonly BuiltFile[];
  /** Files of each package's Scripts archive. */
  readonly installer: Readonly<Record<ScriptPackage, readonly BuiltFile[]>>;
}

/**
 * Renders every script of every package from the templates in scripts/.
 *
 * @param signing who signs the bundle; null: nobody, so that its scripts can ask for its identifier alone
 */
export async function generateScripts(
  signing: Pick<ReleaseSigning, 'identities'> | null,
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<GeneratedScripts>> {
  const value = scriptsDemanding(bundleRequirement(plan.config.bundle.identifier, signing), plan);
  const { resources, installer } = value;
  return { value, summary: `${resources.length} in the bundle, ${installer.product.length} for Installer` };
}

/** Returns the scripts of every package; they take a bundle for ours that satisfies `requirement`. */
export function scriptsDemanding(requirement: Requirement, plan: Plan): GeneratedScripts {
  const { bundle, authorization, package: settings, product, macOS } = plan.config;
  const scripts = renderScripts(
    {
      productName: product.title,
      bundleName: bundle.name,
      executable: bundle.executable,
      packageIdentifier: settings.identifier,
      bundleIdentifier: bundle.identifier,
      loginRight: authorization.right,
      mechanism: authorization.mechanism,
      anchor: authorization.before,
      version: plan.version,
      installLocation: settings.installLocation,
      minimumMacOS: macOS.installer,
      guardIdentifier: settings.guardIdentifier,
      uninstallIdentifier: settings.uninstallIdentifier,
      requestIdentifier: settings.requestIdentifier,
      codeRequirement: renderRequirement(requirement),
    },
    templateReader(join(plan.root, 'scripts')),
  );
  const filesOf = (owner: ScriptPackage): BuiltFile[] =>
    scripts
      .filter((script) => script.package === owner && script.path.startsWith('Scripts/'))
      .map((script) => ({ path: script.path.slice('Scripts/'.length), data: Buffer.from(script.text) }));
  const resources = scripts
    .filter((script) => script.path.startsWith('Contents/'))
    .map((script) => ({ path: script.path, data: Buffer.from(script.text) }));
  return { kind: 'generated-scripts', resources, installer: ofEachPackage(filesOf) };
}

/** The requirement that the bundle's own signature names: the scripts take no other signer's bundle for ours. */
function bundleRequirement(identifier: string, signing: Pick<ReleaseSigning, 'identities'> | null): Requirement {
  if (!signing) return { op: 'identifier', value: identifier };
  return requirementOf(identifier, signing.identities.application.identity);
}
