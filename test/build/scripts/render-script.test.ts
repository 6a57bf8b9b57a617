import { describe, expect, it } from 'vitest';
import { quoteWord, scriptRenderer, templateFiles } from '../../../build/scripts/render-script.ts';
import { scriptValues } from '../../../build/scripts/script-values.ts';
import { PRODUCT } from '../../scripts/product.ts';

const read = (templates: Readonly<Record<string, string>>) => (path: string) => {
  const text = templates[path];
  if (text === undefined) throw new Error(`no template ${path}`);
  return text;
};
/** Renders `main` of a few made-up templates. */
const rendered = (
  templates: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>> = { A: '1', B: '2' },
) => scriptRenderer(values, read(templates))('main');
/** Renders `lib` as `main` includes it, which uses `used` of it. */
const library = (lib: string) => rendered({ main: '# @include lib\nused', lib }).replace(/\n+used\n$/, '');

describe('a template', () => {
  it.each([
    ['lines as they are', '#!/bin/sh\n\necho a\n  echo b', '#!/bin/sh\n\necho a\n  echo b\n'],
    ['one blank line for many', 'a\n\n\n\nb\n\n\n', 'a\n\nb\n'],
    [
      'comments, but for shellcheck’s shell',
      '#!/bin/sh\n# shellcheck shell=sh\n# why\n# shellcheck disable=SC1\na',
      '#!/bin/sh\n# why\n# shellcheck disable=SC1\na\n',
    ],
    ['values', 'A=@A@\nB=@B@\necho "$A$B"', "A='1'\nB='2'\necho \"$A$B\"\n"],
    ['a mark in words', 'echo a@b.c, @a@, @', 'echo a@b.c, @a@, @\n'],
    ['includes between lines', 'a\n# @include x\nb\n# @include y\nc', 'a\n\nx\n\nb\n\ny\n\nc\n'],
    ['an include alone', '# @include x', '\nx\n'],
  ])('keeps %s', (_, main, expected) => expect(rendered({ main, x: 'x', y: 'y' })).toBe(expected));

  it.each([
    ['the comment above a function', '# about\n# it\nused() {\n  a\n}', '# about\n# it\nused() {\n  a\n}'],
    ['the first of two, each to its own end', 'used() {\n  a\n}\nidle() {\n  b\n}', 'used() {\n  a\n}'],
    ['the second of two', 'idle() {\n  b\n}\n# about\nused() {\n  a\n}', '# about\nused() {\n  a\n}'],
    [
      'what it calls, and what that calls',
      'used() {\n one\n}\none() {\n two\n}\ntwo() {\n :\n}',
      'used() {\n one\n}\none() {\n two\n}\ntwo() {\n :\n}',
    ],
    ['a variable that it reads', "N='a'\nM='b'\nused() {\n echo \"$N\"\n}", 'N=\'a\'\nused() {\n echo "$N"\n}'],
    ['both of one name', 'V=1\nV=2\nused() {\n echo $V\n}', 'V=1\nV=2\nused() {\n echo $V\n}'],
    [
      'a variable with words behind',
      'V=1 # why\nW="x" # why\nused() {\n echo $V\n}',
      'V=1 # why\nused() {\n echo $V\n}',
    ],
    [
      'a variable above another, though words stand behind it',
      'V=1 # why\nW=2\nused() {\n echo $W\n}',
      'W=2\nused() {\n echo $W\n}',
    ],
    ['a line that acts, though words stand behind it', 'run # why\nV=2\nused() {\n :\n}', 'run # why\nused() {\n :\n}'],
    [
      'a comment above a variable that it reads',
      '# why\nV=1\nused() {\n echo $V\n}',
      '# why\nV=1\nused() {\n echo $V\n}',
    ],
    ['no comment above a variable that it does not', '# why\n# so\nV=1\nused() {\n :\n}', 'used() {\n :\n}'],
    ['a function that does not end, line by line', 'used() {\n :', 'used() {\n :'],
    ['lines that act', 'umask 022\nused() {\n :\n}\nidle() {\n :\n}', 'umask 022\nused() {\n :\n}'],
    ['a value of two words, which acts', 'V=1 run\nused() {\n :\n}', 'V=1 run\nused() {\n :\n}'],
    ['no function that a comment alone names', 'used() {\n # idle\n :\n}\nidle() {\n :\n}', 'used() {\n # idle\n :\n}'],
    ['a comment at its end', 'used() {\n :\n}\n# the end', 'used() {\n :\n}\n# the end'],
    [
      'a line with a mark of comments inside',
      'a=#b#!c\nused() {\n :\n}\necho x # y',
      'a=#b#!c\nused() {\n :\n}\necho x # y',
    ],
  ])('of a library keeps %s', (_, lib, expected) => expect(library(lib).replace(/^\n/, '')).toBe(expected));

  it('may include a library of comments alone, and one that acts by itself', () => {
    expect(rendered({ main: '# @include lib\n:', lib: '# words' })).toBe('\n# words\n\n:\n');
    expect(rendered({ main: '# @include lib\n:', lib: 'set -u\nidle() {\n :\n}' })).toBe('\nset -u\n\n:\n');
  });

  it('may define what it never uses itself, and use one thing of many that a library defines', () => {
    expect(rendered({ main: 'idle() {\n :\n}' })).toBe('\n');
    const lib = 'idle() {\n :\n}\nused() {\n :\n}\nmore() {\n :\n}';
    expect(rendered({ main: '# @include lib\nused', lib })).toBe('\nused() {\n :\n}\n\nused\n');
  });

  it('includes each of a chain once, in the order of use', () => {
    const templates = {
      main: '# @include a\n# @include c\none\nthree',
      a: '# @include b\none() {\n two\n}',
      b: 'two() {\n :\n}',
      c: 'three() {\n :\n}',
    };
    expect(rendered(templates).match(/^\w+(?=\(\))/gm)).toEqual(['two', 'one', 'three']);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a library that is not there', { main: '# @include lib' }, /no template lib/],
    [
      'the same library by two ways',
      {
        main: '# @include a\n# @include b\na',
        a: '# @include c\na() {\n c\n}',
        b: '# @include c\nb',
        c: 'c() {\n:\n}',
      },
      /^main: c is included twice$/,
    ],
    [
      'a library that includes itself',
      { main: '# @include a', a: '# @include a' },
      /^a includes itself: main > a > a$/,
    ],
    [
      'a library of which nothing is used',
      { main: '# @include a\n:', a: '# words\na() {\n :\n}' },
      /^main: nothing of a is used$/,
    ],
    ['an include that is set in', { main: '  # @include a', a: ':' }, /^main: not an include: {3}# @include a$/],
    [
      'a placeholder that is no value line',
      { main: 'A=@A@ # words' },
      /^main: a placeholder stands alone, as KEY=@KEY@: /,
    ],
    ['a placeholder with digits', { main: 'x @A1_2@' }, /stands alone/],
    ['a placeholder without a value', { main: 'C=@C@\necho $C' }, /^main: @C@ has no value$/],
  ])('may not hold %s', (_, templates, words) => expect(() => rendered(templates)).toThrow(words));
});

describe('the files of a template', () => {
  it('are itself and all that it includes, as deep as they go', () => {
    const templates = { main: '# @include a\nx\n# @include b', a: '# @include c\n', b: '', c: ':' };
    expect(templateFiles('main', read(templates))).toEqual(['main', 'a', 'c', 'b']);
    expect(templateFiles('c', read(templates))).toEqual(['c']);
  });
});

describe('a word and a value', () => {
  it('are quoted, but for what no word can hold', () => {
    expect(["it's", '', '$x'].map(quoteWord)).toEqual(["'it'\\''s'", "''", "'$x'"]);
    expect(() => quoteWord('\0')).toThrow(expect.objectContaining({ code: 'VALUE_INVALID' }));
  });

  it.each(['productName', 'executable', 'version', 'anchor', 'minimumMacOS'] as const)('%s is plain text', (name) => {
    for (const value of ['', 'a\u001fb', 'a\u007fb', 'a>b']) {
      const error = (() => {
        try {
          return scriptValues({ ...PRODUCT, [name]: value });
        } catch (reason) {
          return reason;
        }
      })();
      expect(error).toMatchObject({ code: 'VALUE_INVALID', message: expect.stringContaining(JSON.stringify(value)) });
    }
    expect(Object.values(scriptValues({ ...PRODUCT, [name]: 'ä b' }))).toContain('ä b');
  });

  it('of the bundle matches in any case of its letters, and every other character for itself', () => {
    const { BUNDLE_NAME_ANY_CASE, BUNDLE } = scriptValues({ ...PRODUCT, bundleName: 'Ab-c ^1.bundle' });
    expect([BUNDLE_NAME_ANY_CASE, BUNDLE]).toEqual([
      '[Aa][Bb]\\-[Cc][ ]\\^[1]',
      `${PRODUCT.installLocation}/Ab-c ^1.bundle`,
    ]);
  });
});
