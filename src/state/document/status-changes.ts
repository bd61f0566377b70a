/**
 * What a commit does to the statuses of assets: what runs have come to, what was marked by hand, and what becomes stale by it,
 * with all that is downstream. The graph is the one that the state remembers; its assets stand in dependency order.
 */
import type { KnownAsset } from '../../model/known-pipeline.ts';
import {
  afterChange,
  afterRun,
  isUpstreamOfMore,
  type PartitionStatus,
} from '../../model/partition-status.ts';
import type { StaleReason } from '../../model/stale-reason.ts';
import type { AssetOutcome } from '../../model/run.ts';
import type { Mapping } from '../store.ts';
import {
  type Cause,
  downstream,
  isGathered,
  type LastKeys,
  type Positions,
  type Reached,
} from './downstream.ts';
import { positionsOf } from './key-positions.ts';
import { independent, type OutcomesOfRun, tryAfter, whatBecame } from './outcomes-of-runs.ts';
import { type OpenColumn, OpenColumns } from './open-columns.ts';
import type { StateDocument } from './state-document.ts';
import { letterOf, statusAt } from './statuses.ts';
import { type AssetToAsk, Unasked } from './unasked.ts';

/** Keys of an asset for which a reason to make them again has come up. */
export interface Touched {
  readonly asset: string;
  readonly set: string | null;
  readonly reason: StaleReason;
  /** `'all'`: every key of the set. */
  readonly keys: ReadonlySet<string | null> | 'all';
  /** Runs of this owner are not concerned: they come one after the other. */
  readonly except: string | null;
}

export class StatusChanges {
  /** For the runs that are at work meanwhile. */
  readonly touched: Touched[] = [];
  /** By asset, what was reached by way of one that takes many keys: what ends behind it in the same commit need not have seen it. */
  readonly #reached = new Map<string, Pick<Cause, 'set' | 'at'>[]>();
  readonly #document: StateDocument;
  readonly #columns: OpenColumns;
  readonly #graph: readonly KnownAsset[];
  readonly #lastKeys: LastKeys | null;
  readonly #mapping: Mapping | null;
  readonly #unasked = new Unasked();

  /** @param beside the document: `lastKeys` where it holds only a part of the keys, `mapping` where the pipeline is loaded */
  constructor(
    document: StateDocument,
    { lastKeys = null, mapping = null }: { lastKeys?: LastKeys | null; mapping?: Mapping | null } = {},
  ) {
    this.#document = document;
    this.#columns = new OpenColumns(document);
    this.#lastKeys = lastKeys;
    this.#mapping = mapping;
    this.#graph = document.pipeline?.assets ?? [];
  }

  /** The remembered pipeline, with what its functions are still to be asked. */
  get pipeline(): StateDocument['pipeline'] {
    return this.#unasked.in(this.#document.pipeline);
  }

  /** The entries of all assets, with the columns that have changed. */
  entries(): StateDocument['assets'] {
    return this.#columns.entries(this.#graph);
  }

  /** Of runs that ended one after the other; of one key and asset the later one wins. */
  recordRuns(runs: readonly OutcomesOfRun[]): void {
    for (const part of independent(runs)) this.#record(part.set, part.runs);
  }

  /** These keys of a set have another version. */
  changeVersions(set: string, keys: Iterable<string>): void {
    const positions = this.#columns.positions(set, keys);
    const found = new Map<string, ReadonlySet<number>>();
    for (const column of this.#columns.ofSet(set))
      found.set(column.asset, this.#change(column, positions, 'version'));
    const ofSet = this.#graph.filter((one) => one.set === set);
    for (const { name } of ofSet) this.#touch('version', { asset: name, set, at: positions, except: null });
    this.#spread(
      new Map(ofSet.map(({ name }) => [name, { set, at: found.get(name) ?? new Set(), except: null }])),
    );
  }

  /** Keys come to a set, which now has them: what takes all of its keys, or the last ones, takes others from now on. */
  keysAdded(set: string, keys: readonly string[]): void {
    this.#keysChanged(set, keys);
  }

  /** Keys leave a set, which still has them. */
  keysRemoved(set: string, keys: Iterable<string>): void {
    this.#keysChanged(set, keys);
  }

  #keysChanged(set: string, keys: Iterable<string>): void {
    if (!isGathered(this.#graph, set)) return;
    const at = this.#columns.positions(set, keys);
    const ofSet = this.#graph.filter((one) => one.set === set);
    this.#spread(new Map(ofSet.map(({ name }) => [name, { set, at, except: null }])));
  }

  /** The code of an asset is another one. */
  changeCode(asset: string, set: string | null): void {
    this.#changed('code', { asset, set, at: 'all' });
  }

  /** What some keys are made of has changed, as is found out now. */
  ask({ asset, set, concerns }: AssetToAsk): void {
    const keys = set === null ? [null] : this.#columns.keysOf(set);
    const at = new Set([...keys.keys()].filter((position) => concerns(keys[position]!)));
    this.#changed('upstream', { asset, set, at });
  }

  #changed(reason: StaleReason, { asset, set, at }: Pick<Reached, 'asset' | 'set' | 'at'>): void {
    const found = this.#change(this.#columns.column(asset, set), at, reason);
    this.#touch(reason, { asset, set, at, except: null });
    this.#spread(new Map([[asset, { set, at: found, except: null }]]));
  }

  /** All missing keys of an asset become its backlog, or are none of it any more. */
  setBacklog(asset: string, set: string | null, isBacklog: boolean): void {
    const { letters } = this.#columns.column(asset, set);
    const [from, to] = isBacklog ? (['.', 'b'] as const) : (['b', '.'] as const);
    for (let at = letters.indexOf(from); at !== -1; at = letters.indexOf(from, at + 1))
      letters.write(to, at, 'latin1');
  }

  mark(
    asset: string,
    set: string | null,
    keys: readonly (string | null)[],
    status: Extract<PartitionStatus, 'materialized' | 'missing' | 'skipped'>,
  ): void {
    const positions = this.#columns.positions(set, keys);
    const { letters, retries } = this.#columns.column(asset, set);
    for (const at of positions) letters.write(letterOf(status), at, 'latin1');
    for (const key of keys) retries.delete(key);
    if (status !== 'missing') this.#spread(new Map([[asset, { set, at: positions, except: null }]]));
  }

  #record(set: string | null, runs: readonly OutcomesOfRun[]): void {
    const positions =
      set === null
        ? null
        : positionsOf(
            this.#columns.keysOf(set),
            runs.map(({ partitionKey }) => partitionKey!),
          );
    const named = new Map<string, { at: number; outcome: AssetOutcome; run: OutcomesOfRun }[]>();
    for (const run of runs) {
      const at = positions === null ? 0 : positions.get(run.partitionKey!);
      // Its key was removed meanwhile.
      if (at === undefined) continue;
      for (const outcome of run.assets)
        if (whatBecame(outcome) !== null) {
          const those = named.get(outcome.asset) ?? [];
          named.set(outcome.asset, those);
          those.push({ at, outcome, run });
        }
    }
    const owner = runs[0]!.owner;
    // In dependency order: what is made from what was just made comes after it.
    const known = this.#graph.filter(({ name }) => named.has(name)).map(({ name }) => name);
    for (const asset of new Set([...known, ...named.keys()])) {
      const replaced = new Set<number>();
      const { letters, retries } = this.#columns.column(asset, set);
      for (const { at, outcome, run } of named.get(asset)!) {
        const became = whatBecame(outcome)!;
        let status = afterRun(statusAt(String.fromCharCode(letters[at]!)), became);
        const reason = run.stale.get(asset) ?? (this.#isReached(asset, set, at) ? 'upstream' : undefined);
        if (reason !== undefined) status = afterChange(status, reason);
        const known = became === 'failed' ? this.#graph.find(({ name }) => name === asset) : undefined;
        const next = known === undefined ? null : tryAfter(run, known, retries, reason);
        if (next === null) retries.delete(run.partitionKey);
        else retries.set(run.partitionKey, next);
        letters.write(letterOf(status), at, 'latin1');
        if (became !== 'failed') replaced.add(at);
      }
      if (replaced.size > 0) this.#spread(new Map([[asset, { set, at: replaced, except: owner }]]));
    }
  }

  /** All that is downstream becomes stale, as far as there is something. */
  #spread(causes: ReadonlyMap<string, Cause>): void {
    const keysOf = (set: string): readonly string[] => this.#columns.keysOf(set);
    for (const reached of downstream(this.#graph, causes, {
      keysOf,
      lastKeys: this.#lastKeys,
      mapping: this.#mapping,
      unasked: this.#unasked,
    })) {
      const { asset, set, at, byMany } = reached;
      this.#touch('upstream', reached);
      if (byMany === true) this.#noteReached(asset, { set, at });
      reached.goesOn(this.#change(this.#columns.column(asset, set), at, 'upstream'));
    }
  }

  /** Where all keys are noted, no more is: ends of two sets that take turns would make a list of each. */
  #noteReached(asset: string, reached: Pick<Cause, 'set' | 'at'>): void {
    const those = this.#reached.get(asset);
    if (those === undefined) this.#reached.set(asset, [reached]);
    else if (!those.some(({ set, at }) => set === reached.set && at === 'all')) those.push(reached);
  }

  #isReached(asset: string, set: string | null, position: number): boolean {
    const those = this.#reached.get(asset);
    return those?.some((one) => one.set === set && (one.at === 'all' || one.at.has(position))) === true;
  }

  /** @returns those of the positions that are upstream of more */
  #change(column: OpenColumn, positions: Positions, reason: StaleReason): ReadonlySet<number> {
    const { letters, set, retries } = column;
    if (retries.size > 0 && reason !== 'upstream') {
      if (set === null || positions === 'all') retries.clear();
      else for (const at of positions) retries.delete(this.#columns.keysOf(set)[at]!);
    }
    const found = new Set<number>();
    for (const at of positions === 'all' ? letters.keys() : positions) {
      const before = statusAt(String.fromCharCode(letters[at]!));
      if (isUpstreamOfMore(before)) found.add(at);
      const after = afterChange(before, reason);
      if (after !== before) letters.write(letterOf(after), at, 'latin1');
    }
    return found;
  }

  #touch(
    reason: StaleReason,
    { asset, set, except, at }: Pick<Touched, 'asset' | 'set' | 'except'> & { readonly at: Positions },
  ): void {
    if (this.#document.runs.length === 0) return;
    const all = set === null ? [null] : this.#columns.keysOf(set);
    const isAll = at === 'all' && set !== null;
    const keys = isAll ? at : new Set(at === 'all' ? all : Array.from(at, (position) => all[position]!));
    this.touched.push({ asset, set, except, reason, keys });
  }
}
