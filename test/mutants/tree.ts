import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { createInterface } from 'node:readline';
import type { Job, Verdict } from './try-changes.ts';

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
  cpSync(join(root, '.rehearsal'), join(tree, '.rehearsal'), { recursive: true });
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

/** How often a fault may take as long as the tests of the tree as it is before it counts as one that hangs. */
const TIMES = 20;
const LEAST_SECONDS = 120;

/**
 * Runs the tests against each fault of a job, in a process that is started again behind a fault that hangs.
 *
 * @param told called with each verdict as it comes
 * @throws Error when the tests fail without any fault
 */
export async function checkAll(job: Job, program: string, told: (verdict: Verdict) => void): Promise<void> {
  let limit = Number.POSITIVE_INFINITY;
  let next = -1;
  const take = (verdict: Verdict) => {
    next = verdict.at + 1;
    if (verdict.at >= 0) return told(verdict);
    if (verdict.by) throw new Error(`the tests fail without any fault: ${verdict.by}`);
    limit = Math.max(LEAST_SECONDS, verdict.seconds * TIMES);
  };
  while (next < job.to) {
    const began = performance.now();
    const ended = await checkFrom({ ...job, from: next }, program, () => limit, take);
    if (ended !== 'done') take({ at: next, seconds: (performance.now() - began) / 1000, by: ended });
  }
}

/** Runs one process until it is done, dies or hangs; returns which. */
function checkFrom(job: Job, program: string, limit: () => number, take: (verdict: Verdict) => void): Promise<string> {
  return new Promise((done, reject) => {
    const child = spawn(process.execPath, [program], {
      cwd: job.root,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let hang: NodeJS.Timeout | undefined;
    let ended = 'the process of the tests dies';
    const end = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL');
    const wait = () => {
      clearTimeout(hang);
      if (!Number.isFinite(limit())) return;
      hang = setTimeout(() => {
        ended = 'the tests hang';
        end();
      }, limit() * 1000);
    };
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{"at":')) return;
      const verdict: Verdict = JSON.parse(line);
      try {
        take(verdict);
      } catch (error) {
        end();
        reject(error);
      }
      if (verdict.at + 1 === job.to) ended = 'done';
      wait();
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(hang);
      done(ended);
    });
    child.stdin.end(JSON.stringify(job));
  });
}
