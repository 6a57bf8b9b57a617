import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bindTableProblems } from '../../src/macho/bind-tables.ts';
import { ARCHITECTURES, linkers, linkSlice, llvmTool } from '../plugin/source.ts';
import { looseChains, looseOpcodes } from './loose-tables.ts';

const able = Boolean(llvmTool('clang') && llvmTool('ld64.lld'));
const note = able ? '' : ' (skipped: needs clang and ld64.lld)';
const fixture = (architecture: string) =>
  readFileSync(fileURLToPath(new URL(`../fixtures/login-host/chained-fixups-${architecture}`, import.meta.url)));

describe.skipIf(!able).each(ARCHITECTURES)(`bind tables of a slice for $name${note}`, (architecture) => {
  const slice = able ? linkSlice(architecture) : undefined;
  const bytes = slice ? readFileSync(slice.path) : Buffer.alloc(0);
  slice?.remove();

  it('finds nothing in what the linker writes', () => {
    expect(bindTableProblems(bytes)).toEqual([]);
  });

  it.each(slice ? looseOpcodes(bytes) : [])('refuses $name', ({ bytes: loose, problem }) => {
    expect(bindTableProblems(loose)).toEqual([expect.stringMatching(problem)]);
  });

  it('answers with sentences, whatever byte of the tables is changed', () => {
    for (let at = bytes.length - 4096; at < bytes.length; at += 7) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 0xff;
      expect(bindTableProblems(changed).every((problem) => /^[\w ]+[:,]/.test(problem))).toBe(true);
    }
  });
});

describe.each(ARCHITECTURES)('chained fixups for $name', ({ name }) => {
  it('finds nothing in what the linker writes', () => {
    expect(bindTableProblems(fixture(name))).toEqual([]);
  });

  it.each(looseChains(fixture(name)))('refuses $name', ({ bytes, problem }) => {
    expect(bindTableProblems(bytes)).toEqual([expect.stringMatching(problem)]);
  });
});

describe.skipIf(!able)(`what ships${note}`, () => {
  it.each(linkers())(
    'loads on macOS 27 whichever linker wrote it: %s',
    (linker) => {
      for (const architecture of ARCHITECTURES) {
        const slice = linkSlice(architecture, linker);
        expect(bindTableProblems(readFileSync(slice.path))).toEqual([]);
        slice.remove();
      }
    },
    600_000,
  );
});
