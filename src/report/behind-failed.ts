/** Assets of which nothing that is missing can be made before what failed above them. */
import type { KnownAsset } from '../model/known-pipeline.ts';
import type { AssetReport } from './status-report.ts';

/** By asset what above it is to be made as well. */
export type BehindFailed = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * By their counts: above them as much has failed as is missing. It may be less that waits, where an older value of what failed is
 * there: that is made along with the rest.
 * @param known in dependency order
 */
export function behindFailed(assets: readonly AssetReport[], known: readonly KnownAsset[]): BehindFailed {
  const reports = new Map(assets.map((one) => [one.asset, one]));
  const found = new Map<string, ReadonlySet<string>>();
  for (const { name, set, inputs, deps, gathers = [] } of known) {
    const missing = reports.get(name)?.missing ?? 0;
    const above = new Set<string>();
    let absent = 0;
    // Of those that are made of some keys, nobody knows here of which.
    const ofAll = gathers.flatMap(({ asset, last, mapped }) => (last || mapped ? [] : [asset]));
    for (const upstream of new Set([...inputs, ...deps, ...ofAll])) {
      const its = reports.get(upstream);
      // A backlog nobody asked for would be made as well.
      if (its === undefined || its.backlog > 0) continue;
      const further = found.get(upstream);
      const count = its.failed + (further === undefined ? 0 : its.missing);
      if (count === 0) continue;
      absent += its.set === set ? count : Infinity;
      for (const one of [...(further ?? []), upstream]) above.add(one);
    }
    if (missing > 0 && absent >= missing) found.set(name, above);
  }
  return found;
}
