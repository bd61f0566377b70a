/** `dynpart assets mark`: what was made elsewhere, is not wanted, or is to be made again, said by hand and in bulk. */
import { type Mark, type MarkPlan, needsOfMark, planMark } from '../../engine/plan/mark/plan-mark.ts';
import { NOTHING_CHOSEN, type Selection } from '../../engine/plan/materialize/selection.ts';
import { removeSkipped } from '../../engine/runs/remove-skipped.ts';
import { shellWord } from '../../model/shell-words.ts';
import { clean, counted, printable } from '../../model/text.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Context } from '../context.ts';
import type { MarkedKeys } from '../json-results.ts';
import { type ChosenKeys, keysChosen } from '../read-keys.ts';
import { settleLeftValues, valuesOf } from '../stores.ts';

interface MarkOptions extends ChosenKeys {
  readonly as: Mark;
  readonly missing?: boolean;
  readonly failed?: boolean;
  readonly stale?: boolean;
  readonly prefix?: string;
  readonly dryRun?: boolean;
}

export async function run(context: Context, options: MarkOptions, asset: string): Promise<MarkedKeys> {
  const { output, project } = context;
  const { as, dryRun = false } = options;
  const selection = selectionOf(context, options, asset);
  const pipeline = await project.pipeline();
  const needs = needsOfMark(pipeline, selection);
  const plan = (view: StateView): MarkPlan =>
    planMark(view, pipeline, selection, { as, now: context.clock.now() });
  if (!dryRun) await project.remember();
  const values = as === 'skipped' && !dryRun ? await valuesOf(pipeline, project.store) : null;
  if (values !== null) {
    const meant = plan(await project.look(needs)).marked;
    // What others have left would come into its place later.
    await settleLeftValues(pipeline, project.store);
    await values.skipByHand?.(asset, meant);
  }
  const planned = dryRun
    ? plan(await project.look(needs))
    : await project.commit(needs, (view) => {
        const outcome = plan(view);
        return { changes: outcome.changes, outcome };
      });
  const { set, marked, inProgress, unchanged } = planned;
  const result: MarkedKeys = { asset, marked, skipped: [...inProgress, ...unchanged] };
  output.soFar(result);
  if (values !== null) {
    // Also of those that were so before: a value of the pipeline's own may have been left by a command that was killed.
    await removeSkipped(project.store, values, [{ asset, set, keys: [...marked, ...unchanged] }]);
    await values.flush?.();
    values.settle?.([]);
  }
  for (const key of inProgress)
    output.note(`left out, a run of it is queued or started: ${key === null ? asset : printable(key)}`);
  if (dryRun) output.print(marked.map((key) => `${key === null ? asset : printable(key)}\n`).join(''));
  say(context, planned, options, asset);
  if (as === 'materialized') await warnOfValues(context, asset, marked);
  return result;
}

function selectionOf(context: Context, options: MarkOptions, asset: string): Selection {
  const keys = keysChosen(context.terminal, options);
  const { all = false, missing = false, failed = false, stale = false, prefix = null } = options;
  return { ...NOTHING_CHOSEN, assets: [asset], keys, all, missing, failed, stale, prefix };
}

/** In a sentence. What was left out is no news for cron unless it may want it again later. */
function say({ output }: Context, plan: MarkPlan, { as, dryRun }: MarkOptions, asset: string): void {
  const { set, marked, inProgress, unchanged } = plan;
  const many = (keys: MarkPlan['marked']): string =>
    set === null ? asset : `${counted(keys.length, 'key')} of ${asset}`;
  const parts = [
    ...(marked.length > 0 ? [`${many(marked)} ${dryRun ? 'would be ' : ''}marked as ${as}`] : []),
    ...(unchanged.length > 0 ? [`${many(unchanged)} ${as} already`] : []),
    ...(inProgress.length > 0 ? [`${many(inProgress)} in progress, left out`] : []),
  ];
  const sentence =
    parts.length === 0
      ? `no key of ${asset} is meant: nothing to mark; what there is: dynpart status ${shellWord(asset, 'ASSET')}`
      : parts.join('; ');
  if (inProgress.length > 0) output.say(clean(sentence));
  else output.chat(clean(sentence));
}

/** What is on record without a value is believed, until somebody asks for it. Values that the pipeline keeps itself are not looked for. */
async function warnOfValues(
  { output, project }: Context,
  asset: string,
  marked: MarkPlan['marked'],
): Promise<void> {
  if (marked.length === 0) return;
  const kept = await (await valuesOf(await project.pipeline(), project.store)).kept?.(asset, marked);
  const without = kept === undefined ? 0 : marked.filter((key) => !kept.has(key)).length;
  if (without === 0) return;
  const what =
    marked[0] === null ? `value of '${asset}'` : `value of '${asset}' for ${counted(without, 'key')}`;
  output.warn(`there is no ${what} here: what takes it as an input will not find it`);
}
