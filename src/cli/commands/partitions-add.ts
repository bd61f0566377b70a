/** `dynpart partitions add`: puts keys into a set. */
import { addKeys, needsOfAdding } from '../../engine/plan/keys/add-remove-sync.ts';
import { fail } from '../../model/failure.ts';
import { shellWord } from '../../model/shell-words.ts';
import { counted, grouped } from '../../model/text.ts';
import { checkSet } from '../check-names.ts';
import type { Context } from '../context.ts';
import { type CarriedOptions, keysToAdd } from '../read-keys.ts';
import type { AddedKeys } from '../json-results-of-keys.ts';
import { noRuns } from '../json-results-of-runs.ts';

export async function run(
  context: Context,
  options: CarriedOptions & { readonly materialize?: boolean },
  set: string,
  named: readonly string[],
): Promise<AddedKeys> {
  const { output, project } = context;
  if (named.length === 0 && options.from === undefined) {
    fail({
      reason: 'usage',
      message: 'no key was given',
      hint: `for example: dynpart partitions add ${shellWord(set, 'SET')} KEY, or --from FILE`,
    });
  }
  await checkSet(project, set);
  // Only the user's code knows what an item must be.
  const mayCarry = options.item !== undefined || options.jsonLines === true;
  const schema = mayCarry ? (await project.pipeline()).items.get(set) : undefined;
  const { keys, given } = keysToAdd(context.terminal, named, options, schema);
  const now = context.clock.now();
  const needs = needsOfAdding(set, keys, given);
  const keysAdded = await project.commit(needs, (view) => addKeys(view, set, keys, { now, given }));
  const { added, updated, skipped } = keysAdded;
  output.chat(
    [
      `${counted(added.length, 'key')} added to ${set}`,
      ...(updated.length > 0 ? [`${grouped(updated.length)} updated`] : []),
      ...(skipped.length > 0 ? [`${grouped(skipped.length)} there already`] : []),
    ].join(', '),
  );
  const result: AddedKeys = { set, added, updated, skipped };
  output.soFar(result);
  if (!options.materialize) return result;
  if (added.length === 0) return { ...result, runs: [], summary: noRuns() };
  // What executes runs is only loaded where there are some.
  const { materializeKeys } = await import('../materialize-selection.ts');
  return { ...result, ...(await materializeKeys(context, { set, keys: added })) };
}
