/** Columns stay aligned, whatever is taken out, and also one that is added later. */
import * as fc from '../../support/random.ts';
import { expect, it } from 'vitest';
import { alike, put, take, timesWithout, without } from '../../../src/state/document/columns.ts';

interface Row {
  readonly key: string;
  readonly letter: string;
  readonly imaginary: number;
}

const rows = fc.uniqueArray(
  fc.record({
    key: fc.string({ minLength: 1 }),
    letter: fc.constantFrom('m', 'f', '.'),
    imaginary: fc.integer(),
  }),
  { selector: ({ key }) => key },
);
const chosen = fc.array(fc.boolean(), { minLength: 50, maxLength: 50 });

const columnsOf = (from: readonly Row[]) => ({
  name: 'not a column',
  keys: from.map(({ key }) => key),
  letters: from.map(({ letter }) => letter).join(''),
  imaginary: from.map(({ imaginary }) => imaginary),
});
const NAMES = ['keys', 'letters', 'imaginary'] as const;

it('keep each entry beside those of its row', () => {
  fc.assert(
    fc.property(rows, chosen, (all, isChosen) => {
      const positions = all.flatMap((_, at) => (isChosen[at] ? [at] : []));
      const inside = all.filter((_, at) => isChosen[at]);
      const outside = all.filter((_, at) => !isChosen[at]);
      expect(alike(columnsOf(all), NAMES, (column) => take(column, positions))).toEqual(columnsOf(inside));
      expect(alike(columnsOf(all), NAMES, (column) => without(column, positions))).toEqual(
        columnsOf(outside),
      );
    }),
  );
});

it('count the times of what is left', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 5 })), chosen, (counts, isChosen) => {
      const times = counts.map((count, at) => [count, `t${at}`] as const);
      const each = times.flatMap(([count, at]) => Array.from({ length: count }, () => at));
      const positions = each.flatMap((_, at) => (isChosen[at] ? [at] : []));
      const left = timesWithout(times, positions).flatMap(([count, at]) =>
        Array.from({ length: count }, () => at),
      );
      expect(left).toEqual(each.filter((_, at) => !isChosen[at]));
    }),
  );
});

it('count what was written at one time together, once what stood between it is gone', () => {
  const clockWentBack = [
    [2, 'monday'],
    [1, 'tuesday'],
    [1, 'monday'],
  ] as const;
  expect(timesWithout(clockWentBack, [2])).toEqual([[3, 'monday']]);
});

it('get a letter for the keys that are named, and for no other', () => {
  fc.assert(
    fc.property(rows, chosen, fc.nat(60), (all, isChosen, length) => {
      const { keys, letters } = columnsOf(all);
      const named = keys.filter((_, at) => isChosen[at]);
      // A column may be too short: what is missing in it counts as `.`.
      const short = letters.slice(0, length);
      const after = put(short, keys, named, 'x').padEnd(keys.length, '.');
      expect(after).toBe(keys.map((key, at) => (named.includes(key) ? 'x' : (short[at] ?? '.'))).join(''));
    }),
  );
});
