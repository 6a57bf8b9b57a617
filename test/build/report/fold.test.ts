import { describe, expect, it } from 'vitest';
import { foldText } from '../../../build/report/fold.ts';

const SHA256 = 'a090a4efe25cc9bac2d2138a393fb37dc69bdc94b176de78769f6c62055e5208';

describe('foldText', () => {
  it.each([
    ['short', 'short'],
    ['error: words that go on and on beyond the end of it', 'error: words that go on and on beyond\n  the end of it'],
    [
      'pass     name     words that go on beyond the end',
      'pass     name     words that go on\n         beyond the end',
    ],
    [`  sha256     ${SHA256}`, `  sha256\n${SHA256}`],
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
