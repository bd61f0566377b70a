/** Runs in the hands of an executor: what is executed of them, and in which order. Pure. */
import { type AssetOutcome, partsOfRunId } from '../../../model/run.ts';
import { type PendingRun, type PendingRuns, runsIn } from '../../../model/pending-run.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { StateView } from '../../../state/state-view.ts';

/** What is executed of a run. */
export interface RunTask {
  readonly id: string;
  readonly partitionKey: string | null;
  readonly assets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** What an earlier execution of it has made, and is on record: it is not made again. */
  readonly done: readonly AssetOutcome[];
}

/** A run that this process owns and is to execute. */
export interface OwnedRun extends RunTask {
  readonly runs: PendingRuns;
  /** As the state has it when the run begins. */
  done: readonly AssetOutcome[];
  readonly runKey: string | null;
  /** How often its execution was interrupted before. */
  readonly interrupted: number;
}

/** A run as this process will execute it. */
export function ownedRun(runs: PendingRuns, run: PendingRun, interrupted: number): OwnedRun {
  const { id, partitionKey, runKey, done } = run;
  return { id, partitionKey, runKey, assets: runs.assets, tags: runs.tags, done, runs, interrupted };
}

/** The runs of a group that are an executor's, as the state has them now. */
export function ownedRuns(view: StateView, executor: string, group: string): OwnedRun[] {
  const owned = view
    .runs()
    .flatMap((runs) =>
      runs.group === group && runs.owner === executor
        ? Array.from(runsIn(runs), (run) => ownedRun(runs, run, run.interrupted))
        : [],
    );
  return asQueued(owned);
}

/** Runs that an executor owns and has not begun are owned anew, from now: runs that other executors own by now come first. */
export function takenOnAnew(view: StateView, owner: string, runs: readonly OwnedRun[]): StateChange[] {
  const ids = runs.flatMap(({ id }) => (view.run(id)?.runs.owner === owner ? [id] : []));
  return ids.length === 0 ? [] : [{ type: 'runs-claimed', ids, owner, interrupted: new Set() }];
}

/** In the order of queueing: what began or was canceled meanwhile stands behind the rest of its group in the state. */
export function asQueued(runs: readonly OwnedRun[]): OwnedRun[] {
  const numbered = runs.map((run) => ({ run, ...partsOfRunId(run.id) }));
  const groups = new Map([...new Set(numbered.map(({ group }) => group))].map((group, at) => [group, at]));
  const place = (group: string): number => groups.get(group)!;
  return numbered
    .sort((one, other) => place(one.group) - place(other.group) || one.number - other.number)
    .map(({ run }) => run);
}
