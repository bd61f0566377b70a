/** `rows()`: the rows of a query as keys, with any client of any database. */
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import { durationMs } from '../model/duration.ts';
import { checkItem } from './fields.ts';
import type { SourceOptions } from './offer.ts';
import { checkSource } from './options.ts';

/** What a cursor column may hold. Texts that are dates count as dates. */
export type CursorValue = Date | string | number | bigint;

/** The options of `rows()`. */
export interface RowsOptions<Row, Item> extends SourceOptions {
  /**
   * Rows, or the result of a client that has them in `rows`. `after` is what the last ticks got to, less the overlap, and of the
   * type that the column has; `null`: all rows are wanted. So: `where $1::timestamptz is null or updated_at >= $1`.
   */
  readonly query: (after: never, context: { readonly signal: AbortSignal }) => Rows<Row> | Promise<Rows<Row>>;
  /** The column, or a function of a row, that tells it from all others. */
  readonly key: string | ((row: Row) => string | number | bigint);
  /** The column by which rows are asked for from where the last tick got to. Default: all rows each tick. */
  readonly cursor?: string;
  /**
   * What is read again each tick, for rows that were committed late: a duration for times (default `'10m'`), a number for numbers
   * (default 1,000). For other texts there is none; ask with `>=`.
   */
  readonly overlap?: string | number;
  /** The column, or a function of a row, that changes when the row does. Default: the column `cursor`; without one changes are not looked at. */
  readonly version?: string | ((row: Row) => unknown);
  /** What assets of this key are given: a function, or a list of columns (times become text). Default: nothing. */
  readonly item?: readonly (keyof Item & string)[] | ((row: Row) => Item);
  /**
   * Keys whose rows are gone are removed: all rows are read each tick (`true`), or once in a duration. With a prefix only keys that
   * begin with it. A query that finds nothing at all removes nothing: it is an error.
   */
  readonly reconcile?: boolean | string;
}

export type Rows<Row> = readonly Row[] | { readonly rows: readonly Row[] };

/**
 * `evaluate` of a sensor: a key for each row of a query. The cursor is the greatest value of a column, never later than this
 * machine's clock, and each tick reads an overlap again: rows that share a time, or are committed late, are found.
 *
 * @throws TypeError at once for options that cannot be meant; Error in `evaluate` when a row has no such column; whatever `query`
 *   throws. The cursor stays then
 */
export function rows<Row = Record<string, unknown>, Item = unknown>(
  set: DynamicPartitions<Item>,
  options: RowsOptions<Row, Item>,
): (context: SensorContext) => Promise<SensorResult> {
  checkSource('rows', set, options);
  const { query, key, overlap, reconcile, cursor } = options;
  if (typeof query !== 'function') throw new TypeError('rows() needs query, a function');
  if (typeof key !== 'function' && (typeof key !== 'string' || key === ''))
    throw new TypeError('rows() needs key, the name of a column or a function');
  checkItem('rows', options.item);
  if (overlap !== undefined && cursor === undefined)
    throw new TypeError('overlap of rows() is nothing without cursor');
  const overlapMs = typeof overlap === 'string' ? durationMs(overlap, 'overlap of rows()') : undefined;
  if (typeof overlap === 'number' && !(overlap >= 0))
    throw new TypeError('overlap of rows() must be a duration, or a number, 0 or more');
  const everyMs =
    typeof reconcile === 'string' ? durationMs(reconcile, 'reconcile of rows()') : reconcile ? 0 : undefined;
  return async (context) => {
    const { readRows } = await import('./rows/read-rows.ts');
    return readRows(context, set, { ...options, overlapMs, everyMs } as Parameters<typeof readRows<Item>>[2]);
  };
}
