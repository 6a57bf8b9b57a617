import { describe, expect, it } from 'vitest';
import { Recent } from '../../../src/pki/asn1/recent.ts';

describe('Recent', () => {
  /** Says how often it was asked to make something. */
  const counting = (most: number) => {
    const made: string[] = [];
    const recent = new Recent<{ text: string; own: Buffer }>(most);
    const of = (bytes: Buffer) =>
      recent.of(bytes, (own) => {
        made.push(own.toString());
        return { text: own.toString(), own };
      });
    return { made, of };
  };

  it('makes the value of the same bytes once', () => {
    const { made, of } = counting(2);
    expect(of(Buffer.from('a'))).toBe(of(Buffer.from('a')));
    expect(of(Buffer.from('b')).text).toBe('b');
    expect(made).toEqual(['a', 'b']);
  });

  it('forgets the oldest when there are more than it keeps', () => {
    const { made, of } = counting(2);
    for (const text of ['a', 'b', 'a', 'b', 'c', 'b', 'a']) of(Buffer.from(text));
    expect(made).toEqual(['a', 'b', 'c', 'a']);
  });

  it('neither gives nor keeps what a caller changed', () => {
    const { of } = counting(2);
    const mine = Buffer.from('a');
    const first = of(mine);
    mine.write('b');
    expect(first.own.toString()).toBe('a');
    expect(of(mine).text).toBe('b');
    first.own.write('x');
    expect(of(Buffer.from('a')).text).toBe('a');
    expect(of(Buffer.from('a')).own.toString()).toBe('a');
  });

  it('keeps no error, and nothing that is long', () => {
    const recent = new Recent<number>(2);
    const fails = () => {
      throw new Error('no');
    };
    expect(() => recent.of(Buffer.from('a'), fails)).toThrow('no');
    expect(recent.of(Buffer.from('a'), () => 1)).toBe(1);
    const made: number[] = [];
    for (const size of [65536, 65536, 65537, 65537]) recent.of(Buffer.alloc(size), () => made.push(size));
    expect(made).toEqual([65536, 65537, 65537]);
  });
});
