import { constants } from 'node:zlib';
import { ZipArchive } from 'archiver';

/** A file of the kit. */
export interface KitFile {
  /** Path inside the archive. */
  readonly path: string;
  readonly data: Buffer;
}

/**
 * Yields a zip archive whose bytes depend on its files and the time alone: sorted, fixed modes, UTC.
 *
 * @param mtimeSeconds time of every file, Unix seconds; zip knows no time before 1980
 */
export async function* zip(files: readonly KitFile[], mtimeSeconds: number): AsyncIterable<Buffer> {
  const archive = new ZipArchive({ zlib: { level: constants.Z_BEST_COMPRESSION } });
  const failed = new Promise<never>((_, reject) => archive.on('error', reject));
  failed.catch(() => undefined);
  const date = new Date(Math.max(mtimeSeconds, Date.UTC(1980, 0, 1) / 1000) * 1000);
  for (const { path, data } of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    archive.append(data, { name: path, date, mode: 0o644 });
  }
  const finished = Promise.race([archive.finalize(), failed]);
  for await (const chunk of archive) yield chunk as Buffer;
  await finished;
}
