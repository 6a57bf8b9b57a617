import { describe, expect, it } from 'vitest';
import { findMessages } from '../../src/apple-messages/find-messages.ts';
import type { MessageTable } from '../../src/apple-messages/message.ts';
import { nearestMessages } from '../../src/apple-messages/nearest-messages.ts';

const row = (code: string, match: readonly (string | RegExp)[], cause = 'Cause.'): MessageTable['rows'][number] => ({
  ...{ code, kind: 'tool', match, cause, who: 'maintainer', next: 'next', area: 'package' },
});
const table = (tools: MessageTable['tools'], ...rows: MessageTable['rows'][number][]): MessageTable => ({
  tools,
  rows,
});
const codes = (tables: readonly MessageTable[], text: string, options?: Parameters<typeof nearestMessages>[2]) =>
  nearestMessages(tables, text, options).map(({ code }) => code);
/** Words that no phrase has; digits would be left out. */
const strangers = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => `zz${String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26))}`,
  ).join(' ');

describe('the nearest messages', () => {
  const two = [table(['a'], row('ONE', ['alpha beta']), row('TWO', ['gamma delta']))];

  // Two phrases: each word weighs ln 2, a stranger half of that. With k strangers the cosine is 2 / sqrt(2 (2 + k / 4)), which
  // is 0.3508 for 57 and 0.3487 for 58.
  it('are those that are like enough', () => {
    expect(codes(two, `alpha beta ${strangers(57)}`)).toEqual(['ONE']);
    expect(codes(two, `alpha beta ${strangers(58)}`)).toEqual([]);
  });

  // Four phrases: a word of two of them weighs ln 2, one of a single phrase 2 ln 2, a stranger ln 2. With k strangers the cosine
  // is 5 / sqrt(5 (5 + k)): 0.3536 for 35, 0.3492 for 36.
  it('share what few phrases have', () => {
    const four = [
      table(['a'], row('ONE', ['alpha beta']), row('TWO', ['alpha gamma']), row('X', ['xxx']), row('Y', ['yyy'])),
    ];
    expect(codes(four, `alpha beta ${strangers(35)}`)).toEqual(['ONE']);
    expect(codes(four, `alpha beta ${strangers(36)}`)).toEqual([]);
  });

  it.each([
    ['alpha', 'alpha beta', false],
    ['alpha beta', 'alpha beta', true],
    ['alpha beta', 'alpha beta gamma', true],
    ['alpha', 'alpha', true],
    ['gamma', 'alpha', false],
    ['alpha', '12 34', false],
    // Short words, empty words, paths and digests are none.
    ['of it', 'of it', false],
    ['would could', 'would could', false],
    ['/tmp/alpha/beta', 'tmp alpha beta', false],
    ['deadbeef cafebabe', 'deadbeef cafebabe', false],
    ['deadbee cafebab', 'deadbee cafebab', true],
    ['ALPHA Beta', 'alpha beta', true],
    ['', 'alpha beta', false],
  ])('of %j: is %j one? %s', (text, phrase, is) => {
    expect(codes([table(['a'], row('ONE', [phrase]), row('TWO', ['other words']))], text)).toEqual(is ? ['ONE'] : []);
  });

  it('read patterns without their signs, and what is silent by its cause', () => {
    const rows = [
      row('PATTERN', [/alpha\b\s+beta(?!\w)/]),
      row('SILENT', [], 'Gamma delta.'),
      row('SPOKEN', ['other'], 'Epsilon zeta.'),
    ];
    expect(codes([table(['a'], ...rows)], 'alpha beta')).toEqual(['PATTERN']);
    expect(codes([table(['a'], ...rows)], 'gamma delta')).toEqual(['SILENT']);
    expect(codes([table(['a'], ...rows)], 'epsilon zeta')).toEqual([]);
  });

  it('are ranked, a row by its best phrase and a text by its best line', () => {
    const rows = [
      row('HALF', ['alpha beta gamma delta']),
      row('WHOLE', ['alpha beta', 'alpha beta epsilon zeta eta theta']),
    ];
    const others = row('OTHER', ['one', 'two', 'three']);
    for (const list of [
      [...rows, others],
      [others, ...rows.reverse()],
    ]) {
      expect(codes([table(['a'], ...list)], 'alpha beta')).toEqual(['WHOLE', 'HALF']);
      expect(codes([table(['a'], ...list)], `zzz\nalpha beta\n${strangers(20)}`)[0]).toBe('WHOLE');
    }
  });

  it('are three, or as many as are asked for', () => {
    const many = [table(['a'], ...['P', 'Q', 'R', 'S'].map((code) => row(code, ['alpha beta'])), row('T', ['other']))];
    expect(codes(many, 'alpha beta')).toEqual(['P', 'Q', 'R']);
    expect(codes(many, 'alpha beta', { limit: 1 })).toEqual(['P']);
  });

  it('are those of a tool and of any, where a tool is named', () => {
    const tables = [
      table(['a', 'also'], row('A', ['alpha beta'])),
      table(['b'], row('B', ['alpha beta'])),
      table(['any'], row('ANY', ['alpha beta'])),
      table(['c'], row('C', ['other'])),
    ];
    expect(codes(tables, 'alpha beta')).toEqual(['A', 'B', 'ANY']);
    expect(codes(tables, 'alpha beta', { tool: 'also' })).toEqual(['A', 'ANY']);
    expect(codes(tables, 'alpha beta', { tool: 'b' })).toEqual(['B', 'ANY']);
    expect(codes(tables, 'alpha beta', { tool: 'none' })).toEqual(['ANY']);
    expect(nearestMessages(tables, 'alpha beta', { tool: 'also' })[0]?.tool).toBe('a');
  });
});

describe('the messages in a text', () => {
  const tables = [
    table(['a', 'also'], row('CAUSE', ['the disk is full', /code \d+/]), row('ECHO', ['it failed'])),
    table(['b'], row('B', ['the disk'])),
    table(['any'], row('ANY', ['no network', '-67 pages', 'Error 65', 'left…right', "it's"])),
  ];
  const found = (text: string, tool?: string) => findMessages(tables, text, tool).map(({ code, line }) => [code, line]);

  it('are told once a line, in the order of the tables, with the line as it was printed', () => {
    expect(found('  it failed \r\nTHE  DISK\tis full\n')).toEqual([
      ['CAUSE', 'THE  DISK\tis full'],
      ['ECHO', 'it failed'],
    ]);
    expect(found('code 7\nthe disk is full')).toEqual([['CAUSE', 'code 7']]);
    expect(found('x\nthe disk\nis full, it failed\nit failed')).toEqual([
      ['CAUSE', 'the disk'],
      ['ECHO', 'it failed'],
    ]);
    expect(found('\nit failed')).toEqual([['ECHO', 'it failed']]);
    expect(found('nothing')).toEqual([]);
    expect(findMessages([table(['a'], row('MARK', ['***']))], 'x *** y')).toHaveLength(1);
  });

  it('are those of a tool and of any, where a tool is named', () => {
    const text = 'the disk is full\nno network';
    expect(found(text).map(([code]) => code)).toEqual(['CAUSE', 'ANY']);
    expect(found(text, 'also').map(([code]) => code)).toEqual(['CAUSE', 'ANY']);
    expect(found(text, 'b').map(([code]) => code)).toEqual(['B', 'ANY']);
    expect(found(text, 'none').map(([code]) => code)).toEqual(['ANY']);
    expect(findMessages(tables, text, 'also')[0]?.tool).toBe('a');
  });

  it.each([
    ['Error 65', true],
    ['Error 651', false],
    ['anError 65', false],
    ['x -67 pages', true],
    ['x-67 pages', false],
    ['left of the right', true],
    ['left of\nthe right', false],
    ['it\u2019s', true],
    ['\u001b[31mno\u001b[0m network', true],
  ])('are whole words: %j, %s', (text, is) => expect(found(text)).toHaveLength(is ? 1 : 0));
});
