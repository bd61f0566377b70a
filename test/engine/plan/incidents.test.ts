/** Who is told what, and when: pure, so that clocks can jump. */
import { describe, expect, it } from 'vitest';
import { opened } from '../../../src/engine/plan/incidents/open-incidents.ts';
import { callHooks, tidied, toldBy, untoldBy, type Wanted } from '../../../src/engine/plan/incidents/tell.ts';
import { type Incidents, MOST_NAMES, NO_INCIDENTS } from '../../../src/model/incident.ts';
import { isoTime } from '../../../src/model/time.ts';

const NOW = Date.parse('2026-03-02T07:00:00.000Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const hook: Wanted = { name: '1', on: new Set(['run-failed', 'recovered']), remindEveryMs: 24 * HOUR };
const failure = (names: readonly string[] = ['a']) => ({
  kind: 'run-failed' as const,
  asset: 'copy',
  sensor: null,
  code: 'asset-threw',
  message: 'it is bad',
  names,
});
const failed = (at = NOW, names?: readonly string[]): Incidents =>
  opened(NO_INCIDENTS, failure(names), isoTime(at));
const call = (incidents: Incidents, now: number, gatherMs = 0) =>
  callHooks(tidied(incidents, { hooks: [hook], now }), { hooks: [hook], now, gatherMs });
const over = ({ list, calling }: Incidents, at: number): Incidents => ({
  list: list.map((one) => ({ ...one, over: { at: isoTime(at), why: 'well' } })),
  calling,
});
/** What it comes to when a hook takes what it is given. */
const tell = (incidents: Incidents, now: number) => {
  const called = call(incidents, now);
  const after = called.messages.reduce((before, message) => toldBy(before, message, now), called.incidents);
  return { after, told: called.messages.flatMap(({ due }) => due.map(({ occasion }) => occasion)) };
};

describe('hooks', () => {
  it('are called for what begins, reminded of what goes on, and told of its end; then nothing is left', () => {
    const first = tell(failed(), NOW);
    expect(first.told).toEqual(['opened']);
    expect(tell(first.after, NOW + 23 * HOUR).told).toEqual([]);
    const second = tell(first.after, NOW + 24 * HOUR);
    expect(second.told).toEqual(['reminder']);
    const third = tell(over(second.after, NOW + 25 * HOUR), NOW + 25 * HOUR);
    expect(third.told).toEqual(['recovered']);
    expect(third.after.list).toHaveLength(1);
    expect(tell(third.after, NOW + 25 * HOUR + MINUTE).after).toEqual(NO_INCIDENTS);
  });

  it('are told no two things of an incident within a minute, whatever it does', () => {
    let incidents: Incidents = NO_INCIDENTS;
    const told: number[] = [];
    for (let at = NOW; at < NOW + 10 * MINUTE; at += 5000) {
      incidents = (at / 5000) % 2 === 0 ? opened(incidents, failure(), isoTime(at)) : over(incidents, at);
      const { after, told: now } = tell(incidents, at);
      incidents = after;
      if (now.length > 0) told.push(at);
    }
    expect(told.length).toBeGreaterThan(3);
    for (const [at, time] of told.entries())
      if (at > 0) expect(time - told[at - 1]!).toBeGreaterThanOrEqual(MINUTE);
  });

  it('are not told again when the clock is set back, and reminded no later than an interval after that', () => {
    const { after } = tell(failed(), NOW);
    const before = NOW - 30 * 24 * HOUR;
    const back = tell(after, before);
    expect(back.told).toEqual([]);
    expect(tell(back.after, before + 23 * HOUR).told).toEqual([]);
    expect(tell(back.after, before + 24 * HOUR).told).toEqual(['reminder']);
  });

  it('are told at once of what was committed under a clock that was set back since', () => {
    expect(tell(failed(), NOW - 30 * 24 * HOUR).told).toEqual(['opened']);
    expect(call(failed(), NOW - HOUR, 5000).messages).toHaveLength(1);
  });

  it('are called by one process alone, and by another one a minute later, also when the clock was set back', () => {
    const claimed = call(failed(), NOW).incidents;
    expect(call(claimed, NOW + MINUTE - 1).messages).toEqual([]);
    expect(call(claimed, NOW + MINUTE).messages).toHaveLength(1);
    const back = tidied(claimed, { hooks: [hook], now: NOW - HOUR });
    expect(call(back, NOW - HOUR).messages).toEqual([]);
    expect(call(back, NOW - HOUR + MINUTE).messages).toHaveLength(1);
  });

  it('are waited for twice as long after each try, and an hour at most', () => {
    let incidents = failed();
    const at: number[] = [];
    for (let now = NOW; now < NOW + 8 * HOUR; now += MINUTE) {
      const called = call(incidents, now);
      if (called.messages.length > 0) at.push((now - NOW) / MINUTE);
      incidents = called.incidents;
    }
    expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423]);
  });

  it('are said once to have failed, until they take something', () => {
    const { incidents } = call(failed(), NOW);
    const said = untoldBy(incidents, '1');
    expect(said).not.toBe(incidents);
    expect(untoldBy(said, '1')).toBe(said);
    const again = call(said, NOW + MINUTE).incidents;
    expect(untoldBy(again, '1')).toBe(again);
  });

  it('know when something will be due though nothing happens', () => {
    const { after } = tell(failed(), NOW);
    expect(call(after, NOW + 1).nextAt).toBe(NOW + 24 * HOUR);
    expect(call(failed(), NOW, 5000).nextAt).toBe(NOW + 5000);
    expect(call(NO_INCIDENTS, NOW).nextAt).toBeNull();
  });

  it('that are gone from the pipeline keep nothing in the state', () => {
    const { incidents } = call(failed(), NOW);
    expect(tidied(incidents, { hooks: [], now: NOW }).calling).toEqual({});
  });

  it('may have the name of what every object inherits', () => {
    const own = { ...hook, name: 'constructor' };
    expect(callHooks(failed(), { hooks: [own], now: NOW, gatherMs: 0 }).messages).toHaveLength(1);
  });
});

describe('an incident', () => {
  it('knows its first hundred keys by name, each once, and how many more there are', () => {
    const many = Array.from({ length: 150 }, (_, at) => `k${at}`);
    const [one] = opened(failed(NOW, many), failure(['k0', 'z']), isoTime(NOW)).list;
    expect(one).toMatchObject({ names: many.slice(0, MOST_NAMES), more: 51 });
  });

  it('stays as it is where nothing new is found', () => {
    const before = failed();
    expect(opened(before, failure(), isoTime(NOW + HOUR))).toBe(before);
  });
});
