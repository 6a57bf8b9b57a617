import { ZipArchive } from 'archiver';
import { type Entry, fromBufferPromise } from 'yauzl';
import { FormatError } from '../../src/base/errors.ts';

/** A file of the kit. */
export interface KitFile {
  /** Path inside the archive. */
  readonly path: string;
  readonly data: Buffer;
}

/**
 * Yields a zip archive whose bytes depend on its files and the time alone: sorted, fixed modes, UTC, nothing compressed (another
 * zlib would compress in another way, and `kit --check` compares bytes).
 *
 * @param mtimeSeconds time of every file, Unix seconds; zip knows no time before 1980
 * @param mode of every file
 */
export async function* zip(files: readonly KitFile[], mtimeSeconds: number, mode = 0o644): AsyncIterable<Buffer> {
  const archive = new ZipArchive({ store: true });
  const failed = new Promise<never>((_, reject) => archive.on('error', reject));
  failed.catch(() => undefined);
  const date = new Date(Math.max(mtimeSeconds, Date.UTC(1980, 0, 1) / 1000) * 1000);
  for (const { path, data } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    archive.append(data, { name: path, date, mode });
  }
  const finished = Promise.race([archive.finalize(), failed]);
  for await (const chunk of archive) yield chunk as Buffer;
  await finished;
}

/** Largest kit that is read, in bytes; ours have less than one million. */
const SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * Returns the files of a zip archive, and the time of the newest.
 *
 * @throws FormatError `ZIP_INVALID`
 */
export async function unzip(archive: Buffer): Promise<{ files: KitFile[]; mtimeSeconds: number }> {
  const files: KitFile[] = [];
  let mtimeSeconds = 0;
  let size = 0;
  try {
    const opened = await fromBufferPromise(archive);
    for await (const entry of opened.eachEntry() as AsyncIterable<Entry>) {
      size += entry.uncompressedSize;
      if (size > SIZE_LIMIT) throw new Error(`more than ${SIZE_LIMIT} bytes`);
      const parts: Buffer[] = [];
      for await (const part of await opened.openReadStreamPromise(entry)) parts.push(part as Buffer);
      files.push({ path: entry.fileName, data: Buffer.concat(parts) });
      mtimeSeconds = Math.max(mtimeSeconds, entry.getLastModDate({ timezone: 'UTC' }).getTime() / 1000);
    }
  } catch (cause) {
    throw new FormatError('ZIP_INVALID', 'kit', 0, `it cannot be read as a zip archive: ${(cause as Error).message}`, {
      cause,
    });
  }
  return { files, mtimeSeconds };
}

/** Returns what is wrong with an archive as such: it is written again from what it holds, so that no byte of it is without a meaning. */
export async function zipProblems(
  archive: Buffer,
  files: readonly KitFile[],
  mtimeSeconds: number,
): Promise<readonly string[]> {
  const parts: Buffer[] = [];
  for await (const part of zip(files, mtimeSeconds)) parts.push(part);
  return Buffer.concat(parts).equals(archive) ? [] : ['the zip has bytes that this project does not write'];
}
