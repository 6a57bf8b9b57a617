import type { Manifest } from '../manifest.ts';
import type { Asset } from './assets.ts';

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
  return `${changes}

| | |
|---|---|
| Team ID | \`${manifest.package?.teamIdentifier ?? 'none'}\` |
| Package identifier | \`${manifest.package?.identifier ?? 'none'}\` |
| SHA-256 of ${name} | \`${package_?.sha256 ?? ''}\` |

Check it before you deploy it:

\`\`\`sh
gh attestation verify ${name} -R ${repository} --signer-workflow ${repository}/.github/workflows/release.yml --source-ref refs/heads/main --deny-self-hosted-runners
gh release verify-asset ${tag} ${name} -R ${repository}
pkgutil --check-signature ${name}
spctl -a -vv -t install ${name}
\`\`\`
`;
}
