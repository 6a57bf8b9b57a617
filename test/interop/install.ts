import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CompiledProgram, crateProgram, goProgram } from '../support/programs.ts';

/** What others made and is not compiled, and what we compile with it: ignored by git, kept between runs. */
const FOLDER = fileURLToPath(new URL('../../.build/interop/', import.meta.url));

/** Returns the path of a program of a Rust crate, which is compiled when it is not there yet; takes many minutes. */
export function installCrate(crate: string, version: string, program: string): string {
  return compiled(crateProgram(crate, version, program));
}

/** Returns the path of a program of a Go module, which is compiled when it is not there yet. */
export function installGo(module: string, version: string, program: string): string {
  return compiled(goProgram(module, version, program));
}

/** Returns the path of a program of our own, one Go file that calls modules of others, compiled anew each time. */
export function buildGo(source: string, modules: Readonly<Record<string, string>>): string {
  const root = join(FOLDER, 'own', basename(dirname(source)));
  mkdirSync(root, { recursive: true });
  copyFileSync(source, join(root, 'main.go'));
  const required = Object.entries(modules).map(([name, version]) => `require ${name} ${version}`);
  writeFileSync(join(root, 'go.mod'), ['module own', 'go 1.24', ...required, ''].join('\n'));
  run('go', ['-C', root, 'mod', 'tidy']);
  run('go', ['-C', root, 'build', '-o', 'program', '.'], { GOFLAGS: '-buildvcs=false' });
  return join(root, 'program');
}

/** Returns the path of a Python that has one package, in an environment of its own. */
export function installPythonPackage(name: string, version: string): string {
  const root = join(FOLDER, `${name}-${version}`);
  const python = join(root, 'bin', 'python');
  if (!existsSync(join(root, 'installed'))) {
    run('python3', ['-m', 'venv', root]);
    run(python, ['-m', 'pip', 'install', '--quiet', `${name}==${version}`]);
    mkdirSync(join(root, 'installed'));
  }
  return python;
}

/** Returns the folder of a package of npm, unpacked as it is: nothing of it runs, whatever system it is for. */
export function installNpmPackage(name: string, version: string): string {
  const root = join(FOLDER, `${name.replaceAll(/[@/]/g, '_')}-${version}`);
  if (!existsSync(join(root, 'package'))) {
    mkdirSync(root, { recursive: true });
    run('npm', ['pack', '--silent', '--pack-destination', root, `${name}@${version}`]);
    const [archive = ''] = readdirSync(root);
    mkdirSync(join(root, 'package'));
    run('tar', ['-xzf', join(root, archive), '-C', join(root, 'package'), '--strip-components=1']);
  }
  return join(root, 'package');
}

/** Returns the folder of a package of Python that carries more than Python. */
export function pythonPackageFolder(name: string, version: string): string {
  const python = installPythonPackage(name, version);
  const { stdout } = spawnSync(python, ['-c', `import ${name}; print(${name}.__path__[0])`], { encoding: 'utf8' });
  return stdout.trim();
}

/** Returns a folder with the sources of Rust crates, each in a folder of its name; nothing is compiled. */
export function crateSources(crates: Readonly<Record<string, string>>): string {
  const list = Object.entries(crates);
  const root = join(FOLDER, `sources-${list.map(([name, version]) => `${name}-${version}`).join('-')}`);
  if (existsSync(join(root, 'vendor'))) return join(root, 'vendor');
  mkdirSync(join(root, 'src'), { recursive: true });
  writeFileSync(join(root, 'src/lib.rs'), '');
  const manifest = ['[package]', 'name = "sources"', 'version = "0.0.0"', '[workspace]', '[dependencies]'];
  writeFileSync(
    join(root, 'Cargo.toml'),
    [...manifest, ...list.map(([name, version]) => `${name} = "=${version}"`)].join('\n'),
  );
  run('cargo', ['vendor', '--quiet', '--manifest-path', join(root, 'Cargo.toml'), join(root, 'vendor')]);
  return join(root, 'vendor');
}

function compiled({ path, compiler, argv, env }: CompiledProgram): string {
  if (!existsSync(path)) run(compiler, argv, env);
  return path;
}

function run(program: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): void {
  mkdirSync(FOLDER, { recursive: true });
  const result = spawnSync(program, argv, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...env } });
  if (result.status !== 0) throw new Error(`${program} ${argv.join(' ')} ended with ${result.status}`);
}
