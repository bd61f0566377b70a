/** What each command gives back: the value that `--json` prints and that its text is drawn from. */
import type { CronTimes } from '../model/known-pipeline.ts';
import type { RunRecord } from '../model/run.ts';
import type { Holder, TickRecord } from '../model/tick.ts';
import type { Check } from './doctor/check.ts';
import type { KeyReport } from '../report/key-report.ts';
import type { OpenIncident } from '../report/open-incidents.ts';
import type { StatusReport } from '../report/status-report.ts';
import type { Moved } from '../state/moving/move-state.ts';
import type {
  AddedKeys,
  KeyCount,
  KeyList,
  OneKey,
  RemovedKeys,
  SetList,
  SyncedKeys,
} from './json-results-of-keys.ts';
import type { ChangedRuns, Executed, FollowedLine, OneRun, RunList, RunLog } from './json-results-of-runs.ts';

/** By the words of `docs/reference.md`, which a test holds against these types, field by field. */
export interface Results {
  'partitions list': SetList;
  'partitions list SET': KeyList;
  'partitions list SET --count': KeyCount;
  'partitions show': OneKey;
  'partitions add': AddedKeys;
  'partitions remove': RemovedKeys;
  'partitions sync': SyncedKeys;
  'sensor list': SensorList;
  'sensor start|stop': SensorSwitch;
  'sensor tick': Ticked;
  'sensor cursor': SensorCursor;
  'sensor history': SensorHistory;
  'sensor watch, worker': WatchLine;
  'materialize, runs retry': Executed;
  'value show|path': ValuePlace;
  'worker --once': Executed;
  'runs list': RunList;
  'runs show': OneRun;
  'runs cancel|release': ChangedRuns;
  'runs logs': RunLog;
  'runs logs --follow': FollowedLine;
  'assets list': AssetList;
  'assets mark': MarkedKeys;
  'why ASSET': WhySet;
  'why ASSET --key': WhyKey;
  status: Status;
  ui: PageAddress;
  init: Initialized;
  check: CheckedPipeline;
  'state check': CheckedState;
  'state export FILE': ExportedState;
  'state migrate': MigratedState;
  'state move': MovedState;
  'state adopt': AdoptedState;
  'state restore': RestoredState;
  doctor: Diagnosis;
  'schedule cron|systemd': Scheduled;
  explain: Explained;
  'completion SHELL': CompletionScript;
}

/** The result of any command. */
export type Result = Results[keyof Results] | CompletionOffers;

export interface SensorList {
  readonly sensors: readonly ListedSensor[];
}

export interface ListedSensor {
  readonly sensor: string;
  readonly status: 'RUNNING' | 'STOPPED';
  /** 0 where it ticks by a cron line. */
  readonly minimumIntervalSeconds: number;
  readonly cron: CronTimes | null;
  readonly cursor: string | null;
  readonly lastTick: TickRecord | null;
  /** Who evaluates it now. */
  readonly evaluating: Holder | null;
}

export interface SensorSwitch {
  readonly sensor: string;
  readonly status: 'RUNNING' | 'STOPPED';
}

export interface Ticked {
  readonly ticks: readonly TickRecord[];
  /** Runs that other processes had left behind, and that were executed with those of the ticks. */
  readonly resumed: readonly RunRecord[];
}

export interface SensorCursor {
  readonly sensor: string;
  readonly cursor: string | null;
}

export interface SensorHistory {
  readonly sensor: string;
  readonly ticks: readonly TickRecord[];
}

export type WatchLine = { readonly tick: TickRecord } | { readonly run: RunRecord };

export interface ValuePlace {
  readonly asset: string;
  readonly partitionKey: string | null;
  /** Absolute; `null` where the pipeline's own I/O manager keeps the value. */
  readonly path: string | null;
}

export interface AssetList {
  readonly assets: readonly {
    readonly asset: string;
    readonly set: string | null;
    readonly inputs: readonly string[];
    readonly deps: readonly string[];
    /** Of which assets it takes many keys: all, or so many of the last. */
    readonly gathers: readonly {
      readonly asset: string;
      readonly last?: number;
      readonly mapped?: true;
    }[];
  }[];
}

export interface MarkedKeys {
  readonly asset: string;
  /** `null` is the one of an asset without a set. */
  readonly marked: readonly (string | null)[];
  /** In progress, or marked so already. */
  readonly skipped: readonly (string | null)[];
}

/** How an asset stands with the keys of its set: what is in one state for one reason is counted together. */
export interface WhySet {
  readonly asset: string;
  /** What needs somebody comes first. */
  readonly states: readonly {
    readonly state: KeyReport['state'];
    /** Of `stale`: what has changed. */
    readonly reason: string | null;
    readonly count: number;
    /** In the order of the set. */
    readonly first: string;
    readonly next: WhyKey['next'];
    /** Of the first one. */
    readonly text: string;
  }[];
}

/** How an asset stands with one key, or by itself where it has no set. */
export interface WhyKey {
  readonly asset: string;
  readonly partitionKey: string | null;
  readonly state: KeyReport['state'];
  /** Of `stale`: what has changed; of `skipped`: what the asset said; of `failed`: the error. */
  readonly reason: string | null;
  readonly since: string | null;
  /** Why there is no `since`. */
  readonly sinceNote: string | null;
  /** When a failed one is tried again by itself. */
  readonly retryAt: string | null;
  readonly waitsFor: readonly {
    readonly asset: string;
    readonly partitionKey: string | null;
    readonly state: KeyReport['state'];
    /** Where many keys are waited for: how many, and `partitionKey` is the first. */
    readonly keys?: number;
  }[];
  /** The last one, or the one that is on its way. */
  readonly run: RunRecord | null;
  /** Who has the run in hand. */
  readonly process: { readonly pid: number; readonly host: string } | null;
  readonly next: 'make' | 'run' | 'wait' | 'nothing';
  /** What the next tick does, and why, in words. */
  readonly text: string;
  /** What changes it, or shows more. */
  readonly command: string;
}

export interface Status extends StatusReport {
  /** What goes on of what `notify` tells, the oldest first. */
  readonly incidents: readonly OpenIncident[];
  /** With `--html`: the file that was written. */
  readonly html?: string;
}

/** Printed when the page can be opened. */
export interface PageAddress {
  readonly url: string;
  readonly port: number;
}

export interface Initialized {
  /** What was written, or added to, as absolute paths. */
  readonly files: readonly string[];
}

export interface CheckedPipeline {
  readonly ok: boolean;
  readonly problems: readonly PipelineProblem[];
}

export interface PipelineProblem {
  readonly code: string;
  readonly message: string;
  /** `file:line:column`, or `null` where there is none. */
  readonly place: string | null;
}

export interface CheckedState {
  readonly ok: boolean;
  readonly serial: number;
  readonly problems: readonly { readonly code: string; readonly message: string }[];
}

export interface ExportedState {
  readonly file: string;
  readonly serial: number;
}

/** Versions of the tables. */
export interface MigratedState {
  /** `null`: there were none. */
  readonly from: number | null;
  readonly to: number;
}

/** With `--dry-run`: what would be moved. */
export interface MovedState extends Moved {
  readonly from: string;
  readonly to: string;
}

export interface AdoptedState {
  /** The pipeline file that it belonged to; `null`: to none. */
  readonly from: string | null;
  readonly to: string;
}

export interface RestoredState {
  readonly file: string;
  readonly serial: number;
  /** Where what was there before is now. */
  readonly kept: readonly string[];
}

export interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

export interface Scheduled {
  /** To be pasted as it is. */
  readonly text: string;
}

export interface Explained {
  readonly code: string;
  /** The message, as it is said. */
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

export interface CompletionScript {
  readonly shell: string;
  readonly script: string;
}

/** For the scripts of the shells only. */
export interface CompletionOffers {
  /** Whether names of files are meant: the shell knows these. */
  readonly files: boolean;
  readonly offers: readonly string[];
}
