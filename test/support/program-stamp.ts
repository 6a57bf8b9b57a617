import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';

/**
 * Returns lines that are others as soon as a program, or a library that it loads, is another file: place, size, time, number.
 *
 * A compiler of LLVM is a small program before libraries of a hundred megabytes, which are replaced in place when the system is
 * brought up to date. The time is that of the last change of any kind, which nobody can set back.
 */
export function programStamp(program: string): string {
  const own = stampOf(program);
  const libraries = librariesOf.get(own) ?? askForLibraries(program);
  librariesOf.set(own, libraries);
  return [own, ...libraries.map(stampOf)].join('');
}

function stampOf(path: string): string {
  const { size, ctimeNs, ino } = statSync(path, { bigint: true });
  return `${realpathSync(path)} ${size} ${ctimeNs} ${ino}\n`;
}

/** By the program's own stamp: the same file loads the same libraries as long as this process lives. */
const librariesOf = new Map<string, readonly string[]>();

function askForLibraries(program: string): string[] {
  // A script, or a system without ldd, loads nothing that could be listed.
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  return [...(stdout ?? '').matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path as string);
}
