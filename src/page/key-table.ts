/** All keys of one set, made ready to be filtered and drawn: a hundred thousand times twenty in some milliseconds. */
import type { PageSet } from '../report/page-data.ts';
import { ALL_STATES, FAILED, PLACE_OF_CODE, RUNNING } from './states.ts';

export interface Filter {
  /** A part of the key, in letters of any case. */
  readonly text: string;
  /** A bit a state, by its place. */
  readonly states: number;
  /** Only this asset counts; `null`: any. */
  readonly asset: string | null;
  readonly failedFirst: boolean;
}

export const NO_FILTER: Filter = { text: '', states: ALL_STATES, asset: null, failedFirst: true };

export class KeyTable {
  readonly set: PageSet;
  /** For each asset, by position of the key: the place of its state. */
  readonly columns: readonly Uint8Array[];
  /** By position: a bit for each state that any of its assets is in. */
  readonly #masks: Uint8Array;
  /** How many letters the longest key has. */
  readonly longest: number;
  #lowered: readonly string[] | undefined;

  constructor(set: PageSet) {
    this.set = set;
    const count = set.keys.length;
    this.#masks = new Uint8Array(count);
    this.longest = set.keys.reduce((most, key) => Math.max(most, key?.length ?? 15), 0);
    this.columns = set.assets.map((asset) => {
      const letters = set.states[asset] ?? '';
      const column = new Uint8Array(count);
      for (let at = 0; at < count; at++) {
        const place = PLACE_OF_CODE[letters.charCodeAt(at)] ?? 0;
        column[at] = place;
        this.#masks[at]! |= 1 << place;
      }
      return column;
    });
  }

  /** Positions of the keys that a filter lets through: newest first, and on demand the failed before them. */
  rows({ text, states, asset, failedFirst }: Filter): Uint32Array {
    const { keys } = this.set;
    const maskOf = this.#maskOf(asset);
    const wanted = text.trim().toLowerCase();
    const lowered = wanted === '' ? null : (this.#lowered ??= keys.map((key) => (key ?? '').toLowerCase()));
    const isAll = states === ALL_STATES;
    const parts: number[][] = [[], [], []];
    for (let at = keys.length - 1; at >= 0; at--) {
      const mask = maskOf(at);
      if (!isAll && (mask & states) === 0) continue;
      if (lowered !== null && !lowered[at]!.includes(wanted)) continue;
      const part = !failedFirst ? 2 : (mask >> FAILED) & 1 ? 0 : (mask >> RUNNING) & 1 ? 1 : 2;
      parts[part]!.push(at);
    }
    return Uint32Array.from(parts.flat());
  }

  /** How many keys have an asset in each state. */
  counts(asset: string | null): number[] {
    const maskOf = this.#maskOf(asset);
    const counts = Array.from({ length: 7 }, () => 0);
    for (let at = 0; at < this.set.keys.length; at++) {
      const mask = maskOf(at);
      for (let place = 0; place < counts.length; place++) counts[place]! += (mask >> place) & 1;
    }
    return counts;
  }

  #maskOf(asset: string | null): (at: number) => number {
    const column = asset === null ? undefined : this.columns[this.set.assets.indexOf(asset)];
    if (column === undefined) return (at) => this.#masks[at]!;
    return (at) => 1 << column[at]!;
  }

  /** When the key at a position was added. */
  addedAt(position: number): string | null {
    let end = 0;
    for (const [count, at] of this.set.added) {
      end += count;
      if (position < end) return at;
    }
    return null;
  }
}

/**
 * The keys in as many lines as there is room for: for each line and asset the worst state of the keys that fall on it, by its
 * place.
 */
export function overview(table: KeyTable, rows: Uint32Array, lines: number): Uint8Array[] {
  return table.columns.map((column) => {
    const worst = new Uint8Array(lines);
    for (let line = 0; line < lines; line++) {
      const from = Math.floor((line * rows.length) / lines);
      const to = Math.max(from + 1, Math.floor(((line + 1) * rows.length) / lines));
      let found = 255;
      for (let at = from; at < to; at++) {
        const place = column[rows[at]!]!;
        if (place < found) found = place;
      }
      worst[line] = found;
    }
    return worst;
  });
}
