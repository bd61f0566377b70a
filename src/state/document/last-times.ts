/** What of a change tells when an asset was made last, and when a sensor brought a key: the same for every store. */
import type { TickRecord } from '../../model/tick.ts';
import type { FinishedRun, StateChange } from '../changes.ts';

/** When runs that end made each of their assets last. One that is made long before its run ends counts from there, too. */
export function lastMadeBy(finished: readonly FinishedRun[]): ReadonlyMap<string, string> {
  const times = new Map<string, string>();
  for (const { record } of finished) {
    const { assets, finishedAt } = record;
    if (finishedAt === null) continue;
    for (const { asset, status } of assets)
      if (status === 'SUCCESS' && finishedAt > (times.get(asset) ?? '')) times.set(asset, finishedAt);
  }
  return times;
}

/** What somebody says was made elsewhere is made now. */
export function lastMade({
  asset,
  keys,
  as,
  at,
}: Extract<StateChange, { readonly type: 'keys-marked' }>): ReadonlyMap<string, string> {
  return new Map(as === 'materialized' && keys.length > 0 ? [[asset, at]] : []);
}

export function hasAddedKeys(tick: TickRecord | undefined): boolean {
  return tick?.partitions.some(({ added }) => added.length > 0) ?? false;
}
