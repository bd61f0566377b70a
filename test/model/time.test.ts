/** The time as text is what JavaScript itself says. */
import * as fc from '../support/random.ts';
import { expect, it } from 'vitest';
import { isoTime } from '../../src/model/time.ts';

it('is written as `toISOString` writes it, in every year of four digits', () => {
  const times = fc.oneof(
    fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }),
    fc.integer({ min: 0, max: 4e12 }),
    fc.constantFrom(-1, 0, -62_167_219_200_000, 253_402_300_799_999),
  );
  fc.assert(fc.property(times, (at) => isoTime(at) === new Date(at).toISOString()));
});

it.each([253_402_300_800_000, -62_167_219_200_001, 8.64e15 + 1, NaN, Infinity])(
  'of %s is refused in words: no record that holds it could be read again',
  (at) => {
    expect(() => isoTime(at)).toThrow(
      expect.objectContaining({ failure: { reason: 'clock-unusable', ms: at } }),
    );
  },
);
