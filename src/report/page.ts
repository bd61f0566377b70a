/** The page's data from one look at the state. Pure: says what must be looked at, and is given that. */
import type { KnownPipeline } from '../model/known-pipeline.ts';
import type { RunRecord } from '../model/run.ts';
import type { Needs } from '../state/needs.ts';
import type { RunQuery } from '../state/run-query.ts';
import type { StateView } from '../state/state-view.ts';
import { attentionOf, failedAssets } from './attention.ts';
import { LETTERS, type PageAttention, type PageData, type PageShows, type PageTrouble } from './page-data.ts';
import { assetsWithoutSet, keysOf, pageAssets, pageRun, pageSet, pageTick, setsOf } from './page-parts.ts';
import { needsOfReport, statusReport } from './status-report.ts';
import type { Attention, Looked } from './to-do.ts';
import { shownText } from './without-secrets.ts';

/** So many runs are on the page, and so many more that failed. */
const MOST_RUNS = 1000;

/** So many ticks of each sensor. */
const MOST_TICKS = 100;

export interface PageAsked {
  /** The assets that are on the page, with all that is remembered of the pipeline. */
  readonly known: KnownPipeline;
  /** These are all assets of the pipeline. */
  readonly isWhole: boolean;
  /** Sets that are on the page without an asset that is. */
  readonly others: readonly string[];
  readonly shows: PageShows;
}

/** What is said of the page itself. */
export type PageHead = Pick<PageData, 'at' | 'version' | 'place' | 'isLive'>;

export function needsOfPage({ known, others }: PageAsked): Needs {
  const { newest, failed } = runsAsked(known);
  return {
    ...needsOfReport(known.assets, known.sensors),
    pages: setsOf(known.assets, others).map((set) => keysOf(set, known.assets)),
    runPages: [newest, failed],
    ticks: known.sensors.map(({ name }) => ({ sensor: name, limit: MOST_TICKS })),
  };
}

/** The newest runs, and behind them the last failures of keys that may be older. */
export function runsOfPage(view: StateView, known: KnownPipeline): RunRecord[] {
  const { newest, failed } = runsAsked(known);
  const { runs } = view.runPage(newest);
  const there = new Set(runs.map(({ id }) => id));
  return [...runs, ...view.runPage(failed).runs.filter(({ id }) => !there.has(id))];
}

/** @param logs what `runsOfPage` of the same view wrote */
export function pageOf(
  view: StateView,
  { known, isWhole, others, shows }: PageAsked,
  head: PageHead,
  logs: PageData['logs'],
): PageData {
  const now = Date.parse(head.at);
  const report = statusReport(view, known, now);
  const runs = runsOfPage(view, known);
  const sets = [
    ...setsOf(known.assets, others).map((set) => pageSet(view, set, known.assets, shows)),
    ...assetsWithoutSet(report.assets),
  ];
  return {
    ...head,
    serial: view.serial,
    trouble: null,
    letters: LETTERS,
    shows,
    assets: pageAssets(report.assets, known.assets),
    attention: attentionIn({ report, known, isWhole, now, isVerbose: false }, runs, sets).map(pageAttention),
    sensors: report.sensors.map(({ sensor, status }) => ({
      sensor,
      status,
      ticks: view.ticks({ sensor, limit: MOST_TICKS }).map(pageTick),
    })),
    workers: report.workers.map(({ host, pid, since, lastSeen, runs: begun }) => ({
      host,
      pid,
      since,
      lastSeen,
      runs: begun.length,
    })),
    sets,
    runs: runs.map((run) => pageRun(run, shows)),
    logs,
  };
}

/** What keeps the page from being newer, in words that are fit for it. */
export function pageTrouble(trouble: PageTrouble): PageTrouble {
  const { message, hint } = trouble;
  return { message: shownText(message, MOST_SAID), hint: hint && shownText(hint, MOST_SAID) };
}

const MOST_SAID = 500;

function runsAsked({ assets }: KnownPipeline): { readonly newest: RunQuery; readonly failed: RunQuery } {
  const names = assets.map(({ name }) => name);
  return {
    newest: { assets: names, limit: MOST_RUNS },
    failed: { assets: names, status: 'FAILURE', limit: MOST_RUNS },
  };
}

/** Whether a key is failed is seen by its letter. */
function attentionIn(
  looked: Looked,
  runs: readonly RunRecord[],
  sets: PageData['sets'],
): readonly Attention[] {
  const failed = new Map<string, ReadonlySet<string | null>>();
  for (const { keys, states } of sets)
    for (const [asset, letters] of Object.entries(states)) {
      const its = new Set<string | null>();
      for (let at = letters.indexOf(LETTERS.failed); at >= 0; at = letters.indexOf(LETTERS.failed, at + 1))
        its.add(keys[at]!);
      failed.set(asset, its);
    }
  return attentionOf(looked, failedAssets(looked.report, runs), ({ asset, run }) =>
    Boolean(failed.get(asset)?.has(run.partitionKey)),
  );
}

function pageAttention({ what, command, also, note }: Attention): PageAttention {
  return {
    what: shownText(what, MOST_SAID),
    commands: [{ what: null, command }, ...(also ? [also] : [])],
    note: note ?? null,
  };
}
