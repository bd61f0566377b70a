/** Upstream assets of which many keys are taken, with every default filled in, and what follows from them for the order of runs. */
import type { AnyAsset, AnyKeysOf } from './asset.ts';
import { kindOf } from './brand.ts';
import type { OnMissing, WhichKeys } from './which-keys.ts';

export interface Gathered {
  /** The upstream asset. */
  readonly asset: string;
  /** The input that receives the values; `null`: it only has to come first. */
  readonly input: string | null;
  readonly which: WhichKeys;
  readonly onMissing: OnMissing;
}

/** What an asset rests on. */
interface Resting {
  readonly upstream: readonly string[];
  readonly gathers: readonly Gathered[];
}

type Upstreams = Pick<AnyAsset['options'], 'inputs' | 'deps'>;

export function isAsset(upstream: AnyAsset | AnyKeysOf): upstream is AnyAsset {
  return kindOf(upstream) === 'asset';
}

export function gatheredBy({ inputs = {}, deps = [] }: Upstreams): Gathered[] {
  const named = [
    ...Object.entries(inputs).map(([input, upstream]) => [input, upstream] as const),
    ...deps.map((upstream) => [null, upstream] as const),
  ];
  return named.flatMap(([input, upstream]) => {
    if (isAsset(upstream)) return [];
    const { asset, which, options } = upstream;
    return [{ asset: asset.name, input, which, onMissing: options.onMissing ?? 'fail' }];
  });
}

/** How many keys may be left out when automation asks; `null`: any number. */
export function sparedBy(automate: AnyAsset['options']['automate']): number | null {
  const waitFor = typeof automate === 'object' ? automate.waitFor : undefined;
  if (waitFor === undefined) return null;
  return waitFor === 'all' ? 0 : waitFor.allBut;
}

/** Every upstream asset, whichever keys of it. */
export function allAbove({ upstream, gathers }: Resting): string[] {
  return [...new Set([...upstream, ...gathers.map(({ asset }) => asset)])];
}

/** @param assets in dependency order */
export function withStages<Asset extends Resting & { readonly stage: number }>(
  assets: ReadonlyMap<string, Asset>,
): Map<string, Asset> {
  const stages = new Map<string, Asset>();
  const stageOf = (name: string): number => stages.get(name)!.stage;
  for (const [name, asset] of assets) {
    const stage = Math.max(
      0,
      ...asset.upstream.map(stageOf),
      ...asset.gathers.map((gathered) => stageOf(gathered.asset) + 1),
    );
    stages.set(name, { ...asset, stage });
  }
  return stages;
}
