import { describe, expect, it } from 'vitest';
import { foldText, wrap } from '../../../build/report/fold.ts';

const SHA256 = 'a090a4efe25cc9bac2d2138a393fb37dc69bdc94b176de78769f6c62055e5208';

describe('foldText', () => {
  it.each([
    ['short', 'short'],
    ['error: words that go on and on beyond the end of it', 'error: words that go on and on beyond\n  the end of it'],
    [
      'pass     name     words that go on beyond the end',
      'pass     name     words that go on\n         beyond the end',
    ],
    [`error:${' words'.repeat(14)}`, `error:${' words'.repeat(5)}\n  words${' words'.repeat(5)}\n  words words words`],
    [`  sha256     ${SHA256}`, `  sha256\n${SHA256}`],
    ['To go on: npm start -- --out a --resume x', 'To go on:\n  npm start -- --out a --resume x'],
    ['To go on: npm start -- --out a --resume', 'To go on: npm start -- --out a --resume'],
    ['To go on: npm start -- --out ab --resume', 'To go on: npm start -- --out ab --resume'],
    [
      'To go on: npm start -- --rehearsal --out out --resume',
      'To go on:\n  npm start -- --rehearsal --out out --resume',
    ],
    ['  npm run -s cli -- verify --trust rehearsal a.pkg', '  npm run -s cli -- verify --trust rehearsal a.pkg'],
    [
      '  room  npm start replaces what is there, and says so',
      '  room  npm start replaces what is\n        there, and says so',
    ],
    [
      '    + a changed line of a script, which stays as it is',
      '    + a changed line of a script, which stays as it is',
    ],
  ])('%j is %j at 40 columns', (text, folded) => expect(foldText(text, 40)).toBe(folded));

  it('leaves what goes into a file or a pipe, or onto a terminal that does not know its width', () => {
    const long = 'word '.repeat(50);
    expect([foldText(long, undefined), foldText(long, 0)]).toEqual([long, long]);
  });
});

describe('wrap', () => {
  it.each<[string, number, string[]]>([
    ['aa bb', 5, ['aa bb']],
    ['aa bb', 4, ['aa', 'bb']],
    ['aa bb cc', 5, ['aa bb', 'cc']],
    ['a longest b', 3, ['a', 'longest', 'b']],
    ['', 3, ['']],
  ])('%j in %i columns is %j', (words, width, lines) => expect(wrap(words, width)).toEqual(lines));

  it('is not asked of a line that just fits, and never in less than 40 columns', () => {
    const [fits, more] = [`${'a'.repeat(19)} ${'b'.repeat(20)}`, `${'a'.repeat(19)} ${'b'.repeat(21)}`];
    for (const columns of [1, 40])
      expect([foldText(fits, columns), foldText(more, columns)]).toEqual([fits, more.replace(' ', '\n  ')]);
  });
});
