import { basename, join } from 'node:path';
import type { Architecture, BundleSource } from './toolchain.ts';

/** Returns the arguments of every clang for a bundle's sources: one object each, in the working folder, under the source's name. */
export function sourceArguments(source: BundleSource): string[] {
  return [
    ...source.compilerFlags,
    // Paths of the machine must not reach the bytes: the same sources give the same objects anywhere.
    `-ffile-prefix-map=${source.folder}=.`,
    '-c',
    ...source.sources.map((file) => join(source.folder, file)),
  ];
}

/** Returns the arguments of every linker for one slice of a bundle, its objects included; libraries and output come behind. */
export function sliceArguments(source: BundleSource, architecture: Architecture): string[] {
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
    ...source.sources.map((file) => `${basename(file, '.c')}.o`),
  ];
}
