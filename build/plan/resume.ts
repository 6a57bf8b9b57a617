import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PipelineError, UsageError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import { fromRange } from '../../src/base/random-access.ts';
import { withFile } from '../../src/base/with-file.ts';
import { readXar } from '../../src/xar/read.ts';
import { type Manifest, readManifest } from './manifest.ts';
import type { Plan } from './plan.ts';

/** Files that the stages up to sign-package make; others are made from them again at each publishing. */
const SIGNED_ROLES: ReadonlySet<string> = new Set(['package', 'extra']);

/**
 * Returns the manifest from which `--resume` goes on.
 *
 * @throws UsageError `NOTHING_TO_RESUME` when there is none
 */
export async function manifestToResume(plan: Pick<Plan, 'outFolder'>): Promise<Manifest> {
  const manifest = await readManifest(plan.outFolder);
  if (manifest) return manifest;
  throw new UsageError(
    'NOTHING_TO_RESUME',
    `${plan.outFolder} holds no release.json, so there is nothing to go on from`,
    {
      hint: 'Run without --resume, or name the folder with --out.',
    },
  );
}

/**
 * Returns why the signed packages of an earlier run cannot be gone on with; undefined when they can.
 *
 * They can when every file has the digest that was recorded. A ticket behind the package counts as nothing: the run may have been
 * killed between stapling and writing that down.
 */
export async function unusableReason(
  manifest: Manifest,
  plan: Pick<Plan, 'outFolder' | 'commit' | 'sourceDateEpoch'>,
): Promise<string | undefined> {
  const signed = manifest.stages.some(({ name, outcome }) => name === 'sign-package' && outcome === 'done');
  if (!signed || !manifest.package) return 'the package was not signed yet';
  if (manifest.commit !== plan.commit) return 'the sources are at another commit';
  for (const { path, role, sha256 } of manifest.files.filter((file) => SIGNED_ROLES.has(file.role))) {
    const file = join(plan.outFolder, path);
    if (!(await hasDigest(file, sha256, role === 'package'))) return `${path} is missing or was changed`;
  }
  return undefined;
}

async function hasDigest(path: string, sha256: string, staplable: boolean): Promise<boolean> {
  try {
    if ((await digestFile(path)).sha256 === sha256) return true;
    return staplable && (await digestWithoutTicket(path)) === sha256;
  } catch (error) {
    if (error instanceof PipelineError || (error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function digestWithoutTicket(path: string): Promise<string> {
  return withFile(path, async (access) => {
    const { trailing } = await readXar(access);
    const hash = createHash('sha256');
    for await (const chunk of fromRange(access, { offset: 0, size: trailing.offset }).chunks()) hash.update(chunk);
    return hash.digest('hex');
  });
}
