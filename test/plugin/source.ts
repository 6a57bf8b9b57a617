import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLlvmProgram } from '../../src/toolchain/portable/llvm.ts';
import { firstOnPath } from '../support/needs.ts';
import { quickCompiler } from '../support/quick-compiler.ts';

export const PLUGIN_FOLDER = fileURLToPath(new URL('../../payload/plugin/', import.meta.url));

interface PluginBuild {
  readonly sources: readonly string[];
  readonly compilerFlags: readonly string[];
  readonly linkerFlags: readonly string[];
  readonly frameworks: readonly string[];
  readonly exportedSymbols: readonly string[];
  readonly stubHeaders: string;
  readonly stubLibraries: readonly string[];
}

/** How the plug-in is compiled and linked, as both toolchains read it. */
export const BUILD: PluginBuild = readJson('build.json');

const { macOS }: { macOS: Readonly<Record<'sdk' | 'x86_64' | 'arm64', string>> } =
  readJson('../../release.config.json');
/** SDK that the Mach-O says it was linked against. */
export const SDK_VERSION = macOS.sdk;
/** The slices, as release.config.json has them. */
export const ARCHITECTURES = (['x86_64', 'arm64'] as const).map((name) => ({
  name,
  target: `${name}-apple-macos${macOS[name]}`,
  minimumMacOS: macOS[name],
}));

/** One outcome of a login, as an administrator needs it. */
export interface OutcomeRow {
  readonly name: string;
  readonly ends: 'before-attempt' | 'attempt';
  readonly request: 'none' | 'kept' | 'cleared';
  readonly countsAsFailure: boolean; // towards the back-off
  readonly needsAttention: boolean;
  readonly meaning: string;
  readonly admin: string; // what to do
}

/** What an exit status of fdesetup becomes; null: it goes on to the attempt. */
export interface StatusRow {
  readonly status: string;
  readonly outcome: string | null;
  readonly meaning: string;
}

/** One line of the unified log, as os_log's format writes it. */
export interface LineRow {
  readonly category: string;
  readonly level: 'default' | 'error';
  readonly text: string;
  readonly since: string; // the version that first wrote it
  readonly when: string;
}

/** The one table of outcomes, exit statuses and log lines; docs/outcomes.md is written from it. */
export const OUTCOMES: {
  readonly outcomes: readonly OutcomeRow[];
  readonly fdesetup: Readonly<Record<'isactive' | 'changerecovery', readonly StatusRow[]>>;
  readonly lines: readonly LineRow[];
} = readJson('outcomes.json');

/** Returns a JSON file of the plug-in's folder. */
export function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(PLUGIN_FOLDER, name), 'utf8')) as T;
}

/** Returns the plug-in's own C files, `.c` and `.h`, with their text; the stubs for Apple's headers are not among them. */
export function sourceFiles(): { name: string; text: string }[] {
  return readdirSync(PLUGIN_FOLDER)
    .filter((name) => /\.[ch]$/.test(name))
    .map((name) => ({ name, text: readFileSync(join(PLUGIN_FOLDER, name), 'utf8') }));
}

/** Returns C source without comments; strings are left alone. */
export function withoutComments(text: string): string {
  return text.replace(
    /("(?:[^"\\]|\\.)*")|\/\*[\s\S]*?\*\/|\/\/.*/g,
    (_, literal: string | undefined) => literal ?? ' ',
  );
}

/** The first LLVM tool of that name on PATH, also with a version behind it; undefined when there is none. */
export function llvmTool(name: string): string | undefined {
  return firstOnPath(name, ...Array.from({ length: 12 }, (_, index) => `${name}-${14 + index}`));
}

/** Every version of LLVM's linker on this machine; their bind tables differ. */
export function linkers(): string[] {
  const versions = Array.from({ length: 20 }, (_, index) => `ld64.lld-${14 + index}`);
  return ['ld64.lld', ...versions].filter((name) => firstOnPath(name) !== undefined);
}

/**
 * Returns the path of one linked slice in a folder that `remove` deletes.
 *
 * @param kept folder of objects made before, each under a digest of its source and of all headers: those are not compiled again
 */
export function linkSlice(
  architecture: (typeof ARCHITECTURES)[number],
  linker = findLlvmProgram('ld64.lld'),
  kept?: string,
): { path: string; remove: () => void } {
  const work = mkdtempSync(join(tmpdir(), 'plugin-'));
  const stubs = ['-nostdinc', '-isystem', join(PLUGIN_FOLDER, BUILD.stubHeaders)];
  // In the order of a release, whose objects are then taken.
  const flags = [`--target=${architecture.target}`, ...stubs, ...BUILD.compilerFlags];
  const PATH = kept === undefined ? quickCompiler() : process.env.PATH;
  const quick = { cwd: work, stdio: 'pipe', env: { ...process.env, PATH } } as const;
  const clang = findLlvmProgram('clang', PATH);
  const compile = (...argv: string[]) =>
    execFileSync(clang, [...flags, `-ffile-prefix-map=${join(PLUGIN_FOLDER, '.')}=.`, '-c', ...argv], quick);
  const objects = kept === undefined ? allObjects(compile, work) : keptObjects(compile, kept, flags);
  const path = join(work, 'Escrow Buddy');
  const platform = ['-platform_version', 'macos', architecture.minimumMacOS, SDK_VERSION];
  const exports = BUILD.exportedSymbols.flatMap((symbol) => ['-exported_symbol', symbol]);
  const link = ['-arch', architecture.name, ...platform, '-bundle', ...exports, ...BUILD.linkerFlags];
  const libraries = BUILD.stubLibraries.map((library) => join(PLUGIN_FOLDER, library));
  execFileSync(linker, [...link, '-o', path, ...objects, ...libraries], quick);
  return { path, remove: () => rmSync(work, { recursive: true, force: true }) };
}

type Compile = (...argv: string[]) => unknown;

/** One call for all sources takes half the time; the objects land in the working directory. */
function allObjects(compile: Compile, work: string): string[] {
  compile(...BUILD.sources.map((source) => join(PLUGIN_FOLDER, source)));
  return BUILD.sources.map((source) => join(work, source.replace(/\.c$/, '.o')));
}

function keptObjects(compile: Compile, kept: string, flags: readonly string[]): string[] {
  const files = sourceFiles();
  const headers = files.filter(({ name }) => name.endsWith('.h')).map(({ text }) => text);
  return BUILD.sources.map((source) => {
    const text = files.find(({ name }) => name === source)?.text;
    const madeOf = JSON.stringify([text, source, flags, headers]);
    const object = join(kept, `${createHash('sha256').update(madeOf).digest('hex')}.o`);
    if (!existsSync(object)) compile(join(PLUGIN_FOLDER, source), '-o', object);
    return object;
  });
}

/** Returns the path of a native program, compiled with sanitizers, in a folder that `remove` deletes. */
export function compileNative(sources: readonly string[], flags: readonly string[] = []) {
  const work = mkdtempSync(join(tmpdir(), 'plugin-native-'));
  const path = join(work, 'program');
  // Not optimized: what a sanitizer sees, it sees then too, and the compiler takes half the time.
  const sanitizers = ['-g1', '-O0', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];
  const warnings = ['-std=c11', '-Wall', '-Wextra', '-Werror'];
  run('clang', [...warnings, ...sanitizers, ...flags, '-I', PLUGIN_FOLDER, ...sources, '-o', path, '-lm']);
  return { path, remove: () => rmSync(work, { recursive: true, force: true }) };
}

/** Whether clang can link a program with AddressSanitizer here; else the words to end a skipped test's name with. */
export const sanitizers: { missing: boolean; note: string } = (() => {
  const work = mkdtempSync(join(tmpdir(), 'sanitizers-'));
  try {
    writeFileSync(join(work, 'empty.c'), 'int main(void) { return 0; }\n');
    run('clang', ['-fsanitize=address,undefined', join(work, 'empty.c'), '-o', join(work, 'empty')]);
    return { missing: false, note: '' };
  } catch {
    return { missing: true, note: ' (skipped: needs clang with a sanitizer runtime)' };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
})();

/** Runs an LLVM program, in the plug-in's folder by default otherwise; throws with its words when it fails. */
export function run(program: string, argv: readonly string[], cwd = PLUGIN_FOLDER): { stdout: string } {
  const name = findLlvmProgram(program);
  return { stdout: execFileSync(name, argv, { cwd, encoding: 'utf8', stdio: 'pipe' }) };
}
