/** `dynpart partitions sync`: makes a set equal to a list. */
import { needsOfSync, syncKeys } from '../../engine/plan/keys/add-remove-sync.ts';
import { parseRemovalLimit } from '../../model/removal-limit.ts';
import { fail } from '../../model/failure.ts';
import { counted, grouped, printable } from '../../model/text.ts';
import type { StateView } from '../../state/state-view.ts';
import { checkSet } from '../check-names.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { type KeysOptions, keysFrom } from '../read-keys.ts';
import type { SyncedKeys } from '../json-results-of-keys.ts';

interface SyncOptions extends KeysOptions {
  readonly from: string;
  readonly allowEmpty?: boolean;
  readonly maxRemove?: string;
  readonly dryRun?: boolean;
}

export async function run(context: Context, options: SyncOptions, set: string): Promise<SyncedKeys> {
  const { output, project } = context;
  const keys = keysFrom(options.from, context.terminal, options.jsonLines ?? false);
  if (keys.length === 0 && !options.allowEmpty) {
    fail({
      reason: 'usage',
      message: `the list is empty, and that would remove every key of '${set}'`,
      hint: 'if that is meant: --allow-empty',
    });
  }
  const mayRemove = limitOfRemovals(options.maxRemove);
  await checkSet(project, set);
  const now = context.clock.now();
  const needs = needsOfSync(set);
  const plan = (view: StateView) => {
    const synced = syncKeys(view, set, keys, now);
    const most = mayRemove(view.size(set));
    const count = synced.outcome.removed.length;
    if (count > most) {
      fail({
        reason: 'usage',
        message: `the list would remove ${counted(count, 'key')} of '${set}', more than --max-remove ${options.maxRemove} allows`,
        hint: 'look at it with --dry-run; nothing was changed',
      });
    }
    return synced;
  };
  if (options.dryRun) {
    const { added, removed, unchanged } = plan(await project.store.read(needs)).outcome;
    output.print(added.map((key) => `+ ${printable(key)}\n`).join(''));
    output.print(removed.map((key) => `- ${printable(key)}\n`).join(''));
    return { set, added, removed, unchanged };
  }
  await endLeftPrograms(context);
  const { added, removed, unchanged } = await project.commit(needs, plan);
  output.chat(
    `${set}: ${grouped(added.length)} added, ${grouped(removed.length)} removed, ${grouped(unchanged)} unchanged`,
  );
  return { set, added, removed, unchanged };
}

function limitOfRemovals(text: string | undefined): (total: number) => number {
  if (text === undefined) return () => Infinity;
  return (
    parseRemovalLimit(text) ??
    fail({
      reason: 'usage',
      message: `--max-remove takes a number or a part such as 10%, not ${JSON.stringify(text)}`,
      hint: 'for example: --max-remove 10%',
    })
  );
}
