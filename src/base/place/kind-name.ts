import type { Stats } from 'node:fs';

/** Returns what stands at a place, in words, such as `a folder`. */
export function kindName(stats: Stats): string {
  if (stats.isFile()) return 'a file';
  if (stats.isDirectory()) return 'a folder';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
}
