import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../src/base/files.ts';
import type { Manifest } from '../manifest.ts';
import { outputName, type Plan } from '../plan.ts';
import type { StageContext, StageResult } from '../run.ts';

/** Name of the list of digests in the folder of a version. */
export const SUMS_FILE = 'SHA256SUMS';

/** Makes the MDM kit, and the digests in the form that `sha256sum --check` and `shasum -a 256 -c` read. */
export async function publish(
  files: Manifest['files'],
  { plan }: Pick<StageContext, 'plan'>,
): Promise<StageResult<null>> {
  const others = files.filter((file) => file.role !== 'mdm-kit');
  const all = [...others, await writeKit(others, plan)];
  const lines = all.map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  await writeWhole(join(plan.outFolder, SUMS_FILE), lines.join(''));
  return { value: null, words: `MDM kit, SHA256SUMS of ${all.length} files`, facts: { files: all } };
}

/** Puts the extra packages into a zip: a release has one .pkg asset, as some tools take whichever they find. */
async function writeKit(files: Manifest['files'], plan: Plan): Promise<Manifest['files'][number]> {
  const { zip } = await import('../kit/zip.ts');
  const extras = files.filter((file) => file.role === 'extra');
  const contents = [
    { path: 'README.md', data: await readFile(join(plan.root, 'payload/kit/README.md')) },
    ...(await Promise.all(
      extras.map(async ({ path }) => ({ path, data: await readFile(join(plan.outFolder, path)) })),
    )),
  ];
  const path = outputName(plan, 'kit');
  const { size, sha256 } = await writeWhole(join(plan.outFolder, path), zip(contents, plan.sourceDateEpoch));
  return { path, role: 'mdm-kit', size, sha256 };
}
