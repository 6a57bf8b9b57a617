import { describe, expect, it } from 'vitest';
import { projectRuns } from './plan-project.ts';

const run = projectRuns();

describe('github check-version', () => {
  it.each([
    [{}, null, '1.1.0: nothing is published yet\n'],
    [{ 'v1.0.9': 'b', 'v1.0.10': 'c' }, '1.0.10', '1.1.0: newest published is 1.0.10\n'],
  ])('tells the newest of %j', async (tags, newest, text) => {
    expect((await run('check-version', { tags: tags as Record<string, string> })).stdout).toBe(text);
    const { stdout } = await run('check-version', { tags: tags as Record<string, string> }, '--json');
    expect(JSON.parse(stdout)).toEqual({ schema: 1, version: '1.1.0', newest });
  });

  it.each([
    ['a new version', {}, 0, ''],
    ['the version that is published', { tags: { 'v1.1.0': 'b' } }, 0, ''],
    ['a version below the newest', { tags: { 'v1.9.0': 'b', 'v1.10.0': 'c' } }, 2, '1.10.0 is published'],
    ['a version without an entry', { heading: '## 1.0.0, 2024-01-01' }, 2, 'no heading for 1.1.0'],
    ['a heading that is nearly right', { heading: '## 1.1.0, 2026-11-24 ' }, 2, 'CHANGELOG.md line 3'],
  ])('checks %s', async (_, project, status, words) => {
    const ended = await run('check-version', project);
    expect(ended.status, ended.stderr).toBe(status);
    expect(ended.stderr).toContain(words);
  });
});
