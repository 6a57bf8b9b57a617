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

  it('writes each kind as CoreFoundation does', () => {
    const rendered = (one: unknown) =>
      renderPropertyList(one as never)
        .split('\n')
        .slice(3, -2);
    expect(rendered('a & <b> "c"')).toEqual(['<string>a &amp; &lt;b&gt; "c"</string>']);
    expect(rendered(1.5)).toEqual(['<real>1.5</real>']);
    expect(rendered(-3n)).toEqual(['<integer>-3</integer>']);
    expect(rendered(false)).toEqual(['<false/>']);
    expect(rendered(new Date('2026-02-03T04:05:06.789Z'))).toEqual(['<date>2026-02-03T04:05:06Z</date>']);
    expect(rendered([])).toEqual(['<array/>']);
    expect(rendered(new Map())).toEqual(['<dict/>']);
    expect(rendered([[true], new Map([['<', []]])])).toEqual([
      '<array>',
      '\t<array>',
      '\t\t<true/>',
      '\t</array>',
      '\t<dict>',
      '\t\t<key>&lt;</key>',
      '\t\t<array/>',
      '\t</dict>',
      '</array>',
    ]);
    expect(renderPropertyList(true).split('\n').slice(0, 3)).toEqual([
      '<?xml version="1.0" encoding="UTF-8"?>',
      '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
      '<plist version="1.0">',
    ]);
    expect(renderPropertyList(true).endsWith('<true/>\n</plist>\n')).toBe(true);
  });

  it.each([
    [0, 57, ['/'.repeat(76)]],
    [0, 60, ['/'.repeat(76), '////']],
    [7, 15, [`${'\t'.repeat(7)}${'/'.repeat(20)}`]],
    [8, 12, [`${'\t'.repeat(8)}${'/'.repeat(12)}`, `${'\t'.repeat(8)}////`]],
    [9, 12, [`${'\t'.repeat(8)}${'/'.repeat(12)}`, `${'\t'.repeat(8)}////`]],
    [1, 0, []],
  ])('breaks base64 %i levels deep, of %i bytes', (depth, size, expected) => {
    let value: unknown = Buffer.alloc(size, 0xff);
    for (let level = 0; level < depth; level++) value = [value];
    const lines = renderPropertyList(value as never).split('\n');
    const [from, to] = [
      lines.findIndex((line) => line.includes('<data>')),
      lines.findIndex((line) => line.includes('</data>')),
    ];
    expect(lines.slice(from + 1, to)).toEqual(expected);
    expect([lines[from], lines[to]]).toEqual(['<data>', '</data>'].map((tag) => '\t'.repeat(Math.min(depth, 8)) + tag));
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

  it.each([
    ['<string></string>', ''],
    ['<string> a </string>', ' a '],
    ['<true/>', true],
    ['<false></false>', false],
    ['<integer>0</integer>', 0n],
    ['<integer> +12\n</integer>', 12n],
    ['<integer>-12</integer>', -12n],
    [`<integer>${'9'.repeat(20)}</integer>`, 10n ** 20n - 1n],
    ['<real>1</real>', 1],
    ['<real> -1.5e-3 </real>', -0.0015],
    ['<real>+2E2</real>', 200],
    ['<date>2026-02-28T23:59:59Z</date>', new Date(Date.UTC(2026, 1, 28, 23, 59, 59))],
    ['<date>0001-01-01T00:00:00Z</date>', new Date('0001-01-01T00:00:00Z')],
    ['<date>2024-02-29T00:00:00Z</date>', new Date(Date.UTC(2024, 1, 29))],
    ['<data></data>', Buffer.alloc(0)],
    ['<data>\n\taGk=\n\t</data>', Buffer.from('hi')],
    ['<data>aG kh</data>', Buffer.from('hi!')],
    ['<array/>', []],
    ['<array> <true/>\n\t<array/> </array>', [true, []]],
    ['<dict/>', new Map()],
    [
      '<dict> <key> a</key> <true/> <key/> <integer>1</integer> </dict>',
      new Map<string, unknown>([
        [' a', true],
        ['', 1n],
      ]),
    ],
  ])('reads %s', (body, expected) => {
    expect(parsePropertyList(document(body))).toStrictEqual(expected);
  });

  it.each([
    ['<false>false</false>', 'text in <false>'],
    ['<true> </true>', 'text in <true>'],
    ['<integer/>', "integer ''"],
    ['<integer>1.0</integer>', "integer '1.0'"],
    ['<integer>+-1</integer>', "integer '+-1'"],
    [`<integer>${'9'.repeat(21)}</integer>`, 'integer'],
    ['<integer>1 2</integer>', "integer '1 2'"],
    ['<real>.5</real>', "real '.5'"],
    ['<real>1.</real>', "real '1.'"],
    ['<real>nan</real>', "real 'nan'"],
    ['<real>1e</real>', "real '1e'"],
    ['<real></real>', "real ''"],
    ['<date>2026-02-29T00:00:00Z</date>', 'date'],
    ['<date>2026-01-01T24:00:00Z</date>', 'date'],
    ['<date>2026-01-01</date>', "date '2026-01-01'"],
    ['<date>2026-01-01T00:00:00+01:00</date>', 'date'],
    ['<date>x2026-01-01T00:00:00Z</date>', 'date'],
    ['<date> 2026-01-01T00:00:00Z</date>', 'date'],
    ['<data>aGk</data>', 'base64'],
    ['<data>aGl=</data>', 'base64'],
    ['<data>a-_=</data>', 'base64'],
    ['<dict><key>a</key><key>b</key></dict>', "no value for key 'a'"],
    ['<dict><key><true/></key><true/></dict>', '<true> inside <key>'],
    ['<dict><key>a</key><true/>x</dict>', 'text between elements'],
    ['<true/><false/><true/>', 'expected one value, found 3'],
    ['x<true/>', 'text between elements'],
  ])('refuses %s', (body, problem) => {
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
