/**
 * What must be true of sets, sensors and runs, as simply as it can be said: lists and maps, no columns, no letters, no
 * generations. A key that is removed and comes back is another `Life`: what was known of the old one hangs on the old one.
 */
import { isDeepStrictEqual } from 'node:util';
import { isoTime, type Millis } from '../../src/model/time.ts';
import type { AssetOutcome } from '../../src/model/run.ts';
import type { StateView } from '../../src/state/state-view.ts';
import { letterFor } from './letters.ts';

/** What makes stale; of several that came up while a run was on its way, the first one of these counts. */
const REASONS = ['version', 'code', 'upstream'] as const;
type Reason = (typeof REASONS)[number];

/** With which serial something changed last for an asset of a run that was on its way. */
type TouchedBy = Readonly<Partial<Record<Reason, number>>>;

interface Change {
  readonly reason: Reason;
  /** Not concerned are the runs of this owner. */
  readonly except: string | null;
}

/** What is on record of an asset for a key. */
interface Fact {
  /** A value is there. */
  readonly there: boolean;
  /** What first made it differ from what it was made from. */
  readonly stale: Reason | null;
  readonly last: 'made' | 'failed' | 'skipped' | null;
  /** Something that it is made from has changed since the last run failed. */
  readonly changed: boolean;
  /** How often in a row its runs failed, with this version and code. */
  readonly failures: number;
}

const NOTHING: Fact = { there: false, stale: null, last: null, changed: false, failures: 0 };

function afterOutcome(fact: Fact, last: 'made' | 'failed' | 'skipped'): Fact {
  if (last === 'failed') return { ...fact, last, changed: false, failures: fact.failures + 1 };
  return { there: last === 'made', stale: null, last, changed: false, failures: 0 };
}

function afterReason(fact: Fact, reason: Reason): Fact {
  if (fact.last === 'skipped') return NOTHING;
  return {
    ...fact,
    stale: fact.there ? (fact.stale ?? reason) : null,
    changed: fact.last === 'failed',
    failures: reason === 'upstream' ? fact.failures : 0,
  };
}

/** As the tests write it: of what has failed and is there, capital letters. */
function letterOf({ there, stale, last, changed }: Fact): string {
  const of = (letters: string): string => letters[['version', 'code', 'upstream'].indexOf(stale!)]!;
  if (!there) return last === 'skipped' ? 's' : last === 'failed' ? (changed ? 'g' : 'f') : '.';
  if (last !== 'failed') return stale === null ? 'm' : of('vcu');
  return changed ? of('WDX') : stale === null ? 'F' : of('VCU');
}

export interface CarriedByKey {
  readonly version: string | null;
  readonly item: string | null;
}

const CARRIES_NOTHING: CarriedByKey = { version: null, item: null };

/** What the keys of the histories are given with a version. */
export const itemOf = (key: string, version: string | null): string | null =>
  version === null ? null : `${version} of ${key} é\u2028`;

export const ASSETS = [
  { name: 'audio', set: 'letters', upstream: [] },
  { name: 'transcript', set: 'letters', upstream: ['audio'] },
  { name: 'paste', set: 'nuts', upstream: [] },
  { name: 'report', set: null, upstream: [] },
  { name: 'latest', set: null, upstream: [] },
  { name: 'mirror', set: 'nuts', upstream: [] },
] as const satisfies readonly { name: string; set: string | null; upstream: readonly string[] }[];
/** Assets that are made of many keys of another one, without those that are not there: all, the last so many, or those that a function names. */
export const GATHERS: Readonly<
  Record<string, { readonly of: string; readonly which: 'all' | 'named' | number }>
> = {
  report: { of: 'audio', which: 'all' },
  latest: { of: 'audio', which: 2 },
  mirror: { of: 'audio', which: 'named' },
};
/** What that function may say, as it is edited: of each key of `mirror`, which ones of `audio`. */
export const NAMED: Readonly<Record<string, (key: string) => readonly string[]>> = {
  same: (key) => [key],
  next: (key) => [KEYS[(KEYS.indexOf(key as (typeof KEYS)[number]) + 1) % KEYS.length]!, 'never there'],
  most: (key) => KEYS.filter((one) => one !== key),
};
/** An asset that makes so many keys in one call. */
export const BATCH: Readonly<Record<string, number>> = { paste: 2 };
/** How many runs of an asset and key may be under way at once, and how many may begin in a time. */
export const POOLS: Readonly<
  Record<string, { limit: number; rate?: { calls: number; perSeconds: number } }>
> = {
  narrow: { limit: 1 },
  slow: { limit: 2, rate: { calls: 2, perSeconds: 0.4 } },
};
export const poolOf = (asset: string, key: string | null): string | null =>
  asset === 'audio' ? (key === 'a' || key === 'b' ? 'narrow' : 'slow') : null;
/** Of each set, how many of its newest keys no rule takes out. */
export const KEEPS: Readonly<Record<string, number>> = { letters: 2 };
/** Assets whose failed keys are to be tried again, and after how long. */
export const LATER: Readonly<Record<string, readonly string[]>> = { audio: ['1s', '2s'], report: ['1h'] };
export const SETS = ['letters', 'nuts'] as const;
export const SENSORS = ['feed', 'mail'] as const;
export const KEYS = ['a', 'b', 'c', '__proto__'] as const;
export const RUN_KEYS = [...KEYS, 'once', 'daily'] as const;

/** A run is executed so often at most. Not the code's own number: it may be wrong. */
const EXECUTIONS = 3;

export const setOf = (asset: string): string | null => ASSETS.find(({ name }) => name === asset)!.set;
const upstreamOf = (asset: string): readonly string[] => ASSETS.find(({ name }) => name === asset)!.upstream;

/** A key from its adding to its removal, or all that has no key. */
interface Life {
  readonly key: string | null;
  readonly set: string | null;
  readonly addedAt: string;
  readonly facts: Map<string, Fact>;
  carried: CarriedByKey;
  readonly everCarried: CarriedByKey[];
  gone: boolean;
}

/** What an asset of a run came to; what it was made from, where that is known. */
export interface Outcome {
  readonly asset: string;
  readonly status: string;
  readonly from?: MadeFrom;
}

export interface MadeFrom {
  readonly version: string | null;
  readonly code: string;
  /** The newest state that its process had read when it was begun: it may have looked at an older one. */
  readonly serial: number;
}

export interface Outcomes {
  readonly order: number;
  readonly status: string;
  readonly assets: readonly Outcome[];
}

interface WantedRun {
  readonly life: Life;
  readonly assets: readonly string[];
  readonly runKey: string | null;
}

export type CanceledFor = 'by hand' | 'key removed' | 'stopped';

interface ModelRun extends WantedRun {
  readonly id: string;
  readonly sensor: string | null;
  readonly origin: string;
  owner: string | null;
  interrupted: number;
  /** When it was canceled: from then on no outcome counts. */
  canceledAt: Millis | null;
  /** Why that was, the first time. */
  canceledFor: CanceledFor | null;
  /** Assets that it made and that are on record, though it has not ended. */
  readonly done: Set<string>;
  /** Those of them that its owner knew of when it took the run up, whatever changed since. */
  takenUpWith: ReadonlySet<string>;
  /** What was on record of it after the commit before: who takes it up looked at that. */
  doneBefore: ReadonlySet<string>;
  /** Assets that it made, by the executor that saw it; they may be on record or not. */
  readonly made: Map<string, Map<string, Outcome>>;
  /** By asset: the last commit of others that changed something that it is made from. */
  readonly touched: Map<string, TouchedBy>;
  /** What came of it, by the executor that saw it, and is not on record yet. */
  readonly ended: Map<string, Outcomes>;
}

interface ModelSensor {
  cursor: string | null;
  status: 'RUNNING' | 'STOPPED' | null;
  version: number;
}

/** Who commits. */
export interface Committer {
  readonly executor: string | null;
  /** It was told to stop: its runs go back to the queue, or end, where nobody but the command wanted them. */
  readonly stopping: boolean;
  readonly cancels: boolean;
}

export interface TickRequest {
  readonly requests: readonly {
    readonly add: boolean;
    readonly set: string;
    readonly keys: readonly string[];
    /** One a key; `null`: the key alone. */
    readonly versions?: readonly (string | null)[];
  }[];
  readonly runs: readonly {
    readonly key: string | null;
    readonly runKey: string | null;
    readonly assets: readonly string[];
  }[];
  readonly cursor: string | null;
}

export interface Choice {
  readonly assets: readonly string[];
  readonly keys: readonly string[] | null;
  readonly missing: boolean;
  readonly failed: boolean;
  readonly waits: boolean;
  readonly add: boolean;
  readonly newest: boolean;
  readonly limit: number | null;
}

interface CameOrWent {
  readonly set: string;
  readonly key: string;
}

interface Update {
  readonly life: Life;
  readonly carried: CarriedByKey;
}

/** The sets and spent run keys while one commit is being thought through; nothing of it holds before it is adopted. */
class Draft {
  readonly sets: Map<string, Life[]>;
  readonly keptOut: Map<string, Set<string>>;
  readonly spent: Map<string, Map<string, Life>>;
  readonly removed: Life[] = [];
  /** In the order in which they were asked for. */
  readonly steps: (CameOrWent | Update)[] = [];

  constructor(from: Pick<Draft, 'sets' | 'keptOut' | 'spent'>) {
    this.sets = new Map([...from.sets].map(([set, lives]) => [set, [...lives]]));
    this.keptOut = new Map([...from.keptOut].map(([set, keys]) => [set, new Set(keys)]));
    this.spent = new Map([...from.spent].map(([sensor, keys]) => [sensor, new Map(keys)]));
  }

  life(set: string, key: string): Life | undefined {
    return this.sets.get(set)!.find((life) => life.key === key);
  }

  add(set: string, key: string, now: Millis, carried = CARRIES_NOTHING): boolean {
    if (this.life(set, key) !== undefined) return false;
    this.sets.get(set)!.push({
      key,
      set,
      addedAt: isoTime(now),
      facts: new Map(),
      carried,
      everCarried: [carried],
      gone: false,
    });
    this.steps.push({ set, key });
    return true;
  }

  carriedBy(life: Life): CarriedByKey {
    const update = this.steps.findLast((step): step is Update => 'life' in step && step.life === life);
    return update?.carried ?? life.carried;
  }

  /** @returns whether it carries something else from now on */
  update(life: Life, carried: CarriedByKey): boolean {
    const before = this.carriedBy(life);
    if (before.version === carried.version && before.item === carried.item) return false;
    this.steps.push({ life, carried });
    return true;
  }

  remove(set: string, key: string): boolean {
    const life = this.life(set, key);
    if (life === undefined) return false;
    this.removed.push(life);
    this.steps.push({ set, key });
    this.sets.set(
      set,
      this.sets.get(set)!.filter((other) => other !== life),
    );
    for (const spent of this.spent.values()) {
      for (const [runKey, of] of spent) if (of === life) spent.delete(runKey);
    }
    return true;
  }
}

export class HistoryModel {
  sets = new Map<string, Life[]>(SETS.map((set) => [set, []]));
  keptOut = new Map<string, Set<string>>(SETS.map((set) => [set, new Set()]));
  /** By sensor: which key each spent run key launched a run for. */
  spent = new Map<string, Map<string, Life>>(SENSORS.map((sensor) => [sensor, new Map()]));
  readonly sensors = new Map<string, ModelSensor>(
    SENSORS.map((sensor) => [sensor, { cursor: null, status: null, version: 0 }]),
  );
  readonly whole: Life = {
    key: null,
    set: null,
    addedAt: '',
    facts: new Map(),
    carried: CARRIES_NOTHING,
    everCarried: [CARRIES_NOTHING],
    gone: false,
  };
  /** By asset: the code version that was committed last. */
  readonly codes = new Map<string, string>();
  /** Assets of which anything ever was on record. */
  readonly #onRecord = new Set<string>();
  /** Of which something was on record at any moment within the one change that is being taken in. */
  #becoming: Set<string> | null = null;
  /** `asset@key` of all that was ever skipped. */
  readonly skipped = new Set<string>();
  /** Of the commit whose doings are told to this model. */
  serial = 0;
  /** What the pipeline's function says to who commits; `null`: it cannot be asked. */
  named: ((key: string) => readonly string[]) | null = null;
  /** Keys of `audio` that changed while it could not be asked. */
  readonly unasked = new Set<string>();
  readonly pending: ModelRun[] = [];
  readonly finished = new Map<string, string>();
  /** Marks of runs that were marked for another reason before. */
  canceledAgain = 0;
  /** Of those that were canceled: the first reason. */
  readonly canceledFor = new Map<string, CanceledFor>();
  /** Executors that died, and which runs' code had begun then and not ended. */
  readonly dead = new Map<string, ReadonlySet<string>>();
  /** Assets and keys of which a run was released while a live process had it: an operator may break what nobody else may. */
  readonly loose = new Set<string>();
  /** How many runs ended because they were interrupted too often. */
  interrupted = 0;
  /** How many assets were on record before the run that made them had ended. */
  progressed = 0;
  /** What the commit that is observed records, in its order, as far as the model has not recorded it yet. */
  #coming: { readonly run: ModelRun; readonly outcome: Pick<Outcome, 'asset' | 'status'> }[] = [];
  #announced: {
    group: string;
    sensor: string | null;
    origin: string;
    owner: string | null;
    runs: WantedRun[];
  } | null = null;

  isAlive(owner: string | null): boolean {
    return owner !== null && !this.dead.has(owner);
  }

  run(id: string): ModelRun | undefined {
    return this.pending.find((run) => run.id === id);
  }

  /** User code of a run's asset has ended well; its value is saved then. */
  made(id: string, executor: string, outcome: Outcome): void {
    const run = this.run(id);
    run?.made.set(executor, new Map([...(run.made.get(executor) ?? []), [outcome.asset, outcome]]));
  }

  /** What is not given stays. */
  addKeys(
    set: string,
    keys: readonly string[],
    now: Millis,
    given: (key: string) => Partial<CarriedByKey> = () => ({}),
  ): Record<'added' | 'updated' | 'skipped', string[]> {
    const draft = new Draft(this);
    const added: string[] = [];
    const updated: string[] = [];
    const skipped: string[] = [];
    for (const key of new Set(keys)) {
      if (draft.add(set, key, now, { ...CARRIES_NOTHING, ...given(key) })) added.push(key);
      else {
        const life = draft.life(set, key)!;
        (draft.update(life, { ...life.carried, ...given(key) }) ? updated : skipped).push(key);
      }
    }
    for (const key of added) draft.keptOut.get(set)!.delete(key);
    this.#adopt(draft, now);
    return { added, updated, skipped };
  }

  /** Said by a person of what is there. */
  mark(asset: string, keys: readonly (string | null)[], as: 'materialized' | 'missing' | 'skipped'): void {
    const set = setOf(asset);
    for (const life of set === null ? [this.whole] : this.sets.get(set)!) {
      if (!keys.includes(life.key)) continue;
      const fact = as === 'missing' ? NOTHING : afterOutcome(NOTHING, as === 'skipped' ? as : 'made');
      this.#setFact(life, asset, fact);
      if (as === 'skipped') this.skipped.add(`${asset}@${life.key}`);
      if (as !== 'missing') this.#spread(asset, life, null);
    }
  }

  /** A commit has learned which code there is. */
  learn(codes: ReadonlyMap<string, string>): void {
    for (const [asset, code] of codes) {
      const before = this.codes.get(asset);
      this.codes.set(asset, code);
      // Of what was never made nothing is another one.
      if (before === undefined || before === code || !this.#onRecord.has(asset)) continue;
      const set = setOf(asset);
      for (const life of set === null ? [this.whole] : this.sets.get(set)!)
        this.#changed(asset, life, { reason: 'code', except: null });
      // It is another one for every run: also for those whose key is gone, until their processes let go of them.
      for (const { life } of this.pending.filter((run) => run.life.gone && run.life.set === set))
        this.#touch(asset, life, { reason: 'code', except: null });
    }
  }

  factOf(asset: string, life: Life): Fact {
    return life.facts.get(asset) ?? NOTHING;
  }

  letter(asset: string, life: Life): string {
    return letterOf(this.factOf(asset, life));
  }

  #setFact(life: Life, asset: string, fact: Fact): void {
    life.facts.set(asset, fact);
    if (letterOf(fact) !== '.') (this.#becoming ?? this.#onRecord).add(asset);
  }

  /** What was on record only in between, after a part of the change, never was. */
  #asOneChange(change: () => void): void {
    this.#becoming = new Set();
    change();
    const assets = [...this.#becoming];
    this.#becoming = null;
    for (const asset of assets) {
      const set = setOf(asset);
      const lives = set === null ? [this.whole] : this.sets.get(set)!;
      if (lives.some((life) => this.letter(asset, life) !== '.')) this.#onRecord.add(asset);
    }
  }

  #touch(asset: string, life: Life, { reason, except }: Change): void {
    for (const run of this.pending) {
      const isOfIt = run.life.set === life.set && run.life.key === life.key;
      if (!isOfIt || !run.assets.includes(asset)) continue;
      if (except !== null && run.owner === except) continue;
      run.touched.set(asset, { ...run.touched.get(asset), [reason]: this.serial });
      // What it was made from is another one by now: it counts as not made yet.
      run.done.delete(asset);
    }
  }

  /** Something that an asset is made from is another one; and what is made from it is concerned, if there was something. */
  #changed(asset: string, life: Life, change: Change): void {
    const before = this.factOf(asset, life);
    this.#setFact(life, asset, afterReason(before, change.reason));
    this.#touch(asset, life, change);
    if (before.there || before.last === 'skipped') this.#spread(asset, life, change.except);
  }

  /** Runs of `except` come one after the other. */
  #spread(asset: string, life: Life, except: string | null): void {
    for (const { name, upstream } of ASSETS)
      if ((upstream as readonly string[]).includes(asset))
        this.#changed(name, life, { reason: 'upstream', except });
    // What is made of many keys looks at what is on record, and at nothing that its own process has only just made.
    const set = setOf(asset);
    if (set === null) return;
    this.#spreadToMany(asset, [life.key!], this.sets.get(set)!);
    this.#spreadToNamedOf(asset, life.key!);
  }

  /** To what is made of all keys, or of the last ones. @param all that are there, or were: the last ones are among these */
  #spreadToMany(asset: string, keys: readonly string[], all: readonly Life[]): void {
    if (keys.length === 0) return;
    const change = { reason: 'upstream', except: null } as const;
    for (const [name, { of, which }] of Object.entries(GATHERS)) {
      if (of !== asset || which === 'named') continue;
      if (which === 'all' || all.slice(-which).some(({ key }) => keys.includes(key!)))
        this.#changed(name, this.whole, change);
    }
  }

  #spreadToNamedOf(asset: string, key: string): void {
    for (const [name, { of, which }] of Object.entries(GATHERS))
      if (of === asset && which === 'named') this.#spreadToNamed(name, [key]);
  }

  #spreadToNamed(name: string, keys: readonly string[]): void {
    const { named } = this;
    if (named === null) for (const key of keys) this.unasked.add(key);
    else
      for (const life of this.sets.get(setOf(name)!)!)
        if (named(life.key!).some((key) => keys.includes(key)))
          this.#changed(name, life, { reason: 'upstream', except: null });
  }

  /** A commit can ask about what changed while nobody could. */
  ask(): void {
    if (this.named === null || this.unasked.size === 0) return;
    const keys = [...this.unasked];
    this.unasked.clear();
    for (const [name, { which }] of Object.entries(GATHERS))
      if (which === 'named') this.#spreadToNamed(name, keys);
  }

  /** Keys that a rule takes out now. */
  retained(set: string): string[] {
    const isDone = (life: Life): boolean =>
      ASSETS.every((one) => {
        const { there, last } = this.factOf(one.name, life);
        return one.set !== set || last === 'skipped' || (there && last !== 'failed');
      });
    const isIdle = ({ key }: Life): boolean =>
      !this.pending.some(
        (run) =>
          run.life.set === set &&
          run.life.key === key &&
          (run.canceledAt === null || this.isAlive(run.owner)),
      );
    return this.sets
      .get(set)!
      .slice(0, -KEEPS[set]!)
      .filter((life) => isDone(life) && isIdle(life))
      .map(({ key }) => key!);
  }

  removeKeys(
    set: string,
    keys: readonly string[],
    { keepOut, now }: { readonly keepOut: boolean; readonly now: Millis },
  ): { removed: string[]; skipped: string[] } {
    const draft = new Draft(this);
    const removed = [...new Set(keys)].filter((key) => draft.remove(set, key));
    if (keepOut) for (const key of keys) draft.keptOut.get(set)!.add(key);
    this.#adopt(draft, now);
    return { removed, skipped: [...new Set(keys)].filter((key) => !removed.includes(key)) };
  }

  syncKeys(
    set: string,
    keys: readonly string[],
    now: Millis,
  ): { added: string[]; removed: string[]; unchanged: number } {
    const gone = this.sets.get(set)!.flatMap(({ key }) => (keys.includes(key!) ? [] : [key!]));
    const { removed } = this.removeKeys(set, gone, { keepOut: false, now });
    const { added, skipped } = this.addKeys(set, keys, now);
    return { added, removed, unchanged: skipped.length };
  }

  setCursor(sensor: string, cursor: string | null): void {
    Object.assign(this.sensors.get(sensor)!, { cursor, version: this.sensors.get(sensor)!.version + 1 });
  }

  setStatus(sensor: string, status: 'RUNNING' | 'STOPPED'): void {
    const known = this.sensors.get(sensor)!;
    if (known.status !== status) Object.assign(known, { status, version: known.version + 1 });
  }

  cancel(ids: readonly string[], now: Millis): void {
    for (const run of this.pending.filter(({ id }) => ids.includes(id))) this.#cancel(run, now, 'by hand');
  }

  release(ids: readonly string[]): void {
    for (const run of this.pending.filter(({ id }) => ids.includes(id))) {
      if (this.isAlive(run.owner)) {
        for (const asset of run.assets) this.loose.add(`${asset}@${run.life.key}`);
      }
      run.owner = null;
    }
  }

  /** What a tick comes to, and how to make it so; `null` when it fails. */
  tick(
    sensor: string,
    { requests, runs, cursor }: TickRequest,
    { group, owner, now }: { readonly group: string; readonly owner: string | null; readonly now: Millis },
  ): {
    launched: string[];
    updated: string[];
    skippedRunKeys: string[];
    acted: boolean;
    changes: boolean;
    apply: () => void;
  } | null {
    const draft = new Draft(this);
    let acted = false;
    const refused = new Set<string>();
    const updated: string[] = [];
    for (const { add, set, keys, versions } of requests) {
      for (const key of new Set(keys)) {
        const life = draft.life(set, key);
        // Named twice, the last one counts.
        const version = versions?.[keys.lastIndexOf(key)] ?? null;
        const carried = { version, item: itemOf(key, version) };
        if (add && life !== undefined) {
          if (version === null || version === draft.carriedBy(life).version) continue;
          draft.update(life, carried);
          updated.push(`${set}/${key}`);
          acted = true;
        } else if (add && draft.keptOut.get(set)!.has(key)) refused.add(`${set}/${key}`);
        else if (add ? draft.add(set, key, now, carried) : draft.remove(set, key)) acted = true;
      }
    }
    const spent = draft.spent.get(sensor)!;
    const launched: WantedRun[] = [];
    const skippedRunKeys: string[] = [];
    let fails = false;
    for (const { key, runKey, assets } of runs) {
      const set = setOf(assets[0]!);
      const life = set === null ? this.whole : draft.life(set, key!);
      if (life === undefined) {
        fails ||= !refused.has(`${set}/${key}`);
        continue;
      }
      if (runKey !== null && spent.has(runKey)) {
        skippedRunKeys.push(runKey);
        continue;
      }
      if (runKey !== null) spent.set(runKey, life);
      launched.push({ life, assets, runKey });
    }
    if (fails) return null;
    acted ||= launched.length > 0;
    const known = this.sensors.get(sensor)!;
    const changes = acted || (cursor ?? known.cursor) !== known.cursor;
    return {
      launched: launched.map(wordsOf).sort(),
      updated,
      skippedRunKeys: skippedRunKeys.sort(),
      acted,
      changes,
      apply: () => {
        if (!changes) return;
        this.#adopt(draft, now);
        this.setCursor(sensor, cursor ?? known.cursor);
        const origin = owner === null ? 'worker' : 'tick';
        this.#announced = { group, sensor, origin, owner, runs: launched };
      },
    };
  }

  /** What a `materialize` comes to, and how to make it so; `null` when it is refused. */
  materialize(
    choice: Choice,
    { group, owner, now }: { readonly group: string; readonly owner: string | null; readonly now: Millis },
  ): {
    queued: string[];
    takenOver: string[];
    waitedFor: string[];
    leftOut: number;
    waiting: string[];
    apply: () => void;
  } | null {
    const { missing, failed, waits, limit } = choice;
    const draft = new Draft(this);
    const set = setOf(choice.assets[0]!);
    const chosen = ASSETS.map(({ name }) => name).filter((name) => choice.assets.includes(name));
    let lives: Life[];
    if (set === null) lives = [this.whole];
    else if (choice.keys === null) lives = [...draft.sets.get(set)!];
    else {
      const keys = [...new Set(choice.keys)];
      if (!choice.add && keys.some((key) => draft.life(set, key) === undefined)) return null;
      for (const key of keys) if (draft.add(set, key, now)) draft.keptOut.get(set)!.delete(key);
      lives = keys.map((key) => draft.life(set, key)!);
    }
    if (choice.newest) lives.reverse();
    const queued: WantedRun[] = [];
    const takenOver = new Set<string>();
    const waitedFor = new Set<string>();
    const waiting: string[] = [];
    let leftOut = 0;
    let taken = 0;
    for (const life of lives) {
      const wanted: string[] = [];
      const held: string[] = [];
      for (const asset of chosen) {
        const { there, last } = this.factOf(asset, life);
        const asks =
          (!missing && !failed) || (missing && !there && last === null) || (failed && last === 'failed');
        const above = upstreamOf(asset);
        if (!asks && !above.some((upstream) => wanted.includes(upstream))) continue;
        // Chosen by its state, it waits for what is neither there nor chosen.
        const comes = (upstream: string): boolean =>
          wanted.includes(upstream) || this.factOf(upstream, life).there;
        if ((missing || failed) && !above.every(comes)) held.push(`${asset}@${life.key}`);
        else wanted.push(asset);
      }
      if (wanted.length + held.length === 0) continue;
      if (limit !== null && taken >= limit) break;
      const work = this.pending.filter(
        (run) =>
          run.life.set === life.set &&
          run.life.key === life.key &&
          run.assets.some((asset) => wanted.includes(asset)) &&
          (run.canceledAt === null || this.isAlive(run.owner)),
      );
      const others = work.filter((run) => this.isAlive(run.owner));
      const nobodys = work.filter((run) => !this.isAlive(run.owner));
      if ((others.length > 0 || (owner === null && nobodys.length > 0)) && !waits) {
        leftOut++;
        continue;
      }
      waiting.push(...held);
      if (wanted.length === 0) continue;
      taken++;
      for (const { id } of others) waitedFor.add(id);
      if (owner !== null) for (const { id } of nobodys) takenOver.add(id);
      const covered = owner === null ? [] : nobodys.flatMap(({ assets }) => assets);
      const assets = wanted.filter((asset) => !covered.includes(asset));
      if (assets.length > 0) queued.push({ life, assets, runKey: null });
    }
    return {
      queued: queued.map(wordsOf).sort(),
      takenOver: [...takenOver].sort(),
      waitedFor: [...waitedFor].sort(),
      leftOut,
      waiting: waiting.sort(),
      apply: () => {
        this.#adopt(draft, now);
        const origin = owner === null ? 'worker' : 'materialize';
        this.#announced = { group, sensor: null, origin, owner, runs: queued };
      },
    };
  }

  /** A run again, those of its assets that did not succeed; `null` when its key is gone. */
  retry(
    run: {
      readonly partitionKey: string | null;
      readonly sensor: string | null;
      readonly runKey: string | null;
      readonly assets: readonly (readonly [string, string])[];
    },
    { group, owner }: { readonly group: string; readonly owner: string },
  ): { apply: () => void } | null {
    const failed = run.assets.filter(([, status]) => status !== 'SUCCESS').map(([asset]) => asset);
    const assets = failed.length > 0 ? failed : run.assets.map(([asset]) => asset);
    const set = setOf(assets[0]!);
    const life = set === null ? this.whole : new Draft(this).life(set, run.partitionKey!);
    if (life === undefined) return null;
    const { sensor, runKey } = run;
    const runs = [{ life, assets, runKey }];
    return {
      apply: () => (this.#announced = { group, sensor, origin: 'materialize', owner, runs }),
    };
  }

  /**
   * The state after a commit: everything that happened to runs must be explained by who committed.
   * @throws for what no rule allows
   */
  observe(view: StateView, by: Committer): void {
    const seen = new Map(
      view.runs().flatMap((runs) =>
        Array.from({ length: runs.count }, (_, at) => {
          const run = runs.at(at);
          return [run.id, { runs, run }] as const;
        }),
      ),
    );
    this.#takeIn(seen);
    const ended: { run: ModelRun; outcomes: Outcomes }[] = [];
    for (const run of this.pending) {
      if (seen.has(run.id)) continue;
      const outcomes = this.#endOf(run, by);
      ended.push({ run, outcomes });
    }
    // The later outcome of a key wins.
    ended.sort((one, other) => one.outcomes.order - other.outcomes.order);
    this.#coming = [
      ...ended.flatMap(({ run, outcomes }) => outcomes.assets.map((outcome) => ({ run, outcome }))),
      ...[...seen].flatMap(([id, { run }]) => run.done.map((outcome) => ({ run: this.run(id)!, outcome }))),
    ].filter(({ run, outcome: { asset, status } }) => becameOf(status) !== null && !run.done.has(asset));
    this.#asOneChange(() => {
      for (const { run, outcomes } of ended) this.#finish(run, outcomes, view);
    });
    // They began behind what has ended of their keys.
    this.#asOneChange(() => {
      for (const [id, { run }] of seen) this.#progress(this.run(id)!, run.done, { by, view });
    });
    for (const [id, { runs, run }] of seen) {
      const known = this.run(id)!;
      const touched = Object.entries(run.touched);
      // No outcome of one that is canceled counts.
      const isTouched =
        touched.length === known.touched.size &&
        touched.every(([asset, by]) => isDeepStrictEqual(known.touched.get(asset), by));
      demand(known.canceledAt !== null || isTouched, `others changed what ${id} is made from`, {
        run,
        known,
      });
      this.#ownedBy(known, runs.owner, by);
      demand(run.interrupted === known.interrupted, `${id} was interrupted ${known.interrupted} times`, run);
      demand(run.canceling === (known.canceledAt !== null), `${id} is canceled: ${known.canceledAt}`, run);
      const isStarted = run.status === 'STARTED' && !run.canceling;
      demand(!isStarted || runs.owner !== null, `${id} is nobody's, so it is not started`, run);
      known.doneBefore = new Set(known.done);
    }
  }

  /** Runs that are new in the state, against those that the plan was to queue. */
  #takeIn(seen: ReadonlyMap<string, ReturnType<StateView['run']> & object>): void {
    const { group, sensor, origin, owner, runs } = this.#announced ?? { runs: [] };
    this.#announced = null;
    for (const [id, { runs: columns, run }] of seen) {
      if (this.run(id) !== undefined) continue;
      demand(!this.finished.has(id), `${id} has ended`, run);
      const at = runs.findIndex(
        ({ life, assets, runKey }) =>
          life.key === run.partitionKey &&
          life.set === columns.set &&
          runKey === run.runKey &&
          String(assets) === String(columns.assets),
      );
      demand(at !== -1 && columns.group === group, `somebody asked for run ${id}`, { run, runs });
      demand(
        columns.sensor === sensor && columns.origin === origin,
        `${id} came from ${sensor}, ${origin}`,
        columns,
      );
      const [wanted] = runs.splice(at, 1);
      this.pending.push({
        ...wanted!,
        id,
        // A retry tells the sensor of the run that it repeats, and is the command's own.
        sensor: columns.retryOf === null ? sensor! : null,
        origin,
        owner: owner!,
        interrupted: 0,
        canceledAt: null,
        canceledFor: null,
        done: new Set(),
        takenUpWith: new Set(),
        doneBefore: new Set(),
        touched: new Map(),
        made: new Map(),
        ended: new Map(),
      });
    }
    demand(runs.length === 0, 'what was to be queued is queued', runs.map(wordsOf));
  }

  /** What a run has made on its way is on record from the commit of its owner that says so, whatever becomes of the run. */
  #progress(
    run: ModelRun,
    done: readonly AssetOutcome[],
    { by, view }: { readonly by: Committer; readonly view: StateView },
  ): void {
    const seen = done.map(({ asset }) => asset);
    for (const asset of run.done) demand(seen.includes(asset), `${run.id} has made ${asset}`, seen);
    for (const { asset, status } of done.filter((one) => !run.done.has(one.asset))) {
      const mine = run.owner !== null && run.owner === by.executor && run.canceledAt === null;
      const made = mine ? run.made.get(by.executor)?.get(asset) : undefined;
      demand(made !== undefined && made.status === status, `${asset} of ${run.id} was made by who commits`, {
        run,
        by,
      });
      run.done.add(asset);
      this.#record(run, made, view);
      this.progressed++;
    }
  }

  /** What an asset of a run came to is on record; and it is stale from the start if something changed while it was made. */
  #record({ life, owner, touched }: ModelRun, { asset, status, from }: Outcome, view: StateView): void {
    const last = becameOf(status);
    if (last === null) return;
    this.#coming.splice(
      this.#coming.findIndex(({ run, outcome }) => run.life === life && outcome.asset === asset),
      1,
    );
    let fact = afterOutcome(this.factOf(asset, life), last);
    if (from !== undefined) {
      const by = touched.get(asset) ?? {};
      const differs = {
        version: from.version !== life.carried.version,
        code: from.code !== this.codes.get(asset),
        upstream: false,
      };
      const reason = REASONS.find((one) => differs[one] || (by[one] ?? 0) > from.serial);
      const isSeen = (one: Fact): boolean =>
        letterFor(view.statusOf(asset, life.set, [life.key])[0]!) ===
        letterOf(this.#inTheEnd(one, asset, life));
      const expected = reason === undefined ? fact : afterReason(fact, reason);
      // Its process may have looked at an older state than the newest that it had read: then it must not count on more.
      const older = REASONS.filter((one) => by[one] !== undefined).map((one) => afterReason(fact, one));
      fact = isSeen(expected) ? expected : (older.find(isSeen) ?? expected);
    }
    this.#setFact(life, asset, fact);
    if (last === 'skipped') this.skipped.add(`${asset}@${life.key}`);
    if (last !== 'failed') this.#spread(asset, life, owner);
  }

  /** After what the same commit records of the asset and key behind this. */
  #inTheEnd(fact: Fact, asset: string, life: Life): Fact {
    return this.#coming
      .filter(({ run, outcome }) => run.life === life && outcome.asset === asset)
      .reduce((before, { outcome }) => afterOutcome(before, becameOf(outcome.status)!), fact);
  }

  #ownedBy(run: ModelRun, owner: string | null, by: Committer): void {
    const before = run.owner;
    if (owner === before) return;
    if (owner === null) {
      demand(by.stopping && before === by.executor, `only who is told to stop gives run ${run.id} back`, by);
      demand(run.canceledAt === null, `${run.id}, which is canceled, ends with its owner`, by);
    } else {
      demand(owner === by.executor, `${run.id} is taken up by who commits`, { owner, by });
      demand(!this.isAlive(before), `${run.id} is not robbed from ${before}, which lives`, by);
      if (this.#wasBegun(run)) run.interrupted++;
      demand(run.interrupted < EXECUTIONS, `${run.id} is not executed so often`, run);
    }
    run.owner = owner;
    run.takenUpWith = new Set([...run.doneBefore, ...run.done]);
  }

  #wasBegun(run: ModelRun): boolean {
    return run.owner !== null && (this.dead.get(run.owner)?.has(run.id) ?? false);
  }

  /** Why a run is not in the state any more. */
  #endOf(run: ModelRun, by: Committer): Outcomes {
    const { executor } = by;
    const mine = run.owner !== null && run.owner === executor;
    const executions = run.interrupted + (this.#wasBegun(run) ? 1 : 0);
    const canceled = { order: 0, status: 'CANCELED', assets: [] };
    if (run.canceledAt !== null) {
      demand(mine || !this.isAlive(run.owner), `${run.id} is its owner's to let go of`, { run, by });
      return canceled;
    }
    const outcomes = mine ? run.ended.get(executor) : undefined;
    if (outcomes !== undefined) return outcomes;
    if (mine && by.stopping && by.cancels && run.sensor === null) {
      return { ...canceled, order: Infinity, assets: [...(run.made.get(executor)?.values() ?? [])] };
    }
    const isTakenUp = executor !== null && !this.isAlive(run.owner);
    demand(isTakenUp && executions >= EXECUTIONS, `${run.id} has had an end`, { run, by, executions });
    this.interrupted++;
    return { order: 0, status: 'FAILURE', assets: run.assets.map((asset) => ({ asset, status: 'FAILURE' })) };
  }

  #finish(run: ModelRun, { status, assets }: Outcomes, view: StateView): void {
    this.pending.splice(this.pending.indexOf(run), 1);
    this.finished.set(run.id, status);
    if (status === 'CANCELED') this.canceledFor.set(run.id, run.canceledFor ?? 'stopped');
    // What is on record counts once: another run may have come to something else since.
    const fresh = assets.filter(({ asset }) => !run.done.has(asset));
    demand(fresh.length === 0 || !run.life.gone, `${run.id} belongs to a key that is there`, run);
    for (const outcome of fresh) this.#record(run, outcome, view);
  }

  #cancel(run: ModelRun, now: Millis, why: CanceledFor): void {
    run.canceledAt ??= now;
    run.canceledFor ??= why;
    if (run.canceledFor !== why) this.canceledAgain++;
    if (this.isAlive(run.owner)) return;
    this.pending.splice(this.pending.indexOf(run), 1);
    this.finished.set(run.id, 'CANCELED');
    this.canceledFor.set(run.id, run.canceledFor);
  }

  #adopt(draft: Draft, now: Millis): void {
    // Of a key that comes or goes, too, whether anything was made of it or not.
    for (const { name, set } of ASSETS) {
      if (set === null) continue;
      const [before, after] = [this.sets.get(set)!, draft.sets.get(set)!];
      // One that comes and goes within the commit counts, too; and whatever comes is the last one then.
      const removed = draft.removed.filter((life) => life.set === set);
      const added = [...removed, ...after].filter((life) => !before.includes(life));
      const keys = [...removed, ...added].map(({ key }) => key!);
      this.#spreadToMany(name, keys, added.length > 0 ? added.slice(-1) : before);
    }
    this.sets = draft.sets;
    this.keptOut = draft.keptOut;
    this.spent = draft.spent;
    for (const life of draft.removed) life.gone = true;
    // What comes first is what a key is stale by.
    for (const step of draft.steps) {
      if ('life' in step) this.#update(step);
      else for (const { name, set } of ASSETS) if (set === step.set) this.#spreadToNamedOf(name, step.key);
    }
    // Also the run of a still earlier life of such a key that its owner has not let go of yet.
    const isRemoved = ({ life: { set, key } }: ModelRun): boolean =>
      draft.removed.some((life) => life.set === set && life.key === key);
    for (const run of this.pending.filter(isRemoved)) this.#cancel(run, now, 'key removed');
  }

  #update({ life, carried }: Update): void {
    const isOther = life.carried.version !== carried.version;
    life.carried = carried;
    life.everCarried.push(carried);
    if (!isOther) return;
    for (const { name, set } of ASSETS) {
      if (set !== life.set) continue;
      const before = this.factOf(name, life);
      this.#setFact(life, name, afterReason(before, 'version'));
      if (!before.there && before.last !== 'skipped') continue;
      this.#spreadToMany(name, [life.key!], this.sets.get(life.set!)!);
      this.#spreadToNamedOf(name, life.key!);
    }
    for (const { name } of ASSETS) this.#touch(name, life, { reason: 'version', except: null });
  }
}

function becameOf(status: string): 'made' | 'failed' | 'skipped' | null {
  if (status === 'SUCCESS') return 'made';
  if (status === 'FAILURE') return 'failed';
  return status === 'SKIPPED' ? 'skipped' : null;
}

function wordsOf({ life, assets, runKey }: WantedRun): string {
  return `${assets.join('+')}@${life.key} ${runKey}`;
}

/** @throws with everything that helps to see why a rule does not hold */
export function demand(holds: boolean, rule: string, seen?: unknown): asserts holds {
  if (holds) return;
  const words = JSON.stringify(seen, (_, value: unknown) =>
    value instanceof Map || value instanceof Set ? [...(value as Iterable<unknown>)] : value,
  );
  throw new Error(`it does not hold that ${rule}: ${words}`);
}
