/** How a sentence says that a key is in a state, and since when. */
import { describe, expect, it } from 'vitest';
import { sentence, sinceWhen } from '../../src/cli/render/state-styles.ts';

const DAY = '2026-11-26 13:05';

describe('a key in a state', () => {
  it.each([
    ['missing', 'has been missing for 32 s', `has been missing since ${DAY}`, 'is missing'],
    ['stale', 'has been stale for 32 s', `has been stale since ${DAY}`, 'is stale'],
    [
      'backlog',
      'has been in the backlog for 32 s',
      `has been in the backlog since ${DAY}`,
      'is in the backlog',
    ],
    ['in progress', 'has been in progress for 32 s', `has been in progress since ${DAY}`, 'is in progress'],
    ['failed', 'failed 32 s ago', `failed on ${DAY}`, 'is failed'],
    ['skipped', 'was skipped 32 s ago', `was skipped on ${DAY}`, 'is skipped'],
    ['materialized', 'was materialized 32 s ago', `was materialized on ${DAY}`, 'is materialized'],
  ] as const)('that is %s lasts for a time, or happened before one', (state, age, day, never) => {
    expect([
      sentence(state, state, '32 s ago'),
      sentence(state, state, DAY),
      sentence(state, state, null),
    ]).toEqual([age, day, never]);
    expect(age.endsWith(`${state}${sinceWhen(state, '32 s ago')}`)).toBe(true);
  });
});
