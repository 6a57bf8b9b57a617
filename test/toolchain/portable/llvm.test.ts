import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findLlvmProgram, llvmVersion } from '../../../src/toolchain/portable/llvm.ts';

// No name that ends in "llvm-" and what chance puts behind it, which may begin with a number.
const scratch = mkdtempSync(join(tmpdir(), 'programs-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let count = 0;

/** Makes a folder with programs of these names: a text is what the file prints, a path with `->` where a link leads to. */
function folder(programs: Readonly<Record<string, string>>): string {
  const place = join(scratch, String(count++));
  mkdirSync(place);
  for (const [name, content] of Object.entries(programs)) {
    const file = join(place, name);
    if (!content.startsWith('->')) {
      writeFileSync(file, `#!/bin/sh\necho '${content}'\n`);
      chmodSync(file, 0o755);
      continue;
    }
    const target = join(place, content.slice(2));
    mkdirSync(join(target, '..'), { recursive: true });
    writeFileSync(target, '');
    symlinkSync(target, file);
  }
  return place;
}

describe('findLlvmProgram', () => {
  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['plain, when there is no other', { clang: '' }, 'clang'],
    ['with the oldest version that links', { 'clang-14': '' }, 'clang-14'],
    ['with the newest that is known', { 'clang-25': '' }, 'clang-25'],
    ['with the older of two', { 'clang-16': '', 'clang-15': '' }, 'clang-15'],
    ['with a version, when nobody knows that of the plain one', { clang: '', 'clang-15': '' }, 'clang-15'],
    ['plain, when it lies in a folder of 14', { clang: '->llvm-14/bin/clang', 'clang-15': '' }, 'clang'],
    ['plain, when its file has the version', { clang: '->bin/clang-18', 'clang-15': '' }, 'clang'],
    ['plain, as Homebrew has it', { clang: '->opt/llvm@19/bin/x', 'clang-15': '' }, 'clang'],
    ['with a version, when the plain one is 13', { clang: '->llvm-13/bin/clang', 'clang-15': '' }, 'clang-15'],
    ['plain, by the last version in its path', { clang: '->llvm-13/clang-14', 'clang-15': '' }, 'clang'],
    ['with a version, when the number is of something else', { clang: '->gcc-14/x', 'clang-15': '' }, 'clang-15'],
    ['with a version, when the number begins a word', { clang: '->llvm-62ab/clang', 'clang-15': '' }, 'clang-15'],
    ['plain of any version, when there is no other', { clang: '->llvm-13/bin/clang' }, 'clang'],
  ])('finds it %s', (_, programs, expected) => {
    expect(findLlvmProgram('clang', folder(programs))).toBe(expected);
  });

  it('looks into every folder of PATH, but for empty names of folders', () => {
    const path = ['', folder({ other: '' }), folder({ 'ld64.lld-15': '' })].join(delimiter);
    expect(findLlvmProgram('ld64.lld', path)).toBe('ld64.lld-15');
    const before = process.cwd();
    process.chdir(folder({ clang: '' }));
    try {
      expect(() => findLlvmProgram('clang', '')).toThrow(/clang is not on PATH/);
    } finally {
      process.chdir(before);
    }
  });

  it.each([{ 'clang-13': '' }, { 'clang-26': '' }, { clangd: '' }, {}])('finds none among %j', (programs) => {
    expect(() => findLlvmProgram('clang', folder(programs))).toThrow(
      expect.objectContaining({ code: 'TOOL_MISSING', hint: expect.stringContaining('apt-get install') }),
    );
  });
});

describe('llvmVersion', () => {
  // First lines as the programs of Debian and Ubuntu print them.
  it.each([
    ['Debian clang version 14.0.6', '14.0.6'],
    ['Ubuntu LLD 18.1.3 (compatible with GNU linkers)', '18.1.3'],
    ['LLD 21.1.8', '21.1.8'],
    ['version 14', 'unknown'],
  ])('of %j is %s', async (line, version) => {
    expect(await llvmVersion(join(folder({ tool: line }), 'tool'))).toBe(version);
  });
});
