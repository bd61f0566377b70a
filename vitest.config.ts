import os from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';

/** Their files share a process and what it has loaded: they test pure functions, which remember nothing. */
const PURE = [
  'test/definitions/**/*.test.ts',
  'test/engine/plan/**/*.test.ts',
  'test/model/**/*.test.ts',
  'test/report/**/*.test.ts',
  'test/state/document/**/*.test.ts',
  'test/state/memory/**/*.test.ts',
];

export default defineConfig({
  resolve: {
    alias: {
      'dynpart/sources': new URL('./src/sources/index.ts', import.meta.url).pathname,
      'dynpart/testing': new URL('./src/testing/index.ts', import.meta.url).pathname,
      dynpart: new URL('./src/index.ts', import.meta.url).pathname,
    },
  },
  test: {
    // Whole processes are started, a dozen in some tests: on a slow machine that many others use, each may take a while.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    // More than there are cores: many tests wait, for a process or for a time to be over.
    maxWorkers: os.availableParallelism() + 4,
    sequence: { sequencer: LongestFirst },
    globalSetup: './test/support/shared-cluster.ts',
    reporters: ['default', './test/support/closing-line-reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: PURE, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'isolated',
          include: ['test/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: [...PURE, '**/node_modules/**'],
        },
      },
    ],
  },
});
