import { lstat, readdir, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError, VerificationError } from '../../src/base/errors.ts';
import { demandWritable, digestFile, unfinishedName } from '../../src/base/files.ts';
import { makeFolder } from '../../src/base/place/folder.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  example,
  pathOption,
  toolchainOption,
} from '../command.ts';
import { PARTS_CLI, writeParts } from '../parts/parts.ts';
import { tarFolder } from '../parts/tar.ts';
import { makePlan } from '../plan/plan.ts';
import { githubReport } from '../report/github.ts';
import { readBundleSource } from '../stages/compile.ts';

/** Options of `parts` as the command line gives them. */
export interface PartsOptions {
  readonly out: string;
  readonly toolchain?: 'portable' | 'apple' | 'auto';
  /** SHA-256 that the archive must have: a second build of the same commit. */
  readonly expect?: string;
}

/** Adds the options of `parts`. */
export function configureParts(command: Command, execute: Execute): void {
  command
    .addOption(toolchainOption('whose tools compile'))
    .addOption(
      pathOption(
        '--out <folder>',
        'folder to make; the archive is written beside it, with .tar behind the name',
      ).makeOptionMandatory(),
    )
    .option('--expect <sha256>', 'fail unless the archive has this digest')
    .addHelpText('after', example('npm run -s cli -- parts --out /tmp/parts'))
    .action((options: PartsOptions & CommonOptions) => execute((context) => parts(context, options), options));
}

/** Compiles, and writes all that the sealed jobs need into a new folder and into one archive beside it. */
export async function parts(context: CommandContext, options: PartsOptions): Promise<CommandResult> {
  const folder = resolve(options.out);
  await refuseTaken(folder);
  const plan = await makePlan({
    root: context.root,
    outFolder: join(context.root, 'out'),
    sourceDateEpoch: context.env.SOURCE_DATE_EPOCH,
  });
  const toolchain = selectToolchain(options.toolchain ?? plan.config.signing.toolchain);
  const slices = await toolchain.compiler.compile(await readBundleSource(plan), { signal: context.signal });
  const tools = await toolchain.compiler.versions();
  const unfinished = unfinishedName(folder);
  await writeParts(unfinished, { plan, cli: context.program, slices, toolchain: toolchain.name, tools });
  await rename(unfinished, folder);
  const archive = await tarFolder(folder, `${folder}.tar`);
  const cli = await digestFile(join(folder, PARTS_CLI));
  const { sha256 } = archive;
  if (options.expect && sha256 !== options.expect) {
    throw new VerificationError('PARTS_DIFFER', `the parts have sha256 ${sha256}, not ${options.expect}`, {
      hint: 'The two builds had other sources or tools: unpack both archives and compare compiled/compiled.json first.',
    });
  }
  const github = githubReport(context.env);
  await github.output('version', plan.version);
  await github.output('sha256', sha256);
  await github.output('cli-sha256', cli.sha256);
  const files = [
    { path: archive.path, sha256 },
    { path: cli.path, sha256: cli.sha256 },
    ...(await Promise.all(slices.map(({ architecture }) => digestFile(join(folder, 'compiled', architecture))))),
  ].map(({ path, sha256: digest }) => ({ path, sha256: digest }));
  return {
    document: { schema: 1, version: plan.version, archive: { path: archive.path, sha256 }, files },
    text: files.map(({ path, sha256: digest }) => `${digest}  ${path}\n`).join(''),
  };
}

/** Folder and archive must be new, and it must be possible to make them; compiling takes long. */
async function refuseTaken(folder: string): Promise<void> {
  for (const path of [folder, `${folder}.tar`]) {
    if (await isFree(path)) continue;
    throw new UsageError('TARGET_EXISTS', `${shownPath(path)} is there already and was left unchanged`, {
      hint: 'Name a folder that does not exist yet.',
    });
  }
  await makeFolder(dirname(folder));
  await demandWritable(`${folder}.tar`);
}

/** Nothing is there, or an empty folder. */
async function isFree(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return !stats || (stats.isDirectory() && (await readdir(path)).length === 0);
}
