/** What a run is given, wherever it is executed, by the process that owns it. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import { type ProgramMarks, Programs, RUN_MARK } from '../user-code/programs.ts';
import { Batches, type BatchesOptions } from './batches.ts';
import type { ExecutionContext } from './execute-run.ts';
import type { OwnRuns } from './own-runs.ts';
import type { RunLoopOptions } from './run-loop-options.ts';

export function contextOf(
  options: RunLoopOptions,
  runs: OwnRuns,
  made: ExecutionContext['made'],
): ExecutionContext {
  const { store, executor, processes } = options;
  let programs = 0;
  const count = (): number => ++programs;
  return {
    ...options,
    statusOf: (partition) => runs.statusOf(partition),
    beginsWith: (id, asset) => runs.beginsWith(id, asset),
    gather: (id, asset, interrupt) => runs.gather(id, asset, interrupt),
    made,
    appendLog: (id, lines) => store.appendLog(id, lines),
    closeLog: (id) => store.closeLog(id),
    begun: (id, mayBlockMs) => executor.begun(id, mayBlockMs),
    programsOf: (runId) => {
      const note: ProgramMarks['note'] = (program) => executor.started({ runId, ...program });
      return new Programs({
        processes,
        marks: { of: { [RUN_MARK]: runId }, starter: executor.id, count, note },
      });
    },
  };
}

/** Brings together the runs of a process whose assets make many keys in one call. */
export function batchesOf(
  { assets }: Pipeline,
  runs: OwnRuns,
  context: Pick<BatchesOptions, 'clock' | 'programsOf' | 'isolated'>,
  onChange: () => void,
): Batches {
  return new Batches({ ...context, room: () => runs.free, onChange }, assets.values());
}
