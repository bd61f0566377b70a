/** Takes up runs that have no live owner. Pure: says which changes do it and which runs are then this process's. */
import { type AssetOutcome, MAX_EXECUTIONS, partsOfRunId } from '../../../model/run.ts';
import { CANCELED_BY_HAND } from '../../../model/failures/run.ts';
import type { Millis } from '../../../model/time.ts';
import type { FinishedRun, StateChange } from '../../../state/changes.ts';
import { type PendingRun, type PendingRuns, runsIn } from '../../../model/pending-run.ts';
import type { ExecutorView, StateView } from '../../../state/state-view.ts';
import { living } from './ownership.ts';
import { endedAs } from '../ends/run-records.ts';

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
  readonly runKey: string | null;
  /** How often its execution was interrupted before. */
  readonly interrupted: number;
}

export interface Claim {
  readonly changes: readonly StateChange[];
  readonly owned: readonly OwnedRun[];
  /** Runs that ended here instead: interrupted too often, or canceled while their owner was dying. */
  readonly ended: readonly FinishedRun[];
}

export interface ClaimOptions {
  /** The executor that takes them up. */
  readonly owner: string;
  readonly now: Millis;
  /** Which of the runs without a live owner. */
  readonly wanted: (runs: PendingRuns, run: PendingRun) => boolean;
}

/** What any tick may resume: everything without a live owner, except what is for a worker. */
export function forTick(runs: PendingRuns): boolean {
  return runs.origin !== 'worker';
}

/** Whether there is anything to take up. Cheap: asked at every tick. */
export function hasUnowned(view: StateView, wanted: (runs: PendingRuns) => boolean): boolean {
  const pending = view.runs();
  if (pending.length === 0) return false;
  const alive = living(view);
  return pending.some((runs) => (runs.owner === null || !alive.has(runs.owner)) && wanted(runs));
}

export function claimRuns(view: StateView, options: ClaimOptions): Claim {
  const alive = living(view);
  const dead = new Map(
    view
      .executors()
      .filter((executor) => !executor.alive)
      .map((executor) => [executor.id, executor]),
  );
  const claimed: OwnedRun[] = [];
  const ended: FinishedRun[] = [];
  const interruptedNow = new Set<string>();
  // Who dies idle leaves too; who keeps all that it owns is no reason for a commit.
  const keeping = new Set<string>();
  const losing = new Set<string>();
  for (const runs of view.runs()) {
    if (runs.owner !== null && alive.has(runs.owner)) continue;
    for (const run of runsIn(runs)) {
      const isWanted = options.wanted(runs, run);
      if (runs.owner !== null) (isWanted ? losing : keeping).add(runs.owner);
      if (!isWanted) continue;
      const end = whyItEnds(runs, run, dead.get(runs.owner ?? ''), options.now);
      if (end !== null) {
        ended.push(end);
        continue;
      }
      const wasBegun = dead.get(runs.owner ?? '')?.interrupted.has(run.id) ?? false;
      if (wasBegun) interruptedNow.add(run.id);
      claimed.push(ownedRun(runs, run, run.interrupted + (wasBegun ? 1 : 0)));
    }
  }
  const changes: StateChange[] = [];
  if (claimed.length > 0) {
    changes.push({
      type: 'runs-claimed',
      ids: claimed.map(({ id }) => id),
      owner: options.owner,
      interrupted: interruptedNow,
    });
  }
  if (ended.length > 0) changes.push({ type: 'runs-finished', runs: ended });
  for (const id of dead.keys())
    if (losing.has(id) || !keeping.has(id)) changes.push({ type: 'executor-left', id });
  return { changes, owned: asQueued(claimed), ended };
}

/** A run as this process will execute it. */
function ownedRun(runs: PendingRuns, run: PendingRun, interrupted: number): OwnedRun {
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
function asQueued(runs: readonly OwnedRun[]): OwnedRun[] {
  const numbered = runs.map((run) => ({ run, ...partsOfRunId(run.id) }));
  const groups = new Map([...new Set(numbered.map(({ group }) => group))].map((group, at) => [group, at]));
  const place = (group: string): number => groups.get(group)!;
  return numbered
    .sort((one, other) => place(one.group) - place(other.group) || one.number - other.number)
    .map(({ run }) => run);
}

function whyItEnds(
  runs: PendingRuns,
  run: PendingRun,
  owner: ExecutorView | undefined,
  now: Millis,
): FinishedRun | null {
  if (run.canceling) {
    return endedAs(runs, run, {
      status: 'CANCELED',
      failure: { reason: 'canceled', why: CANCELED_BY_HAND },
      now,
    });
  }
  const executions = run.interrupted + (owner?.interrupted.has(run.id) ? 1 : 0);
  if (executions < MAX_EXECUTIONS) return null;
  return endedAs(runs, run, {
    status: 'FAILURE',
    failure: { reason: 'interrupted', executions },
    now,
  });
}
