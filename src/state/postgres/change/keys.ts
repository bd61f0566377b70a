/** Keys that are added, removed, kept out and let in. */
import type { StateChange } from '../../changes.ts';
import type { Carried } from '../../../model/carried.ts';
import { type Port, rows, send } from '../port.ts';
import { withoutZero } from '../run-key-text.ts';

type Change<T extends StateChange['type']> = Extract<StateChange, { readonly type: T }>;

const ADD = `
with s as (
  insert into @.key_set as s (name, size, next_pos) values ($1, $4::bigint, $4::bigint + 1)
  on conflict (name) do update set size = s.size + $4::bigint, next_pos = s.next_pos + $4::bigint
  returning s.id, s.next_pos - $4::bigint as first
)
insert into @.key (set_id, key, pos, added_at, version, item)
select s.id, k.key, s.first + k.n - 1, $3, k.version, k.item::json
from s, unnest($2::text[], $5::text[], $6::text[]) with ordinality as k(key, version, item, n)`;

export function addKeys(port: Port, { set, keys, at, carried }: Change<'keys-added'>): void {
  const [versions, items] = columnsOf(carried ?? []);
  send(port, ADD, [set, keys, at, keys.length, versions, items]);
}

/** As texts: the database has no letter U+0000 but in JSON. */
function columnsOf(carried: readonly Carried[]): [versions: (string | null)[], items: (string | null)[]] {
  return [
    carried.map(({ version }) => (version === null ? null : withoutZero(version))),
    carried.map(({ item }) => (item === null ? null : JSON.stringify(item))),
  ];
}

const UPDATE = `
with w as (select * from unnest($2::text[], $3::text[], $4::text[]) as w(key, version, item)),
before as (
  select k.set_id, k.key, k.version from @.key_set s join @.key k on k.set_id = s.id join w on w.key = k.key where s.name = $1
)
update @.key k set version = w.version, item = w.item::json
from before b join w on w.key = b.key where k.set_id = b.set_id and k.key = b.key
returning k.key, b.version is distinct from w.version as changed`;

/** @returns the keys that have another version now */
export async function updateKeys(
  port: Port,
  { set, keys, carried }: Change<'keys-updated'>,
): Promise<readonly string[]> {
  const found = await rows<{ readonly key: string; readonly changed: boolean }>(port, UPDATE, [
    set,
    keys,
    ...columnsOf(carried),
  ]);
  return found.filter(({ changed }) => changed).map(({ key }) => key);
}

export const ENSURE_SET = `insert into @.key_set (name) values ($1) on conflict (name) do nothing`;

/** Also what was made of them, and the run keys that were spent on them. Values stay, until they are purged. */
const REMOVE = `
with s as (select id from @.key_set where name = $1),
gone as (delete from @.key k using s where k.set_id = s.id and k.key = any($2) returning k.key),
forgotten as (delete from @.status t using s where t.set_id = s.id and t.key = any($2)),
released as (delete from @.run_key r using s where r.set_id = s.id and r.key = any($2)),
kept_out as (
  insert into @.kept_out (set_id, key) select s.id, k.key from s, unnest($2::text[]) with ordinality as k(key, n) where $3 order by k.n
  on conflict do nothing
)
update @.key_set set size = size - (select count(*) from gone) where name = $1`;

/** Before the statuses are forgotten, which say of what there may be a value. */
const PURGE = `
delete from @.value v using @.key_set s, @.status t
where s.name = $1 and t.set_id = s.id and t.key = any($2) and v.asset = t.asset and v.key = t.key`;

export function removeKeys(port: Port, { set, keys, keepOut, purge }: Change<'keys-removed'>): void {
  send(port, ENSURE_SET, [set]);
  if (purge) send(port, PURGE, [set, keys]);
  send(port, REMOVE, [set, [...new Set(keys)], keepOut]);
}

const LET_IN = `
delete from @.kept_out o using @.key_set s where s.name = $1 and o.set_id = s.id and o.key = any($2)`;

export function letIn(port: Port, { set, keys }: Change<'keys-let-in'>): void {
  send(port, ENSURE_SET, [set]);
  send(port, LET_IN, [set, keys]);
}
