/** Columns of a document, made of rows that come a portion at a time: no row is kept. */
import type { AssetEntry, RetryEntry, SpentRunKeys, StateDocument } from '../../document/state-document.ts';
import { withZero } from '../run-key-text.ts';
import type { JsonValue } from '../../../model/json-value.ts';
import { withColumns } from '../../document/change-carried.ts';
import { areFew } from '../../document/spent-run-keys.ts';
import { versionLines } from '../../document/version-lines.ts';

export interface KeyRow {
  readonly set: string;
  readonly key: string;
  readonly at: string;
  readonly version: string | null;
  readonly item: JsonValue;
}

interface OpenSet {
  readonly keys: string[];
  readonly added: [count: number, at: string][];
  readonly keptOut: string[];
  readonly versions: (string | null)[];
  readonly items: JsonValue[];
  readonly positions: Positions;
}

/** Where keys of a set stand. Rows mostly come in the order of the keys: who is next need not be looked up. */
class Positions {
  readonly #keys: readonly string[];
  #next = 0;
  #ofKeys: Map<string, number> | null = null;

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  of(key: string): number {
    if (this.#keys[this.#next] !== key) {
      this.#ofKeys ??= new Map(this.#keys.map((one, at) => [one, at]));
      const found = this.#ofKeys.get(key);
      // Of a key that is in no set any more: `state check` names it.
      if (found === undefined) return -1;
      this.#next = found;
    }
    return this.#next++;
  }
}

/** Takes the keys in their order. */
export class OpenSets {
  readonly #sets: ReadonlyMap<string, OpenSet>;

  constructor(names: readonly string[]) {
    this.#sets = new Map(
      names.map((name) => {
        const keys: string[] = [];
        return [
          name,
          { keys, added: [], keptOut: [], versions: [], items: [], positions: new Positions(keys) },
        ];
      }),
    );
  }

  add({ set, key, at, version, item }: KeyRow): void {
    const { keys, added, versions, items } = this.#sets.get(set)!;
    keys.push(key);
    versions.push(version === null ? null : withZero(version));
    items.push(item);
    const last = added.at(-1);
    if (last?.[1] === at) last[0]++;
    else added.push([1, at]);
  }

  keepOut({ set, key }: { readonly set: string; readonly key: string }): void {
    this.#sets.get(set)!.keptOut.push(key);
  }

  keysOf(set: string): readonly string[] {
    return this.#sets.get(set)!.keys;
  }

  /** When all keys were taken. */
  positionOf(set: string, key: string): number {
    return this.#sets.get(set)!.positions.of(key);
  }

  /** The newest first. */
  newestFirst(): string[] {
    return [...this.#sets.keys()].reverse();
  }

  end(): StateDocument['sets'] {
    return Object.fromEntries(
      Array.from(this.#sets, ([name, { keys, added, keptOut, versions, items }]) => [
        name,
        withColumns({ keys, added, keptOut }, { versions: versionLines(versions), items }),
      ]),
    );
  }
}

/** A letter for each key, `.` where none was put. */
function letters(keys: readonly string[]): Buffer {
  return Buffer.alloc(keys.length, '.');
}

function text(column: Buffer): string {
  let end = column.length;
  while (end > 0 && column[end - 1] === MISSING) end--;
  return column.toString('latin1', 0, end);
}

const MISSING = '.'.charCodeAt(0);

/** The letter of a key that is a spent run key. */
const SPENT = '1'.charCodeAt(0);

export interface StatusRow {
  readonly asset: string;
  readonly set: string | null;
  readonly key: string;
  readonly letter: string;
  readonly failures: number;
  readonly retry_at: string | null;
}

export interface AssetRow {
  readonly name: string;
  readonly code_version: string | null;
  readonly made_at: string | null;
}

interface OpenColumn {
  readonly letters: Buffer;
  readonly retries: Map<number, RetryEntry>;
}

/** Takes the statuses in any order. */
export class OpenStatuses {
  readonly #sets: OpenSets;
  readonly #columns = new Map<string, Map<string | null, OpenColumn>>();

  constructor(sets: OpenSets) {
    this.#sets = sets;
  }

  add({ asset, set, key, letter, failures, retry_at: at }: StatusRow): void {
    const ofAsset = this.#columns.get(asset) ?? new Map<string | null, OpenColumn>();
    this.#columns.set(asset, ofAsset);
    let column = ofAsset.get(set);
    if (column === undefined) {
      column = { letters: letters(set === null ? [''] : this.#sets.keysOf(set)), retries: new Map() };
      ofAsset.set(set, column);
    }
    const position = set === null ? 0 : this.#sets.positionOf(set, key);
    column.letters[position] = letter.charCodeAt(0);
    if (failures > 0) column.retries.set(position, [set === null ? null : key, failures, at]);
  }

  /** Which of an asset's columns stands first says nothing: each is asked for by its set. */
  end(assets: readonly AssetRow[]): StateDocument['assets'] {
    const order = [...this.#sets.newestFirst(), null];
    return Object.fromEntries(
      assets.map(({ name, code_version: codeVersion, made_at: madeAt }): [string, AssetEntry] => {
        const ofAsset = this.#columns.get(name);
        const columns = order.flatMap((set) => {
          const column = ofAsset?.get(set);
          if (column === undefined) return [];
          // In the order of the set.
          const retries = [...column.retries].sort(([one], [other]) => one - other).map(([, entry]) => entry);
          return [{ set, status: text(column.letters), ...(retries.length > 0 && { retries }) }];
        });
        const [first = { set: null, status: '.' }, ...before] = columns;
        return [
          name,
          {
            ...first,
            ...(before.length > 0 && { before }),
            ...(codeVersion !== null && { codeVersion }),
            ...(madeAt !== null && { madeAt }),
          },
        ];
      }),
    );
  }
}

export interface SpentRow {
  readonly sensor: string;
  readonly run_key: string;
  readonly set: string | null;
  readonly key: string | null;
}

interface OpenRunKeys {
  /** Where in their sets the keys stand that are their own run keys. */
  readonly own: Map<string, number[]>;
  readonly other: [runKey: string, set: string | null, key: string | null][];
}

export class OpenSpent {
  readonly #sets: OpenSets;
  readonly #sensors = new Map<string, OpenRunKeys>();

  constructor(sets: OpenSets) {
    this.#sets = sets;
  }

  add({ sensor, run_key: runKeyText, set, key }: SpentRow): void {
    let spent = this.#sensors.get(sensor);
    if (spent === undefined) this.#sensors.set(sensor, (spent = { own: new Map(), other: [] }));
    const runKey = withZero(runKeyText);
    const position = set === null || runKey !== key ? -1 : this.#sets.positionOf(set, key);
    if (set === null || position === -1) {
      spent.other.push([runKey, set, key]);
      return;
    }
    const positions = spent.own.get(set);
    if (positions === undefined) spent.own.set(set, [position]);
    else positions.push(position);
  }

  of(sensor: string): SpentRunKeys {
    const { own, other } = this.#sensors.get(sensor) ?? { own: new Map<string, number[]>(), other: [] };
    const ofKeys: [string, string][] = [];
    const oneByOne = [...other];
    for (const [set, positions] of own) {
      const keys = this.#sets.keysOf(set);
      if (areFew(positions.length, keys))
        for (const position of positions) oneByOne.push([keys[position]!, set, keys[position]!]);
      else {
        const spent = letters(keys);
        for (const position of positions) spent[position] = SPENT;
        ofKeys.push([set, spent.toString('latin1')]);
      }
    }
    return { ofKeys: Object.fromEntries(ofKeys), other: oneByOne };
  }
}
