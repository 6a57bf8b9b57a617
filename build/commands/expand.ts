import { chmodSync, lstatSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { lstat, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { demandWritable, removeTree, unfinishedName } from '../../src/base/files.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import { withFile } from '../../src/base/with-file.ts';
import { type Expanded, expandPackage } from '../../src/package/expand.ts';
import { openPackage } from '../../src/package/open-package.ts';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, example } from '../command.ts';
import { parseSize } from '../plan/units.ts';
import { demandKind, FLAT_PACKAGE, refuseFolder } from '../report/demand-kind.ts';

/** Options of `expand` as the command line gives them. */
export interface ExpandOptions {
  /** Most bytes to unpack. */
  readonly maxSize?: number;
  /** Unpack names that a Mac's usual file system takes for one. */
  readonly caseSensitive?: boolean;
}

/** Adds the options of `expand`. */
export function configureExpand(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'flat package')
    .argument('<folder>', 'folder to make; it must not exist, or be empty')
    .addOption(
      new Option(
        '--max-size <size>',
        'most that may be unpacked, such as 50G (default: 4G, or 100 times the package if that is more)',
      ).argParser(parseSize),
    )
    .option('--case-sensitive', "unpack names that a Mac's usual disk takes for one; without it they are refused")
    .addHelpText('after', example('npm run -s cli -- expand Escrow.Buddy-1.1.0.pkg /tmp/expanded'))
    .action((file: string, folder: string, options: ExpandOptions & CommonOptions) =>
      execute((context) => expand(context, file, folder, options), options),
    );
}

/** Unpacks a flat package into a new folder, or into one that is empty: whole, or not at all. */
export async function expand(
  context: CommandContext,
  file: string,
  folder: string,
  { maxSize, caseSensitive }: ExpandOptions,
): Promise<CommandResult> {
  const target = resolve(folder);
  const place = await placeFor(target, folder);
  try {
    await refuseFolder(file, FLAT_PACKAGE);
    const counts = await withFile(file, async (access) => {
      await demandKind(access, file, ['package'], FLAT_PACKAGE);
      const opened = await openPackage(access);
      mkdirSync(place.unfinished);
      return expandPackage(opened, place.unfinished, context.signal, { maxBytes: maxSize, caseSensitive });
    });
    await place.finish();
    return {
      document: { schema: 1, folder: target, ...counts },
      text: `Unpacked ${describe(counts)} into ${folder}\n`,
    };
  } catch (error) {
    removeTree(place.unfinished);
    throw error;
  }
}

/** Where a package is unpacked until it is whole, and how what was unpacked gets to where it belongs. */
interface Place {
  readonly unfinished: string;
  finish(): Promise<void>;
}

async function placeFor(target: string, name: string): Promise<Place> {
  if (name === '') throw new UsageError('TARGET_INVALID', 'the folder to unpack into has an empty name');
  if (await isEmptyFolder(target, name)) {
    // The folder itself stays: it may be where the person stands, or a link that leads elsewhere.
    const unfinished = unfinishedName(join(target, 'expanded'));
    return { unfinished, finish: () => moveUp(unfinished, target) };
  }
  await demandWritable(target);
  const unfinished = unfinishedName(target);
  return { unfinished, finish: async () => renameSync(unfinished, target) };
}

/** Returns false when nothing is there. */
async function isEmptyFolder(target: string, name: string): Promise<boolean> {
  // What cannot be looked at cannot be made either, and making it says why.
  if (!(await lstat(target).catch(() => undefined))) return false;
  const isFolder = (await stat(target).catch(() => undefined))?.isDirectory();
  if (isFolder && (await readdir(target)).length === 0) return true;
  throw new UsageError('TARGET_EXISTS', `${shownPath(name)} exists and is not an empty folder`, {
    hint: 'Name a folder that does not exist yet.',
  });
}

/** Moves everything one folder up, without a moment at which a signal could be heard. */
async function moveUp(unfinished: string, target: string): Promise<void> {
  const names = await readdir(unfinished);
  for (const name of names) moveInto(join(unfinished, name), join(target, name));
  rmdirSync(unfinished);
}

/** A folder can be moved elsewhere only while its owner may write to it: its `..` changes. */
function moveInto(from: string, to: string): void {
  const stats = lstatSync(from);
  const isFolder = stats.isDirectory();
  if (isFolder) chmodSync(from, 0o700);
  renameSync(from, to);
  if (isFolder) chmodSync(to, stats.mode & 0o777);
}

function describe({ files, directories, symlinks }: Expanded): string {
  return `${files} files, ${directories} folders and ${symlinks} symbolic links`;
}
