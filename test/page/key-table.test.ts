/** What the page does with all keys before it draws any: filters, their order, and the map. */
import * as fc from '../support/random.ts';
import { describe, expect, it } from 'vitest';
import { type Filter, KeyTable, NO_FILTER, overview } from '../../src/page/key-table.ts';
import { STATES } from '../../src/page/states.ts';
import { LETTERS } from '../../src/report/page-data.ts';
import { AT } from '../support/builders.ts';
import { pageSet } from '../support/page-data.ts';

const table = new KeyTable(pageSet(['a', 'B', 'ab', 'c'], { one: 'mfm.', two: 'mmpb' }));
const rows = (filter: Partial<Filter>): string[] =>
  Array.from(table.rows({ ...NO_FILTER, ...filter }), (at) => String(table.set.keys[at]));
const place = (state: string): number => STATES.findIndex((one) => one.state === state);

describe('the rows of keys', () => {
  it('are the newest first, behind those that failed and those in progress', () => {
    expect(rows({})).toEqual(['B', 'ab', 'c', 'a']);
    expect(rows({ failedFirst: false })).toEqual(['c', 'ab', 'B', 'a']);
  });

  it('hold a text in letters of any case', () => {
    expect(rows({ text: ' b ' })).toEqual(['B', 'ab']);
    expect(rows({ text: 'nothing' })).toEqual([]);
  });

  it('have an asset in one of the states, or the one asset that counts', () => {
    expect(rows({ states: 1 << place('in progress') })).toEqual(['ab']);
    expect(rows({ states: (1 << place('missing')) | (1 << place('backlog')) })).toEqual(['c']);
    expect(rows({ states: 1 << place('failed'), asset: 'two' })).toEqual([]);
  });

  it('are counted by state: each key once for each state that it is in', () => {
    expect(table.counts(null)[place('materialized')]).toBe(3);
    expect(table.counts('one')[place('materialized')]).toBe(2);
  });

  it('were added when the set says so', () => {
    const times = new KeyTable({
      ...table.set,
      added: [
        [1, 'first'],
        [3, AT],
      ],
    });
    expect([0, 1, 3, 4].map((at) => times.addedAt(at))).toEqual(['first', AT, AT, null]);
  });

  it('know every state that there is a letter for', () => {
    expect(Object.fromEntries(STATES.map(({ state, letter }) => [state, letter]))).toEqual(LETTERS);
  });
});

describe('the map', () => {
  it('shows for each line the worst state of the keys on it, and leaves out none', () => {
    const letter = fc.constantFrom(...Object.values(LETTERS));
    fc.assert(
      fc.property(
        fc.array(letter, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 60 }),
        (of, most) => {
          const lines = Math.min(most, of.length);
          const its = new KeyTable(
            pageSet(
              of.map((_, at) => `k${at}`),
              { one: of.join('') },
            ),
          );
          const order = its.rows({ ...NO_FILTER, failedFirst: false });
          const [worst] = overview(its, order, lines);
          const places = Array.from(order, (at) => its.columns[0]![at]!);
          expect(Math.min(...worst!)).toBe(Math.min(...places));
          for (let line = 0; line < lines; line++) {
            const on = places.filter(
              (_, row) =>
                Math.floor((line * of.length) / lines) <= row &&
                row < Math.floor(((line + 1) * of.length) / lines),
            );
            expect(worst![line]).toBe(Math.min(...on));
          }
        },
      ),
    );
  });
});
