/** A document in the place of all that is in the tables. */
import type { RunGroup, StateDocument } from '../../document/state-document.ts';
import { retriesIn } from '../../document/retries.ts';
import { runKeyText, withoutZero } from '../run-key-text.ts';
import { versionsIn } from '../../document/change-versions.ts';
import { type Port, rows } from '../port.ts';
import { runId } from '../../../model/run.ts';

const CLEAR = [
  'key',
  'key_set',
  'kept_out',
  'sensor',
  'run_key',
  'status',
  'run',
  'run_head',
  'asset',
  'executor',
  'begun',
  'program',
].map((table) => `delete from @.${table}`);

const SETS = `insert into @.key_set (name, size, next_pos) select s.name, s.size, s.size + 1 from unnest($1::text[], $2::bigint[]) with ordinality as s(name, size, n) order by s.n`;

const PUT_KEYS = `
insert into @.key (set_id, key, pos, added_at, version, item)
select s.id, k.key, k.n, k.at, k.version, k.item::json
from @.key_set s, unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[]) with ordinality as k(key, at, version, item, n)
where s.name = $1`;

const PUT_KEPT_OUT = `
insert into @.kept_out (set_id, key)
select s.id, k.key from @.key_set s, unnest($2::text[]) with ordinality as k(key, n) where s.name = $1 order by k.n`;

const PUT_STATUSES = `
insert into @.status (set_id, key, asset, letter, failures, retry_at)
select case when $2::text is null then 0 else (select id from @.key_set where name = $2) end, k.key, $1, k.letter::"char", k.failures, k.retry_at
from unnest($3::text[], $4::text[], $5::int[], $6::text[]) as k(key, letter, failures, retry_at)`;

const PUT_ASSETS = `insert into @.asset (name, code_version, made_at) select * from unnest($1::text[], $2::text[], $3::text[])`;

const PUT_SENSOR = `
insert into @.sensor (name, status, cursor, version, last_tick, periods, quiet_since) values ($1, $2, $3, $4, $5, $6, $7)`;

const PUT_SPENT = `
insert into @.run_key (sensor, run_key, whole, set_id, key)
select $1, k.run_key, k.whole, s.id, k.key
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as k(run_key, whole, set, key) left join @.key_set s on s.name = k.set`;

const PUT_HEAD = `
insert into @.run_head (run_group, created_at, sensor, set_id, assets, tags, origin, retry_of, reasons)
values ($1, $2, $3, (select id from @.key_set where name = $4), $5, $6, $7, $8, $9) returning n::float8 as n`;

const PUT_RUNS = `
insert into @.run (id, head, number, key, run_key, letter, owner, owned_since, interrupted, started_at, done, done_assets, touched)
select r.id, $1, r.number, r.key, r.run_key, r.letter::"char", $2, $3, r.interrupted, r.started_at, r.done::json,
  case when r.done is not null then array(select json_array_elements_text(r.done_assets::json)) end, r.touched::json
from unnest($4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::int[], $10::text[], $11::text[], $12::text[], $13::text[])
  as r(id, number, key, run_key, letter, interrupted, started_at, done, done_assets, touched)`;

const PUT_EXECUTOR = `
insert into @.executor (id, owner, slots, wants, lease_ms, pools, beat, turned)
values ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())`;

/** Within a commit. The past stays. */
export async function putWhole(port: Port, document: StateDocument, leaseMs: number): Promise<void> {
  for (const statement of CLEAR) await port.execute(statement);
  const sets = Object.entries(document.sets);
  await port.execute(SETS, [sets.map(([name]) => name), sets.map(([, { keys }]) => keys.length)]);
  for (const [name, { keys, added, keptOut, versions = '', items = [] }] of sets) {
    const times = added.flatMap(([count, at]) => Array.from({ length: count }, () => at));
    await port.execute(PUT_KEYS, [
      name,
      keys,
      times,
      versionsIn(versions).map((version) => (version === null ? null : withoutZero(version))),
      items.map((item) => (item === null ? null : JSON.stringify(item))),
    ]);
    await port.execute(PUT_KEPT_OUT, [name, keptOut]);
  }
  const keysOf = (set: string | null): readonly string[] =>
    set === null ? [''] : (document.sets[set]?.keys ?? []);
  const assets = Object.entries(document.assets);
  await port.execute(PUT_ASSETS, [
    assets.map(([name]) => name),
    assets.map(([, { codeVersion }]) => codeVersion ?? null),
    assets.map(([, { madeAt }]) => madeAt ?? null),
  ]);
  for (const [asset, entry] of assets)
    for (const column of [entry, ...(entry.before ?? [])]) {
      const { set, status } = column;
      const retries = retriesIn(column);
      const retryOf = (key: string) => retries.get(set === null ? null : key);
      const made = Array.from(status).flatMap((letter, at) =>
        letter === '.' ? [] : [[keysOf(set)[at]!, letter] as const],
      );
      await port.execute(PUT_STATUSES, [
        asset,
        set,
        made.map(([key]) => key),
        made.map(([, letter]) => letter),
        made.map(([key]) => retryOf(key)?.failures ?? 0),
        made.map(([key]) => retryOf(key)?.at ?? null),
      ]);
    }
  for (const [name, { status, cursor, version, lastTick, periods, quietSince, runKeys }] of Object.entries(
    document.sensors,
  )) {
    await port.execute(PUT_SENSOR, [
      name,
      status,
      cursor === null ? null : JSON.stringify(cursor),
      version,
      lastTick === null ? null : JSON.stringify(lastTick),
      periods === undefined ? null : JSON.stringify(periods),
      quietSince ?? null,
    ]);
    const own = Object.entries(runKeys.ofKeys).flatMap(([set, letters]) =>
      Array.from(letters).flatMap((letter, at) =>
        letter === '1' ? [[keysOf(set)[at]!, set, keysOf(set)[at]!] as const] : [],
      ),
    );
    const spent = [...own, ...runKeys.other];
    await port.execute(PUT_SPENT, [
      name,
      spent.map(([runKey]) => runKeyText(runKey)),
      spent.map(([runKey]) => (runKeyText(runKey) === withoutZero(runKey) ? null : withoutZero(runKey))),
      spent.map(([, set]) => set),
      spent.map(([, , key]) => key),
    ]);
  }
  for (const group of document.runs) await putRuns(port, group);
  // What has ended since a copy was made is pending again: its end is no past of this state.
  await port.execute(`delete from @.history where id in (select id from @.run)`);
  for (const { slots, wants, pools, ...owner } of document.executors)
    await port.execute(PUT_EXECUTOR, [
      owner.id,
      JSON.stringify(owner),
      slots,
      wants,
      leaseMs,
      jsonOrNull(pools),
    ]);
  await port.execute(`update @.meta set pipeline = $1, lineage = $2, pool_starts = $3, incidents = $4`, [
    document.pipeline === null ? null : JSON.stringify(document.pipeline),
    document.lineage,
    jsonOrNull(document.poolStarts),
    document.incidents === undefined ? null : JSON.stringify(document.incidents),
  ]);
}

function jsonOrNull(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

async function putRuns(port: Port, group: RunGroup): Promise<void> {
  const { id, createdAt, sensor, set, assets, tags, origin, retryOf, owner, ownedSince, numbers, keys } =
    group;
  const [head] = await rows<{ readonly n: number }>(port, PUT_HEAD, [
    id,
    createdAt,
    sensor,
    set,
    assets,
    JSON.stringify(tags),
    origin,
    retryOf,
    group.reasons === undefined ? null : JSON.stringify(group.reasons),
  ]);
  const runKeyAt = (at: number): string | null =>
    group.runKeys === 'keys' ? keys[at]! : (group.runKeys?.[at] ?? null);
  await port.execute(PUT_RUNS, [
    head!.n,
    owner,
    ownedSince,
    numbers.map((number) => runId(id, number)),
    numbers,
    keys,
    numbers.map((_, at) => {
      const runKey = runKeyAt(at);
      return runKey === null ? null : withoutZero(runKey);
    }),
    Array.from(group.status),
    Array.from(group.interrupted, Number),
    numbers.map((number) => group.startedAt[String(number)] ?? null),
    numbers.map((number) => {
      const done = group.done?.[String(number)];
      return done === undefined ? null : JSON.stringify(done);
    }),
    numbers.map((number) => JSON.stringify(group.done?.[String(number)]?.map(({ asset }) => asset) ?? [])),
    numbers.map((number) => {
      const touched = group.touched?.[String(number)];
      return touched === undefined ? null : JSON.stringify(touched);
    }),
  ]);
}
