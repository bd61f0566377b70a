/**
 * In which order runs have their turn that wait for the same assets: each group that was queued together has one, then each its
 * second one. A group of a hundred thousand runs keeps nobody waiting who was queued behind it. Groups of other assets keep their
 * place: what they need may be made by those before them. Pure.
 */
import { partsOfRunId } from '../../model/run.ts';
import type { OwnedRun } from '../plan/executors/owned-run.ts';

export function inTurns(runs: readonly OwnedRun[]): OwnedRun[] {
  /** By assets, and there by groups; both in the order of coming. */
  const classes = new Map<string, Map<string, OwnedRun[]>>();
  for (const run of runs) {
    const assets = run.assets.join('\0');
    const groups = classes.get(assets) ?? new Map<string, OwnedRun[]>();
    classes.set(assets, groups);
    const name = partsOfRunId(run.id).group;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [run]);
    else group.push(run);
  }
  return [...classes.values()].flatMap((groups) => turnsOf([...groups.values()]));
}

function turnsOf(groups: readonly (readonly OwnedRun[])[]): readonly OwnedRun[] {
  if (groups.length === 1) return groups[0]!;
  const ordered: OwnedRun[] = [];
  let left = groups;
  for (let turn = 0; left.length > 0; turn++) {
    left = left.filter((group) => group.length > turn);
    for (const group of left) ordered.push(group[turn]!);
  }
  return ordered;
}
