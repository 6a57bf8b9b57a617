import {
  chmod,
  lstat,
  lutimes,
  mkdir,
  readdir,
  readFile,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import { writeWhole } from '../../base/files.ts';
import { makeFolder } from '../../base/place/folder.ts';
import type { BundleEntry } from '../../code-signature/bundle-entry.ts';
import type { PayloadEntry } from '../../tree/entry.ts';

/**
 * Writes entries as a tree that `pkgbuild --ownership recommended` packages: modes and times as given; every owner must be root,
 * because that is what pkgbuild then writes.
 *
 * @param entries parent-first, as `checkEntries` returns them
 * @param folder made, must not exist
 */
export async function writePayloadTree(entries: readonly PayloadEntry[], folder: string): Promise<void> {
  const stranger = entries.find(({ uid, gid }) => uid !== 0 || gid !== 0);
  if (stranger) {
    throw new UsageError('OWNER_NOT_ROOT', `${stranger.path} belongs to ${stranger.uid}:${stranger.gid}`, {
      hint: 'pkgbuild gives everything to root: set the owner to 0:0, or use --toolchain portable.',
    });
  }
  for (const entry of entries) {
    const path = join(folder, entry.path);
    if (entry.kind === 'directory') await mkdir(path, { mode: 0o700 });
    else if (entry.kind === 'symlink') await symlink(entry.target, path);
    else await writeWhole(path, entry.source.chunks(), entry.mode);
  }
  // Backwards: a folder's time changes with what is put into it, and it may be closed to its owner.
  for (const entry of [...entries].reverse()) {
    const path = join(folder, entry.path);
    if (entry.kind === 'symlink') await lutimes(path, entry.mtimeSeconds, entry.mtimeSeconds);
    else {
      await utimes(path, entry.mtimeSeconds, entry.mtimeSeconds);
      await chmod(path, entry.mode);
    }
  }
}

/** Writes a bundle's files and links below `folder`, which is made. */
export async function writeBundle(entries: readonly BundleEntry[], folder: string): Promise<void> {
  for (const entry of entries) {
    const path = join(folder, entry.path);
    await makeFolder(dirname(path));
    if ('symlink' in entry) await symlink(entry.symlink, path);
    else {
      await writeFile(path, entry.data);
      await chmod(path, entry.mode);
    }
  }
}

/** Returns the files and links of the bundle in `folder`, by path. */
export async function readBundle(folder: string): Promise<BundleEntry[]> {
  const entries: BundleEntry[] = [];
  for (const item of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const whole = join(item.parentPath, item.name);
    const path = whole.slice(folder.length + 1);
    if (item.isSymbolicLink()) entries.push({ path, mode: 0o777, symlink: await readlink(whole) });
    else if (item.isFile()) {
      const { mode } = await lstat(whole);
      entries.push({ path, mode: mode & 0o777, data: await readFile(whole) });
    }
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}
