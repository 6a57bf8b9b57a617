import { describe, expect, it } from 'vitest';
import { checkTools, zlibReason } from '../../../build/prove/other-tools.ts';
import { CheckList } from '../../../src/base/check.ts';

describe('zlib', () => {
  const here = process.versions.zlib;

  it.each([
    ['no release.json', null, null],
    ['a release.json without it', { tools: { clang: '14' } }, null],
    ['the one here', { tools: { zlib: here } }, null],
    ['another one', { tools: { zlib: '0.9' } }, `release.json names zlib 0.9, here it is ${here}`],
  ])('of %s', (_, manifest, reason) => expect(zlibReason(manifest)).toBe(reason));
});

describe('the tools that compiled', () => {
  function told(tools: Record<string, string>, recorded: Record<string, string> | null, named: readonly string[] = []) {
    const list = new CheckList('package');
    checkTools(list, named, { tools }, recorded && { tools: recorded });
    return list.checks.map(({ id, status, reason }) => `${id} ${status}: ${reason}`);
  }
  const SAME = ['rebuilt-compiler pass: the same tools, so that they are not the reason'];
  const other = (...reasons: string[]) => [
    `rebuilt-compiler fail: another compiler is a reason for other code: ${reasons.join('; ')}`,
  ];

  it.each<[string, Parameters<typeof told>, string[]]>([
    [
      'the same ones',
      [
        { clang: '14', lld: '14' },
        { clang: '14', lld: '14' },
      ],
      SAME,
    ],
    ['a tool of which release.json says nothing', [{ clang: '14', lld: '14' }, { clang: '14' }], SAME],
    ['a tool that is not asked here', [{ clang: '14' }, { clang: '14', gcc: '1' }], SAME],
    ['no release.json', [{ clang: '14' }, null], SAME],
    [
      'another one of two',
      [
        { clang: '15', lld: '14' },
        { clang: '14', lld: '14' },
      ],
      other('release.json names clang 14, here it is 15'),
    ],
    [
      'two others, and what a slice says',
      [{ clang: '15', lld: '15' }, { clang: '14', lld: '13' }, ['arm64 names ld 1, here ld 2']],
      other(
        'release.json names clang 14, here it is 15',
        'release.json names lld 13, here it is 15',
        'arm64 names ld 1, here ld 2',
      ),
    ],
    ['what a slice says alone', [{ clang: '15' }, null, ['arm64 names a']], other('arm64 names a')],
  ])('are %s', (_, parameters, expected) => expect(told(...parameters)).toEqual(expected));
});
