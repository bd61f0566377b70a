/** `dynpart runs release`: says that the process which owns runs is gone for good. */
import { runsIn } from '../../model/pending-run.ts';
import { counted } from '../../model/text.ts';
import type { Context } from '../context.ts';
import { findRuns } from '../find-run.ts';
import type { ChangedRuns } from '../json-results-of-runs.ts';

export async function run(
  { output, project }: Context,
  _: object,
  ids: readonly string[],
): Promise<ChangedRuns> {
  const { store } = project;
  const wanted = new Set(ids);
  await findRuns(store, [...wanted]);
  const released = await store.commit({ runs: [{ ids: wanted }] }, (now) => {
    const owned = now.runs().flatMap((runs) =>
      runs.owner === null
        ? []
        : Array.from(runsIn(runs))
            .filter(({ id }) => wanted.has(id))
            .map(({ id }) => id),
    );
    return {
      changes: owned.length === 0 ? [] : [{ type: 'runs-released', ids: owned }],
      outcome: new Set(owned),
    };
  });
  const runs = await findRuns(store, [...wanted]);
  if (released.size > 0) output.chat(`${counted(released.size, 'run')} released`);
  for (const { id, status, finishedAt } of runs)
    if (!released.has(id))
      output.chat(
        finishedAt === null
          ? `run ${id} is ${status}, and no process owns it; nothing was released`
          : `run ${id} had ended before: ${status}; nothing was released`,
      );
  return { runs };
}
