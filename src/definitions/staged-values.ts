/**
 * What an I/O manager may do beside saving and loading, as the default one does: values are staged by whoever executes a run, and
 * put in place by whoever commits it. These may be two processes, so that all of it is plain data.
 */
import type { IoManager, ValueContext } from './io-manager.ts';

/** A value that waits for the record of its materialization. */
export interface StagedValue {
  readonly run: string;
  readonly asset: string;
  readonly key: string | null;
  /** The file that it becomes. */
  readonly file: string;
  /** Tells the file in which it waits from one that another process has put there for the same run. */
  readonly mark?: string;
}

/** What is on record of a run: the assets whose values count, or go. One that is over has no others. */
export interface SettledRun {
  readonly run: string;
  readonly assets: readonly string[];
  /** Those that it skipped: what was made of them before goes. Not there: none. */
  readonly skipped?: readonly string[];
  readonly isOver: boolean;
}

export interface StagingIoManager extends IoManager {
  /** Settles what processes that were killed have left behind. */
  recover(): Promise<void>;
  /** What was saved here for a run and is not put in place yet. */
  staged(run: string): readonly StagedValue[];
  /** Takes on what another process has staged, as if it had been saved here. What was saved here stays as it is. */
  adopt(values: readonly StagedValue[]): void;
  /** Makes durable what was saved, adopted and removed so far. */
  flush(): Promise<void>;
  /** Puts in place the values of these runs that are on record, and drops the others of those that are over. */
  settle(runs: readonly SettledRun[]): void;
}

/** Values that go with their keys, also where the process is killed behind the commit that takes the keys out. */
export interface StagedPurge {
  /** Before the commit: durable when it resolves. */
  stage(values: readonly ValueContext[]): Promise<void>;
  /** After it: deletes the values that are gone, and forgets the others. */
  settle(gone: (value: ValueContext) => boolean): void;
}

/** An I/O manager of any kind: one of a user keeps at once what it saves. */
export type RunValues = IoManager &
  Partial<Omit<StagingIoManager, keyof IoManager>> & {
    /** When what `settle` has begun is done, or has taken too long: a process stays until then. Without it, all is done at once. */
    settled?(): Promise<void>;
    /** A run of this process goes on, from what the state with this serial shows: who has it, or its key, later goes on from a later one. */
    begins?(run: string, serial: number): void;
    /** Stages that there is no value any more: it goes when that is on record. Without it, `remove` is called after the commit. */
    skip?(run: string, value: ValueContext): void;
    /** What was made here of these, and waits for its place: another process finds it there. Without it, values of such a process come by way of this one. */
    waiting?(values: readonly ValueContext[]): readonly StagedValue[];
    /** Before somebody's word is committed that these keys are skipped: their values go, also if this process is killed after it. */
    skipByHand?(asset: string, keys: readonly (string | null)[]): Promise<void>;
    /** What goes with the next commit. Without it, `remove` is called after the commit. @param id of letters and digits, met once */
    purging?(id: string): StagedPurge;
    /**
     * The values of the first of these keys, as many as are read with one look: one at least. Each is made when it is asked for, and
     * throws what `load` would. Only dynpart's own are asked: one of a user is asked for nothing that nobody wants yet.
     */
    loadMany?(asset: string, keys: readonly string[]): Promise<readonly (() => unknown)[]>;
    /** Of which of these keys there is a value, with one look. Only dynpart's own are asked. */
    kept?(
      asset: string,
      keys: readonly (string | null)[],
    ): ReadonlySet<string | null> | Promise<ReadonlySet<string | null>>;
  };
