/** What is looked at to tell what becomes of an asset: automation decides on all of a set together. Pure. */
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import { AUTOMATION } from '../../../model/run.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CandidateQuery } from '../../../state/state-view.ts';
import type { Periods } from '../automate/periods.ts';
import { automatedBySet, namesAlone, needsOfAutomation } from '../automate/plan-automation.ts';
import { needsOfGathers } from '../gather/gathers.ts';
import { together } from '../needs-together.ts';

/** Which asset is asked about, and when. */
export interface Asked {
  readonly pipeline: Pipeline;
  readonly asset: AssetDefinition;
  readonly now: Millis;
  /** The present period of each asset that has `every`. */
  readonly periods: Periods;
}

/** @param key `undefined`: every key of the asset's set */
export function needsOfOutlook({ pipeline, asset, now }: Asked, key: string | null | undefined): Needs {
  const { set } = asset;
  const { ofSet, alone, judged } = namesAround(pipeline, asset);
  const asksItems = set !== null && judged.some(({ automate }) => automate?.only);
  const carried = (some: 'all' | readonly (string | null)[]): Needs =>
    set === null ? {} : { keys: [{ set, keys: some, carried: true }] };
  const around: Needs = {
    sensors: [AUTOMATION],
    executors: true,
    runs: [{ assets: [...ofSet, ...alone] }],
    ...(key === undefined
      ? {
          candidates: [everyKey(set!, ofSet, now), triedLater(set!, asset.name)],
          ...(asksItems && carried('all')),
        }
      : carried([key])),
    statuses: [
      ...alone.map((name) => ({ asset: name, set: null, keys: [null] })),
      ...(key === undefined ? [] : ofSet.map((name) => ({ asset: name, set, keys: [key] }))),
    ],
  };
  if (asset.stage === 0) return around;
  // What is made of many keys waits for all that is planned before it.
  return together(around, needsOfAutomation(pipeline, now), needsOfGathers(pipeline, [asset]));
}

export interface NamesAround {
  /** Assets that automation decides on together with the asset, in dependency order. */
  readonly judged: readonly AssetDefinition[];
  /** The asset, these, and all above them: those of its set, and those that have one value for all keys. */
  readonly ofSet: readonly string[];
  readonly alone: readonly string[];
}

export function namesAround(pipeline: Pipeline, asset: AssetDefinition): NamesAround {
  const automated = automatedBySet(pipeline);
  const { set: own, stage } = asset;
  const judged = automated.find((one) => one.set === own && one.stage === stage)?.assets ?? [];
  const names = new Set<string>();
  const visit = ({ name, upstream }: AssetDefinition): void => {
    if (names.has(name)) return;
    names.add(name);
    for (const above of upstream) if (pipeline.assets.has(above)) visit(pipeline.assets.get(above)!);
  };
  for (const one of [asset, ...judged]) visit(one);
  const isAlone = (name: string): boolean => pipeline.assets.get(name)!.set === null;
  return {
    judged,
    ofSet: [...names].filter((name) => asset.set !== null && pipeline.assets.get(name)!.set === asset.set),
    alone: [...new Set([...[...names].filter(isAlone), ...namesAlone(pipeline, automated)])],
  };
}

export function everyKey(set: string, assets: readonly string[], now: Millis): CandidateQuery {
  return { set, inStates: null, assets, alsoOf: [], prefix: null, order: 'oldest', dueBy: isoTime(now) };
}

const AT_ANY_TIME = '9999-12-31T23:59:59.999Z';

/** Failed keys that are tried again, now or later. */
export function triedLater(set: string, asset: string): CandidateQuery {
  return {
    set,
    inStates: [],
    assets: [asset],
    alsoOf: [],
    prefix: null,
    order: 'oldest',
    dueBy: AT_ANY_TIME,
  };
}
