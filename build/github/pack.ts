import { resolve } from 'node:path';
import type { CommandContext, CommandResult } from '../cli.ts';
import { tarFolder } from '../parts/tar.ts';
import { githubReport } from '../report/github.ts';

/** Packs a folder into one archive and gives its SHA-256 as the output `sha256`: what the next job compares with. */
export async function pack(context: CommandContext, folder: string, options: { to: string }): Promise<CommandResult> {
  const { path, size, sha256 } = await tarFolder(resolve(folder), resolve(options.to));
  await githubReport(context.env).output('sha256', sha256);
  return { document: { schema: 1, path, size, sha256 }, text: `${sha256}  ${options.to}\n` };
}
