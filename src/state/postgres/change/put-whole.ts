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
select s.id, k.key, k.n + $6::bigint, coalesce(k.at, $7::timestamptz), k.version, k.item::json
from @.key_set s, unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[]) with ordinality as k(key, at, version, item, n)
where s.name = $1`;

const PUT_KEPT_OUT = `
insert into @.kept_out (set_id, key)
select s.id, k.key from @.key_set s, unnest($2::text[]) with ordinality as k(key, n) where s.name = $1 order by k.n`;

const PUT_STATUSES = `
insert into @.status (set_id, key, asset, letter, failures, retry_at)
select case when $2::text is null then 0 else (select id from @.key_set where name = $2) end, k.key, $1,
  coalesce(k.letter, $7)::"char", coalesce(k.failures, $8), coalesce(k.retry_at, $9)
from unnest($3::text[], $4::text[], $5::int[], $6::text[]) as k(key, letter, failures, retry_at)`;

const PUT_ASSETS = `insert into @.asset (name, code_version, made_at) select * from unnest($1::text[], $2::text[], $3::text[])`;

const PUT_SENSOR = `
insert into @.sensor (name, status, cursor, version, last_tick, periods, quiet_since) values ($1, $2, $3, $4, $5, $6, $7)`;

const PUT_SPENT = `
insert into @.run_key (sensor, run_key, whole, set_id, key)
select $1, k.run_key, k.whole, s.id, k.key
from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as k(run_key, whole, set, key) left join @.key_set s on s.name = k.set`;

/** Those that are keys of a set. */
const PUT_SPENT_OF = `
insert into @.run_key (sensor, run_key, whole, set_id, key)
select $1, k.run_key, k.whole, s.id, coalesce(k.key, k.run_key)
from @.key_set s, unnest($3::text[], $4::text[], $5::text[]) as k(run_key, whole, key) where s.name = $2`;

const PUT_HEAD = `
insert into @.run_head (run_group, created_at, sensor, set_id, assets, tags, origin, retry_of, reasons)
values ($1, $2, $3, (select id from @.key_set where name = $4), $5, $6, $7, $8, $9) returning n::float8 as n`;

const PUT_RUNS = `
insert into @.run (id, head, number, key, run_key, letter, owner, owned_since, interrupted, started_at, done, done_assets, touched, why)
select r.id, $1, r.number, r.key, r.run_key, r.letter::"char", $2, $3, r.interrupted, r.started_at, r.done::json,
  case when r.done is not null then array(select json_array_elements_text(r.done_assets::json)) end, r.touched::json, r.why
from unnest($4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::int[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
  as r(id, number, key, run_key, letter, interrupted, started_at, done, done_assets, touched, why)`;

const PUT_EXECUTOR = `
insert into @.executor (id, owner, slots, wants, lease_ms, pools, beat, turned)
values ($1, $2, $3, $4, $5, $6, clock_timestamp(), clock_timestamp())`;

/** So many rows go at a time: while the server takes them in, the next ones are made ready. */
const PORTION = 25_000;

/** Statements of which the server has two at most. */
class Ahead {
  readonly #port: Port;
  #last: Promise<unknown> = Promise.resolve();

  constructor(port: Port) {
    this.#port = port;
  }

  async put(sql: string, values: readonly unknown[]): Promise<void> {
    const before = this.#last;
    this.#last = this.#port.execute(sql, values);
    // Where one fails, all that comes behind it does.
    this.#last.catch(() => undefined);
    await before;
  }

  async end(): Promise<void> {
    await this.#last;
  }
}

/** From where to where each portion goes. */
function* portions(length: number): Generator<readonly [from: number, to: number]> {
  for (let from = 0; from < length; from += PORTION) yield [from, Math.min(length, from + PORTION)];
}

/** Within a commit. The past stays. */
export async function putWhole(port: Port, document: StateDocument, leaseMs: number): Promise<void> {
  for (const statement of CLEAR) await port.execute(statement);
  const ahead = new Ahead(port);
  const sets = Object.entries(document.sets);
  await port.execute(SETS, [sets.map(([name]) => name), sets.map(([, { keys }]) => keys.length)]);
  for (const [name, { keys, added, keptOut, versions = '', items = [] }] of sets) {
    const times = added.flatMap(([count, at]) => Array.from({ length: count }, () => at));
    const said = versionsIn(versions);
    for (const [from, to] of portions(keys.length)) {
      const at = shortened(times.slice(from, to));
      await ahead.put(PUT_KEYS, [
        name,
        keys.slice(from, to),
        at.others,
        columnOf(said, from, to, (version) => (version === null ? null : withoutZero(version))),
        columnOf(items, from, to, (item) => (item === null ? null : JSON.stringify(item))),
        from,
        at.all,
      ]);
    }
    await ahead.put(PUT_KEPT_OUT, [name, keptOut]);
  }
  const keysOf = (set: string | null): readonly string[] =>
    set === null ? [''] : (document.sets[set]?.keys ?? []);
  const assets = Object.entries(document.assets);
  await ahead.put(PUT_ASSETS, [
    assets.map(([name]) => name),
    assets.map(([, { codeVersion }]) => codeVersion ?? null),
    assets.map(([, { madeAt }]) => madeAt ?? null),
  ]);
  for (const [asset, entry] of assets)
    for (const column of [entry, ...(entry.before ?? [])]) {
      const { set, status } = column;
      const retries = retriesIn(column);
      const retryOf = (key: string) => retries.get(set === null ? null : key);
      const keys = keysOf(set);
      for (const [from, to] of portions(status.length)) {
        const made: string[] = [];
        const letters: string[] = [];
        for (let at = from; at < to; at++) {
          if (status[at] === '.') continue;
          made.push(keys[at]!);
          letters.push(status[at]!);
        }
        if (made.length === 0) continue;
        const letter = shortened(letters);
        const failures = shortened(made.map((key) => retryOf(key)?.failures ?? 0));
        const at = shortened(made.map((key) => retryOf(key)?.at ?? null));
        const columns = [made, letter.others, failures.others, at.others];
        await ahead.put(PUT_STATUSES, [asset, set, ...columns, letter.all, failures.all, at.all]);
      }
    }
  for (const [name, { status, cursor, version, lastTick, periods, quietSince, runKeys }] of Object.entries(
    document.sensors,
  )) {
    await ahead.put(PUT_SENSOR, [
      name,
      status,
      cursor === null ? null : JSON.stringify(cursor),
      version,
      lastTick === null ? null : JSON.stringify(lastTick),
      periods === undefined ? null : JSON.stringify(periods),
      quietSince ?? null,
    ]);
    for (const [set, letters] of Object.entries(runKeys.ofKeys)) {
      const keys = keysOf(set);
      for (const [from, to] of portions(letters.length)) {
        const own = keys.slice(from, to).filter((_, at) => letters[from + at] === '1');
        await putSpentOf(ahead, name, set, own);
      }
    }
    for (const [from, to] of portions(runKeys.other.length))
      await putSpent(ahead, name, runKeys.other.slice(from, to));
  }
  await ahead.end();
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

/** What is short in `unnest` is null at its end. */
function withoutNulls<T>(column: readonly (T | null)[]): readonly (T | null)[] {
  return column.every((one) => one === null) ? [] : column;
}

function columnOf<T>(
  column: readonly T[],
  from: number,
  to: number,
  text: (value: T) => string | null,
): readonly (string | null)[] {
  if (column.length === 0) return [];
  return withoutNulls(Array.from({ length: to - from }, (_, at) => text(column[from + at] ?? (null as T))));
}

/** Where all of a column are alike, that value goes once, and no array. */
function shortened<T>(column: readonly T[]): { readonly others: readonly T[]; readonly all: T | null } {
  const [first = null] = column;
  return column.every((one) => one === first) ? { others: [], all: first } : { others: column, all: null };
}

async function putSpentOf(ahead: Ahead, sensor: string, set: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const texts = keys.map(runKeyText);
  const whole = keys.map((key, at) => (texts[at] === withoutZero(key) ? null : withoutZero(key)));
  const isKey = keys.every((key, at) => key === texts[at]);
  await ahead.put(PUT_SPENT_OF, [sensor, set, texts, withoutNulls(whole), isKey ? [] : keys]);
}

async function putSpent(
  ahead: Ahead,
  sensor: string,
  spent: readonly (readonly [runKey: string, set: string | null, key: string | null])[],
): Promise<void> {
  if (spent.length === 0) return;
  await ahead.put(PUT_SPENT, [
    sensor,
    spent.map(([runKey]) => runKeyText(runKey)),
    spent.map(([runKey]) => (runKeyText(runKey) === withoutZero(runKey) ? null : withoutZero(runKey))),
    spent.map(([, set]) => set),
    spent.map(([, , key]) => key),
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
    numbers.map((number) => group.why?.[String(number)] ?? null),
  ]);
}
