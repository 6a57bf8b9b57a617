import { join } from 'node:path';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { writeWhole } from '../../src/base/files.ts';
import { readWhole } from '../../src/base/with-file.ts';
import type { Plan } from './plan.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const SUBMISSION = z.strictObject({ id: z.string(), status: z.string(), submittedAt: z.string() });
const TICKET = z.strictObject({ issuedAt: z.string(), sha256 });

/** Schema of release.json: what a run did, and the point from which `--resume` goes on. */
export const MANIFEST_SCHEMA = z.strictObject({
  schema: z.literal(1),
  product: z.string(),
  version: z.string(),
  mode: z.enum(['release', 'rehearsal', 'build']),
  toolchain: z.enum(['portable', 'apple']),
  sourceDateEpoch: z.number(),
  /** What gave that time; absent in manifests of 1.1.0's first days. */
  timeFrom: z.enum(['SOURCE_DATE_EPOCH', 'commit', 'source archive', 'CHANGELOG.md', 'file times']).optional(),
  commit: z.string().nullable(),
  tools: z.record(z.string(), z.string()),
  stages: z.array(
    z.strictObject({ name: z.string(), seconds: z.number(), outcome: z.enum(['done', 'failed', 'skipped']) }),
  ),
  files: z.array(z.strictObject({ path: z.string(), role: z.string(), size: z.number(), sha256 })),
  package: z
    .strictObject({
      identifier: z.string(),
      tocDigest: z.string(),
      signer: z.string().nullable(),
      teamIdentifier: z.string().nullable(),
      timestamp: z.string().nullable(),
    })
    .nullable(),
  code: z.array(
    z.strictObject({
      architecture: z.string(),
      cdhash: z.string().nullable(),
      identifier: z.string().nullable(),
      flags: z.number().nullable(),
    }),
  ),
  submission: SUBMISSION.nullable(),
  ticket: TICKET.nullable(),
  /** Submission and ticket of each extra package, by its path; absent in manifests of 1.1.0's first days. */
  extras: z
    .array(z.strictObject({ path: z.string(), submission: SUBMISSION.nullable(), ticket: TICKET.nullable() }))
    .optional(),
});

/** The content of release.json. */
export type Manifest = z.infer<typeof MANIFEST_SCHEMA>;

/** What the manifest says of the notary's part in an extra package. */
export type ManifestExtra = NonNullable<Manifest['extras']>[number];

/** Returns what the manifest says of an extra package with some of it changed, among what it says of the others. */
export function extrasWith(
  extras: readonly ManifestExtra[],
  path: string,
  change: Partial<Omit<ManifestExtra, 'path'>>,
): ManifestExtra[] {
  const known = extras.find((extra) => extra.path === path) ?? { path, submission: null, ticket: null };
  return [...extras.filter((extra) => extra !== known), { ...known, ...change }];
}

/** A file that a run made, as the manifest lists it. */
export type ManifestFile = Manifest['files'][number];

/** Writes a file into the folder of a version, whole or not at all, and returns what the manifest says of it. */
export async function writeListed(
  folder: string,
  { path, role }: Pick<ManifestFile, 'path' | 'role'>,
  content: Parameters<typeof writeWhole>[1],
): Promise<ManifestFile> {
  const { size, sha256 } = await writeWhole(join(folder, path), content);
  return { path, role, size, sha256 };
}

/** Returns the list of files with one more, in the place of an earlier one of the same path. */
export function filesWith(files: readonly ManifestFile[], file: ManifestFile): ManifestFile[] {
  return [...files.filter(({ path }) => path !== file.path), file];
}

/** Name of the manifest in the folder of a version. */
export const MANIFEST_FILE = 'release.json';

/** Writes the manifest into `folder`, whole or not at all. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  await writeWhole(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
}

/**
 * Returns the manifest in `folder`, or null when there is none.
 *
 * @throws UsageError `MANIFEST_INVALID` when the file is there and is not a manifest
 */
export async function readManifest(folder: string): Promise<Manifest | null> {
  const path = join(folder, MANIFEST_FILE);
  let source: Buffer;
  try {
    source = await readWhole(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return parseDocument(source, {
    name: path,
    schema: MANIFEST_SCHEMA,
    code: 'MANIFEST_INVALID',
    hint: 'Run without --resume; the release starts anew.',
  });
}

/** Returns the manifest of a run that has done nothing yet. */
export function newManifest(
  plan: Plan,
  toolchain: Manifest['toolchain'],
  tools: Manifest['tools'],
  mode: Manifest['mode'],
): Manifest {
  return {
    schema: 1,
    product: plan.config.product.title,
    version: plan.version,
    mode,
    toolchain,
    sourceDateEpoch: plan.sourceDateEpoch,
    timeFrom: plan.timeFrom,
    commit: plan.commit,
    tools,
    stages: [],
    files: [],
    package: null,
    code: [],
    submission: null,
    ticket: null,
  };
}
