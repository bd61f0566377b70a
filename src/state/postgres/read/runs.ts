/** Queued and started runs: all of them or those that are needed, in groups as planners see them. */
import type { TouchedBy } from '../../../model/pending-run.ts';
import type { AssetOutcome, RunOrigin, RunReason } from '../../../model/run.ts';
import type { RunGroup } from '../../document/state-document.ts';
import type { RunsNeed } from '../../needs.ts';
import { withZero } from '../run-key-text.ts';
import type { ExecutorView } from '../../state-view.ts';
import { numbered, type Port, rows } from '../port.ts';

/** Runs of one head and one owner, as columns in the order of their numbers: a thousand rows would cost more to read than to find. */
interface GroupRow {
  readonly run_group: string;
  readonly created_at: string;
  readonly sensor: string | null;
  readonly set: string | null;
  readonly assets: readonly string[];
  readonly reasons: readonly RunReason[] | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly origin: RunOrigin;
  readonly retry_of: string | null;
  readonly owner: string | null;
  readonly owned_since: number;
  readonly numbers: readonly number[];
  readonly keys: readonly (string | null)[];
  /** `null`: none has one. */
  readonly run_keys: readonly (string | null)[] | null;
  readonly letters: string;
  readonly interrupted: string;
  readonly started: Readonly<Record<string, string>> | null;
  readonly done: Readonly<Record<string, readonly AssetOutcome[]>> | null;
  readonly touched: Readonly<Record<string, Readonly<Record<string, TouchedBy>>>> | null;
  readonly why: Readonly<Record<string, string>> | null;
}

/**
 * Each part finds its runs by an index, whatever is known of the table: a queue is empty at one moment and long at the next, and
 * what the planner knows is always of an earlier one.
 */
const PARTS = {
  all: `select * from @.run`,
  ids: `select r.* from unnest($::text[]) as w(id) cross join lateral (select * from @.run r where r.id = w.id offset 0) r`,
  owners: `select * from @.run where owner = any($::text[])`,
  keys: `
    select r.* from unnest($::text[], $::text[]) as w(set, key)
    cross join lateral (select * from @.run r where r.key = w.key offset 0) r
    where exists (select from @.run_head h join @.key_set s on s.id = h.set_id where h.n = r.head and s.name = w.set)`,
  assets: `
    select r.* from (select n from @.run_head where assets && $::text[] offset 0) h
    cross join lateral (select * from @.run r where r.head = h.n offset 0) r`,
  owned: `select * from @.run where owner is not null`,
  canceling: `select * from @.run where letter = 'c'`,
  /** Whoever is not among those given has nothing that others must keep away from. */
  notFree: `select * from @.run where owner is not null and owner <> all ($::text[])`,
  /**
   * Of groups that wait for the same assets each has its turn, as in the queue of a process (`in-turns.ts`); of each as many at most
   * as would be its part, so that the cost is in proportion to what is asked for. Groups of other assets come when those before
   * them have no more: what they need may be made by these.
   */
  waiting: `
    select r.* from (
      select p.id from (
        select h.n, h.class, h.part, r.id, r.turn, min(h.class) filter (where r.turn > h.part) over () as last
        from (
          select n, min(n) over (partition by assets) as class, ceil($::float8 / count(*) over (partition by assets))::bigint as part
          from (
            select n, assets from @.run_head h where ($::text[] is null or assets <@ $::text[])
              and exists (select from @.run r where r.head = h.n and r.owner is null offset 0)
            order by n limit $
          ) h
        ) h cross join lateral (
          select r.id, row_number() over (order by r.number) as turn from (
            select id, number from @.run r where r.head = h.n and r.owner is null order by number limit h.part + 1 offset 0
          ) r
        ) r
      ) p where coalesce(p.turn <= p.part, true) and p.class <= coalesce(p.last, p.class) order by p.class, p.turn, p.n limit $
    ) w cross join lateral (select * from @.run r where r.id = w.id offset 0) r`,
  besides: `
    select r.* from (
      select r.id from @.run_head h cross join lateral (select id from @.run r where r.head = h.n and r.owner is null limit $ offset 0) r
      where not h.assets <@ $::text[] limit $
    ) w cross join lateral (select * from @.run r where r.id = w.id offset 0) r`,
} as const;

/** A run that was asked for in two ways is one, and one that was never queued is none: `state check` tells of it. */
const select = (parts: string): string => `
select h.run_group, h.created_at, h.sensor, s.name as set, h.assets, h.reasons, h.tags, h.origin, h.retry_of, g.*
from (
  select w.head, w.owner, w.owned_since::float8 as owned_since, json_agg(w.number) as numbers, json_agg(w.key) as keys,
    case when bool_or(w.run_key is not null) then json_agg(w.run_key) end as run_keys,
    string_agg(w.letter::text, '') as letters, string_agg(least(9, w.interrupted)::text, '') as interrupted,
    json_object_agg(w.number, w.started_at) filter (where w.started_at is not null) as started,
    json_object_agg(w.number, w.done) filter (where w.done is not null) as done,
    json_object_agg(w.number, w.touched) filter (where w.touched is not null) as touched,
    json_object_agg(w.number, w.why) filter (where w.why is not null) as why
  from (
    select distinct on (w.head, w.owned_since, w.owner, w.number) w.* from (${parts}) w
    order by w.head, w.owned_since, w.owner nulls first, w.number
  ) w group by w.head, w.owned_since, w.owner
) g join @.run_head h on h.n = g.head left join @.key_set s on s.id = h.set_id
order by g.head, g.owned_since, g.owner nulls first`;

export async function readAllRuns(port: Port): Promise<readonly RunGroup[]> {
  return groupsOf(await rows<GroupRow>(port, select(PARTS.all)));
}

/** Executors of which nothing can be taken over, and whether others are blocked. */
interface Free {
  readonly ids: readonly string[];
  readonly isBlocked: boolean;
}

/** What a look found of them, for the next one. */
export interface SeenExecutors {
  free?: Free;
}

/**
 * @param executors answers with those that can be asked for
 * @param seen lately: most often they are the same, and then the runs are asked for in the same breath
 */
export async function readRuns(
  port: Port,
  needs: readonly RunsNeed[],
  {
    executors,
    seen,
  }: { readonly executors: () => Promise<readonly ExecutorView[]>; readonly seen: SeenExecutors },
): Promise<readonly RunGroup[]> {
  if (needs.includes('all')) return readAllRuns(port);
  if (!needs.some((need) => typeof need === 'object' && 'takeable' in need))
    return askRuns(port, needs, NONE);
  const guess = seen.free;
  const guessed = guess && askRuns(port, needs, guess);
  // A failure comes up where the executors are asked for, too.
  guessed?.catch(() => undefined);
  const free = freeAmong(await executors());
  seen.free = free;
  const isRight = JSON.stringify(guess) === JSON.stringify(free);
  return isRight ? guessed! : askRuns(port, needs, free);
}

const NONE: Free = { ids: [], isBlocked: false };

function freeAmong(executors: readonly ExecutorView[]): Free {
  const isBlocked = executors.some(({ blockedSince }) => blockedSince !== null);
  const free = executors.filter(({ alive, blockedSince }) => alive && blockedSince === null);
  return { ids: free.map(({ id }) => id), isBlocked };
}

async function askRuns(port: Port, needs: readonly RunsNeed[], free: Free): Promise<readonly RunGroup[]> {
  const parts: string[] = [];
  const values: unknown[] = [];
  const take = (part: string, ...given: readonly unknown[]): void => {
    parts.push(numbered(values, part, given));
  };
  for (const need of needs) {
    if (need === 'all') continue;
    if ('ids' in need) take(PARTS.ids, [...need.ids]);
    else if ('owner' in need) take(PARTS.owners, [need.owner]);
    else if ('owned' in need) take(PARTS.owned);
    else if ('canceling' in need) take(PARTS.canceling);
    else if ('set' in need) {
      const keys = [...need.keys];
      take(
        PARTS.keys,
        keys.map(() => need.set),
        keys,
      );
    } else if ('assets' in need) take(PARTS.assets, need.assets);
    else if ('besides' in need) take(PARTS.besides, need.most, need.besides, need.most);
    else {
      take(PARTS.notFree, free.ids);
      const most = free.isBlocked ? null : need.takeable;
      const of = free.isBlocked ? null : (need.of ?? null);
      take(PARTS.waiting, most, of, of, most, most);
    }
  }
  if (parts.length === 0) return [];
  return groupsOf(await rows<GroupRow>(port, select(parts.join(' union all ')), values));
}

/** Runs of one head with different owners are different groups, as in a document: those that are nobody's first. */
function groupsOf(found: readonly GroupRow[]): readonly RunGroup[] {
  return found.map(groupOf);
}

function groupOf(row: GroupRow): RunGroup {
  const { keys, done, touched, why } = row;
  const runKeys = row.run_keys && row.run_keys.map((text) => (text === null ? null : withZero(text)));
  return {
    id: row.run_group,
    createdAt: row.created_at,
    sensor: row.sensor,
    set: row.set,
    assets: row.assets,
    ...(row.reasons !== null && { reasons: row.reasons }),
    tags: row.tags,
    origin: row.origin,
    retryOf: row.retry_of,
    owner: row.owner,
    ownedSince: row.owned_since,
    numbers: row.numbers,
    keys,
    runKeys: runKeys !== null && runKeys.every((runKey, at) => runKey === keys[at]) ? 'keys' : runKeys,
    status: row.letters,
    interrupted: row.interrupted,
    startedAt: row.started ?? {},
    ...(done !== null && { done }),
    ...(touched !== null && { touched }),
    ...(why !== null && { why }),
  };
}
