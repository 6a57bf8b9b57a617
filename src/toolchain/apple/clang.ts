import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sliceArguments, sourceArguments } from '../bundle-arguments.ts';
import {
  ARCHITECTURES,
  type Architecture,
  type BundleSource,
  type Compiler,
  type MachOSlice,
  type WorkOptions,
} from '../toolchain.ts';
import { runLipo } from './lipo.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** Compiling all sources of a slice at once, on a slow machine. */
const COMPILE_TIMEOUT_MS = 300_000;

/**
 * Returns the compiler of a Mac: Apple's clang and linker against the SDK of the selected Xcode, with the flags that the portable
 * compiler takes too.
 *
 * The linker is called directly: through clang it would get the SDK's own version, and a bundle's SDK version decides how macOS
 * treats it.
 */
export function appleCompiler(): Compiler {
  return {
    async compile(source, options) {
      const work = await mkdtemp(join(tmpdir(), 'bundle-'));
      try {
        const sdk = await sdkPath(options);
        return await Promise.all(
          ARCHITECTURES.map((architecture) => buildSlice(source, architecture, { work, sdk, options })),
        );
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
    join: (slices, options) => runLipo(slices, options),
    async versions() {
      const clang = await runAppleTool('clang', ['--version']);
      const sdk = await runAppleTool('xcrun', ['--sdk', 'macosx', '--show-sdk-version']);
      return { clang: parseClangVersion(clang.stdout), 'macOS SDK': sdk.stdout.trim() };
    },
  };
}

/**
 * Returns the version in the first line of `clang --version`.
 *
 * @example parseClangVersion('Apple clang version 17.0.0 (clang-1700.0.13.5)') // '17.0.0'
 */
export function parseClangVersion(stdout: string): string {
  return /\bclang version (\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? 'unknown';
}

interface SliceWork {
  readonly work: string;
  readonly sdk: string;
  readonly options: WorkOptions;
}

async function sdkPath(options: WorkOptions): Promise<string> {
  return (await runAppleTool('xcrun', ['--sdk', 'macosx', '--show-sdk-path'], options)).stdout.trim();
}

async function buildSlice(
  source: BundleSource,
  architecture: Architecture,
  { work, sdk, options }: SliceWork,
): Promise<MachOSlice> {
  const folder = join(work, architecture);
  await mkdir(folder);
  const run = { ...options, timeoutMs: COMPILE_TIMEOUT_MS };
  await runAppleTool('clang', compileArguments(source, architecture, sdk), { ...run, cwd: folder });
  const output = join(folder, source.executable);
  await runAppleTool('ld', linkArguments(source, architecture, sdk, output), { ...run, cwd: folder });
  return { architecture, data: await readFile(output) };
}

function compileArguments(source: BundleSource, architecture: Architecture, sdk: string): string[] {
  const minimum = `-mmacosx-version-min=${source.minimumMacOS[architecture]}`;
  return ['-arch', architecture, minimum, '-isysroot', sdk, ...sourceArguments(source)];
}

function linkArguments(source: BundleSource, architecture: Architecture, sdk: string, output: string): string[] {
  const frameworks = source.frameworks.flatMap((framework) => ['-framework', framework]);
  return [...sliceArguments(source, architecture), '-syslibroot', sdk, '-o', output, '-lSystem', ...frameworks];
}
