import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { templateReader } from '../../build/scripts/render-script.ts';
import type { ScriptInput } from '../../build/scripts/script-values.ts';
import { type RenderedScript, renderScripts } from '../../build/stages/generate-scripts.ts';
import { developerIdRequirement } from '../../src/code-signature/requirement/requirement.ts';
import { renderRequirement } from '../../src/code-signature/requirement/text.ts';
import { writeSealedBundle } from '../mac/simulated/sealed-bundle.ts';
import { REPOSITORY, type SimulatedMac } from '../mac/simulated/simulated-mac.ts';

/** The product as release.config.json has it, signed by a team. */
export const PRODUCT: ScriptInput = {
  productName: 'Escrow Buddy',
  bundleName: 'Escrow Buddy',
  executable: 'Escrow Buddy',
  packageIdentifier: 'com.netflix.Escrow-Buddy',
  bundleIdentifier: 'com.netflix.Escrow-Buddy',
  loginRight: 'system.login.console',
  mechanism: 'Escrow Buddy:Invoke,privileged',
  anchor: 'loginwindow:done',
  version: '1.1.0',
  installLocation: '/Library/Security/SecurityAgentPlugins',
  minimumMacOS: '10.14.4',
  guardIdentifier: 'com.netflix.Escrow-Buddy.guard',
  uninstallIdentifier: 'com.netflix.Escrow-Buddy.uninstall',
  requestIdentifier: 'com.netflix.Escrow-Buddy.request',
  codeRequirement: renderRequirement(developerIdRequirement('com.netflix.Escrow-Buddy', 'ABCDE12345')),
};

export const ENTRY = PRODUCT.mechanism;
export const BUNDLE = '/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle';

/** Every script of every package, rendered for PRODUCT. */
export const RENDERED: readonly RenderedScript[] = renderScripts(PRODUCT, templateReader(join(REPOSITORY, 'scripts')));

/** Puts the bundle, and each package's scripts in /private/tmp/PACKAGE, on a simulated Mac. */
export async function putProduct(mac: SimulatedMac): Promise<void> {
  const resources = RENDERED.filter(({ path }) => path.startsWith('Contents/Resources/'));
  rmSync(mac.path(BUNDLE), { recursive: true, force: true });
  mkdirSync(mac.path(BUNDLE), { recursive: true, mode: 0o755 });
  const files = Object.fromEntries(resources.map(({ path, text }) => [path.replace('Contents/Resources/', ''), text]));
  writeSealedBundle(mac.path(BUNDLE), { short: '1.1.0', build: '10100' }, files);
  for (const script of RENDERED.filter(({ path }) => path.startsWith('Scripts/')))
    await mac.put(`/private/tmp/${script.package}/${script.path.replace('Scripts/', '')}`, script.text, 0o755);
  const guard = RENDERED.find(({ template }) => template === 'guard.sh');
  await mac.put(RUN.guard[0], guard!.text, 0o755);
}

/** How a script is started, by what it is for. */
export const RUN = {
  install: ['/private/tmp/product/postinstall', '/p.pkg', '/Library/Security/SecurityAgentPlugins', '/', '/'],
  register: [`${BUNDLE}/Contents/Resources/AuthDBSetup.sh`],
  unregister: [`${BUNDLE}/Contents/Resources/AuthDBTeardown.sh`],
  uninstall: [`${BUNDLE}/Contents/Resources/uninstall.sh`],
  status: [`${BUNDLE}/Contents/Resources/status.sh`],
  uninstallPackage: ['/private/tmp/uninstall/postinstall', '/p.pkg', '/', '/', '/'],
  guardPackage: ['/private/tmp/guard/postinstall', '/p.pkg', '/', '/', '/'],
  guard: ['/Library/Application Support/Escrow Buddy/guard.sh'],
} as const;
