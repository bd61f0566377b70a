/** `dynpart partitions remove`: takes keys out of a set, by name or by rule. */
import { needsOfRemoving, removeKeys } from '../../engine/plan/keys/add-remove-sync.ts';
import { fail } from '../../model/failure.ts';
import { shellWord } from '../../model/shell-words.ts';
import { counted, grouped, printable } from '../../model/text.ts';
import { timeAgo } from '../../engine/plan/keys/time-ago.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/state-view.ts';
import { checkSet } from '../check-names.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { type KeysOptions, keysGiven } from '../read-keys.ts';
import type { RemovedKeys } from '../json-results-of-keys.ts';

interface RemoveOptions extends KeysOptions {
  readonly olderThan?: number;
  readonly keepLast?: number;
  readonly keepOut?: boolean;
  readonly purge?: boolean;
  readonly dryRun?: boolean;
}

export async function run(
  context: Context,
  options: RemoveOptions,
  set: string,
  given: readonly string[],
): Promise<RemovedKeys> {
  const { output, project } = context;
  const { dryRun = false, keepOut = false, purge = false } = options;
  const byRule = options.olderThan !== undefined || options.keepLast !== undefined;
  const named = given.length > 0 || options.from !== undefined;
  if (byRule === named) {
    fail({
      reason: 'usage',
      message: named ? 'keys were named and a rule was given: which of both is meant?' : 'no key was given',
      hint: `name keys, or use --older-than AGE and --keep-last N: dynpart partitions remove ${shellWord(set, 'SET')} --keep-last 100`,
    });
  }
  const keys = keysGiven(context.terminal, given, options);
  await checkSet(project, set);
  // Only the pipeline knows where values are: it must load before anything is removed.
  if (purge) await project.pipeline();
  const now = context.clock.now();
  const rule = {
    set,
    addedBefore: options.olderThan === undefined ? null : timeAgo(now, options.olderThan),
    keepLast: options.keepLast ?? null,
  };
  const needs: Needs = byRule
    ? { oldest: [rule], runs: ['all'], executors: true }
    : needsOfRemoving(set, keys);
  const plan = (view: StateView) =>
    removeKeys(view, set, byRule ? view.oldest(rule) : keys, { keepOut, purge, now, endsLeft: true });
  if (dryRun) {
    const { removed, skipped } = plan(await project.store.read(needs)).outcome;
    if (removed.length === 0)
      output.chat(
        `nothing would be removed from ${set}${skipped.length > 0 ? `: ${counted(skipped.length, 'key')} not there` : ''}`,
      );
    output.print(removed.map((key) => `${printable(key)}\n`).join(''));
    return { set, removed, skipped };
  }
  await endLeftPrograms(context);
  const going = purge ? plan(await project.store.read(needs)).outcome.removed : [];
  const purging = purge ? await (await import('../purge-values.ts')).purgeOf(context, set, going) : null;
  const { removed, skipped } = await project.commit(needs, plan);
  const result: RemovedKeys = { set, removed, skipped };
  output.soFar(result);
  // Also of keys that are not there: one may have left before without its values.
  await purging?.after([{ set, keys: [...removed, ...skipped] }]);
  output.chat(
    `${counted(removed.length, 'key')} removed from ${set}${skipped.length > 0 ? `, ${grouped(skipped.length)} not there` : ''}`,
  );
  return result;
}
