import { join, relative } from 'node:path';
import { writeWhole } from '../../src/base/files.ts';
import type { StageContext, StageResult } from '../run.ts';

/** A file that a release consists of. */
export interface ReleaseFile {
  /** Where it is. */
  readonly path: string;
  /** What it is for: `package`, `mdm-kit`, `extra`. */
  readonly role: string;
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
}

/** Writes SHA256SUMS beside the files, in the form that `sha256sum --check` and `shasum -a 256 -c` read. */
export async function publish(
  files: readonly ReleaseFile[],
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<readonly ReleaseFile[]>> {
  const lines = files.map(({ path, sha256 }) => `${sha256}  ${relative(plan.outFolder, path)}\n`);
  await writeWhole(join(plan.outFolder, 'SHA256SUMS'), lines.join(''));
  return { value: files, words: `SHA256SUMS of ${files.length === 1 ? '1 file' : `${files.length} files`}` };
}
