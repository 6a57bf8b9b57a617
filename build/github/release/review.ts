import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { digestFile } from '../../../src/base/files.ts';
import { compareVersions } from '../../../src/base/version.ts';
import {
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Execute,
  pathOption,
} from '../../command.ts';
import { PARTS_CLI, readCompiledRecord } from '../../parts/parts.ts';
import { githubReport } from '../../report/github.ts';
import { type History, openHistory } from '../history.ts';
import { type LockChange, lockChanges } from './lock-changes.ts';

/** Options of `github review` as the command line gives them. */
export interface ReviewOptions {
  readonly parts: string;
  readonly partsSha256: string;
}

/** Places whose every change is named: what lands on Macs, what runs as root, what builds and signs, what decides. */
const NAMED =
  /^(payload|scripts)\/|^\.github\/|^build\/(setup|signing|signers|look|github)\/|^certificates\/|^(release\.config|package(-lock)?)\.json$|^\.npmrc$/;
/** A development package that puts the command line of the sealed jobs into one file. */
const BUILDER = /(^|\/)(esbuild|@esbuild\/[\w-]+)$/;
/** Lines of each list; GitHub shows a page of 1 MiB and not more. */
const MOST_LINES = 200;

/** Adds the options of `github review`. */
export function configureReview(command: Command, execute: Execute): void {
  command
    .addOption(pathOption('--parts <folder>', 'folder with the unpacked parts').makeOptionMandatory())
    .requiredOption('--parts-sha256 <sha256>', 'digest of the archive they came from')
    .action((options: ReviewOptions & CommonOptions) => execute((context) => review(context, options), options));
}

/**
 * Writes into the page of the run what a person who approves the use of a key has to know: version and commit, the digests of what is about
 * to be signed, and what changed since the last release, the packages of package-lock.json among it.
 *
 * @throws UsageError `HISTORY_MISSING`, `PARTS_INVALID`
 */
export async function review(context: CommandContext, options: ReviewOptions): Promise<CommandResult> {
  const folder = resolve(options.parts);
  const record = await readCompiledRecord(folder);
  const cli = await digestFile(join(folder, PARTS_CLI));
  const history = await openHistory(context.root);
  const last = await lastRelease(history, record.version);
  const changes = await changesSince(context.root, history, last);
  const digests = [
    { name: 'parts.tar', sha256: options.partsSha256 },
    { name: PARTS_CLI, sha256: cli.sha256 },
    ...record.slices.map(({ architecture, sha256 }) => ({ name: `code for ${architecture}`, sha256 })),
  ];
  const document = { schema: 1, version: record.version, commit: record.commit, last, digests, ...changes };
  const markdown = renderReview(document, record.tools);
  await githubReport(context.env).summary(markdown);
  return { document, text: markdown };
}

/** Tag of the highest version below this one that the history knows. */
async function lastRelease(history: History, version: string): Promise<string | null> {
  const tags = await history.lines('tag', '--list', 'v*');
  const versions = tags
    .filter((tag) => /^v\d+\.\d+\.\d+$/.test(tag))
    .map((tag) => tag.slice(1))
    .filter((one) => compareVersions(one, version) < 0)
    .sort(compareVersions);
  const last = versions.at(-1);
  return last === undefined ? null : `v${last}`;
}

interface Changes {
  readonly commits: readonly string[];
  readonly files: readonly string[];
  readonly packages: readonly LockChange[];
}

async function changesSince(root: string, history: History, last: string | null): Promise<Changes> {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  if (last === null) return { commits: [], files: [], packages: [] };
  const [commits, files, before] = await Promise.all([
    history.lines('log', '--no-show-signature', '--pretty=%h %an: %s', `${last}..HEAD`),
    history.lines('diff', '--name-status', '--no-renames', last, 'HEAD'),
    history.read(last, 'package-lock.json'),
  ]);
  return { commits, files: files.map((line) => line.replace('\t', ' ')), packages: lockChanges(before, lock) };
}

interface Review extends Changes {
  readonly version: string;
  readonly commit: string | null;
  readonly last: string | null;
  readonly digests: readonly { readonly name: string; readonly sha256: string }[];
}

function renderReview(review: Review, tools: Readonly<Record<string, string>>): string {
  const { version, commit, last, digests } = review;
  const head = `### About to be signed: ${version}

Commit \`${commit ?? 'unknown'}\`, compiled with ${Object.entries(tools)
    .map(([name, change]) => `${name} ${change}`)
    .join(
      ', ',
    )}. Approve when this is what you mean to release: you are asked twice, for the key of the code and some minutes later for the key of the packages (once where a Mac signs).

Code of npm packages made this page. The commit and package-lock.json as GitHub itself shows them are the last word.

| what | sha256 |
|---|---|
${digests.map(({ name, sha256 }) => `| ${name} | \`${sha256}\` |`).join('\n')}
`;
  if (last === null) return `${head}\nThere is no earlier release in this repository: all of it is new.\n`;
  const named = review.files.filter((line) => NAMED.test(line.slice(2)));
  const others = review.files.length - named.length;
  return `${head}
**Since ${last}**

${list('Packages in package-lock.json', review.packages.map(packageLine))}
${list('Files that land on Macs, run as root, build, sign or decide', named)}
${others} other files changed.

${list('Commits', review.commits)}`;
}

function packageLine({ place, kind, from, to, development }: LockChange): string {
  const change = kind === 'version' ? `${from} -> ${to}` : `${kind} (${to ?? from})`;
  const warning = kind === 'same version, other bytes' ? '  <-- LOOK: a version is published once' : '';
  return `${place.replace(/^node_modules\//, '')}: ${change}${development && !BUILDER.test(place) ? ', development' : ', SAYS WHAT IS SIGNED'}${warning}`;
}

/** Indented, so that no commit's words become Markdown. */
function list(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return `${title}: none changed.\n`;
  const shown = lines.slice(0, MOST_LINES).map((line) => `    ${line.replace(/[^\x20-\x7e]/g, '?')}`);
  const more = lines.length > shown.length ? `\n    and ${lines.length - shown.length} more` : '';
  return `${title} (${lines.length}):\n\n${shown.join('\n')}${more}\n`;
}
