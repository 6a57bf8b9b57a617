import { CommanderError } from 'commander';
import type { CommandContext, CommandResult, CommonOptions } from '../../build/command.ts';
import { commandLine, usageErrorOf } from '../../build/command-line.ts';
import { errorDocument, exitCodeOf, renderError } from '../../build/exit-code.ts';
import { createProgress } from '../../build/report/progress.ts';
import type { CliRun } from './cli.ts';
import { quickCompiler } from './quick-compiler.ts';

/**
 * Runs the command line in this process: the same words, the same options and the same text as `cli`, in a tenth of the time.
 *
 * For tests of what a command does and says. What only a process has is left to `cli`: streams that close, signals, what is
 * loaded, where the program's own file lies. Working folder and environment are changed for as long as it takes, so nothing else
 * may run beside it, and the test needs a process of its own (no thread).
 *
 * @param options.cwd the working folder, which is taken for the project's
 */
export async function inProcess(
  argv: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<CliRun> {
  const before = { env: process.env, cwd: process.cwd() };
  process.env = { ...process.env, PATH: quickCompiler(), NO_COLOR: '1', ...options.env };
  if (options.cwd) process.chdir(options.cwd);
  try {
    return await run(argv);
  } finally {
    process.env = before.env;
    process.chdir(before.cwd);
  }
}

async function run(argv: readonly string[]): Promise<CliRun> {
  const root = process.cwd();
  const run = { status: 0, stdout: '', stderr: '' };
  const stream = { write: (text: string) => void (run.stderr += text) };
  const fail = (error: unknown, { json = false, verbose = false }: CommonOptions) => {
    if (json) run.stdout += `${JSON.stringify(errorDocument(error), null, 2)}\n`;
    run.stderr += renderError(error, verbose);
    run.status = exitCodeOf(error);
  };
  const execute = async (work: (context: CommandContext) => Promise<CommandResult>, options: CommonOptions) => {
    const { json = false, verbose = false } = options;
    const progress = createProgress({ stream, verbose, color: false });
    const { signal } = new AbortController();
    const program = `${root}/.build/cli.mjs`;
    try {
      const result = await work({ root, program, progress, signal, argv, json, verbose, env: process.env });
      run.stdout += json ? `${JSON.stringify(result.document, null, 2)}\n` : result.text;
      run.status = result.exitCode ?? 0;
    } catch (error) {
      fail(error, options);
    } finally {
      progress.close();
    }
  };
  const program = await commandLine(argv, root, execute, (text) => {
    run.stdout += text;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    fail(usageErrorOf(error, program, argv), { json: argv.includes('--json') });
  }
  return run;
}
