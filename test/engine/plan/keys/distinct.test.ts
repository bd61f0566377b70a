/** Each key once, whether or not the list is sorted. */
import * as fc from '../../../support/random.ts';
import { expect, it } from 'vitest';
import { distinct } from '../../../../src/engine/plan/keys/distinct.ts';

it('is what a Set of the keys says, and the list itself where it names none twice', () => {
  const unsorted = fc.array(fc.string({ maxLength: 2 }), { maxLength: 20 });
  const lists = fc.oneof(
    unsorted,
    unsorted.map((keys) => keys.toSorted()),
  );
  fc.assert(
    fc.property(lists, (keys) => {
      const each = distinct(keys);
      expect(each).toEqual([...new Set(keys)]);
      if (each.length === keys.length) expect(each).toBe(keys);
    }),
  );
});
