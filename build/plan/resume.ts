import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { PipelineError } from '../../src/base/errors.ts';
import { digestFile } from '../../src/base/files.ts';
import { fromRange } from '../../src/base/random-access.ts';
import { withFile } from '../../src/base/with-file.ts';
import { readXar } from '../../src/xar/read.ts';
import type { Manifest } from './manifest.ts';
import type { Plan } from './plan.ts';

/** Files that the stages up to sign-package make; others are made from them again at each publishing. */
const SIGNED_ROLES: ReadonlySet<string> = new Set(['package', 'extra']);

/**
 * Returns why the signed packages of an earlier run cannot be used again; undefined when they can.
 *
 * They can when every file has the digest that was recorded. A ticket behind a package counts as nothing: the run may have been
 * killed between stapling and writing that down.
 */
export async function unusableReason(
  manifest: Manifest,
  plan: Pick<Plan, 'outFolder' | 'commit' | 'sourceDateEpoch'>,
): Promise<string | undefined> {
  const signed = manifest.stages.some(({ name, outcome }) => name === 'sign-package' && outcome === 'done');
  if (!signed || !manifest.package) return 'the package was not signed yet';
  if (manifest.commit !== plan.commit) return 'the sources are at another commit';
  for (const { path, sha256 } of manifest.files.filter((file) => SIGNED_ROLES.has(file.role))) {
    if (!(await hasDigest(join(plan.outFolder, path), sha256))) return `${path} is missing or was changed`;
  }
  return undefined;
}

async function hasDigest(path: string, sha256: string): Promise<boolean> {
  try {
    if ((await digestFile(path)).sha256 === sha256) return true;
    return (await digestWithoutTicket(path)) === sha256;
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
