import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { basename, dirname } from 'node:path';
import { shellWord, shownPath } from './shown.ts';

/** What the file system refused, in a sentence, and what to do now. */
export interface FileProblem {
  readonly message: string;
  readonly hint: string;
  /** Whether only space or another resource was missing: the same command works once there is some. */
  readonly isFull?: boolean;
}

/** A name as `unfinishedName` makes it; the name that it is to become is in it. */
const UNFINISHED = /\.(.+)\.\d+\.[0-9a-f]{8}\.unfinished$/;
const ELSEWHERE = 'Choose another path.';
const RIGHTS = (path: string) => `See who may: ls -ld ${shellWord(path)}`;

/**
 * Returns the cause behind an error of the file system; undefined when it is not about a place that somebody named, or a disk.
 *
 * The words of the system (`ENOTDIR: not a directory, mkdir ...`) name neither the part of the path that is wrong nor a next step,
 * so the path is looked at again.
 *
 * @see errno(3), path_resolution(7)
 */
export function fileProblem(error: NodeJS.ErrnoException): FileProblem | undefined {
  const { code } = error;
  if (code === undefined) return undefined;
  const full = FULL[code];
  if (full) return { ...full, isFull: true };
  if (error.path === undefined) return NAMELESS.has(code) ? nameless(error) : undefined;
  const asked = String(error.path);
  const isWritten = UNFINISHED.test(basename(asked)) || error.syscall?.startsWith('mk') === true;
  // Some errors name two places: what is to be replaced is the second.
  const path = (error as { dest?: string }).dest ?? finishedName(asked);
  return causeOf(code, path, isWritten);
}

const FULL: Readonly<Record<string, FileProblem>> = {
  ENOSPC: {
    message: 'the disk is full',
    hint: 'Free some space and run again; nothing half-written was left.',
  },
  EDQUOT: {
    message: 'your share of the disk is full',
    hint: 'Free some space, or raise the quota, and run again; nothing half-written was left.',
  },
  EFBIG: {
    message: 'the file would be larger than allowed here',
    hint: 'Raise the limit (ulimit -f), or use another disk.',
  },
  EMFILE: { message: 'too many files are open', hint: 'Raise the limit (ulimit -n) and run again.' },
  ENFILE: { message: 'too many files are open on this machine', hint: 'Close some programs and run again.' },
};

/** What only a file system answers. Of a file that is open already the system's words do not name the path. */
const NAMELESS = new Set(['EACCES', 'EPERM', 'ENOTDIR', 'EISDIR', 'EROFS', 'ENAMETOOLONG', 'ELOOP', 'EIO']);

function nameless({ message }: Error): FileProblem {
  const words = message.replace(/^[A-Z]+: /, '');
  return {
    message: `a file could not be read or written: ${words}`,
    hint: 'Check the path and who may read or write there.',
  };
}

function causeOf(code: string, path: string, isWritten: boolean): FileProblem | undefined {
  const shown = shownPath(path);
  const parent = dirname(path);
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return missing(path, isWritten);
    case 'EACCES':
    case 'EPERM':
      return isWritten
        ? { message: `writing is not allowed in ${shownPath(parent)}`, hint: RIGHTS(parent) }
        : { message: `${shown} may not be read, written or run`, hint: RIGHTS(path) };
    case 'EROFS':
      return { message: `${shown} lies on a disk that can only be read`, hint: ELSEWHERE };
    case 'EISDIR':
    case 'ENOTEMPTY':
      return { message: `${shown} is a folder, not a file`, hint: 'Name a file.' };
    case 'EEXIST':
      return { message: `${shown} is there already`, hint: ELSEWHERE };
    case 'ENAMETOOLONG':
      return { message: `the name is too long: ${shown}`, hint: 'Name a shorter one.' };
    case 'ELOOP':
      return { message: `${shown} is a symbolic link that leads back to itself`, hint: 'Check the links: ls -l' };
    case 'EBUSY':
    case 'ETXTBSY':
      return { message: `${shown} is in use`, hint: 'End what uses it, and run again.' };
    case 'ENXIO':
    case 'ENODEV':
    case 'EOPNOTSUPP':
      return { message: `${shown} is a socket or device, not a file`, hint: 'Name a file.' };
    case 'EIO':
      return { message: `${shown}: the disk failed`, hint: 'See the messages of the system: dmesg.' };
    case 'EINVAL':
    case 'ENOTSUP':
    case 'EXDEV':
      return { message: `${shown} is on a disk that does not allow this`, hint: ELSEWHERE };
    default:
      return undefined;
  }
}

/** Which part of a path is missing, or is something else than a folder. */
function missing(path: string, isWritten: boolean): FileProblem {
  const shown = shownPath(path);
  if (path === '') return { message: 'the name of a file is empty', hint: 'Check the variable that was to hold it.' };
  const itself = look(path);
  if (itself?.isSymbolicLink()) {
    return {
      message: `${shown} is a link to ${shownPath(readlinkSync(path))}, which is not there`,
      hint: 'Mend the link, or name a file.',
    };
  }
  const above = nearestThere(path);
  if (above.found && !above.isFolder) {
    return { message: `${shownPath(above.path)} is not a folder: nothing lies below it`, hint: 'Check the path.' };
  }
  if (above.path !== dirname(path)) {
    const hint = isWritten ? `Make it first: mkdir -p ${shellWord(dirname(path))}` : 'Check the path.';
    return { message: `there is no folder ${shownPath(above.next)}`, hint };
  }
  if (isWritten) return { message: `no file or folder can be created in ${shownPath(above.path)}`, hint: ELSEWHERE };
  return { message: `there is no file or folder ${shown}`, hint: 'Check the path.' };
}

/** The nearest folder above `path` that is there, and the part below it that is not. */
function nearestThere(path: string): { path: string; next: string; found: boolean; isFolder: boolean } {
  let next = path;
  for (;;) {
    const above = dirname(next);
    const stats = look(above);
    if (stats || above === next) {
      const isFolder = stats === undefined || stats.isDirectory() || stats.isSymbolicLink();
      return { path: above, next, found: stats !== undefined, isFolder };
    }
    next = above;
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** The name that an unfinished file is to have, wherever in the path it stands. */
function finishedName(path: string): string {
  return path
    .split('/')
    .map((part) => UNFINISHED.exec(part)?.[1] ?? part)
    .join('/');
}
