import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MachOSlice, WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/**
 * Returns the universal file of the slices, made by lipo.
 *
 * lipo orders slices by alignment and picks their places itself: readers must not count on either.
 */
export async function runLipo(slices: readonly MachOSlice[], options: WorkOptions): Promise<Buffer> {
  const work = await mkdtemp(join(tmpdir(), 'lipo-'));
  try {
    const inputs = slices.map(({ architecture }) => join(work, architecture));
    await Promise.all(slices.map(({ data }, index) => writeFile(inputs[index] as string, data)));
    const output = join(work, 'universal');
    await runAppleTool('lipo', ['-create', ...inputs, '-output', output], options);
    return await readFile(output);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
