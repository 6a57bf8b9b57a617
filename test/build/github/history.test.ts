import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openHistory } from '../../../build/github/history.ts';

let root: string;
let commits: readonly string[];
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'history-'));
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=A', '-c', 'user.email=a@example.invalid', ...argv], { cwd: root, encoding: 'utf8' }); // biome-ignore format: a line
  git('init', '--quiet', '--initial-branch=main');
  commits = ['one\n', 'two\n'].map((text) => {
    writeFileSync(join(root, 'a'), text);
    git('add', '--all');
    git('commit', '--quiet', '--message', text);
    return git('rev-parse', 'HEAD').trim();
  });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('knows commits by their names, texts at a commit, and the lines of git without empty ones', async () => {
  const history = await openHistory(root);
  expect([await history.resolve('HEAD'), await history.resolve('HEAD~1'), await history.resolve('HEAD~2')]).toEqual([commits[1], commits[0], null]); // biome-ignore format: a line
  expect([await history.read(commits[0]!, 'a'), await history.read('HEAD', 'a'), await history.read('HEAD', 'b')]).toEqual(['one\n', 'two\n', null]); // biome-ignore format: a line
  expect(await history.lines('rev-list', 'HEAD')).toEqual([commits[1], commits[0]]);
  expect(await history.lines('log', '--format=%n%s%n', 'HEAD')).toEqual(['two', 'one']);
  expect(await history.lines('tag')).toEqual([]);
  await expect(history.lines('rev-list', 'nothing')).rejects.toMatchObject({ code: 'TOOL_FAILED' });
});

it('is refused where there is no repository', async () => {
  const empty = mkdtempSync(join(root, 'empty-'));
  rmSync(join(root, '.git', 'HEAD'), { force: true });
  await expect(openHistory(empty)).rejects.toMatchObject({ code: 'HISTORY_MISSING' });
});
