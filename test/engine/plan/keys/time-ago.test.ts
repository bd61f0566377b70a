/** An age may be any number of days. */
import { expect, it } from 'vitest';
import { timeAgo } from '../../../../src/engine/plan/keys/time-ago.ts';

it('is the first instant of all where it is longer ago than a record can say', () => {
  expect(timeAgo(0, 1000)).toBe('1969-12-31T23:59:59.000Z');
  for (const ms of [9_999_999 * 86_400_000, Number.MAX_VALUE, Infinity])
    expect(timeAgo(Date.UTC(2026, 0, 1), ms)).toBe('0000-01-01T00:00:00.000Z');
});
