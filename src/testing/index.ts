/** What a test may import from `dynpart/testing`. */
export { DynpartError } from './dynpart-error.ts';
export {
  type Given,
  type NameOf,
  type TestOptions,
  type TestPipeline,
  testPipeline,
} from './test-pipeline.ts';
export type { AddedKeys, Crash, KillPoint, RemovedKeys, RunLogLine, ShownKey, Ticked } from './answers.ts';
export type { Reply } from './fetch-replies.ts';
export type { ShownState } from '../model/partition-status.ts';
export type { KeyReport } from '../report/key-report.ts';
export type { AssetOutcome, RunRecord } from '../model/run.ts';
export type { TickRecord } from '../model/tick.ts';
export type { Problem } from '../model/problem.ts';
