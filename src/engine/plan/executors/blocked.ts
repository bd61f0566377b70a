/** Processes whose user code keeps their event loop from turning: they are named, and never robbed. Pure. */
import { workName } from '../queue/work-name.ts';
import type { Failure } from '../../../model/failure.ts';
import type { StateView } from '../../../state/state-view.ts';
import { runsIn } from '../../../model/pending-run.ts';

export interface BlockedProcess {
  readonly executor: string;
  readonly failure: Extract<Failure, { readonly reason: 'run-blocked' }>;
}

export function blockedProcesses(view: StateView): BlockedProcess[] {
  return view.executors().flatMap(({ id, pid, host, blockedSince, begun, atWork }) => {
    if (blockedSince === null) return [];
    // A run that was released meanwhile is still in the hands of the blocked process. Where none was begun, a function that is asked
    // beside their code has it: for one of those that it holds.
    const begunNow = atWork ?? [...begun.keys()];
    const runs = (begunNow.length > 0 ? begunNow : ownedBy(view, id)).map((run) => {
      const pending = view.run(run);
      return {
        id: run,
        assets: pending?.runs.assets ?? [],
        key: pending?.run.partitionKey ?? null,
      };
    });
    return [
      { executor: id, failure: { reason: 'run-blocked' as const, pid, host, since: blockedSince, runs } },
    ];
  });
}

function ownedBy(view: StateView, executor: string): string[] {
  return view
    .runs()
    .filter(({ owner }) => owner === executor)
    .flatMap((runs) => Array.from(runsIn(runs), ({ id }) => id));
}

/** Whether this asset and key is in the hands of a blocked process, as long as nobody ends that process. */
export type IsHeld = (assets: readonly string[], partitionKey: string | null) => boolean;

/** `null` when nothing is. */
export function heldByBlocked(view: StateView): IsHeld | null {
  const blocked = new Set(
    view.executors().flatMap(({ id, blockedSince }) => (blockedSince === null ? [] : [id])),
  );
  if (blocked.size === 0) return null;
  const held = new Set<string>();
  for (const runs of view.runs()) {
    if (runs.owner === null || !blocked.has(runs.owner)) continue;
    for (const { partitionKey } of runsIn(runs))
      for (const asset of runs.assets) held.add(workName(asset, partitionKey));
  }
  return (assets, partitionKey) => assets.some((asset) => held.has(workName(asset, partitionKey)));
}

/** Whether there would be room for runs, if blocked processes took none. */
export function isRoomBlocked(view: StateView, executor: string, concurrency: number): boolean {
  const others = view.executors().filter(({ id, alive }) => alive && id !== executor);
  const roomBeside = (some: typeof others): number =>
    concurrency - some.reduce((sum, { slots }) => sum + slots, 0);
  return roomBeside(others) <= 0 && roomBeside(others.filter((one) => one.blockedSince === null)) > 0;
}
