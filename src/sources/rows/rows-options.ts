/** What is said of a query in a pipeline file. */
import type { SourceOptions } from '../offer.ts';

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
