import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Trust } from '../src/pki/x509/apple-roots.ts';
import { parseDuration } from './plan/units.ts';
import { createProgress, type Progress, type ProgressOptions } from './report/progress.ts';

/** What every command is given. */
export interface CommandContext {
  /** Folder of the project. */
  readonly root: string;
  /** The whole command line in one file. */
  readonly program: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Words that were typed behind the program's name. */
  readonly argv: readonly string[];
  readonly json: boolean;
  readonly verbose: boolean;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Whose certificates and tickets count as Apple's; the pinned roots by default. */
  readonly trust?: Trust;
}

/** What a command leaves for standard output: a document for `--json`, lines for a person, and its exit code. */
export interface CommandResult {
  readonly document: object;
  readonly text: string;
  readonly exitCode?: number;
}

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly verbose?: boolean;
}

/** What a run is given beside the options that were typed. */
type Surroundings = Omit<CommandContext, 'progress' | 'json' | 'verbose'> & Omit<ProgressOptions, 'verbose'>;

/** Returns what a command is given, its progress on the stream of `around`. */
export function contextOf(options: CommonOptions, { stream, color, ...around }: Surroundings): CommandContext {
  const { json = false, verbose = false } = options;
  return { ...around, json, verbose, progress: createProgress({ stream, verbose, color }) };
}

/** Runs a command's work, prints its result and ends the process. */
export type Execute = (
  work: (context: CommandContext) => Promise<CommandResult>,
  options: CommonOptions,
) => Promise<void>;

/** Gives a command its arguments, its options and its work. Each command has one, beside its code. */
export type Configure = (command: Command, execute: Execute) => void;

/** Adds a command with the options that all have. */
export function addCommand(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .summary(summary)
    .option('--json', 'print one JSON document on standard output')
    .option('--verbose', 'print more on standard error')
    .configureOutput({ writeErr: () => undefined });
}

/** The option --max-wait, a duration in milliseconds. */
export function maxWait(description: string): Option {
  return new Option('--max-wait <duration>', description).argParser(parseDuration);
}

/** The option --toolchain; `description` says what the tools do in this command. */
export function toolchainOption(description: string): Option {
  return new Option('--toolchain <name>', description).choices(['portable', 'apple', 'auto']);
}

/** The option --trust. */
export function trustOption(description: string): Option {
  return new Option('--trust <whom>', description).choices(['apple', 'rehearsal']).default('apple');
}

/** The option --out of a command that makes a release. */
export function outOption(): Option {
  return pathOption(
    '--out <folder>',
    'where results go, in a folder named by the version (default: out/ of the project)',
  );
}

/** The option --replace of a command that writes a file. */
export function replaceFileOption(): Option {
  return new Option('--replace', 'replace a file that has different contents');
}

/** What stands behind the name of a file that was written. */
export function insteadOf({ replaced }: { readonly replaced: boolean }): string {
  return replaced ? ', in place of the one that was there' : '';
}

/** An option that names a file or folder: a name that was left empty, as by an unset variable, would mean the working folder. */
export function pathOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value) => {
    if (value === '') throw new InvalidArgumentError('It is empty.');
    return value;
  });
}

/** Lines for the end of a command's help. */
export function example(command: string): string {
  return `\nExample:\n  ${command}\n`;
}
