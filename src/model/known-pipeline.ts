/** What is remembered of a pipeline: its names and how they hang together, without the code. */
import type { MoveMark } from './move-mark.ts';

/** What the state remembers of the pipeline, so that commands that only need names start without the user's code. */
export interface KnownPipeline {
  readonly file: string;
  /** The file's time of change and size, to see that it was edited. */
  readonly stamp: string;
  readonly sets: readonly string[];
  readonly concurrency: number;
  readonly assets: readonly KnownAsset[];
  readonly sensors: readonly KnownSensor[];
}

export interface KnownAsset {
  readonly name: string;
  readonly set: string | null;
  readonly inputs: readonly string[];
  readonly deps: readonly string[];
  /** Upstream assets of which it takes many keys; not there when there are none. */
  readonly gathers?: readonly KnownGathered[];
  /** Not there when it has none. */
  readonly codeVersion?: string;
  /** Not there when it is made only where somebody asks. */
  readonly automate?: 'missing' | 'stale';
  /** Milliseconds from each failure of a key to its next request; not there when it waits for a person. */
  readonly later?: readonly number[];
  /** Milliseconds since it was made last; not there when nobody asks how fresh it is. */
  readonly freshFor?: Freshness;
  /** It makes its backlog as well. */
  readonly takesBacklog?: true;
}

/** Of which keys of an upstream asset something is made. */
export interface KnownGathered {
  readonly asset: string;
  /** Only so many that were added last; not there: all. */
  readonly last?: number;
  /** Those that a function of the pipeline names. */
  readonly mapped?: true;
  /**
   * Keys of the upstream that changed while the function could not be asked whether anything is made of them: the next commit that has
   * the pipeline's code asks. `'all'`: more than are noted. Not there when there are none; never of a pipeline that was just loaded.
   */
  readonly unasked?: readonly string[] | 'all';
}

/** After how many milliseconds an asset is worth a warning, and after how many it is overdue. One of them is there. */
export interface Freshness {
  readonly warnMs?: number;
  readonly failMs?: number;
}

/** When a sensor ticks by itself. */
export interface SensorTimes {
  /** 0 where it ticks by its cron line. */
  readonly minimumIntervalSeconds: number;
  /** `null` or not there: after its interval. */
  readonly cron?: CronTimes | null | undefined;
}

/** The five fields of a crontab, and in which time zone; `null`: the machine's. */
export interface CronTimes {
  readonly line: string;
  readonly timeZone: string | null;
}

export interface KnownSensor extends SensorTimes {
  readonly name: string;
  readonly timeoutSeconds: number;
  readonly defaultStatus: 'RUNNING' | 'STOPPED';
  /** It is overdue after so many milliseconds without a new key; not there when it may be quiet for as long as it likes. */
  readonly newKeysEveryMs?: number;
  /** Its cursor is JSON, by a schema; not there when it is text. */
  readonly typedCursor?: true;
}

/** What a state tells of whose it is. */
export interface StateIdentity {
  /** The pipeline that it remembers; `null` before its first tick or run. */
  readonly pipeline: KnownPipeline | null;
  /** Sets that hold keys, of whatever pipeline. */
  readonly sets: readonly string[];
  /** Assets that were made or have failed, of whatever pipeline. */
  readonly assets: readonly string[];
  /** `null`: it is here, and can be worked with. */
  readonly move: MoveMark | null;
  /** An older dynpart wrote it, which let all pipeline files of a folder share one state. */
  readonly mayBeShared: boolean;
}
