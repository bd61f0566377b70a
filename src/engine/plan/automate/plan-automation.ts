/**
 * What automated assets need, given the state: the plan of the built-in sensor `automation`. Level-triggered: it asks what is not
 * as it should be and not on its way, and remembers nothing. Pure.
 */
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import type { PartitionRef } from '../../../model/partition-status.ts';
import { isDue } from '../../../model/next-try.ts';
import { AUTOMATION } from '../../../model/run.ts';
import { recordOfTick, TICK_RECORD_LIMIT, type TickRecord } from '../../../model/tick.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CandidateQuery, StateView } from '../../../state/state-view.ts';
import { together } from '../needs-together.ts';
import { Gathers, needsOfGathers } from '../gather/gathers.ts';
import { Requested } from '../gather/requested.ts';
import { anyOf, type Due, inTurn } from './in-turn.ts';
import { isWanted } from './is-wanted.ts';
import { Look } from './look.ts';
import { type NamedKeys, planRetention } from './plan-retention.ts';
import { earlier, nextOf, type Periods, requestedFor, restingIn } from './periods.ts';
import { AskedRuns } from '../queue/asked-runs.ts';
import { PendingWork } from '../queue/pending-work.ts';
import { queueRuns } from '../queue/queue-runs.ts';
import { tickRuns } from '../tick/tick-runs.ts';
import { type PlanTickOptions, type TickPlan, unappliedTick } from '../tick/tick-record.ts';

/** Assets that are automated, of one stage, and have one set, or none; in dependency order. */
interface Automated {
  readonly set: string | null;
  readonly stage: number;
  readonly assets: readonly AssetDefinition[];
}

export function needsOfAutomation(pipeline: Pipeline, now: Millis): Needs {
  const all = automatedBySet(pipeline);
  const alone = namesAlone(pipeline, all);
  return together(
    { sensors: [AUTOMATION], executors: true, retries: true },
    { statuses: alone.map((asset) => ({ asset, set: null, keys: [null] })) },
    { runs: [{ assets: [...new Set(all.flatMap(({ assets }) => assets.flatMap(namesIn)))] }] },
    needsOfGathers(
      pipeline,
      all.flatMap(({ assets }) => assets),
    ),
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
  /** All that is asked is whether there is anything to do: one key is enough then. Default false. */
  readonly onlyAsks?: boolean;
}

const NO_PERIODS: Periods = new Map();
const NO_KEYS: NamedKeys = new Map();

export function planAutomation(
  view: StateView,
  pipeline: Pipeline,
  options: PlanAutomationOptions,
): TickPlan {
  const {
    moment,
    owner,
    listsAllRuns = true,
    periods = NO_PERIODS,
    named = NO_KEYS,
    onlyAsks = false,
  } = options;
  const asked = new AskedRuns(pipeline, { sensor: AUTOMATION, origin: owner === null ? 'worker' : 'tick' });
  const pending = new PendingWork(view);
  const by = isoTime(moment.now);
  const taken = new Set<string>();
  let room = pipeline.automation.perTick;
  const surroundings = { pending, periods, now: moment.now };
  for (const { set, key, assets, reasons } of workInTurn(view, pipeline, {
    ...surroundings,
    room,
    onlyAsks,
  })) {
    asked.add(set, key, { assets: assets.map(({ name }) => name), reasons, tags: {} });
    for (const { name } of assets) taken.add(name);
    room--;
    if (onlyAsks) break;
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

interface Turns {
  readonly pending: PendingWork;
  readonly periods: Periods;
  readonly now: Millis;
  /** How many are taken at most. */
  readonly room: number;
  /** One is enough, whichever is found first. */
  readonly onlyAsks?: boolean;
  /** What is requested, and will be. Default: nobody asks for it afterwards. */
  readonly requested?: Requested;
  /** Only what comes before this stage. Default: all. */
  readonly before?: number;
}

/** Who makes an asset of many keys once in a period waits so long for those that are on their way. */
const MOST_PATIENCE_MS = 3_600_000;

/** Whether an asset still waits for upstream keys that are on their way. */
export function patienceIn(periods: Periods, now: Millis): (asset: string) => boolean {
  return (asset) => {
    const period = periods.get(asset);
    return period === undefined || now - period.start < MOST_PATIENCE_MS;
  };
}

/** What is to be made, set by set, in the order in which it is taken. */
export function* workInTurn(
  view: StateView,
  pipeline: Pipeline,
  { pending, periods, now, room, onlyAsks = false, requested = new Requested(), before = Infinity }: Turns,
): Generator<Due & { readonly set: string | null }> {
  const all = automatedBySet(pipeline).filter(({ stage }) => stage < before);
  const alone = new Map(
    namesAlone(pipeline, all).map((name) => [name, view.statusOf(name, null, [null])[0]!]),
  );
  const isDueAlone = (name: string): boolean => isDue(view.nextTries(name, null, [null])[0], now);
  const resting = restingIn(periods, view.sensor(AUTOMATION).periods);
  const gathers = new Gathers(view, pipeline, pending);
  const isPatient = patienceIn(periods, now);
  let left = room;
  for (const { set, assets } of all) {
    const look = new Look({ pipeline, pending, alone, resting, gathers, requested, isPatient });
    const dues =
      set === null
        ? [look.dueOf(null, assets, { statusOf: () => 'missing', isDue: isDueAlone })]
        : keysOf(view, pipeline, { set, assets, now }, look);
    for (const due of onlyAsks ? anyOf(dues) : inTurn(dues, left)) {
      for (const { name } of due.assets) requested.request(name, due.key);
      yield { set, ...due };
      left--;
    }
  }
}

/** With which tick from now on a key is taken, where no more is to be made until then. */
export function ticksUntil(
  view: StateView,
  pipeline: Pipeline,
  { key, ...moment }: Pick<Turns, 'periods' | 'now'> & { readonly key: PartitionRef },
): number {
  const turns = { ...moment, pending: new PendingWork(view), room: Infinity };
  let before = 0;
  for (const work of workInTurn(view, pipeline, turns)) {
    const isIt = work.set === key.set && work.key === key.key;
    if (isIt && work.assets.some(({ name }) => name === key.asset)) break;
    before++;
  }
  return Math.floor(before / pipeline.automation.perTick) + 1;
}

/** What others may be made from first: stage by stage, and in each of them assets without a set before all that have one. */
export function automatedBySet(pipeline: Pipeline): Automated[] {
  const automated = [...pipeline.assets.values()].filter(({ automate }) => automate !== null);
  const stages = [...new Set(automated.map(({ stage }) => stage))].sort((a, b) => a - b);
  return stages.flatMap((stage) => {
    const sets = new Map<string | null, AssetDefinition[]>([[null, []]]);
    for (const asset of automated)
      if (asset.stage === stage) sets.set(asset.set, [...(sets.get(asset.set) ?? []), asset]);
    return [...sets]
      .filter(([, assets]) => assets.length > 0)
      .map(([set, assets]) => ({ set, stage, assets }));
  });
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
