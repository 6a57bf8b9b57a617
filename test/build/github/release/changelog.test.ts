import { describe, expect, it } from 'vitest';
import { parseChangelog } from '../../../../build/github/release/changelog.ts';

const NBSP = '\u00a0';

describe('parseChangelog', () => {
  it('returns versions, whether they have a date, and their text', () => {
    const source =
      '# Changelog\n\n## 1.2.0, not released\n\n### Changed from 1.0.0\n- a 1.0.0 line\n\n## 1.1.0, 2024-02-29\n\n- b\n';
    expect(parseChangelog(source)).toEqual([
      { version: '1.2.0', released: false, text: '### Changed from 1.0.0\n- a 1.0.0 line' },
      { version: '1.1.0', released: true, text: '- b' },
    ]);
  });

  it.each([
    ['a space at the end', '## 1.1.0, 2026-11-24 '],
    ['a carriage return', '## 1.1.0, 2026-11-24\r'],
    ['two spaces', '##  1.1.0, 2026-11-24'],
    ['no space', '##1.1.0, 2026-11-24'],
    ['a space in front', ' ## 1.1.0, 2026-11-24'],
    ['a space that does not break', `##${NBSP}1.1.0, 2026-11-24`],
    ['a space of that kind behind the comma', `## 1.1.0,${NBSP}2026-11-24`],
    ['no comma', '## 1.1.0 2026-11-24'],
    ['a dash', '## 1.1.0 - 2026-11-24'],
    ['an en dash in the date', '## 1.1.0, 2026\u201311\u201324'],
    ['a minus sign in the date', '## 1.1.0, 2026\u221211\u221224'],
    ['slashes in the date', '## 1.1.0, 2026/11/24'],
    ['a date that is not in the calendar', '## 1.1.0, 2026-02-30'],
    ['a leap day of another year', '## 1.1.0, 2026-02-29'],
    ['a month that is not there', '## 1.1.0, 2026-13-01'],
    ['a day that is not there', '## 1.1.0, 2026-11-00'],
    ['a year that has four digits and is another one', '## 1.1.0, 0026-11-24'],
    ['the last day of a month that has fewer', '## 1.1.0, 2026-11-31'],
    ['a month before the first', '## 1.1.0, 2026-00-10'],
    ['a short date', '## 1.1.0, 2026-11-4'],
    ['day first', '## 1.1.0, 24-11-2026'],
    ['brackets', '## [1.1.0], 2026-11-24'],
    ['a v', '## v1.1.0, 2026-11-24'],
    ['another level', '### 1.1.0, 2026-11-24'],
    ['the top level', '# 1.1.0, 2026-11-24'],
    ['bold text', '**1.1.0, 2026-11-24**'],
    ['an underline', '1.1.0, 2026-11-24\n------'],
    ['a mark at the front', '\ufeff## 1.1.0, 2026-11-24'],
    ['other words', '## 1.1.0, unreleased'],
    ['other words in capitals', '## 1.1.0, Not released'],
    ['no version', '## Unreleased'],
    ['a version twice', '## 1.1.0, 2026-11-24\n\n## 1.1.0, not released'],
    ['something behind the date', '## 1.1.0, 2026-11-24 (yanked)'],
    ['closing marks', '## 1.1.0, 2026-11-24 ##'],
  ])('refuses %s', (_, heading) => {
    const source = heading.startsWith('\ufeff') ? `${heading}\n` : `# Changelog\n\n${heading}\n\n- a line\n`;
    expect(() => parseChangelog(source)).toThrow('a heading of a version is');
  });

  it('shows the line that is underlined, not the underline', () => {
    expect(() => parseChangelog('# Changelog\n\n1.1.0\n=====\n')).toThrow('CHANGELOG.md line 3: "1.1.0": a heading');
  });

  it.each<[string, string, string | number]>([
    ['a mark at the front', '\ufeff# Changelog\n', 1],
    ['a first line', '## x\n', 1],
    ['a third line', '# Changelog\n\n##1.1.0\n', 3],
    ['a line that is underlined', '# Changelog\n\n1.1.0\n=====\n', 3],
    ['a version of more digits that is underlined', '10.11.12\n===\n', 1],
    ['a line that is underlined with one dash', 'a 1.1.0 b\n - \n', 1],
    ['a line that is underlined with dashes', 'a 1.1.0 b\n --- \n', 1],
    ['a date', '# Changelog\n## 1.1.0, 2026-13-01\n', 2],
    ['the second of two equal versions', '## 1.1.0, not released\n## 1.0.0, not released\n## 1.1.0, not released\n', 3],
    ['a rule behind a line without a version', 'a 1.1 b\n---\n', 'none'],
    ['a rule at the front', '---\n', 'none'],
    ['a rule behind an empty line', '1.1.0\n\n---\n', 'none'],
    ['a heading of a lower level', '### Changed\n#### 1\n', 'none'],
    ['a version in words', 'since 1.1.0\n- 1.2.0: x\n', 'none'],
  ])('says which line: %s', (_, source, line) => {
    let found: string | number = 'none';
    try {
      parseChangelog(source);
    } catch (error) {
      found = Number(/line (\d+)/.exec(String(error))?.[1]);
    }
    expect(found).toBe(line);
  }); // biome-ignore format: a table
});
