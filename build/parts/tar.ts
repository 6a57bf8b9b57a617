import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TarArchive } from 'archiver';
import { UsageError } from '../../src/base/errors.ts';
import { type WrittenFile, writeWhole } from '../../src/base/files.ts';

/** What kind of folder entry a tar archive of ours holds: nothing but regular files. */
interface Entry {
  /** Relative, with slashes. */
  readonly path: string;
  readonly executable: boolean;
}

/**
 * Writes a folder's files into a tar archive that depends on their names, bytes and execute bits alone.
 *
 * Owner 0, group 0, modes 0644 and 0755, time 1970-01-01, paths in byte order, no entries for folders: the same content has
 * the same digest on every machine, so that one digest can vouch for the whole folder.
 *
 * @throws UsageError `TAR_UNSUPPORTED` for a link or device in the folder
 * @see POSIX pax, ustar interchange format
 */
export async function tarFolder(folder: string, target: string): Promise<WrittenFile> {
  const entries = (await listFiles(folder, '')).sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  const archive = new TarArchive();
  const fill = async () => {
    for (const { path, executable } of entries) {
      archive.append(await readFile(join(folder, path)), {
        name: path,
        date: new Date(0),
        mode: executable ? 0o755 : 0o644,
      });
    }
    await archive.finalize();
  };
  // What cannot be read ends the archive, which nobody would end otherwise.
  fill().catch((error: Error) => archive.destroy(error));
  return writeWhole(target, archive as AsyncIterable<Buffer>);
}

async function listFiles(folder: string, below: string): Promise<Entry[]> {
  const found: Entry[] = [];
  for (const name of await readdir(join(folder, below))) {
    const path = below === '' ? name : `${below}/${name}`;
    const facts = await lstat(join(folder, path));
    if (facts.isDirectory()) found.push(...(await listFiles(folder, path)));
    else if (facts.isFile()) found.push({ path, executable: (facts.mode & 0o111) !== 0 });
    else throw new UsageError('TAR_UNSUPPORTED', `${join(folder, path)} is neither a file nor a folder`);
  }
  return found;
}
