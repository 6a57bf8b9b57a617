import { describe, expect, it } from 'vitest';
import { printable } from '../../../build/report/printable.ts';

describe('printable', () => {
  it.each([
    ['an escape sequence', 'a\x1b[2Jb', 'a\\u001b[2Jb'],
    ['a line feed that would begin a line of its own', 'a\nb', 'a\\u000ab'],
    ['a control of the upper half', 'a\u009bb', 'a\\u009bb'],
    ['text turned round', 'a\u202eb', 'a\\u202eb'],
  ])('spells out %s', (_, line, shown) => {
    expect(printable(line)).toBe(shown);
  });

  it('leaves names of any script as they are', () => {
    expect(printable('  Größe e\u0301 日本語 🔑')).toBe('  Größe e\u0301 日本語 🔑');
  });
});
