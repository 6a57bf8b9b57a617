import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findOnPath } from '../support/needs.ts';
import { type CompiledProgram, PROGRAMS } from '../support/programs.ts';

/** Whether what is missing is fetched and compiled, which takes from seconds to an hour. */
const INSTALL = process.argv.includes('--install');

/** What a peer needs that this machine lacks, in words. */
export interface Missing {
  readonly needs: string;
}

/** Returns the path of a file of an npm package, which is installed when it is not there yet; none of its scripts runs. */
export function npmFile(name: string, version: string, file: string): string | Missing {
  const root = join(PROGRAMS, `${name.replaceAll(/[@/]/g, '_')}-${version}`);
  const path = join(root, 'node_modules', name, file);
  mkdirSync(root, { recursive: true });
  const argv = ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', root];
  return existsSync(path) || run('npm', [...argv, `${name}@${version}`]) ? path : { needs: `${name} (--install)` };
}

/** Returns the path of a program that is compiled from the Rust sources in `folder` when it is not there yet. */
export function cargoProgram(folder: string, name: string): string | Missing {
  const root = join(PROGRAMS, name);
  const path = join(root, 'target/release', name);
  if (existsSync(path)) return path;
  if (!findOnPath('cargo')) return { needs: 'cargo' };
  cpSync(folder, root, { recursive: true });
  const isBuilt = run('cargo', ['build', '--quiet', '--release', '--manifest-path', join(root, 'Cargo.toml')]);
  return isBuilt ? path : { needs: `${name} (--install)` };
}

/** Returns the path of a program that `npm run test:interop` uses too; to compile one takes up to an hour. */
export function compiledProgram({ path, compiler, argv, env }: CompiledProgram): string | Missing {
  if (existsSync(path)) return path;
  if (!findOnPath(compiler)) return { needs: compiler };
  return run(compiler, argv, env) ? path : { needs: `${basename(path)} (--install)` };
}

/** Returns the path of a program of the system. */
export function systemProgram(name: string): string | Missing {
  return findOnPath(name) ?? { needs: name };
}

function run(program: string, argv: readonly string[], environment: Readonly<Record<string, string>> = {}): boolean {
  if (!INSTALL) return false;
  process.stderr.write(`${[program, ...argv].join(' ')}\n`);
  const env = { ...process.env, ...environment };
  return spawnSync(program, argv, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
}
