import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Tests that change their process, such as its environment, and so have one of their own. All others share what is loaded. */
const APART = [
  'test/base/run-tool.test.ts',
  'test/build/kit/zip.test.ts',
  'test/build/signing/identities.test.ts',
  'test/toolchain/**/*.test.ts',
];
const ELSEWHERE = ['test/interop/**', 'test/nightly/**'];
const PATIENCE = { testTimeout: 180_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    // Once for all of them; a project that extended this configuration would run it again.
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/plain-summary.ts'],
    // Most tests wait for processes they started, so two files at once fill two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          ...PATIENCE,
          name: 'tidy',
          include: ['test/**/*.test.ts'],
          exclude: [...ELSEWHERE, ...APART],
          isolate: false,
        },
      },
      { test: { ...PATIENCE, name: 'apart', include: APART } },
    ],
  },
});
