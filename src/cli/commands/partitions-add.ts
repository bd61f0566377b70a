/** `dynpart partitions add`: puts keys into a set. */
import { addKeys, needsOfAdding } from '../../engine/plan/keys/add-remove-sync.ts';
import { fail } from '../../model/failure.ts';
import { counted, grouped } from '../../model/text.ts';
import type { Context } from '../context.ts';
import { type KeysOptions, keysGiven } from '../read-keys.ts';
import { type AddedKeys, noRuns } from '../results.ts';

export async function run(
  context: Context,
  options: KeysOptions & { readonly materialize?: boolean },
  set: string,
  given: readonly string[],
): Promise<AddedKeys> {
  const { output, project } = context;
  const keys = keysGiven(context.terminal, given, options);
  if (given.length === 0 && options.from === undefined) {
    fail({
      reason: 'usage',
      message: 'no key was given',
      hint: `for example: dynpart partitions add ${set} KEY, or --from FILE`,
    });
  }
  await project.checkSet(set);
  const now = context.clock.now();
  const keysAdded = await project.commit(needsOfAdding(set, keys), (view) => addKeys(view, set, keys, now));
  const { added, skipped } = keysAdded;
  output.chat(
    `${counted(added.length, 'key')} added to ${set}${skipped.length > 0 ? `, ${grouped(skipped.length)} there already` : ''}`,
  );
  const result: AddedKeys = { set, added, skipped };
  output.soFar(result);
  if (!options.materialize) return result;
  if (added.length === 0) return { ...result, runs: [], summary: noRuns() };
  // What executes runs is only loaded where there are some.
  const { materializeKeys } = await import('../materialize-selection.ts');
  return { ...result, ...(await materializeKeys(context, { set, keys: added })) };
}
