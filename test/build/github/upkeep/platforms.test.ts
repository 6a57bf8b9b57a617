import { describe, expect, it } from 'vitest';
import { platformFindings } from '../../../../build/github/upkeep/platforms.ts';

describe('platformFindings', () => {
  it.each([
    ['2026-08-01', []],
    ['2027-04-04', ['macos-15-intel', 'xcode-27']],
    ['2027-06-01', ['macos-15-intel', 'Rosetta 2', 'xcode-27']],
    ['2029-01-01', ['macos-15-intel', 'macos-26-intel', 'Rosetta 2', 'xcode-27']],
  ])('on %s', (day, names) => {
    const findings = platformFindings(new Date(`${day}T00:00:00Z`));
    expect(findings.map((line) => /macos-\d+-intel|Rosetta 2|xcode-27/.exec(line)?.[0])).toEqual(names);
  });
});
