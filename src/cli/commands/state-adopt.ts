/** `dynpart state adopt`: makes the state that of this pipeline file. */
import { fail } from '../../model/failure.ts';
import { clean } from '../../model/text.ts';
import { isoTime } from '../../model/time.ts';
import type { Context } from '../context.ts';
import type { AdoptedState } from '../json-results.ts';

export async function run({ output, project, clock }: Context): Promise<AdoptedState> {
  project.useForeignState();
  const known = await project.loadedAsKnown();
  const from = await project.store.commit({ executors: true }, (view) => {
    const busy = view.executors().find(({ alive }) => alive);
    if (busy !== undefined && view.pipeline?.file !== known.file)
      fail({
        reason: 'usage',
        message: `process ${busy.pid} on ${busy.host} is executing runs of ${view.pipeline?.file ?? 'another pipeline'} in this state`,
        hint: 'let it end, or end it, and run the command again',
      });
    const at = isoTime(clock.now());
    return {
      changes: [{ type: 'pipeline-known', pipeline: known, at }],
      outcome: view.pipeline?.file ?? null,
    };
  });
  const before = from === null || from === known.file ? '' : `; it was the state of ${from}`;
  output.chat(clean(`${project.place} belongs to ${known.file} now${before}`));
  return { from, to: known.file };
}
