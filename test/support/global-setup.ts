import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder with the results of one `npm start`, such as Escrow.Buddy-1.1.0-rehearsal.pkg: what ships is what is tested. */
    readonly releaseFolder: string;
  }
}

/** Makes the package once, as `npm start` does, before any test runs. */
export default function setup(project: TestProject): void {
  const root = project.config.root;
  const out = join(root, '.build', 'test-release');
  rmSync(out, { recursive: true, force: true });
  const run = spawnSync('sh', ['build/setup/run.sh', 'release', '--rehearsal', '--json', '--out', out], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`npm start failed with ${run.status}:\n${run.stderr}`);
  const folder = join(out, JSON.parse(run.stdout).version);
  project.provide('releaseFolder', folder);
  // What the simulated Mac installs; its sweeps, which run outside vitest, are told the same way.
  process.env.PACKAGES_UNDER_TEST = folder;
}
