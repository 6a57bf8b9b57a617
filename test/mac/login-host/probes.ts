import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARCHITECTURES, BUILD, PLUGIN_FOLDER, run, SDK_VERSION } from '../../plugin/source.ts';
import type { Slice } from './host.ts';

const folder = fileURLToPath(new URL('probes/', import.meta.url));

/** Returns the path of a plugin in `out` that breaks the rule `name` of probes/probe.c. */
export function linkProbe(out: string, slice: Slice, name: string): string {
  const architecture = ARCHITECTURES.find((one) => one.name === slice)!;
  const object = join(out, `probe-${slice}-${name}.o`);
  const path = join(out, `probe-${slice}-${name}`);
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
  return path;
}
