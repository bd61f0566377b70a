/**
 * What a plan looks at, as data: declared before the state is read, so that a database reads this, in a few queries, and nothing
 * else. A store that has the whole state at hand ignores it. Lists may be long, and are gone through by those only who look at
 * them; at each try of a commit again.
 */
import type { RunQuery } from './run-query.ts';
import type { CandidateQuery, CountQuery, OldestQuery, PageQuery, TicksQuery } from './state-view.ts';

export interface Needs {
  /** Which sets there are, and how many keys they hold. */
  readonly sets?: true;
  readonly keys?: readonly KeysNeed[];
  readonly pages?: readonly PageQuery[];
  readonly oldest?: readonly OldestQuery[];
  readonly statuses?: readonly StatusesNeed[];
  /** When a failed key is tried again next. */
  readonly retries?: true;
  readonly candidates?: readonly CandidateQuery[];
  readonly counts?: readonly CountQuery[];
  /** The cursor, the version and the last tick of these sensors; `'all'`: and which there are. */
  readonly sensors?: 'all' | readonly string[];
  readonly runKeys?: readonly RunKeysNeed[];
  readonly runs?: readonly RunsNeed[];
  /** How many runs are in the hands of these executors. */
  readonly ownedBy?: readonly string[];
  /** Runs as one list, those that have ended as well. */
  readonly runPages?: readonly RunQuery[];
  /** Past ticks. */
  readonly ticks?: readonly TicksQuery[];
  /** The processes that execute runs. */
  readonly executors?: true;
  /** Whatever is asked: for copies, checks and tests. No plan needs it. */
  readonly everything?: true;
}

/** Which of these keys are in the set, and which of them are kept out. `'all'`: every key, in order. */
export interface KeysNeed {
  readonly set: string;
  readonly keys: 'all' | Iterable<string | null>;
  /** And what they carry. */
  readonly carried?: true;
}

/** What became of an asset for these keys, and when failed ones are tried again. */
export interface StatusesNeed {
  readonly asset: string;
  readonly set: string | null;
  readonly keys: Iterable<string | null>;
}

/** Which of these run keys a sensor has spent. */
export interface RunKeysNeed {
  readonly sensor: string;
  readonly runKeys: Iterable<string>;
}

/** Queued and started runs: all, or the runs with these ids, of an executor, being canceled, of these keys, or with one of these assets. */
export type RunsNeed =
  | 'all'
  | { readonly ids: Iterable<string> }
  | { readonly owner: string }
  /** Those that are in the hands of any process. */
  | { readonly owned: true }
  | { readonly canceling: true }
  /**
   * What may be taken up: so many of the runs that are nobody's, the first ones first, and what dead or blocked processes have. Where
   * one is blocked, all that are nobody's: any number of them may have to wait for it.
   * @param of runs of these assets alone. Default: of all
   */
  | { readonly takeable: number; readonly of?: readonly string[] }
  /** Some of the runs that are nobody's and have an asset besides these: so many at most. */
  | { readonly besides: readonly string[]; readonly most: number }
  | { readonly set: string; readonly keys: Iterable<string | null> }
  | { readonly assets: readonly string[] };

export const EVERYTHING: Needs = { everything: true };
