import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { UsageError, VerificationError } from '../../src/base/errors.ts';
import { downloadUrl } from '../kit/make-kit.ts';
import type { Config } from '../plan/config.ts';
import type { Manifest } from '../plan/manifest.ts';
import { isReleaseVersion } from '../plan/plan.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const FILE = z.strictObject({
  name: z.string().min(1),
  url: z.string().regex(/^https:\/\/\S+$/),
  size: z.int().min(1).describe('Bytes'),
  sha256,
});

const RELEASE_SCHEMA = z.strictObject({
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  notarizedAt: z.string().nullable().describe('When Apple issued the stapled ticket, ISO 8601'),
  minimumMacOS: z.string(),
  identifier: z.string().describe('Of the receipt'),
  signer: z.string().describe('Name of the certificate, as pkgutil --check-signature prints it'),
  teamIdentifier: z.string(),
  package: FILE,
  kit: FILE,
  cdHashes: z.record(z.string(), z.string()).describe('By architecture'),
  commit: z.string().nullable(),
});

/** Schema of index.json: every release, the oldest first, for programs that look for the newest one or for one of a version. */
export const RELEASE_INDEX_SCHEMA = z.strictObject({
  $schema: z.string().optional(),
  schema: z.literal(1),
  product: z.string(),
  releases: z.array(RELEASE_SCHEMA).describe('In the order of their publication; entries are never changed or removed'),
});

/** What index.json says. */
export type ReleaseIndex = z.infer<typeof RELEASE_INDEX_SCHEMA>;
type IndexedRelease = ReleaseIndex['releases'][number];

/**
 * Returns the index in `source`.
 *
 * @throws UsageError `INDEX_INVALID`
 */
export function parseReleaseIndex(source: Buffer | string, name: string): ReleaseIndex {
  return parseDocument(source, {
    name,
    schema: RELEASE_INDEX_SCHEMA,
    code: 'INDEX_INVALID',
    contradictions: (value) => repeated((value as Partial<ReleaseIndex>)?.releases),
  });
}

function repeated(releases: unknown): string[] {
  if (!Array.isArray(releases)) return [];
  const versions = releases.map((release) => (release as Partial<IndexedRelease> | null)?.version);
  return versions.flatMap((version, index) =>
    typeof version === 'string' && versions.indexOf(version) < index ? [`releases: ${version} is there twice`] : [],
  );
}

/**
 * Returns the index with one more release at its end; the same index when that release is already there.
 *
 * @param manifest its release.json
 * @throws UsageError `INDEX_REHEARSAL`, `INDEX_INCOMPLETE`; VerificationError `INDEX_CHANGED` when the version is there with other
 *   facts: a published version is never replaced
 */
export function withRelease(index: ReleaseIndex, manifest: Manifest, config: Config): ReleaseIndex {
  const release = indexed(manifest, config);
  const known = index.releases.find(({ version }) => version === release.version);
  if (!known) return { ...index, releases: [...index.releases, release] };
  if (isDeepStrictEqual(known, release)) return index;
  throw changed([`${release.version} is there with other facts`]);
}

/**
 * Holds an index to an earlier one: what was there is there, unchanged and in the same place.
 *
 * @throws VerificationError `INDEX_CHANGED` that names every release that was changed, moved or removed
 */
export function refuseRewritten(earlier: ReleaseIndex, index: ReleaseIndex): void {
  const problems = earlier.releases.flatMap((release, place) => {
    if (isDeepStrictEqual(index.releases[place], release)) return [];
    const now = index.releases.find(({ version }) => version === release.version);
    if (!now) return [`${release.version} was removed`];
    return [`${release.version} was ${isDeepStrictEqual(now, release) ? 'moved' : 'changed'}`];
  });
  if (earlier.product !== index.product) problems.push(`the product was ${earlier.product}, it is ${index.product}`);
  if (problems.length > 0) throw changed(problems);
}

function indexed(manifest: Manifest, config: Config): IndexedRelease {
  const { version, mode, package: made, code, ticket, commit } = manifest;
  if (mode !== 'release') {
    throw new UsageError('INDEX_REHEARSAL', `release.json says mode ${mode}: only a release can be in the index`);
  }
  const file = (role: string) => {
    const found = manifest.files.find((candidate) => candidate.role === role);
    if (!found) throw incomplete(`release.json lists no file with the role ${role}`);
    const { path: name, size, sha256: digest } = found;
    return { name, url: downloadUrl(config, version, name), size, sha256: digest };
  };
  if (config.services.downloads === null) throw incomplete('services.downloads of release.config.json is null');
  if (!made?.signer || !made.teamIdentifier || !isReleaseVersion(version)) throw incomplete('nobody signed it');
  return {
    version,
    notarizedAt: ticket?.issuedAt ?? null,
    minimumMacOS: config.macOS.installer,
    identifier: made.identifier,
    signer: made.signer,
    teamIdentifier: made.teamIdentifier,
    package: file('package'),
    kit: file('mdm-kit'),
    cdHashes: Object.fromEntries(code.map(({ architecture, cdhash }) => [architecture, cdhash ?? ''])),
    commit,
  };
}

const incomplete = (reason: string) =>
  new UsageError('INDEX_INCOMPLETE', `the release cannot be put into the index: ${reason}`, {
    hint: 'Name a finished out/<version>, and set services.downloads to the folder from which releases are downloaded.',
  });

const changed = (problems: readonly string[]) =>
  new VerificationError('INDEX_CHANGED', `the index would no longer say what it said:\n  ${problems.join('\n  ')}`, {
    hint: 'Entries are only ever added. Release a new version instead of changing one that is published.',
  });
