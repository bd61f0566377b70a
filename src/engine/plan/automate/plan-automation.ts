/**
 * What automated assets need, given the state: the plan of the built-in sensor `automation`. Level-triggered: it asks what is not
 * as it should be and not on its way, and remembers nothing. Pure.
 */
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import { hasChangedSince, isThere, type PartitionStatus, whyStale } from '../../../model/partition-status.ts';
import { isDue } from '../../../model/next-try.ts';
import { AUTOMATION, type RunReason } from '../../../model/run.ts';
import { recordOfTick, TICK_RECORD_LIMIT, type TickRecord } from '../../../model/tick.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CandidateQuery, StateView } from '../../../state/state-view.ts';
import { together } from '../needs-together.ts';
import { type Due, inTurn } from './in-turn.ts';
import { isWanted } from './is-wanted.ts';
import { type NamedKeys, planRetention } from './plan-retention.ts';
import { earlier, nextOf, type Periods, requestedFor, restingIn } from './periods.ts';
import { AskedRuns } from '../queue/asked-runs.ts';
import { PendingWork } from '../queue/pending-work.ts';
import { queueRuns } from '../queue/queue-runs.ts';
import { tickRuns } from '../tick/tick-runs.ts';
import { type PlanTickOptions, type TickPlan, unappliedTick } from '../tick/tick-record.ts';

/** Assets that are automated and have one set, or none; in dependency order. */
interface Automated {
  readonly set: string | null;
  readonly assets: readonly AssetDefinition[];
}

/** Why automation makes an asset for a key, or does not. */
export type Verdict =
  | { readonly is: 'due'; readonly reason: RunReason }
  /** Upstreams that are neither there nor made by the same plan, or are on their way. */
  | { readonly is: 'waiting'; readonly upstreams: readonly string[] }
  | { readonly is: 'in-progress' }
  /** It is as it should be, or waits for a person or a change. */
  | { readonly is: 'settled' };

const SETTLED: Verdict = { is: 'settled' };
const IN_PROGRESS: Verdict = { is: 'in-progress' };

export function needsOfAutomation(pipeline: Pipeline, now: Millis): Needs {
  const all = automatedBySet(pipeline);
  const alone = namesAlone(pipeline, all);
  return together(
    { sensors: [AUTOMATION], executors: true, retries: true },
    { statuses: alone.map((asset) => ({ asset, set: null, keys: [null] })) },
    { runs: [{ assets: [...new Set(all.flatMap(({ assets }) => assets.flatMap(namesIn)))] }] },
    ...all.flatMap(({ set, assets }): Needs[] => {
      if (set === null) return [];
      const asksItems = assets.some(({ automate }) => automate!.only !== null);
      return [
        { candidates: [queryOf(pipeline, { set, assets }, now)] },
        ...(asksItems ? [{ keys: [{ set, keys: 'all' as const, carried: true as const }] }] : []),
      ];
    }),
  );
}

export interface PlanAutomationOptions extends PlanTickOptions {
  /** The present period of each asset that has `every`. */
  readonly periods?: Periods;
  /** Keys that the rules of sets name. */
  readonly named?: NamedKeys;
}

const NO_PERIODS: Periods = new Map();
const NO_KEYS: NamedKeys = new Map();

export function planAutomation(
  view: StateView,
  pipeline: Pipeline,
  { moment, owner, listsAllRuns = true, periods = NO_PERIODS, named = NO_KEYS }: PlanAutomationOptions,
): TickPlan {
  const asked = new AskedRuns({ sensor: AUTOMATION, origin: owner === null ? 'worker' : 'tick' });
  const pending = new PendingWork(view);
  const all = automatedBySet(pipeline);
  const by = isoTime(moment.now);
  const alone = new Map(
    namesAlone(pipeline, all).map((name) => [name, view.statusOf(name, null, [null])[0]!]),
  );
  const isDueAlone = (name: string): boolean => isDue(view.nextTries(name, null, [null])[0], moment.now);
  const takenAlone = new Set<string>();
  const resting = restingIn(periods, view.sensor(AUTOMATION).periods);
  const taken = new Set<string>();
  let room = pipeline.automation.perTick;
  for (const { set, assets } of all) {
    const look = new Look({ pipeline, pending, alone, takenAlone, resting });
    const dues =
      set === null
        ? [look.dueOf(null, assets, { statusOf: () => 'missing', isDue: isDueAlone })]
        : keysOf(view, pipeline, { set, assets, now: moment.now }, look);
    for (const { key, assets: due, reasons } of inTurn(dues, room)) {
      if (set === null) for (const { name } of due) takenAlone.add(name);
      asked.add(set, key, { assets: due.map(({ name }) => name), reasons, tags: {} });
      for (const { name } of due) taken.add(name);
      room--;
    }
  }
  const queued = queueRuns(moment, asked.parts);
  const { now } = moment;
  const retained = planRetention(view, pipeline, { named, now, pending, queued });
  const { listed, left } = tickRuns(queued, listsAllRuns ? Infinity : TICK_RECORD_LIMIT);
  const isAtWork = queued.length + retained.changes.length > 0;
  const tick: TickRecord = {
    ...unappliedTick(view, AUTOMATION, moment, {
      status: isAtWork ? 'SUCCESS' : 'SKIPPED',
      skipReason: isAtWork ? null : 'nothing to make',
      failures: retained.failures,
    }),
    partitions: retained.partitions,
    runs: listed,
    ...(left > 0 && { truncated: { keys: 0, runs: left, skippedRunKeys: 0 } }),
  };
  const changes: StateChange[] = [
    ...queued.map((runs) => ({ type: 'runs-queued', runs, owner }) as const),
    ...retained.changes,
  ];
  if (changes.length > 0)
    changes.push({
      type: 'sensor-changed',
      sensor: AUTOMATION,
      tick: recordOfTick(tick),
      // Where there was no room for all, the rest belongs to this period as well.
      ...(room > 0 && requestedFor(periods, taken)),
    });
  return { changes, queued, tick, nextAt: earlier(view.nextRetry(by), nextOf(periods)) };
}

/**
 * Why an automated asset is to be made for a key; `null`: it is as it should be, or waits for a person or a change.
 * @param isDue whether it failed, and is to be tried again by now
 */
export function reasonToAutomate(
  { automate }: AssetDefinition,
  status: PartitionStatus,
  isDue = false,
): Exclude<RunReason, 'asked'> | null {
  if (automate === null) return null;
  if (isDue) return 'failed';
  if (status === 'missing' || (status === 'backlog' && automate.takesBacklog)) return 'missing';
  if (automate.when === 'missing') return !isThere(status) && hasChangedSince(status) ? 'failed' : null;
  return hasChangedSince(status) ? 'failed' : whyStale(status);
}

/** Sets first that others may be made from: assets without a set stand before all that have one. */
export function automatedBySet(pipeline: Pipeline): Automated[] {
  const sets = new Map<string | null, AssetDefinition[]>([[null, []]]);
  for (const asset of pipeline.assets.values())
    if (asset.automate !== null) sets.set(asset.set, [...(sets.get(asset.set) ?? []), asset]);
  return [...sets].filter(([, assets]) => assets.length > 0).map(([set, assets]) => ({ set, assets }));
}

function namesIn({ name, upstream }: AssetDefinition): string[] {
  return [name, ...upstream];
}

/** Those of the assets, and of what they are made from, that have one value for all keys. */
export function namesAlone(pipeline: Pipeline, all: readonly Automated[]): string[] {
  const names = new Set(all.flatMap(({ assets }) => assets.flatMap(namesIn)));
  return [...names].filter((name) => pipeline.assets.get(name)?.set == null);
}

interface AutomatedOfSet {
  readonly set: string;
  readonly assets: readonly AssetDefinition[];
}

function queryOf(pipeline: Pipeline, { set, assets }: AutomatedOfSet, now: Millis): CandidateQuery {
  const names = new Set(assets.map(({ name }) => name));
  const others = new Set(assets.flatMap(({ upstream }) => upstream).filter((name) => !names.has(name)));
  return {
    set,
    inStates: ['open'],
    assets: [...names],
    alsoOf: [...others].filter((name) => pipeline.assets.get(name)?.set === set),
    prefix: null,
    order: 'oldest',
    dueBy: isoTime(now),
  };
}

function* keysOf(
  view: StateView,
  pipeline: Pipeline,
  { set, assets, now }: AutomatedOfSet & { readonly now: Millis },
  look: Look,
): Generator<Due> {
  const query = queryOf(pipeline, { set, assets }, now);
  const column = new Map([...query.assets, ...query.alsoOf].map((name, at) => [name, at]));
  const filtered = assets.some(({ automate }) => automate!.only !== null);
  for (const { key, statuses, due } of view.candidates(query)) {
    const carried = filtered ? view.carried(set, [key]).get(key) : undefined;
    const wanted = filtered ? assets.filter((asset) => isWanted(asset, key, carried?.item ?? null)) : assets;
    yield look.dueOf(key, wanted, {
      statusOf: (name) => statuses[column.get(name)!]!,
      isDue: (name) => due?.[column.get(name)!] ?? false,
    });
  }
}

interface Surroundings {
  readonly pipeline: Pipeline;
  readonly pending: PendingWork;
  /** What is on record of assets without a set. */
  readonly alone: ReadonlyMap<string, PartitionStatus>;
  /** Assets without a set that this plan makes. */
  readonly takenAlone: ReadonlySet<string>;
  /** Assets that wait for their next period, except with keys that failed and are to be tried again. */
  readonly resting: ReadonlySet<string>;
}

/** What is on record of assets for one key. */
export interface OnRecord {
  readonly statusOf: (asset: string) => PartitionStatus;
  /** Whether it failed, and is to be tried again by now. */
  readonly isDue: (asset: string) => boolean;
}

/** What there is to be said of keys, one after the other. */
export class Look {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  dueOf(key: string | null, assets: readonly AssetDefinition[], onRecord: OnRecord): Due {
    const taken = new Map<AssetDefinition, RunReason>();
    for (const [asset, verdict] of this.verdicts(key, assets, onRecord))
      if (verdict.is === 'due') taken.set(asset, verdict.reason);
    return { key, assets: [...taken.keys()], reasons: [...taken.values()] };
  }

  /** What is said of each asset for a key, in dependency order: what is made of it, or why nothing is. */
  *verdicts(
    key: string | null,
    assets: readonly AssetDefinition[],
    { statusOf: statusInSet, isDue }: OnRecord,
  ): Generator<readonly [AssetDefinition, Verdict]> {
    const { alone } = this.#around;
    const statusOf = (name: string): PartitionStatus => alone.get(name) ?? statusInSet(name);
    const taken = new Set<string>();
    for (const asset of assets) {
      const reason = this.#reason(asset, { statusOf, isDue }, taken);
      if (reason === null) yield [asset, SETTLED];
      else if (this.#isPending(asset, key)) yield [asset, IN_PROGRESS];
      else {
        const upstreams = asset.upstream.filter((name) => !this.#isReady(name, key, statusOf, taken));
        if (upstreams.length === 0) taken.add(asset.name);
        yield [asset, upstreams.length > 0 ? { is: 'waiting', upstreams } : { is: 'due', reason }];
      }
    }
  }

  /** What this plan makes again makes stale what depends on it. */
  #reason(
    asset: AssetDefinition,
    { statusOf, isDue }: OnRecord,
    taken: ReadonlySet<string>,
  ): RunReason | null {
    if (this.#around.resting.has(asset.name)) return isDue(asset.name) ? 'failed' : null;
    const reason = reasonToAutomate(asset, statusOf(asset.name), isDue(asset.name));
    if (reason !== null || asset.automate!.when === 'missing') return reason;
    const isMadeAgain = asset.upstream.some((upstream) => taken.has(upstream));
    return isMadeAgain && statusOf(asset.name) === 'materialized' ? 'upstream' : null;
  }

  #isReady(
    name: string,
    key: string | null,
    statusOf: (asset: string) => PartitionStatus,
    taken: ReadonlySet<string>,
  ): boolean {
    const { pipeline, takenAlone } = this.#around;
    const upstream = pipeline.assets.get(name);
    if (upstream === undefined) return false;
    if (taken.has(name) || takenAlone.has(name)) return true;
    const status = statusOf(name);
    return (
      (isThere(status) || status === 'skipped') &&
      !this.#isPending(upstream, upstream.set === null ? null : key)
    );
  }

  #isPending(asset: AssetDefinition, key: string | null): boolean {
    return this.#around.pending.of([asset], key).length > 0;
  }
}
