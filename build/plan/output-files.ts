import { outputName, type Plan } from './plan.ts';

/** The notary's log of the package, as it came. */
export const LOG_FILE = 'notary-log.json';
/** What `verify FILE --json` says of the finished package. */
export const VERIFY_REPORT_FILE = 'verify-report.json';
/** The software bill of materials; Scorecard and others know it by `.cdx.json`. */
export const SBOM_FILE = 'EscrowBuddy.cdx.json';
/** The page of the release: one file, for a browser. */
export const REPORT_FILE = 'report.html';
/** The same page as Markdown, for the body of a release; no asset, so it lies with the extra packages. */
export const NOTES_FILE = 'extras/release-notes.md';
/** The list of digests, for `sha256sum --check` and `shasum -a 256 -c`. */
export const SUMS_FILE = 'SHA256SUMS';

/** Returns the names of what the stages behind build-package put beside the packages; each is true of these packages alone. */
export function laterFiles(plan: Pick<Plan, 'config' | 'version' | 'nameSuffix'>): readonly string[] {
  return [LOG_FILE, VERIFY_REPORT_FILE, SBOM_FILE, outputName(plan, 'kit'), REPORT_FILE, NOTES_FILE, SUMS_FILE];
}
