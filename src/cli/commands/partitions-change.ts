/** What changes the keys of a set by hand: add, remove, sync. */
import { counted, grouped, printable } from '../../model/text.ts';
import { fail } from '../../model/failure.ts';
import { isoTime } from '../../model/time.ts';
import {
  addKeys,
  needsOfAdding,
  needsOfRemoving,
  needsOfSync,
  removeKeys,
  syncKeys,
} from '../../engine/plan/change-set.ts';
import type { Needs } from '../../state/needs.ts';
import type { StateView } from '../../state/slice.ts';
import type { Context } from '../context.ts';
import { endLeftPrograms } from '../end-left-programs.ts';
import { checkedKeys, keysFrom } from '../read-keys.ts';
import type { MaterializeOutcome } from '../materialize-selection.ts';

interface KeysOptions {
  readonly from?: string;
  readonly jsonLines?: boolean;
}

function keysOf(
  context: Context,
  keys: readonly string[],
  { from, jsonLines }: KeysOptions,
): readonly string[] {
  const typed = checkedKeys(keys);
  if (from === undefined) return typed;
  const read = keysFrom(from, context.terminal, jsonLines ?? false);
  return typed.length === 0 ? read : [...typed, ...read];
}

export async function add(
  context: Context,
  options: KeysOptions & { readonly materialize?: boolean },
  set: string,
  given: readonly string[],
): Promise<void> {
  const keys = keysOf(context, given, options);
  if (given.length === 0 && options.from === undefined) {
    fail({
      reason: 'usage',
      message: 'no key was given',
      hint: `for example: dynpart partitions add ${set} KEY, or --from FILE`,
    });
  }
  await context.project.checkSet(set);
  const now = context.clock.now();
  const { added, skipped } = await context.project.commit(needsOfAdding(set, keys), (view) =>
    addKeys(view, set, keys, now),
  );
  Object.assign(context.output.document, { set, added, skipped });
  context.output.chat(
    `${counted(added.length, 'key')} added to ${set}${skipped.length > 0 ? `, ${grouped(skipped.length)} there already` : ''}`,
  );
  if (!options.materialize) return;
  const outcome = added.length === 0 ? nothingDone : await materializeAdded(context, set, added);
  Object.assign(context.output.document, outcome);
}

/** What executes runs is only loaded where there are some. */
async function materializeAdded(
  context: Context,
  set: string,
  keys: readonly string[],
): Promise<MaterializeOutcome> {
  const { materializeKeys } = await import('../materialize-selection.ts');
  return materializeKeys(context, { set, keys });
}

const nothingDone: MaterializeOutcome = {
  runs: [],
  summary: { total: 0, succeeded: 0, failed: 0, canceled: 0, skipped: 0, leftOut: 0, waiting: 0 },
};

interface RemoveOptions extends KeysOptions {
  readonly olderThan?: number;
  readonly keepLast?: number;
  readonly keepOut?: boolean;
  readonly purge?: boolean;
  readonly dryRun?: boolean;
}

export async function remove(
  context: Context,
  options: RemoveOptions,
  set: string,
  given: readonly string[],
): Promise<void> {
  const byRule = options.olderThan !== undefined || options.keepLast !== undefined;
  const named = given.length > 0 || options.from !== undefined;
  if (byRule === named) {
    fail({
      reason: 'usage',
      message: named ? 'keys were named and a rule was given: which of both is meant?' : 'no key was given',
      hint: `name keys, or use --older-than AGE and --keep-last N: dynpart partitions remove ${set} --keep-last 100`,
    });
  }
  const keys = keysOf(context, given, options);
  await context.project.checkSet(set);
  // Only the pipeline knows where values are: it must load before anything is removed.
  if (options.purge) await context.project.pipeline();
  const now = context.clock.now();
  const rule = {
    set,
    addedBefore: options.olderThan === undefined ? null : isoTime(now - options.olderThan),
    keepLast: options.keepLast ?? null,
  };
  const needs: Needs = byRule
    ? { oldest: [rule], runs: ['all'], executors: true }
    : needsOfRemoving(set, keys);
  const plan = (view: StateView) => {
    const chosen = byRule ? view.oldest(rule) : keys;
    return removeKeys(view, set, chosen, { keepOut: options.keepOut ?? false, now });
  };
  if (!options.dryRun) await endLeftPrograms(context);
  const { removed, skipped } = options.dryRun
    ? plan(await context.project.store.read(needs)).outcome
    : await context.project.commit(needs, plan);
  Object.assign(context.output.document, { set, removed, skipped });
  if (options.dryRun) {
    if (removed.length === 0)
      context.output.chat(
        `nothing would be removed from ${set}${skipped.length > 0 ? `: ${counted(skipped.length, 'key')} not there` : ''}`,
      );
    return context.output.print(removed.map((key) => `${printable(key)}\n`).join(''));
  }
  // Also of keys that are not there: a command that was killed in between is run again to finish.
  if (options.purge)
    await (await import('../purge-values.ts')).purgeValues(context, set, [...removed, ...skipped]);
  context.output.chat(
    `${counted(removed.length, 'key')} removed from ${set}${skipped.length > 0 ? `, ${grouped(skipped.length)} not there` : ''}`,
  );
}

interface SyncOptions extends KeysOptions {
  readonly from: string;
  readonly allowEmpty?: boolean;
  readonly maxRemove?: string;
  readonly dryRun?: boolean;
}

export async function sync(context: Context, options: SyncOptions, set: string): Promise<void> {
  const keys = keysFrom(options.from, context.terminal, options.jsonLines ?? false);
  if (keys.length === 0 && !options.allowEmpty) {
    fail({
      reason: 'usage',
      message: `the list is empty, and that would remove every key of '${set}'`,
      hint: 'if that is meant: --allow-empty',
    });
  }
  const mayRemove = limitOfRemovals(options.maxRemove);
  await context.project.checkSet(set);
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
  if (!options.dryRun) await endLeftPrograms(context);
  const { added, removed, unchanged } = options.dryRun
    ? plan(await context.project.store.read(needs)).outcome
    : await context.project.commit(needs, plan);
  Object.assign(context.output.document, { set, added, removed, unchanged });
  if (options.dryRun) {
    return context.output.print(
      [...added.map((key) => `+ ${printable(key)}\n`), ...removed.map((key) => `- ${printable(key)}\n`)].join(
        '',
      ),
    );
  }
  context.output.chat(
    `${set}: ${grouped(added.length)} added, ${grouped(removed.length)} removed, ${grouped(unchanged)} unchanged`,
  );
}

function limitOfRemovals(text: string | undefined): (total: number) => number {
  if (text === undefined) return () => Infinity;
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  if (match === null || (match[2] === '' && match[1]!.includes('.'))) {
    return fail({
      reason: 'usage',
      message: `--max-remove takes a number or a part such as 10%, not ${JSON.stringify(text)}`,
      hint: 'for example: --max-remove 10%',
    });
  }
  const number = Number(match[1]);
  return (total) => (match[2] === '%' ? Math.floor((total * number) / 100) : number);
}
