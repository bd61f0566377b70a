/** What is downstream of what has changed, in dependency order: of the same key, of what has no set, and of many keys. Pure. */
import type { KnownAsset, KnownGathered } from '../../model/known-pipeline.ts';
import type { Mapping } from '../store.ts';
import type { Unasked } from './unasked.ts';

/** Positions of the keys of a set; without a set there is position 0 alone. */
export type Positions = ReadonlySet<number> | 'all';

/** What has changed of an asset. */
export interface Cause {
  readonly set: string | null;
  readonly at: Positions;
  /** Runs of this owner have seen it: they come one after the other. */
  readonly except: string | null;
  /** It was reached by way of an asset that takes many keys: a run there need not have seen what its own process has just made. */
  readonly byMany?: boolean;
}

/** What is reached of an asset. */
export interface Reached extends Cause {
  readonly asset: string;
  /** What is downstream of these is reached as well. */
  readonly goesOn: (from: ReadonlySet<number>) => void;
}

/** So many keys that were added last to a set. */
export type LastKeys = (set: string, count: number) => ReadonlySet<string>;

interface Keys {
  readonly keysOf: (set: string) => readonly string[];
  /** For a document that holds only a part of the keys. */
  readonly lastKeys: LastKeys | null;
  /** `null`: the functions of the pipeline are not at hand. */
  readonly mapping: Mapping | null;
  /** What has changed for a function that is not at hand: asked about later. */
  readonly unasked: Unasked;
}

/** Whether anything is made of many keys of the set. */
export function isGathered(graph: readonly KnownAsset[], set: string): boolean {
  const ofSet = new Set(graph.filter((asset) => asset.set === set).map(({ name }) => name));
  return graph.some(({ gathers = [] }) => gathers.some(({ asset }) => ofSet.has(asset)));
}

/**
 * Where several have changed themselves, they have all changed together: what lies between them is not reached from there, but
 * what takes many keys of them is.
 */
export function* downstream(
  graph: readonly KnownAsset[],
  causes: ReadonlyMap<string, Cause>,
  keys: Keys,
): Generator<Reached> {
  const changed = new Map(causes);
  const setOf = new Map(graph.map(({ name, set }) => [name, set]));
  /** Of an asset, what is made of the keys that have changed; `null`: nothing is. */
  const madeOf = ({ name, set }: KnownAsset, gathered: KnownGathered, at: number): Positions | null => {
    const cause = changed.get(gathered.asset);
    if (cause === undefined || cause.set !== setOf.get(gathered.asset)) return null;
    if (gathered.mapped && set !== null) return mappedTo({ name, set, at, gathered }, cause, keys);
    return isTaken(gathered, cause, keys) ? 'all' : null;
  };
  for (const asset of graph) {
    const { name, set, inputs, deps, gathers = [] } = asset;
    const above = [...inputs, ...deps].flatMap((upstream): Cause[] => {
      const cause = changed.get(upstream);
      if (cause === undefined || (causes.has(upstream) && causes.has(name))) return [];
      if (cause.set === set) return [cause];
      // An upstream without a set is one for every key.
      return cause.set === null ? [{ ...cause, at: 'all' }] : [];
    });
    // A run that takes many keys need not have seen all that its own process has made.
    for (const [number, gathered] of gathers.entries()) {
      const at = madeOf(asset, gathered, number);
      if (at !== null) above.push({ set, at, except: null, byMany: true });
    }
    if (above.length === 0) continue;
    const at = union(above.map((cause) => cause.at));
    const except = above.some((cause) => cause.except === null) ? null : above[0]!.except;
    const byMany = above.some((cause) => cause.byMany);
    const itself = causes.get(name);
    let from: ReadonlySet<number> = new Set();
    yield { asset: name, set, at, except, byMany, goesOn: (found) => (from = found) };
    changed.set(
      name,
      itself === undefined
        ? { set, at: from, except, byMany }
        : { set, at: union([itself.at, from]), except: null, byMany },
    );
  }
}

interface MappedEdge {
  readonly name: string;
  readonly set: string;
  readonly at: number;
  readonly gathered: KnownGathered;
}

/** What a function does not say of a key may be anything. */
function mappedTo(
  { name, set, at: number, gathered }: MappedEdge,
  { set: from, at }: Cause,
  { keysOf, mapping, unasked }: Keys,
): Positions | null {
  if (at === 'all' || from === null) return at === 'all' || at.size > 0 ? 'all' : null;
  const all = keysOf(from);
  const those = new Set(Array.from(at, (position) => all[position]!));
  if (those.size === 0) return null;
  if (mapping === null) {
    unasked.note(gathered, those);
    return null;
  }
  const found = new Set<number>();
  for (const [position, key] of keysOf(set).entries()) {
    const its = mapping(name, number, key);
    if (its === null || its.some((one) => those.has(one))) found.add(position);
  }
  return found.size === 0 ? null : found;
}

/** Whether something of what is taken has changed. */
function isTaken({ last }: KnownGathered, { set, at }: Cause, { keysOf, lastKeys }: Keys): boolean {
  if (set === null) return false;
  if (at === 'all') return true;
  if (last === undefined || at.size === 0) return at.size > 0;
  const all = keysOf(set);
  const among = lastKeys?.(set, last);
  for (const position of at)
    if (among === undefined ? position >= all.length - last : among.has(all[position]!)) return true;
  return false;
}

function union(all: readonly Positions[]): Positions {
  if (all.length === 1) return all[0]!;
  if (all.includes('all')) return 'all';
  const together = new Set<number>();
  for (const one of all) for (const at of one as ReadonlySet<number>) together.add(at);
  return together;
}
