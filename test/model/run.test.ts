/** The statuses of a run: final ones are final. */
import { describe, expect, it } from 'vitest';
import { mayBecome, type RunStatus } from '../../src/model/run.ts';

const STATUSES: readonly RunStatus[] = ['QUEUED', 'STARTED', 'SUCCESS', 'FAILURE', 'CANCELED'];

describe('a run', () => {
  it('moves along the arrows of the drawing and no others', () => {
    const moves = STATUSES.flatMap((from) =>
      STATUSES.filter((to) => mayBecome(from, to)).map((to) => `${from} → ${to}`),
    );
    expect(moves.sort()).toEqual(
      [
        'QUEUED → STARTED',
        'QUEUED → CANCELED',
        'QUEUED → FAILURE',
        'STARTED → QUEUED',
        'STARTED → SUCCESS',
        'STARTED → FAILURE',
        'STARTED → CANCELED',
      ].sort(),
    );
  });
});
