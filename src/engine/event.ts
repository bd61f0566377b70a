/** Everything that happens, as values. The engine emits them and never prints; human, JSON and quiet output draw the same stream. */
import type { WaitsFor } from './plan/executors/waits-for.ts';
import type { Failure } from '../model/failure.ts';
import type { Problem } from '../model/problem.ts';
import type { RunRecord, RunStatus } from '../model/run.ts';
import type { LogLine, TickRecord } from '../model/tick.ts';
import type { Millis } from '../model/time.ts';

export type Event =
  | SensorsWatched
  | TickDue
  | TickBegan
  | TickFinished
  | RunsTakenUp
  | RunsLeftAlone
  | RunsReleased
  | RunsLost
  | RunsInHand
  | ProgramsLeft
  | ProcessBlocked
  | RunSetAside
  | RunStarted
  | RunEnded
  | RunLetGo
  | Stopping
  | TimeOver
  | AttemptFailed
  | AttemptEnded
  | RunFinished
  | WaitingForRuns
  | RunsUnrecorded
  | TickUnrecorded
  | OutputWritten;

/** A watch begins, or goes on by another pipeline. */
export interface SensorsWatched {
  readonly type: 'sensors-watched';
  readonly sensors: readonly string[];
}

/** A watch waits until a sensor is to tick. */
export interface TickDue {
  readonly type: 'tick-due';
  readonly sensor: string;
  /** Milliseconds from now; `null`: it is stopped; `undefined`: when something has changed. */
  readonly inMs: number | null | undefined;
}

/** A watch begins to evaluate a sensor. */
export interface TickBegan {
  readonly type: 'tick-began';
  readonly sensor: string;
}

/** A sensor was evaluated, and what followed is committed. Its runs have not been executed yet. */
export interface TickFinished {
  readonly type: 'tick-finished';
  readonly tick: TickRecord;
}

/** Runs that a process left behind are taken up by this one. */
export interface RunsTakenUp {
  readonly type: 'runs-taken-up';
  readonly count: number;
}

/** Queued runs that others may make: this process's pipeline does not have these assets. Said once of each asset. */
export interface RunsLeftAlone {
  readonly type: 'runs-left-alone';
  readonly count: number;
  /** There are more than were counted. */
  readonly isAtLeast: boolean;
  readonly assets: readonly string[];
}

/** This process stops before it has executed all its runs: the rest goes back to the queue. */
export interface RunsReleased {
  readonly type: 'runs-released';
  readonly count: number;
}

/** Runs of this process that are another process's now, or nobody's: this process was taken for dead. No outcome from here counts for these runs. */
export interface RunsLost {
  readonly type: 'runs-lost';
  readonly count: number;
}

/** Runs were taken on, taken away or given back: so many of this process are still to be executed or recorded. */
export interface RunsInHand {
  readonly type: 'runs-in-hand';
  readonly left: number;
}

/** A killed process had left programs at work: they were ended, as far as they could be seen. */
export interface ProgramsLeft {
  readonly type: 'programs-left';
  readonly host: string;
  /** The runs or the sensor that it was in the middle of. */
  readonly of: { readonly runs: readonly string[] } | { readonly sensor: string };
  /** How many processes were ended. */
  readonly ended: number;
  /** Something may be left that cannot be seen from here, or could not be ended. */
  readonly mayBeLeft: boolean;
}

/** Another process has runs in hand and cannot go on: their code keeps its thread. */
export interface ProcessBlocked {
  readonly type: 'process-blocked';
  readonly failure: Extract<Failure, { readonly reason: 'run-blocked' }>;
}

/** A value that the run needs cannot be read: it is left in the queue for a while, and this process goes on with the others. */
export interface RunSetAside {
  readonly type: 'run-set-aside';
  readonly run: string;
  readonly failure: Failure;
  readonly againInMs: number;
}

/** A run begins here. */
export interface RunStarted {
  readonly type: 'run-started';
  readonly id: string;
  readonly partitionKey: string | null;
  readonly assets: readonly string[];
  /** Runs of this process that are not on record yet, this one included. */
  readonly left: number;
}

/** The code of a run has come to its end here. Whether the outcome counts is decided by the commit that records it. */
export interface RunEnded {
  readonly type: 'run-ended';
  readonly run: RunRecord;
}

/** A run that began here is at work no more, and this is no end of the run: whoever takes the run up next executes it again. */
export interface RunLetGo {
  readonly type: 'run-let-go';
  readonly id: string;
  readonly partitionKey: string | null;
  /** `lost`: it is not this process's any more. `interrupted`: it is, until this process leaves, which gives it back or cancels it. */
  readonly why: 'unexecuted' | 'interrupted' | 'lost';
  /** Runs of this process that are still to be executed or recorded. */
  readonly left: number;
}

/** Told to stop, this process waits for what runs; a second signal leaves at once. */
export interface Stopping {
  readonly type: 'stopping';
  readonly waitsFor: readonly { readonly id: string; readonly partitionKey: string | null }[];
  /** What becomes of a run that does not end well in time. */
  readonly unfinished: 'released' | 'canceled';
}

/** The time in which runs may begin is over: those that have not begun go back to the queue, those that run are waited for. */
export interface TimeOver {
  readonly type: 'time-over';
  readonly left: number;
}

/** A try of an asset failed and another one follows. */
export interface AttemptFailed {
  readonly type: 'attempt-failed';
  readonly run: string;
  readonly asset: string;
  readonly partitionKey: string | null;
  readonly attempt: number;
  readonly problem: Problem;
  /** Milliseconds until the next try. */
  readonly retryInMs: number;
}

/** A try of an asset is over, whatever came of it. */
export interface AttemptEnded {
  readonly type: 'attempt-ended';
  readonly run: string;
  readonly asset: string;
  readonly partitionKey: string | null;
  readonly attempt: number;
  readonly startedAt: Millis;
  /** `CANCELED`: it was interrupted. */
  readonly status: RunStatus | 'SKIPPED';
  readonly problem: Problem | null;
}

/** A run came to its end, and this is on record. */
export interface RunFinished {
  readonly type: 'run-finished';
  readonly run: RunRecord;
  /** Somebody else canceled the run while this process had it. */
  readonly canceledByOthers: boolean;
  /** Runs of this process that are still to be executed or recorded. */
  readonly left: number;
}

/** Runs ended here, and their ends could not be written: the runs will be executed again. */
export interface RunsUnrecorded {
  readonly type: 'runs-unrecorded';
  readonly count: number;
}

/** A tick is committed, and the history beside the state could not take its record. */
export interface TickUnrecorded {
  readonly type: 'tick-unrecorded';
  readonly sensor: string;
  readonly error: unknown;
}

/** Nothing can be started until another process has finished runs. */
export interface WaitingForRuns {
  readonly type: 'waiting';
  /** `null` when the other process has just let go. */
  readonly waitsFor: WaitsFor | null;
}

/** User code wrote something; it is in the log already. */
export interface OutputWritten {
  readonly type: 'output';
  readonly source: string;
  readonly line: LogLine;
}

export type Emit = (event: Event) => void;
