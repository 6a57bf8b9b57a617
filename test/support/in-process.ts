import { CommanderError } from 'commander';
import { commandAgain, commandAnew } from '../../build/again.ts';
import { type CommandContext, type CommandResult, type CommonOptions, contextOf } from '../../build/command.ts';
import { commandLine, usageErrorOf } from '../../build/command-line.ts';
import { errorDocument, exitCodeOf, type GoingOn, renderError } from '../../build/exit-code.ts';
import { foldText } from '../../build/report/fold.ts';
import type { CliRun } from './cli.ts';
import { quickCompiler } from './quick-compiler.ts';

/**
 * Runs the command line in this process: the same words, the same options and the same text as `cli`, in a tenth of the time.
 *
 * For tests of what a command does and says. What only a process has is left to `cli`: streams that close, signals, what is
 * loaded, where the program's own file lies. Working folder and environment are changed for as long as it takes, so nothing else
 * may run beside it, and the test needs a process of its own (no thread).
 *
 * @param options.env variables beside those of the tests; with `only` there are no others
 * @param options.cwd the working folder
 * @param options.root the project's folder; the working folder without it
 * @param options.program the command line's file; without it where the project's folder has it
 * @param options.columns of a terminal that both streams are; without it they are files
 */
export async function inProcess(argv: readonly string[], options: Options = {}): Promise<CliRun> {
  const { isTTY, columns } = process.stdout;
  const before = { env: process.env, cwd: process.cwd(), terminal: { isTTY, columns } };
  const { only = false, root = options.cwd ?? process.cwd(), program = `${root}/.build/cli.mjs` } = options;
  process.env = { ...(!only && { ...process.env, PATH: quickCompiler(), NO_COLOR: '1' }), ...options.env };
  if (options.cwd) process.chdir(options.cwd);
  // Where Commander looks how wide its help may be.
  Object.assign(process.stdout, { isTTY: options.columns !== undefined, columns: options.columns });
  try {
    return await run(argv, root, program, options.columns);
  } finally {
    process.env = before.env;
    process.chdir(before.cwd);
    Object.assign(process.stdout, before.terminal);
  }
}

interface Options {
  readonly env?: NodeJS.ProcessEnv;
  readonly only?: boolean;
  readonly cwd?: string;
  readonly root?: string;
  readonly program?: string;
  readonly columns?: number;
}

async function run(
  argv: readonly string[],
  root: string,
  program: string,
  columns: number | undefined,
): Promise<CliRun> {
  const run = { status: 0, stdout: '', stderr: '' };
  const stream = { isTTY: columns !== undefined, columns, write: (text: string) => void (run.stderr += text) };
  const print = (text: string) => void (run.stdout += foldText(text, columns));
  const fail = (error: unknown, { json = false, verbose = false }: CommonOptions, ways?: GoingOn) => {
    if (json) run.stdout += `${JSON.stringify(errorDocument(error, ways), null, 2)}\n`;
    run.stderr += foldText(renderError(error, verbose, ways), columns);
    run.status = exitCodeOf(error);
  };
  const execute = async (work: (context: CommandContext) => Promise<CommandResult>, options: CommonOptions) => {
    const { signal } = new AbortController();
    const context = contextOf(options, { root, program, signal, argv, env: process.env, stream, color: false });
    try {
      const result = await work(context);
      if (context.json) run.stdout += `${JSON.stringify(result.document, null, 2)}\n`;
      else print(result.text);
      run.status = result.exitCode ?? 0;
    } catch (error) {
      const typed = { argv, root, program, cwd: process.cwd() };
      fail(error, options, { again: commandAgain(typed), anew: commandAnew(typed) });
    } finally {
      context.progress.close();
    }
  };
  const commands = await commandLine(argv, root, execute, print);
  try {
    await commands.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // --help and --version end so.
    if (error.exitCode !== 0)
      fail(usageErrorOf(error, commands, argv), { json: argv.includes('--json'), verbose: argv.includes('--verbose') });
  }
  return run;
}
