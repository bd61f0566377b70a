/** Finds the runs of this process that another process may be waiting for, while these runs wait for that process. Pure. */
import { anyWorkName, workName } from '../plan/queue/work-name.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';

export interface WaitingOf {
  /** What a run needs and does not make itself, by its work name. */
  readonly awaits: (run: OwnedRun) => readonly string[];
  readonly waitsForOthers: (run: OwnedRun) => boolean;
  /** Since which serial a run is this process's. */
  readonly ownedSince: (run: OwnedRun) => number;
}

/**
 * Runs that wait for one here that was taken on later and waits for another process. That process may be waiting for them,
 * since these runs came first: each is to come after what it waits for, or both processes would wait for good.
 */
export function runsHeldUp(waiting: readonly OwnedRun[], of: WaitingOf): OwnedRun[] {
  /** What is to be made by a run that waits for another process, directly or not; and since when that run is ours. */
  const held = new Map<string, number>();
  const hold = (run: OwnedRun, since: number): boolean =>
    run.assets
      .flatMap((asset) => [workName(asset, run.partitionKey), anyWorkName(asset)])
      .reduce((grows, name) => {
        if (since <= (held.get(name) ?? -1)) return grows;
        held.set(name, since);
        return true;
      }, false);
  for (const run of waiting) if (of.waitsForOthers(run)) hold(run, of.ownedSince(run));
  const heldUp = new Set<OwnedRun>();
  for (let grows = held.size > 0; grows;) {
    grows = false;
    for (const run of waiting) {
      const latest = Math.max(-1, ...of.awaits(run).map((name) => held.get(name) ?? -1));
      if (latest === -1) continue;
      const since = of.ownedSince(run);
      if (since < latest) heldUp.add(run);
      if (hold(run, since < latest ? Infinity : since)) grows = true;
    }
  }
  return [...heldUp];
}
