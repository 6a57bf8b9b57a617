import { BUILD, linkSlice } from '../../plugin/source.ts';
import type { Slice } from './host.ts';

/**
 * Returns the paths of the Mach-O files that the login host loads, one a slice; a fat file may be named for both.
 *
 * They are compiled here as payload/plugin/build.json says.
 */
export function pluginUnderTest(slices: readonly Slice[]): Partial<Record<Slice, string>> {
  const architectures = BUILD.architectures.filter(({ name }) => slices.some((slice) => slice === name));
  return Object.fromEntries(architectures.map((architecture) => [architecture.name, linkSlice(architecture).path]));
}
