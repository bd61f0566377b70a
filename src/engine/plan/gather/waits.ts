/** What automation waits for before it makes an asset of many upstream keys. Pure. */
import type { AssetDefinition } from '../../../definitions/pipeline.ts';
import type { Gathers } from './gathers.ts';
import type { Requested } from './requested.ts';

/** Keys of one upstream asset that are waited for. */
export interface GatherWait {
  readonly asset: string;
  /** They are being made, or will be requested; or nothing is there of them and nothing makes them. */
  readonly because: 'in-progress' | 'absent';
  readonly count: number;
  readonly first: string;
}

export interface WaitsAround {
  readonly gathers: Gathers;
  readonly requested: Requested;
  /** Whether it still waits for what is on its way. */
  readonly isPatient: (asset: string) => boolean;
}

/** Nothing: it may be made. */
export function gatherWaits(
  { name, gathers: all, waitFor }: AssetDefinition,
  key: string | null,
  { gathers, requested, isPatient }: WaitsAround,
): readonly GatherWait[] {
  const patient = isPatient(name);
  const waits: GatherWait[] = [];
  let spared = waitFor ?? Infinity;
  for (const gathered of all) {
    const { asset, onMissing } = gathered;
    const { absent, inProgress, takes } = gathers.of(gathered, key);
    const onTheWay = new Set(patient ? inProgress : []);
    if (patient) for (const one of requested.keysOf(asset)) if (takes(one)) onTheWay.add(one);
    const left = onTheWay.size === 0 ? [...absent] : [...absent].filter((one) => !onTheWay.has(one));
    if (onTheWay.size > 0) waits.push(waitOn(asset, 'in-progress', [...onTheWay]));
    if (onMissing !== 'skip') {
      if (left.length > 0) waits.push(waitOn(asset, 'absent', left));
      continue;
    }
    // So many may be left out in all.
    if (left.length > spared) waits.push(waitOn(asset, 'absent', left));
    else spared -= left.length;
  }
  return waits;
}

function waitOn(asset: string, because: GatherWait['because'], keys: readonly string[]): GatherWait {
  return { asset, because, count: keys.length, first: keys[0]! };
}
