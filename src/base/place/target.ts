import { lstat, realpath, stat } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import { kindName } from './kind-name.ts';
import { shownPath } from './shown.ts';

/**
 * Returns where a file of this name is to be written: there, or at the end of the links of that name.
 *
 * A new file takes the place of the old one by renaming, which would also put it in the place of a device, a pipe or a link: whoever
 * writes to /dev/null as root would leave the machine without it.
 *
 * @throws UsageError `TARGET_NOT_A_FILE` when something else than a file stands there; the file system's error for a link to nothing
 */
export async function targetOf(path: string): Promise<string> {
  const itself = await lstat(path).catch(unlessMissing);
  if (!itself) return path;
  const target = itself.isSymbolicLink() ? await realpath(path) : path;
  const stats = await stat(target);
  if (stats.isFile()) return target;
  throw new UsageError('TARGET_NOT_A_FILE', `${shownPath(path)} is ${kindName(stats)}, not a file`, {
    hint: 'Name the file that is to be written; what stands there is left as it is.',
  });
}

/**
 * Makes sure that nothing has this name.
 *
 * @throws UsageError `TARGET_EXISTS`
 */
export async function demandFree(path: string): Promise<void> {
  if (!(await lstat(path).catch(unlessMissing))) return;
  throw new UsageError('TARGET_EXISTS', `${shownPath(path)} is there already and was left unchanged`, {
    hint: 'Move it away, or name another place.',
  });
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT') return undefined;
  throw error;
}
