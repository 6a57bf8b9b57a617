import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { documentIn, parseJson } from '../../../src/base/document.ts';
import { VerificationError } from '../../../src/base/errors.ts';
import { digestFile } from '../../../src/base/files.ts';
import { readManifest } from '../../plan/manifest.ts';
import { SBOM_FILE, SUMS_FILE, VERIFY_REPORT_FILE } from '../../plan/output-files.ts';
import { VERIFICATION_SCHEMA, type VerificationDocument } from '../../report/verification-document.ts';
import { sbomProblems } from '../../sbom/check-sbom.ts';
import { readPackageContent } from '../../sbom/package-content.ts';
import { UNLISTED } from './assets.ts';
import { SMOKE_IMAGES, VERDICTS_ASSET, verdictProblems } from './verdicts.ts';

/**
 * Holds SHA256SUMS of a downloaded release to its other assets; lines about files inside the MDM kit have none.
 *
 * @param names of the assets in `folder`
 * @returns a short text for the table of checks
 * @throws VerificationError `SUMS_WRONG`
 */
export async function checkSums(folder: string, names: readonly string[]): Promise<string> {
  const text = await readFile(join(folder, SUMS_FILE), 'utf8');
  const sums = new Map(
    [...text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)].map(([, sha256, name]) => [name as string, sha256 as string]),
  );
  const listed = names.filter((name) => !UNLISTED.includes(name));
  const problems: string[] = [];
  for (const name of listed) {
    const { sha256 } = await digestFile(join(folder, name));
    const listed = sums.get(name);
    if (listed !== sha256) problems.push(`${name}: sha256 ${sha256}, ${SUMS_FILE} says ${listed ?? 'nothing of it'}`);
  }
  return end('SUMS_WRONG', problems, `${SUMS_FILE} names ${listed.length} assets`);
}

/**
 * Holds the published verification report to what was found of the same package now.
 *
 * @throws VerificationError `REPORT_WRONG`
 */
export async function checkReport(folder: string, found: VerificationDocument): Promise<string> {
  const listed = documentIn(await readFile(join(folder, VERIFY_REPORT_FILE)), VERIFICATION_SCHEMA);
  if (!listed) return end('REPORT_WRONG', [`${VERIFY_REPORT_FILE} is not a verification report`], '');
  const results = ({ checks }: VerificationDocument) =>
    checks.map(({ id, subject, status }) => `${id} of ${subject}: ${status}`).sort();
  // A check may stand there twice, of two things of one name.
  const now = results(found);
  const missing = results(listed).filter((result) => {
    const at = now.indexOf(result);
    if (at !== -1) now.splice(at, 1);
    return at === -1;
  });
  const problems = [
    ...(listed.verdict === 'pass' ? [] : [`its verdict is ${listed.verdict}`]),
    ...(isDeepStrictEqual(listed.facts, found.facts) ? [] : ['it is about another package']),
    ...(listed.trust === found.trust ? [] : [`it believed ${listed.trust}, not ${found.trust}`]),
    ...missing,
    ...now.map((result) => `it lacks ${result}`),
  ];
  return end('REPORT_WRONG', problems, `${listed.checks.length} checks, the same as now`);
}

/**
 * Holds what the Macs found to the published package: each image installed exactly this one.
 *
 * @throws VerificationError `SMOKE_INCOMPLETE`
 */
export async function checkSmoke(folder: string, packagePath: string): Promise<string> {
  const manifest = await readManifest(folder);
  const { sha256 } = await digestFile(packagePath);
  const expected = { name: basename(packagePath), sha256, team: manifest?.package?.teamIdentifier ?? null };
  const problems = verdictProblems(await readFile(join(folder, VERDICTS_ASSET), 'utf8'), expected);
  return end('SMOKE_INCOMPLETE', problems, `${SMOKE_IMAGES.length} Macs installed this package`);
}

/**
 * Holds the published SBOM to the published package: every file, slice and library of it, and nothing else.
 *
 * @throws VerificationError `SBOM_WRONG`
 */
export async function checkSbom(folder: string, packagePath: string): Promise<string> {
  const sbom = parseJson(await readFile(join(folder, SBOM_FILE)), SBOM_FILE);
  const content = await readPackageContent(packagePath);
  const files = content.payload.length + content.scripts.length;
  return end('SBOM_WRONG', sbomProblems(sbom, content), `${files} files of the package, and nothing else`);
}

function end(code: string, problems: readonly string[], summary: string): string {
  if (problems.length > 0) throw new VerificationError(code, problems.join('\n'));
  return summary;
}
