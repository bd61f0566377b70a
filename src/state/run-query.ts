/** Questions about queued, started and finished runs, as data: a database answers each with one query. */
import type { RunRecord, RunStatus } from '../model/run.ts';

/** Which runs. All that is given has to hold. */
export interface RunQuery {
  readonly ids?: readonly string[];
  readonly status?: RunStatus;
  /** Of one of these keys; `null` is a run without a key. */
  readonly keys?: readonly (string | null)[];
  /** With one of these assets. */
  readonly assets?: readonly string[];
  readonly sensor?: string;
  /** Requested by a sensor, or with tags. */
  readonly isTagged?: true;
  /** Of each key only its newest run. */
  readonly newestOfEachKey?: true;
  /** Only runs that stand behind this one. */
  readonly after?: string;
  /** At most so many. Default: all. */
  readonly limit?: number;
}

export interface RunPage {
  /** Newest first: queued and started ones by the time of their queueing, then finished ones by their end. */
  readonly runs: readonly RunRecord[];
  /** Whether there are more than the limit let through. */
  readonly hasMore: boolean;
}

/** The answer from all runs, newest first; no more of them are looked at than it takes. */
export function selectRuns(query: RunQuery, newestFirst: Iterable<RunRecord>): RunPage {
  const { limit = Infinity, newestOfEachKey = false } = query;
  const ids = query.ids && new Set(query.ids);
  const keys = query.keys && new Set(query.keys);
  const runs: RunRecord[] = [];
  const seenKeys = new Set<string | null>();
  // Whoever asks for certain runs has all of them at some point.
  const mostThere = Math.min(ids?.size ?? Infinity, newestOfEachKey ? (keys?.size ?? Infinity) : Infinity);
  let isBehind = query.after === undefined;
  if (mostThere === 0) return { runs, hasMore: false };
  for (const run of newestFirst) {
    const isHere = isBehind;
    isBehind ||= run.id === query.after;
    if (!isHere || !passes(run, query, { ids, keys })) continue;
    if (newestOfEachKey && seenKeys.has(run.partitionKey)) continue;
    if (runs.length >= limit) return { runs, hasMore: true };
    seenKeys.add(run.partitionKey);
    runs.push(run);
    if (runs.length >= mostThere) break;
  }
  return { runs, hasMore: false };
}

function passes(
  run: RunRecord,
  { status, assets, sensor, isTagged }: RunQuery,
  {
    ids,
    keys,
  }: { readonly ids: ReadonlySet<string> | undefined; readonly keys: ReadonlySet<string | null> | undefined },
): boolean {
  return (
    (ids === undefined || ids.has(run.id)) &&
    (status === undefined || run.status === status) &&
    (keys === undefined || keys.has(run.partitionKey)) &&
    (assets === undefined || run.assets.some(({ asset }) => assets.includes(asset))) &&
    (sensor === undefined || run.sensor === sensor) &&
    (isTagged === undefined || run.sensor !== null || Object.keys(run.tags).length > 0)
  );
}
