import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommanderError } from 'commander';
import { InterruptedError } from '../src/base/errors.ts';
import { removeOwnUnfinished } from '../src/base/files.ts';
import { useProxies } from '../src/base/network/proxy.ts';
import { commandAgain, commandAnew } from './again.ts';
import { type CommandContext, type CommandResult, type CommonOptions, contextOf, type Execute } from './command.ts';
import { commandLine, usageErrorOf } from './command-line.ts';
import { errorDocument, exitCodeOf, type GoingOn, renderError } from './exit-code.ts';
import { listenForInterruption } from './interruption.ts';
import { foldText } from './report/fold.ts';
import { maskCommands } from './report/github.ts';
import { isLively, projectFolder } from './surroundings.ts';
import { keepThreadPoolAwake } from './thread-pool.ts';

void main(process.argv.slice(2));

async function main(argv: string[]): Promise<void> {
  process.stderr.write(maskCommands(process.env));
  useProxies(process.env);
  keepThreadPoolAwake();
  // Whoever reads a stream may close it, as `head` does. What that means is decided where it is written to.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let json = argv.includes('--json');
  const verbose = argv.includes('--verbose');
  const run: Execute = async (command, options) => {
    json = options.json === true;
    await execute(command, options, argv);
  };
  const program = await commandLine(argv, findRoot(), run, (text) => {
    process.stdout.write(foldText(text, process.stdout.columns));
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    await finish(error instanceof CommanderError ? usageErrorOf(error, program, argv) : error, json, verbose);
  }
}

async function execute(
  command: (context: CommandContext) => Promise<CommandResult>,
  options: CommonOptions,
  argv: readonly string[],
): Promise<void> {
  const interruption = listenForInterruption(process, leave);
  const context = contextOf(options, {
    root: findRoot(),
    program: fileURLToPath(import.meta.url),
    signal: interruption.signal,
    argv,
    env: process.env,
    stream: process.stderr,
    color: isLively(process.env),
  });
  const { json, verbose, progress } = context;
  try {
    const result = await Promise.race([command(context), interruption.expired]);
    progress.close();
    if (json) await writeOut(`${JSON.stringify(result.document, null, 2)}\n`);
    else await writeOut(foldText(result.text, process.stdout.columns));
    leave(result.exitCode ?? 0);
  } catch (error) {
    progress.close();
    const reported = interruption.signal.aborted ? new InterruptedError() : error;
    await finish(reported, json, verbose, goingOn(context));
  }
}

function goingOn(context: CommandContext): GoingOn {
  const typed = { ...context, cwd: process.cwd() };
  return { again: commandAgain(typed), anew: commandAnew(typed) };
}

async function finish(error: unknown, json: boolean, verbose: boolean, ways?: GoingOn): Promise<void> {
  if (json) await writeOut(`${JSON.stringify(errorDocument(error, ways), null, 2)}\n`).catch(() => undefined);
  process.stderr.write(foldText(renderError(error, verbose, ways), process.stderr.columns));
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

/** The project that this program's file is in, or else the one around the working folder. */
function findRoot(): string {
  return projectFolder([dirname(fileURLToPath(import.meta.url)), process.cwd()]);
}
