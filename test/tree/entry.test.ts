import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  baseName,
  checkEntries,
  countChildren,
  FILE_TYPE_BITS,
  type PayloadEntry,
  parentPath,
  pathProblem,
  sortTree,
} from '../../src/tree/entry.ts';
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

describe('checkEntries, at the edges', () => {
  const facts = (more: object) => [root, { ...file('./a', ''), ...more } as PayloadEntry];
  it.each([
    ['mode', 0o7777, 'mode must be 0 to 4095, not '],
    ['uid', 0o777777, 'uid must be 0 to 262143, not '],
    ['gid', 0o777777, 'gid must be 0 to 262143, not '],
    ['mtimeSeconds', 0xffffffff, 'mtimeSeconds must be 0 to 4294967295, not '],
  ])('takes a %s of 0 to %i', (name, most, words) => {
    for (const value of [0, 1, most]) expect(checkEntries(facts({ [name]: value }))).toHaveLength(2);
    for (const value of [-1, most + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => checkEntries(facts({ [name]: value }))).toThrow(`payload entry "./a": ${words}${value}`);
    expect(() => checkEntries([{ ...root, [name]: -1 }])).toThrow('payload entry "."');
  });

  it('asks a link for its target alone', () => {
    const link = (target: string) => () => checkEntries([root, symlink('./l', target)]);
    expect(link('')).toThrow('payload entry "./l": a symbolic link must have a target');
    for (const target of ['a\0', '\0', '\ud83d'])
      expect(link(target)).toThrow('a target must be valid Unicode without NUL');
    for (const target of ['/', '..', '💾', 'a//b']) expect(link(target)()).toHaveLength(2);
    expect(() => checkEntries([root, { ...symlink('./l', 'x'), mode: -1 }])).toThrow('mode must be');
    expect(checkEntries(facts({ target: '' }))).toHaveLength(2);
  });

  it('says what stands where a parent should be', () => {
    const parentOf =
      (...more: PayloadEntry[]) =>
      () =>
        checkEntries([root, ...more, directory('./z'), file('./a/b', '')]);
    expect(parentOf()).toThrow('payload entry "./a/b": its parent "./a" is missing');
    expect(parentOf(file('./a', ''))).toThrow('payload entry "./a/b": its parent "./a" is file');
    expect(parentOf(symlink('./a', 'z'))).toThrow('payload entry "./a/b": its parent "./a" is symlink');
    expect(parentOf(directory('./a'))()).toHaveLength(4);
    expect(() => checkEntries([root, file('./a', ''), file('./a', '')])).toThrow(
      'payload entry "./a": it is there twice',
    );
    expect(() => checkEntries([root, root])).toThrow('payload entry ".": it is there twice');
    expect(() => checkEntries([])).toThrow('payload entry ".": the root directory is missing');
    expect(() => checkEntries([file('.', '')])).toThrow('the root directory is missing');
  });

  it('climbs out of several folders at once, and not into one that was left', () => {
    const paths = ['.', './a', './a/b', './a/b/c', './d', './d/e'].map((path) => directory(path));
    expect(checkEntries(paths).map(({ path }) => path)).toEqual(paths.map(({ path }) => path));
    expect(() => checkEntries([...paths, file('./a/b/x/y', '')])).toThrow('its parent "./a/b/x" is missing');
  });

  it('gives another list, with the same entries', () => {
    const entries = [root, file('./a', '')];
    const sorted = sortTree(entries);
    expect(sorted).not.toBe(entries);
    expect(sorted[1]).toBe(entries[1]);
    expect(() => sortTree([root, directory('a')])).toThrow('payload entry "a": a path must be "." or begin with "./"');
  });
});

describe('pathProblem', () => {
  it.each([
    ['.', undefined],
    ['./a', undefined],
    ['./...', undefined],
    ['./.a/..b/c.', undefined],
    ['./💾', undefined],
    ['', 'a path must be "." or begin with "./"'],
    ['/a', 'a path must be "." or begin with "./"'],
    ['..', 'a path must be "." or begin with "./"'],
    ['a./', 'a path must be "." or begin with "./"'],
    ['x./a', 'a path must be "." or begin with "./"'],
    ['./', 'a path must not have an empty component'],
    ['.//', 'a path must not have an empty component'],
    ['./a//b', 'a path must not have an empty component'],
    ['./a/', 'a path must not have an empty component'],
    ['./.', 'a path must not have the component "."'],
    ['./a/.', 'a path must not have the component "."'],
    ['./..', 'a path must not have the component ".."'],
    ['./a/../b', 'a path must not have the component ".."'],
    ['./a\0', 'a path must not hold NUL'],
    ['./\udc00', 'a path must be valid Unicode'],
  ])('of %j is %j', (path, problem) => {
    expect(pathProblem(path)).toBe(problem);
  });
});

describe('countChildren and baseName', () => {
  it('count what each folder holds directly', () => {
    const paths = ['.', './a', './a/b', './a/b/c', './a/d', './e'];
    expect([...countChildren(paths.map((path) => ({ path })))]).toEqual([
      ['.', 2],
      ['./a', 2],
      ['./a/b', 1],
    ]);
  });

  it('give the last component', () => {
    expect(['.', './a', './a/bc', 'x', ''].map(baseName)).toEqual(['.', 'a', 'bc', 'x', '']);
  });

  it('has the file types of sys/stat.h', () => {
    expect(FILE_TYPE_BITS).toEqual({ file: 0x8000, directory: 0x4000, symlink: 0xa000 });
  });
});

describe('parentPath', () => {
  it('climbs to the root and stays there', () => {
    expect(['./a/b', './a', '.'].map(parentPath)).toEqual(['./a', '.', '.']);
  });
});
