import { resolve } from 'node:path';
import type { Command } from 'commander';
import { UsageError } from '../../../src/base/errors.ts';
import type { CommandContext, CommandResult, CommonOptions, Execute } from '../../command.ts';
import { readManifest } from '../../plan/manifest.ts';
import { githubReport } from '../../report/github.ts';

/** Adds the options of `github summary`. */
export function configureSummary(command: Command, execute: Execute): void {
  command
    .argument('<folder>', 'folder with release.json')
    .action((folder: string, options: CommonOptions) => execute((context) => summary(context, folder), options));
}

/** Writes what a run made into the page of the GitHub run: mode, digests, identity, time of each stage. The package's name, digest and team are outputs. */
export async function summary(context: CommandContext, folder: string): Promise<CommandResult> {
  const manifest = await readManifest(resolve(folder));
  if (!manifest) throw new UsageError('NOTHING_TO_REPORT', `${folder} holds no release.json`);
  const rows = manifest.files.map(({ path, size, sha256 }) => `| ${path} | ${size} | \`${sha256}\` |`);
  const stages = manifest.stages.map(({ name, outcome, seconds }) => `| ${name} | ${outcome} | ${seconds} s |`);
  const markdown = `### ${manifest.product} ${manifest.version}, ${manifest.mode}

${manifest.mode === 'release' ? '' : 'No Mac trusts this package: throw-away identities signed it, to show that everything works.\n'}
Commit \`${manifest.commit ?? 'unknown'}\`, signed by ${manifest.package?.signer ?? 'nobody'}, team ${manifest.package?.teamIdentifier ?? 'none'}.

| file | bytes | sha256 |
|---|---|---|
${rows.join('\n')}

| stage | outcome | time |
|---|---|---|
${stages.join('\n')}
`;
  const github = githubReport(context.env);
  await github.summary(markdown);
  const package_ = manifest.files.find(({ role }) => role === 'package');
  await github.output('package', package_?.path ?? '');
  await github.output('package-sha256', package_?.sha256 ?? '');
  await github.output('team', manifest.package?.teamIdentifier ?? '');
  return { document: { schema: 1, version: manifest.version, mode: manifest.mode }, text: markdown };
}
