/** The values of many keys, as an asset is given them: a few with one statement, and never all of them. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LazyValues } from '../../../src/engine/runs/keyed-values.ts';
import { PostgresValues } from '../../../src/state/postgres/values.ts';
import { answerTo, AskedValues } from '../../../src/values/asked-values.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';

let cluster: PostgresCluster;
let rig: PostgresRig;
/** How many values came with each statement. */
let statements: number[];

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

beforeEach(async () => {
  rig = await PostgresRig.make(cluster);
  statements = [];
});
afterEach(() => rig.dispose());

const keysUpTo = (count: number): string[] => Array.from({ length: count }, (_, at) => `k${at}`);

async function put(key: string, value: unknown): Promise<void> {
  const [codec, bytes] = value instanceof Buffer ? ['bin', value] : ['json', JSON.stringify(value)];
  await rig.store.database.execute(
    `insert into @.value (asset, key, run, codec, bytes) values ('audio', $1, 'r', $2, $3::bytea)`,
    [key, codec, Buffer.from(bytes)],
  );
}

function valuesOf(): PostgresValues {
  const { database, valuesInHand, place } = rig.store;
  const counted = async (sql: string, values?: readonly unknown[]) => {
    const rows = await database.execute(sql, values);
    statements.push(rows.length);
    return rows;
  };
  return new PostgresValues({ database: { execute: counted }, valuesInHand, place }, 'e1');
}

function collectionOf(keys: readonly string[], signal = new AbortController().signal): LazyValues {
  return new LazyValues({ asset: 'audio', keys }, valuesOf(), signal);
}

async function taken(collection: LazyValues, most = Infinity): Promise<(readonly [string, unknown])[]> {
  const all: (readonly [string, unknown])[] = [];
  for await (const one of collection) if (all.push(one) === most) break;
  return all;
}

/** The keys whose values came, and the error behind them. */
async function until(keys: readonly string[]): Promise<readonly [readonly string[], unknown]> {
  const given: string[] = [];
  try {
    for await (const [key] of collectionOf(keys)) given.push(key);
  } catch (error) {
    return [given, error];
  }
  return [given, null];
}

describe('the values of many keys', () => {
  it('come 64 with a statement, in the order of the keys, and are read no further than they are wanted', async () => {
    const keys = keysUpTo(200).toReversed();
    for (const key of keys.toSorted()) await put(key, { of: key });
    expect(await taken(collectionOf(keys))).toEqual(keys.map((key) => [key, { of: key }]));
    expect(statements).toEqual([64, 64, 64, 8]);
    statements = [];
    expect(await taken(collectionOf(keys), 3)).toHaveLength(3);
    expect(statements).toEqual([64]);
  });

  it('are never more than two mebibytes ahead, but for one that is larger by itself', async () => {
    const sizes = [900_000, 900_000, 900_000, 5_000_000, 1, 0, 2];
    const values = sizes.map((size) => randomBytes(size));
    for (const [at, value] of values.entries()) await put(`k${at}`, value);
    const given = await taken(collectionOf(keysUpTo(sizes.length)));
    expect(given).toHaveLength(sizes.length);
    for (const [at, [, value]] of given.entries())
      expect(Buffer.compare(value as Uint8Array, values[at]!)).toBe(0);
    expect(statements).toEqual([2, 1, 1, 3]);
  });

  it('are those that this process has made, where they are not on record yet', async () => {
    const keys = keysUpTo(5);
    for (const key of keys) await put(key, 'old');
    const values = valuesOf();
    const save = (key: string, value: unknown): Promise<void> =>
      values.save({ asset: 'audio', partitionKey: key, run: { id: `of-${key}` } }, value);
    await save('k1', 'in hand');
    const staged = 'x'.repeat(300_000);
    await save('k3', staged);
    expect((await taken(collectionOf(keys))).map(([, value]) => value)).toEqual([
      'old',
      'in hand',
      'old',
      staged,
      'old',
    ]);
    await save('k0', undefined);
    expect(await taken(collectionOf(['k0', 'k1']))).toEqual([
      ['k0', undefined],
      ['k1', 'in hand'],
    ]);
  });

  it('fail at the key whose value is gone, or is no JSON any more, and not before it', async () => {
    for (const key of ['k0', 'k1', 'k3']) await put(key, key);
    await rig.store.database.execute(`update @.value set bytes = '{' where key = 'k3'`);
    expect(await until(['k0', 'k1', 'k2', 'k3'])).toEqual([
      ['k0', 'k1'],
      expect.objectContaining({
        failure: expect.objectContaining({ reason: 'value-damaged', asset: 'audio', key: 'k2' }),
      }),
    ]);
    expect(await until(['k0', 'k3', 'k1'])).toEqual([
      ['k0'],
      expect.objectContaining({
        failure: expect.objectContaining({ reason: 'value-damaged', asset: 'audio', key: 'k3' }),
      }),
    ]);
  });

  it('fail at the key whose value the server cannot read, and not before it', async () => {
    const { database } = rig.store;
    for (const key of ['k0', 'k1', 'k2']) await put(key, randomBytes(20_000));
    const [table] = await database.execute(
      `select reltoastrelid as id, reltoastrelid::regclass::text as name from pg_class where oid = '@.value'::regclass`,
    );
    await database.write((port) =>
      Promise.all([
        port.execute('set local allow_system_table_mods = on'),
        port.execute(`update pg_class set relkind = 'r' where oid = ${Number(table!['id'])}`),
        port.execute(
          `update ${String(table!['name'])} set chunk_data = 'x' where chunk_id = (select max(chunk_id) from ${String(table!['name'])})`,
        ),
        port.execute(`update pg_class set relkind = 't' where oid = ${Number(table!['id'])}`),
      ]),
    );
    const [given, error] = await until(['k0', 'k1', 'k2']);
    expect(given).toEqual(['k0', 'k1']);
    expect(error).toMatchObject({
      failure: { reason: 'value-damaged', key: 'k2', cause: expect.stringContaining('chunk') },
    });
  });

  it('come to an end where the try is over, also in the middle of what was read ahead', async () => {
    const keys = keysUpTo(4);
    for (const key of keys) await put(key, key);
    const over = new AbortController();
    const given: string[] = [];
    const all = (async () => {
      for await (const [key] of collectionOf(keys, over.signal))
        if (given.push(key) === 2) over.abort(new Error('over'));
    })();
    await expect(all).rejects.toThrow('over');
    expect(given).toEqual(['k0', 'k1']);
  });

  it('come to a process that asks another one for them with as few questions', async () => {
    const keys = keysUpTo(70);
    for (const key of keys.filter((one) => one !== 'k66')) await put(key, key);
    let questions = 0;
    const values = valuesOf();
    const asked: AskedValues = new AskedValues((question) => {
      questions++;
      const sent = structuredClone(question);
      void answerTo(sent, values).then((answer) =>
        asked.answered({ question: question.question, answer: structuredClone(answer) }),
      );
    });
    const given: string[] = [];
    const all = (async () => {
      const collection = new LazyValues({ asset: 'audio', keys }, asked, new AbortController().signal);
      for await (const [, value] of collection) given.push(value as string);
    })();
    await expect(all).rejects.toMatchObject({ failure: { reason: 'value-damaged', key: 'k66' } });
    expect([given, questions, statements]).toEqual([keys.slice(0, 66), 2, [64, 6]]);
    expect(await asked.load({ asset: 'audio', partitionKey: 'k5' })).toBe('k5');
  });
});
