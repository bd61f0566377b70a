/** The state as one document: what `state.json` holds. `docs/state-file.md` describes it for users. */
import type { AssetOutcome, RunHead } from '../../model/run.ts';
import type { PoolShare, PoolStarts } from '../pools.ts';
import type { JsonValue } from '../../model/json-value.ts';
import type { Incidents } from '../../model/incident.ts';
import type { KnownPipeline, StateIdentity } from '../../model/known-pipeline.ts';
import type { MoveMark } from '../../model/move-mark.ts';
import type { TouchedBy } from '../../model/pending-run.ts';
import type { Owner } from '../../files/process-owner.ts';
import type { TickRecord } from '../../model/tick.ts';

/** The schema that this version reads and writes. */
export const SCHEMA = 5;

/** Generations are named with twelve digits; what is beyond this was not counted but damaged. */
export const LAST_SERIAL = 999_999_999_000;

/** Big lists are parallel columns and strings of one letter a key: a million keys parse in a tenth of a second. */
export interface StateDocument {
  readonly schema: typeof SCHEMA;
  /** Made once, with the state; a copy keeps it. */
  readonly lineage: string;
  /** Counts the commits. */
  readonly serial: number;
  readonly writtenBy: { readonly version: string; readonly at: string };
  /** Where the state went, or comes from, while nobody may work with it; mostly not there. */
  readonly move?: MoveMark;
  readonly pipeline: KnownPipeline | null;
  readonly sensors: Readonly<Record<string, SensorEntry>>;
  readonly assets: Readonly<Record<string, AssetEntry>>;
  readonly executors: readonly ExecutorEntry[];
  readonly runs: readonly RunGroup[];
  readonly sets: Readonly<Record<string, SetEntry>>;
  /** What somebody is told of; not there when there is nothing. */
  readonly incidents?: Incidents;
  readonly writers: Writers;
  /** When calls of pools with a rate began; not there when none counts any more. */
  readonly poolStarts?: Readonly<Record<string, PoolStarts>>;
}

/** What a writer asks that was stopped right after its commit, and finds that many others were made since. */
export interface Writers {
  /** The last commit of each process that may still ask. */
  readonly last: readonly LastCommit[];
  /** Up to this serial, entries of processes that nobody can see may have been left out. */
  readonly forgotten: number;
}

export interface LastCommit {
  /** The process: its pid, its start, where it runs, and something by chance. */
  readonly id: string;
  readonly serial: number;
}

/** A set of partition keys. */
export interface SetEntry {
  /** In the order of adding. */
  readonly keys: readonly string[];
  /** When they were added: so many keys, in this order, at that time. The counts add up to the number of keys. */
  readonly added: readonly (readonly [count: number, at: string])[];
  /** Keys that sensors may not bring back. */
  readonly keptOut: readonly string[];
  /** The version of each key, a line each, as in `version-lines.ts`. Not there when none has one. */
  readonly versions?: string;
  /** The item of each key, in the order of the keys; the last ones without one are left out. Not there when none has one. */
  readonly items?: readonly JsonValue[];
}

/** What is known of an asset. */
export interface AssetEntry extends StatusColumn {
  /** The last `codeVersion` that the asset had. */
  readonly codeVersion?: string;
  /** When it was made last, for whatever key: its run's end; not there when it never was. */
  readonly madeAt?: string;
  /** What was made when the asset had another set, or none; not there when nothing was. The newest first. */
  readonly before?: readonly StatusColumn[];
}

/** One letter a key, in the order of the set's keys; a shorter string ends in missing ones. */
export interface StatusColumn {
  /** `null` for an asset without partitions: then `status` is its one letter. */
  readonly set: string | null;
  /**
   * Not made: `.` missing, `b` backlog, `s` skipped, `f` failed, `g` failed and something changed since. Made: `m` materialized,
   * stale by `v` version, `c` code, `u` upstream; then failed: `F V C U`; and something changed since: `W D X`.
   */
  readonly status: string;
  /** Failed keys that are tried again without anybody asking, or were until their delays were used up; not there when there are none. */
  readonly retries?: readonly RetryEntry[];
}

/** How often a key has failed in a row, and when it is requested again (`null`: a person is waited for). */
export type RetryEntry = readonly [key: string | null, failures: number, at: string | null];

export interface SensorEntry {
  /** `null`: nobody said `start` or `stop`, the pipeline's default holds. */
  readonly status: 'RUNNING' | 'STOPPED' | null;
  readonly cursor: string | null;
  /** Raised by every tick that changes something, and by `cursor --set|--clear`, `start` and `stop`. */
  readonly version: number;
  /** The last tick that changed the state; the history has the others. */
  readonly lastTick: TickRecord | null;
  /** Of `automation`: for which period assets with `every` were requested last, by its begin; not there when none was. */
  readonly periods?: Readonly<Record<string, string>>;
  /** Since when it has brought no new key: its last tick that added some; before that, when some were first expected of it. */
  readonly quietSince?: string;
  readonly runKeys: SpentRunKeys;
}

/** The run keys that a sensor has spent. */
export interface SpentRunKeys {
  /** For each set a letter a key: `1` where the key itself was the run key of a run for it. */
  readonly ofKeys: Readonly<Record<string, string>>;
  /** All others, with the partition whose removal releases them. */
  readonly other: readonly (readonly [runKey: string, set: string | null, partitionKey: string | null])[];
}

/** A process that executes runs now. */
export interface ExecutorEntry extends Owner {
  /** How many runs it may have started at the same time. */
  readonly slots: number;
  /** Whether it waits for more. */
  readonly wants: number;
  /** What it has of pools and waits for, by name; not there when that is nothing. */
  readonly pools?: Readonly<Record<string, PoolShare>>;
}

/** Runs that were queued together: the same assets, sensor and tags, one for each key. */
export interface RunGroup extends Omit<RunHead, 'group'> {
  /** A run's id is the group's id, `-` and the run's number. Parts of one group with different owners share it. */
  readonly id: string;
  /** The executor's id; `null`: nobody's. */
  readonly owner: string | null;
  /** The serial with which it became the owner's: earlier owners go first where two want one asset and key. */
  readonly ownedSince: number;
  readonly numbers: readonly number[];
  readonly keys: readonly (string | null)[];
  /** `"keys"`: each run's key is its run key; `null`: none has one. */
  readonly runKeys: readonly (string | null)[] | 'keys' | null;
  /** A letter a run: `q` queued, `s` started, `c` being canceled. */
  readonly status: string;
  /** A digit a run: how often its execution began and was interrupted. */
  readonly interrupted: string;
  /** When the started ones began, by number. */
  readonly startedAt: Readonly<Record<string, string>>;
  /** Assets that a run has made while it goes on, by number; not there when there are none. */
  readonly done?: Readonly<Record<string, readonly AssetOutcome[]>>;
  /** For which assets of a run, by number, what has changed since it was queued, and with which serial; not there when nothing has. */
  readonly touched?: Readonly<Record<string, Readonly<Record<string, TouchedBy>>>>;
  /** Why a run is being canceled, by number, where that was not done by hand; not there when there are none. */
  readonly why?: Readonly<Record<string, string>>;
}

/** A state that was never written. */
export function emptyDocument(): StateDocument {
  return {
    schema: SCHEMA,
    lineage: '',
    serial: 0,
    writtenBy: { version: '', at: '' },
    pipeline: null,
    sensors: {},
    assets: {},
    executors: [],
    runs: [],
    sets: {},
    writers: { last: [], forgotten: 0 },
  };
}

/** A set without keys. */
export const EMPTY_SET: SetEntry = { keys: [], added: [], keptOut: [] };

/** A sensor that never ticked. */
export const NEW_SENSOR: SensorEntry = {
  status: null,
  cursor: null,
  version: 0,
  lastTick: null,
  runKeys: { ofKeys: {}, other: [] },
};

/** The entry of a name. Never what every object inherits: a set may be called `constructor`. */
export function entryOf<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** What tells whose state it is. Of an older schema it may be several pipelines'. */
export function identityOf(
  { pipeline, sets, assets, move }: StateDocument,
  mayBeShared: boolean,
): StateIdentity {
  return {
    pipeline,
    move: move ?? null,
    sets: Object.keys(sets).filter((name) => sets[name]!.keys.length > 0),
    assets: Object.keys(assets).filter((name) =>
      [assets[name]!, ...(assets[name]!.before ?? [])].some(({ status }) => /[^.]/.test(status)),
    ),
    mayBeShared,
  };
}
