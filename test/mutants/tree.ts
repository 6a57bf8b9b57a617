import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Makes a copy of a checkout in which files may be changed, with its modules and the release that tests read. */
export function copyTree(root: string, tree: string): void {
  rmSync(tree, { recursive: true, force: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const path of listed
    .toString()
    .split('\0')
    .filter((name) => name && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(root, path), join(tree, path));
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  mkdirSync(join(tree, '.build'));
  cpSync(join(root, '.build/cli.mjs'), join(tree, '.build/cli.mjs'));
  // A run beside this one may be writing there.
  const whole = (path: string) => !path.endsWith('.unfinished');
  cpSync(join(root, '.rehearsal'), join(tree, '.rehearsal'), { recursive: true, filter: whole });
  // Some tests ask git for the files of the tree.
  const git = (...argv: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.invalid', ...argv], { cwd: tree });
  git('init', '--quiet');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'tree');
}

/** Returns whether a test file imports a source file, directly or through others. */
export function reaches(root: string): (test: string, source: string) => boolean {
  const known = new Map<string, ReadonlySet<string>>();
  const closure = (file: string): ReadonlySet<string> => {
    const before = known.get(file);
    if (before) return before;
    const found = new Set<string>([file]);
    const open = [file];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      for (const target of importsOf(root, next))
        if (!found.has(target)) {
          found.add(target);
          open.push(target);
        }
    known.set(file, found);
    return found;
  };
  return (test, source) => closure(test).has(source);
}

function importsOf(root: string, file: string): string[] {
  if (!existsSync(join(root, file))) return [];
  const source = readFileSync(join(root, file), 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, path]) =>
    normalize(join(dirname(file), path as string)),
  );
}
