import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLlvmProgram } from '../../../src/toolchain/portable/llvm.ts';
import { ARCHITECTURES, BUILD, PLUGIN_FOLDER, run, SDK_VERSION } from '../../plugin/source.ts';
import { keptBuild } from '../../support/kept-build.ts';
import { findOnPath } from '../../support/needs.ts';
import type { Slice } from './host.ts';

const folder = fileURLToPath(new URL('probes/', import.meta.url));

/** Returns a folder with a plugin `probe-NAME` for each of `names`, the rule of probes/probe.c that it breaks. */
export function linkProbes(slice: Slice, names: readonly string[]): Promise<string> {
  const programs = ['clang', 'ld64.lld'].map((name) => findOnPath(findLlvmProgram(name)) as string);
  const files = [folder, join(PLUGIN_FOLDER, 'sdk'), fileURLToPath(import.meta.url)];
  // Each day tries other rules.
  const madeOf = { files, programs, variables: ['CPATH', 'C_INCLUDE_PATH'], words: names };
  return keptBuild(`probes-${slice}`, madeOf, async (out) => {
    for (const name of names) linkProbe(out, slice, name);
  });
}

function linkProbe(out: string, slice: Slice, name: string): void {
  const architecture = ARCHITECTURES.find((one) => one.name === slice)!;
  const object = join(out, `${name}.o`);
  const path = join(out, `probe-${name}`);
  const stubs = ['-nostdinc', '-isystem', join(PLUGIN_FOLDER, BUILD.stubHeaders)];
  const flags = [
    `--target=${architecture.target}`,
    '-std=c11',
    '-Os',
    '-fno-builtin',
    '-fvisibility=hidden',
    `-DPROBE_${name}`,
  ];
  run('clang', [...flags, ...stubs, '-c', `${folder}probe.c`, '-o', object]);
  const platform = ['-platform_version', 'macos', architecture.minimumMacOS, SDK_VERSION];
  const libraries = [...BUILD.stubLibraries, `${folder}more.tbd`];
  run('ld64.lld', [
    '-arch',
    slice,
    ...platform,
    '-bundle',
    '-dead_strip',
    '-adhoc_codesign',
    '-o',
    path,
    object,
    ...libraries,
  ]);
}
