import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { InterruptedError, NetworkError, ToolError } from './errors.ts';

/** What a tool may be given beside its arguments. */
export interface ToolOptions {
  /** Working folder. */
  readonly cwd?: string;
  /** The whole environment beside PATH and HOME; nothing else of ours is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes for its standard input, which is empty otherwise. */
  readonly input?: Buffer | string;
  /** Milliseconds after which the tool is ended; 60 seconds by default. */
  readonly timeoutMs?: number;
  /** Ends the tool when it fires. */
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are not failures, beside 0. */
  readonly allowedExitCodes?: readonly number[];
  /** What to do when the tool fails. */
  readonly hint?: string;
}

/** What a tool left behind. */
export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program to its end and returns its exit code and output; the only place where this project starts one.
 *
 * The program gets no shell, no inherited environment but PATH and HOME (with LC_ALL=C, TZ=UTC, so that its words and times
 * are the same everywhere), no terminal, and a time limit.
 *
 * @throws ToolError `TOOL_MISSING`, `TOOL_FAILED`; NetworkError `TOOL_TIMEOUT`; InterruptedError when the signal fired
 * @example await runTool('clang', ['--version'])
 */
export async function runTool(
  program: string,
  argv: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  const result = await execa(program, argv, {
    reject: false,
    extendEnv: false,
    env: toolEnvironment(options.env),
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.timeoutMs ?? 60_000,
    forceKillAfterDelay: 2_000,
    stripFinalNewline: false,
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  if (result.isCanceled) throw new InterruptedError();
  if (result.timedOut) {
    throw new NetworkError('TOOL_TIMEOUT', `${program} did not end within ${(options.timeoutMs ?? 60_000) / 1000} s`, {
      ...(options.hint === undefined ? {} : { hint: options.hint }),
    });
  }
  if (result.code === 'ENOENT' || result.code === 'EACCES') {
    throw new ToolError('TOOL_MISSING', program, `cannot start ${program}: it is not there or may not be run`, {
      hint: options.hint ?? 'Run `npm run -s cli -- doctor`; it names what is missing and how to install it.',
    });
  }
  if (
    result.exitCode === undefined ||
    (result.exitCode !== 0 && !options.allowedExitCodes?.includes(result.exitCode))
  ) {
    const ended = result.exitCode === undefined ? `was ended by ${result.signal}` : `ended with ${result.exitCode}`;
    const output = `${result.stderr}${result.stderr.trim() === '' ? result.stdout : ''}`.trim();
    throw new ToolError('TOOL_FAILED', program, `${program} ${ended}${output === '' ? '' : `:\n${output}`}`, {
      ...(options.hint === undefined ? {} : { hint: options.hint }),
    });
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/**
 * Returns the path of the program that `runTool` would start under this name, or undefined.
 *
 * @example findOnPath('xcrun') // '/usr/bin/xcrun' on a Mac
 */
export function findOnPath(program: string): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(mayRun);
}

function mayRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function toolEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept: Record<string, string> = { LC_ALL: 'C', TZ: 'UTC' };
  for (const name of ['PATH', 'HOME', 'TMPDIR', 'DEVELOPER_DIR']) {
    const value = process.env[name];
    if (value !== undefined) kept[name] = value;
  }
  return { ...kept, ...extra };
}
