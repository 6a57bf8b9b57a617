import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fromFile } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';

/** What every entry gets, whatever the disk says. */
export interface TreeOwner {
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtimeSeconds: number;
}

/**
 * Returns a folder on the disk as payload entries: modes as they are, owner and time as given, symbolic links not followed.
 *
 * File contents are read later, once, when the payload is written, which also checks that all this can be packaged.
 *
 * @throws UsageError `TREE_INVALID` for sockets, devices and FIFOs, and for names that are not UTF-8
 */
export function readTree(folder: string, owner: TreeOwner): PayloadEntry[] {
  const entries: PayloadEntry[] = [];
  const visit = (path: string, name: string): void => {
    const stat = lstatSync(path);
    const { uid, gid, mtimeSeconds } = owner;
    const mode = stat.mode & 0o7777;
    if (stat.isFile()) {
      entries.push({ kind: 'file', path: name, mode, uid, gid, mtimeSeconds, source: fromFile(path, stat.size) });
    } else if (stat.isDirectory()) {
      entries.push({ kind: 'directory', path: name, mode, uid, gid, mtimeSeconds });
      for (const child of namesIn(path)) visit(`${path}/${child}`, `${name}/${child}`);
    } else if (stat.isSymbolicLink()) {
      entries.push({ kind: 'symlink', path: name, mode, uid, gid, mtimeSeconds, target: readlinkSync(path) });
    } else throw refused(path, 'it is neither file, directory nor symbolic link');
  };
  visit(folder, '.');
  return entries;
}

/** Returns the names in a folder. What is not UTF-8 is read with U+FFFD in it, which a name may also really have. */
function namesIn(folder: string): string[] {
  const names = readdirSync(folder);
  if (!names.some((name) => name.includes('\ufffd'))) return names;
  return readdirSync(folder, { encoding: 'buffer' }).map((bytes) => {
    const name = bytes.toString();
    if (!Buffer.from(name).equals(bytes)) throw refused(join(folder, name), 'its name is not UTF-8');
    return name;
  });
}

function refused(path: string, problem: string): UsageError {
  return new UsageError('TREE_INVALID', `${path} cannot be packaged: ${problem}`, { hint: 'Remove it or rename it.' });
}
