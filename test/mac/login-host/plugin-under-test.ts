import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { BUILD, linkSlice } from '../../plugin/source.ts';
import type { Slice } from './host.ts';

/**
 * Returns the paths of the Mach-O files that the login host loads, one a slice; a fat file may be named for both. They may lie in `out`, which the caller deletes.
 *
 * They are compiled here as payload/plugin/build.json says.
 */
export function pluginUnderTest(out: string, slices: readonly Slice[]): Partial<Record<Slice, string>> {
  const plugins: Partial<Record<Slice, string>> = {};
  for (const slice of slices) {
    const architecture = BUILD.architectures.find(({ name }) => name === slice);
    if (!architecture) continue;
    const linked = linkSlice(architecture);
    const path = join(out, `plugin-${slice}`);
    copyFileSync(linked.path, path);
    linked.remove();
    plugins[slice] = path;
  }
  return plugins;
}
