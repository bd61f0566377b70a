/** What a user's function may ask of the sets of a document. */
import type { Carried } from '../../model/carried.ts';
import type { SetReader } from '../store.ts';
import { carriedOf } from './carried-columns.ts';
import { positionsOf } from './key-positions.ts';
import { EMPTY_SET, entryOf, type StateDocument } from './state-document.ts';
import { statusOf } from './statuses.ts';

/** After so many single questions about a set, an index of it is cheaper than one more scan. */
const QUESTIONS_BEFORE_INDEX = 8;

export function setReaderOf(document: StateDocument): SetReader {
  const { sets } = document;
  const keysOf = (set: string): readonly string[] => entryOf(sets, set)?.keys ?? [];
  const indexes = new Map<string, { questions: number; index: ReadonlySet<string> | null }>();
  const missing = (set: string, keys: Iterable<string>): string[] => {
    const asked = new Set(keys);
    const present = indexes.get(set)?.index ?? positionsOf(keysOf(set), asked);
    // What an operator keeps out is not there, and is not to come back either.
    const keptOut = positionsOf(entryOf(sets, set)?.keptOut ?? [], asked);
    const all = [...asked];
    return present.size + keptOut.size === 0
      ? all
      : all.filter((key) => !present.has(key) && !keptOut.has(key));
  };
  const has = (set: string, key: string): boolean => {
    const known = indexes.get(set) ?? { questions: 0, index: null };
    indexes.set(set, known);
    if (known.index === null && ++known.questions > QUESTIONS_BEFORE_INDEX)
      known.index = new Set(keysOf(set));
    return known.index?.has(key) ?? keysOf(set).includes(key);
  };
  const carried = (set: string, keys: Iterable<string>): Map<string, Carried> =>
    carriedOf(entryOf(sets, set) ?? EMPTY_SET, keys);
  return {
    carried: (set, keys) => new Promise((resolve) => resolve(carried(set, keys))),
    statusOf: (asset, set, keys) => Promise.resolve(statusOf(document, { asset, set }, keys)),
    missing: (set, keys) => new Promise((resolve) => resolve(missing(set, keys))),
    has: (set, key) => Promise.resolve(has(set, key)),
    count: (set) => Promise.resolve(keysOf(set).length),
    // oxlint-disable-next-line typescript/require-await -- others answer in pages
    keys: async function* (set) {
      yield* keysOf(set);
    },
  };
}
