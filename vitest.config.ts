import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Beside thirty busy programs a test of a second takes half a minute, and that is no fault; at night a test may be a whole sweep.
const PATIENCE_MS = process.env.TEST_SWEEP === 'whole' ? 7_200_000 : 600_000;

export default defineConfig({
  test: {
    // Once for all of them; a project that extended this configuration would run it again.
    globalSetup: ['test/support/global-setup.ts'],
    reporters: ['default', './test/support/plain-summary.ts'],
    // Sources that did not change are not compiled again: a file of tests that is run alone starts in half the time.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.build/vitest' },
    // Most tests wait for processes they started, so two files at once fill two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'test/nightly/**'],
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    setupFiles: ['left-as-found', 'buffers-at-once', 'properties', 'awake'].map((name) => `test/support/${name}.ts`),
    // A process that holds much memory starts another one the slower, and it starts a thousand: at 450 MiB, 29 ms each. What a test
    // gave back goes back to the system, and what is left lies in pages of 2 MiB, with which it is 1.5 ms (glibc 2.35 and later;
    // others know no such variables).
    env: { MALLOC_TRIM_THRESHOLD_: '131072', GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' },
    // A process and its modules for each file would cost as much as a tenth of the tests; each leaves it as it found it.
    isolate: false,
  },
});
