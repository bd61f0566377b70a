/** What the page shows, as plain data: the document inside `status --html`, which the page's own code draws. */
import type { KnownAsset } from '../model/known-pipeline.ts';
import type { JsonValue } from '../model/json-value.ts';
import type { RunStatus } from '../model/run.ts';
import type { AssetReport } from './status-report.ts';
import type { ShownState } from '../model/partition-status.ts';

/** One letter a key stands in the column of an asset: a hundred thousand keys of twenty assets are two megabytes. */
export const LETTERS = {
  materialized: 'm',
  stale: 's',
  failed: 'f',
  'in progress': 'p',
  skipped: 'k',
  missing: '.',
  backlog: 'b',
} as const satisfies Readonly<Record<ShownState, string>>;

export interface PageData {
  /** When it was made, ISO 8601. */
  readonly at: string;
  readonly version: string;
  /** Where the state is. */
  readonly place: string;
  readonly serial: number;
  /** Whether the page is served by `dynpart ui`, which is asked for more. */
  readonly isLive: boolean;
  /** Why what is shown is older than the state; `null`: it is not. */
  readonly trouble: PageTrouble | null;
  /** What the letters of the columns mean. */
  readonly letters: typeof LETTERS;
  readonly shows: PageShows;
  readonly assets: readonly PageAsset[];
  readonly attention: readonly PageAttention[];
  readonly sensors: readonly PageSensor[];
  /** Processes that execute runs now. */
  readonly workers: readonly PageWorker[];
  readonly sets: readonly PageSet[];
  /** The newest ones, and the last failures, newest first. */
  readonly runs: readonly PageRun[];
  /** By the id of their run: the last lines that failed runs wrote. */
  readonly logs: Readonly<Record<string, readonly PageLine[]>>;
}

/** What may be on the page: all of it can be switched off. */
export interface PageShows {
  readonly items: boolean;
  readonly metadata: boolean;
  readonly logs: boolean;
}

export interface PageAsset extends AssetReport, Pick<KnownAsset, 'inputs' | 'deps'> {}

export interface PageTrouble {
  readonly message: string;
  readonly hint: string | null;
}

/** Something that wants somebody, and the commands that mend it or say more. */
export interface PageAttention {
  readonly what: string;
  readonly commands: readonly { readonly what: string | null; readonly command: string }[];
  /** What happens without anybody. */
  readonly note: string | null;
}

export interface PageSensor {
  readonly sensor: string;
  readonly status: 'RUNNING' | 'STOPPED';
  /** Newest first. */
  readonly ticks: readonly PageTick[];
}

export interface PageWorker {
  readonly host: string;
  readonly pid: number;
  readonly since: string;
  readonly lastSeen: string;
  /** How many runs it has begun. */
  readonly runs: number;
}

export interface PageTick {
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly status: string;
  readonly added: number;
  readonly removed: number;
  readonly runs: number;
  /** Why it failed, or did nothing. */
  readonly said: string;
}

export interface PageSet {
  /** `null`: the assets that have no set, as one row. */
  readonly set: string | null;
  readonly total: number;
  readonly assets: readonly string[];
  /** In the order of adding. */
  readonly keys: readonly (string | null)[];
  /** So many keys in turn were added at a time. */
  readonly added: readonly (readonly [count: number, at: string])[];
  /** For each asset a letter a key. */
  readonly states: Readonly<Record<string, string>>;
  /** By position: what the key carries, where it carries something. */
  readonly carried: Readonly<Record<number, PageCarried>>;
  /** So many carry more than there is room for on the page. */
  readonly carriedLeftOut: number;
}

export interface PageCarried {
  readonly version?: string;
  readonly item?: JsonValue;
}

export interface PageRun {
  readonly id: string;
  readonly key: string | null;
  readonly status: RunStatus;
  readonly cause: string;
  readonly sensor: string | null;
  readonly retryOf: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Of the run as a whole. */
  readonly error: string | null;
  readonly assets: readonly PageOutcome[];
}

export interface PageOutcome {
  readonly asset: string;
  readonly status: string;
  readonly attempts: number;
  readonly reason: string | null;
  /** Why it failed, or had nothing to make. */
  readonly said: string | null;
  /** What checks said of it: their names and words. */
  readonly warnings: readonly (readonly [check: string, message: string])[];
  readonly metadata: Readonly<Record<string, JsonValue>>;
}

export interface PageLine {
  readonly at: string;
  readonly asset: string;
  readonly attempt: number;
  readonly text: string;
}

/** All of one key: what `dynpart ui` answers when one is opened. */
export interface PageKeyDetails {
  readonly carried: PageCarried;
  readonly runs: readonly PageRun[];
  readonly logs: PageData['logs'];
}
