import os from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: {
      'dynpart/sources': new URL('./src/sources/index.ts', import.meta.url).pathname,
      'dynpart/testing': new URL('./src/testing/index.ts', import.meta.url).pathname,
      dynpart: new URL('./src/index.ts', import.meta.url).pathname,
    },
  },
  test: {
    include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
    // Whole processes are started: on a busy machine one may take a while.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // More than there are cores: many tests wait for a process.
    maxWorkers: os.availableParallelism() + 2,
    reporters: ['default', './test/support/closing-line-reporter.ts'],
  },
});
