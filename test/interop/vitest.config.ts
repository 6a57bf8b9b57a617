import { defineConfig } from 'vitest/config';

/** Tests against programs of others, which they install first: minutes for the first run, seconds after it. */
export default defineConfig({
  test: {
    root: new URL('../..', import.meta.url).pathname,
    include: ['test/interop/**/*.interop.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 3_600_000,
  },
});
