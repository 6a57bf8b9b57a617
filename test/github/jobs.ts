import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { discard } from './actions.ts';
import type { JobResult } from './schedule.ts';

/** Each job of a replay starts several programs; on a busy machine that takes minutes. */
export const JOB_PATIENCE = { testTimeout: 600_000, hookTimeout: 600_000 };

/** Returns what makes folders for replays, which are gone once the tests of the file have run. */
export function scratchFolders(): () => string {
  const made: string[] = [];
  afterAll(() => made.forEach(discard));
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'replay-'));
    made.push(folder);
    return folder;
  };
}

/** Returns how each job ended. */
export const resultsOf = (jobs: Readonly<Record<string, JobResult>>): Record<string, string> =>
  Object.fromEntries(Object.entries(jobs).map(([id, { result }]) => [id, result]));

/** Returns what all jobs printed. */
export const logOf = (jobs: Readonly<Record<string, JobResult>>): string =>
  Object.values(jobs)
    .map(({ log }) => log)
    .join('');

/** Returns the files in folders, none of which may be empty, that hold one of the words: one a line. */
export function filesWith(words: readonly string[], folders: readonly string[]): string {
  for (const folder of folders) expect(readdirSync(folder), folder).not.toEqual([]);
  const asked = words.flatMap((word) => ['-e', word]);
  const { status, stdout, stderr } = spawnSync('grep', ['-rlaF', ...asked, ...folders], { encoding: 'utf8' });
  expect([status === 0 || status === 1, stderr]).toEqual([true, '']);
  return stdout;
}

/** What a Mac of macOS 27 does not try. */
export const WITHOUT_ROSETTA = { id: 'load-x86_64', reason: 'Rosetta 2 is not installed' };
