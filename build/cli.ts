import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { InterruptedError, UsageError } from '../src/base/errors.ts';
import { removeOwnUnfinished } from '../src/base/files.ts';
import type { Trust } from '../src/pki/x509/apple-roots.ts';
import { EXIT_CODES, errorDocument, exitCodeOf, renderError } from './exit-code.ts';
import { addGitHubCommands } from './github/commands.ts';
import { parseDuration, parseSize } from './plan/units.ts';
import { maskCommands } from './report/github.ts';
import { createProgress, type Progress } from './report/progress.ts';
import { STAGES } from './run.ts';

/** What every command is given. */
export interface CommandContext {
  /** Folder of the project. */
  readonly root: string;
  /** The whole command line in one file. */
  readonly program: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Whose certificates and tickets count as Apple's; the pinned roots unless told. */
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

const OUT_HELP = 'where results go, in a folder named by the version (default: out/ of the project)';

/** How long a stage may take to end cleanly after Ctrl-C before the process ends all the same. */
const INTERRUPT_GRACE_MS = 2_000;

void main(process.argv.slice(2));

async function main(argv: string[]): Promise<void> {
  process.stderr.write(maskCommands(process.env));
  // Whoever reads a stream may close it, as `head` does. What that means is decided where it is written to.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let json = argv.includes('--json');
  const verbose = argv.includes('--verbose');
  try {
    const program = commandLine(async (command, options) => {
      json = options.json === true;
      await execute(command, options);
    });
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    await finish(error instanceof CommanderError ? usageErrorOf(error) : error, json, verbose);
  }
}

export type Execute = (
  command: (context: CommandContext) => Promise<CommandResult>,
  options: CommonOptions,
) => Promise<void>;

/** The commands and their options; each command's code is loaded only when it runs. */
function commandLine(execute: Execute): Command {
  const program = new Command('escrow-buddy')
    .description('Builds, signs, notarizes and publishes the Escrow Buddy installer package.')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .showHelpAfterError(false)
    .helpCommand(false)
    .addHelpText('after', exitCodeHelp());

  addCommand(program, 'release', 'run every stage: from source to the signed package')
    .addOption(new Option('--toolchain <name>', 'whose tools build the package').choices(['portable', 'apple', 'auto']))
    .addOption(
      new Option('--notary <name>', "whose client submits and staples (default: the toolchain's)").choices([
        'portable',
        'apple',
      ]),
    )
    .option('--out <folder>', OUT_HELP, named)
    .addOption(new Option('--until <stage>', 'stop after this stage').choices([...STAGES]))
    .option('--resume', 'go on from what out/<version>/release.json records')
    .option('--compiled <folder>', 'compile nothing: take what `parts` put into this folder')
    .option('--submit-only', 'end once the notary has the package; a later --resume waits for its verdict')
    .addOption(maxWait('how long to wait for the notary, such as 30m (default: 1h); then exit 5'))
    .addHelpText('after', example('npm start -- --out /tmp/release --until build-package'))
    .action((options) =>
      execute(async (context) => (await import('./commands/release.ts')).release(context, options), options),
    );

  addCommand(program, 'build', 'the same up to the unsigned package, with ad-hoc signed code')
    .addOption(new Option('--toolchain <name>', 'whose tools build the package').choices(['portable', 'apple', 'auto']))
    .option('--out <folder>', OUT_HELP, named)
    .addHelpText('after', example('npm run -s cli -- build --json'))
    .action((options) =>
      execute(async (context) => (await import('./commands/release.ts')).build(context, options), options),
    );

  addCommand(program, 'parts', 'compile, and gather what signs a release elsewhere: one folder, one archive')
    .addOption(new Option('--toolchain <name>', 'whose tools compile').choices(['portable', 'apple', 'auto']))
    .requiredOption('--out <folder>', 'folder to make; the archive is written beside it, with .tar behind the name')
    .option('--expect <sha256>', 'fail unless the archive has this digest')
    .addHelpText('after', example('npm run -s cli -- parts --out /tmp/parts'))
    .action((options) =>
      execute(async (context) => (await import('./commands/parts.ts')).parts(context, options), options),
    );

  addGitHubCommands(program, addCommand, execute);

  addCommand(program, 'inspect', 'show what a flat package, Bom or Mach-O file holds')
    .argument('<file>', 'package, Bom or Mach-O file')
    .addHelpText('after', example('npm run -s cli -- inspect out/1.1.0/Escrow.Buddy-1.1.0.pkg'))
    .action((file, options) =>
      execute(async (context) => (await import('./commands/inspect.ts')).inspect(context, file), options),
    );

  addCommand(program, 'expand', 'unpack a flat package, its payload and its scripts into a new folder')
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
    .action((file, folder, options) =>
      execute(
        async (context) => (await import('./commands/expand.ts')).expand(context, file, folder, options),
        options,
      ),
    );

  addCommand(program, 'verify', 'judge a finished package, ours or of others, without the network')
    .argument('<file>', 'flat package')
    .addOption(
      new Option(
        '--trust <whom>',
        "whose signatures are believed: Apple's, or the rehearsal authority of this checkout",
      )
        .choices(['apple', 'rehearsal'])
        .default('apple'),
    )
    .option(
      '--policy <file>',
      'JSON file with demands of your own: team, minimumMacOS, allowedPaths, allowedMechanisms',
    )
    .addHelpText('after', example('npm run -s cli -- verify Escrow.Buddy-1.1.0.pkg --policy policy.json'))
    .action((file, options) =>
      execute(async (context) => (await import('./commands/verify.ts')).verify(context, file, options), options),
    );

  addCommand(program, 'notarize', 'ask the notary about a submission')
    .option('--status <id>', 'say what became of it')
    .option('--wait <id>', 'wait until there is a verdict, and show the log')
    .addOption(maxWait('how long to wait, such as 30m (default: 1h); then exit 5'))
    .addHelpText('after', example('npm run -s cli -- notarize --wait 2efe2717-52ef-43a5-96dc-0797e4ca1041'))
    .action((options) =>
      execute(async (context) => (await import('./commands/notarize.ts')).notarize(context, options), options),
    );

  addCommand(program, 'staple', "attach the notary's ticket to a package or a bundle")
    .argument('<file>', 'signed flat package, or bundle')
    .addOption(
      new Option('--trust <whom>', "whose tickets: Apple's, or the rehearsal's of this checkout")
        .choices(['apple', 'rehearsal'])
        .default('apple'),
    )
    .addOption(maxWait('how long to wait for a ticket that is not there yet (default: 5m); then exit 5'))
    .addHelpText('after', example('npm run -s cli -- staple out/1.1.0/Escrow.Buddy-1.1.0.pkg'))
    .action((file, options) =>
      execute(async (context) => (await import('./commands/staple.ts')).staple(context, file, options), options),
    );

  const doctor = addCommand(program, 'doctor', 'check that this machine and the configuration can make a release')
    .option('--ci', 'check the set-up on GitHub instead: workflows, pins, environments, secrets, rules')
    .addHelpText('after', example('npm run -s cli -- doctor'))
    .action((options) =>
      execute(async (context) => (await import('./commands/doctor.ts')).doctor(context, options), options),
    );

  addCommand(doctor, 'explain', "say what a message of Apple's tools or services means")
    .argument('<message>', 'one or more lines, as they were printed')
    .option('--tool <name>', 'program that printed it, such as codesign, stapler or notary-log')
    .addHelpText('after', example('npm run -s cli -- doctor explain "errSecInternalComponent"'))
    .action((message, options) => {
      // Options that both commands have are taken by the outer one, wherever they stand.
      const all = { ...doctor.opts(), ...options };
      return execute(
        async (context) => (await import('./commands/explain.ts')).explainMessage(context, message, all),
        all,
      );
    });

  return program;
}

/** Adds a command with the options that all have. */
export type AddCommand = (program: Command, name: string, summary: string) => Command;

function addCommand(program: Command, name: string, summary: string): Command {
  return program
    .command(name)
    .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`)
    .summary(summary)
    .option('--json', 'print one JSON document on standard output')
    .option('--verbose', 'tell more on standard error')
    .configureOutput({ writeErr: () => undefined });
}

function maxWait(description: string): Option {
  return new Option('--max-wait <duration>', description).argParser(parseDuration);
}

/** A name that was left empty, as by an unset variable, would mean the working folder. */
function named(value: string): string {
  if (value === '') throw new InvalidArgumentError('It is empty.');
  return value;
}

function example(command: string): string {
  return `\nExample:\n  ${command}\n`;
}

function exitCodeHelp(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}\n`;
}

async function execute(
  command: (context: CommandContext) => Promise<CommandResult>,
  options: CommonOptions,
): Promise<void> {
  const interruption = listenForInterruption();
  const progress = createProgress({
    stream: process.stderr,
    verbose: options.verbose === true,
    color: (process.env.NO_COLOR ?? '') === '',
  });
  const context: CommandContext = {
    root: findRoot(),
    program: oneFileProgram(),
    progress,
    signal: interruption.signal,
    json: options.json === true,
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
    await finish(
      interruption.signal.aborted ? new InterruptedError() : error,
      options.json === true,
      options.verbose === true,
    );
  }
}

async function finish(error: unknown, json: boolean, verbose: boolean): Promise<void> {
  if (json) await writeOut(`${JSON.stringify(errorDocument(error), null, 2)}\n`).catch(() => undefined);
  process.stderr.write(renderError(error, verbose));
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
 * A reader that has seen enough is no failure (EPIPE); a full disk is.
 */
function writeOut(text: string): Promise<void> {
  return new Promise((done, reject) => {
    process.stdout.write(text, (error) => {
      if (!error || (error as NodeJS.ErrnoException).code === 'EPIPE') done();
      else reject(error);
    });
  });
}

/** SIGINT, SIGTERM and SIGHUP abort the run; a second one, or a stage that does not stop in time, ends the process. */
function listenForInterruption(): { signal: AbortSignal; expired: Promise<never> } {
  const controller = new AbortController();
  const expired = new Promise<never>((_, reject) => {
    const interrupt = () => {
      if (controller.signal.aborted) leave(130);
      controller.abort();
      setTimeout(() => reject(new InterruptedError()), INTERRUPT_GRACE_MS);
    };
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, interrupt);
  });
  expired.catch(() => undefined);
  return { signal: controller.signal, expired };
}

/** This program, or the one-file bundle of the same sources that lies beside program.cjs; see build/setup/bundle.mjs. */
function oneFileProgram(): string {
  const own = fileURLToPath(import.meta.url);
  return basename(own) === 'program.cjs' ? join(dirname(own), 'one-file.mjs') : own;
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

function usageErrorOf(error: CommanderError): UsageError {
  const message = error.message.replace(/^error: /, '');
  const hint = 'Run with --help to see the commands, their options and an example of each.';
  if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed') {
    return new UsageError('USAGE', 'no command was given', { hint });
  }
  return new UsageError('USAGE', message, { hint });
}
