/** What a run is given, wherever it is executed, by the process that owns it. */
import type { Pipeline } from '../../definitions/pipeline.ts';
import { type Carried, NOTHING_CARRIED } from '../../model/carried.ts';
import type { Interrupt } from '../user-code/interruption.ts';
import { type ProgramMarks, Programs, RUN_MARK } from '../user-code/programs.ts';
import { Batches, type BatchesOptions } from './batches.ts';
import type { ExecutionContext } from './execute-run.ts';
import { catchesUp } from './catch-up.ts';
import { gather } from './gather.ts';
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
    statusOf: ({ asset, set, key }) =>
      runs.unrecorded.freshOf(asset, key) ?? runs.view.statusOf(asset, set, [key])[0]!,
    beginsWith(id, asset) {
      if (runs.underWay.isOwn(id)) options.ioManager.begins?.(id, runs.view.serial);
      return beginsWith(runs, id, asset);
    },
    gather: (id, asset, interrupt) => gatherFor(options, runs, { id, asset, interrupt }),
    made,
    catchUp: catchesUp(runs),
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

/** An asset of a run begins: what its key carries. What changes from now on makes stale what comes of it. */
function beginsWith(owned: OwnRuns, id: string, asset: string): Carried {
  const { runs, partitionKey } = owned.underWay.get(id).run;
  owned.unrecorded.noteSeen(id, asset, owned.view.serial);
  if (runs.set === null || partitionKey === null) return NOTHING_CARRIED;
  return owned.view.carried(runs.set, [partitionKey]).get(partitionKey) ?? NOTHING_CARRIED;
}

/** An asset of a run begins that takes many upstream keys: which of them are there, by now, for others as well. */
function gatherFor(
  { pipeline, store }: RunLoopOptions,
  runs: OwnRuns,
  {
    id,
    asset: name,
    interrupt,
  }: { readonly id: string; readonly asset: string; readonly interrupt: Interrupt },
): ReturnType<ExecutionContext['gather']> {
  const asset = pipeline.assets.get(name)!;
  const { partitionKey: key } = runs.underWay.get(id).run;
  const shown = (upstreams: ReadonlySet<string>): Promise<void> => runs.unrecorded.shown(upstreams);
  return gather({ store, pipeline, asset, key, shown, interrupt }, (serial) => {
    // What is not gathered is looked up in the view that was there before.
    const isAll = asset.upstream.length === 0;
    runs.unrecorded.noteSeen(id, name, isAll ? serial : Math.min(serial, runs.view.serial));
  });
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
