import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fromFile } from '../../src/base/bytes.ts';
import { UsageError } from '../../src/base/errors.ts';
import { checkEntries, type PayloadEntry } from '../../src/tree/entry.ts';

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
 * File contents are read later, once, when the payload is written.
 *
 * @throws UsageError `TREE_INVALID` for sockets, devices and FIFOs, and for names that are not UTF-8
 */
export function readTree(folder: string, owner: TreeOwner): PayloadEntry[] {
  const entries: PayloadEntry[] = [];
  const visit = (path: string, name: string): void => {
    const stat = lstatSync(path);
    const common = { ...owner, path: name, mode: stat.mode & 0o7777 };
    if (stat.isDirectory()) {
      entries.push({ ...common, kind: 'directory' });
      for (const child of readdirSync(path, { encoding: 'buffer' })) {
        const text = child.toString('utf8');
        if (!Buffer.from(text).equals(child)) throw refused(join(path, text), 'its name is not UTF-8');
        visit(join(path, text), name === '.' ? `./${text}` : `${name}/${text}`);
      }
    } else if (stat.isSymbolicLink()) entries.push({ ...common, kind: 'symlink', target: readlinkSync(path) });
    else if (stat.isFile()) entries.push({ ...common, kind: 'file', source: fromFile(path, stat.size) });
    else throw refused(path, 'it is neither file, directory nor symbolic link');
  };
  visit(folder, '.');
  return checkEntries(entries);
}

function refused(path: string, problem: string): UsageError {
  return new UsageError('TREE_INVALID', `${path} cannot be packaged: ${problem}`, { hint: 'Remove it or rename it.' });
}
