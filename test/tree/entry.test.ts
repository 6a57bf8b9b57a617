import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkEntries, type PayloadEntry, parentPath } from '../../src/tree/entry.ts';
import { directory, errorOf, file, symlink, trees } from '../support/payload.ts';

const root = directory('.');

describe('checkEntries', () => {
  it('sorts parents first and keeps a folder together before siblings whose names begin alike', () => {
    const paths = ['./a b', './a/z', './a', './a-', './a/b/c', '.', './a/b'];
    const entries = paths.map((path) => (path.endsWith('z') || path.endsWith('c') ? file(path, '') : directory(path)));
    expect(checkEntries(entries).map(({ path }) => path)).toEqual([
      '.',
      './a',
      './a/b',
      './a/b/c',
      './a/z',
      './a b',
      './a-',
    ]);
  });

  it('sorts names by their UTF-8 bytes, not by UTF-16 units', () => {
    const entries = [root, file('./💾', ''), file('./\uffee', '')];
    expect(checkEntries(entries).map(({ path }) => path)).toEqual(['.', './\uffee', './💾']);
  });

  it('gives random trees one order, that of their bytes, sorted before or not', () => {
    const key = (path: string) => Buffer.from(path.replaceAll('/', '\0'));
    fc.assert(
      fc.property(trees(30), (entries) => {
        const paths = entries.map(({ path }) => path).sort((a, b) => Buffer.compare(key(a), key(b)));
        const sorted = checkEntries(entries);
        expect(sorted.map(({ path }) => path)).toEqual(paths);
        expect(checkEntries(sorted)).toEqual(sorted);
        for (let index = 2; index < sorted.length; index++) {
          const swapped = sorted.with(index - 1, sorted[index] as PayloadEntry);
          expect(checkEntries(swapped.with(index, sorted[index - 1] as PayloadEntry))).toEqual(sorted);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('takes the same name in NFC and NFD for two names and keeps both as they are', () => {
    const entries = checkEntries([root, file('./é', ''), file('./e\u0301', '')]);
    expect(entries.map(({ path }) => Buffer.from(path).toString('hex'))).toEqual(['2e', '2e2f65cc81', '2e2fc3a9']);
  });

  it.each([
    ['a path that is there twice', [root, file('./a', ''), directory('./a')], './a'],
    ['no root', [directory('./a')], '"."'],
    ['a root that is not a directory', [file('.', '')], '"."'],
    ['a missing parent', [root, file('./a/b', '')], './a/b'],
    ['a parent that is a file', [root, file('./a', ''), file('./a/b', '')], './a/b'],
    ['a parent that is a link', [root, symlink('./a', '/etc'), file('./a/b', '')], './a/b'],
    ['".."', [root, file('./../b', '')], './../b'],
    ['"." inside', [root, file('./././b', '')], './././b'],
    ['an empty component', [root, directory('./a'), file('./a//b', '')], './a//b'],
    ['a slash at the end', [root, directory('./a/')], './a/'],
    ['an absolute path', [root, file('/etc/passwd', '')], '/etc/passwd'],
    ['a path without "./"', [root, file('a', '')], '"a"'],
    ['NUL', [root, file('./a\0b', '')], './a\\u0000b'],
    ['half a character', [root, file('./\ud83d', '')], './\\ud83d'],
    ['a link without target', [root, symlink('./l', '')], './l'],
    ['NUL in a target', [root, symlink('./l', 'a\0')], './l'],
    ['a mode with type bits', [root, file('./a', '', 0o100644)], './a'],
    ['a negative time', [root, { ...directory('./a'), mtimeSeconds: -1 }], './a'],
    ['a time of day with fraction', [root, { ...directory('./a'), mtimeSeconds: 1.5 }], './a'],
    ['an owner beyond six octal digits', [root, { ...directory('./a'), uid: 0o1000000 }], './a'],
  ])('refuses %s and names the path', async (_, entries, named) => {
    const error = await errorOf(() => checkEntries(entries));
    expect(error.code).toBe('ENTRY_INVALID');
    expect(error.message).toContain(named);
  });
});

describe('parentPath', () => {
  it('climbs to the root and stays there', () => {
    expect(['./a/b', './a', '.'].map(parentPath)).toEqual(['./a', '.', '.']);
  });
});
