import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Returns the path of a program on PATH, or on another one; undefined when it is on none of its folders. */
export function findOnPath(program: string, path = process.env.PATH ?? ''): string | undefined {
  for (const folder of path.split(delimiter)) {
    const place = join(folder, program);
    if (existsSync(place)) return place;
  }
  return undefined;
}

/** Returns the first of `names` that is on PATH; LLVM's tools often carry their version (`ld64.lld-14`). */
export function firstOnPath(...names: string[]): string | undefined {
  for (const name of names) if (findOnPath(name)) return name;
  return undefined;
}

/**
 * Returns whether tests that need all of `programs` can run, and the words to end their names with.
 *
 * @example
 * const bsdtar = needs('bsdtar');
 * it.skipIf(bsdtar.missing)(`lists the archive${bsdtar.note}`, ...)
 */
export function needs(...programs: string[]): { missing: boolean; note: string } {
  const absent = programs.filter((program) => !findOnPath(program));
  return { missing: absent.length > 0, note: absent.length > 0 ? ` (skipped: needs ${absent.join(', ')})` : '' };
}

/** The folder with real packages of other publishers, or undefined; and the words to end a skipped test's name with. */
export const realPackages: { folder: string | undefined; missing: boolean; note: string } = (() => {
  const folder = process.env.REAL_PACKAGES_DIR;
  const there = folder !== undefined && existsSync(folder);
  return {
    folder: there ? folder : undefined,
    missing: !there,
    note: there ? '' : ' (skipped: needs REAL_PACKAGES_DIR)',
  };
})();

/** Runs a program of others to completion and returns its output; throws with its stderr when it fails. */
export function check(program: string, argv: string[], input?: Buffer): Buffer {
  const result = spawnSync(program, argv, { input, maxBuffer: 1 << 30 });
  if (result.status !== 0)
    throw new Error(`${program} ${argv.join(' ')} ended with ${result.status}: ${result.stderr}`);
  return result.stdout;
}
