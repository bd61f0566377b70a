/** Queued and started runs: all of them or those that are needed, in groups as planners see them. */
import type { TouchedBy } from '../../../model/pending-run.ts';
import type { AssetOutcome, RunOrigin, RunReason } from '../../../model/run.ts';
import type { RunGroup } from '../../document/state-document.ts';
import type { RunsNeed } from '../../needs.ts';
import { withZero } from '../run-key-text.ts';
import type { ExecutorView } from '../../state-view.ts';
import { type Port, rows } from '../port.ts';

interface HeadRow {
  readonly id: string;
  readonly created_at: string;
  readonly sensor: string | null;
  readonly set: string | null;
  readonly assets: readonly string[];
  readonly reasons: readonly RunReason[] | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly origin: RunOrigin;
  readonly retry_of: string | null;
}

interface RunRow {
  readonly head: number;
  /** With the first run of each head alone. */
  readonly head_row: HeadRow | null;
  readonly number: number;
  readonly key: string | null;
  readonly run_key: string | null;
  readonly letter: string;
  readonly owner: string | null;
  readonly owned_since: number;
  readonly interrupted: number;
  readonly started_at: string | null;
  readonly done: readonly AssetOutcome[] | null;
  readonly touched: Readonly<Record<string, TouchedBy>> | null;
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

const select = (parts: string): string => `
with wanted as materialized (${parts})
select w.head::float8 as head, w.number::float8 as number, w.key, w.run_key, w.letter, w.owner, w.owned_since::float8 as owned_since,
  w.interrupted, w.started_at, w.done, w.touched,
  case when row_number() over (partition by w.head order by w.number) = 1 then (
    select json_build_object('id', h.run_group, 'created_at', h.created_at, 'sensor', h.sensor, 'set', s.name, 'assets', h.assets,
      'reasons', h.reasons, 'tags', h.tags, 'origin', h.origin, 'retry_of', h.retry_of)
    from @.run_head h left join @.key_set s on s.id = h.set_id where h.n = w.head) end as head_row
from wanted w order by w.head, w.number`;

export async function readAllRuns(port: Port): Promise<readonly RunGroup[]> {
  return groupsOf(await rows<RunRow>(port, select(PARTS.all)));
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
    let at = 0;
    parts.push(part.replaceAll('$', () => `$${values.length + ++at}`));
    values.push(...given);
  };
  for (const need of needs) {
    if (need === 'all') continue;
    if ('ids' in need) take(PARTS.ids, [...need.ids]);
    else if ('owner' in need) take(PARTS.owners, [need.owner]);
    else if ('owned' in need) take(PARTS.owned);
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
  return groupsOf(await rows<RunRow>(port, select(parts.join(' union all ')), values));
}

/** Runs of one head with different owners are different groups, as in a document: those that are nobody's first. */
function groupsOf(found: readonly RunRow[]): readonly RunGroup[] {
  const heads = new Map<number, HeadRow>();
  const parts = new Map<string, RunRow[]>();
  let last: RunRow | undefined;
  for (const row of found) {
    if (row.head_row !== null) heads.set(row.head, row.head_row);
    // Asked for in two ways.
    if (last?.head === row.head && last.number === row.number) continue;
    last = row;
    const name = `${row.head} ${row.owned_since} ${row.owner}`;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [row]);
    else part.push(row);
  }
  return (
    [...parts.values()]
      // A run that was never queued is none: `state check` tells of it.
      .filter(([run]) => heads.has(run!.head))
      .sort(([one], [other]) => one!.head - other!.head || one!.owned_since - other!.owned_since)
      .map((part) => groupOf(heads.get(part[0]!.head)!, part))
  );
}

function groupOf(head: HeadRow, part: readonly RunRow[]): RunGroup {
  const started: Record<string, string> = {};
  const done: Record<string, readonly AssetOutcome[]> = {};
  const touched: Record<string, Readonly<Record<string, TouchedBy>>> = {};
  for (const row of part) {
    if (row.started_at !== null) started[row.number] = row.started_at;
    if (row.done !== null) done[row.number] = row.done;
    if (row.touched !== null) touched[row.number] = row.touched;
  }
  const keys = part.map(({ key }) => key);
  const runKeys = part.map(({ run_key: text }) => (text === null ? null : withZero(text)));
  return {
    id: head.id,
    createdAt: head.created_at,
    sensor: head.sensor,
    set: head.set,
    assets: head.assets,
    ...(head.reasons !== null && { reasons: head.reasons }),
    tags: head.tags,
    origin: head.origin,
    retryOf: head.retry_of,
    owner: part[0]!.owner,
    ownedSince: part[0]!.owned_since,
    numbers: part.map(({ number }) => number),
    keys,
    runKeys: runKeys.every((runKey) => runKey === null)
      ? null
      : runKeys.every((runKey, at) => runKey === keys[at])
        ? 'keys'
        : runKeys,
    status: part.map(({ letter }) => letter).join(''),
    interrupted: part.map(({ interrupted }) => Math.min(9, interrupted)).join(''),
    startedAt: started,
    ...(Object.keys(done).length > 0 && { done }),
    ...(Object.keys(touched).length > 0 && { touched }),
  };
}
