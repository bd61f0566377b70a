/** The status columns that a commit changes: opened once each, written letter by letter, and put back together. */
import type { KnownAsset } from '../../model/known-pipeline.ts';
import type { NextTry } from '../../model/next-try.ts';
import { positionsOf } from './key-positions.ts';
import { retriesIn, withRetries } from './retries.ts';
import { type AssetEntry, entryOf, type StateDocument } from './state-document.ts';
import { columnOf, withColumn } from './status-column.ts';

const MISSING = '.'.charCodeAt(0);

export interface OpenColumn {
  readonly asset: string;
  readonly set: string | null;
  /** One for each key of the set; a single one without a set. */
  readonly letters: Buffer;
  readonly retries: Map<string | null, NextTry>;
}

export class OpenColumns {
  readonly #document: StateDocument;
  readonly #columns = new Map<string, OpenColumn>();

  constructor(document: StateDocument) {
    this.#document = document;
  }

  column(asset: string, set: string | null): OpenColumn {
    const name = JSON.stringify([asset, set]);
    const open = this.#columns.get(name);
    if (open !== undefined) return open;
    const entry = entryOf(this.#document.assets, asset);
    const known = entry === undefined ? undefined : columnOf(entry, set);
    const column = {
      asset,
      set,
      letters: Buffer.alloc(set === null ? 1 : this.keysOf(set).length, '.', 'latin1'),
      retries: new Map(retriesIn(known)),
    };
    column.letters.write(known?.status ?? '', 'latin1');
    this.#columns.set(name, column);
    return column;
  }

  /** Those of the assets that have the set, or had it. */
  *ofSet(set: string): Generator<OpenColumn> {
    for (const [asset, entry] of Object.entries(this.#document.assets))
      if (columnOf(entry, set) !== undefined) yield this.column(asset, set);
  }

  /** All keys of a set, in its order. */
  keysOf(set: string): readonly string[] {
    return entryOf(this.#document.sets, set)?.keys ?? [];
  }

  /** Where these keys stand in their column. */
  positions(set: string | null, keys: Iterable<string | null>): ReadonlySet<number> {
    if (set === null) return new Set([0]);
    return new Set(positionsOf(this.keysOf(set), keys as Iterable<string>).values());
  }

  /** The entries of all assets, with the columns that were opened. @param graph the assets that the state remembers */
  entries(graph: readonly KnownAsset[]): StateDocument['assets'] {
    // As a map: an asset may be called like what every object inherits.
    const assets = new Map<string, AssetEntry>(Object.entries(this.#document.assets));
    for (const { asset, set, letters, retries } of this.#columns.values()) {
      const status = upToTheLast(letters).toString('latin1');
      const before = assets.get(asset);
      if (before === undefined && status === '') continue;
      const column = { set, status: set === null && status === '' ? '.' : status };
      const entry = withColumn(
        before,
        retries.size === 0 ? column : withRetries(column, retries, set === null ? [] : this.keysOf(set)),
      );
      const code = graph.find(({ name }) => name === asset)?.codeVersion;
      // What its first values were made with: known before there were any.
      assets.set(asset, before === undefined && code !== undefined ? { ...entry, codeVersion: code } : entry);
    }
    return Object.fromEntries(assets);
  }
}

/** Missing keys at the end need no letter. Not by `/\.+$/`, which starts anew at each dot: minutes for 300,000 keys. */
function upToTheLast(letters: Buffer): Buffer {
  let length = letters.length;
  while (length > 0 && letters[length - 1] === MISSING) length--;
  return letters.subarray(0, length);
}
