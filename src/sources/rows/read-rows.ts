/** One tick of a query: the rows since last time and an overlap, or all of them, and which keys have no row any more. */
import type { CarryingKey, DynamicPartitions } from '../../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../../definitions/sensor.ts';
import { itemOf } from '../fields.ts';
import { keyOf, offer } from '../offer.ts';
import type { RowsOptions } from './rows-options.ts';
import { before, later, noLaterThan, type Position, positionOf } from './cursor-value.ts';

type Row = Readonly<Record<string, unknown>>;

interface Options<Item> extends RowsOptions<Row, Item> {
  readonly overlapMs: number | undefined;
  /** How often all rows are read; `undefined`: never but the first time. */
  readonly everyMs: number | undefined;
}

interface RowsCursor {
  readonly after?: Position;
  /** When all rows were read, milliseconds since 1970. */
  readonly all?: number;
}

export async function readRows<Item>(
  context: SensorContext,
  set: DynamicPartitions<Item>,
  options: Options<Item>,
): Promise<SensorResult> {
  const { cursor: column, prefix = '' } = options;
  const now = Date.now();
  const last = cursorIn(context.cursor);
  const isAllRows = column === undefined || last.after === undefined || isDue(options.everyMs, last.all, now);
  const number = typeof options.overlap === 'number' ? options.overlap : undefined;
  const after = isAllRows ? null : before(noLaterThan(last.after, now), { ms: options.overlapMs, number });
  const rows = rowsIn(await options.query(after as never, { signal: context.signal }));
  const found = rows.map((row) => carrying(row, options));
  const distinct = [...new Map(found.map((each) => [each.key, each])).values()];
  const { result, isAll } = await offer(context, { found: distinct, set, options });
  const gone =
    options.everyMs !== undefined && isAllRows
      ? await keysWithout(context, set, { found: distinct, prefix })
      : [];
  const requests = [
    ...(result.dynamicPartitionsRequests ?? []),
    ...(gone.length === 0 ? [] : [set.buildDeleteRequest(gone)]),
  ];
  // What is left for later ticks is to be asked for again.
  const next = JSON.stringify(isAll ? nextCursor(rows, { column, last, now, isAllRows }) : last);
  return {
    ...result,
    ...(requests.length === 0
      ? { skipReason: `all ${distinct.length} rows are known` }
      : { dynamicPartitionsRequests: requests }),
    ...(next === (context.cursor ?? '{}') ? {} : { cursor: next }),
  };
}

function isDue(everyMs: number | undefined, last: number | undefined, now: number): boolean {
  // A clock that was set back makes it due as well.
  return everyMs !== undefined && (last === undefined || now - last >= everyMs || last > now);
}

function nextCursor(
  rows: readonly Row[],
  {
    column,
    last,
    now,
    isAllRows,
  }: {
    readonly column: string | undefined;
    readonly last: RowsCursor;
    readonly now: number;
    readonly isAllRows: boolean;
  },
): RowsCursor {
  if (column === undefined) return {};
  // After all rows what they say counts, and not what was there before.
  let after: Position | null = isAllRows || last.after === undefined ? null : noLaterThan(last.after, now);
  for (const row of rows) {
    const value = columnOf(row, column);
    // A row without a time says nothing about how far this got.
    if (value === null || value === undefined) continue;
    const position = positionOf(value);
    if (position === null)
      throw new Error(`the column ${column} cannot be a cursor: it holds ${JSON.stringify(value)}`);
    // Nor does a row of the future, which would hide all that come after it.
    if (noLaterThan(position, now).at === position.at) after = later(after, position);
  }
  return {
    ...(after === null ? {} : { after }),
    ...(isAllRows ? { all: now } : last.all === undefined ? {} : { all: last.all }),
  };
}

/** Keys of the set that no row has. @throws Error when there are no rows at all, and keys: that is a mistake more often than the truth */
async function keysWithout<Item>(
  { partitions }: SensorContext,
  set: DynamicPartitions<Item>,
  { found, prefix }: { readonly found: readonly CarryingKey<Item>[]; readonly prefix: string },
): Promise<string[]> {
  const there = new Set(found.map(({ key }) => key));
  const gone: string[] = [];
  for await (const key of partitions(set).keys())
    if (key.startsWith(prefix) && !there.has(key)) gone.push(key);
  if (there.size === 0 && gone.length > 0)
    throw new Error(
      `the query gave no rows at all, and ${gone.length} keys would be removed: remove them by hand if that is right`,
    );
  return gone;
}

function rowsIn(result: unknown): readonly Row[] {
  const rows = Array.isArray(result) ? result : (result as { rows?: unknown } | null | undefined)?.rows;
  if (!Array.isArray(rows))
    throw new Error('query() of rows() gave no rows: return a list, or an object that has one in rows');
  return rows as Row[];
}

function carrying<Item>(
  row: Row,
  { key, cursor, version = cursor, item, prefix }: Options<Item>,
): CarryingKey<Item> {
  const text = typeof key === 'function' ? key(row) : columnOf(row, key);
  if (!['string', 'number', 'bigint'].includes(typeof text) || text === '')
    throw new Error(
      `key of rows() is ${text === '' ? 'empty' : String(text)} for a row; it must be text or a number`,
    );
  return {
    key: keyOf(String(text), prefix),
    ...(version === undefined
      ? {}
      : { version: versionText(typeof version === 'function' ? version(row) : columnOf(row, version)) }),
    ...(item === undefined
      ? {}
      : {
          item:
            typeof item === 'function' ? item(row) : (itemOf(item, (name) => columnOf(row, name)) as Item),
        }),
  };
}

function versionText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  // Nothing is a version, too: that of a row which has none yet.
  return typeof value === 'string'
    ? value
    : typeof value === 'bigint'
      ? String(value)
      : (JSON.stringify(value) ?? 'undefined');
}

/** @throws Error with the columns that there are */
function columnOf(row: Row, column: string): unknown {
  if (!(column in row))
    throw new Error(
      `the rows have no column ${column}; they have ${Object.keys(row).slice(0, 20).join(', ')}`,
    );
  return row[column];
}

function cursorIn(cursor: string | null): RowsCursor {
  try {
    const { after, all } = JSON.parse(cursor || '{}') as RowsCursor;
    return {
      ...(after !== undefined && 'kind' in after ? { after } : {}),
      ...(typeof all === 'number' ? { all } : {}),
    };
  } catch {
    return {};
  }
}
