/** Positions of keys in a list: the same answers by scan and by index, however often it is asked. */
import * as fc from '../../support/random.ts';
import { describe, expect, it } from 'vitest';
import { grownFrom, positionsOf } from '../../../src/state/document/key-positions.ts';

describe('positions of keys', () => {
  it('are those of an ordinary search, the first time and the tenth', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string(), { maxLength: 30 }),
        fc.array(fc.array(fc.string({ maxLength: 2 }), { maxLength: 10 }), { minLength: 10, maxLength: 10 }),
        (keys, questions) => {
          for (const extra of questions) {
            const wanted = [...extra, ...keys.slice(0, extra.length)];
            const expected = wanted
              .filter((key) => keys.includes(key))
              .map((key) => [key, keys.indexOf(key)] as const);
            // Maps are equal whatever the order of their entries.
            expect(positionsOf(keys, wanted)).toEqual(new Map(expected));
          }
        },
      ),
    );
  });

  it('are those of an ordinary search in lists that grow from one another, each in two ways', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ maxLength: 3 }), { minLength: 20, maxLength: 60 }), (all) => {
        let keys = all.slice(0, 5);
        for (let at = 5; at + 1 < all.length; at += 2) {
          const [one, other] = [
            grownFrom(keys, [all[at]!]),
            grownFrom(keys, [all[at + 1]!, 'more than three']),
          ];
          for (const list of [keys, one, other])
            expect(positionsOf(list, [...all, 'more than three'])).toEqual(
              new Map(list.map((key, position) => [key, position])),
            );
          keys = at % 4 === 1 ? one : other.slice(0, -1);
        }
      }),
    );
  });

  it('may be asked for with any iterable', () => {
    const keys = ['a', 'b', 'c'];
    for (let time = 0; time < 6; time++) {
      expect(positionsOf(keys, new Set(['c', 'x']).values())).toEqual(new Map([['c', 2]]));
      expect(positionsOf(keys, new Set<string>())).toEqual(new Map());
    }
  });

  it('of inherited names are none', () => {
    const keys = ['a'];
    for (let time = 0; time < 6; time++)
      expect(positionsOf(keys, ['constructor', '__proto__'])).toEqual(new Map());
  });
});
