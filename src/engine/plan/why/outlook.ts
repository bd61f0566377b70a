/**
 * What becomes of an asset and key by itself, and why: asked of the planners of automation and of `materialize`, so that `why` says
 * what they do. Pure.
 */
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import {
  countedAs,
  isThere,
  type PartitionStatus,
  type ShownState,
  shownState,
} from '../../../model/partition-status.ts';
import { isDue } from '../../../model/next-try.ts';
import { AUTOMATION, type RunReason } from '../../../model/run.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { ExecutorView, StateView } from '../../../state/state-view.ts';
import { isWanted } from '../automate/is-wanted.ts';
import { Look, type OnRecord, reasonToAutomate, type Verdict } from '../automate/look.ts';
import { automatedBySet, patienceIn, workInTurn } from '../automate/plan-automation.ts';
import { Gathers } from '../gather/gathers.ts';
import { Requested } from '../gather/requested.ts';
import type { GatherWait } from '../gather/waits.ts';
import { restingIn } from '../automate/periods.ts';
import { type Besides, inChosenStates } from '../materialize/candidates.ts';
import { Chosen } from '../materialize/chosen.ts';
import { PendingWork, type Work } from '../queue/pending-work.ts';
import { type Asked, everyKey, type NamesAround, namesAround, triedLater } from './needs-of-outlook.ts';

export type Outlook =
  | { readonly is: 'well' }
  | { readonly is: 'run'; readonly work: Work; readonly by: ExecutorView | null }
  | { readonly is: 'due'; readonly reason: RunReason }
  | {
      readonly is: 'waiting';
      readonly upstreams: readonly UpstreamState[];
      /** All above it that is not there, in dependency order. */
      readonly absent: readonly Absent[];
    }
  /** It failed, and is tried again, or rests until its next period; when, where it was looked for. */
  | { readonly is: 'later'; readonly because: 'retry' | 'every'; readonly at: string | null }
  | { readonly is: 'left'; readonly because: LeftBecause };

/** Why nothing is made by itself of what is not as it should be. */
export type LeftBecause =
  'not-automated' | 'stopped' | 'filtered' | 'failed' | 'backlog' | 'stale' | 'skipped' | 'not-loaded';

export interface Absent {
  readonly asset: string;
  readonly isOfSet: boolean;
}

export interface UpstreamState {
  readonly asset: string;
  readonly partitionKey: string | null;
  readonly state: ShownState;
  /** Where many keys are waited for: how many, and the one named is the first. Those that are made before count as in progress. */
  readonly keys?: number;
}

/** One key, with what is on record of it. */
export interface Seen {
  readonly key: string | null;
  readonly status: PartitionStatus;
  readonly outlook: Outlook;
  /** What a run that somebody asks for would fail without: inputs, and theirs, in dependency order. */
  readonly lacks: () => readonly Absent[];
}

interface KeyOnRecord extends OnRecord {
  readonly later: Extract<Outlook, { readonly is: 'later' }> | null;
}

const EVERY_STATE = { all: false, missing: true, failed: true, stale: true } as const;

export class Outlooks {
  readonly #view: StateView;
  readonly #pipeline: Pipeline;
  readonly #asset: AssetDefinition;
  readonly #now: Millis;
  /** When it may be requested again, where it was in this period. */
  readonly #restsUntil: string | null;
  readonly #around: NamesAround;
  readonly #pending: PendingWork;
  readonly #look: Look;
  readonly #besides: Besides;
  readonly #alone: ReadonlyMap<string, PartitionStatus>;

  constructor(view: StateView, { pipeline, asset, now, periods }: Asked) {
    this.#view = view;
    this.#pipeline = pipeline;
    this.#asset = asset;
    this.#now = now;
    this.#around = namesAround(pipeline, asset);
    this.#pending = new PendingWork(view);
    this.#alone = new Map(this.#around.alone.map((name) => [name, view.statusOf(name, null, [null])[0]!]));
    const resting = restingIn(periods, view.sensor(AUTOMATION).periods);
    this.#restsUntil = resting.has(asset.name) ? isoTime(periods.get(asset.name)!.next) : null;
    const { stage, set } = asset;
    const requested = new Requested();
    const turns = { pending: this.#pending, periods, now, room: Infinity, requested, before: stage };
    // What is made before it, and what will be.
    if (stage > 0) for (const _ of workInTurn(view, pipeline, turns));
    this.#look = new Look({
      pipeline,
      pending: this.#pending,
      alone: this.#alone,
      resting,
      gathers: new Gathers(view, pipeline, this.#pending),
      requested,
      isPatient: patienceIn(periods, now),
    });
    const choice = { states: EVERY_STATE, prefix: null, order: 'oldest' } as const;
    const { isChosen, lacking } = new Chosen(view, pipeline, this.#pending, choice);
    this.#besides = { isChosen, lacking };
    if (set === null) return;
    const alone =
      automatedBySet(pipeline).find((one) => one.set === null && one.stage === stage)?.assets ?? [];
    const onRecord = { statusOf: () => 'missing' as const, isDue: (name: string) => this.#isDue(name, null) };
    for (const { name } of this.#look.dueOf(null, alone, onRecord).assets) requested.request(name, null);
  }

  of(key: string | null): Seen {
    const { set, name: own } = this.#asset;
    const columns = new Map(
      this.#around.ofSet.map((name) => [name, this.#view.statusOf(name, set, [key])[0]!]),
    );
    const retryAt = this.#view.nextTries(own, set, [key])[0]?.at;
    return this.#seen(key, {
      statusOf: (name) => columns.get(name)!,
      isDue: (name) => this.#isDue(name, key),
      later: retryAt == null ? null : { is: 'later', because: 'retry', at: retryAt },
    });
  }

  /** Every key of the set, in order. */
  *ofAll(): Generator<Seen> {
    const { ofSet } = this.#around;
    const { set, name: own } = this.#asset;
    const column = new Map(ofSet.map((name, at) => [name, at]));
    const later = new Set(Array.from(this.#view.candidates(triedLater(set!, own)), ({ key }) => key));
    for (const { key, statuses, due } of this.#view.candidates(everyKey(set!, ofSet, this.#now)))
      yield this.#seen(key, {
        statusOf: (name) => statuses[column.get(name)!]!,
        isDue: (name) => due?.[column.get(name)!] ?? false,
        later: later.has(key) ? { is: 'later', because: 'retry', at: null } : null,
      });
  }

  #isDue(name: string, key: string | null): boolean {
    const { set } = this.#pipeline.assets.get(name)!;
    return isDue(this.#view.nextTries(name, set, [key])[0], this.#now);
  }

  #seen(key: string | null, inSet: KeyOnRecord): Seen {
    const statusOf = (name: string): PartitionStatus => this.#alone.get(name) ?? inSet.statusOf(name);
    const status = statusOf(this.#asset.name);
    const outlook = this.#outlook(key, status, { ...inSet, statusOf });
    const lacks = () => this.#absentAbove(this.#asset, statusOf, ({ inputs }) => new Set(inputs.values()));
    return { key, status, outlook, lacks };
  }

  #outlook(key: string | null, status: PartitionStatus, onRecord: KeyOnRecord): Outlook {
    const { statusOf } = onRecord;
    const asset = this.#asset;
    const [work] = this.#pending.of([asset], key);
    if (work !== undefined) {
      const by = this.#view.executors().find(({ id }) => id === work.runs.owner);
      return { is: 'run', work, by: by?.alive ? by : null };
    }
    if (status === 'skipped') return { is: 'left', because: 'skipped' };
    const verdict = asset.automate === null ? this.#byHand(key, statusOf) : this.#byAutomation(key, onRecord);
    if (verdict === 'filtered')
      return status === 'materialized' ? { is: 'well' } : { is: 'left', because: verdict };
    if (verdict.is === 'waiting')
      return {
        is: 'waiting',
        upstreams: [
          ...verdict.upstreams.map((name) => this.#upstream(name, key, statusOf)),
          ...verdict.gathered.map(waitedFor),
        ],
        absent: this.#absentAbove(asset, statusOf, ({ upstream }) => upstream),
      };
    if (asset.automate === null && verdict.is === 'due') return { is: 'left', because: 'not-automated' };
    const later = asset.automate === null ? null : this.#later(status, onRecord);
    if (verdict.is === 'due' || later !== null) {
      if (this.#view.sensor(AUTOMATION).status === 'STOPPED') return { is: 'left', because: 'stopped' };
      return verdict.is === 'due' ? verdict : later!;
    }
    return status === 'materialized' ? { is: 'well' } : { is: 'left', because: leftAs(status) };
  }

  #later(status: PartitionStatus, { later }: KeyOnRecord): KeyOnRecord['later'] {
    if (later !== null || this.#restsUntil === null) return later;
    const isWanted = reasonToAutomate(this.#asset, status) !== null;
    return isWanted ? { is: 'later', because: 'every', at: this.#restsUntil } : null;
  }

  /** What `materialize --missing --failed --stale` does with the asset. */
  #byHand(key: string | null, statusOf: (name: string) => PartitionStatus): Verdict {
    const { taken, waiting } = inChosenStates([this.#asset], statusOf, EVERY_STATE, {
      ...this.#besides,
      key,
    });
    const [reason] = taken.values();
    if (reason !== undefined) return { is: 'due', reason };
    return waiting.length > 0
      ? {
          is: 'waiting',
          upstreams: waiting.flatMap(({ upstream, absent }) => (absent === undefined ? [upstream] : [])),
          gathered: waiting.flatMap(({ upstream, absent }) =>
            absent === undefined ? [] : [{ asset: upstream, because: 'absent' as const, ...absent }],
          ),
        }
      : { is: 'settled' };
  }

  #byAutomation(key: string | null, onRecord: OnRecord): Verdict | 'filtered' {
    const { judged } = this.#around;
    const item = this.#itemOf(key);
    const wanted = judged.filter((asset) => key === null || isWanted(asset, key, item));
    for (const [{ name }, verdict] of this.#look.verdicts(key, wanted, onRecord))
      if (name === this.#asset.name) return verdict;
    return 'filtered';
  }

  #itemOf(key: string | null): unknown {
    const { set } = this.#asset;
    if (set === null || key === null || !this.#around.judged.some(({ automate }) => automate?.only))
      return null;
    return this.#view.carried(set, [key]).get(key)?.item ?? null;
  }

  #upstream(name: string, key: string | null, statusOf: (name: string) => PartitionStatus): UpstreamState {
    const upstream = this.#pipeline.assets.get(name)!;
    const partitionKey = upstream.set === null ? null : key;
    const isPending = this.#pending.of([upstream], partitionKey).length > 0;
    return { asset: name, partitionKey, state: shownState(isPending ? 'in progress' : statusOf(name)) };
  }

  #absentAbove(
    asset: AssetDefinition,
    statusOf: (name: string) => PartitionStatus,
    above: (asset: AssetDefinition) => Iterable<string>,
  ): readonly Absent[] {
    const absent = new Set<string>();
    const visit = (one: AssetDefinition): void => {
      for (const name of above(one)) {
        const upstream = this.#pipeline.assets.get(name);
        const status = statusOf(name);
        if (upstream === undefined || absent.has(name) || isThere(status) || status === 'skipped') continue;
        absent.add(name);
        visit(upstream);
      }
    };
    visit(asset);
    return [...this.#pipeline.assets.values()].flatMap(({ name, set }) =>
      absent.has(name) ? [{ asset: name, isOfSet: set === this.#asset.set }] : [],
    );
  }
}

function waitedFor({ asset, because, count, first }: GatherWait): UpstreamState {
  const state = because === 'absent' ? 'missing' : 'in progress';
  return { asset, partitionKey: first, state, keys: count };
}

function leftAs(status: PartitionStatus): LeftBecause {
  if (status === 'backlog') return 'backlog';
  return countedAs(status) === 'failed' ? 'failed' : 'stale';
}
