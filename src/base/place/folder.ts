import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UsageError } from '../errors.ts';
import { kindName } from './kind-name.ts';
import { shownPath } from './shown.ts';

/**
 * Makes a folder and those above it that are not there.
 *
 * Node's own `mkdir` with `recursive` goes round for ever where a file system refuses with ENOENT, as /proc does (seen with Node 20).
 *
 * @param mode permission bits of each folder that is made, less the umask
 * @throws UsageError `NOT_A_FOLDER` when something else has its name; the file system's error when it cannot be made
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  if (await made(path, mode)) return;
  await makeFolder(dirname(path), mode);
  await mkdir(path, { mode }).catch(async (error: NodeJS.ErrnoException) => {
    if (!(await isThere(path, error))) throw error;
  });
}

/** Returns false when a folder above it is missing. */
async function made(path: string, mode: number): Promise<boolean> {
  try {
    await mkdir(path, { mode });
    return true;
  } catch (error) {
    if (await isThere(path, error as NodeJS.ErrnoException)) return true;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && !(await isFolder(dirname(path)))) return false;
    throw error;
  }
}

async function isThere(path: string, { code }: NodeJS.ErrnoException): Promise<boolean> {
  if (code !== 'EEXIST' && code !== 'EISDIR') return false;
  await demandFolder(path);
  return true;
}

const isFolder = async (path: string) => (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/**
 * Makes sure that a folder is there.
 *
 * @throws UsageError `NOT_A_FOLDER` when something else has its name; the file system's error when nothing has
 */
export async function demandFolder(path: string): Promise<void> {
  const stats = await stat(path);
  if (stats.isDirectory()) return;
  throw new UsageError('NOT_A_FOLDER', `${shownPath(path)} is ${kindName(stats)}, not a folder`, {
    hint: 'Name a folder.',
  });
}
