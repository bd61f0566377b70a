/** Asks the state for what the page shows, and for all of one key. */
import { isoTime } from '../../model/time.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import { type Carried, NOTHING_CARRIED } from '../../model/carried.ts';
import type { RunRecord } from '../../model/run.ts';
import type { PageData, PageKeyDetails, PageShows } from '../../report/page-data.ts';
import { MOST_LINES, pageCarried, pageLines, pageRun } from '../../report/page-parts.ts';
import { type PageAsked, pageOf, runsOfPage } from '../../report/page.ts';
import type { RunQuery } from '../../state/run-query.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Context } from '../context.ts';
import type { Store } from '../stores.ts';

/** So many of the last failures with what they wrote. */
const MOST_LOGS = 40;

/** So many runs of one key are answered. */
const MOST_RUNS_OF_KEY = 50;

/** @param view of `needsOfPage` */
export async function gatherPage(
  { project, clock, version }: Context,
  view: StateView,
  asked: PageAsked,
  { isLive }: { readonly isLive: boolean },
): Promise<PageData> {
  const head = { at: isoTime(clock.now()), version, place: project.place, isLive };
  const logs = await logsOf(project.store, runsOfPage(view, asked.known), asked.shows);
  return pageOf(view, asked, head, logs);
}

/** All of one key; of one that is not there, only what is left of it in the history. */
export async function gatherKey(
  store: Store,
  { known, shows }: { readonly known: KnownPipeline; readonly shows: PageShows },
  { set, key }: { readonly set: string | null; readonly key: string | null },
): Promise<PageKeyDetails> {
  const assets = known.assets.filter((asset) => asset.set === set).map(({ name }) => name);
  const query: RunQuery = { keys: [key], assets, limit: MOST_RUNS_OF_KEY };
  const keys = set === null || key === null ? [] : [{ set, keys: [key], carried: true as const }];
  const view = await store.read({ keys, runPages: [query] });
  const { runs } = view.runPage(query);
  return {
    carried: pageCarried(carriedIn(view, set, key), shows),
    runs: runs.map((run) => pageRun(run, shows)),
    logs: await logsOf(store, runs, shows),
  };
}

function carriedIn(view: StateView, set: string | null, key: string | null): Carried {
  if (set === null || key === null) return NOTHING_CARRIED;
  return view.carried(set, [key]).get(key) ?? NOTHING_CARRIED;
}

/** What the last failed runs wrote, and those that are at work. */
async function logsOf(
  store: Store,
  runs: readonly RunRecord[],
  { logs }: PageShows,
): Promise<PageData['logs']> {
  if (!logs) return {};
  const telling = runs.filter(({ status }) => status === 'FAILURE' || status === 'STARTED');
  const lines: [string, PageData['logs'][string]][] = [];
  for (const { id } of telling.slice(0, MOST_LOGS))
    lines.push([id, pageLines(await store.endOfLog(id, MOST_LINES))]);
  return Object.fromEntries(lines.filter(([, its]) => its.length > 0));
}
