/** The past: finished runs with their logs, and ticks. Runs that are queued or started are shown as one list with them. */
import type { HistoryRetention } from '../../model/history-retention.ts';
import { runSinceThen } from '../document/record-shapes.ts';
import { recordOf } from '../../model/pending-run.ts';
import type { AssetOutcome, RunHead, RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { RunPage, RunQuery } from '../run-query.ts';
import type { LogPart, RunLogLine } from '../store.ts';
import { type Port, rows, send, SOON } from './port.ts';
import { withZero } from './run-key-text.ts';

interface ListedRow {
  readonly record: RunRecord | null;
  readonly id: string;
  readonly key: string | null;
  readonly run_key: string | null;
  readonly sensor: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly assets: readonly string[];
  readonly reasons: RunHead['reasons'] | null;
  readonly created_at: string;
  readonly retry_of: string | null;
  readonly letter: string;
  readonly started_at: string | null;
  readonly done: readonly AssetOutcome[] | null;
}

/** Pending runs by the time of their queueing, then finished ones by their end. One whose executor cannot say that it began it is started. */
const listed = (newestOfEachKey: boolean): string => `
with listed as (
  select 1 as class, r.head as first, r.number as second, r.id, r.key, h.sensor, h.assets, h.sensor is not null or h.tags::text <> '{}' as is_tagged,
    case when coalesce(r.started_at, b.at) is null and r.letter = 'q' then 'QUEUED' else 'STARTED' end as status,
    r.run_key, h.tags, h.reasons, h.created_at, h.retry_of, r.letter::text as letter, coalesce(r.started_at, b.at) as started_at, r.done, null::json as record
  from @.run r join @.run_head h on h.n = r.head left join @.begun b on b.executor = r.owner and b.run = r.id
  union all
  select 0, n, 0, id, key, sensor, assets, is_tagged, status, null, null, null, null, null, null, null, null, record from @.history
), chosen as (
  select l.* from listed l
  where ($1::text[] is null or l.id = any($1))
    and ($2::text is null or l.status = $2)
    and ($3::text[] is null or l.key = any($3) or ($4 and l.key is null))
    and ($5::text[] is null or l.assets && $5)
    and ($6::text is null or l.sensor = $6)
    and (not $7 or l.is_tagged)
    and ($8::text is null or (l.class, l.first, l.second) < (select a.class, a.first, a.second from listed a where a.id = $8 order by a.class desc limit 1))
)
select c.id, c.key, c.run_key, c.sensor, c.tags, c.assets, c.reasons, c.created_at, c.retry_of, c.letter, c.started_at, c.done, c.record from (
  ${
    newestOfEachKey
      ? 'select distinct on (key) * from chosen order by key, class desc, first desc, second desc'
      : 'select * from chosen'
  }
) c
order by c.class desc, c.first desc, c.second desc limit $9`;

export async function listRuns(port: Port, query: RunQuery): Promise<RunPage> {
  const { ids, status, keys, assets, sensor, isTagged, newestOfEachKey, after, limit } = query;
  const found = await rows<ListedRow>(port, listed(newestOfEachKey ?? false), [
    ids ?? null,
    status ?? null,
    keys?.filter((key) => key !== null) ?? null,
    keys?.includes(null) ?? false,
    assets ?? null,
    sensor ?? null,
    isTagged ?? false,
    after ?? null,
    limit === undefined || limit === Infinity ? null : limit + 1,
  ]);
  const hasMore = limit !== undefined && found.length > limit;
  return { runs: (hasMore ? found.slice(0, -1) : found).map(shown), hasMore };
}

function shown(row: ListedRow): RunRecord {
  if (row.record !== null) return runSinceThen(row.record) as RunRecord;
  const { id, key, run_key: runKey, sensor, tags, assets, created_at: createdAt, retry_of: retryOf } = row;
  return recordOf(
    { createdAt, sensor, tags, retryOf, assets, ...(row.reasons && { reasons: row.reasons }) },
    {
      id,
      partitionKey: key,
      runKey: runKey === null ? null : withZero(runKey),
      status: row.letter === 'q' && row.started_at === null ? 'QUEUED' : 'STARTED',
      startedAt: row.started_at,
      done: row.done ?? [],
    },
  );
}

const TICKS = `select record from @.tick where sensor = $1 order by n desc limit $2`;

export async function readTicks(port: Port, sensor: string, limit: number): Promise<TickRecord[]> {
  const found = await rows<{ readonly record: TickRecord }>(port, TICKS, [
    sensor,
    Number.isFinite(limit) ? limit : null,
  ]);
  return found.map(({ record }) => record);
}

/** The row that came with the tick's own commit, where there is one; what changed nothing comes new. */
const RECORD_TICK = `
with sensor as (
  insert into @.sensor (name, in_state) values ($1, false) on conflict do nothing
), known as (
  update @.tick set record = $4, is_recorded = true
  where n = (select n from @.tick where sensor = $1 and started_at = $2 and not is_recorded order by n desc limit 1) returning n
)
insert into @.tick (sensor, started_at, status, is_recorded, record)
select $1, $2, $3, true, $4 where not exists (select from known)
  and not exists (select from @.tick where sensor = $1 and started_at = $2 and is_recorded and record::text = $4::text)`;

export async function recordTick(port: Port, tick: TickRecord): Promise<void> {
  await port.execute(RECORD_TICK, [tick.sensor, tick.startedAt, tick.status, JSON.stringify(tick)]);
}

const APPEND = `insert into @.log (run, line) select l.run, l.line::json from unnest($1::text[], $2::text[]) with ordinality as l(run, line, n) where ${SOON} order by l.n`;

export async function appendLines(
  port: Port,
  lines: readonly { readonly run: string; readonly line: RunLogLine }[],
): Promise<void> {
  await port.execute(APPEND, [lines.map(({ run }) => run), lines.map(({ line }) => JSON.stringify(line))]);
}

/** Some megabytes at most, since a line has a limit. */
const LINES_AT_ONCE = 1000;

const LINES = `select n, line from @.log where run = $1 and n > $2 order by n limit ${LINES_AT_ONCE}`;
const LAST_LINES = `select line from (select n, line from @.log where run = $1 order by n desc limit $2) l order by n`;

export async function readLines(port: Port, run: string, from: number): Promise<LogPart> {
  const found = await rows<{ readonly n: string; readonly line: RunLogLine }>(port, LINES, [run, from]);
  return {
    lines: found.map(({ line }) => line),
    next: Number(found.at(-1)?.n ?? from),
    isEnd: found.length < LINES_AT_ONCE,
  };
}

export async function readLastLines(port: Port, run: string, count: number): Promise<RunLogLine[]> {
  const found = await rows<{ readonly line: RunLogLine }>(port, LAST_LINES, [
    run,
    Number.isFinite(count) ? count : null,
  ]);
  return found.map(({ line }) => line);
}

/** So much of the past is kept where the pipeline does not say. */
const KEPT_RUNS = 10_000;
const KEPT_TICKS = 1000;

/** How much goes at a time: a commit must not wait for a big clearance. */
const AT_A_TIME = 5000;

const PRUNE_RUNS = `
with old as (
  select n, id from @.history
  where n < (select n from @.history order by n desc offset $1 limit 1) and ($2::text is null or finished_at < $2)
  order by n limit ${AT_A_TIME}
), lines as (delete from @.log where run in (select id from old))
delete from @.history where n in (select n from old)`;

/** Each sensor's last record stays, and the last one that evaluated it. */
const PRUNE_TICKS = `
delete from @.tick where n in (
  select t.n from @.tick t where t.sensor = $1
    and t.n < (select n from @.tick where sensor = $1 order by n desc offset $2 limit 1)
    and t.n <> coalesce((select n from @.tick where sensor = $1 and status <> 'BUSY' order by n desc limit 1), 0)
    and ($3::text is null or t.started_at < $3)
  order by t.n limit ${AT_A_TIME})`;

/** @param before ISO 8601: what is older may go */
export function pruneRuns(port: Port, { runs = KEPT_RUNS }: HistoryRetention, before: string | null): void {
  send(port, PRUNE_RUNS, [Math.max(0, runs - 1), before]);
}

export async function pruneTicks(
  port: Port,
  sensor: string,
  { ticks = KEPT_TICKS, before }: { readonly ticks?: number | undefined; readonly before: string | null },
): Promise<void> {
  await port.execute(PRUNE_TICKS, [sensor, Math.max(0, ticks - 1), before]);
}
