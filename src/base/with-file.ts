import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { UsageError } from './errors.ts';
import { kindName } from './place/kind-name.ts';
import { shownPath } from './place/shown.ts';
import { accessFile, type RandomAccess } from './random-access.ts';

/** Largest file that `readWhole` takes, in bytes: what is read at once is a document, a kit or a small package. */
const WHOLE_LIMIT = 512 * 1024 * 1024;

/**
 * Returns what `use` makes of an ordinary file. It is open while `use` runs, and closed whatever happens.
 *
 * A named pipe is not waited for: opening one without a writer would block, and not even Ctrl-C would end the program.
 *
 * @throws UsageError `NOT_A_FILE` for a folder, pipe, socket or device; the file system's error when it cannot be opened
 * @example const archive = await withFile('Example.pkg', readXar);
 */
export async function withFile<T>(path: string, use: (access: RandomAccess) => Promise<T>): Promise<T> {
  const handle = await openWithoutWaiting(path);
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw notAFile(path, kindName(stats));
    return await use(await accessFile(handle));
  } finally {
    await handle.close();
  }
}

/**
 * Returns the bytes of an ordinary file, at most 512 MiB.
 *
 * @throws as `withFile`, and UsageError `FILE_TOO_LARGE`
 */
export async function readWhole(path: string): Promise<Buffer> {
  return withFile(path, async (access) => {
    if (access.size <= WHOLE_LIMIT) return access.read(0, access.size);
    throw new UsageError(
      'FILE_TOO_LARGE',
      `${shownPath(path)} has ${access.size} bytes; at most ${WHOLE_LIMIT} are read`,
      {
        hint: 'Check the path.',
      },
    );
  });
}

/** A socket has no way to be opened, and says so in words about devices. */
async function openWithoutWaiting(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENXIO') throw notAFile(path, 'a socket');
    throw error;
  }
}

const WAYS_OUT: Readonly<Record<string, string>> = {
  'a folder': 'Name a file. A package that is a folder is not read.',
  'a pipe': 'Save what comes through it in a file, and name that.',
};

function notAFile(path: string, kind: string): UsageError {
  return new UsageError('NOT_A_FILE', `${shownPath(path)} is ${kind}, not a file`, {
    hint: WAYS_OUT[kind] ?? 'Name a file.',
  });
}
