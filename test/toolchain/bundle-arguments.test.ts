import { describe, expect, it } from 'vitest';
import { sliceArguments, sourceArguments } from '../../src/toolchain/bundle-arguments.ts';

const source = {
  folder: '/project/plugin',
  sources: ['a.c', 'parts/b.c'],
  compilerFlags: ['-Os', '-Wall'],
  linkerFlags: ['-dead_strip'],
  stubHeaders: 'stubs',
  stubLibraries: ['a.tbd'],
  frameworks: ['Security'],
  exportedSymbols: ['_One', '_Two'],
  executable: 'Example',
  sdkVersion: '14.4',
  minimumMacOS: { x86_64: '10.14', arm64: '11.0' },
};

describe('the arguments of every clang', () => {
  it('are the flags, no path of this machine, and each source below its folder', () => {
    expect(sourceArguments(source)).toEqual([
      ...['-Os', '-Wall', '-ffile-prefix-map=/project/plugin=.'],
      ...['-c', '/project/plugin/a.c', '/project/plugin/parts/b.c'],
    ]);
  });
});

describe('the arguments of every linker', () => {
  it.each([
    ['x86_64', '10.14'],
    ['arm64', '11.0'],
  ] as const)('name %s from macOS %s on, the exported symbols, and an object each source', (architecture, minimum) => {
    expect(sliceArguments(source, architecture)).toEqual([
      ...['-arch', architecture, '-platform_version', 'macos', minimum, '14.4', '-bundle'],
      ...['-exported_symbol', '_One', '-exported_symbol', '_Two', '-dead_strip', '-no_adhoc_codesign', 'a.o', 'b.o'],
    ]);
  });
});
