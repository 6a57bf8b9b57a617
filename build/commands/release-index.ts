import { resolve } from 'node:path';
import type { Command } from 'commander';
import fsExtra from 'fs-extra';
import { UsageError } from '../../src/base/errors.ts';
import { demandWritable, writeWhole } from '../../src/base/files.ts';
import { demandFolder } from '../../src/base/place/folder.ts';
import { readWhole } from '../../src/base/with-file.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  pathOption,
} from '../command.ts';
import { readConfig } from '../plan/config.ts';
import { readManifest } from '../plan/manifest.ts';
import { parseReleaseIndex, type ReleaseIndex, refuseRewritten, withRelease } from '../release-index/release-index.ts';

/** Options of `index` as the command line gives them. */
export interface ReleaseIndexOptions {
  readonly add?: string;
  readonly since?: string;
}

/** Adds the options of `index`. */
export function configureReleaseIndex(command: Command, execute: Execute): void {
  command
    .argument('<file>', 'index.json; with --add it is made when it is not there')
    .addOption(pathOption('--add <folder>', 'put the finished release of this folder, out/<version>, at its end'))
    .addOption(
      pathOption('--since <file>', 'an earlier index: refuse this one when anything of it was changed or removed'),
    )
    .addHelpText('after', example('npm run -s cli -- index index.json --add out/1.1.0'))
    .action((file: string, options: ReleaseIndexOptions & CommonOptions) =>
      execute((context) => releaseIndex(context, file, options), options),
    );
}

/** Checks a list of releases, holds it to an earlier one, or adds a release to it. */
export async function releaseIndex(
  { root }: Pick<CommandContext, 'root'>,
  file: string,
  { add, since }: ReleaseIndexOptions,
): Promise<CommandResult> {
  const config = await readConfig(root);
  const path = resolve(file);
  if (add !== undefined) await demandWritable(file);
  const isNew = add !== undefined && !(await fsExtra.pathExists(path));
  const before: ReleaseIndex = isNew
    ? { schema: 1, product: config.product.title, releases: [] }
    : parseReleaseIndex(await readWhole(path), file);
  const index = add === undefined ? before : withRelease(before, await manifestIn(add), config);
  if (since !== undefined) refuseRewritten(parseReleaseIndex(await readWhole(since), since), index);
  if (index !== before) await writeWhole(path, `${JSON.stringify(index, null, 2)}\n`);
  const versions = index.releases.map(({ version }) => version).join(', ');
  return { document: index, text: `${file}: ${index.releases.length} releases (${versions || 'none'})\n` };
}

async function manifestIn(folder: string) {
  await demandFolder(folder);
  const manifest = await readManifest(resolve(folder));
  if (manifest) return manifest;
  throw new UsageError('INDEX_INCOMPLETE', `${folder} holds no release.json`);
}
