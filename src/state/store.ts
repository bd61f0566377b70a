/**
 * Where state lives: the interface that the engine sees, and its contract.
 *
 * It speaks in operations of the domain, not in documents, so that another implementation can keep the same promises
 * in a database. `test/support/store-contract.ts` is the suite that every implementation passes.
 */
import type { Carried } from '../model/carried.ts';
import type { PartitionStatus } from '../model/partition-status.ts';
import type { Holder, LogLine, TickRecord } from '../model/tick.ts';
import type { StateChange } from './changes.ts';
import type { Needs } from './needs.ts';
import type { RunPage, RunQuery } from './run-query.ts';
import type { ProgramNote, StateView } from './state-view.ts';

/**
 * Which upstream keys a key is made of, where a function of the pipeline names them: see `mapKeys`.
 *
 * @param at the place of the upstream asset among those that the asset gathers
 * @returns `null` where it is not known
 */
export type Mapping = (asset: string, at: number, key: string) => readonly string[] | null;

export interface StateStore {
  /** What the functions of the pipeline say of keys, from now on. Until then what they would say may be anything. */
  useMapping?(mapping: Mapping): void;
  /** What is needed of the state as it is now. Writes nothing and makes no folder. */
  read(needs: Needs): Promise<StateView>;

  /** What is needed of the state as it would be after these changes, which are not made: for whoever only looks. */
  preview(changes: readonly StateChange[], needs: Needs): Promise<StateView>;

  /**
   * Plans from what is needed of the newest state, and applies the plan's changes in one commit, all of them or none.
   *
   * `plan` is pure and asks for nothing but its needs: it is called again with a newer view when another process committed in between. A plan without
   * changes writes nothing. When the promise has resolved, the commit survives a kill and a loss of power.
   */
  commit<Outcome>(needs: Needs, plan: Planner<Outcome>, then?: Afterwards<Outcome>): Promise<Outcome>;

  /** The sets at this moment, for a user's function, which asks what it likes: a database answers each question by itself. */
  sets(): Promise<SetReader>;

  /** Claims the evaluation of a sensor until it is released; `holder` says who has it when it is taken. */
  claimSensor(sensor: string): Promise<SensorClaim | HeldClaim>;

  /** Who evaluates the sensor now, or `null`. */
  evaluating(sensor: string): Promise<Holder | null>;

  /** Makes this process one that can own runs. */
  enter(): Promise<Executor>;

  /** Adds a tick to the history. */
  recordTick(tick: TickRecord): Promise<void>;
  /** Past ticks, newest first: those in the history, and the one that a killed process committed and did not come to record. */
  ticks(sensor: string, limit: number): Promise<TickRecord[]>;

  /**
   * Runs, newest first: those in the state and those in the history as one list. One that a killed process recorded and did not
   * commit counts as what it is in the state.
   */
  runs(query: RunQuery): Promise<RunPage>;

  /** Adds lines to the log of a run. After a kill those of the last tenth of a second may not be there. */
  appendLog(runId: string, lines: readonly RunLogLine[]): void;
  /** The run has ended: all its lines are there when this returns. */
  closeLog(runId: string): void;
  /** A part of a run's log, however long that is, from where an earlier part ended. @param from `0`: from the beginning */
  readLog(runId: string, from: number): Promise<LogPart>;
  /** The last lines of a run's log, in their order. */
  endOfLog(runId: string, lines: number): Promise<RunLogLine[]>;
}

/** What is needed of the state as it is right after a commit, for who goes on from there. */
export interface Afterwards<Outcome> {
  /** `null`: nothing. */
  readonly needs: (outcome: Outcome) => Needs | null;
  /** A store that can look on the way of the commit calls it before the commit is answered. Where it is not called, the state is to be read. */
  readonly seen: (view: StateView) => void;
}

/** What a user's function may ask of sets. A set that is not there is empty. */
export interface SetReader {
  /** Those that are neither in the set nor kept out, each once. */
  missing(set: string, keys: Iterable<string>): Promise<string[]>;
  has(set: string, key: string): Promise<boolean>;
  /** What the keys carry that are in the set; those that are not there are not in the answer. */
  carried(set: string, keys: Iterable<string>): Promise<Map<string, Carried>>;
  /** What is on record of an asset for each of the keys. */
  statusOf(asset: string, set: string, keys: readonly string[]): Promise<PartitionStatus[]>;
  count(set: string): Promise<number>;
  keys(set: string): AsyncIterable<string>;
}

/** One line of a run's log. */
export interface RunLogLine extends LogLine {
  readonly asset: string;
  readonly attempt: number;
}

/** A few megabytes of a run's log at most. */
export interface LogPart {
  readonly lines: readonly RunLogLine[];
  /** Where the next part begins: a number that only the store understands. */
  readonly next: number;
  /** Whether this was the last part for now. */
  readonly isEnd: boolean;
}

/** Another process has it. */
export interface HeldClaim {
  readonly holder: Holder;
  /** The sensor whose code got that process's thread last; `null` where it evaluates only one. */
  readonly thread: string | null;
}

/** What is known of programs that code of a sensor has started and that were not seen to end. */
export interface EvaluationLeft {
  /** The claim under which they were started: it is in their environment. */
  readonly id: string;
  readonly host: string;
  /** Its process lives, and ends them itself. */
  readonly alive: boolean;
  /** Whether they could be seen from here. */
  readonly visible: boolean;
  readonly programs: readonly Omit<ProgramNote, 'runId'>[];
}

export interface SensorClaim {
  readonly id: string;
  /** What earlier evaluations of the sensor have left: those that were killed, and those whose programs take a while to end. */
  left(): Promise<readonly EvaluationLeft[]>;
  /** Nothing of these is left any more. */
  leftEnded(ids: readonly string[]): Promise<void>;
  /** A program that the sensor started leads a process group. */
  started(program: Omit<ProgramNote, 'runId'>): void;
  /** Nothing of its own programs is left. Also after its release. */
  programsEnded(): Promise<void>;
  /** Of several sensors that share a thread, this one's code has it now: if it is blocked, then by this one. */
  hasThread(): void;
  release(): Promise<void>;
}

/** This process, as an owner of runs. What it notes here lets others judge its runs after it died. */
export interface Executor {
  readonly id: string;
  /**
   * User code of the run begins now, or another asset's of the same run, which may keep the event loop for so long. Where the note
   * takes a while, the code begins when it is there: what takes its process down must be known to have begun.
   */
  begun(runId: string, mayBlockMs: number): void | Promise<void>;
  /** A program that it started leads a process group. */
  started(program: ProgramNote): void;
  /** It has ended, whatever came of it. */
  ended(runId: string): void;
  /** The executor owns nothing any more. */
  leave(): Promise<void>;
}

export interface Plan<Outcome> {
  readonly changes: readonly StateChange[];
  readonly outcome: Outcome;
}

export type Planner<Outcome> = (view: StateView) => Plan<Outcome>;
