import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import fsExtra from 'fs-extra';
import { parseJson } from '../../src/base/document.ts';
import { VerificationError } from '../../src/base/errors.ts';
import { digestFile, writeWhole } from '../../src/base/files.ts';
import { comparePackages } from '../compare/compare.ts';
import { describePackage } from '../compare/describe.ts';
import { downloadUrl, type KitSource, makeKit, readKitInput } from '../kit/make-kit.ts';
import { readVocabulary } from '../kit/vocabulary.ts';
import { zip } from '../kit/zip.ts';
import { type Manifest, type ManifestFile, writeListed } from '../plan/manifest.ts';
import { LOG_FILE, NOTES_FILE, REPORT_FILE, SBOM_FILE, SUMS_FILE } from '../plan/output-files.ts';
import { outputName, type Plan } from '../plan/plan.ts';
import { releasePage } from '../release-page/release-page.ts';
import type { StageContext, StageResult } from '../run.ts';
import { makeSbom } from '../sbom/make-sbom.ts';
import { packagePaths } from './build-package.ts';
import type { VerifiedPackage } from './verify.ts';

/** What earlier stages made; all else is made anew each time. */
const EARLIER_ROLES: readonly string[] = ['package', 'extra', 'verify-report'];

/** Makes the MDM kit, the SBOM, the release page, and the digests in the form that `sha256sum --check` and `shasum -a 256 -c` read. */
export async function publish(
  verified: VerifiedPackage,
  manifest: Manifest,
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<null>> {
  await refuseChanged(verified);
  const earlier = manifest.files.filter(({ role }) => EARLIER_ROLES.includes(role));
  const source = kitSource(plan);
  const all = [
    ...earlier,
    ...(await listLog(plan, manifest)),
    await writeSbom(plan, manifest),
    await writeKit(plan, source),
    ...(await writePage(plan, manifest, source)),
  ];
  // What is inside the kit, or no asset of a release, is beside nobody who checks these.
  const beside = all.filter(({ path }) => !path.includes('/'));
  const lines = beside.map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  await writeWhole(join(plan.outFolder, SUMS_FILE), lines.join(''));
  const summary = `MDM kit, SBOM, release page, SHA256SUMS of ${beside.length} files`;
  return { value: null, summary, facts: { files: all } };
}

/** What is published are the bytes that were verified, not what somebody put in their place since. */
async function refuseChanged({ path, sha256 }: VerifiedPackage): Promise<void> {
  const now = await digestFile(path);
  if (now.sha256 === sha256) return;
  const message = `${path} was changed after it was verified: SHA-256 ${now.sha256}, it was ${sha256}`;
  throw new VerificationError('PACKAGE_CHANGED', message, { hint: 'Nothing was published. Run npm start again.' });
}

function kitSource(plan: Plan): KitSource {
  const { product: packagePath, ...extras } = packagePaths(plan);
  const url = downloadUrl(plan.config, plan.version, basename(packagePath));
  return { root: plan.root, packagePath, extras, url };
}

/** Generates the kit from the finished package, with the extra packages in it: a release has one .pkg asset. */
async function writeKit(plan: Plan, source: KitSource): Promise<ManifestFile> {
  const files = await makeKit(source);
  const entry = { path: outputName(plan, 'kit'), role: 'mdm-kit' };
  return writeListed(plan.outFolder, entry, zip(files, plan.sourceDateEpoch));
}

/** Writes the page of the release, for a browser and as the body of the release on GitHub. */
async function writePage(plan: Plan, manifest: Manifest, source: KitSource): Promise<readonly ManifestFile[]> {
  const { previousPackage, outFolder } = plan;
  const { html, markdown } = releasePage({
    manifest,
    kit: await readKitInput(source),
    kitName: outputName(plan, 'kit'),
    vocabulary: await readVocabulary(plan.root),
    comparison:
      previousPackage === undefined
        ? null
        : comparePackages(await describePackage(previousPackage), await describePackage(source.packagePath)),
  });
  return [
    await writeListed(outFolder, { path: REPORT_FILE, role: 'report' }, html),
    await writeListed(outFolder, { path: NOTES_FILE, role: 'release-notes' }, markdown),
  ];
}

/** Describes the finished package, as it lies there, and what built it. */
async function writeSbom(plan: Plan, { tools }: Pick<Manifest, 'tools'>): Promise<ManifestFile> {
  const text = `${JSON.stringify(await makeSbom(plan, tools), null, 2)}\n`;
  return writeListed(plan.outFolder, { path: SBOM_FILE, role: 'sbom' }, text);
}

/** The notary's log cannot always be fetched; one that an earlier run left of another submission says nothing of this package. */
async function listLog(plan: Plan, { submission }: Pick<Manifest, 'submission'>): Promise<readonly ManifestFile[]> {
  const file = join(plan.outFolder, LOG_FILE);
  if (!(await fsExtra.pathExists(file))) return [];
  const { jobId } = parseJson(await readFile(file, 'utf8'), LOG_FILE) as { readonly jobId?: string };
  if (jobId && submission && jobId.toLowerCase() !== submission.id.toLowerCase()) {
    await rm(file);
    return [];
  }
  const { size, sha256 } = await digestFile(file);
  return [{ path: LOG_FILE, role: 'notary-log', size, sha256 }];
}
