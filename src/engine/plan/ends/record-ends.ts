/** What to record of the runs that a process has executed, given the state. Pure: says which changes do it and what they come to. */
import { describe } from '../../../model/describe-failure.ts';
import type { Millis } from '../../../model/time.ts';
import type { StaleReason } from '../../../model/stale-reason.ts';
import type { FinishedRun, StaleAssets, StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import { withDone, withReasons } from '../../../model/pending-run.ts';
import type { AssetOutcome } from '../../../model/run.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { Plan } from '../../../state/store.ts';
import { isListed } from '../executors/ownership.ts';
import { cancellationOf, endedAs } from './run-records.ts';
import { needsOfRoom, slotsFor } from '../executors/slots.ts';

export interface EndsToRecord {
  readonly executor: string;
  /** Runs that ended here, as this process saw it. */
  readonly ended: readonly FinishedRun[];
  /** Assets that runs have made without having come to their end: those go on, go back, or were interrupted for good. */
  readonly made: ReadonlyMap<string, readonly AssetOutcome[]>;
  /** Runs that began here and that the state does not show as started: when, by id. */
  readonly started: ReadonlyMap<string, string>;
  /** The serial of the state from which an asset of a run was made; `undefined`: not known. */
  readonly seenBy: (run: string, asset: string) => number | undefined;
  /** Runs that go back to the queue. */
  readonly released: readonly string[];
  /** How the executor goes on; `null` when it leaves with this commit. */
  readonly goesOn: {
    readonly wanted: number;
    /** Runs that are its own in the state and want no room: they have ended since, or are to go back. */
    readonly setAside: number;
    readonly inFlight: number;
    readonly concurrency: number;
  } | null;
  readonly now: Millis;
}

export interface RecordedEnds {
  /** What is on record: no outcome counts for a run that was canceled meanwhile. */
  readonly finished: readonly RecordedEnd[];
  /** Runs that ended here and are not this process's any more: nothing is recorded of them. */
  readonly lost: readonly FinishedRun[];
  /** How many went back to the queue. */
  readonly released: number;
  /** How many of those that were to go back are not this process's any more. */
  readonly gone: number;
  /** Assets that are on record, though their runs are not. */
  readonly progressed: ReadonlyMap<string, readonly AssetOutcome[]>;
  readonly slots: number;
}

export interface RecordedEnd extends FinishedRun {
  /** Another process canceled it, or removed its key. */
  readonly canceledByOthers: boolean;
}

/**
 * @param runs of which something is recorded
 * @param partitions of those that have ended or go back: what their keys carry by now says what is stale
 */
export function needsOfEnds(
  executor: string,
  runs: readonly string[],
  partitions: readonly { readonly set: string | null; readonly key: string | null }[],
): Needs {
  const keys = partitions.flatMap(({ set, key }) =>
    set === null ? [] : [{ set, keys: [key], carried: true as const }],
  );
  return { ...needsOfRoom(executor), runs: [{ ids: runs }], keys };
}

export function planEnds(view: StateView, ends: EndsToRecord): Plan<RecordedEnds> {
  const { executor, ended, released, goesOn, now } = ends;
  const staleOf = staleIn(view, ends);
  const finished: RecordedEnd[] = [];
  const withStale: FinishedRun[] = [];
  const lost: FinishedRun[] = [];
  const queued: string[] = [];
  let gone = 0;
  const finish = (end: RecordedEnd, owned: OwnedNow): void => {
    finished.push(end);
    withStale.push(asFinished(end, staleOf(owned, end.record.assets)));
  };
  for (const end of ended) {
    const owned = ownedNow(view, executor, end.record.id);
    if (owned === null) lost.push(end);
    else finish(asRecorded(owned, end, ends.made.get(end.record.id) ?? []), owned);
  }
  for (const id of released) {
    const owned = ownedNow(view, executor, id);
    // Canceled at the last moment: nobody is left who could abort it, so it ends here and not in the queue.
    if (owned?.run.canceling) finish(canceledEnd(owned, now), owned);
    else if (owned === null) gone++;
    else queued.push(id);
  }
  const started = startedBy(view, ends);
  const progressed = progressOf(view, ends);
  const changes: StateChange[] = [];
  if (finished.length > 0) changes.push({ type: 'runs-finished', runs: withStale });
  // What goes on began behind what has ended of the same asset and key.
  if (progressed.size > 0) {
    const stale = new Map([...progressed].map(([id, assets]) => [id, staleOf(view.run(id)!, assets)]));
    changes.push({ type: 'runs-progressed', runs: progressed, stale });
  }
  if (queued.length > 0) changes.push({ type: 'runs-released', ids: queued });
  if (started.size > 0) changes.push({ type: 'runs-started', runs: started });
  // Runs may have become ours by a commit whose adoption is still on its way: then this executor stays, and wants room for them.
  const owned = view.ownedBy(executor) - finished.length - queued.length;
  const wanted = goesOn === null ? 0 : Math.max(goesOn.wanted, owned - goesOn.setAside);
  const slots = goesOn === null ? 0 : slotsFor(view, executor, wanted, goesOn.concurrency);
  if (owned === 0) {
    if (isListed(view, executor)) changes.push({ type: 'executor-left', id: executor });
  } else if (goesOn !== null) changes.push(executorEntry(executor, slots, { ...goesOn, wanted }));
  return { changes, outcome: { finished, lost, released: queued.length, gone, progressed, slots } };
}

/**
 * What has changed since it was made: a key with another version, an asset with other code, an upstream that was made again. It
 * is on record, and stale from the start.
 */
function staleIn(
  view: StateView,
  { seenBy }: EndsToRecord,
): (owned: OwnedNow, outcomes: readonly AssetOutcome[]) => StaleAssets {
  const codes = new Map(view.pipeline?.assets.map(({ name, codeVersion }) => [name, codeVersion]));
  return ({ runs: { set }, run }, outcomes) => {
    const { id, partitionKey: key, touched } = run;
    const carried = set === null || key === null ? undefined : view.carried(set, [key]).get(key);
    const stale = new Map<string, StaleReason>();
    for (const { asset, status, version, codeVersion, skipReason } of outcomes) {
      if (status !== 'SUCCESS' && status !== 'FAILURE' && skipReason === null) continue;
      const code = codes.get(asset);
      const since = seenBy(id, asset) ?? 0;
      // Also what is as it was again: in between it was another one, and that is what was at hand, or not.
      const isTouched = (reason: StaleReason): boolean => (touched[asset]?.[reason] ?? 0) > since;
      if (version !== (carried?.version ?? null) || isTouched('version')) stale.set(asset, 'version');
      else if ((codeVersion !== null && code !== undefined && codeVersion !== code) || isTouched('code'))
        stale.set(asset, 'code');
      else if (isTouched('upstream')) stale.set(asset, 'upstream');
    }
    return stale;
  };
}

function asFinished(end: RecordedEnd, stale: StaleAssets): FinishedRun {
  const { record, set, asked } = end;
  return { record, set, ...(stale.size > 0 && { stale }), ...(asked !== undefined && { asked }) };
}

/** A process in the state. A run that the process has started takes room until the run has ended, also when the process's share is less by now. */
export function executorEntry(
  id: string,
  slots: number,
  { wanted, inFlight }: { readonly wanted: number; readonly inFlight: number },
): StateChange {
  const taken = Math.max(slots, inFlight);
  return { type: 'executor', id, slots: taken, wants: Math.max(0, wanted - taken) };
}

export function isOwnedBy(view: StateView, executor: string, run: string): boolean {
  return view.run(run)?.runs.owner === executor;
}

/** A run that is the executor's, as the state has it. */
type OwnedNow = NonNullable<ReturnType<StateView['run']>>;

function ownedNow(view: StateView, executor: string, id: string): OwnedNow | null {
  const found = view.run(id);
  return found?.runs.owner === executor ? found : null;
}

/** Those that are still the executor's: a run that was released meanwhile must not be marked as started. */
export function startedBy(
  view: StateView,
  { executor, started }: Pick<EndsToRecord, 'executor' | 'started'>,
): ReadonlyMap<string, string> {
  return new Map([...started].filter(([id]) => isOwnedBy(view, executor, id)));
}

/** Nothing new counts for a run that another process cancels. Where a run has ended, its end says all that the run made. */
function progressOf(
  view: StateView,
  { executor, ended, made }: EndsToRecord,
): ReadonlyMap<string, readonly AssetOutcome[]> {
  const over = new Set(ended.map(({ record }) => record.id));
  return new Map(
    [...made].filter(([id]) => {
      const owned = ownedNow(view, executor, id);
      return owned !== null && !owned.run.canceling && !over.has(id);
    }),
  );
}

/** What is on record of its assets stands, whatever is said of the others. */
function asRecorded({ runs, run }: OwnedNow, end: FinishedRun, made: readonly AssetOutcome[]): RecordedEnd {
  const { record } = end;
  if (!run.canceling) {
    const assets = withReasons(runs, withDone(record.assets, [...made, ...run.done]));
    return { ...end, record: { ...record, assets }, canceledByOthers: false };
  }
  const status = 'CANCELED' as const;
  const error = describe(cancellationOf(run));
  // What its process took for the reason is not: it knows that the run was to end, and not by whom. What failed before stands.
  const reasonOf = ({ error: own }: AssetOutcome) => (own === null || own.code === 'canceled' ? error : own);
  // Nor does it count that there was nothing to make: what was made before stays.
  const canceled = record.assets.map((asset) => ({
    ...asset,
    status,
    skipReason: null,
    error: reasonOf(asset),
  }));
  return {
    ...end,
    canceledByOthers: true,
    record: { ...record, status, error, assets: withReasons(runs, withDone(canceled, run.done)) },
  };
}

function canceledEnd({ runs, run }: OwnedNow, now: Millis): RecordedEnd {
  return {
    ...endedAs(runs, run, { status: 'CANCELED', failure: cancellationOf(run), now }),
    canceledByOthers: true,
  };
}
