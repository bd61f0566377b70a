/** The state as one document: for copies and checks, and for tests. And back: a document in the place of what is there. */
import {
  type AssetEntry,
  emptyDocument,
  type RetryEntry,
  type RunGroup,
  type SpentRunKeys,
  type StateDocument,
  type StatusColumn,
} from '../document/state-document.ts';
import { retriesIn } from '../document/retries.ts';
import { withZero, runKeyText, withoutZero } from './run-key-text.ts';
import { type Moment, readMoment } from './read/moment.ts';
import type { JsonValue } from '../../model/json-value.ts';
import { withColumns } from '../document/change-carried.ts';
import { versionsIn } from '../document/change-versions.ts';
import { versionLines } from '../document/version-lines.ts';
import { isoText } from './read/questions.ts';
import { readAllRuns } from './read/runs.ts';
import { type Port, rows } from './port.ts';
import { runId } from '../../model/run.ts';

const KEYS = `
select s.name as set, k.key, ${isoText('k.added_at')} as at, k.version, k.item
from @.key_set s join @.key k on k.set_id = s.id order by s.id, k.pos`;

const KEPT_OUT = `
select s.name as set, o.key from @.key_set s join @.kept_out o on o.set_id = s.id order by s.id, o.n`;

const STATUSES = `
select t.asset, s.name as set, t.key, t.letter, t.failures, t.retry_at from @.status t left join @.key_set s on s.id = t.set_id
order by t.asset, t.set_id desc`;

const RUN_KEYS = `
select r.sensor, coalesce(r.whole, r.run_key) as run_key, s.name as set, r.key
from @.run_key r left join @.key_set s on s.id = r.set_id order by r.sensor, r.run_key`;

const ASSETS = `select name, code_version, made_at from @.asset order by name`;

const WRITTEN = `select coalesce(written_by, '{"version":"","at":""}') as written from @.meta`;

export interface WholeState {
  readonly document: StateDocument;
  readonly moment: Moment;
}

export async function readWhole(
  port: Port,
  admit: (moment: Moment | null) => Promise<Moment>,
): Promise<WholeState> {
  const moment = await admit(await readMoment(port, { sensors: 'all', executors: true }));
  const keys = await rows<KeyRow>(port, KEYS);
  const keptOut = await rows<{ readonly set: string; readonly key: string }>(port, KEPT_OUT);
  const statuses = await rows<StatusRow>(port, STATUSES);
  const assets = await rows<AssetRow>(port, ASSETS);
  const spent = await rows<SpentRow>(port, RUN_KEYS);
  const [written] = await rows<{ readonly written: StateDocument['writtenBy'] }>(port, WRITTEN);
  const sets = setsOf(moment, keys, keptOut);
  const runs: readonly RunGroup[] = await readAllRuns(port);
  const positions = new Map(
    Object.entries(sets).map(([name, set]) => [name, new Map(set.keys.map((key, at) => [key, at]))]),
  );
  const document: StateDocument = {
    ...emptyDocument(),
    lineage: moment.lineage,
    serial: moment.serial,
    writtenBy: written!.written,
    pipeline: moment.pipeline,
    sensors: Object.fromEntries(
      moment.sensors
        .filter(({ version }) => version !== null)
        .map(({ name, status, cursor, version, periods, quietSince, inState }) => [
          name,
          {
            status,
            cursor,
            version: version!,
            lastTick: inState,
            ...(periods !== null && { periods }),
            ...(quietSince !== null && { quietSince }),
            runKeys: runKeysOf(
              spent.filter(({ sensor }) => sensor === name),
              positions,
            ),
          },
        ]),
    ),
    assets: assetsOf(assets, statuses, positions),
    executors: moment.executors.map(({ owner, slots, wants }) => ({ ...owner, slots, wants })),
    runs,
    sets,
  };
  return { document, moment };
}

interface KeyRow {
  readonly set: string;
  readonly key: string;
  readonly at: string;
  readonly version: string | null;
  readonly item: JsonValue;
}

function setsOf(
  { sets }: Moment,
  keys: readonly KeyRow[],
  keptOut: readonly { readonly set: string; readonly key: string }[],
): StateDocument['sets'] {
  const entries = new Map(
    sets.map(({ name }) => [
      name,
      {
        keys: [] as string[],
        added: [] as [number, string][],
        keptOut: [] as string[],
        versions: [] as (string | null)[],
        items: [] as JsonValue[],
      },
    ]),
  );
  for (const { set, key, at, version, item } of keys) {
    const entry = entries.get(set)!;
    entry.keys.push(key);
    entry.versions.push(version === null ? null : withZero(version));
    entry.items.push(item);
    const last = entry.added.at(-1);
    if (last?.[1] === at) last[0]++;
    else entry.added.push([1, at]);
  }
  for (const { set, key } of keptOut) entries.get(set)!.keptOut.push(key);
  return Object.fromEntries(
    Array.from(entries, ([name, { versions, items, ...set }]) => [
      name,
      withColumns(set, { versions: versionLines(versions), items }),
    ]),
  );
}

interface StatusRow {
  readonly asset: string;
  readonly set: string | null;
  readonly key: string;
  readonly letter: string;
  readonly failures: number;
  readonly retry_at: string | null;
}

type Positions = ReadonlyMap<string, ReadonlyMap<string, number>>;

interface AssetRow {
  readonly name: string;
  readonly code_version: string | null;
  readonly made_at: string | null;
}

interface OpenColumn {
  readonly letters: string[];
  readonly retries: RetryEntry[];
}

/** Which of an asset's columns stands first says nothing: each is asked for by its set. */
function assetsOf(
  assets: readonly AssetRow[],
  statuses: readonly StatusRow[],
  positions: Positions,
): StateDocument['assets'] {
  const columns = new Map<string, Map<string | null, OpenColumn>>();
  for (const { asset, set, key, letter, failures, retry_at: at } of statuses) {
    const ofAsset = columns.get(asset) ?? new Map<string | null, OpenColumn>();
    columns.set(asset, ofAsset);
    const column = ofAsset.get(set) ?? { letters: [], retries: [] };
    ofAsset.set(set, column);
    const position = set === null ? 0 : positions.get(set)!.get(key)!;
    column.letters[position] = letter;
    if (failures > 0) column.retries[position] = [set === null ? null : key, failures, at];
  }
  return Object.fromEntries(
    assets.map(({ name, code_version: codeVersion, made_at: madeAt }): [string, AssetEntry] => {
      const [first = { set: null, status: '.' }, ...before] = Array.from(
        columns.get(name) ?? [],
        ([set, { letters, retries }]): StatusColumn => ({
          set,
          status: Array.from(letters, (letter) => letter ?? '.').join(''),
          // By position, with holes: in the order of the set.
          ...(retries.length > 0 && { retries: Object.values(retries) }),
        }),
      );
      return [
        name,
        {
          ...first,
          ...(before.length > 0 && { before }),
          ...(codeVersion !== null && { codeVersion }),
          ...(madeAt !== null && { madeAt }),
        },
      ];
    }),
  );
}

interface SpentRow {
  readonly sensor: string;
  readonly run_key: string;
  readonly set: string | null;
  readonly key: string | null;
}

function runKeysOf(spent: readonly SpentRow[], positions: Positions): SpentRunKeys {
  const own = new Map<string, string[]>();
  const other: [string, string | null, string | null][] = [];
  for (const { run_key: text, set, key } of spent) {
    const runKey = withZero(text);
    if (set === null || runKey !== key) {
      other.push([runKey, set, key]);
      continue;
    }
    const letters = own.get(set) ?? [];
    own.set(set, letters);
    letters[positions.get(set)!.get(key)!] = '1';
  }
  return {
    ofKeys: Object.fromEntries(
      [...own].map(([set, letters]) => [set, Array.from(letters, (one) => one ?? '.').join('')]),
    ),
    other,
  };
}

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
insert into @.executor (id, owner, slots, wants, lease_ms, beat, turned)
values ($1, $2, $3, $4, $5, clock_timestamp(), clock_timestamp())`;

/** Puts a document in the place of all that is there but the past. Within a commit. */
export async function writeWhole(port: Port, document: StateDocument, leaseMs: number): Promise<void> {
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
  for (const { slots, wants, ...owner } of document.executors)
    await port.execute(PUT_EXECUTOR, [owner.id, JSON.stringify(owner), slots, wants, leaseMs]);
  await port.execute(`update @.meta set pipeline = $1, lineage = $2`, [
    document.pipeline === null ? null : JSON.stringify(document.pipeline),
    document.lineage,
  ]);
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
