import { join } from 'node:path';
import { writeWhole } from '../../src/base/files.ts';
import type { Manifest } from '../manifest.ts';
import type { StageContext, StageResult } from '../run.ts';

/** Name of the list of digests in the folder of a version. */
export const SUMS_FILE = 'SHA256SUMS';

/** Writes SHA256SUMS beside the files, in the form that `sha256sum --check` and `shasum -a 256 -c` read. */
export async function publish(
  files: Manifest['files'],
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<null>> {
  const lines = files.map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  await writeWhole(join(plan.outFolder, SUMS_FILE), lines.join(''));
  return { value: null, words: `SHA256SUMS of ${files.length} files` };
}
