import { describe, expect, it } from 'vitest';
import { foldedName, PathSurvey } from '../../src/package/path-survey.ts';

type Entry = readonly [path: string, kind?: 'file' | 'directory' | 'symlink'];

/** What came of each claim: how many paths were new, or the code of the error. */
function claims(entries: readonly Entry[], caseSensitive?: boolean): (number | string)[] {
  const survey = new PathSurvey(caseSensitive);
  return entries.map(([path, kind = 'file']) => {
    try {
      return survey.claim(path, kind);
    } catch (error) {
      return (error as { code: string }).code;
    }
  });
}

describe('PathSurvey', () => {
  it.each<[string, readonly Entry[], (number | string)[]]>([
    ['entries with their folders', [['.', 'directory'], ['./a', 'directory'], ['./a/b'], ['./a/c']], [1, 1, 1, 1]],
    ['folders that have no entry', [['./a/b/c'], ['./a/b/d'], ['./a', 'directory']], [4, 1, 0]],
    ['a path that is taken', [['./a'], ['./a']], [2, 'EXPAND_UNSAFE']],
    [
      'a folder twice',
      [
        ['./a', 'directory'],
        ['./a', 'directory'],
      ],
      [2, 0],
    ],
    ['a file in the place of a folder', [['./a', 'directory'], ['./a']], [2, 'EXPAND_UNSAFE']],
    ['a folder in the place of a file', [['./a'], ['./a', 'directory']], [2, 'EXPAND_UNSAFE']],
    [
      'a link in the place of a link',
      [
        ['./a', 'symlink'],
        ['./a', 'symlink'],
      ],
      [2, 'EXPAND_UNSAFE'],
    ],
    ['something below a link', [['./a', 'symlink'], ['./a/b']], [2, 'EXPAND_UNSAFE']],
    ['something below a file', [['./a'], ['./a/b']], [2, 'EXPAND_UNSAFE']],
    ['something far below a link', [['./a', 'symlink'], ['./a/b/c']], [2, 'EXPAND_UNSAFE']],
    ['a link above what was there', [['./a/b'], ['./a', 'symlink']], [3, 'EXPAND_UNSAFE']],
    ['names that differ in capitals', [['./a'], ['./A']], [2, 'EXPAND_COLLISION']],
    ['folders that differ in capitals', [['./a/b'], ['./A/c']], [3, 'EXPAND_COLLISION']],
    ['names that only begin alike', [['./a'], ['./ab'], ['./a.b']], [2, 1, 1]],
    ['the root of the disk', [['/a'], ['/b']], [1, 1]],
  ])('counts or refuses %s', (_, entries, expected) => expect(claims(entries)).toEqual(expected));

  it('tells capitals apart where the disk does', () => {
    expect(claims([['./a'], ['./A'], ['./a']], true)).toEqual([2, 1, 'EXPAND_UNSAFE']);
    expect(claims([['./\u00e9'], ['./e\u0301']], true)).toEqual([2, 1]);
  });
});

describe('foldedName', () => {
  it.each<[string, string, boolean]>([
    ['A', 'a', true],
    ['\u00e9', 'e\u0301', true],
    ['\u00c9', '\u00e9', true],
    ['\u03c3', '\u03c2', true],
    ['\u00df', 'ss', false],
    ['\ufb01', 'fi', false],
    ['a\u200db', 'ab', true],
    ['a\u200bb', 'ab', false],
    ['a\u200cb', 'ab', true],
    ['a\u200fb', 'ab', true],
    ['a\u2010b', 'ab', false],
    ['a\u202ab', 'ab', true],
    ['a\u202eb', 'ab', true],
    ['a\u202fb', 'ab', false],
    ['a\u206ab', 'ab', true],
    ['a\u206fb', 'ab', true],
    ['a\u2069b', 'ab', false],
    ['a\ufeffb', 'ab', true],
    ['\u{10400}', '\u{10428}', true],
    ['a', 'b', false],
  ])('of %j and %j is one: %s', (one, other, same) => {
    expect(foldedName(one) === foldedName(other)).toBe(same);
  });
});
