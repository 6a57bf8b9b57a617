import { mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { unfinishedName } from '../../src/base/files.ts';
import { accessFile } from '../../src/base/random-access.ts';
import { type Expanded, expandPackage } from '../../src/flat-package/expand.ts';
import { openPackage } from '../../src/flat-package/open-package.ts';
import type { CommandContext, CommandResult } from '../cli.ts';

/** Unpacks a flat package into a new folder: whole, or not at all. */
export async function expand(context: CommandContext, file: string, folder: string): Promise<CommandResult> {
  const target = resolve(folder);
  await refuseTaken(target, folder);
  const unfinished = unfinishedName(target);
  const handle = await open(file);
  try {
    const opened = await openPackage(await accessFile(handle));
    await mkdir(unfinished);
    const counts = await expandPackage(opened, unfinished, context.signal);
    await rmdir(target).catch(() => undefined);
    await rename(unfinished, target);
    return {
      document: { schema: 1, folder: target, ...counts },
      text: `Unpacked ${describe(counts)} into ${folder}\n`,
    };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function refuseTaken(target: string, name: string): Promise<void> {
  const taken = await readdir(target).then(
    (names) => names.length > 0,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  if (taken) {
    throw new UsageError('TARGET_EXISTS', `${name} exists and is no empty folder`, {
      hint: 'Name a folder that does not exist yet.',
    });
  }
}

function describe({ files, directories, symlinks }: Expanded): string {
  return `${files} files, ${directories} folders and ${symlinks} symbolic links`;
}
