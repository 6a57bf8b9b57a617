import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { documentIn, parseDocument, parseJson, show } from '../../src/base/document.ts';
import { UsageError } from '../../src/base/errors.ts';

const schema = z.strictObject({
  a: z.string('text'),
  b: z.array(z.strictObject({ c: z.number('a number') })).optional(),
});
const parse = (source: Buffer | string) =>
  parseDocument(source, { name: 'x.json', schema, code: 'X_INVALID', hint: 'do it' });

describe('parseDocument', () => {
  it('gives what the schema describes', () => {
    expect(parse('{"a":"b","b":[{"c":1}]}')).toEqual({ a: 'b', b: [{ c: 1 }] });
    expect(parse(Buffer.from('{"a":"ä"}'))).toEqual({ a: 'ä' });
  });

  it('lists every problem: path, value, what is allowed', () => {
    expect(() => parse('{"b":[{"c":1},{"c":"2","d":{}}],"e":null}')).toThrow(
      new UsageError(
        'X_INVALID',
        'x.json has 4 problems:\n' +
          '  a: missing; allowed is text\n' +
          '  b.1.c: "2": allowed is a number\n' +
          '  b.1.d: no such setting; remove it or mend its name\n' +
          '  e: no such setting; remove it or mend its name',
        { hint: 'do it' },
      ),
    );
    expect(() => parse('[]')).toThrow('x.json has 1 problem:\n  (the whole file): []: allowed is object');
  });

  it('asks for contradictions of a value of the wrong shape too', () => {
    const contradictions = (value: unknown) => [`found ${JSON.stringify(value)}`];
    const refused = () => parseDocument('{}', { name: 'x.json', schema, code: 'X_INVALID', contradictions });
    expect(refused).toThrow('x.json has 2 problems:\n  a: missing; allowed is text\n  found {}');
    const right = () => parseDocument('{"a":""}', { name: 'x.json', schema, code: 'X_INVALID', contradictions });
    expect(right).toThrow('x.json has 1 problem:\n  found {"a":""}');
  });
});

describe('parseJson', () => {
  it.each([
    [
      'a key twice',
      '{\n  "a": 1,\n  "a": 2\n}',
      'x.json is not valid JSON: line 3, column 3: the key "a" stands twice in one object',
    ],
    ['a key twice, spelled otherwise', '{"a":1,"\\u0061" : 1}', 'column 8: the key "a" stands twice'],
    ['a key twice inside of another object', '[{"a":{"b":[{}],"c":[],"b":0}}]', 'the key "b" stands twice'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', 'the key "__proto__" stands twice'],
    ['a second document', '{}\n{}', 'line 2, column 1: '],
    ['a byte order mark', '\ufeff{}', 'it begins with a byte order mark'],
    ['a byte order mark in bytes', Buffer.from('\ufeff{}'), 'it begins with a byte order mark'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xe9, 0x22]), 'it is not UTF-8'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'x.json is not valid JSON: '],
    ['text that is cut', '{"a":\n', 'line 2, column 1: Unexpected end of JSON input'],
    ['nothing', '', 'line 1, column 1: Unexpected end of JSON input'],
    ['a comma too many', '{"a":1,}', 'x.json is not valid JSON: '],
    ['a comment', '// a\n{}', 'x.json is not valid JSON: '],
  ])('refuses %s', (_, source, problem) => {
    expect(() => parseJson(source, 'x.json')).toThrow(problem);
    expect(() => parseJson(source, 'x.json')).toThrow(expect.objectContaining({ code: 'JSON_INVALID' }));
  });

  it.each([
    ['the same key in two objects', '{"a":{"b":1},"c":{"b":2},"b":3}'],
    ['the same text as key and value', '{"a":"a","b":["a","a",{"a":"a"}]}'],
    ['brackets and keys inside of text', '{"a":"\\"a\\":","b":"{\\"a\\":1,\\"a\\":1}","c":"\\\\","d":"[}"}'],
  ])('takes %s', (_, source) => {
    expect(parseJson(source, 'x.json')).toEqual(JSON.parse(source));
  });
});

describe('documentIn', () => {
  it('is the document, or nothing for other bytes', () => {
    const found = (text: string) => documentIn(Buffer.from(text), schema);
    expect(found('{"a":"b"}')).toEqual({ a: 'b' });
    expect([found(''), found('<html>'), found('{"a":1}'), found('{"a":"b","a":"c"}'), found('null')]).toEqual(
      Array(5).fill(undefined),
    );
  });
});

describe('show', () => {
  it('cuts what is longer than 80 characters', () => {
    expect(show('a'.repeat(78))).toBe(`"${'a'.repeat(78)}"`);
    expect(show('a'.repeat(79))).toBe(`"${'a'.repeat(76)}...`);
    expect([show(undefined), show(null), show({ a: [1] })]).toEqual(['undefined', 'null', '{"a":[1]}']);
  });
});

describe('parseDocument, refusing', () => {
  it('has a hint only where its form has one', () => {
    const fault = (hint?: string): UsageError => {
      try {
        parseDocument('{}', { name: 'x', schema, code: 'X', ...(hint === undefined ? {} : { hint }) });
        return expect.unreachable();
      } catch (error) {
        return error as UsageError;
      }
    };
    expect([fault().hint, fault('do it').hint, fault().code]).toEqual([undefined, 'do it', 'X']);
  });

  it('takes a value of the right shape without any contradiction', () => {
    const contradictions = () => [];
    expect(parseDocument('{"a":""}', { name: 'x', schema, code: 'X', contradictions })).toEqual({ a: '' });
  });

  it('shows each name on one line, and each setting where it stands', () => {
    expect(() => parseDocument('{}', { name: 'a\nb', schema, code: 'X' })).toThrow('"a\\nb" has 1 problem');
    expect(() => parse('{"a":7,"b":{}}')).toThrow('  a: 7: allowed is text\n  b: {}: allowed is array');
    expect(() => parse('{"a":"","b":[{"c":1},null]}')).toThrow('  b.1: null: allowed is object');
    expect(() => parse('{"a":"","b":[{"c":1,"x":1,"y":2}]}')).toThrow(
      /2 problems:\n {2}b\.0\.x: no such.*\n {2}b\.0\.y: no/,
    );
  });

  it('says of JSON where it breaks off, and what JSON wants', () => {
    expect(() => parseJson('{\n "a": 1\n "b"}', 'x')).toThrow(/x is not valid JSON: line 3, column 2: /);
    expect(() => parseJson('{', 'x')).toThrow(/line 1, column 2: /);
    expect(() => parseJson('{', 'x')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('double quotes') }),
    );
    expect(parseJson('[[],{"a":{}},{"a":1}]', 'x')).toEqual([[], { a: {} }, { a: 1 }]);
    expect(() => parseJson('[{"a":[],"b":{"a":1},"a":2}]', 'x')).toThrow('column 22: the key "a" stands twice');
  });
});

describe('documentIn, with a schema that fails itself', () => {
  it('passes the error on', () => {
    const broken = z.string().transform(() => {
      throw new TypeError('bug');
    });
    expect(() => documentIn(Buffer.from('"a"'), broken)).toThrow('bug');
  });
});
