import { describe, expect, it } from 'vitest';
import { bytesAt, firstDifference, textDifference } from '../../../src/verify/own-form/difference.ts';

describe('firstDifference', () => {
  it.each<[string, string, number | undefined]>([
    ['abc', 'abc', undefined],
    ['', '', undefined],
    ['xbc', 'abc', 0],
    ['abx', 'abc', 2],
    ['ab', 'abc', 2],
    ['abc', 'ab', 2],
    ['', 'a', 0],
    ['axcx', 'abcd', 1],
  ])('of %j and %j is %s', (found, expected, at) => {
    expect(firstDifference(Buffer.from(found), Buffer.from(expected))).toBe(at);
  });
});

describe('textDifference', () => {
  const said = (found: string, expected: string) => textDifference('A', Buffer.from(found), Buffer.from(expected));

  it.each<[string, string, string | undefined]>([
    ['<a b="1"/>', '<a b="1"/>', undefined],
    ['<a b="1"/>', '<a b="2"/>', 'A, byte 6, in <a>: expected `b="2"/>`, found `b="1"/>`'],
    ['<a>x</a>', '<a>y</a>', 'A, byte 3, in <a>: expected `<a>y</a>`, found `<a>x</a>`'],
    ['<a>', '<a>x', 'A, byte 3, in <a>: expected `<a>x`, found the end'],
    ['<a>x', '<a>', 'A, byte 3, in <a>: expected the end, found `<a>x`'],
    ['<x:y-z b="1">', '<x:y-z b="2">', 'A, byte 10, in <x:y-z>: expected `b="2">`, found `b="1">`'],
    ['plain one', 'plain two', 'A, byte 6: expected `two`, found `one`'],
    ['<a/><b c="1"/>', '<a/><b c="2"/>', 'A, byte 10, in <b>: expected `c="2"/>`, found `c="1"/>`'],
    ['<a x:bc="12"/>', '<a x:bc="13"/>', 'A, byte 10, in <a>: expected `x:bc="13"/>`, found `x:bc="12"/>`'],
    ['<a>one two</a>', '<a>one twx</a>', 'A, byte 9, in <a>: expected `<a>one twx</a>`, found `<a>one two</a>`'],
    ['<a b="1">t x', '<a b="1">t y', 'A, byte 11, in <a>: expected `<a b="1">t y`, found `<a b="1">t x`'],
    ['x', 'y', 'A, byte 0: expected `y`, found `x`'],
    ['<a><b/>', '<a><c/>', 'A, byte 4: expected `<c/>`, found `<b/>`'],
  ])('of %j and %j', (found, expected, words) => expect(said(found, expected)).toBe(words));

  it('begins at an element that is at most 41 bytes away, else at the word', () => {
    const begins = (count: number) => {
      const text = (last: string) => `<a>${'x'.repeat(count)} ${last}`;
      return /found `(.)/.exec(said(text('1'), text('2')) ?? '')?.[1];
    };
    expect([begins(37), begins(38)]).toEqual(['<', '1']);
  });

  it('shows at most 72 characters, and none of the spaces between', () => {
    const long = (last: string) => `<a b="${'1 \n'.repeat(10)}${last.repeat(200)}"/>`;
    const shown = /found `(.*)`$/.exec(said(long('x'), long('y')) ?? '')?.[1];
    expect(shown).toHaveLength(72);
    expect(shown).toMatch(/^b="1 1 /);
  });
});

describe('bytesAt', () => {
  const data = Buffer.from('00112233445566', 'hex');
  it.each<[number, number | undefined, string]>([
    [0, undefined, '00112233'],
    [3, undefined, '33445566'],
    [5, undefined, '5566'],
    [6, undefined, '66'],
    [7, undefined, 'the end'],
    [1, 2, '1122'],
  ])('%i, %s', (at, count, hex) => expect(bytesAt(data, at, count)).toBe(hex));
});
