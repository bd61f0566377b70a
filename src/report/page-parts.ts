/** The parts of the page's data that are drawn from the state: pure, and cut to what a page has room for. */
import type { Carried } from '../model/carried.ts';
import type { KnownAsset } from '../model/known-pipeline.ts';
import { shownState } from '../model/partition-status.ts';
import type { RunRecord } from '../model/run.ts';
import type { TickRecord } from '../model/tick.ts';
import type { KeyState, PageQuery, StateView } from '../state/state-view.ts';
import type { RunLogLine } from '../state/store.ts';
import {
  LETTERS,
  type PageAsset,
  type PageCarried,
  type PageLine,
  type PageRun,
  type PageSet,
  type PageShows,
  type PageTick,
} from './page-data.ts';
import type { AssetReport } from './status-report.ts';
import { shownText, shownValue } from './without-secrets.ts';

/** Characters of one message, version, item or value of metadata. */
const MOST_TEXT = 2_000;

/** Characters of what the keys of a set carry, together: a page is mailed. */
const MOST_CARRIED = 2_000_000;

/** So many of the last lines of a failed run, and of the characters of each. */
export const MOST_LINES = 40;
const MOST_LINE = 500;

/** The sets that are on the page: those of its assets, and others that the state has. */
export function setsOf(known: readonly KnownAsset[], others: readonly string[]): string[] {
  return [...new Set([...known.flatMap(({ set }) => set ?? []), ...others])];
}

/** All keys of a set, with where each of its assets stands. */
export function keysOf(
  set: string,
  known: readonly KnownAsset[],
): PageQuery & { readonly assets: readonly string[] } {
  return { set, assets: known.filter((asset) => asset.set === set).map(({ name }) => name) };
}

export function pageAssets(reports: readonly AssetReport[], known: readonly KnownAsset[]): PageAsset[] {
  return reports.map((report, at) => ({
    ...report,
    inputs: known[at]?.inputs ?? [],
    // What it takes many keys of stands upstream of it as well.
    deps: [...(known[at]?.deps ?? []), ...(known[at]?.gathers ?? []).map((one) => one.asset)],
  }));
}

export function pageSet(
  view: StateView,
  set: string,
  known: readonly KnownAsset[],
  shows: PageShows,
): PageSet {
  const query = keysOf(set, known);
  const { total, keys } = view.page(query);
  const added: [number, string][] = [];
  const carried: Record<number, PageCarried> = {};
  // Letters are of one byte: two million texts would cost more than the rest of the page.
  const columns = query.assets.map(() => new Uint8Array(keys.length));
  const codes = new Map<KeyState, number>();
  const codeOf = (state: KeyState): number => {
    const known = codes.get(state) ?? letterOf(state).charCodeAt(0);
    codes.set(state, known);
    return known;
  };
  let [room, carriedLeftOut] = [MOST_CARRIED, 0];
  for (const [at, { key: _, addedAt, states = [], ...rest }] of keys.entries()) {
    const last = added.at(-1);
    if (last?.[1] === addedAt) last[0]++;
    else added.push([1, addedAt]);
    for (let column = 0; column < columns.length; column++) columns[column]![at] = codeOf(states[column]!);
    const its = pageCarried(rest, shows);
    if (Object.keys(its).length === 0) continue;
    room -= JSON.stringify(its).length;
    if (room >= 0) carried[at] = its;
    else carriedLeftOut++;
  }
  return {
    set,
    total,
    assets: query.assets,
    keys: keys.map(({ key }) => key),
    added,
    states: Object.fromEntries(query.assets.map((asset, column) => [asset, latin1(columns[column]!)])),
    carried,
    carriedLeftOut,
  };
}

/** The assets that have no set, as the one row of a table of their own; all may have one. */
export function assetsWithoutSet(assets: readonly AssetReport[]): PageSet[] {
  const its = assets.filter(({ set }) => set === null);
  if (its.length === 0) return [];
  const row: PageSet = {
    set: null,
    total: 1,
    assets: its.map(({ asset }) => asset),
    keys: [null],
    added: [],
    states: Object.fromEntries(its.map((report) => [report.asset, letterOfOne(report)])),
    carried: {},
    carriedLeftOut: 0,
  };
  return [row];
}

export function pageCarried({ version, item }: Carried, { items }: PageShows): PageCarried {
  if (!items) return {};
  return {
    ...(version !== null && { version: shownText(version, MOST_TEXT) }),
    ...(item !== null && { item: shownValue(item, MOST_TEXT) }),
  };
}

export function pageRun(run: RunRecord, { metadata }: PageShows): PageRun {
  return {
    id: run.id,
    key: run.partitionKey,
    status: run.status,
    cause: run.cause,
    sensor: run.sensor,
    retryOf: run.retryOf,
    createdAt: run.createdAt,
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
    error: run.error && shownText(run.error.message, MOST_TEXT),
    assets: run.assets.map((one) => {
      const said = one.error?.message ?? one.skipReason;
      return {
        asset: one.asset,
        status: one.status,
        attempts: one.attempts,
        reason: one.reason,
        said: said && shownText(said, MOST_TEXT),
        warnings: one.warnings.map(({ check, message }) => [check, shownText(message, MOST_TEXT)] as const),
        metadata: metadata
          ? Object.fromEntries(
              Object.entries(one.metadata).map(([name, value]) => [
                shownText(name, MOST_LINE),
                shownValue(value, MOST_TEXT),
              ]),
            )
          : {},
      };
    }),
  };
}

export function pageTick(tick: TickRecord): PageTick {
  const count = (of: 'added' | 'removed'): number =>
    tick.partitions.reduce((sum, one) => sum + one[of].length, 0);
  return {
    startedAt: tick.startedAt,
    finishedAt: tick.finishedAt,
    status: tick.status,
    added: count('added'),
    removed: count('removed'),
    runs: tick.runs.length + (tick.truncated?.runs ?? 0),
    said: shownText(tick.error?.message ?? tick.skipReason ?? failuresOf(tick), MOST_TEXT),
  };
}

/** The last lines that a run wrote, `MOST_LINES` of them. */
export function pageLines(lines: readonly RunLogLine[]): PageLine[] {
  return lines.map(({ at, asset, attempt, text }) => ({
    at,
    asset,
    attempt,
    text: shownText(text, MOST_LINE),
  }));
}

function failuresOf({ failures }: TickRecord): string {
  return failures.map(({ name, error }) => `${name}: ${error}`).join('\n');
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}

function letterOf(state: KeyState): string {
  return LETTERS[shownState(state)];
}

/** Of an asset that is made as a whole: its counts are of the one partition that it has. */
function letterOfOne({ inProgress, failed, skipped, stale, materialized, backlog }: AssetReport): string {
  if (inProgress > 0) return LETTERS['in progress'];
  if (failed > 0) return LETTERS.failed;
  if (skipped > 0) return LETTERS.skipped;
  if (stale > 0) return LETTERS.stale;
  if (materialized > 0) return LETTERS.materialized;
  return backlog > 0 ? LETTERS.backlog : LETTERS.missing;
}
