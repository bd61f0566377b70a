/** `rows()`: the rows of a query as keys, with any client of any database. */
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import { durationMs } from '../model/duration.ts';
import { checkItem } from './fields.ts';
import type { RowsOptions } from './rows/rows-options.ts';
import { checkSource } from './options.ts';

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
