/** Questions that a database answers by itself: pages of keys, candidates, the oldest keys, and how many keys are in which state. */
import type { JsonValue } from '../../../model/json-value.ts';
import { countedAs, whyStale } from '../../../model/partition-status.ts';
import { lettersIn, statusAt } from '../../document/statuses.ts';
import type {
  CandidateQuery,
  CountQuery,
  KeyPage,
  KeyState,
  KeyStatuses,
  OldestQuery,
  PageQuery,
  StateAsked,
  StatusCounts,
} from '../../state-view.ts';
import { type Port, rows } from '../port.ts';
import { carriedBy } from './keys.ts';

function stateAt(letter: string): KeyState {
  return letter === 'p' ? 'in progress' : statusAt(letter);
}

/** A letter for each of some assets, in their order: what is on record, or `p` where a run of it is queued or started. */
const lettersOf = (assets: string, withProgress: boolean): string => `(
  select coalesce(string_agg(${
    withProgress
      ? `case when exists (
          select from @.run r join @.run_head h on h.n = r.head
          where r.key = k.key and a.name = any(h.assets) and not a.name = any(coalesce(r.done_assets, '{}'))
        ) then 'p' else coalesce(t.letter::text, '.') end`
      : `coalesce(t.letter::text, '.')`
  }, '' order by a.n), '')
  from unnest(${assets}::text[]) with ordinality as a(name, n)
  left join @.status t on t.set_id = k.set_id and t.key = k.key and t.asset = a.name)`;

/** ISO 8601 in UTC, as everywhere. */
export const isoText = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const page = (order: 'asc' | 'desc'): string => `
select x.key, x.added_at, x.version, x.item, x.letters from (
  select k.key, k.pos, k.version, k.item, ${isoText('k.added_at')} as added_at, ${lettersOf('$4', true)} as letters
  from @.key k join @.key_set s on s.id = k.set_id
  where s.name = $1 and starts_with(k.key, $2)
    and k.pos > coalesce((select a.pos from @.key a where a.set_id = s.id and a.key = $3), 0)
) x where $5::text is null or x.letters ~ $5
order by x.pos ${order} limit $6`;

interface PageRow {
  readonly key: string;
  readonly added_at: string;
  readonly letters: string;
  readonly version: string | null;
  readonly item: JsonValue;
}

export async function readPage(port: Port, query: PageQuery, total: number): Promise<KeyPage> {
  const {
    set,
    prefix = '',
    after = null,
    assets = [],
    status,
    every = false,
    limit,
    fromEnd = false,
  } = query;
  const letters = status === undefined ? [] : status === 'in progress' ? ['p'] : lettersIn([status]);
  const among = [...letters].map((letter) => (letter === '.' ? '\\.' : letter)).join('|');
  const pattern = status === undefined ? null : every ? `^(${among})*$` : `(${among})`;
  const found = await rows<PageRow>(port, page(fromEnd ? 'desc' : 'asc'), [
    set,
    prefix,
    after,
    assets,
    pattern,
    limit === undefined ? null : limit + 1,
  ]);
  const hasMore = limit !== undefined && found.length > limit;
  const shown = hasMore ? found.slice(0, -1) : [...found];
  if (fromEnd) shown.reverse();
  return {
    total,
    keys: shown.map(({ key, added_at: addedAt, letters: states, version, item }) => ({
      key,
      addedAt,
      ...carriedBy({ version, item }),
      ...(query.assets !== undefined && { states: Array.from(states, stateAt) }),
    })),
    next: hasMore && !fromEnd ? shown.at(-1)!.key : null,
  };
}

const candidates = (order: 'asc' | 'desc'): string => `
select x.key, x.letters, x.due from (
  select k.key, k.pos, ${lettersOf('$2', false)} as letters, coalesce(array(
    select t.asset from @.status t
    where t.set_id = k.set_id and t.key = k.key and t.asset = any($6::text[]) and t.retry_at <= $7
  ), '{}') as due
  from @.key k join @.key_set s on s.id = k.set_id
  where s.name = $1 and starts_with(k.key, coalesce($3, ''))
) x where $4::text is null or left(x.letters, $5) ~ $4 or x.due <> '{}'
order by x.pos ${order} limit $8`;

export async function readCandidates(port: Port, query: CandidateQuery): Promise<readonly KeyStatuses[]> {
  const { set, inStates, assets, alsoOf, prefix, order, dueBy, most } = query;
  const found = await rows<{
    readonly key: string;
    readonly letters: string;
    readonly due: readonly string[];
  }>(port, candidates(order === 'newest' ? 'desc' : 'asc'), [
    set,
    [...assets, ...alsoOf],
    prefix,
    inStates === null ? null : patternOf(inStates),
    assets.length,
    dueBy === undefined ? [] : assets,
    dueBy ?? null,
    most ?? null,
  ]);
  return found.map(({ key, letters, due }) => ({
    key,
    statuses: Array.from(letters, statusAt),
    ...(due.length > 0 && { due: assets.map((asset) => due.includes(asset)) }),
  }));
}

function patternOf(states: readonly StateAsked[]): string {
  return states.length === 0 ? '^$' : `[${[...lettersIn(states)].join('')}]`;
}

const OLDEST = `
select k.key from @.key k join @.key_set s on s.id = k.set_id
where s.name = $1 and ($2::timestamptz is null or k.added_at < $2)
  and ($3::bigint is null or k.pos <= coalesce(
    (select b.pos from @.key b where b.set_id = s.id order by b.pos desc offset $3 limit 1), 0))
order by k.pos`;

export async function readOldest(
  port: Port,
  { set, addedBefore, keepLast }: OldestQuery,
): Promise<readonly string[]> {
  const found = await rows<{ readonly key: string }>(port, OLDEST, [set, addedBefore, keepLast]);
  return found.map(({ key }) => key);
}

const COUNTS = `
with asked as (
  select w.n, w.asset, w.set, case when w.set is null then 0 else s.id end as set_id, case when w.set is null then 1 else coalesce(s.size, 0) end as total
  from unnest($1::text[], $2::text[]) with ordinality as w(asset, set, n) left join @.key_set s on s.name = w.set
), letters as (
  select a.n, t.key, t.letter, t.retry_at from asked a join @.status t on t.set_id = a.set_id and t.asset = a.asset
), running as (
  select distinct a.n, coalesce(r.key, '') as key
  from asked a join @.run_head h on a.asset = any(h.assets) join @.run r on r.head = h.n
  where not a.asset = any(coalesce(r.done_assets, '{}'))
    and case when a.set is null then r.key is null else exists (select from @.key k where k.set_id = a.set_id and k.key = r.key) end
)
select a.n::int, a.total::float8 as total,
  (select count(*) from running r where r.n = a.n)::float8 as in_progress,
  (select coalesce(json_object_agg(x.letter, x.count), '{}') from (
    select l.letter, count(*) from letters l
    where l.n = a.n and not exists (select from running r where r.n = a.n and r.key = l.key) group by l.letter
  ) x) as letters,
  (select min(l.retry_at) from letters l where l.n = a.n
    and not exists (select from running r where r.n = a.n and r.key = l.key)) as retry_at,
  (select made_at from @.asset where name = a.asset) as made_at
from asked a order by a.n`;

export async function readCounts(
  port: Port,
  queries: readonly CountQuery[],
): Promise<readonly StatusCounts[]> {
  if (queries.length === 0) return [];
  const found = await rows<{
    readonly total: number;
    readonly in_progress: number;
    readonly letters: Readonly<Record<string, number>>;
    readonly retry_at: string | null;
    readonly made_at: string | null;
  }>(port, COUNTS, [queries.map(({ asset }) => asset), queries.map(({ set }) => set)]);
  return found.map(({ total, in_progress: inProgress, letters, retry_at: retryAt, made_at: madeAt }) => {
    const counts = { materialized: 0, failed: 0, skipped: 0, missing: 0, stale: 0, backlog: 0 };
    for (const [letter, count] of Object.entries(letters)) {
      const status = statusAt(letter);
      counts[countedAs(status)] += count;
      if (whyStale(status) !== null) counts.stale += count;
      if (status === 'backlog') counts.backlog += count;
    }
    const missing = total - inProgress - counts.materialized - counts.failed - counts.skipped;
    return { total, inProgress, ...counts, missing, retryAt, madeAt };
  });
}
