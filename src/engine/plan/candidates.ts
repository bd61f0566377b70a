/** Which assets of which keys a selection by state comes to, and which of them have to wait for what is above them. */
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import type { StateView } from '../../state/slice.ts';

/** The states that were chosen; without any, every key is. */
export interface ChosenStates {
  readonly all: boolean;
  readonly missing: boolean;
  readonly failed: boolean;
}

export interface Candidate {
  readonly key: string | null;
  /** In dependency order. */
  readonly assets: readonly AssetDefinition[];
  /** Assets in a chosen state whose upstreams are neither there nor chosen, and what they wait for. */
  readonly waiting: readonly { readonly asset: string; readonly upstream: string }[];
}

/** A key, and where it stands in its set or among the named ones. */
export interface KeyAt {
  readonly key: string | null;
  readonly position: number;
}

interface Target {
  readonly set: string | null;
  readonly assets: readonly AssetDefinition[];
  /** `null`: all keys of the set. */
  readonly named: readonly (string | null)[] | null;
}

/** Answers for each key in the given order; a key without a chosen asset is left out. */
export function candidatesOf(
  view: StateView,
  pipeline: Pipeline,
  target: Target,
  { keys, states }: { readonly keys: readonly KeyAt[]; readonly states: ChosenStates },
): Candidate[] {
  const { assets } = target;
  if (states.all || !(states.missing || states.failed))
    return keys.map(({ key }) => ({ key, assets, waiting: [] }));
  const columns = new Map<string, ArrayLike<string>>();
  for (const { name, upstream } of assets)
    for (const asset of [name, ...upstream])
      if (!columns.has(asset)) columns.set(asset, statusesOf(view, pipeline, asset, target));
  return keys.flatMap(({ key, position }) => {
    const statusOf = (asset: string): string => {
      const column = columns.get(asset)!;
      return column[pipeline.assets.get(asset)?.set == null ? 0 : position]!;
    };
    const { taken, waiting } = inChosenStates(assets, statusOf, states);
    return taken.length + waiting.length === 0 ? [] : [{ key, assets: taken, waiting }];
  });
}

/** A status for each position, or a single one for an asset without partitions. */
function statusesOf(
  view: StateView,
  pipeline: Pipeline,
  asset: string,
  { set, named }: Target,
): ArrayLike<string> {
  if (pipeline.assets.get(asset)?.set == null) return view.statuses(asset, null);
  return named === null ? view.statuses(asset, set) : view.statusOf(asset, set, named);
}

/** Those in the chosen states, and what depends on them among the chosen. Assets come in dependency order. */
function inChosenStates(
  assets: readonly AssetDefinition[],
  statusOf: (asset: string) => string,
  { missing, failed }: ChosenStates,
): { readonly taken: AssetDefinition[]; readonly waiting: Candidate['waiting'] } {
  const taken = new Set<AssetDefinition>();
  const takenNames = new Set<string>();
  const waiting: { asset: string; upstream: string }[] = [];
  for (const asset of assets) {
    const { name, upstream } = asset;
    const status = statusOf(name);
    const isChosen = (missing && status === '.') || (failed && status === 'f');
    if (!isChosen && !upstream.some((above) => takenNames.has(above))) continue;
    // What waits itself is not there either, unless an older value of it is.
    const absent = upstream.find((above) => !takenNames.has(above) && statusOf(above) !== 'm');
    if (absent !== undefined) waiting.push({ asset: name, upstream: absent });
    else {
      taken.add(asset);
      takenNames.add(name);
    }
  }
  return { taken: [...taken], waiting };
}
