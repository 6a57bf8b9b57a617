import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, UsageError } from '../../src/base/errors.ts';
import {
  type FileKind,
  KIND_HEAD_SIZE,
  KIND_NAMES,
  KIND_TAIL_SIZE,
  kindOfFile,
} from '../../src/base/input/file-kind.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import type { RandomAccess } from '../../src/base/random-access.ts';
import { readXar } from '../../src/xar/read.ts';

/** What most commands take. */
export const FLAT_PACKAGE = 'a flat package (.pkg)';

/** What to do with what was given instead. */
const WAYS_OUT: Partial<Record<FileKind | 'xip', string>> = {
  zip: 'Unzip it, and give the .pkg that is in it.',
  xip: 'On a Mac, expand it with `xip --expand`, and give what is in it.',
  'disk-image': 'Mount it on a Mac (hdiutil attach), or unpack it with 7z, and give the .pkg that is on it.',
  gzip: 'Unpack it, and give the .pkg that is in it.',
  bzip2: 'Unpack it, and give the .pkg that is in it.',
  xz: 'Unpack it, and give the .pkg that is in it.',
  tar: 'Unpack it, and give the .pkg that is in it.',
  '7z': 'Unpack it, and give the .pkg that is in it.',
  rar: 'Unpack it, and give the .pkg that is in it.',
  html: 'Fetch the file anew; look at the page to see why the server did not send it.',
  empty: 'Fetch the file anew.',
};

/**
 * Returns what a file is, when it is of a kind that a command takes.
 *
 * @param file its name, for the error
 * @param taken what the command takes, in description, such as `a flat package`
 * @throws FormatError `KIND_UNSUITABLE` that says what the file is, and what can be given instead
 */
export async function demandKind(
  access: RandomAccess,
  file: string,
  kinds: readonly FileKind[],
  taken: string,
): Promise<FileKind> {
  const head = await access.read(0, Math.min(KIND_HEAD_SIZE, access.size));
  const tail = await access.read(Math.max(0, access.size - KIND_TAIL_SIZE), Math.min(KIND_TAIL_SIZE, access.size));
  const kind = kindOfFile(head, tail);
  const isXip = kind === 'package' && (await holdsXip(access));
  if (kinds.includes(kind) && !isXip) return kind;
  const description = isXip ? 'a xip archive' : KIND_NAMES[kind];
  const bytes = kind === 'unknown' ? ` (it begins with ${head.toString('hex', 0, 4)})` : '';
  const hint = WAYS_OUT[isXip ? 'xip' : kind] ?? `Give ${taken}.`;
  throw new FormatError(
    'KIND_UNSUITABLE',
    shownPath(file),
    0,
    `expected ${taken}, but this is ${description}${bytes}`,
    {
      hint,
    },
  );
}

/** A xip is a xar archive of two members. Source: xip(1); archives of Xcode. */
async function holdsXip(access: RandomAccess): Promise<boolean> {
  try {
    const { members } = await readXar(access);
    return members.length === 2 && ['Content', 'Metadata'].every((name) => members.some(({ path }) => path === name));
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/**
 * Throws when a folder was given where a file is expected, and says what kind of folder it is.
 *
 * @throws UsageError `NOT_A_FILE`
 */
export async function refuseFolder(file: string, taken: string): Promise<void> {
  const stats = await stat(file).catch(() => undefined);
  if (!stats?.isDirectory()) return;
  const { description, hint } = await folderKind(file);
  throw new UsageError('NOT_A_FILE', `${shownPath(file)} is a folder, not a file${description}`, {
    hint: hint ?? `Give ${taken}.`,
  });
}

async function folderKind(folder: string): Promise<{ description: string; hint?: string }> {
  const contents: string[] = await readdir(join(folder, 'Contents')).catch(() => []);
  if (contents.some((name) => /^Archive\.(pax|bom)/.test(name)) || /\.mpkg$/.test(folder)) {
    return {
      description: ': a bundle package, as installers were made before macOS 10.5',
      hint: 'Such packages are not read, and their signatures no longer count. Ask their maker for a flat package.',
    };
  }
  if (contents.includes('Info.plist')) {
    const hint = 'Only packages are checked: give the .pkg that installs it. `codesign --verify` checks it on a Mac.';
    return { description: ': a bundle, such as an application or a plug-in', hint };
  }
  return { description: '' };
}
