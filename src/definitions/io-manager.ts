/** The I/O manager keeps what assets return and gives it to the assets downstream. */

/** Which value is meant: an asset's, for one partition key. */
export interface ValueContext {
  readonly asset: string;
  /** `null` for an asset without partitions. */
  readonly partitionKey: string | null;
}

/** Which value is saved, and by which run. */
export interface SaveContext extends ValueContext {
  /** A store that names what it writes by the run keeps a run that was canceled from replacing a value that is on record. */
  readonly run: { readonly id: string };
}

/**
 * Where values are kept. The default keeps JSON values and raw bytes as files in `values/` beside the state file.
 *
 * A value must be kept whole, or not at all, when `save` has resolved: its materialization is recorded after that.
 */
export interface IoManager {
  save(context: SaveContext, value: unknown): void | Promise<void>;
  load(context: ValueContext): unknown;
  remove(context: ValueContext): void | Promise<void>;
  /** Whether a value is kept. Without it, the state's record of the materialization is believed. */
  exists?(context: ValueContext): boolean | Promise<boolean>;
}
