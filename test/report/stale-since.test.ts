/** Since when something is stale: a time only where the runs on record are certain of it. */
import { describe, expect, it } from 'vitest';
import { outcomeOf, type RunRecord } from '../../src/model/run.ts';
import { staleSince } from '../../src/report/stale-since.ts';
import { finishedRun } from '../support/builders.ts';

let runs = 0;

function ran(finishedAt: string, ...outcomes: readonly Parameters<typeof outcomeOf>[0][]): RunRecord {
  const assets = outcomes.map(outcomeOf);
  return finishedRun({ id: `r-${++runs}`, partitionKey: 'a', status: 'SUCCESS', finishedAt, assets }).record;
}

const made = (asset: string, rest: object = {}) => ({ asset, status: 'SUCCESS', ...rest }) as const;
const [FIRST, SECOND, THIRD, FOURTH] = [1, 2, 3, 4].map((day) => `2026-05-0${day}T00:00:00.000Z`) as [
  string,
  string,
  string,
  string,
];
const both = ran(FIRST, made('sound', { codeVersion: '1' }), made('text'));
const upstream = (...others: readonly RunRecord[]) =>
  staleSince({
    reason: 'upstream',
    made: both,
    upstreams: ['sound'],
    runs: [...others].reverse().concat(both),
  });
const UNKNOWN = { since: null, sinceNote: 'no run on record says when what it is made from changed' };

describe('something is stale', () => {
  it('since the first run after it was made that made what it is made from', () => {
    const again = ran(SECOND, made('sound', { codeVersion: '1', reason: 'version' }));
    const thrice = ran(THIRD, made('sound', { codeVersion: '1', reason: 'asked' }));
    expect(upstream(again, thrice)).toEqual({ since: SECOND, sinceNote: null });
    const other = ran(SECOND, made('other'));
    const failed = ran(SECOND, { asset: 'sound', status: 'FAILURE', codeVersion: '1' });
    expect(upstream(other, failed, thrice)).toEqual({ since: THIRD, sinceNote: null });
  });

  it('since the first of several upstreams, and since there was nothing to make', () => {
    const facts = { reason: 'upstream', made: both, upstreams: ['sound', 'config'] } as const;
    const config = { ...ran(SECOND, made('config')), partitionKey: null };
    const sound = ran(THIRD, { asset: 'sound', status: 'SKIPPED', skipReason: 'empty', codeVersion: '1' });
    expect(staleSince({ ...facts, runs: [sound, config, both] }).since).toBe(SECOND);
    expect(staleSince({ ...facts, runs: [sound, both] }).since).toBe(THIRD);
    const left = ran(THIRD, { asset: 'sound', status: 'SKIPPED', codeVersion: '1' });
    expect(staleSince({ ...facts, runs: [left, both] })).toEqual(UNKNOWN);
  });

  it('since nobody knows when, where code or what is further up may have been first', () => {
    expect(upstream(ran(FOURTH, made('sound', { codeVersion: '2' })))).toEqual(UNKNOWN);
    expect(upstream(ran(FOURTH, made('sound', { codeVersion: '1', reason: 'upstream' })))).toEqual(UNKNOWN);
    expect(upstream(ran(FOURTH, made('sound', { codeVersion: '1', reason: 'code' })))).toEqual(UNKNOWN);
    expect(upstream()).toEqual(UNKNOWN);
    const again = ran(SECOND, made('sound'));
    expect(staleSince({ reason: 'upstream', made: undefined, upstreams: ['sound'], runs: [again] })).toEqual(
      UNKNOWN,
    );
  });

  it('and says for versions and code that this is not on record', () => {
    const facts = { made: both, upstreams: ['sound'], runs: [ran(SECOND, made('sound')), both] };
    expect(staleSince({ ...facts, reason: 'version' })).toEqual({
      since: null,
      sinceNote: 'when its key got another version is not on record',
    });
    expect(staleSince({ ...facts, reason: 'code' }).sinceNote).toBe('when its code changed is not on record');
  });
});
