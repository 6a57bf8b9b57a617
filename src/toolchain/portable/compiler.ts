import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { runTool } from '../../base/run-tool.ts';
import { buildFat } from '../../code-signature/fat.ts';
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
    async versions() {
      const names = { clang: findLlvmProgram('clang'), 'ld64.lld': findLlvmProgram('ld64.lld') };
      const [clang, linker] = await Promise.all([llvmVersion(names.clang), llvmVersion(names['ld64.lld'])]);
      return { clang, 'ld64.lld': linker };
    },
  };
}

async function buildSlice(
  source: BundleSource,
  architecture: Architecture,
  work: string,
  options: WorkOptions,
): Promise<MachOSlice> {
  const objects = source.sources.map((file) => join(work, `${basename(file, '.c')}.${architecture}.o`));
  const compile = async (index: number) =>
    runTool(
      findLlvmProgram('clang'),
      compileArguments(source, architecture, source.sources[index] as string, objects[index] as string),
      {
        cwd: source.folder,
        signal: options.signal,
        hint: "Mend the source; the words above are the compiler's.",
      },
    );
  // One compiler at a time for each slice: two slices are built at once, which fills two cores.
  for (let index = 0; index < objects.length; index++) await compile(index);
  const output = join(work, architecture, source.executable);
  await mkdir(join(work, architecture));
  await runTool(findLlvmProgram('ld64.lld'), linkArguments(source, architecture, objects, output), {
    cwd: source.folder,
    signal: options.signal,
    hint: 'A missing symbol belongs in payload/plugin/sdk/lib, if every macOS from the minimum on has it.',
  });
  return { architecture, data: await readFile(output) };
}

function compileArguments(source: BundleSource, architecture: Architecture, file: string, object: string): string[] {
  return [
    `--target=${TARGETS[architecture]}${source.minimumMacOS[architecture]}`,
    ...source.compilerFlags,
    '-nostdinc',
    '-isystem',
    source.stubHeaders,
    // Paths of the machine must not reach the bytes: the same sources give the same object anywhere.
    `-ffile-prefix-map=${source.folder}=.`,
    '-c',
    file,
    '-o',
    object,
  ];
}

function linkArguments(
  source: BundleSource,
  architecture: Architecture,
  objects: readonly string[],
  output: string,
): string[] {
  return [
    '-arch',
    architecture,
    '-platform_version',
    'macos',
    source.minimumMacOS[architecture],
    source.sdkVersion,
    '-bundle',
    ...source.exportedSymbols.flatMap((symbol) => ['-exported_symbol', symbol]),
    ...source.linkerFlags,
    // arm64 would get the linker's own signature; ours is made once the bundle is complete.
    '-no_adhoc_codesign',
    '-o',
    output,
    ...objects,
    ...source.stubLibraries,
  ];
}
