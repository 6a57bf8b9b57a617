import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VerificationError } from '../../../src/base/errors.ts';
import type { Manifest } from '../../plan/manifest.ts';
import {
  LOG_FILE,
  NOTES_FILE,
  REPORT_FILE,
  SBOM_FILE,
  SUMS_FILE,
  VERIFY_REPORT_FILE,
} from '../../plan/output-files.ts';
import { type Asset, ATTESTATION_ASSET, SBOM_PREDICATE } from './assets.ts';
import { VERDICTS_ASSET } from './verdicts.ts';

/** What the release page tells. */
export interface NotesInput {
  readonly repository: string;
  readonly tag: string;
  /** The package first. */
  readonly assets: readonly [Asset, ...Asset[]];
  /** Markdown of the changelog entry. */
  readonly changes: string;
  /** Markdown of the release page, which the stage `publish` wrote. */
  readonly page: string;
}

/** Returns the Markdown of a release page: what changed, whose package it is, and how to check it without trusting the page. */
export function releaseNotes({ repository, tag, assets, changes, page }: NotesInput): string {
  const [{ name }] = assets;
  const workflow = `${repository}/.github/workflows/release.yml`;
  const attestation = `gh attestation verify ${name} -R ${repository} --signer-workflow ${workflow} --source-ref refs/heads/main --deny-self-hosted-runners`;
  return `${changes}

${page.trimEnd()}

## Everything beside it

Check it against this repository before you deploy it:

\`\`\`sh
${attestation}
gh release verify-asset ${tag} ${name} -R ${repository}
shasum -a 256 --ignore-missing -c ${SUMS_FILE}
pkgutil --check-signature ${name}
spctl -a -vv -t install ${name}
\`\`\`

- \`${REPORT_FILE}\`: this page as one file, for a browser or a printer.
- \`${SBOM_FILE}\`: every file and slice of the package, and what built it; the first command with \`--predicate-type ${SBOM_PREDICATE}\` shows that it was attested.
- \`${VERIFY_REPORT_FILE}\`: every check that the package passed.
- \`${VERDICTS_ASSET}\`: which Macs installed, used and uninstalled it, each with its macOS.
- \`${ATTESTATION_ASSET}\`: the attestations, for use offline (\`--bundle\`).
${assets.some((asset) => asset.name === LOG_FILE) ? `- \`${LOG_FILE}\`: what Apple's notary said.\n` : ''}`;
}

/**
 * Returns the Markdown of the release page that the stage `publish` wrote.
 *
 * @throws VerificationError `ASSET_CHANGED` when it is not what the manifest says
 */
export async function readReleasePage(folder: string, { files }: Pick<Manifest, 'files'>): Promise<string> {
  const source = await readFile(join(folder, NOTES_FILE));
  const sha256 = createHash('sha256').update(source).digest('hex');
  const listed = files.find(({ path }) => path === NOTES_FILE)?.sha256 ?? 'nothing of it';
  if (listed !== sha256) {
    throw new VerificationError('ASSET_CHANGED', `${NOTES_FILE} has sha256 ${sha256}, release.json says ${listed}`);
  }
  return source.toString('utf8');
}
