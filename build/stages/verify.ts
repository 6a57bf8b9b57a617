import { open } from 'node:fs/promises';
import { relative } from 'node:path';
import { VerificationError } from '../../src/base/errors.ts';
import { accessFile } from '../../src/base/random-access.ts';
import type { Check } from '../../src/code-signature/check.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import { type OurForm, type PackageReport, verifyPackage } from '../../src/verify/verify-package.ts';
import type { ReleaseSigning } from '../identities.ts';
import type { Manifest } from '../manifest.ts';
import type { Plan } from '../plan.ts';
import { renderChecks } from '../report/checks.ts';
import type { StageContext, StageResult } from '../run.ts';
import { readPermissions } from './assemble-payload.ts';
import { packageIdentifiers, packagePaths } from './build-package.ts';
import { SCRIPT_FILES, type ScriptPackage } from './generate-scripts.ts';

/**
 * Opens the finished packages afresh and judges them as a stranger would; a failed check stops the release.
 *
 * Where Apple's tools made the release they are asked for their judgement as well.
 */
export async function verifyPackages(
  signing: Pick<ReleaseSigning, 'trust' | 'teamIdentifier' | 'mode'>,
  toolchain: Pick<Toolchain, 'name' | 'verifier'>,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
  manifest: Pick<Manifest, 'package' | 'toolchain'>,
): Promise<StageResult<null>> {
  const paths = packagePaths(plan);
  const { teamIdentifier, mode } = signing;
  const known = { madeBy: manifest.toolchain, teamIdentifier, version: plan.version };
  const checks: Check[] = [];
  let timestamp: Date | null = null;
  for (const name of ['product', 'guard', 'uninstall'] as const) {
    const report = await verifyFile(paths[name], signing, await ourForm(plan, name, known));
    refuseFailed(relative(plan.outFolder, paths[name]), report.checks);
    checks.push(...report.checks);
    if (name === 'product') timestamp = report.facts.timestamp;
  }
  // The two extra packages are signed and not notarized: device management installs them, and asks no Gatekeeper.
  if (toolchain.name === 'apple' && mode === 'release') {
    const verifier = await toolchain.verifier(signing.trust);
    const judgement = await verifier.verify(paths.product, { signal });
    refuseFailed(relative(plan.outFolder, paths.product), judgement);
    checks.push(...judgement);
  }
  const count = checks.filter(({ status }) => status === 'pass').length;
  const trusted = mode === 'rehearsal' ? ', by the rehearsal authority: no Mac trusts it' : '';
  return {
    value: null,
    words: `${count} checks passed${trusted}`,
    facts: manifest.package ? { package: { ...manifest.package, timestamp: timestamp?.toISOString() ?? null } } : {},
  };
}

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
    installLocation: config.package.installLocation,
    minimumSystemVersion: config.macOS.installer,
    scripts: SCRIPT_FILES.filter((script) => script.package === name && script.path.startsWith('Scripts/')).map(
      (script) => script.path.slice('Scripts/'.length),
    ),
    owner,
    payload: new Map(name === 'product' ? modes : modes.filter(([path]) => path === '.')),
  };
}

async function verifyFile(
  path: string,
  { trust }: Pick<ReleaseSigning, 'trust'>,
  ours: OurForm,
): Promise<PackageReport> {
  const handle = await open(path);
  try {
    return await verifyPackage(await accessFile(handle), { trust, now: new Date(), ours });
  } finally {
    await handle.close();
  }
}

function refuseFailed(name: string, checks: readonly Check[]): void {
  const failed = checks.filter(({ status }) => status === 'fail');
  if (failed.length === 0) return;
  throw new VerificationError('PACKAGE_INVALID', `${name} does not verify:\n${renderChecks(failed)}`, {
    hint: 'Nothing was published. Build anew; when it happens again, report it with these lines.',
  });
}
