/** Queued and started runs: all of them or those that are needed, in groups as planners see them. */
import type { TouchedBy } from '../../../model/pending-run.ts';
import type { AssetOutcome, RunOrigin, RunReason } from '../../../model/run.ts';
import type { RunGroup } from '../../document/state-document.ts';
import type { RunsNeed } from '../../needs.ts';
import { withZero } from '../run-key-text.ts';
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

const COLUMNS = `
select h.n::float8 as head, r.number::float8 as number, r.key, r.run_key, r.letter, r.owner, r.owned_since::float8 as owned_since,
  r.interrupted, r.started_at, r.done, r.touched,
  case when row_number() over (partition by h.n order by r.number) = 1 then
    json_build_object('id', h.run_group, 'created_at', h.created_at, 'sensor', h.sensor, 'set', s.name, 'assets', h.assets,
      'reasons', h.reasons, 'tags', h.tags, 'origin', h.origin, 'retry_of', h.retry_of) end as head_row`;

const ALL = `
${COLUMNS}
from @.run r join @.run_head h on h.n = r.head left join @.key_set s on s.id = h.set_id
order by h.n, r.number`;

const SOME = `
with wanted as (
  select unnest($1::text[]) collate "C" as id
  union select id from @.run where owner = any($2)
  union select r.id from unnest($3::text[], $4::text[]) as w(set, key)
    join @.run r on r.key = w.key join @.run_head h on h.n = r.head join @.key_set s on s.id = h.set_id and s.name = w.set
  union select r.id from @.run r join @.run_head h on h.n = r.head where h.assets && $5::text[]
)
${COLUMNS}
from wanted w join @.run r on r.id = w.id join @.run_head h on h.n = r.head left join @.key_set s on s.id = h.set_id
order by h.n, r.number`;

export async function readRuns(port: Port, needs: readonly RunsNeed[]): Promise<readonly RunGroup[]> {
  if (needs.includes('all')) return groupsOf(await rows<RunRow>(port, ALL));
  const ids: string[] = [];
  const owners: string[] = [];
  const sets: string[] = [];
  const keys: (string | null)[] = [];
  const assets: string[] = [];
  for (const need of needs) {
    if (need === 'all') continue;
    if ('ids' in need) ids.push(...need.ids);
    else if ('owner' in need) owners.push(need.owner);
    else if ('set' in need)
      for (const key of need.keys) {
        sets.push(need.set);
        keys.push(key);
      }
    else assets.push(...need.assets);
  }
  return groupsOf(await rows<RunRow>(port, SOME, [ids, owners, sets, keys, assets]));
}

/** Runs of one head with different owners are different groups, as in a document: those that are nobody's first. */
function groupsOf(found: readonly RunRow[]): readonly RunGroup[] {
  const heads = new Map<number, HeadRow>();
  const parts = new Map<string, RunRow[]>();
  for (const row of found) {
    if (row.head_row !== null) heads.set(row.head, row.head_row);
    const name = `${row.head} ${row.owned_since} ${row.owner}`;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [row]);
    else part.push(row);
  }
  return [...parts.values()]
    .sort(([one], [other]) => one!.head - other!.head || one!.owned_since - other!.owned_since)
    .map((part) => groupOf(heads.get(part[0]!.head)!, part));
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
