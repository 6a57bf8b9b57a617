import { open } from 'node:fs/promises';
import { relative } from 'node:path';
import { VerificationError } from '../../src/base/errors.ts';
import { accessFile } from '../../src/base/random-access.ts';
import { type OurForm, type PackageReport, verifyPackage } from '../../src/verify/verify-package.ts';
import type { ReleaseSigning } from '../identities.ts';
import { type Manifest, withFile, writeListed } from '../manifest.ts';
import { VERIFY_REPORT_FILE } from '../output-files.ts';
import type { Plan } from '../plan.ts';
import { renderChecks } from '../report/checks.ts';
import { renderVerifyReport } from '../report/verification-document.ts';
import type { StageContext, StageResult } from '../run.ts';
import { readPermissions } from './assemble-payload.ts';
import { packageIdentifiers, packagePaths } from './build-package.ts';
import { SCRIPT_FILES, type ScriptPackage } from './generate-scripts.ts';

/**
 * Opens the finished packages afresh and judges them as a stranger would; a failed check stops the release.
 *
 * What it found of the product is written beside it, as `verify FILE --json` prints it.
 */
export async function verifyPackages(
  signing: Pick<ReleaseSigning, 'trust' | 'teamIdentifier' | 'mode'>,
  { plan }: Pick<StageContext, 'plan'>,
  manifest: Pick<Manifest, 'package' | 'files'>,
): Promise<StageResult<null>> {
  const paths = packagePaths(plan);
  const reports = new Map<ScriptPackage, PackageReport>();
  for (const name of ['product', 'guard', 'uninstall'] as const) {
    const report = await verifyFile(
      paths[name],
      signing,
      await ourForm(plan, name, { teamIdentifier: signing.teamIdentifier, version: plan.version }),
    );
    if (!report.valid) throw refused(relative(plan.outFolder, paths[name]), report);
    reports.set(name, report);
  }
  const count = [...reports.values()].reduce(
    (sum, { checks }) => sum + checks.filter(({ status }) => status === 'pass').length,
    0,
  );
  const product = reports.get('product') as PackageReport;
  const timestamp = product.facts.timestamp?.toISOString() ?? null;
  const written = await writeListed(
    plan.outFolder,
    { path: VERIFY_REPORT_FILE, role: 'verify-report' },
    renderVerifyReport(paths.product, product, signing.trust),
  );
  const trusted = signing.mode === 'rehearsal' ? ', by the rehearsal authority: no Mac trusts it' : '';
  return {
    value: null,
    words: `${count} checks passed${trusted}`,
    facts: {
      files: withFile(manifest.files, written),
      ...(manifest.package && { package: { ...manifest.package, timestamp } }),
    },
  };
}

/**
 * Returns the form that a package of this project must have.
 *
 * @param made team and version, where they are known beforehand
 */
export async function ourForm(
  plan: Pick<Plan, 'root' | 'config'>,
  name: ScriptPackage,
  made: Pick<OurForm, 'teamIdentifier' | 'version'>,
): Promise<OurForm> {
  const { owner, payload } = await readPermissions(plan);
  const modes = Object.entries(payload).map(([path, mode]): [string, number] => [path, Number.parseInt(mode, 8)]);
  const { config } = plan;
  return {
    ...made,
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

function refused(name: string, { checks }: PackageReport): VerificationError {
  const failed = checks.filter(({ status }) => status === 'fail');
  return new VerificationError('PACKAGE_INVALID', `${name} does not verify:\n${renderChecks(failed)}`, {
    hint: 'Nothing was published. Build anew; when it happens again, report it with these lines.',
  });
}
