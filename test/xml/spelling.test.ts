import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { demandOneSpelling, folded } from '../../src/xml/spelling.ts';
import { parseXml } from '../../src/xml/xml.ts';

describe('demandOneSpelling', () => {
  it.each([
    ['<a b="" B=""/>', 0],
    ['<a one="" On-E="" two="" ONE=""/>', 0],
    ['<a><c/><x><a b="" B=""/></x></a>', 10],
    ['<a><c/><c c="" d="" C=""/></a>', 7],
  ])('refuses %s', (text, offset) => {
    const check = () => demandOneSpelling(parseXml(text, 'Example'), 'Example');
    expect(check).toThrow(FormatError);
    expect(check).toThrow(`Example, offset ${offset}: expected one attribute of `);
  });

  it.each(['<a/>', '<a a="" b="" ab=""/>', '<a b=""><a B=""/></a>', '<a><c b=""/><c B=""/></a>'])(
    'takes %s',
    (text) => {
      expect(demandOneSpelling(parseXml(text, 'Example'), 'Example')).toBeUndefined();
    },
  );

  it.each([
    ['<a Place="/"/>', 'expected place, found other capitals: Place'],
    ['<a><x/><PLACE/></a>', 'expected place, found other capitals: PLACE'],
    ['<a><x placE=""/></a>', 'expected place, found other capitals: placE'],
    ['<a both=""/>', 'expected Both, found other capitals: both'],
  ])('refuses a known name in other capitals: %s', (text, words) => {
    const root = parseXml(text, 'Example');
    expect(() => demandOneSpelling(root, 'Example', ['place', 'Both'])).toThrow(words);
    expect(demandOneSpelling(root, 'Example', ['plac', 'places', 'A1'])).toBeUndefined();
  });

  it('takes known names as they are', () => {
    const root = parseXml('<a place="/" Both=""><place/><Both/></a>', 'Example');
    expect(demandOneSpelling(root, 'Example', ['place', 'Both'])).toBeUndefined();
  });
});

describe('folded', () => {
  it('is an element in small letters, but for values and what lies deeper', () => {
    const { name, attributes, children } = folded(parseXml('<A Bc="De"><F G=""><H/></F>I</A>', 'Example'));
    expect([name, attributes]).toEqual(['a', { bc: 'De' }]);
    expect(children).toMatchObject([{ name: 'f', attributes: { G: '' }, children: [{ name: 'H' }] }, 'I']);
  });
});
