/**
 * The run keys that a sensor has spent, as the document keeps them: a letter a key of a set, or one by one, whichever is shorter. With a
 * letter a key for each of a thousand sensors that have found one key each, a set of a hundred thousand made a state of a hundred megabytes.
 */
import { put } from './columns.ts';
import { entryOf, type SpentRunKeys } from './state-document.ts';
import type { QueuedRuns } from '../changes.ts';

/** One by one, a run key takes about as long as the letters of so many keys. */
const LETTERS_OF_ONE = 32;

type Spent = SpentRunKeys['other'][number];

/** Whether so many of a set's keys are kept one by one. */
export function areFew(count: number, { length }: readonly string[]): boolean {
  return count * LETTERS_OF_ONE < length;
}

/** @param all the keys of the set that the runs are of */
export function spend(
  spent: SpentRunKeys,
  { set, keys }: Pick<QueuedRuns, 'set' | 'keys'>,
  runKeys: readonly (string | null)[],
  all: readonly string[],
): SpentRunKeys {
  const own: string[] = [];
  const other: Spent[] = [];
  runKeys.forEach((runKey, at) => {
    if (runKey === null) return;
    const key = keys[at]!;
    if (runKey === key && set !== null) own.push(key);
    else other.push([runKey, set, key]);
  });
  const withOther = other.length === 0 ? spent : { ...spent, other: [...spent.other, ...other] };
  return own.length === 0 || set === null ? withOther : spendOwn(withOther, set, own, all);
}

/** Spends keys of a set that are their own run keys. */
function spendOwn(
  { ofKeys, other }: SpentRunKeys,
  set: string,
  own: readonly string[],
  all: readonly string[],
): SpentRunKeys {
  const letters = entryOf(ofKeys, set) ?? '';
  const isOwn = ([runKey, of, key]: Spent): boolean => of === set && runKey === key;
  const oneByOne = other.filter(isOwn).map(([runKey]) => runKey);
  if (!areFew(countOf(letters) + oneByOne.length + own.length, all))
    return {
      ofKeys: {
        ...ofKeys,
        [set]: put(letters, all, oneByOne.length === 0 ? own : [...oneByOne, ...own], '1'),
      },
      other: oneByOne.length === 0 ? other : other.filter((one) => !isOwn(one)),
    };
  const inLetters = letters === '' ? [] : all.filter((_, at) => letters[at] === '1');
  const { [set]: _, ...left } = ofKeys;
  return { ofKeys: left, other: [...other, ...[...inLetters, ...own].map((key): Spent => [key, set, key])] };
}

function countOf(letters: string): number {
  let count = 0;
  for (let at = letters.indexOf('1'); at !== -1; at = letters.indexOf('1', at + 1)) count++;
  return count;
}
