import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Folders whose tests leave the process as they found it, so that they can share it and all that it has loaded. */
const TIDY = [
  'attacks',
  'bom',
  'code-signature',
  'compression',
  'cpio',
  'macho',
  'mutants',
  'mutation',
  'notary',
  'package',
  'pki',
  'rehearsal',
  'structure',
  'tree',
  'verify',
  'xar',
  'xml',
].map((room) => `test/${room}/**/*.test.ts`);
const PATIENCE = { testTimeout: 180_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    // Once for all of them; a project that extended this configuration would run it again.
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/plain-summary.ts'],
    // Most tests wait for processes they started, so two files at once fill two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      { test: { ...PATIENCE, name: 'tidy', include: TIDY, isolate: false } },
      {
        test: {
          ...PATIENCE,
          name: 'apart',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**', 'test/nightly/**', ...TIDY],
        },
      },
    ],
  },
});
