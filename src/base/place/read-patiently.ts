import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { UsageError } from '../errors.ts';
import { kindName } from './kind-name.ts';
import { shownPath } from './shown.ts';

const LIMIT = 1024 * 1024;
const PAUSE_MS = 20;
/** A pipe whose writer has not come by then has none; a shell opens the end of `<(command)` before it starts us. */
const NO_WRITER_MS = 500;
/** A writer may have to ask its person for a finger or a password. */
const SILENT_MS = 60_000;

/**
 * Returns the bytes of a small file, or what comes through a pipe such as a shell makes of `<(command)`: so a secret need not lie on
 * the disk.
 *
 * @throws UsageError `PIPE_SILENT` when nobody writes, `NOT_A_FILE` for a folder, device or socket, `FILE_TOO_LARGE` above 1 MiB
 */
export async function readPatiently(path: string): Promise<Buffer> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() && !stats.isFIFO()) {
      throw new UsageError('NOT_A_FILE', `${shownPath(path)} is ${kindName(stats)}, not a file`, {
        hint: 'Name a file.',
      });
    }
    return await readAll(handle, path, stats.isFIFO());
  } finally {
    await handle.close();
  }
}

async function readAll(handle: FileHandle, path: string, isPipe: boolean): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  let waitedMs = 0;
  for (;;) {
    const part = Buffer.alloc(64 * 1024);
    // Undefined: a writer is there, and has not written yet. 0: no writer, or no longer.
    const count = await readSome(handle, part);
    if (count === 0 && (!isPipe || size > 0)) return Buffer.concat(parts);
    if (count) {
      parts.push(part.subarray(0, count));
      size += count;
      if (size > LIMIT) throw tooLarge(path);
      continue;
    }
    if (waitedMs >= (count === 0 ? NO_WRITER_MS : SILENT_MS)) throw silent(path);
    await sleep(PAUSE_MS);
    waitedMs += PAUSE_MS;
  }
}

async function readSome(handle: FileHandle, part: Buffer): Promise<number | undefined> {
  try {
    return (await handle.read(part, 0, part.length, null)).bytesRead;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
    throw error;
  }
}

const tooLarge = (path: string) =>
  new UsageError('FILE_TOO_LARGE', `${shownPath(path)} has more than ${LIMIT} bytes`, { hint: 'Check the path.' });

const silent = (path: string) =>
  new UsageError('PIPE_SILENT', `${shownPath(path)} is a pipe into which nobody writes`, {
    hint: 'Name a file, or start what writes into the pipe first.',
  });
