import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findLlvmProgram } from '../../src/toolchain/portable/llvm.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { keptBuild } from '../support/kept-build.ts';
import { findOnPath, needs } from '../support/needs.ts';
import {
  ARCHITECTURES,
  BUILD,
  linkSlice,
  llvmTool,
  PLUGIN_FOLDER,
  run,
  sourceFiles,
  withoutComments,
} from './source.ts';

const clang = needs('clang');
const linker = llvmTool('ld64.lld');
const objdump = llvmTool('llvm-objdump');
const linking = {
  missing: clang.missing || !linker || !objdump,
  note: clang.missing || !linker || !objdump ? ' (skipped: needs clang, ld64.lld and llvm-objdump)' : '',
};

/** Lines that are neither blank nor comment. */
function codeLines(text: string): number {
  return withoutComments(text)
    .split('\n')
    .filter((line) => line.trim() !== '').length;
}

describe('build.json', () => {
  it('names every C file of the folder, in order', () => {
    const files = sourceFiles().map(({ name }) => name);
    expect(BUILD.sources).toEqual(files.filter((name) => name.endsWith('.c')).sort());
  });

  it('asks for warnings as errors, one exported symbol and one framework', () => {
    expect(BUILD.compilerFlags).toEqual(expect.arrayContaining(['-Wall', '-Wextra', '-Wconversion', '-Werror']));
    expect(BUILD.exportedSymbols).toEqual(['_AuthorizationPluginCreate']);
    expect(BUILD.frameworks).toEqual(['CoreFoundation']);
  });
});

describe('source of the plug-in', () => {
  it('is about twelve hundred lines of C, in files of one concern', () => {
    const lines = sourceFiles().map(({ name, text }) => ({ name, lines: codeLines(text) }));
    const inC = lines.filter(({ name }) => name.endsWith('.c'));
    expect(inC.reduce((sum, file) => sum + file.lines, 0)).toBeLessThanOrEqual(1250);
    expect(lines.filter((file) => file.lines > 250)).toEqual([]);
  });

  it('can neither assert nor abort, and starts nothing but by posix_spawn', () => {
    const forbidden =
      /\b(assert|abort|exit|_exit|__builtin_trap|system|popen|fork|vfork|exec[lv]\w*|setenv|getenv|signal)\s*\(/;
    const uses = sourceFiles().filter(({ text }) => forbidden.test(withoutComments(text)));
    expect(uses.map(({ name }) => name)).toEqual([]);
  });

  it.skipIf(clang.missing)(
    `gives clang's static analyzer nothing to say${ofTheDay}${clang.note}`,
    async () => {
      // One architecture: the sizes of all types are the same on both.
      const flags = [`--target=${ARCHITECTURES[0]!.target}`, '-nostdinc', '-isystem', BUILD.stubHeaders];
      const analyze = ['--analyze', '-Xclang', '-analyzer-output=text', '-Xclang', '-analyzer-werror'];
      const chosen = byDay(BUILD.sources, 4);
      const argv = [...analyze, ...BUILD.compilerFlags, ...flags, ...chosen];
      // 7 s of processor time for all, and nothing to say of the same sources another time.
      const files = [PLUGIN_FOLDER, 'test/plugin/build.test.ts'];
      const programs = [realpathSync(findOnPath(findLlvmProgram('clang')) as string)];
      const madeOf = { files, programs, variables: ['CPATH', 'C_INCLUDE_PATH'], words: chosen };
      await keptBuild('analyzed', madeOf, async () => {
        run('clang', argv);
      });
    },
    180_000,
  );
});

describe.each(ARCHITECTURES)('Mach-O bundle for $name', (architecture) => {
  it.skipIf(linking.missing)(`has the format it needs${linking.note}`, () => {
    const slice = linkSlice(architecture);
    try {
      const bytes = readFileSync(slice.path);
      expect(bytes.readUInt32LE(12)).toBe(8); // MH_BUNDLE; mach-o/loader.h
      expect(bytes.includes(PLUGIN_FOLDER)).toBe(false);
      const options = ['--macho', '--exports-trie', '--section-headers', '--private-headers'];
      const dump = run('llvm-objdump', [...options, slice.path]).stdout;
      const exported = dump.match(/^0x[0-9A-F]+ +\S+$/gm)?.map((line) => line.split(/ +/)[1]);
      expect(exported).toEqual(BUILD.exportedSymbols);
      expect(dump).toMatch(/__oslogstring/); // where logd looks for formats
      expect(dump).toMatch(/LC_UUID/); // by which logd finds the image
      expect(dump).toMatch(new RegExp(`(minos|version) ${architecture.minimumMacOS.replace('.', '\\.')}\\b`));
    } finally {
      slice.remove();
    }
  });
});

describe('stub headers', () => {
  it('cite where their values come from', () => {
    const headers = ['fcntl.h', 'signal.h', 'spawn.h', 'poll.h', 'errno.h', 'time.h', 'sys/stat.h', 'sys/wait.h'];
    const cites = (name: string) => /Source/.test(readFileSync(join(PLUGIN_FOLDER, BUILD.stubHeaders, name), 'utf8'));
    expect(headers.filter((name) => !cites(name))).toEqual([]);
  });
});
