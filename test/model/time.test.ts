/** The time as text is what JavaScript itself says. */
import * as fc from 'fast-check';
import { it } from 'vitest';
import { isoTime } from '../../src/model/time.ts';

it('is written as `toISOString` writes it, in every year that a date can have', () => {
  const times = fc.oneof(
    fc.integer({ min: -8.64e15, max: 8.64e15 }),
    fc.integer({ min: 0, max: 4e12 }),
    fc.constantFrom(-1, 0, 253_402_300_799_999, 253_402_300_800_000),
  );
  fc.assert(fc.property(times, (at) => isoTime(at) === new Date(at).toISOString()));
});
