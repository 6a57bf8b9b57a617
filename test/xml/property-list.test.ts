import fc from 'fast-check';
import { parse } from 'plist';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { parsePropertyList, parsePropertyListDictionary, renderPropertyList } from '../../src/xml/property-list.ts';

const document = (body: string) => Buffer.from(`<?xml version="1.0"?>\n<plist version="1.0">${body}</plist>`);

const text = fc.stringMatching(/^[ -~äß€]{0,20}$/);
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }),
    fc.integer({ min: 0, max: 5000 }),
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
  ),
})).value as fc.Arbitrary<never>;

describe('renderPropertyList', () => {
  it('sorts keys by UTF-16 code unit and breaks base64 as CoreFoundation does', () => {
    const data = Buffer.alloc(60, 0xff);
    const rendered = renderPropertyList(
      new Map([
        ['b', data],
        ['a', new Map()],
        ['B', 20],
        ['Ä', true],
      ] as never),
    );
    expect(rendered.split('\n').slice(3, -2)).toEqual([
      '<dict>',
      '\t<key>B</key>',
      '\t<real>20</real>',
      '\t<key>a</key>',
      '\t<dict/>',
      '\t<key>b</key>',
      '\t<data>',
      `\t${'/'.repeat(68)}`,
      `\t${'/'.repeat(12)}`,
      '\t</data>',
      '\t<key>Ä</key>',
      '\t<true/>',
      '</dict>',
    ]);
  });

  it('reads back as what was written', () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(parsePropertyList(Buffer.from(renderPropertyList(one)))).toEqual(one);
      }),
    );
  });

  it('is read by another library alike', () => {
    const rendered = renderPropertyList(new Map([['a & <b>', ['x', true, 3n, Buffer.from('hi')]]] as never));
    const read = parse(rendered) as Record<string, unknown[]>;
    expect(read['a & <b>']?.slice(0, 3)).toEqual(['x', true, 3]);
  });
});

describe('parsePropertyList', () => {
  it.each([
    ['a key twice', '<dict><key>a</key><true/><key>a</key><false/></dict>', "key 'a' is given twice"],
    ['a key without value', '<dict><key>a</key></dict>', "no value for key 'a'"],
    ['a value without key', '<dict><true/></dict>', '<true> without a key'],
    ['two values', '<true/><true/>', 'expected one value, found 2'],
    ['no value', '', 'expected one value, found 0'],
    ['text between elements', '<dict>x</dict>', 'text between elements'],
    ['a strange element', '<dict><key>a</key><b/></dict>', 'element <b>'],
    ['an element inside of text', '<string><true/></string>', '<true> inside <string>'],
    ['base64 that is none', '<data>A===</data>', 'base64'],
    ['an integer that is none', '<integer>0x1</integer>', "integer '0x1'"],
    ['a date that is none', '<date>today</date>', "date 'today'"],
    ['a year that not every calendar has', '<date>0000-01-01T00:00:00Z</date>', "date '0000-01-01T00:00:00Z'"],
    ['a day that its month lacks', '<date>2026-02-31T00:00:00Z</date>', "date '2026-02-31T00:00:00Z'"],
    ['a key outside of a dictionary', '<array><key>a</key></array>', '<key> outside of <dict>'],
    ['a property list in another', '<plist><true/></plist>', '<true> inside <plist>'],
    ['text in a boolean', '<true>no</true>', 'text in <true>'],
    ['a no-break space between elements', '<array>\u00a0<true/></array>', 'text between elements'],
  ])('refuses %s', (_, body, problem) => {
    expect(() => parsePropertyList(document(body))).toThrow(problem);
  });

  it('refuses entities of its own, depth without end, other encodings and roots', () => {
    const entity = Buffer.from(
      '<?xml version="1.0"?><!DOCTYPE plist [<!ENTITY a "b">]><plist><string>&a;</string></plist>',
    );
    expect(() => parsePropertyList(entity)).toThrow('expected no declarations in the document type');
    expect(() => parsePropertyList(Buffer.from('<plist version="1.0"><true/></plist><plist/>'))).toThrow(FormatError);
    expect(() => parsePropertyList(Buffer.from('<array/>'))).toThrow('expected <plist>, found <array>');
    expect(() =>
      parsePropertyList(Buffer.from('<?xml version="1.0" encoding="UTF-16"?><plist><true/></plist>')),
    ).toThrow('expected encoding utf-8, found UTF-16');
    expect(() => parsePropertyList(document('<array>'.repeat(2000)))).toThrow('at most 64 elements inside each other');
    expect(() => parsePropertyList(Buffer.from([0xff, 0xfe, 0x3c, 0x00]))).toThrow('expected UTF-8');
    expect(() => parsePropertyListDictionary(document('<array/>'))).toThrow('expected a dictionary at the root');
  });

  it('puts pieces of text together, and says where a fault stands', () => {
    expect(parsePropertyList(document('<string>a<![CDATA[<b>]]><!-- -->c</string>'))).toBe('a<b>c');
    expect(() => parsePropertyList(document('<array><true/><x/></array>'))).toThrow('offset 57: element <x>');
  });

  it('keeps a key that names an object’s prototype as a key', () => {
    const read = parsePropertyListDictionary(document('<dict><key>__proto__</key><string>x</string></dict>'));
    expect(read.get('__proto__')).toBe('x');
  });
});
