/** Which keys of which assets a user means, for all commands that take a selection. Pure. */
import { fail } from '../../../model/failure.ts';
import { nearest } from '../../../model/nearest.ts';
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { together } from '../needs-together.ts';
import { type Choice, needsOfCandidates, type Target } from './candidates.ts';

/** What the user chose. */
export interface Selection {
  /** Empty: all assets. */
  readonly assets: readonly string[];
  /** Named keys (`--key`, `--keys-from`); `null`: chosen by state. */
  readonly keys: readonly string[] | null;
  /** Named with `--key`: keys that are queued or started are waited for instead of left out. */
  readonly waits: boolean;
  readonly all: boolean;
  readonly missing: boolean;
  readonly failed: boolean;
  readonly stale: boolean;
  readonly prefix: string | null;
  readonly order: 'newest' | 'oldest';
  readonly limit: number | null;
  /** Register named keys that are not in their set. */
  readonly add: boolean;
}

/** All assets and no key: a selection says beside it what it chooses. */
export const NOTHING_CHOSEN: Selection = {
  assets: [],
  keys: null,
  waits: false,
  all: false,
  missing: false,
  failed: false,
  stale: false,
  prefix: null,
  order: 'oldest',
  limit: null,
  add: false,
};

export function needsOfSelection(
  pipeline: Pipeline,
  selection: Selection,
  choice: Choice = choiceOf(selection),
): Needs {
  const { keys } = selection;
  const { assets, unknown } = assetsNamed(pipeline, selection);
  const sets = bySet(assets);
  const named = [...sets.keys()].flatMap((set) => (set === null || keys === null ? [] : [{ set, keys }]));
  const targets = stageByStage(
    [...sets].map(([set, ofSet]): Target => ({
      set,
      assets: ofSet,
      named: set === null ? [null] : keys,
    })),
  );
  return together(
    // An unknown asset may be the key of some set.
    {
      keys: [
        ...named,
        ...pipeline.sets.flatMap((set) => (unknown.length === 0 ? [] : [{ set, keys: unknown }])),
      ],
    },
    ...targets.map((target) => needsOfCandidates(pipeline, target, choice)),
  );
}

/** @throws FailureError for unknown assets and keys, a key that several sets have, a choice that names no key */
export function targetsOf(view: StateView, pipeline: Pipeline, selection: Selection): readonly Target[] {
  const assets = chosenAssets(view, pipeline, selection);
  return stageByStage(
    selection.keys === null
      ? targetsByState(assets, selection)
      : targetsOfKeys(view, assets, selection, selection.keys),
  );
}

/** What takes many keys of others comes behind them. */
function stageByStage(targets: readonly Target[]): readonly Target[] {
  const stages = [...new Set(targets.flatMap(({ assets }) => assets.map(({ stage }) => stage)))];
  if (stages.length < 2) return targets;
  return stages
    .sort((a, b) => a - b)
    .flatMap((stage) =>
      targets.flatMap((target) => {
        const assets = target.assets.filter((asset) => asset.stage === stage);
        return assets.length === 0 ? [] : [{ ...target, assets }];
      }),
    );
}

export function choiceOf({ all, missing, failed, stale, prefix, order }: Selection): Choice {
  return { states: { all, missing, failed, stale }, prefix, order };
}

export function assetsNamed(
  pipeline: Pipeline,
  { assets: names }: Selection,
): { readonly assets: readonly AssetDefinition[]; readonly unknown: readonly string[] } {
  return {
    assets: [...pipeline.assets.values()].filter(({ name }) => names.length === 0 || names.includes(name)),
    unknown: names.filter((name) => !pipeline.assets.has(name)),
  };
}

function chosenAssets(view: StateView, pipeline: Pipeline, selection: Selection): readonly AssetDefinition[] {
  const { assets, unknown } = assetsNamed(pipeline, selection);
  if (unknown.length > 0) {
    const names = [...pipeline.assets.keys()];
    fail({
      reason: 'unknown-name',
      thing: 'asset',
      names: unknown,
      nearest: nearest(unknown[0]!, names),
      known: names.length,
      keyOf: pipeline.sets.find((set) => view.present(set, [unknown[0]!]).size > 0),
    });
  }
  return assets;
}

function bySet(assets: readonly AssetDefinition[]): Map<string | null, AssetDefinition[]> {
  const sets = new Map<string | null, AssetDefinition[]>();
  for (const asset of assets) sets.set(asset.set, [...(sets.get(asset.set) ?? []), asset]);
  return sets;
}

function targetsByState(assets: readonly AssetDefinition[], selection: Selection): Target[] {
  const { all, missing, failed, stale } = selection;
  const sets = bySet(assets);
  const partitioned = [...sets.keys()].filter((set) => set !== null);
  const byState = all || missing || failed || stale;
  if (partitioned.length > 0 && !byState) {
    const names = assets.filter(({ set }) => set !== null).map(({ name }) => `'${name}'`);
    fail({
      reason: 'usage',
      message: `${names.slice(0, 5).join(', ')} ${names.length === 1 ? 'is' : 'are'} partitioned by ${partitioned.map((set) => `'${set}'`).join(', ')}: which keys are meant was not said`,
      hint: 'choose them with --key KEY, --keys-from FILE, --missing, --failed, --stale or --all',
    });
  }
  return [...sets].map(([set, ofSet]) => ({ set, assets: ofSet, named: set === null ? [null] : null }));
}

function targetsOfKeys(
  view: StateView,
  assets: readonly AssetDefinition[],
  selection: Selection,
  keys: readonly string[],
): Target[] {
  const sets = bySet(assets.filter(({ set }) => set !== null));
  if (sets.size === 0) {
    fail({
      reason: 'usage',
      message: `none of the assets ${assets
        .map(({ name }) => `'${name}'`)
        .slice(0, 5)
        .join(', ')} is partitioned, so they have no keys`,
      hint: 'leave --key away',
    });
  }
  const names = [...sets.keys()] as string[];
  const present = new Map(names.map((set) => [set, view.present(set, keys)]));
  const asked = [...new Set(keys)];
  const ambiguous = asked.filter((key) => names.filter((set) => present.get(set)!.has(key)).length > 1);
  if (ambiguous.length > 0) fail({ reason: 'ambiguous-keys', keys: ambiguous, sets: names, known: true });
  const unknown = asked.filter((key) => !names.some((set) => present.get(set)!.has(key)));
  if (unknown.length > 0 && !selection.add) {
    fail({ reason: 'unknown-keys', sets: names, keys: unknown });
  }
  if (unknown.length > 0 && names.length > 1)
    fail({ reason: 'ambiguous-keys', keys: unknown, sets: names, known: false });
  if (selection.assets.length > 0) {
    for (const { name, set } of assets) {
      const absent = asked.filter(
        (key) => set === null || !(present.get(set)!.has(key) || unknown.includes(key)),
      );
      if (absent.length > 0) fail({ reason: 'asset-without-key', asset: name, set, keys: absent });
    }
  }
  return names
    .map((set) => ({
      set,
      assets: sets.get(set)!,
      named: asked.filter((key) => present.get(set)!.has(key) || unknown.includes(key)),
    }))
    .filter(({ named }) => named.length > 0);
}
