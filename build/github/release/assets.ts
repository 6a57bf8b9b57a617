import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError, VerificationError } from '../../../src/base/errors.ts';
import { digestFile } from '../../../src/base/files.ts';
import type { Config } from '../../plan/config.ts';
import { MANIFEST_FILE, type Manifest } from '../../plan/manifest.ts';
import { LOG_FILE, REPORT_FILE, SBOM_FILE, SUMS_FILE, VERIFY_REPORT_FILE } from '../../plan/output-files.ts';
import { outputName, REHEARSAL_SUFFIX } from '../../plan/plan.ts';
import { VERDICTS_ASSET } from './verdicts.ts';

/** A file of the release page. */
export interface Asset {
  readonly name: string;
  readonly path: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** Name of the attestation's Sigstore bundle; Scorecard counts assets by such names. */
export const ATTESTATION_ASSET = 'EscrowBuddy.intoto.jsonl';

/** Type of an attestation whose predicate is a CycloneDX document. Source: in-toto attestation, spec/predicates/cyclonedx.md. */
export const SBOM_PREDICATE = 'https://cyclonedx.org/bom';

/** Assets that neither release.json nor SHA256SUMS can name: these two, and what is made after them. */
export const UNLISTED: readonly string[] = [SUMS_FILE, MANIFEST_FILE, ATTESTATION_ASSET, VERDICTS_ASSET];

/** What stands on a release page, in the order of upload: fleet tools take the first that matches their pattern. */
function assetTable(names: readonly string[], config: Config, version: string): { name: string; required: boolean }[] {
  // A rehearsal's files say so in their names; where one may go at all is settled by what release.json says of its mode.
  const rehearsal = { config, version, nameSuffix: REHEARSAL_SUFFIX } as const;
  const form = names.includes(outputName(rehearsal, 'package')) ? rehearsal : { config, version };
  return [
    { name: outputName(form, 'package'), required: true },
    { name: outputName(form, 'kit'), required: true },
    { name: SUMS_FILE, required: true },
    { name: MANIFEST_FILE, required: true },
    { name: ATTESTATION_ASSET, required: true },
    { name: SBOM_FILE, required: true },
    { name: VERIFY_REPORT_FILE, required: true },
    { name: REPORT_FILE, required: true },
    { name: VERDICTS_ASSET, required: true },
    // Apple's service does not always give it out, and a good package need not wait for it.
    { name: LOG_FILE, required: false },
  ];
}

/** Returns how a list of names differs from the assets of a version; empty when it is the whole set and nothing else. */
export function assetSetProblems(names: readonly string[], config: Config, version: string): string[] {
  const table = assetTable(names, config, version);
  return [
    ...names.filter((name) => !table.some((row) => row.name === name)).map((name) => `no asset of a release: ${name}`),
    ...table
      .filter(({ name, required }) => required && !names.includes(name))
      .map(({ name }) => `missing for a release: ${name}`),
  ];
}

/** Files that are made after the finished folder, by path. */
export interface LaterAssets {
  /** The attestations' bundle. */
  readonly bundle: string;
  /** What the Macs found. */
  readonly verdicts: string;
}

/**
 * Returns the files of a finished version that go on the release page, the package first; extra packages stay in their folder.
 *
 * @throws UsageError `ASSETS_WRONG` for one that is missing or unknown; VerificationError `ASSET_CHANGED` for one that is not what
 *   the manifest says
 */
export async function releaseAssets(
  folder: string,
  later: LaterAssets,
  { config, manifest }: { config: Config; manifest: Manifest },
): Promise<readonly [Asset, ...Asset[]]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const present = new Map(entries.filter((entry) => entry.isFile()).map(({ name }) => [name, join(folder, name)]));
  present.set(ATTESTATION_ASSET, later.bundle);
  present.set(VERDICTS_ASSET, later.verdicts);
  const names = [...present.keys()];
  const table = assetTable(names, config, manifest.version);
  const problems = assetSetProblems(names, config, manifest.version);
  if (problems.length > 0) throw new UsageError('ASSETS_WRONG', problems.join('\n'));
  const assets: Asset[] = [];
  for (const { name } of table) {
    const path = present.get(name);
    if (path === undefined) continue;
    const { size, sha256 } = await digestFile(path);
    const listed = manifest.files.find((file) => file.path === name);
    if (!UNLISTED.includes(name) && listed?.sha256 !== sha256) {
      const reason = listed ? `release.json says ${listed.sha256}` : 'release.json does not name it';
      throw new VerificationError('ASSET_CHANGED', `${name} has sha256 ${sha256}, ${reason}`);
    }
    assets.push({ name, path, size, sha256 });
  }
  return assets as [Asset, ...Asset[]];
}

/** An asset as GitHub lists it. */
export interface ListedAsset {
  readonly name: string;
  readonly state: string;
  readonly size: number;
  /** `sha256:` and hex; null for assets of before June 2025. */
  readonly digest: string | null;
}

/** Returns how GitHub's list of assets differs from ours; empty when it is exactly the same set with the same digests. */
export function assetDifferences(expected: readonly Asset[], listed: readonly ListedAsset[]): string[] {
  const problems: string[] = [];
  for (const { name, sha256, size } of expected) {
    const same = listed.filter((asset) => asset.name === name);
    if (same.length !== 1) problems.push(`${name}: there ${same.length} times instead of once`);
    for (const { state, digest, size: found } of same) {
      if (state !== 'uploaded') problems.push(`${name}: state ${state}`);
      if (digest !== `sha256:${sha256}`) problems.push(`${name}: digest ${digest}, ours is sha256:${sha256}`);
      if (found !== size) problems.push(`${name}: ${found} bytes, ours has ${size}`);
    }
  }
  const names = new Set(expected.map(({ name }) => name));
  for (const { name } of listed) if (!names.has(name)) problems.push(`${name}: not one of ours`);
  return problems;
}
