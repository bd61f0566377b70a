/** Times for a person. */
import { describe, expect, it } from 'vitest';
import { shortTime } from '../../src/cli/render/short-time.ts';

const now = new Date(2026, 10, 26, 13, 5, 30).getTime();
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

describe('a short time', () => {
  it.each([
    [0, '0 s ago'],
    [59.9 * second, '59 s ago'],
    [minute, '1 min ago'],
    [59.9 * minute, '59 min ago'],
    [hour, '1 h ago'],
    [23.9 * hour, '23 h ago'],
    [30 * hour, '2026-11-25 07:05'],
    [-minute, '2026-11-26 13:06'],
  ])('of %i ms before is %s', (ms, words) => {
    expect(shortTime(new Date(now - ms).toISOString(), now)).toBe(words);
  });

  it('that is none stays as it is', () => {
    expect(shortTime('soon', now)).toBe('soon');
  });
});
