import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import { readWhole } from '../../src/base/with-file.ts';
import type { KitFile } from '../kit/zip.ts';
import { readManifest } from '../plan/manifest.ts';
import { LOG_FILE, SBOM_FILE, SUMS_FILE, VERIFY_REPORT_FILE } from '../plan/output-files.ts';
import { provenanceOf, type Subject } from './provenance.ts';

/** The statement that binds all others to the package. */
export const PROVENANCE_FILE = 'provenance.json';
/** The demands that the package was held to; `{"schema": 1}` where there were none beyond those of macOS. */
export const POLICY_FILE = 'policy.json';
/** Digest of every other file of the zip: made again when it is checked, and compared byte by byte. */
export const INDEX_FILE = 'evidence.json';
/** Sigstore bundles, one JSON document a line. */
export const BUNDLES_FILE = 'attestations.jsonl';

/** What a release left beside its package. */
const TAKEN = [LOG_FILE, VERIFY_REPORT_FILE, SBOM_FILE, SUMS_FILE];

/** What goes into the zip beside what the release left. */
export interface EvidenceInput {
  /** Folder of a version: out/<version>. */
  readonly folder: string;
  /** Text of the policy that was used. */
  readonly policy: Buffer | undefined;
  /** Text with the Sigstore bundles. */
  readonly bundles: Buffer | undefined;
}

/**
 * Returns the files of the evidence about a finished package.
 *
 * @throws UsageError `EVIDENCE_INCOMPLETE` when the release did not come to its end
 */
export async function makeEvidence({ folder, policy, bundles }: EvidenceInput) {
  const manifest = await readManifest(folder);
  const product = manifest?.files.find(({ role }) => role === 'package');
  if (!manifest || !product) throw incomplete(`${folder} holds no release.json that names a package`);
  const files: KitFile[] = [];
  for (const path of TAKEN) files.push({ path, data: await taken(folder, path) });
  files.push({ path: POLICY_FILE, data: policy ?? Buffer.from('{"schema": 1}\n') });
  const name = basename(product.path);
  const { sha256 } = await digestFile(join(folder, product.path));
  const statement = provenanceOf({ name, digest: { sha256 } }, manifest, files.map(subjectOf));
  files.push({ path: PROVENANCE_FILE, data: Buffer.from(`${JSON.stringify(statement, null, 2)}\n`) });
  if (bundles) files.push({ path: BUNDLES_FILE, data: bundles });
  files.push({ path: INDEX_FILE, data: indexOf(files) });
  return { files, manifest };
}

/** Returns the list of digests of the other files, in the one form that it can have. */
export function indexOf(files: readonly KitFile[]): Buffer {
  const subjects = files.filter(({ path }) => path !== INDEX_FILE).map(subjectOf);
  const sorted = subjects.sort((a, b) => (a.name < b.name ? -1 : 1));
  return Buffer.from(`${JSON.stringify({ schema: 1, files: sorted }, null, 2)}\n`);
}

/** Returns a file's name and digest. */
export function subjectOf({ path, data }: KitFile): Subject {
  return { name: path, digest: { sha256: createHash('sha256').update(data).digest('hex') } };
}

async function taken(folder: string, path: string): Promise<Buffer> {
  try {
    return await readWhole(join(folder, path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw incomplete(`${folder} holds no ${path}`);
  }
}

function incomplete(problem: string): UsageError {
  return new UsageError('EVIDENCE_INCOMPLETE', problem, {
    hint: 'Evidence is gathered from a finished release: run npm start to its end first.',
  });
}
