import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { SWITCH_MODULE, SWITCH_ON, SWITCHES_SEEN } from './switches.ts';

/** What stands in a copy of the tree and in no commit. */
const OWN = ['/node_modules', ...[SWITCH_MODULE, SWITCH_ON, SWITCHES_SEEN].map((name) => `/${name}`)];

/**
 * Makes a copy of a checkout in which files may be changed, with its modules and the release that tests read.
 *
 * It is at the same commit, of which that release was made, and git sees no change in it that the checkout has not: what goes on
 * with a release looks at both.
 */
export function copyTree(root: string, tree: string): void {
  rmSync(tree, { recursive: true, force: true });
  execFileSync('git', ['clone', '--quiet', '--shared', '--no-checkout', root, tree]);
  const git = (argv: readonly string[], input = '') => execFileSync('git', argv, { cwd: tree, input });
  git(['reset', '--quiet', '--mixed']);
  writeFileSync(join(tree, '.git/info/exclude'), OWN.join('\n'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const path of listed
    .toString()
    .split('\0')
    .filter((name) => name && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    cpSync(join(root, path), join(tree, path), { verbatimSymlinks: true });
  }
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  mkdirSync(join(tree, '.build'));
  cpSync(join(root, '.build/cli.mjs'), join(tree, '.build/cli.mjs'));
  // A run beside this one may be writing there.
  const whole = (path: string) => !path.endsWith('.unfinished');
  cpSync(join(root, '.rehearsal'), join(tree, '.rehearsal'), { recursive: true, filter: whole });
  if (git(['status', '--porcelain']).length === 0)
    git(['update-index', '--assume-unchanged', '-z', '--stdin'], git(['ls-files', '-z']).toString());
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
