import { execFileSync } from 'node:child_process';
import type { TestProject } from 'vitest/node';
import { sharedRelease } from './shared-release.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the results of one `npm start`, such as Escrow.Buddy-1.1.0-rehearsal.pkg: what ships is what is tested. */
    readonly releaseFolder: string;
  }
}

/** Sees to the release that tests read, before any of them runs, and that they left it as it was. */
export default function setup(project: TestProject): () => void {
  const { root } = project.config;
  // Tests start the bundled command line too, and it must be that of the sources beside it.
  execFileSync('sh', ['-c', '. build/setup/ensure.sh; ensure_cli', 'build/setup/run.sh'], { cwd: root });
  const { folder, expectUnchanged } = sharedRelease(root);
  project.provide('releaseFolder', folder);
  // What the simulated Mac installs; its sweeps, which run outside vitest, are told the same way.
  process.env.PACKAGES_UNDER_TEST = folder;
  return expectUnchanged;
}
