import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { templateReader } from '../../../build/scripts/render-script.ts';
import type { ScriptInput } from '../../../build/scripts/script-values.ts';
import { ofEachPackage, renderScripts, type ScriptPackage } from '../../../build/stages/generate-scripts.ts';
import { developerIdRequirement } from '../../../src/code-signature/requirement/requirement.ts';
import { renderRequirement } from '../../../src/code-signature/requirement/text.ts';
import { needs } from '../../support/needs.ts';
import { type Component, expandPackage } from './installer.ts';
import { writeSealedBundle } from './sealed-bundle.ts';
import { REPOSITORY } from './simulated-mac.ts';

/** The packages of one release. */
export interface Packages {
  readonly product: Component;
  readonly guard: Component;
  readonly uninstall: Component;
  readonly request: Component;
}

/** What the scripts under test are about (the identity of 1.0.0, kept). */
export const BUNDLE = '/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle';
export const RESOURCES = `${BUNDLE}/Contents/Resources`;
export const ENTRY = 'Escrow Buddy:Invoke,privileged';
export const ANCHOR = 'loginwindow:done';
export const GUARD_LABEL = 'com.netflix.Escrow-Buddy.guard';
export const GUARD_SCRIPT = '/Library/Application Support/Escrow Buddy/guard.sh';
export const GUARD_JOB = `/Library/LaunchDaemons/${GUARD_LABEL}.plist`;

export function scriptInput(version: string): ScriptInput {
  return {
    productName: 'Escrow Buddy',
    bundleName: 'Escrow Buddy.bundle',
    executable: 'Escrow Buddy',
    packageIdentifier: 'com.netflix.Escrow-Buddy',
    bundleIdentifier: 'com.netflix.Escrow-Buddy',
    loginRight: 'system.login.console',
    mechanism: ENTRY,
    anchor: ANCHOR,
    version,
    installLocation: '/Library/Security/SecurityAgentPlugins',
    minimumMacOS: '10.14.4',
    guardIdentifier: GUARD_LABEL,
    uninstallIdentifier: 'com.netflix.Escrow-Buddy.uninstall',
    requestIdentifier: 'com.netflix.Escrow-Buddy.request',
    codeRequirement: renderRequirement(developerIdRequirement('com.netflix.Escrow-Buddy', 'ABCDE12345')),
  };
}

const IDENTIFIERS: Readonly<Record<ScriptPackage, string>> = {
  product: 'com.netflix.Escrow-Buddy',
  guard: GUARD_LABEL,
  uninstall: 'com.netflix.Escrow-Buddy.uninstall',
  request: 'com.netflix.Escrow-Buddy.request',
};

/**
 * Returns the packages of a version as trees, made of this checkout's scripts and a small sealed bundle.
 *
 * It stands for a signed release, which no machine without Apple's certificates can make: codesign is asked, and the
 * seal is real enough to break. `pipelinePackages()` are the ones that the pipeline builds.
 */
export function testPackages(folder: string, version = '1.1.0'): Packages {
  const scripts = renderScripts(scriptInput(version), templateReader(join(REPOSITORY, 'scripts')));
  const [major, minor, patch] = version.split('.').map(Number);
  const build = String(major! * 10_000 + minor! * 100 + patch!);
  const payload = join(folder, 'payload');
  mkdirSync(payload, { recursive: true, mode: 0o755 });
  const resources = scripts.filter((script) => script.path.startsWith('Contents/Resources/'));
  writeSealedBundle(
    join(payload, 'Escrow Buddy.bundle'),
    { short: version, build },
    Object.fromEntries(resources.map((script) => [script.path.slice('Contents/Resources/'.length), script.text])),
  );
  const component = (name: ScriptPackage): Component => {
    const tree = join(folder, `scripts-${name}`);
    mkdirSync(tree, { recursive: true });
    for (const script of scripts)
      if (script.package === name && script.path.startsWith('Scripts/'))
        writeFileSync(join(tree, script.path.slice('Scripts/'.length)), script.text, { mode: 0o755 });
    return {
      identifier: IDENTIFIERS[name],
      version,
      installLocation: name === 'product' ? '/Library/Security/SecurityAgentPlugins' : '/',
      upgradeBundles: name === 'product' ? ['./Escrow Buddy.bundle'] : [],
      versionedBundles: [],
      payload: name === 'product' ? payload : undefined,
      scripts: tree,
    };
  };
  return ofEachPackage(component);
}

/** Returns the packages in a folder `out/<version>` of the pipeline, taken apart below `folder`. */
export function builtPackages(out: string, folder: string): Packages {
  const find = (where: string, pattern: RegExp) => {
    const name = readdirSync(join(out, where)).find((entry) => pattern.test(entry));
    if (name === undefined) throw new Error(`no package like ${pattern} in ${join(out, where)}`);
    return expandPackage(join(out, where, name), join(folder, name))[0]!;
  };
  return {
    product: find('.', /^Escrow\.Buddy-[\d.]+(-rehearsal)?\.pkg$/),
    guard: find('extras', /^Escrow\.Buddy\.Guard-[\d.]+(-rehearsal)?\.pkg$/),
    uninstall: find('extras', /^Escrow\.Buddy\.Uninstall-[\d.]+(-rehearsal)?\.pkg$/),
    request: find('extras', /^Escrow\.Buddy\.Request-[\d.]+(-rehearsal)?\.pkg$/),
  };
}

/**
 * Returns the packages that tests of codesign need: those of the folder PACKAGES_UNDER_TEST (`out/<version>` of a signed
 * release or rehearsal), or else ones made of this checkout's scripts, as `build` signs nothing codesign may check.
 */
export function packagesUnderTest(folder: string): Packages {
  const out = process.env.PACKAGES_UNDER_TEST;
  mkdirSync(folder, { recursive: true });
  return out === undefined ? testPackages(folder) : builtPackages(out, folder);
}

/** What the pipeline needs to build packages here. */
export const pipelineNeeds = needs('clang', 'bsdtar');

/**
 * Returns the packages that this checkout's pipeline builds, or `packagesUnderTest` where that is set.
 *
 * @throws Error when the build fails; ask `pipelineNeeds` before
 */
export function pipelinePackages(folder: string): Packages {
  if (process.env.PACKAGES_UNDER_TEST !== undefined) return packagesUnderTest(folder);
  const out = join(folder, 'out');
  execFileSync('/bin/sh', [join(REPOSITORY, 'build/setup/run.sh'), 'build', '--out', out], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return builtPackages(join(out, readdirSync(out)[0]!), folder);
}
