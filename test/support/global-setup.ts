import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { keepThreadPoolAwake } from '../../build/thread-pool.ts';
import { hasEnded, sharedRelease } from './shared-release.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the results of one `npm start`, such as Escrow.Buddy-1.1.0-rehearsal.pkg: what ships is what is tested. */
    readonly releaseFolder: string;
  }
}

/** Sees to the release that tests read, before any of them runs, and that they left it as it was. */
export default function setup(project: TestProject): () => void {
  const { root } = project.config;
  keepThreadPoolAwake();
  const forgetFiles = putTemporaryFilesInMemory();
  // Tests start the bundled command line too, and it must be that of the sources beside it.
  execFileSync('sh', ['-c', '. build/setup/ensure.sh; ensure_cli', 'build/setup/run.sh'], { cwd: root });
  const { folder, expectUnchanged } = sharedRelease(root);
  project.provide('releaseFolder', folder);
  // What the simulated Mac installs; its sweeps, which run outside vitest, are told the same way.
  process.env.PACKAGES_UNDER_TEST = folder;
  return () => {
    forgetFiles();
    expectUnchanged();
  };
}

/** A file system in memory, and what has to be free there. */
const MEMORY = '/dev/shm';
const ROOM = 4 * 1024 ** 3;

/**
 * Gives this run of the tests a temporary folder of its own, in memory where there is room: they make and remove some hundred
 * thousand small files, each of which a disk makes them wait for.
 */
function putTemporaryFilesInMemory(): () => void {
  const folder = join(MEMORY, `escrow-buddy-tests-${process.pid}`);
  try {
    for (const name of readdirSync(MEMORY)) if (isOfEndedRun(name)) discard(join(MEMORY, name));
    const { bavail, bsize } = statfsSync(MEMORY);
    if (bavail * bsize < ROOM) return () => undefined;
    mkdirSync(folder);
    // As /tmp is: tests run programs as another user, too.
    chmodSync(folder, 0o1777);
    writeFileSync(join(folder, 'try'), '#!/bin/sh\n');
    chmodSync(join(folder, 'try'), 0o755);
    execFileSync(join(folder, 'try'));
  } catch {
    // No such place, or one where no program may be started.
    discard(folder);
    return () => undefined;
  }
  process.env.TMPDIR = folder;
  return () => discard(folder);
}

/** Whether this is the folder of a run of the tests that was killed. */
function isOfEndedRun(name: string): boolean {
  const pid = /^escrow-buddy-tests-(\d+)$/.exec(name)?.[1];
  return pid !== undefined && hasEnded(Number(pid));
}

function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
