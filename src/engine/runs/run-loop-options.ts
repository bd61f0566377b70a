/** What executing runs takes. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { Failure } from '../../model/failure.ts';
import type { Clock } from '../../model/time.ts';
import type { Executor, StateStore } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import type { ExecuteRun, ExecutionContext } from './execute-run.ts';
import type { Isolate } from './isolated.ts';
import type { Processes } from '../user-code/programs.ts';

export interface RunLoopOptions {
  readonly store: StateStore;
  readonly executor: Executor;
  readonly pipeline: Pipeline;
  readonly ioManager: RunValues;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly concurrency: number;
  /** After a failure nothing new is started, and what was not started is canceled. */
  readonly failFast: boolean;
  /** What becomes of runs that are interrupted: back to the queue, or canceled. */
  readonly onInterrupt: 'release' | 'cancel';
  readonly interrupt: AbortSignal;
  /** No run begins after this time (steady, milliseconds); what waits then goes back to the queue. Default: no bound. */
  readonly startsUntil?: number;
  /** Nothing begins any more once it is aborted, and what waits goes back to the queue. Its reason is a `StopReason`. */
  readonly handsOver?: AbortSignal;
  /** Where user code is executed. Default: here. */
  readonly execute?: (context: ExecutionContext) => ExecuteRun;
  /** Where assets are executed that have a process of their own. Default: here. */
  readonly isolate?: Isolate;
  /**
   * A value that a run needs cannot be read: the run goes back to the queue, and all others go on. Default: the failure is told at the end,
   * when those have ended.
   */
  readonly onDamaged?: (run: string, failure: Failure) => void;
  /** What the system can do with programs that user code starts. */
  readonly processes: () => Promise<Processes>;
}
