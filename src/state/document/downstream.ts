/** What is downstream of what has changed, in dependency order: of the same key, of what has no set, and of many keys. Pure. */
import type { KnownAsset, KnownGathered } from '../../model/known-pipeline.ts';

/** Positions of the keys of a set; without a set there is position 0 alone. */
export type Positions = ReadonlySet<number> | 'all';

/** What has changed of an asset. */
export interface Cause {
  readonly set: string | null;
  readonly at: Positions;
  /** Runs of this owner have seen it: they come one after the other. */
  readonly except: string | null;
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
  const isAmong = (gathered: KnownGathered): boolean => {
    const cause = changed.get(gathered.asset);
    return cause !== undefined && cause.set === setOf.get(gathered.asset) && isTaken(gathered, cause, keys);
  };
  for (const { name, set, inputs, deps, gathers = [] } of graph) {
    const above = [...inputs, ...deps].flatMap((upstream): Cause[] => {
      const cause = changed.get(upstream);
      if (cause === undefined || (causes.has(upstream) && causes.has(name))) return [];
      if (cause.set === set) return [cause];
      // An upstream without a set is one for every key.
      return cause.set === null ? [{ ...cause, at: 'all' }] : [];
    });
    // A run that takes many keys need not have seen all that its own process has made.
    if (gathers.some(isAmong)) above.push({ set, at: 'all', except: null });
    if (above.length === 0) continue;
    const at = union(above.map((cause) => cause.at));
    const except = above.some((cause) => cause.except === null) ? null : above[0]!.except;
    const itself = causes.get(name);
    let from: ReadonlySet<number> = new Set();
    yield { asset: name, set, at, except, goesOn: (found) => (from = found) };
    changed.set(
      name,
      itself === undefined ? { set, at: from, except } : { set, at: union([itself.at, from]), except: null },
    );
  }
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
