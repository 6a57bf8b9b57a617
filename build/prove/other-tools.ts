import type { CheckList } from '../../src/base/check.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { Rebuilt } from './rebuild.ts';

/**
 * Returns why compressed streams of the same content may differ: zlib promises the content alone in each of its versions. Null when
 * release.json names none, or the one here.
 */
export function zlibReason(manifest: Pick<Manifest, 'tools'> | null): string | null {
  const recorded = manifest?.tools.zlib;
  if (recorded === undefined || recorded === process.versions.zlib) return null;
  return `release.json names zlib ${recorded}, here it is ${process.versions.zlib}`;
}

/**
 * Says whether other tools compiled: they make other code of the same sources, and that must be said before anybody suspects the worst.
 *
 * @param named what slices say of the tools that made them
 */
export function checkTools(
  list: CheckList,
  named: readonly string[],
  { tools }: Pick<Rebuilt, 'tools'>,
  manifest: Pick<Manifest, 'tools'> | null,
): void {
  const recorded = Object.entries(tools)
    .filter(([tool, version]) => manifest?.tools[tool] !== undefined && manifest.tools[tool] !== version)
    .map(([tool, version]) => `release.json names ${tool} ${manifest?.tools[tool]}, here it is ${version}`);
  const reasons = [...recorded, ...named];
  if (reasons.length === 0) list.pass('rebuilt-compiler', 'the same tools, so that they are not the reason');
  else list.fail('rebuilt-compiler', `another compiler is a reason for other code: ${reasons.join('; ')}`);
}
