/** What the commands give back that change keys or look at them. */
import type { JsonValue } from '../model/json-value.ts';
import type { KeyReport } from '../report/key-report.ts';
import type { Executed } from './json-results-of-runs.ts';

export interface SetList {
  readonly sets: readonly { readonly set: string; readonly total: number }[];
}

export interface KeyList {
  readonly set: string;
  /** Of the whole set. */
  readonly total: number;
  readonly keys: readonly ListedKey[];
  /** The last one of these keys when there are more. */
  readonly next: string | null;
}

export interface ListedKey {
  readonly key: string;
  readonly addedAt: string;
  readonly version: string | null;
  readonly item: JsonValue;
}

export interface KeyCount {
  readonly set: string;
  readonly total: number;
}

export interface OneKey {
  readonly set: string;
  readonly key: string;
  readonly addedAt: string;
  readonly version: string | null;
  readonly item: unknown;
  /** Those of the set, in the order of the pipeline. */
  readonly assets: readonly ShownAsset[];
}

export interface ShownAsset extends KeyReport {
  readonly asset: string;
  /** The file that its value is in, where it is kept as one. */
  readonly value: string | null;
}

/** With `--materialize` also what came of the runs. */
export interface AddedKeys extends Partial<Executed> {
  readonly set: string;
  readonly added: readonly string[];
  readonly updated: readonly string[];
  readonly skipped: readonly string[];
}

export interface RemovedKeys {
  readonly set: string;
  readonly removed: readonly string[];
  readonly skipped: readonly string[];
}

export interface SyncedKeys {
  readonly set: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: number;
}
