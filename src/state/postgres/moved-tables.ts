/** What stands beside keys and runs in the tables, when a state is moved. */
import type { RunRecord } from '../../model/run.ts';
import type { TickRecord } from '../../model/tick.ts';
import type { Codec, ValueName } from '../../model/kept-value.ts';
import { type Belongings, bySize, GROUP } from '../moving/belongings.ts';
import type { RunLogLine } from '../store.ts';
import { columnsOfEnded } from './change/ends.ts';
import { type Port, rows } from './port.ts';
import { LARGEST_VALUE } from './values.ts';

const SENSORS = `select distinct sensor from @.tick order by sensor`;

const TICKS = `select record from @.tick where sensor = $1 order by n desc`;

const RUNS = `select n::float8 as n, record from @.history where $1::bigint is null or n < $1 order by n desc limit ${GROUP}`;

const VALUES = `
select asset, key, codec, octet_length(bytes) as bytes from @.value
where $1::text is null or (asset, key) > ($1, $2) order by asset, key limit ${GROUP}`;

const VALUE = `select bytes from @.value where asset = $1 and key = $2`;

const DIGESTS = `
select v.n, encode(sha256(s.bytes), 'hex') as digest
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as v(asset, key, codec, n)
join @.value s on s.asset = v.asset and s.key = v.key and s.codec = v.codec`;

/** What comes is older than what is there: each one takes a place before the first. */
const PUT_TICKS = `
insert into @.tick (n, sensor, started_at, status, is_recorded, record) overriding system value
select (select least(coalesce(min(n), 1), 1) from @.tick) - t.n, $1, t.at, t.status, true, t.record::json
from unnest($2::text[], $3::text[], $4::text[]) with ordinality as t(at, status, record, n)`;

const PUT_RUNS = `
insert into @.history (n, id, status, sensor, key, assets, is_tagged, finished_at, record) overriding system value
select (select least(coalesce(min(n), 1), 1) from @.history) - r.n, r.id, r.status, r.sensor, r.key, r.assets::text[], r.is_tagged, r.finished_at, r.record
from rows from (
  unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[]), json_array_elements($8::json)
) with ordinality as r(id, status, sensor, key, assets, is_tagged, finished_at, record, n)`;

const PUT_LOGS = `
insert into @.log (run, line) select l.run, l.line::json from unnest($1::text[], $2::text[]) with ordinality as l(run, line, n) order by l.n`;

const PUT_VALUES = `
insert into @.value (asset, key, run, codec, bytes)
select v.asset, v.key, 'moved', v.codec, v.bytes from unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) as v(asset, key, codec, bytes)
on conflict (asset, key) do update set run = excluded.run, codec = excluded.codec, bytes = excluded.bytes`;

interface ValueRow {
  readonly asset: string;
  readonly key: string;
  readonly codec: Codec;
  readonly bytes: number;
}

export class MovedTables implements Belongings {
  readonly largestValue = LARGEST_VALUE;
  readonly #port: Port;

  constructor(port: Port) {
    this.#port = port;
  }

  async sensors(): Promise<readonly string[]> {
    const found = await rows<{ readonly sensor: string }>(this.#port, SENSORS);
    return found.map(({ sensor }) => sensor);
  }

  async ticks(sensor: string): Promise<readonly TickRecord[]> {
    const found = await rows<{ readonly record: TickRecord }>(this.#port, TICKS, [sensor]);
    return found.map(({ record }) => record);
  }

  async *runs(): AsyncGenerator<readonly RunRecord[]> {
    let last: number | null = null;
    for (;;) {
      const found: readonly { readonly n: number; readonly record: RunRecord }[] = await rows(
        this.#port,
        RUNS,
        [last],
      );
      if (found.length === 0) return;
      yield found.map(({ record }) => record);
      last = found.at(-1)!.n;
    }
  }

  async *values(): AsyncGenerator<readonly ValueName[]> {
    let last: ValueRow | undefined;
    for (;;) {
      const found: readonly ValueRow[] = await rows(this.#port, VALUES, [
        last?.asset ?? null,
        last?.key ?? null,
      ]);
      if (found.length === 0) return;
      yield found.map(({ key, ...value }) => ({ ...value, key: key === '' ? null : key }));
      last = found.at(-1);
    }
  }

  nameless(): Promise<number> {
    return Promise.resolve(0);
  }

  async value({ asset, key }: ValueName): Promise<Uint8Array> {
    const [found] = await rows<{ readonly bytes: Buffer }>(this.#port, VALUE, [asset, key ?? '']);
    return found!.bytes;
  }

  async digests(names: readonly ValueName[]): Promise<readonly (string | null)[]> {
    const found = await rows<{ readonly n: string; readonly digest: string }>(
      this.#port,
      DIGESTS,
      columnsOf(names),
    );
    const digests = new Map(found.map(({ n, digest }) => [Number(n), digest]));
    return names.map((_, at) => digests.get(at + 1) ?? null);
  }

  async clear({ values }: { readonly values: boolean }): Promise<void> {
    for (const table of ['tick', 'history', 'log', ...(values ? ['value', 'staged'] : [])])
      await this.#port.execute(`delete from @.${table}`);
  }

  async putTicks(sensor: string, ticks: readonly TickRecord[]): Promise<void> {
    for (let at = 0; at < ticks.length; at += GROUP) {
      const group = ticks.slice(at, at + GROUP);
      await this.#port.execute(PUT_TICKS, [
        sensor,
        group.map(({ startedAt }) => startedAt),
        group.map(({ status }) => status),
        group.map((tick) => JSON.stringify(tick)),
      ]);
    }
  }

  async putRuns(runs: readonly RunRecord[]): Promise<void> {
    if (runs.length > 0) await this.#port.execute(PUT_RUNS, columnsOfEnded(runs));
  }

  async putLogs(logs: readonly (readonly [run: string, lines: readonly RunLogLine[]])[]): Promise<void> {
    const lines = logs.flatMap(([run, of]) => of.map((line) => [run, JSON.stringify(line)] as const));
    await this.#port.execute(PUT_LOGS, [lines.map(([run]) => run), lines.map(([, line]) => line)]);
  }

  async putValues(values: readonly (readonly [name: ValueName, bytes: Uint8Array])[]): Promise<void> {
    const bytes = new Map(values);
    for (const group of bySize(values.map(([name]) => name)))
      await this.#port.execute(PUT_VALUES, [
        ...columnsOf(group),
        group.map((name) => Buffer.from(bytes.get(name)!)),
      ]);
  }
}

function columnsOf(names: readonly ValueName[]): string[][] {
  return [
    names.map(({ asset }) => asset),
    names.map(({ key }) => key ?? ''),
    names.map(({ codec }) => codec),
  ];
}
