import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { UsageError } from './errors.ts';
import { accessFile, type RandomAccess } from './random-access.ts';

/**
 * Returns what `use` makes of an ordinary file. It is open while `use` runs, and closed whatever happens.
 *
 * A named pipe is not waited for: opening one without a writer would block, and not even Ctrl-C would end the program.
 *
 * @throws UsageError `NOT_A_FILE` for a folder, pipe, socket or device; the file system's error when it cannot be opened
 * @example const archive = await withFile('Example.pkg', readXar);
 */
export async function withFile<T>(path: string, use: (access: RandomAccess) => Promise<T>): Promise<T> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notAFile(path, stats.isDirectory() ? 'a folder' : 'a pipe or device');
    return await use(await accessFile(handle));
  } finally {
    await handle.close();
  }
}

function notAFile(path: string, kind: string): UsageError {
  return new UsageError('NOT_A_FILE', `${path} is ${kind}, not a file`, {
    hint: 'Name a file. What comes through a pipe must be saved first, and a package that is a folder is not read.',
  });
}
