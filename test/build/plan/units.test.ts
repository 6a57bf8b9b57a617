import { describe, expect, it } from 'vitest';
import { parseDuration, parseSize } from '../../../build/plan/units.ts';

describe('parseDuration', () => {
  it.each([
    ['0s', 0],
    ['1s', 1000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['999999s', 999_999_000],
  ])('%s is %i milliseconds', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', 's', '30', '-1s', '1.5h', '1d', '30M', ' 30m', '30m ', '1000000s', '30m30s'])('refuses %j', (text) =>
    expect(() => parseDuration(text)).toThrow(/such as 30m/),
  );
});

describe('parseSize', () => {
  it.each([
    ['0K', 0],
    ['1K', 1024],
    ['3M', 3_145_728],
    ['50G', 53_687_091_200],
    ['2T', 2_199_023_255_552],
    ['9999K', 10_238_976],
  ])('%s is %i bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', 'G', '50', '-1G', '1.5G', '50g', '50B', '10000K', '50GB'])('refuses %j', (text) =>
    expect(() => parseSize(text)).toThrow(/such as 50G/),
  );
});
