import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { InterruptedError, UsageError } from '../src/base/errors.ts';
import { removeOwnUnfinished } from '../src/base/files.ts';
import { useProxies } from '../src/base/network/proxy.ts';
import { commandAgain } from './again.ts';
import {
  addCommand,
  type CommandContext,
  type CommandResult,
  type CommonOptions,
  type Configure,
  type Execute,
} from './command.ts';
import { EXIT_CODES, errorDocument, exitCodeOf, renderError } from './exit-code.ts';
import { maskCommands } from './report/github.ts';
import { createProgress } from './report/progress.ts';

/** A command: how it is called, what it is for, and where it is. Only the one that runs is loaded. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Configure>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'release',
    summary: 'run every stage: from source to the signed package',
    load: async () => (await import('./commands/release.ts')).configureRelease,
  },
  {
    name: 'build',
    summary: 'the same up to the unsigned package, with ad-hoc signed code',
    load: async () => (await import('./commands/release.ts')).configureBuild,
  },
  {
    name: 'parts',
    summary: 'compile, and gather what signs a release elsewhere: one folder, one archive',
    load: async () => (await import('./commands/parts.ts')).configureParts,
  },
  {
    name: 'csr',
    summary: 'make the certificate requests for both identities, with new keys or keys in a service',
    load: async () => (await import('./commands/csr.ts')).configureCsr,
  },
  {
    name: 'sign',
    summary: 'make the signatures of one key, without the network, for a sealed step',
    load: async () => (await import('./commands/sign.ts')).configureSign,
  },
  {
    name: 'digests',
    summary: 'say what a key in a service is to sign, for a job that has nothing but the way to that key',
    load: async () => (await import('./commands/sign.ts')).configureDigests,
  },
  {
    name: 'timestamp',
    summary: 'check what a sealed step signed, and have it stamped',
    load: async () => (await import('./commands/sign.ts')).configureTimestamp,
  },
  {
    name: 'github',
    summary: 'what the workflows call',
    load: async () => (await import('./github/commands.ts')).configureGitHub,
  },
  {
    name: 'inspect',
    summary: 'show what a flat package, Bom or Mach-O file holds',
    load: async () => (await import('./commands/inspect.ts')).configureInspect,
  },
  {
    name: 'expand',
    summary: 'unpack a flat package, its payload and its scripts into a new folder',
    load: async () => (await import('./commands/expand.ts')).configureExpand,
  },
  {
    name: 'verify',
    summary: 'check a finished package, ours or of others, without the network',
    load: async () => (await import('./commands/verify.ts')).configureVerify,
  },
  {
    name: 'prove',
    summary: 'make a finished package again from its sources, and compare every byte that needs no key',
    load: async () => (await import('./commands/prove.ts')).configureProve,
  },
  {
    name: 'evidence',
    summary: 'gather what speaks for a finished package in one zip',
    load: async () => (await import('./commands/evidence.ts')).configureEvidence,
  },
  {
    name: 'kit',
    summary: "make the files that admins' systems need from a finished package",
    load: async () => (await import('./commands/kit.ts')).configureKit,
  },
  {
    name: 'index',
    summary: 'check the list of releases, or add one to its end',
    load: async () => (await import('./commands/release-index.ts')).configureReleaseIndex,
  },
  {
    name: 'compare',
    summary: 'show what differs between two packages',
    load: async () => (await import('./commands/compare.ts')).configureCompare,
  },
  {
    name: 'notarize',
    summary: 'ask the notary about a submission',
    load: async () => (await import('./commands/notarize.ts')).configureNotarize,
  },
  {
    name: 'staple',
    summary: "attach the notary's ticket to a package or a bundle",
    load: async () => (await import('./commands/staple.ts')).configureStaple,
  },
  {
    name: 'doctor',
    summary: 'check that this machine and the configuration can make a release',
    load: async () => (await import('./commands/doctor.ts')).configureDoctor,
  },
];

/** How long a stage may take to end cleanly after Ctrl-C before the process ends all the same. */
const INTERRUPT_GRACE_MS = 2_000;

void main(process.argv.slice(2));

async function main(argv: string[]): Promise<void> {
  process.stderr.write(maskCommands(process.env));
  useProxies(process.env);
  // Whoever reads a stream may close it, as `head` does. What that means is decided where it is written to.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let json = argv.includes('--json');
  const verbose = argv.includes('--verbose');
  const program = await commandLine(argv, async (command, options) => {
    json = options.json === true;
    await execute(command, options, argv);
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    await finish(
      error instanceof CommanderError ? usageErrorOf(error, typedCommand(program, argv)) : error,
      json,
      verbose,
    );
  }
}

/** The command line: every command by name and summary, and the options of the one that `argv` names. */
async function commandLine(argv: readonly string[], execute: Execute): Promise<Command> {
  const program = new Command('escrow-buddy')
    .description('Builds, signs, notarizes and publishes the Escrow Buddy installer package.')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showHelpAfterError(false)
    .helpCommand(false)
    .version(await versionOf(findRoot()), '--version', 'print the version')
    .addHelpText('after', exitCodeHelp());
  const wanted = argv.find((word) => !word.startsWith('-'));
  for (const { name, summary, load } of COMMANDS) {
    const command = addCommand(program, name, summary);
    if (name === wanted) (await load())(command, execute);
  }
  return program;
}

function exitCodeHelp(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}\n`;
}

async function execute(
  command: (context: CommandContext) => Promise<CommandResult>,
  options: CommonOptions,
  argv: readonly string[],
): Promise<void> {
  const interruption = listenForInterruption();
  const progress = createProgress({
    stream: process.stderr,
    verbose: options.verbose === true,
    color: isLively(process.env),
  });
  const context: CommandContext = {
    root: findRoot(),
    program: fileURLToPath(import.meta.url),
    progress,
    signal: interruption.signal,
    argv,
    json: options.json === true,
    columns: process.stdout.columns,
    verbose: options.verbose === true,
    env: process.env,
  };
  try {
    const result = await Promise.race([command(context), interruption.expired]);
    progress.close();
    if (options.json) await writeOut(`${JSON.stringify(result.document, null, 2)}\n`);
    else await writeOut(result.text);
    leave(result.exitCode ?? 0);
  } catch (error) {
    progress.close();
    const reported = interruption.signal.aborted ? new InterruptedError() : error;
    await finish(
      reported,
      options.json === true,
      options.verbose === true,
      commandAgain({ ...context, cwd: process.cwd() }),
    );
  }
}

async function finish(error: unknown, json: boolean, verbose: boolean, again?: string): Promise<void> {
  if (json) await writeOut(`${JSON.stringify(errorDocument(error, again), null, 2)}\n`).catch(() => undefined);
  process.stderr.write(renderError(error, verbose, again));
  leave(exitCodeOf(error));
}

/** The only way out: half-written files of this process are removed first. */
function leave(exitCode: number): never {
  removeOwnUnfinished();
  process.exit(exitCode);
}

/**
 * Standard output may be a pipe, which must be drained before the process ends.
 *
 * A reader that has seen enough is not a failure (EPIPE); a full disk is.
 */
function writeOut(text: string): Promise<void> {
  return new Promise((done, reject) => {
    process.stdout.write(text, (error) => {
      if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') done();
      else reject(error);
    });
  });
}

/** SIGINT, SIGTERM and SIGHUP abort the run; a second one, or a stage that does not stop in time, ends it with the last line. */
function listenForInterruption(): { signal: AbortSignal; expired: Promise<never> } {
  const controller = new AbortController();
  const expired = new Promise<never>((_, reject) => {
    let count = 0;
    const interrupt = () => {
      count++;
      if (count > 2) leave(130);
      // An impatient person still gets the last line.
      if (count === 2) return reject(new InterruptedError());
      controller.abort();
      setTimeout(() => reject(new InterruptedError()), INTERRUPT_GRACE_MS);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  });
  expired.catch(() => undefined);
  return { signal: controller.signal, expired };
}

/** The project's folder: the one above this program's file, or the nearest above the working folder. */
function findRoot(): string {
  const starts = [dirname(fileURLToPath(import.meta.url)), process.cwd()];
  for (const start of starts) {
    for (let folder = resolve(start); ; folder = dirname(folder)) {
      if (existsSync(join(folder, 'release.config.json'))) return folder;
      if (folder === dirname(folder)) break;
    }
  }
  return process.cwd();
}

/** Whether a terminal may be written to with colours and lines that change; what stands in a log stays plain. */
function isLively({ NO_COLOR = '', CI = '', TERM }: NodeJS.ProcessEnv): boolean {
  return NO_COLOR === '' && CI === '' && TERM !== 'dumb';
}

/** Returns the words of `argv` that name a command, such as `doctor explain`. */
function typedCommand(program: Command, argv: readonly string[]): string {
  const names: string[] = [];
  let commands = program.commands;
  for (const word of argv.filter((candidate) => !candidate.startsWith('-'))) {
    const found = commands.find((command) => command.name() === word);
    if (!found) break;
    names.push(word);
    commands = found.commands;
  }
  return names.join(' ');
}

/** The version in package.json; of a folder of parts, what its own package.json says. */
async function versionOf(root: string): Promise<string> {
  try {
    return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}

/** `command` is the words of the command that was typed, such as `doctor explain`; empty when none is known. */
function usageErrorOf(error: CommanderError, command: string): UsageError {
  const message = `${command === '' ? '' : `${command}: `}${error.message.replace(/^error: /, '')}`;
  const hint = `To see ${command === '' ? 'the commands' : 'its options and an example'}: npm run -s cli -- ${command === '' ? '' : `${command} `}--help`;
  if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed') {
    return new UsageError('USAGE', 'no command was given', { hint });
  }
  return new UsageError('USAGE', message, { hint });
}
