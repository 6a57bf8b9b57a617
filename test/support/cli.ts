import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { quickCompiler } from './quick-compiler.ts';

/** What a run of the command line left behind. */
export interface CliRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the bundled command line, as `npm run -s cli --` does, and waits for its end.
 *
 * What the compiler made before of the same bytes it gives again, unless `env` names another PATH.
 */
export function cli(
  argv: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; program?: string; timeout?: number } = {},
): CliRun {
  const program = options.program ?? `${process.cwd()}/.build/cli.mjs`;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...argv], {
    encoding: 'utf8',
    env: { ...process.env, PATH: quickCompiler(), NO_COLOR: '1', ...options.env },
    cwd: options.cwd ?? process.cwd(),
    killSignal: 'SIGKILL',
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
  });
  return { status, stdout, stderr };
}

/** Puts this tree's command line into a copy of the project. */
export function placeCommandLine(root: string): void {
  mkdirSync(join(root, '.build'), { recursive: true });
  cpSync('.build/cli.mjs', join(root, '.build/cli.mjs'));
}
