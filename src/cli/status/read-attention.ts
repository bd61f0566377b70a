/** Asks the state for what of a status wants somebody. */
import { countedAs } from '../../model/partition-status.ts';
import { attentionOf, failedAssets, failedRuns } from '../../report/attention.ts';
import type { StatusReport } from '../../report/status-report.ts';
import type { Attention, Looked } from '../../report/to-do.ts';
import type { Context } from '../context.ts';

export async function readAttention(
  { project: { store }, clock, output }: Context,
  report: StatusReport,
  { known, isWhole }: Pick<Looked, 'known' | 'isWhole'>,
): Promise<Attention[]> {
  const looked = { report, known, isWhole, now: clock.now(), isVerbose: output.options.verbose };
  const query = failedRuns(report);
  if (query === null) return attentionOf(looked, [], () => false);
  const { runs } = await store.runs(query);
  const failures = failedAssets(report, runs);
  const setOf = new Map(known.assets.map(({ name, set }) => [name, set]));
  const of = (asset: string, key: string | null) => ({ asset, set: setOf.get(asset) ?? null, keys: [key] });
  const view = await store.read({
    statuses: failures.map(({ asset, run }) => of(asset, run.partitionKey)),
  });
  return attentionOf(looked, failures, ({ asset, run }) => {
    const { set, keys } = of(asset, run.partitionKey);
    return countedAs(view.statusOf(asset, set, keys)[0]!) === 'failed';
  });
}
