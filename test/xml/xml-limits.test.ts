import { describe, expect, it } from 'vitest';
import { childElements, element, parseXml, renderXml, textOf, type XmlLimits } from '../../src/xml/xml.ts';
import { faultOf } from '../support/xar.ts';

const codeOf = async (text: string, limits: XmlLimits) => (await faultOf(() => parseXml(text, 'Example', limits))).code;

describe('parseXml, limits', () => {
  it('counts attributes and elements of the whole document', async () => {
    expect(parseXml('<a b="" c=""><d e=""/></a>', 'Example', { attributes: 3 }).name).toBe('a');
    expect(await codeOf('<a b="" c=""><d e=""/></a>', { attributes: 2 })).toBe('XML_ATTRIBUTES');
    expect(parseXml('<a/>', 'Example', { attributes: 0, elements: 1, depth: 1 }).name).toBe('a');
    expect(await codeOf('<a/>', { elements: 0 })).toBe('XML_ELEMENTS');
    expect(await codeOf('<a/>', { depth: 0 })).toBe('XML_DEPTH');
    // Depth is that of what is open, not of what was.
    expect(parseXml('<a><b/><b/><b/></a>', 'Example', { depth: 2 }).children).toHaveLength(3);
    expect(await codeOf('<a><b/><b><c/></b></a>', { depth: 2 })).toBe('XML_DEPTH');
  });

  it.each([
    ['<a><!-- b --></a>', 'a comment'],
    ['<!-- b --><a/>', 'a comment'],
    ['<a><?b c?></a>', 'a processing instruction'],
    ['<a><![CDATA[b]]></a>', 'a marked section (CDATA)'],
  ])('takes %s, unless it has to be plain', async (text, found) => {
    expect(parseXml(text, 'Example').name).toBe('a');
    expect(await faultOf(() => parseXml(text, 'Example', { plain: true }))).toMatchObject({
      code: 'XML_PLAIN',
      message: expect.stringContaining(`expected elements and text alone, found ${found}`),
    });
    expect(parseXml('<?xml version="1.0"?><a b="c">d<e/></a>', 'Example', { plain: true }).name).toBe('a');
  });

  const namespaces = new Map([['sig', 'http://s']]);
  it.each([
    '<a xmlns="http://s"/>',
    '<sig xmlns="http://t"/>',
    '<a><sig/><b xmlns="http://s"/></a>',
    '<sig xmlns:x="http://s"/>',
    '<a x:b=""/>',
    '<x:a/>',
    '<x:sig xmlns:x="http://s"/>',
    '<a xmlsx:b=""/>',
    '<a xmlns=""/>',
  ])('refuses the namespace in %s where others are named', async (text) => {
    expect(await codeOf(text, { namespaces })).toBe('XML_NAMESPACE');
    expect(parseXml(text, 'Example').name).toMatch(/a|sig/);
  });

  it.each(['<sig xmlns="http://s"/>', '<a><sig b="" xmlns="http://s"><c d=""/></sig></a>', '<a xml:lang="de"/>'])(
    'takes the one that is named: %s',
    (text) => {
      expect(parseXml(text, 'Example', { namespaces }).name).toMatch(/a|sig/);
    },
  );

  it('says which namespace it found, and in which element', async () => {
    const problem = async (text: string) => (await faultOf(() => parseXml(text, 'Example', { namespaces }))).message;
    expect(await problem('<a xmlns="b"/>')).toContain('expected no namespace in a, found xmlns="b"');
    expect(await problem('<a:b/>')).toContain('expected no prefix, found a:b');
  });
});

describe('parseXml, declarations', () => {
  it.each(['', ' encoding="utf-8"', ' encoding="UTF-8"', ' encoding="Utf-8" standalone="yes"'])(
    'takes <?xml version="1.0"%s?>',
    (rest) => expect(parseXml(`<?xml version="1.0"${rest}?><a/>`, 'Example').name).toBe('a'),
  );

  it('says which encoding and version it does not take', async () => {
    const problem = async (text: string) => (await faultOf(() => parseXml(text, 'Example'))).message;
    expect(await problem('<?xml version="1.0" encoding="utf8"?><a/>')).toContain('expected encoding utf-8, found utf8');
    expect(await problem('<?xml version="1.1"?><a/>')).toContain('expected XML 1.0, found 1.1');
    expect(await problem('<a/>x')).not.toMatch(/: \d+:\d+:/);
    expect(await problem('')).toContain('Example, offset 0: ');
  });

  it('tells a document type from one that declares, and from none', async () => {
    const problem = async (type: string, documentType: 'none' | 'external') =>
      (await faultOf(() => parseXml(`<!DOCTYPE ${type}><a/>`, 'Example', { documentType }))).message;
    expect(await problem('a', 'none')).toContain('expected no document type declaration, found one');
    expect(await problem('a []', 'external')).toContain('expected no declarations in the document type, found some');
    expect(await problem('a "b"', 'external')).toContain('expected a name and where the document type lies');
  });
});

describe('parseXml, text', () => {
  const parsed = (text: string) => parseXml(text, 'Example');

  it.each([
    ['<a>b</a>', undefined],
    ['<a>b&amp;c&#65;</a>', undefined],
    ['<a> <!-- --> </a>', undefined],
    ['<a>b<!-- --> </a>', undefined],
    ['<a> <!-- -->b</a>', undefined],
    ['<a><!-- -->b</a>', undefined],
    ['<a><![CDATA[b]]></a>', undefined],
    ['<a>b<c/></a>', undefined],
    ['<a>b<!-- -->c</a>', true],
    ['<a>b<?d?>c</a>', true],
    ['<a>b<d/>c</a>', true],
    ['<a>b<![CDATA[c]]></a>', true],
    ['<a><![CDATA[b]]>c</a>', true],
  ])('of %s comes in pieces: %s', (text, pieces) => {
    expect(parsed(text).pieces).toBe(pieces);
  });

  it('between elements is kept where it is more than white space, whatever kind of it', () => {
    const children = (text: string) =>
      parsed(text).children.map((child) => (typeof child === 'string' ? child : child.name));
    expect(children('<a> \t\r\n<b/> <c/>\n</a>')).toEqual(['b', 'c']);
    expect(children('<a> <b/>x<c/>\n</a>')).toEqual([' ', 'b', 'x', 'c', '\n']);
    expect(children('<a>\u00a0<b/></a>')).toEqual(['\u00a0', 'b']);
    expect(children('<a> </a>')).toEqual([' ']);
    expect(children('<a> <!-- --> </a>')).toEqual(['  ']);
    expect(children('<a></a>')).toEqual([]);
  });

  it('leaves nothing of its own bookkeeping in the tree', () => {
    expect(parsed('<a>b<!-- -->c<d e="f"/></a>')).toEqual({
      name: 'a',
      attributes: {},
      offset: 0,
      pieces: true,
      children: ['bc', { name: 'd', attributes: { e: 'f' }, offset: 13, children: [] }],
    });
    expect(Object.keys(parsed('<a b=""/>')).sort()).toEqual(['attributes', 'children', 'name', 'offset']);
  });
});

describe('renderXml and its helpers', () => {
  it('counts 4 blanks a level unless told otherwise', () => {
    const tree = element('a', {}, [element('b', {}, [element('c')])]);
    expect(renderXml(tree).split('\n').slice(1)).toEqual(['<a>', '    <b>', '        <c/>', '    </b>', '</a>']);
    expect(renderXml(tree, { indent: 0 }).split('\n').slice(1)).toEqual(['<a>', '<b>', '<c/>', '</b>', '</a>']);
    expect(renderXml(tree, { finalNewline: true }).endsWith('</a>\n')).toBe(true);
  });

  it('closes an element at once whose text is empty, and indents beside it', () => {
    expect(renderXml(element('a', {}, ['']))).toMatch(/\n<a\/>$/);
    expect(renderXml(element('a', {}, ['', element('b')]))).toMatch(/\n<a>\n {4}<b\/>\n<\/a>$/);
  });

  it('names the character that XML has not', () => {
    expect(() => renderXml(element('a', {}, ['\u0001']))).toThrow('XML has no character U+0001');
    expect(() => renderXml(element('a', {}, ['\uffff']))).toThrow('XML has no character U+ffff');
    expect(() => renderXml(element('1'))).toThrow('no XML name: "1"');
    for (const name of ['a', '_', ':', 'é', 'a1', 'a-b.c', 'a·', '\u{10000}'])
      expect(renderXml(element(name))).toContain(`<${name}/>`);
    for (const name of ['×', 'a×', '·', '.a', '\u{f0000}']) expect(() => renderXml(element(name))).toThrow(TypeError);
  });

  it('find children by name, and the text that is directly inside', () => {
    const tree = element('a', { b: undefined, c: '' }, ['x', element('d', {}, ['y']), 'z', element('e')]);
    expect(tree.attributes).toEqual({ c: '' });
    expect(childElements(tree).map(({ name }) => name)).toEqual(['d', 'e']);
    expect(childElements(tree, 'e').map(({ name }) => name)).toEqual(['e']);
    expect(childElements(tree, 'x')).toEqual([]);
    expect(textOf(tree)).toBe('xz');
  });
});
