import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { programStamp } from './program-stamp.ts';

/** How many of each are kept where nothing else is said; the oldest goes first. */
const KEPT = 3;

interface MadeOf {
  readonly files: readonly string[];
  readonly programs: readonly string[];
  readonly variables: readonly string[];
  readonly words?: readonly string[];
  readonly keep?: number;
}

/**
 * Returns a folder with what `make` puts into it, kept from an earlier run of the tests where nothing it is made of has changed.
 *
 * @param name what is built, in one word
 * @param madeOf.files files and folders whose bytes decide
 * @param madeOf.programs compilers and libraries of the system, which decide by being the same files
 * @param madeOf.variables names of the environment that `make` or a program of its reads
 * @param madeOf.words what else decides
 * @param madeOf.keep how many of this name are kept
 * @param make fills the folder that it is given; what it throws is thrown, and nothing is kept
 */
export async function keptBuild(
  name: string,
  madeOf: MadeOf,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const hash = createHash('sha256');
  for (const path of madeOf.files.flatMap(filesOf)) hash.update(`${path}\0`).update(digestOf(path));
  for (const program of madeOf.programs) hash.update(`${programStamp(program)}\0`);
  for (const variable of madeOf.variables) hash.update(JSON.stringify([variable, process.env[variable]]));
  for (const word of madeOf.words ?? []) hash.update(JSON.stringify(word));
  const folder = resolve('.build', name, hash.digest('hex').slice(0, 32));
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    await make(unfinished);
    renameSync(unfinished, folder);
    removeOldest(resolve('.build', name), madeOf.keep ?? KEPT);
  } catch (error) {
    // Another run may have been faster: then its folder is as good.
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

function removeOldest(folder: string, keep: number): void {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const aged = paths.map((path) => ({ path, age: statSync(path).mtimeMs })).sort((a, b) => b.age - a.age);
  for (const { path } of aged.slice(keep)) rmSync(path, { recursive: true, force: true });
}

/** Links lead to what is read, so they count as what they lead to. */
function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
  return names.map((name) => join(path, name)).filter((file) => statSync(file).isFile());
}

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest();
