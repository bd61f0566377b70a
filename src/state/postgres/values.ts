/**
 * What assets returned, in the database: in its place with the commit that records its run. Until then a small one is in memory, and
 * a large one is staged.
 */
import { fail } from '../../model/failure.ts';
import { isDamage } from './database-errors.ts';
import { type Port, rows } from './port.ts';
import type { EncodedValue, Execution, ValuesInHand } from './values-in-hand.ts';

/** A larger one would be held in memory several times over on its way. */
export const LARGEST_VALUE = 16 * 1024 * 1024;

/** The store, as far as values go. */
export interface ValuesPlace {
  readonly database: Port;
  readonly valuesInHand: ValuesInHand;
  /** For messages. */
  readonly place: string;
}

/** Nothing where there is no value. */
type Read = EncodedValue | { readonly codec: null };

interface Place {
  readonly asset: string;
  readonly partitionKey: string | null;
}

/** Durable: the commit that records its run rests on it, and comes later, maybe after a crash of the server. */
const STAGE = `
insert into @.staged (executor, run, asset, key, codec, bytes) values ($1, $2, $3, $4, $5, $6::bytea)
on conflict (run, asset, executor) do update set codec = excluded.codec, bytes = excluded.bytes, at = now()`;

/** What this executor has made comes before what is on record: the record is on its way. */
const LOAD = `
select codec, bytes from (
  select 1 as class, at, codec, bytes from @.staged where asset = $1 and key = $2 and executor = $3
  union all select 0, now(), codec, bytes from @.value where asset = $1 and key = $2
) found order by class desc, at desc limit 1`;

/** So much is read ahead at most; a larger value comes alone. */
const AHEAD_BYTES = 2 * 1024 * 1024;

/** The first of many: how large a value is, is known without reading it. */
const LOAD_MANY = `
select codec, bytes from (
  select wanted.at, found.codec, found.bytes,
    sum(coalesce(octet_length(found.bytes), 0)) over (order by wanted.at) as size
  from unnest($2::text[]) with ordinality as wanted(key, at) left join lateral (
    select codec, bytes from (
      select 1 as class, at, codec, bytes from @.staged
        where asset = $1 and key = wanted.key and executor = $3
      union all select 0, now(), codec, bytes from @.value where asset = $1 and key = wanted.key
    ) one order by class desc, at desc limit 1
  ) found on true
) ahead where at = 1 or size <= ${AHEAD_BYTES} order by at`;

const REMOVE = `
with staged as (delete from @.staged where asset = $1 and key = $2)
delete from @.value where asset = $1 and key = $2`;

const KEPT = `select key from @.value where asset = $1 and key = any($2::text[])`;

const DROP = `delete from @.staged where executor = $1 and run = any($2::text[])`;

export class PostgresValues {
  readonly #port: Port;
  readonly #inHand: ValuesInHand;
  readonly #place: string;
  readonly #executor: string;

  /** @param executor whose values are saved: the record of a run takes those of its executor alone. Not given: none are */
  constructor({ database, valuesInHand, place }: ValuesPlace, executor = '') {
    this.#port = database;
    this.#inHand = valuesInHand;
    this.#place = place;
    this.#executor = executor;
  }

  async save(
    { asset, partitionKey, run }: Place & { readonly run: { readonly id: string } },
    value: unknown,
  ): Promise<void> {
    const encoded = encode(value);
    const { codec, bytes } = encoded;
    // The asset's failure, and not dynpart's.
    if (bytes.length > LARGEST_VALUE)
      throw new RangeError(
        `the value has ${bytes.length} bytes, and a state in PostgreSQL keeps ${LARGEST_VALUE} at most: save it elsewhere and return where it is, or give the pipeline an ioManager`,
      );
    const key = partitionKey ?? '';
    const execution = this.#by(run.id);
    if (this.#inHand.hasRoomFor(encoded)) return this.#inHand.put(execution, asset, key, encoded);
    this.#inHand.drop(execution, asset);
    await this.#port.execute(STAGE, [this.#executor, run.id, asset, key, codec, bytes]);
  }

  /** The commit that records it takes the value out of its place: what a later run has made by then is not meant. */
  skip(): void {}

  async load({ asset, partitionKey }: Place): Promise<unknown> {
    const inHand = this.#inHand.newest(this.#executor, asset, partitionKey ?? '');
    const found = inHand ?? (await this.#read(asset, partitionKey));
    return this.#decoded(found, asset, partitionKey);
  }

  async loadMany(asset: string, keys: readonly string[]): Promise<readonly (() => unknown)[]> {
    const known = keys.map((key) => this.#inHand.newest(this.#executor, asset, key));
    const asked = keys.filter((_, at) => known[at] === undefined);
    let read: readonly Read[];
    try {
      read =
        asked.length === 0 ? [] : await rows<Read>(this.#port, LOAD_MANY, [asset, asked, this.#executor]);
    } catch (error) {
      if (!isDamage(error)) throw error;
      // Which of them is damaged shows when each is asked for by itself.
      const value = await this.load({ asset, partitionKey: keys[0]! });
      return [() => value];
    }
    const values: (() => unknown)[] = [];
    let next = 0;
    for (const [at, key] of keys.entries()) {
      if (known[at] === undefined && next === read.length) break;
      const found = known[at] ?? read[next++]!;
      values.push(() => this.#decoded(found.codec === null ? undefined : found, asset, key));
    }
    return values;
  }

  #by(run: string): Execution {
    return { executor: this.#executor, run };
  }

  #decoded(found: EncodedValue | undefined, asset: string, key: string | null): unknown {
    if (found === undefined) return this.#damaged(asset, key, 'it is gone');
    const { codec, bytes } = found;
    if (codec === 'none') return undefined;
    // A copy, as everybody has one who reads it later.
    if (codec === 'bin') return new Uint8Array(bytes);
    try {
      return JSON.parse(bytes.toString('utf8')) as unknown;
    } catch (error) {
      return this.#damaged(asset, key, (error as Error).message);
    }
  }

  #damaged(asset: string, key: string | null, cause: string): never {
    return fail({ reason: 'value-damaged', file: this.#place, asset, key, cause });
  }

  async #read(asset: string, key: string | null): Promise<EncodedValue | undefined> {
    try {
      const [found] = await rows<EncodedValue>(this.#port, LOAD, [asset, key ?? '', this.#executor]);
      return found;
    } catch (error) {
      return isDamage(error) ? this.#damaged(asset, key, (error as Error).message) : Promise.reject(error);
    }
  }

  async remove({ asset, partitionKey }: Place): Promise<void> {
    this.#inHand.dropPlace(asset, partitionKey ?? '');
    await this.#port.execute(REMOVE, [asset, partitionKey ?? '']);
  }

  /** Of which of these keys there is a value. */
  async kept(asset: string, keys: readonly (string | null)[]): Promise<ReadonlySet<string | null>> {
    const found = await rows<{ readonly key: string }>(this.#port, KEPT, [
      asset,
      keys.map((key) => key ?? ''),
    ]);
    return new Set(found.map(({ key }) => (key === '' ? null : key)));
  }

  /** What is on record is in its place by now. What does not count is dropped; what cannot be now goes with the run's end. */
  settle(
    runs: readonly { readonly run: string; readonly assets: readonly string[]; readonly isOver: boolean }[],
  ): void {
    for (const { run, assets, isOver } of runs)
      if (isOver) this.#inHand.dropRun(this.#by(run));
      else for (const asset of assets) this.#inHand.drop(this.#by(run), asset);
    const dropped = runs.filter(({ isOver, assets }) => isOver && assets.length === 0).map(({ run }) => run);
    if (dropped.length === 0) return;
    this.#port.execute(DROP, [this.#executor, dropped]).catch(() => undefined);
  }
}

function encode(value: unknown): EncodedValue {
  if (value === undefined) return { codec: 'none', bytes: Buffer.alloc(0) };
  if (value instanceof Uint8Array)
    return { codec: 'bin', bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength) };
  return { codec: 'json', bytes: Buffer.from(`${JSON.stringify(value)}\n`) };
}
