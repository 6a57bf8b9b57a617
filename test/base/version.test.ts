import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareVersions, isVersion } from '../../src/base/version.ts';

describe('compareVersions', () => {
  it.each([
    ['1.9.2', '1.10', -1],
    ['11', '11.0', 0],
    ['11.0.0.1', '11', 1],
    ['10.14.4', '10.14', 1],
    ['010.1', '10.01', 0],
    ['0', '0.0.0', 0],
    ['26.2', '9.99.99', 1],
  ])('orders %s and %s by their numbers', (one, other, sign) => {
    expect(Math.sign(compareVersions(one, other))).toBe(sign);
    expect(Math.sign(compareVersions(other, one))).toBe(sign === 0 ? 0 : -sign);
  });

  it('is an order of all versions', () => {
    const version = fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        const [first, second, third] = [a, b, c].sort(compareVersions) as [string, string, string];
        return (
          compareVersions(first, second) <= 0 &&
          compareVersions(second, third) <= 0 &&
          compareVersions(first, third) <= 0
        );
      }),
    );
  });

  it.each([
    '',
    '.',
    '11.',
    '.1',
    '1..2',
    '1.x',
    ' 11',
    '11 ',
    '-1',
    '+1',
    '1e3',
    '11,0',
    '１１',
    '1\n',
    '1'.repeat(16),
  ])('throws for %j instead of finding it neither below nor above', (text) => {
    expect(isVersion(text)).toBe(false);
    expect(() => compareVersions(text, '11')).toThrow(TypeError);
    expect(() => compareVersions('11', text)).toThrow(TypeError);
  });
});
