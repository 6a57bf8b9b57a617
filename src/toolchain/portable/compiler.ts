import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runTool } from '../../base/run-tool.ts';
import { buildFat } from '../../macho/fat.ts';
import { sliceArguments, sourceArguments } from '../bundle-arguments.ts';
import {
  ARCHITECTURES,
  type Architecture,
  type BundleSource,
  type Compiler,
  type MachOSlice,
  type WorkOptions,
} from '../toolchain.ts';
import { findLlvmProgram, llvmVersion } from './llvm.ts';

/** The target triples of clang, to which the oldest macOS is added. */
const TARGETS: Readonly<Record<Architecture, string>> = { x86_64: 'x86_64-apple-macos', arm64: 'arm64-apple-macos' };

/** Returns the compiler of machines without Xcode: clang and LLVM's Mach-O linker, with stub headers and libraries. */
export function portableCompiler(): Compiler {
  let known: Promise<Readonly<Record<string, string>>> | undefined;
  return {
    async compile(source, options) {
      const work = await mkdtemp(join(tmpdir(), 'bundle-'));
      try {
        return await Promise.all(ARCHITECTURES.map((architecture) => buildSlice(source, architecture, work, options)));
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    async join(slices) {
      return buildFat(slices.map(({ data }) => data));
    },
    versions() {
      known ??= llvmVersions();
      return known;
    },
  };
}

async function llvmVersions(): Promise<Readonly<Record<string, string>>> {
  const [clang, linker] = await Promise.all(['clang', 'ld64.lld'].map((name) => llvmVersion(findLlvmProgram(name))));
  return { clang: clang as string, 'ld64.lld': linker as string };
}

async function buildSlice(
  source: BundleSource,
  architecture: Architecture,
  work: string,
  options: WorkOptions,
): Promise<MachOSlice> {
  // The linker derives LC_UUID from the output's file name, so that name is the bundle's own and the folder tells slices apart.
  const folder = join(work, architecture);
  await mkdir(folder);
  const run = (program: string, argv: string[], hint: string) =>
    runTool(findLlvmProgram(program), argv, { cwd: folder, signal: options.signal, hint });
  await run('clang', compileArguments(source, architecture), "Mend the source; the words above are the compiler's.");
  const missing = 'A missing symbol belongs in the stub libraries, if every macOS from the minimum on has it.';
  await run('ld64.lld', linkArguments(source, architecture), missing);
  return { architecture, data: await readFile(join(folder, source.executable)) };
}

function compileArguments(source: BundleSource, architecture: Architecture): string[] {
  const target = `--target=${TARGETS[architecture]}${source.minimumMacOS[architecture]}`;
  return [target, '-nostdinc', '-isystem', join(source.folder, source.stubHeaders), ...sourceArguments(source)];
}

function linkArguments(source: BundleSource, architecture: Architecture): string[] {
  const libraries = source.stubLibraries.map((library) => join(source.folder, library));
  // lld makes LC_UUID of one hash a thread: without a fixed number a machine with other cores makes another file. Source: lld
  // 14.0.6, MachO/Writer.cpp, writeUuid; seen with one core and with two.
  return ['--threads=1', ...sliceArguments(source, architecture), '-o', source.executable, ...libraries];
}
