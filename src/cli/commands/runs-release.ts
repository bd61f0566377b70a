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
  await store.commit({ runs: [{ ids: wanted }] }, (now) => {
    const owned = now.runs().flatMap((runs) =>
      runs.owner === null
        ? []
        : Array.from(runsIn(runs))
            .filter(({ id }) => wanted.has(id))
            .map(({ id }) => id),
    );
    return { changes: owned.length === 0 ? [] : [{ type: 'runs-released', ids: owned }], outcome: undefined };
  });
  const runs = await findRuns(store, [...wanted]);
  output.chat(`${counted(runs.length, 'run')} released`);
  return { runs };
}
