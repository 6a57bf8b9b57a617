import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import {
  childElements,
  element,
  parseXml,
  renderXml,
  textOf,
  type XmlElement,
  type XmlNode,
} from '../../src/xml/xml.ts';
import { character } from '../support/characters.ts';
import { check, needs } from '../support/needs.ts';
import { faultOf } from '../support/xar.ts';

const xmllint = needs('xmllint');

describe('renderXml', () => {
  it('writes as pkgbuild does: 4 blanks a level, empty elements closed at once, no newline at the end', () => {
    const root = element('a', { b: '1', skipped: undefined }, [
      element('c'),
      element('d', {}, [element('e', { f: '' }), element('g', {}, ['text'])]),
    ]);
    expect(renderXml(root)).toBe(
      '<?xml version="1.0" encoding="utf-8"?>\n<a b="1">\n    <c/>\n    <d>\n        <e f=""/>\n        <g>text</g>\n    </d>\n</a>',
    );
  });

  it('writes as libxar does when asked', () => {
    const style = { indent: 1, encodingName: 'UTF-8', finalNewline: true } as const;
    expect(renderXml(element('xar', {}, [element('toc')]), style)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<xar>\n <toc/>\n</xar>\n',
    );
  });

  it('escapes what would end a text or an attribute, and white space that a parser would change', () => {
    const text = renderXml(element('a', { b: '<&>"\'\t\r\n' }, ['<&>"\'\t\r\n']));
    expect(text.split('\n').slice(1).join('\n')).toBe(
      '<a b="&lt;&amp;&gt;&quot;\'&#9;&#13;&#10;">&lt;&amp;&gt;"\'\t&#13;\n</a>',
    );
  });

  it('adds no white space beside text', () => {
    expect(renderXml(element('a', {}, ['x', element('b', {}, [element('c')]), 'y']))).toContain('<a>x<b><c/></b>y</a>');
  });

  it.each(['', '1a', 'a b', 'a>', '-a', 'a\u0000'])('refuses the name %j', (name) => {
    expect(() => renderXml(element(name))).toThrow(TypeError);
    expect(() => renderXml(element('a', { [name]: '' }))).toThrow(TypeError);
  });

  it.each(['\u0000', '\u0008', '\u001f', '\ud800', '\udc00x', '\ufffe', '\uffff'])(
    'refuses the character %j',
    (text) => {
      expect(() => renderXml(element('a', {}, [text]))).toThrow(/XML has no character U\+/);
      expect(() => renderXml(element('a', { b: text }))).toThrow(TypeError);
    },
  );
});

describe('parseXml', () => {
  it('keeps attributes, text and order; drops white space between elements, comments and instructions', () => {
    const root = parseXml('<a z="1" b="2"><!-- no -->\n <?no ?><c> x </c> <d/>\n</a>', 'Example');
    expect(Object.entries(root.attributes)).toEqual([
      ['z', '1'],
      ['b', '2'],
    ]);
    expect(root.children.map((child) => (typeof child === 'string' ? child : child.name))).toEqual(['c', 'd']);
    expect(textOf(childElements(root, 'c')[0] as XmlElement)).toBe(' x ');
  });

  it('joins text, entities of XML, character references and CDATA', () => {
    const root = parseXml('<a>1 &lt;&amp;&gt;&quot;&apos;&#65;&#x42;<![CDATA[<&]]>é</a>', 'Example');
    expect(root.children).toEqual(['1 <&>"\'AB<&é']);
  });

  it('tells where each element begins, in bytes', () => {
    const text = '<?xml version="1.0"?>\n<u v="ü">\n <b a="é😀"/>\n <c/></u>';
    const root = parseXml(text, 'Example');
    const at = (part: string) => Buffer.byteLength(text.slice(0, text.indexOf(part)));
    expect([root, ...childElements(root)].map(({ offset }) => offset)).toEqual([at('<u'), at('<b'), at('<c')]);
  });

  it('takes a byte order mark', () => {
    expect(parseXml(Buffer.from('\ufeff<a/>'), 'Example').name).toBe('a');
  });

  const faults: [string, string | Buffer, string, number?][] = [
    ['no element', '', 'XML_SYNTAX'],
    ['only a comment', '<!-- a -->', 'XML_SYNTAX'],
    ['an element that is not closed', '<a><b></b>', 'XML_SYNTAX', 10],
    ['a wrong closing tag', '<a></b>', 'XML_SYNTAX', 7],
    ['two roots', '<a/><b/>', 'XML_SYNTAX', 7],
    ['text behind the root', '<a/>x', 'XML_SYNTAX'],
    ['an attribute twice', '<a b="1" b="2"/>', 'XML_SYNTAX'],
    ['an attribute without quotes', '<a b=1/>', 'XML_SYNTAX'],
    ['a bare ampersand', '<a>& </a>', 'XML_SYNTAX'],
    ['an entity that XML does not have', '<a>&nbsp;</a>', 'XML_SYNTAX'],
    ['a NUL', '<a>\u0000</a>', 'XML_SYNTAX', 4],
    ['a character reference to NUL', '<a>&#0;</a>', 'XML_SYNTAX'],
    ['a cut CDATA section', '<a><![CDATA[x', 'XML_SYNTAX'],
    ['XML 1.1', '<?xml version="1.1"?><a/>', 'XML_SYNTAX', 21],
    ['Latin-1', '<?xml version="1.0" encoding="ISO-8859-1"?><a/>', 'XML_ENCODING'],
    ['UTF-16', Buffer.from('\ufeff<a/>', 'utf16le'), 'XML_ENCODING', 0],
    ['a byte that is not UTF-8', Buffer.from('<a>é\xff</a>'.replace('é', 'e'), 'latin1'), 'XML_ENCODING', 4],
    ['a character in its longest form', Buffer.from([0x3c, 0x61, 0x3e, 0xc0, 0xaf]), 'XML_ENCODING', 3],
    ['a character cut by the end', Buffer.from([0x3c, 0x61, 0x3e, 0xc3]), 'XML_ENCODING', 4],
    ['a document type', '<!DOCTYPE a><a/>', 'XML_DOCTYPE', 12],
    ['an entity declaration', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', 'XML_DOCTYPE', 30],
    ['a name that not every edition of XML allows', '<a \ufffdb=""/>', 'XML_SYNTAX'],
    ['an instruction with such a name', '<?\u0390\ufffd x?><a/>', 'XML_SYNTAX'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'XML_DOCTYPE'],
  ];
  it.each(faults)('refuses %s', async (_, document, code, offset) => {
    const fault = await faultOf(() => parseXml(document, 'Example'));
    expect(fault.code).toBe(code);
    expect(fault.format).toBe('Example');
    if (offset !== undefined) expect(fault.offset).toBe(offset);
  });

  it.each([' a "x"', ' a PUBLIC "b"', ' a PUBLIC "<" "c"', ' a SYSTEM b', ' <a', 'a', ' \ufffda'])(
    'refuses a document type that other readers refuse: <!DOCTYPE%s>',
    async (type) => {
      const read = () => parseXml(`<!DOCTYPE${type}><a/>`, 'Example', { documentType: 'external' });
      expect((await faultOf(read)).code).toMatch(/XML_DOCTYPE|XML_SYNTAX/);
    },
  );

  it('takes one that says where it lies', () => {
    for (const type of ['a', 'a SYSTEM "b"', "a PUBLIC '-//A//B' 'http://c'"]) {
      expect(parseXml(`<!DOCTYPE ${type}><a/>`, 'Example', { documentType: 'external' }).name).toBe('a');
    }
  });

  it('refuses a thousand million laughs before it expands one', async () => {
    const levels = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('');
    const bomb = `<!DOCTYPE a [<!ENTITY l0 "ha">${levels}]><a>&l9;</a>`;
    expect((await faultOf(() => parseXml(bomb, 'Example'))).code).toBe('XML_DOCTYPE');
  });

  it('ends with a tree or a FormatError, whatever the bytes', () => {
    const token = fc.constantFrom(
      '<a>',
      '</a>',
      '<a',
      '/>',
      '"',
      '=',
      '&lt;',
      '&',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<?',
      '?>',
      ' ',
      'x',
      '\xff',
      '\0',
      '<!DOCTYPE',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        try {
          expect(parseXml(Buffer.from(tokens.join(''), 'latin1'), 'Example').name).toMatch(/^a/);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('holds its limits at their edges', async () => {
    const nested = (depth: number) => '<a>'.repeat(depth) + '</a>'.repeat(depth);
    expect(parseXml(nested(64), 'Example').name).toBe('a');
    expect(await faultOf(() => parseXml(nested(65), 'Example'))).toMatchObject({ code: 'XML_DEPTH', offset: 192 });
    expect((await faultOf(() => parseXml(nested(200_000), 'Example'))).code).toBe('XML_DEPTH');
    expect(parseXml('<a><b/><b/></a>', 'Example', { elements: 3 }).name).toBe('a');
    expect((await faultOf(() => parseXml('<a><b/><b/></a>', 'Example', { elements: 2 }))).code).toBe('XML_ELEMENTS');
    expect(parseXml('<a/>', 'Example', { size: 4 }).name).toBe('a');
    expect(await faultOf(() => parseXml('<a/> ', 'Example', { size: 4 }))).toMatchObject({
      code: 'XML_SIZE',
      offset: 4,
    });
  });
});

describe('XML trees', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/);
  const text = fc
    .string({ unit: character, minLength: 1, maxLength: 12 })
    .map((value) => value.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?'));
  const { node } = fc.letrec<{ node: XmlElement }>((tie) => ({
    node: fc
      .record({
        name,
        attributes: fc.dictionary(name, text, { maxKeys: 4 }),
        children: fc.oneof(
          { depthSize: 'small' },
          fc.constant<XmlNode[]>([]),
          text.map((value): XmlNode[] => [value]),
          fc.array(tie('node'), { minLength: 1, maxLength: 4 }),
        ),
      })
      .map((value) => element(value.name, value.attributes, value.children)),
  }));

  it('are the same after rendering and parsing', () => {
    fc.assert(
      fc.property(node, fc.nat(4), (tree, indent) => {
        expect(withoutOffsets(parseXml(renderXml(tree, { indent }), 'Example'))).toEqual(withoutOffsets(tree));
      }),
      { numRuns: 300 },
    );
  });

  it.skipIf(xmllint.missing)(`are well-formed for xmllint${xmllint.note}`, () => {
    for (const tree of fc.sample(node, { numRuns: 20, seed: 1 })) {
      check('xmllint', ['--noout', '--nonet', '-'], Buffer.from(renderXml(tree)));
    }
  });
});

function withoutOffsets(node: XmlElement): unknown {
  return {
    name: node.name,
    attributes: { ...node.attributes },
    children: node.children.map((child) => (typeof child === 'string' ? child : withoutOffsets(child))),
  };
}
