/** In which order the files of tests are begun: what takes long first, so that nobody waits for it alone at the end. */
import fs from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** As they took longest on two cores, on 2026-11-27; there is no cache of it where the tests are run for the first time. */
const LONGEST: readonly string[] = [
  'engine/histories.test.ts',
  'crash/power-loss.test.ts',
  'crash/hammer.test.ts',
  'crash/quick.test.ts',
  'crash/hammer-postgres.test.ts',
  'e2e/init.test.ts',
  'e2e/postgres.test.ts',
  'e2e/state-move.test.ts',
  'e2e/interrupts.test.ts',
  'e2e/owners.test.ts',
  'e2e/there-and-back.test.ts',
  'e2e/processes.test.ts',
  'e2e/package.test.ts',
  'docs/console.test.ts',
  'docs/code.test.ts',
  'loader/pack-freshness.test.ts',
  'loader/pack-damage.test.ts',
  'loader/module-kinds.test.ts',
  'state/postgres/postgres-store.test.ts',
  'engine/histories-postgres.test.ts',
  'state/postgres/random-changes.test.ts',
  'e2e/progress.test.ts',
  'e2e/postgres-troubles.test.ts',
  'e2e/postgres-machines.test.ts',
  'e2e/example.test.ts',
  'e2e/examples.test.ts',
  'e2e/pools.test.ts',
  'e2e/batches.test.ts',
  'e2e/every-code.test.ts',
  'e2e/service-manager.test.ts',
  'e2e/watch-edits.test.ts',
  'e2e/s3.test.ts',
  'e2e/programs.test.ts',
  'cli/tracing/tracing.test.ts',
  'page/browser.test.ts',
  'page/live.test.ts',
  'fuzz/other-files.test.ts',
  'fuzz/sensor-results.test.ts',
];

const TESTS = path.join(import.meta.dirname, '..');

for (const name of LONGEST)
  if (!fs.existsSync(path.join(TESTS, name)))
    throw new Error(`test/${name} is not there: take it out of test/support/longest-first.ts`);

function rankOf({ moduleId }: TestSpecification): number {
  const at = LONGEST.indexOf(path.relative(TESTS, moduleId));
  return at === -1 ? LONGEST.length : at;
}

/** All others in vitest's own order: isolated files before those that share a process, and large ones first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
