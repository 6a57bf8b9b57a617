import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** How many of each are kept; the oldest goes first. */
const KEPT = 3;

/**
 * Returns a folder with what `make` puts into it, kept from an earlier run of the tests where nothing it is made of has changed.
 *
 * @param name what is built, in one word
 * @param sources files and folders whose bytes decide, such as sources and the compiler
 * @param make fills the folder that it is given; what it throws is thrown, and nothing is kept
 */
export async function keptBuild(
  name: string,
  sources: readonly string[],
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const path of sources.flatMap(filesOf)) hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  const folder = resolve('.build', name, hash.digest('hex').slice(0, 32));
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await make(unfinished);
    renameSync(unfinished, folder);
    removeOldest(resolve('.build', name));
  } catch (error) {
    // Another run may have been faster: then its folder is as good.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function removeOldest(folder: string): void {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const aged = paths.map((path) => ({ path, age: statSync(path).mtimeMs })).sort((a, b) => b.age - a.age);
  for (const { path } of aged.slice(KEPT)) rmSync(path, { recursive: true, force: true });
}

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [realpathSync(path)];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return entries.map((entry) => join(entry.parentPath, entry.name)).sort();
}
