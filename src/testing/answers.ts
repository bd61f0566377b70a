/** What a test is answered with, where the tool has no name for it that users see. */
import type { JsonValue } from '../model/json-value.ts';
import type { RunRecord } from '../model/run.ts';
import type { TickRecord } from '../model/tick.ts';
import type { KeyReport } from '../report/key-report.ts';

/** What ticks came to, as `sensor tick --json` prints it. */
export interface Ticked {
  readonly ticks: readonly TickRecord[];
  /** Runs that processes which were killed had left behind, and that were executed with those of the ticks. */
  readonly resumed: readonly RunRecord[];
}

/** A key, what it carries, and where each asset of its set stands: as `partitions show --json` prints it. */
export interface ShownKey {
  readonly set: string;
  readonly key: string;
  readonly addedAt: string;
  readonly version: string | null;
  readonly item: JsonValue;
  /** Those of the set, in the order of the pipeline. */
  readonly assets: readonly ({ readonly asset: string } & KeyReport)[];
}

export interface AddedKeys {
  readonly added: readonly string[];
  /** There already, and carrying something else now. */
  readonly updated: readonly string[];
  readonly skipped: readonly string[];
}

export interface RemovedKeys {
  readonly removed: readonly string[];
  /** They were not there. */
  readonly skipped: readonly string[];
}

/** One line of a run's log. */
export interface RunLogLine {
  readonly asset: string;
  readonly attempt: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly stream: 'log' | 'stdout' | 'stderr';
  readonly text: string;
}

/** Where something is killed: at its n-th commit, from 1. */
export interface KillPoint {
  readonly commit: number;
  readonly when: 'before' | 'after';
}

/** Where it was killed. */
export interface Crash extends KillPoint {
  /** `killed before commit 1 (1 key added to orders: "a"; tick of shop)` */
  readonly words: string;
}
