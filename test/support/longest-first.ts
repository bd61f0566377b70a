/** In which order the files of tests are begun: what takes long first, so that nobody waits for it alone at the end. */
import fs from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** As they took longest on two cores, on 2026-11-28, one that waits for the clock before all; there is no cache of it where the tests are run for the first time. */
const LONGEST: readonly string[] = [
  'e2e/real-cron.test.ts',
  'crash/s3.test.ts',
  'engine/histories.test.ts',
  'loader/module-kinds.test.ts',
  'e2e/watch-edits.test.ts',
  'crash/power-loss.test.ts',
  'e2e/blocked.test.ts',
  'loader/pack-freshness.test.ts',
  'engine/histories-postgres.test.ts',
  'e2e/being-told.test.ts',
  'crash/quick.test.ts',
  'e2e/package.test.ts',
  'e2e/interrupts.test.ts',
  'e2e/canceled-and-left.test.ts',
  'e2e/owners.test.ts',
  'e2e/state-move-meanwhile.test.ts',
  'e2e/postgres.test.ts',
  'e2e/bad-state.test.ts',
  'state/postgres/postgres-store.test.ts',
  'e2e/taken-from-the-living.test.ts',
  'e2e/bad-pipelines.test.ts',
  'e2e/way-back.test.ts',
  'e2e/processes.test.ts',
  'e2e/batches.test.ts',
  'e2e/postgres-machines.test.ts',
  'crash/hammer.test.ts',
  'docs/console.test.ts',
  'e2e/state-move.test.ts',
  'e2e/example.test.ts',
  'e2e/completion.test.ts',
  'e2e/damaged-values.test.ts',
  'e2e/init.test.ts',
  'values/file-values.test.ts',
  'fuzz/definitions.test.ts',
  'fuzz/state-file.test.ts',
  'e2e/s3.test.ts',
  'e2e/bad-sensors.test.ts',
  'loader/pack-damage.test.ts',
  'state/postgres/random-changes.test.ts',
  'e2e/commands.test.ts',
  'e2e/programs.test.ts',
  'e2e/progress.test.ts',
  'e2e/examples.test.ts',
  'e2e/bad-keys.test.ts',
  'cli/tracing/tracing.test.ts',
  'e2e/there-and-back.test.ts',
  'e2e/security.test.ts',
  'e2e/tls.test.ts',
  'page/browser.test.ts',
  'fuzz/other-files.test.ts',
  'e2e/s3-refusals.test.ts',
  'e2e/service-manager.test.ts',
  'crash/hammer-postgres.test.ts',
  'state/postgres/cuts.test.ts',
  'cli/code-cache.test.ts',
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
