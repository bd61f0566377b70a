/** Asks the state for what the page shows: the report, all keys, the newest runs and ticks, and what failed runs wrote. */
import { isoTime } from '../../model/time.ts';
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import { type Carried, NOTHING_CARRIED } from '../../model/carried.ts';
import type { RunRecord } from '../../model/run.ts';
import { LETTERS, type PageData, type PageKeyDetails, type PageShows } from '../../report/page-data.ts';
import {
  assetsWithoutSet,
  keysOf,
  pageAssets,
  pageCarried,
  pageLines,
  pageRun,
  pageSet,
  pageTick,
  setsOf,
} from '../../report/page-parts.ts';
import { needsOfReport, type StatusReport, statusReport } from '../../report/status-report.ts';
import { shownText } from '../../report/without-secrets.ts';
import type { Context } from '../context.ts';
import type { Store } from '../stores.ts';
import { attentionOf } from '../status/attention.ts';

/** So many runs are on the page, and so many more that failed. */
const MOST_RUNS = 1000;

/** So many ticks of each sensor. */
const MOST_TICKS = 100;

/** So many of the last failures with what they wrote. */
const MOST_LOGS = 40;

/** So many runs of one key are answered. */
const MOST_RUNS_OF_KEY = 50;

export interface PageAsked {
  /** The assets that are on the page, with all that is remembered of the pipeline. */
  readonly known: KnownPipeline;
  /** Sets that are on the page without an asset that is. */
  readonly others: readonly string[];
  readonly shows: PageShows;
  readonly isLive: boolean;
}

export async function gatherPage(context: Context, asked: PageAsked): Promise<PageData> {
  const { project, clock, version } = context;
  const { known, others, shows, isLive } = asked;
  const sets = setsOf(known.assets, others);
  const view = await project.look({
    ...needsOfReport(known.assets, known.sensors),
    pages: sets.map((set) => keysOf(set, known.assets)),
  });
  const report = statusReport(view, known, clock.now());
  const runs = await newestRuns(context, known);
  return {
    at: isoTime(clock.now()),
    version,
    place: project.place,
    serial: view.serial,
    isLive,
    letters: LETTERS,
    shows,
    assets: pageAssets(report.assets, known.assets),
    attention: (await attentionOf(context, report, known)).map(({ what, command }) => ({
      what: shownText(what, 500),
      command,
    })),
    sensors: await sensorsOf(context, report),
    sets: [...sets.map((set) => pageSet(view, set, known.assets, shows)), ...assetsWithoutSet(report.assets)],
    runs: runs.map((run) => pageRun(run, shows)),
    logs: await logsOf(context, runs, shows),
  };
}

/** All of one key; of one that is not there, only what is left of it in the history. */
export async function gatherKey(
  context: Context,
  { known, shows }: Pick<PageAsked, 'known' | 'shows'>,
  { set, key }: { readonly set: string | null; readonly key: string | null },
): Promise<PageKeyDetails> {
  const { store } = context.project;
  const assets = known.assets.filter((asset) => asset.set === set).map(({ name }) => name);
  const query = { keys: [key], assets, limit: MOST_RUNS_OF_KEY };
  const { runs } = assets.length === 0 ? { runs: [] } : await store.runs(query);
  return {
    carried: pageCarried(await carriedOf(store, set, key), shows),
    runs: runs.map((run) => pageRun(run, shows)),
    logs: await logsOf(context, runs, shows),
  };
}

async function carriedOf(store: Store, set: string | null, key: string | null): Promise<Carried> {
  if (set === null || key === null) return NOTHING_CARRIED;
  const view = await store.read({ keys: [{ set, keys: [key], carried: true }] });
  return view.carried(set, [key]).get(key) ?? NOTHING_CARRIED;
}

/** The newest runs, and behind them the last failures of keys that may be older. */
async function newestRuns({ project }: Context, { assets }: KnownPipeline): Promise<RunRecord[]> {
  if (assets.length === 0) return [];
  const names = assets.map(({ name }) => name);
  const { runs } = await project.store.runs({ assets: names, limit: MOST_RUNS });
  const { runs: failed } = await project.store.runs({ assets: names, status: 'FAILURE', limit: MOST_RUNS });
  const there = new Set(runs.map(({ id }) => id));
  return [...runs, ...failed.filter(({ id }) => !there.has(id))];
}

function sensorsOf({ project }: Context, { sensors }: StatusReport): Promise<PageData['sensors']> {
  return Promise.all(
    sensors.map(async ({ sensor, status }) => ({
      sensor,
      status,
      ticks: (await project.store.ticks(sensor, MOST_TICKS)).map(pageTick),
    })),
  );
}

/** What the last failed runs wrote, and those that are at work. */
async function logsOf(
  { project }: Context,
  runs: readonly RunRecord[],
  { logs }: PageShows,
): Promise<PageData['logs']> {
  if (!logs) return {};
  const telling = runs.filter(({ status }) => status === 'FAILURE' || status === 'STARTED');
  const lines: [string, PageData['logs'][string]][] = [];
  for (const { id } of telling.slice(0, MOST_LOGS))
    lines.push([id, pageLines(await project.store.readLog(id))]);
  return Object.fromEntries(lines.filter(([, its]) => its.length > 0));
}
