import { relative } from 'node:path';
import type { Check } from '../../src/base/check.ts';
import { VerificationError } from '../../src/base/errors.ts';
import { verifyPackageFile } from '../../src/toolchain/portable/verifier.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import type { PackageReport } from '../../src/verify/expectations.ts';
import { filesWith, type Manifest, writeListed } from '../plan/manifest.ts';
import { VERIFY_REPORT_FILE } from '../plan/output-files.ts';
import type { Plan } from '../plan/plan.ts';
import { renderChecks } from '../report/checks.ts';
import { renderVerifyReport } from '../report/verification-document.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { ReleaseSigning } from '../signing/identities.ts';
import { packagePaths } from './build-package.ts';
import { SCRIPT_PACKAGES } from './generate-scripts.ts';
import { ourForm } from './our-form.ts';
import type { StapledPackages } from './staple.ts';

/** A package that a stranger would take: the only kind that can be published. */
export interface VerifiedPackage {
  readonly kind: 'verified-package';
  readonly path: string;
  /** Hex. */
  readonly sha256: string;
}

/**
 * Opens the finished packages afresh and checks them as a stranger would; a failed check stops the release.
 *
 * What was found of the product is written beside it, as `verify FILE --json` prints it anywhere. Where Apple's tools made the
 * release they are asked for their verdict as well.
 */
export async function verifyPackages(
  stapled: StapledPackages,
  signing: Pick<ReleaseSigning, 'trust' | 'teamIdentifier' | 'mode'>,
  toolchain: Pick<Toolchain, 'name' | 'verifier'>,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
  manifest: Pick<Manifest, 'package' | 'toolchain' | 'files'>,
): Promise<StageResult<VerifiedPackage>> {
  const paths = packagePaths(plan);
  const { teamIdentifier, mode } = signing;
  const known = { madeBy: manifest.toolchain, teamIdentifier, version: plan.version };
  const checks: Check[] = [];
  let product: PackageReport | undefined;
  const asksApple = toolchain.name === 'apple' && mode === 'release';
  for (const name of SCRIPT_PACKAGES) {
    const expectations = { trust: signing.trust, now: new Date(), ours: await ourForm(plan, name, known) };
    const report = await verifyPackageFile(paths[name], expectations);
    const verdict = asksApple ? await toolchain.verifier(signing.trust).verify(paths[name], { signal }) : [];
    const found = [...report.checks, ...verdict];
    refuseFailed(relative(plan.outFolder, paths[name]), [...found, ticketThere(report)]);
    checks.push(...found);
    if (name === 'product') product = report;
  }
  const count = checks.filter(({ status }) => status === 'pass').length;
  const trusted = mode === 'rehearsal' ? ', by the rehearsal authority: no Mac trusts it' : '';
  return {
    value: { kind: 'verified-package', path: stapled.path, sha256: stapled.sha256 },
    summary: `${count} checks passed${trusted}`,
    facts: await reportFacts(plan, signing, product as PackageReport, manifest),
  };
}

/** A package of others may have no ticket; one that leaves this project has its own. */
function ticketThere({ checks }: PackageReport): Check {
  const isThere = checks.some(({ id, status }) => id === 'ticket' && status === 'pass');
  return isThere
    ? { id: 'stapled', status: 'pass' }
    : { id: 'stapled', status: 'fail', reason: 'no ticket is stapled to the package' };
}

/** Writes the product's report, and returns what the manifest says of it and of the product's timestamp. */
async function reportFacts(
  plan: Plan,
  { trust }: Pick<ReleaseSigning, 'trust'>,
  product: PackageReport,
  manifest: Pick<Manifest, 'package' | 'files'>,
): Promise<Partial<Manifest>> {
  const timestamp = product.facts.timestamp?.toISOString() ?? null;
  const text = renderVerifyReport(packagePaths(plan).product, product, trust);
  const file = await writeListed(plan.outFolder, { path: VERIFY_REPORT_FILE, role: 'verify-report' }, text);
  return {
    files: filesWith(manifest.files, file),
    ...(manifest.package && { package: { ...manifest.package, timestamp } }),
  };
}

function refuseFailed(name: string, checks: readonly Check[]): void {
  const failed = checks.filter(({ status }) => status === 'fail');
  if (failed.length === 0) return;
  throw new VerificationError('PACKAGE_INVALID', `${name} does not verify:\n${renderChecks(failed)}`, {
    hint: 'Nothing was published. Build anew; when it happens again, report it with these lines.',
  });
}
