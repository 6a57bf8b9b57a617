import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
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

/** What a Mac of macOS 27 does not try. */
export const WITHOUT_ROSETTA = { id: 'load-x86_64', reason: 'Rosetta 2 is not installed' };
