import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { placeSwitches, SWITCH_ON } from './switches.ts';
import { copyTree } from './tree.ts';

const folder = mkdtempSync(join(tmpdir(), 'tree-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a copy of the tree is at its commit, with its changes and with none that faults make', () => {
  const [root, tree] = [join(folder, 'root'), join(folder, 'tree')];
  const git = (at: string, ...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.invalid', ...argv], { cwd: at }).toString();
  for (const name of ['', '.build', '.rehearsal', 'node_modules']) mkdirSync(join(root, name));
  writeFileSync(join(root, '.gitignore'), 'node_modules/\n/.build/\n/.rehearsal/\n');
  for (const name of ['source.ts', '.build/cli.mjs']) writeFileSync(join(root, name), '1;\n');
  symlinkSync('source.ts', join(root, 'link'));
  git(root, 'init', '--quiet');
  git(root, 'add', '--all');
  git(root, 'commit', '--quiet', '--message', 'one');
  const changed = () => {
    copyTree(root, tree);
    placeSwitches(tree);
    for (const name of ['source.ts', SWITCH_ON]) appendFileSync(join(tree, name), '2;\n');
    return git(tree, 'status', '--porcelain');
  };
  expect(changed()).toBe('');
  expect(git(tree, 'rev-parse', 'HEAD')).toBe(git(root, 'rev-parse', 'HEAD'));
  expect(readlinkSync(join(tree, 'link'))).toBe('source.ts');
  writeFileSync(join(root, 'new.ts'), '3;\n');
  expect(changed()).toContain('?? new.ts\n');
});
