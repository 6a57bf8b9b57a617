import { describe, expect, it } from 'vitest';
import { Readings } from '../../../src/verify/policy/readings.ts';

const others = (text: string) => new Readings().of(text);
const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');
const hex = (text: string) => Buffer.from(text, 'latin1').toString('hex');
const wide = (text: string) => Buffer.from(text, 'utf16le').toString('latin1');
/** What a text about rights says once its variables are filled in. */
const filled = (text: string) => others(text).find((other) => other.includes('authorizationdb') && other !== text);

describe('what else a text says', () => {
  it('is nothing for most', () => {
    for (const text of ['', 'echo a', 'A="b"\n', 'a:b', '&amp', 'x & y', '"a" "b"', '\0\0'])
      expect(others(text)).toEqual([]);
  });

  it.each<[string, string, string[]]>([
    ['letters of two bytes', wide('A:b'), ['A:b']],
    ['letters of two bytes, the higher first', Buffer.from('A:b', 'utf16le').swap16().toString('latin1'), ['A:b']],
    ['entities', 'a&amp;b&lt;c&gt;d&quot;e&apos;f', ['a&b<c>d"e\'f']],
    ['characters by number', 'a&#58;b&#x3A;c&#x3a;d', ['a:b:c:d']],
    ['numbers at their edges', '&#0;&#1;&#255;&#256;&#x0;&#xff;&#x100;', ['?\x01\xff??\xff?']],
    ['marked sections', '<a><![CDATA[A:b]]></a>', ['<a>A:b</a>']],
    ['lines that go on', 'a\\\nb\\\r\nc', ['abc']],
    ['characters by hexadecimal numbers', 'a\\x3Ab\\x3a', ['a:b:']],
    ['characters by octal numbers', '\\072\\0101\\777', [':A\xff']],
    ['characters of other languages', 'chr(58),chr 65,character id 66,chr(321)', ['":","A","B","A"']],
    ['texts that are joined', '"a" + "b"."c"&"d"', ['"abcd"']],
    ['texts in other quotes, which are not', `"a" + 'b'`, []],
    ['printf', 'printf "%s:%s" a b', ['a:b']],
    ['printf with too few words', "printf '%s:%s,' \"a\"", ['a:,']],
    ['printf with words in quotes', "printf '%s:%s' 'a' \"b\"", ['a:b']],
  ])('%s', (_, text, expected) => {
    expect(others(text)).toEqual(expected);
  }); // biome-ignore format: a table

  it.each<[string, string, string | undefined]>([
    ['a setting', `A=x\nauthorizationdb $A \${A} $AB \${AB}`, `authorizationdb x x $AB \${AB}`],
    ['a setting in quotes', `A="x y"; B='z'\nauthorizationdb $A$B`, 'authorizationdb x yz'],
    ['a setting twice', 'A=x\nA=y\nauthorizationdb $A', 'authorizationdb y'],
    ['a setting by settings', 'A=x; B="$A:y"\nauthorizationdb $B', 'authorizationdb x:y'],
    ['a setting that is not known', 'A=x; A="$(y)"\nauthorizationdb $A', 'authorizationdb $A'],
    ['a setting behind it', 'authorizationdb $A\nA=x', 'authorizationdb $A'],
    ['a word for an unset one', `authorizationdb \${A:-x}`, 'authorizationdb  x '],
    ['no setting but a word behind a dash', 'authorizationdb -A=x $A', undefined],
  ])('%s', (_, text, expected) => {
    expect(filled(text)).toBe(expected);
  });

  it('keeps only the lines about rights once variables are filled in', () => {
    expect(others('A=x\n$A\n<string>$A</string>\nauth.db $A\n,privileged $A\nAuthorizationRightSet $A')).toEqual([
      '<string>x</string>\nauth.db x\n,privileged x\nAuthorizationRightSet x',
    ]);
    expect(others('A=x\n$A')).toEqual(['']);
  });

  it('remembers settings from piece to piece', () => {
    const readings = new Readings();
    readings.of('A=x\n');
    expect(readings.of('authorizationdb $A')).toEqual(['authorizationdb x']);
  });

  it('remembers 500 of them, and forgets those that no longer fit', () => {
    const settings = (count: number) => Array.from({ length: count }, (_, at) => `A${at}=x${at}\n`).join('');
    expect(filled(`${settings(500)}authorizationdb $A0 $A499`)).toBe('authorizationdb x0 x499');
    expect(filled(`${settings(501)}authorizationdb $A499 $A500`)).toBe('authorizationdb x499 $A500');
  });

  it('remembers values of 400 characters', () => {
    const half = 'x'.repeat(199);
    const text = (more: string) => `A='${half}'\nB="$A\${A}${more}"\nauthorizationdb $B`;
    expect(filled(text('yz'))).toBe(`authorizationdb ${half}${half}yz`);
    expect(filled(text('xyz'))).toBe('authorizationdb $B');
  });

  // Its own length and three times as much, and 400 characters for those that are short.
  it.each([
    [0, 0],
    [133, 199],
  ])('grows to four times its length (%i)', (length, rest) => {
    const uses = '$A'.repeat(40);
    const head = `A=${'x'.repeat(200)}\nauthorizationdb `;
    const used = head.length + uses.length;
    const text = head + ' '.repeat((((length - used) % 200) + 200) % 200) + uses;
    const room = 3 * text.length + 400;
    expect(room % 200).toBe(rest);
    const times = Math.floor(room / 200);
    expect(times).toBeLessThan(40);
    expect(filled(text)?.match(/x{200}/g)).toHaveLength(times);
    expect(filled(text)?.match(/\$A/g)).toHaveLength(40 - times);
  });

  it.each<[string, string, string | undefined]>([
    ['base64', base64('Evil:login,x'), 'Evil:login,x'],
    ['base64 with padding', `x ${base64('Evil:login,xy')} y`, 'Evil:login,xy'],
    ['base64 that is short', base64('Evil:logi'), undefined],
    ['base64 of text without a mark', base64('Evil.login.x'), undefined],
    ['base64 with a comma', base64('Evil.login,x'), 'Evil.login,x'],
    ['base64 of bytes', base64('Evil:login,\x80'), undefined],
    ['hexadecimal digits', hex('Evil:login'), 'Evil:login'],
    ['hexadecimal digits in capitals', hex('Evil:login').toUpperCase(), 'Evil:login'],
    ['hexadecimal digits that are few', hex('Evil:logi'), undefined],
    ['several', `${base64('Evil:login,x')} ${hex('Evil:other')}`, 'Evil:login,x\nEvil:other'],
  ])('decodes %s', (_, text, expected) => {
    expect(others(text).at(-1)).toBe(expected);
  });

  it('decodes 200 pieces', () => {
    const of = (count: number) =>
      Array.from({ length: count }, (_, at) => base64(`Evil:${String(at).padStart(7, '0')}`));
    expect(others(of(200).join(' '))[0]?.split('\n')).toHaveLength(200);
    expect(others(of(202).join(' '))[0]?.split('\n')).toHaveLength(200);
  });
});

describe('what is nearly another way to say it', () => {
  const long = (length: number) => 'x'.repeat(length);

  it.each<[string, string[]]>([
    ['&#x;', []],
    ['&#;', []],
    ['&#x1234567;', []],
    ['&#12345678;', []],
    ['&#x000041;', ['A']],
    ['&#0000065;', ['A']],
    ['&AMP;', []],
    ['&quote;', []],
    ['a]]>b<![CDATA[c', ['abc']],
    ['<![cdata[', []],
    ['a\\ \nb', []],
    ['\\x3', []],
    ['\\x3G', []],
    ['\\xaFz', ['\xafz']],
    ['\\07', []],
    ['\\081', []],
    ['\\0072', [':']],
    ['\\072', [':']],
    ['\\800', []],
    ['chr(6)', ['"\x06"']],
    ['chr \t( \t65 \t)', ['"A"']],
    ['xchr(65)', []],
    ['character  id 65', []],
    ['Chr(65)', []],
    ['"a" \t+ \t"b"', ['"ab"']],
    ["'a' + 'b'", ["'ab'"]],
    ["'a'.'b'", ["'ab'"]],
    ["'a'&'b'", ["'ab'"]],
    ['"a" - "b"', []],
    ['"a"\n+ "b"', []],
    ['"a" ++ "b"', []],
    ['printf\t"%s" \t a', ['a']],
    ['xprintf "%s" a', []],
    ['printf "%s\' a', []],
    ['printf "%d" a', []],
    ['printf "%s"', []],
    ['printf "%s" a;b', ['a;b']],
    [`printf "${long(100)}%s${long(100)}" a`, [`${long(100)}a${long(100)}`]],
    [`printf "${long(101)}%s" a`, []],
    [`printf "%s${long(101)}" a`, []],
    [`printf "%s" ${long(100)}`, [long(100)]],
    [`printf "%s" ${long(101)}`, [`${long(100)}x`]],
    [`printf "${'%s'.repeat(10)}" ${[...'abcdefghij'].join(' ')}`, ['abcdefghij']],
    [`printf "${'%s'.repeat(11)}" ${[...'abcdefghijk'].join(' ')}`, ['abcdefghij k']],
    ['printf "%s" ""', ['']],
    [`printf "%s" '"a"'`, ['"a"']],
    [`printf "%s" "a'`, [`"a'`]],
  ])('%j', (text, expected) => expect(others(text)).toEqual(expected));

  it.each<[string, string | undefined]>([
    ['A1_=x\nauthorizationdb $A1_', 'authorizationdb x'],
    ['_A=x\nauthorizationdb $_A', 'authorizationdb x'],
    ['1A=x\nauthorizationdb $1A', undefined],
    ['xA=x\nauthorizationdb $A', undefined],
    ['$A=x\nauthorizationdb $A', undefined],
    [`${long(64)}=y\nauthorizationdb $${long(64)}`, 'authorizationdb y'],
    [`${long(65)}=y\nauthorizationdb $${long(65)}`, undefined],
    ['A=x`y`\nauthorizationdb $A', 'authorizationdb x'],
    ["A='x`y'\nauthorizationdb $A", 'authorizationdb $A'],
    ["A='x$'\nauthorizationdb $A", 'authorizationdb $A'],
    ...[' ', ';', '&', '|', '(', ')', '<', '>', '\n'].map((mark): [string, string] => [
      `A=x${mark}y\nauthorizationdb $A`,
      'authorizationdb x',
    ]),
    [`A="${long(200)}"\nauthorizationdb $A`, `authorizationdb ${long(200)}`],
    [`A='${long(200)}'\nauthorizationdb $A`, `authorizationdb ${long(200)}`],
    [`A=${long(200)}\nauthorizationdb $A`, `authorizationdb ${long(200)}`],
    [`A=${long(201)}\nauthorizationdb $A`, `authorizationdb ${long(200)}`],
    [`A=\nauthorizationdb x\${A}y`, 'authorizationdb xy'],
    ['A="x\ny"\nauthorizationdb $A', 'authorizationdb '],
  ])('a setting: %j', (text, expected) => {
    const found = filled(text);
    if (expected === undefined) expect(found ?? text).toContain(text.split('\n')[1]);
    else expect(found).toBe(expected);
  });

  it.each(['-', '=', '+', ':-', ':=', ':+'])('a word for an unset one behind %s', (mark) => {
    expect(filled(`authorizationdb \${A${mark}a:b}`)).toBe('authorizationdb  a:b ');
    expect(filled(`authorizationdb \${A${mark}${long(200)}}`)).toBe(`authorizationdb  ${long(200)} `);
    expect(filled(`authorizationdb \${A${mark}${long(201)}}`)).not.toBe(`authorizationdb  ${long(201)} `);
  });

  it.each(['?', ':?', '#', '%', '/', '::-'])('no word behind %s', (mark) => {
    expect(filled(`authorizationdb \${A${mark}a:b}`)).toBeUndefined();
    expect(filled(`authorizationdb \${-a:b}`)).toBeUndefined();
  });

  it.each(['AuthorizationDB', 'authorizationright', 'AUTH.DB', ', \tprivileged', '<STRING>'])(
    'a line about rights: %s',
    (word) => {
      expect(others(`A=x\n${word} $A`).at(-1)).toBe(`${word} x`);
    },
  );

  it.each(['authorization', 'authxdb', 'privileged', '<strin>', ',x privileged'])(
    'no line about rights: %s',
    (word) => {
      expect(others(`A=x\n${word} $A`).at(-1)).toBe('');
    },
  );

  it('letters of two bytes, two of them, that people can read', () => {
    for (const text of [' \0~\0', '\0 \0~', 'x\0 \0~'.slice(1)]) expect(others(text)).toEqual([' ~']);
    for (const text of ['\x1f\0~\0', '\x7f\0~\0', ' \0\x1f\0', 'a\0', '\0a', '\0 \0\x7f'])
      expect(others(text)).toEqual([]);
  });

  it('hexadecimal digits in pairs, ten of them, and nothing of their kind around', () => {
    const ten = hex('Evil:login');
    for (const text of [ten, `x${ten}x`, `-${ten}:`]) expect(others(text).at(-1), text).toBe('Evil:login');
    for (const mark of ['0', '9', 'a', 'f', 'A', 'F'])
      for (const text of [mark + ten, ten + mark]) expect(others(text).join(), text).not.toContain('Evil:login');
  });

  it('base64 of 16 characters, of every letter', () => {
    for (const text of ['Evil:login,x', 'a?b>c:~~~???', 'Evil:login\t\n', 'Evil:login\r ', '~Evil:login,'])
      expect(others(` ${base64(text)} `).at(-1)).toBe(text);
    for (const mark of ['\x08', '\x0b', '\x1f', '\x7f']) expect(others(base64(`Evil:login,${mark}`))).toEqual([]);
  });
});
