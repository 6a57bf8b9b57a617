import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    exclude: ['test/interop/**', 'test/nightly/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
