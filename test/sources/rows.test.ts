/** `rows`: which rows a query is asked for, and what becomes of late, tied, future and vanished ones. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rows, type RowsOptions } from 'dynpart/sources';
import {
  before,
  later,
  noLaterThan,
  type Position,
  positionOf,
} from '../../src/sources/rows/cursor-value.ts';
import { SetModel } from '../support/set-model.mjs';

interface Customer {
  readonly id: number;
  readonly at: Date;
  readonly name?: string;
}

const at = (time: string): Date => new Date(`2025-01-01T${time}Z`);

/** A table, asked as one asks with SQL, and what it was asked for. */
class Table {
  readonly set = new SetModel();
  rows: Customer[] = [];
  readonly asked: (string | null)[] = [];

  tick(options: Partial<RowsOptions<Customer, unknown>> = {}): ReturnType<SetModel['tick']> {
    return this.set.tick(
      rows<Customer>(this.set, {
        query: (after: Date | null) => {
          this.asked.push(after?.toISOString() ?? null);
          return { rows: this.rows.filter((row) => after === null || row.at > after) };
        },
        key: 'id',
        cursor: 'at',
        ...options,
      }),
    );
  }
}

afterEach(() => void vi.useRealTimers());

const clock = (time: string): void => void vi.useFakeTimers({ now: at(time), toFake: ['Date'] });

describe('rows are asked for from where the last tick got to', () => {
  test('less an overlap, so that ties and late commits are found', async () => {
    clock('12:00:00');
    const table = new Table();
    table.rows = [
      { id: 1, at: at('10:00:00') },
      { id: 2, at: at('11:00:00') },
    ];
    expect((await table.tick()).added).toEqual(['1', '2']);
    // One with the same time, and one that was committed after others with a later time.
    table.rows.push({ id: 3, at: at('11:00:00') }, { id: 4, at: at('10:51:00') });
    expect((await table.tick()).added).toEqual(['3', '4']);
    expect((await table.tick()).result).toEqual({ skipReason: 'all 3 rows are known' });
    expect(table.asked).toEqual([null, '2025-01-01T10:50:00.000Z', '2025-01-01T10:50:00.000Z']);
    await table.tick({ overlap: '1h' });
    expect(table.asked.at(-1)).toBe('2025-01-01T10:00:00.000Z');
  });

  test('and a row of the future hides none that come after it', async () => {
    clock('12:00:00');
    const table = new Table();
    table.rows = [{ id: 1, at: new Date('2099-01-01T00:00:00Z') }];
    await table.tick();
    table.rows.push({ id: 2, at: at('12:00:01') });
    expect((await table.tick()).added).toEqual(['2']);
  });

  test('and a clock that is set back loses nothing', async () => {
    clock('12:00:00');
    const table = new Table();
    table.rows = [{ id: 1, at: at('11:59:00') }];
    await table.tick();
    clock('09:00:00');
    table.rows.push({ id: 2, at: at('08:59:30') });
    expect((await table.tick()).added).toEqual(['2']);
  });

  test('and what is left for later ticks is asked for again', async () => {
    clock('12:00:00');
    const table = new Table();
    table.rows = [1, 2, 3].map((id) => ({ id, at: at('10:00:00') }));
    const options = { backlog: { first: 'oldest', perTick: 2 } } as const;
    expect((await table.tick(options)).added).toEqual(['1', '2']);
    expect((await table.tick(options)).added).toEqual(['3']);
    expect(table.asked).toEqual([null, null]);
  });

  test('and all of them are where there is no cursor', async () => {
    const table = new Table();
    table.rows = [{ id: 1, at: at('10:00:00') }];
    const set = new SetModel();
    const asked: unknown[] = [];
    const evaluate = rows<Customer>(set, { query: (after) => (asked.push(after), table.rows), key: 'id' });
    expect((await set.tick(evaluate)).added).toEqual(['1']);
    expect((await set.tick(evaluate)).result).toEqual({ skipReason: 'all 1 rows are known' });
    expect(asked).toEqual([null, null]);
  });
});

test('a row whose cursor is another one has changed, and columns that are named are what a key carries', async () => {
  const table = new Table();
  const big = { id: 1, at: at('12:00:00'), name: 'Ada', big: 12n, seen: [at('11:00:00')] };
  table.rows = [big];
  const item = ['name', 'at', 'big', 'seen'] as never;
  await table.tick({ item });
  expect(table.set.keys.get('1')).toEqual({
    version: '2025-01-01T12:00:00.000Z',
    item: { name: 'Ada', at: '2025-01-01T12:00:00.000Z', big: '12', seen: ['2025-01-01T11:00:00.000Z'] },
  });
  table.rows = [{ ...big, at: at('12:00:01') }];
  expect((await table.tick({ item })).updated).toEqual(['1']);
  await expect(table.tick({ item: ['title'] as never })).rejects.toThrow(
    'the rows have no column title; they have id, at, name, big, seen',
  );
});

test('a key carries the version and the item that it is given', async () => {
  clock('12:00:00');
  const table = new Table();
  const options: Partial<RowsOptions<Customer, unknown>> = {
    version: 'at',
    item: ({ name }) => ({ name }),
    prefix: 'c',
  };
  table.rows = [{ id: 1, at: at('10:00:00'), name: 'Ada' }];
  await table.tick(options);
  expect(table.set.keys.get('c1')).toEqual({ version: '2025-01-01T10:00:00.000Z', item: { name: 'Ada' } });
  table.rows = [{ id: 1, at: at('11:00:00'), name: 'Grace' }];
  expect(await table.tick(options)).toMatchObject({ added: [], updated: ['c1'] });
  expect(table.set.keys.get('c1')!.item).toEqual({ name: 'Grace' });
});

const table = (): Table => {
  clock('12:00:00');
  const made = new Table();
  made.rows = [1, 2, 3].map((id) => ({ id, at: at('10:00:00') }));
  return made;
};

describe('keys whose rows are gone', () => {
  test('are removed when that is asked for, of the prefix only', async () => {
    const made = table();
    made.set.keys.set('other', { version: null, item: null });
    await made.tick({ prefix: 'c', reconcile: true });
    made.rows = made.rows.slice(1);
    expect((await made.tick({ prefix: 'c', reconcile: true })).removed).toEqual(['c1']);
    expect([...made.set.keys.keys()]).toEqual(['other', 'c2', 'c3']);
    expect((await made.tick({ prefix: 'c' })).removed).toEqual([]);
  });

  test('are looked for once in a while, when that is said', async () => {
    const made = table();
    await made.tick({ reconcile: '1h' });
    made.rows = made.rows.slice(1);
    clock('12:30:00');
    expect((await made.tick({ reconcile: '1h' })).removed).toEqual([]);
    clock('13:00:00');
    expect((await made.tick({ reconcile: '1h' })).removed).toEqual(['1']);
    expect(made.asked.map((after) => after === null)).toEqual([true, false, true]);
  });

  test('are not removed when there are no rows at all', async () => {
    const made = table();
    await made.tick({ reconcile: true });
    const { cursor } = made.set;
    made.rows = [];
    await expect(made.tick({ reconcile: true })).rejects.toThrow(
      'the query gave no rows at all, and 3 keys would be removed: remove them by hand if that is right',
    );
    expect([made.set.cursor, made.set.keys.size]).toEqual([cursor, 3]);
  });
});

describe('what is wrong with rows is said, and the cursor stays', () => {
  test.each<[string, Partial<RowsOptions<Customer, unknown>>, string]>([
    ['no such column', { key: 'uuid' }, 'the rows have no column uuid; they have id, at'],
    ['no such cursor', { cursor: 'updated' }, 'the rows have no column updated; they have id, at'],
    ['no such version', { version: 'etag' }, 'the rows have no column etag; they have id, at'],
    ['no key', { key: () => null as never }, 'key of rows() is null for a row; it must be text or a number'],
    [
      'no rows',
      { query: () => undefined as never },
      'query() of rows() gave no rows: return a list, or an object that has one in rows',
    ],
  ])('%s', async (_, options, message) => {
    const table = new Table();
    table.rows = [{ id: 1, at: at('10:00:00') }];
    await expect(table.tick(options)).rejects.toThrow(message);
    expect(table.set.cursor).toBe(null);
  });

  test('what a query throws', async () => {
    const mine = new Error('connection refused');
    await expect(new Table().tick({ query: () => Promise.reject(mine) })).rejects.toBe(mine);
  });
});

const max = (...values: unknown[]): Position =>
  values.map((value) => positionOf(value)!).reduce<Position | null>(later, null)!;

describe('a cursor may be', () => {
  const overlap = { ms: 60_000, number: 10 };
  test.each<[string, unknown, unknown, Position['kind']]>([
    ['a Date', at('10:00:00'), at('09:59:00'), 'date'],
    ['a text with a zone', '2025-01-01 12:00:00.123456+02', '2025-01-01T09:59:00.123Z', 'date text'],
    ['a text without one', '2025-01-01 10:00:00', '2025-01-01 09:59:00', 'local text'],
    ['a day', '2025-01-02', '2025-01-01 23:59:00', 'local text'],
    ['a number', 50, 40, 'number'],
    ['a whole number of any length', 9007199254740993n, 9007199254740983n, 'bigint'],
    ['the same as a text, as clients give it', '9007199254740993', 9007199254740983n, 'bigint'],
    ['any other text, without an overlap', '01JGF', '01JGF', 'text'],
  ])('%s', (_, value, expected, kind) => {
    const position = positionOf(value)!;
    expect(position.kind).toBe(kind);
    expect(before(position, overlap)).toEqual(expected);
    expect(before(JSON.parse(JSON.stringify(position)) as Position, overlap)).toEqual(expected);
  });

  test('compared by what it means, not by its letters', () => {
    expect(max('2025-01-01T10:00:00+02:00', '2025-01-01T09:00:00Z').at).toBe(
      Date.parse('2025-01-01T09:00:00Z'),
    );
    expect(max('9', '10').at).toBe('10');
    expect(max('b', 'a').at).toBe('b');
    expect(() => max('b', 5)).toThrow('the cursor column holds a number where it held a text');
    expect(noLaterThan(positionOf(at('10:00:00'))!, at('09:00:00').getTime()).at).toBe(
      at('09:00:00').getTime(),
    );
    expect([positionOf(null), positionOf(new Date(Number.NaN)), positionOf({}), positionOf('')]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});

const query = (): [] => [];

test('options that cannot be meant are refused where they stand', () => {
  const set = new SetModel();
  expect(() => rows(set, { query: 'select' as never, key: 'id' })).toThrow('rows() needs query, a function');
  expect(() => rows(set, { query, key: '' })).toThrow(/^rows\(\) needs key/);
  expect(() => rows(set, { query, key: 'id', overlap: '1h' })).toThrow(
    'overlap of rows() is nothing without cursor',
  );
  expect(() => rows(set, { query, key: 'id', cursor: 'at', overlap: 'an hour' })).toThrow(
    /^overlap of rows\(\) must be a duration/,
  );
  expect(() => rows(set, { query, key: 'id', reconcile: 'daily' })).toThrow(
    /^reconcile of rows\(\) must be a duration/,
  );
});
