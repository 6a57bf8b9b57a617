import { homedir } from 'node:os';
import { join } from 'node:path';

/** Programs of others are kept here between runs, outside of any checkout: one of them takes an hour to compile. */
export const PROGRAMS = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'escrow-buddy-programs');

/** A program of others: where it is once it is there, and the command that fetches and compiles it. */
export interface CompiledProgram {
  readonly path: string;
  readonly compiler: 'cargo' | 'go';
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Returns a program of a published Rust crate. */
export function crateProgram(crate: string, version: string, program: string): CompiledProgram {
  const root = join(PROGRAMS, `${crate}-${version}`);
  const argv = ['install', '--quiet', '--locked', '--root', root, `${crate}@${version}`];
  return { path: join(root, 'bin', program), compiler: 'cargo', argv, env: {} };
}

/** Returns a program of a Go module. */
export function goProgram(module: string, version: string, program: string): CompiledProgram {
  const bin = join(PROGRAMS, `${program}-${version}`, 'bin');
  const env = { GOBIN: bin, GOFLAGS: '-buildvcs=false' };
  return { path: join(bin, program), compiler: 'go', argv: ['install', `${module}@${version}`], env };
}
