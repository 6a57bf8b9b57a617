import type { Manifest } from '../../plan/manifest.ts';
import { LOG_FILE, SBOM_FILE, SUMS_FILE, VERIFY_REPORT_FILE } from '../../plan/output-files.ts';
import { type Asset, ATTESTATION_ASSET, SBOM_PREDICATE } from './assets.ts';
import { VERDICTS_ASSET } from './verdicts.ts';

/** What the release page tells. */
export interface NotesInput {
  readonly repository: string;
  readonly tag: string;
  readonly assets: readonly Asset[];
  readonly manifest: Manifest;
  /** Markdown of the changelog entry. */
  readonly changes: string;
}

/** Returns the Markdown of a release page: what changed, whose package it is, and how to check it without trusting the page. */
export function releaseNotes({ repository, tag, assets, manifest, changes }: NotesInput): string {
  const [package_] = assets;
  const name = package_?.name ?? '';
  const workflow = `${repository}/.github/workflows/release.yml`;
  const attestation = `gh attestation verify ${name} -R ${repository} --signer-workflow ${workflow} --source-ref refs/heads/main --deny-self-hosted-runners`;
  return `${changes}

| | |
|---|---|
| Team ID | \`${manifest.package?.teamIdentifier ?? 'none'}\` |
| Package identifier | \`${manifest.package?.identifier ?? 'none'}\` |
| SHA-256 of ${name} | \`${package_?.sha256 ?? ''}\` |

Check it before you deploy it:

\`\`\`sh
${attestation}
gh release verify-asset ${tag} ${name} -R ${repository}
shasum -a 256 --ignore-missing -c ${SUMS_FILE}
pkgutil --check-signature ${name}
spctl -a -vv -t install ${name}
\`\`\`

- \`${SBOM_FILE}\`: every file and slice of the package, and what built it; the first command with \`--predicate-type ${SBOM_PREDICATE}\` shows that it was attested.
- \`${VERIFY_REPORT_FILE}\`: every check that the package passed.
- \`${VERDICTS_ASSET}\`: which Macs installed, used and uninstalled it, each with its macOS.
- \`${ATTESTATION_ASSET}\`: the attestations, for use offline (\`--bundle\`).
${assets.some((asset) => asset.name === LOG_FILE) ? `- \`${LOG_FILE}\`: what Apple's notary said.\n` : ''}`;
}
