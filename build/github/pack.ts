import { resolve } from 'node:path';
import type { Command } from 'commander';
import { demandFree } from '../../src/base/place/target.ts';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, pathOption } from '../command.ts';
import { tarFolder } from '../parts/tar.ts';
import { githubReport } from '../report/github.ts';

/** Adds the options of `github pack`. */
export function configurePack(command: Command, execute: Execute): void {
  command
    .argument('<folder>', 'folder to pack')
    .addOption(pathOption('--to <file>', 'archive to write; it must not be there').makeOptionMandatory())
    .action((folder: string, options: { to: string } & CommonOptions) =>
      execute((context) => pack(context, folder, options), options),
    );
}

/** Packs a folder into one archive and gives its SHA-256 as the output `sha256`: what the next job compares with. */
export async function pack(context: CommandContext, folder: string, options: { to: string }): Promise<CommandResult> {
  await demandFree(resolve(options.to));
  const { path, size, sha256 } = await tarFolder(resolve(folder), resolve(options.to));
  await githubReport(context.env).output('sha256', sha256);
  return { document: { schema: 1, path, size, sha256 }, text: `${sha256}  ${options.to}\n` };
}
