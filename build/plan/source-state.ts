import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../src/base/run-tool.ts';

/** What the sources are: a commit where that is known, and the time that every packaged file gets. */
export interface SourceState {
  /** Commit the sources are at, `+changes` behind it when the work tree differs; null where nothing tells. */
  readonly commit: string | null;
  /** Unix seconds. */
  readonly time: number;
  readonly timeFrom: TimeFrom;
}

/** What gave the time of the sources. */
export type TimeFrom = 'SOURCE_DATE_EPOCH' | 'commit' | 'source archive' | 'CHANGELOG.md' | 'file times';

/**
 * File into which `git archive`, and so GitHub's ZIP, writes the commit and its time (`export-subst` in .gitattributes).
 * Source: gitattributes(5).
 */
const ARCHIVE_FILE = 'build/plan/source-archive.txt';
/** What a build is made of; all else (results, packages, tests) has no say in its time. */
const SOURCES = ['payload', 'scripts', 'build', 'src', 'package.json', 'package-lock.json', 'release.config.json'];

/**
 * Returns the state of the sources: from git; else from a source archive's own note; else the day on which CHANGELOG.md dates this
 * version; else the newest of the source files.
 */
export async function readSourceState(root: string, version: string): Promise<SourceState> {
  return (
    (await gitState(root)) ??
    (await archiveState(root)) ??
    (await changelogState(root, version)) ?? {
      commit: null,
      time: await newestTime(root, SOURCES),
      timeFrom: 'file times',
    }
  );
}

async function gitState(root: string): Promise<SourceState | null> {
  const [head, changes] = await Promise.all([
    git(root, 'log', '-1', '--no-show-signature', '--pretty=%H %ct'),
    git(root, 'status', '--porcelain'),
  ]);
  if (head === null) return null;
  const [commit, time] = head.split(' ') as [string, string];
  return { commit: changes === '' ? commit : `${commit}+changes`, time: Number(time), timeFrom: 'commit' };
}

async function archiveState(root: string): Promise<SourceState | null> {
  const note = await readFile(join(root, ARCHIVE_FILE), 'utf8').catch(() => '');
  const match = /^([0-9a-f]{40}) (\d{1,10})\n?$/.exec(note);
  return match && { commit: match[1] as string, time: Number(match[2]), timeFrom: 'source archive' };
}

async function changelogState(root: string, version: string): Promise<SourceState | null> {
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8').catch(() => '');
  const heading = changelog.split('\n').find((line) => line.startsWith(`## ${version}, `));
  const day = /, (\d{4}-\d{2}-\d{2})$/.exec(heading ?? '')?.[1];
  const time = Date.parse(`${day}T00:00:00Z`) / 1000;
  return day === undefined || Number.isNaN(time) ? null : { commit: null, time, timeFrom: 'CHANGELOG.md' };
}

async function newestTime(root: string, names: readonly string[]): Promise<number> {
  const times = await Promise.all(
    names.map(async (name) => {
      const path = join(root, name);
      const found = await stat(path).catch(() => undefined);
      if (!found) return 0;
      return found.isDirectory() ? newestTime(path, await readdir(path)) : Math.floor(found.mtimeMs / 1000);
    }),
  );
  return Math.max(0, ...times);
}

/** Returns what git prints, or null when it is missing or `root` is not a repository of its own. */
async function git(root: string, ...argv: string[]): Promise<string | null> {
  try {
    // The repository may belong to another user, as in a container; reading it is harmless.
    const { stdout } = await runTool('git', ['-c', `safe.directory=${root}`, '-C', root, ...argv]);
    return stdout.trim();
  } catch {
    return null;
  }
}
