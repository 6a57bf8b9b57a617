import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quickCompiler } from './quick-compiler.ts';

/** A release that many tests read and none may change. */
export interface SharedRelease {
  /** Such as `.build/test-release/1.1.0`. */
  readonly folder: string;
  /** @throws Error naming the files when a test changed it */
  expectUnchanged(): void;
}

/** What the stamp beside a shared release says: what it was made of, and each of its files. */
interface Stamp {
  readonly madeOf: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Returns the release of this tree, made as `npm start` makes it; the one of an earlier run of the tests where nothing that a
 * release is made of has changed since, so that a single file of tests does not begin with a whole release.
 */
export function sharedRelease(root: string): SharedRelease {
  const shared = join(root, '.build', 'test-release');
  const stampFile = join(shared, 'stamp.json');
  const madeOf = ingredients(root);
  oneAtATime(`${shared}.lock`, () => {
    const kept = readStamp(stampFile);
    if (!kept || kept.madeOf !== madeOf || changedFiles(shared, kept).length > 0) make(root, shared);
  });
  const stamp = readStamp(stampFile) as Stamp;
  return {
    folder: join(shared, stamp.version),
    expectUnchanged() {
      // Another run of the tests may have made a newer one meanwhile.
      const current = readStamp(stampFile);
      const changed = current ? changedFiles(shared, current) : [];
      if (changed.length === 0) return;
      rmSync(stampFile, { force: true });
      throw new Error(`a test changed the release that all tests share: ${changed.join(', ')}`);
    },
  };
}

/** Runs `work` while no other run of the tests in this checkout is at it; a lock whose owner has ended is nobody's. */
function oneAtATime(lock: string, work: () => void): void {
  const own = `${lock}.${process.pid}`;
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(own, String(process.pid));
  for (;;) {
    try {
      // Takes the name and has the owner in it in one step.
      linkSync(own, lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (existsSync(lock) && hasEnded(Number(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  try {
    work();
  } finally {
    for (const file of [lock, own]) rmSync(file, { force: true });
  }
}

/** Returns whether no process of this number runs. */
export function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Made in a folder beside and renamed, so that a run of the tests that is broken off leaves no half of one. */
function make(root: string, shared: string): void {
  const out = `${shared}.${process.pid}`;
  rmSync(out, { recursive: true, force: true });
  const run = spawnSync('sh', ['build/setup/run.sh', 'release', '--rehearsal', '--json', '--out', out], {
    cwd: root,
    encoding: 'utf8',
    // What it compiles, or finds compiled, the tests find.
    env: { ...process.env, PATH: quickCompiler() },
  });
  if (run.status !== 0) throw new Error(`npm start failed with ${run.status}:\n${run.stderr}`);
  const { version } = JSON.parse(run.stdout);
  // Looked at afterwards: the first release of a checkout makes the rehearsal's keys.
  const stamp: Stamp = { madeOf: ingredients(root), version, files: digestsBelow(join(out, version)) };
  writeFileSync(join(out, 'stamp.json'), JSON.stringify(stamp));
  mkdirSync(join(root, '.build'), { recursive: true });
  rmSync(shared, { recursive: true, force: true });
  renameSync(out, shared);
}

/** One digest over all that a release depends on: the sources, the commit, the keys, and what it was asked by environment. */
function ingredients(root: string): string {
  const git = (...argv: string[]) => execFileSync('git', argv, { cwd: root, encoding: 'utf8' });
  const hash = createHash('sha256');
  const { SOURCE_DATE_EPOCH = '', PATH = '' } = process.env;
  // release.json says of the commit whether the work tree differs from it, be it in a test alone.
  const isChanged = git('status', '--porcelain') !== '';
  hash.update(JSON.stringify([process.version, SOURCE_DATE_EPOCH, PATH, git('rev-parse', 'HEAD'), isChanged]));
  const listed = git('ls-files', '-z', '--cached', '--others', '--exclude-standard').split('\0');
  const sources = listed.filter((path) => path && !/^(test|docs)\//.test(path));
  for (const path of [...sources, '.rehearsal/authority/root.cer']) {
    const file = join(root, path);
    hash.update(`${path}\0`).update(existsSync(file) ? readFileSync(file) : 'none');
  }
  return hash.digest('hex');
}

function readStamp(file: string): Stamp | undefined {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function digestsBelow(folder: string): Record<string, string> {
  if (!existsSync(folder)) return {};
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
  return Object.fromEntries(files.sort().map((file) => [file.slice(folder.length + 1), digest(file)]));
}

/** Names of files that are not as they were made, that are new or gone. */
function changedFiles(shared: string, { version, files }: Stamp): string[] {
  const now = digestsBelow(join(shared, version));
  return [...new Set([...Object.keys(files), ...Object.keys(now)])].filter((name) => files[name] !== now[name]).sort();
}
