/**
 * What changed of keys that a function of the pipeline may name while the functions were not at hand: noted with the remembered
 * pipeline, and asked by the next commit that has them. Pure.
 */
import type { KnownAsset, KnownGathered, KnownPipeline } from '../../model/known-pipeline.ts';
import type { Mapping } from '../store.ts';

/** Of more keys nobody is asked one by one: then all that is made of some of them counts as changed. */
export const MOST_UNASKED = 1_000;

/** Keys of an upstream asset that changed; `'all'`: more than are noted. */
export type UnaskedKeys = readonly string[] | 'all';

/** What a commit finds that it cannot ask about. */
export class Unasked {
  readonly #found = new Map<KnownGathered, Set<string> | 'all'>();

  note(gathered: KnownGathered, keys: Iterable<string>): void {
    const before = this.#found.get(gathered) ?? gathered.unasked ?? [];
    const all = before === 'all' ? before : new Set([...before, ...keys]);
    this.#found.set(gathered, all === 'all' || all.size > MOST_UNASKED ? 'all' : all);
  }

  /** The pipeline with what was noted. */
  in(pipeline: KnownPipeline): KnownPipeline;
  in(pipeline: KnownPipeline | null): KnownPipeline | null;
  in(pipeline: KnownPipeline | null): KnownPipeline | null {
    if (pipeline === null || this.#found.size === 0) return pipeline;
    return withGathers(pipeline, (gathered) => {
      const keys = this.#found.get(gathered);
      return keys === undefined ? gathered : { ...gathered, unasked: keys === 'all' ? keys : [...keys] };
    });
  }
}

export function hasUnasked(pipeline: KnownPipeline | null): boolean {
  return (
    pipeline?.assets.some(({ gathers = [] }) => gathers.some(({ unasked }) => unasked !== undefined)) === true
  );
}

export function withoutUnasked(pipeline: KnownPipeline): KnownPipeline {
  if (!hasUnasked(pipeline)) return pipeline;
  return withGathers(pipeline, (gathered) => {
    const { unasked: _, ...rest } = gathered;
    return rest;
  });
}

/** An asset of which keys may be made of what changed. */
export interface AssetToAsk {
  readonly asset: string;
  readonly set: string | null;
  /** Whether a key of it is made of some of that. */
  readonly concerns: (key: string | null) => boolean;
}

/**
 * Whom what was noted concerns, in dependency order.
 * @param now the pipeline of which the functions are; what it does not have any more of an edge may have been anything
 */
export function assetsToAsk(
  before: KnownPipeline | null,
  now: KnownPipeline,
  mapping: Mapping | null,
): readonly AssetToAsk[] {
  if (!hasUnasked(before)) return [];
  const old = new Map(before!.assets.map((asset) => [asset.name, asset]));
  return now.assets.flatMap((asset): readonly AssetToAsk[] => {
    const edges = (old.get(asset.name)?.gathers ?? []).filter(({ unasked }) => unasked !== undefined);
    // With another set it is made of other keys: nothing of it is there.
    if (edges.length === 0 || old.get(asset.name)!.set !== asset.set) return [];
    const asks = edges.map((edge) => askerOf(asset, edge, mapping));
    return [{ asset: asset.name, set: asset.set, concerns: (key) => asks.some((ask) => ask(key)) }];
  });
}

function askerOf(
  { name, gathers = [] }: KnownAsset,
  { asset: upstream, unasked }: KnownGathered,
  mapping: Mapping | null,
): (key: string | null) => boolean {
  const numbers = [...gathers.keys()].filter((at) => gathers[at]!.asset === upstream && gathers[at]!.mapped);
  if (unasked === 'all' || mapping === null || numbers.length === 0) return () => true;
  const changed = new Set(unasked);
  return (key) =>
    key === null ||
    numbers.some((number) => {
      const its = mapping(name, number, key);
      return its === null || its.some((one) => changed.has(one));
    });
}

function withGathers(
  pipeline: KnownPipeline,
  change: (gathered: KnownGathered) => KnownGathered,
): KnownPipeline {
  return {
    ...pipeline,
    assets: pipeline.assets.map((asset) =>
      asset.gathers === undefined ? asset : { ...asset, gathers: asset.gathers.map(change) },
    ),
  };
}
