import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError, VerificationError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import type { Config } from '../config.ts';
import type { Manifest } from '../manifest.ts';

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

/** What may stand on a release page, in the order of upload: fleet tools take the first that matches their pattern. */
function assetTable({ output }: Config, version: string): { name: string; required: boolean }[] {
  const named = (template: string) => template.replaceAll('{version}', version);
  return [
    { name: named(output.package), required: true },
    { name: named(output.kit), required: false },
    { name: 'SHA256SUMS', required: true },
    { name: 'release.json', required: true },
    { name: ATTESTATION_ASSET, required: true },
    { name: 'EscrowBuddy.cdx.json', required: false },
    { name: 'verify-report.json', required: false },
    { name: 'notary-log.json', required: false },
  ];
}

/**
 * Returns the files of a finished version that go on the release page, in order; extra packages stay in their folder.
 *
 * @param bundle path of the attestation's bundle
 * @throws UsageError `ASSET_UNKNOWN`, `ASSET_MISSING`; VerificationError `ASSET_CHANGED` when a file is not what the manifest says
 */
export async function releaseAssets(
  folder: string,
  bundle: string,
  { config, manifest }: { config: Config; manifest: Manifest },
): Promise<readonly Asset[]> {
  const table = assetTable(config, manifest.version);
  const entries = await readdir(folder, { withFileTypes: true });
  const present = new Map(entries.filter((entry) => entry.isFile()).map(({ name }) => [name, join(folder, name)]));
  present.set(ATTESTATION_ASSET, bundle);
  const unknown = [...present.keys()].filter((name) => !table.some((row) => row.name === name));
  if (unknown.length > 0) throw new UsageError('ASSET_UNKNOWN', `no asset of a release: ${unknown.join(', ')}`);
  const missing = table.filter(({ name, required }) => required && !present.has(name));
  if (missing.length > 0) {
    throw new UsageError('ASSET_MISSING', `missing for a release: ${missing.map(({ name }) => name).join(', ')}`);
  }
  const assets: Asset[] = [];
  for (const { name } of table) {
    const path = present.get(name);
    if (path === undefined) continue;
    const { size, sha256 } = await digestFile(path);
    const told = manifest.files.find((file) => file.path === name);
    if (told && told.sha256 !== sha256) {
      throw new VerificationError('ASSET_CHANGED', `${name} has sha256 ${sha256}, release.json says ${told.sha256}`);
    }
    assets.push({ name, path, size, sha256 });
  }
  return assets;
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
