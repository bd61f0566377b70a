/** When periods begin: at which local time, also on the days on which clocks change. */
import { describe, expect, it } from 'vitest';
import { parseAt, type PeriodName } from '../../../src/definitions/every.ts';
import { periodAt } from '../../../src/engine/sensors/period.ts';

const shown = (ms: number): string => new Date(ms).toISOString().replace(':00.000Z', 'Z');

const periodOf = (period: PeriodName, at: string, timeZone: string, now: string): string => {
  const { start, next } = periodAt({ period, ...parseAt(period, at)!, timeZone }, Date.parse(now));
  return `${shown(start)} to ${shown(next)}`;
};

describe('the period of a time', () => {
  it.each<readonly [PeriodName, string, string, string, string]>([
    // In Berlin it is one hour later than in UTC, two in summer.
    ['day', '07:00', 'Europe/Berlin', '2026-01-10T05:59:59.999Z', '2026-01-09T06:00Z to 2026-01-10T06:00Z'],
    ['day', '07:00', 'Europe/Berlin', '2026-01-10T06:00:00Z', '2026-01-10T06:00Z to 2026-01-11T06:00Z'],
    ['day', '07:00', 'Europe/Berlin', '2026-03-29T04:59Z', '2026-03-28T06:00Z to 2026-03-29T05:00Z'],
    ['day', '07:00', 'Europe/Berlin', '2026-03-29T05:00Z', '2026-03-29T05:00Z to 2026-03-30T05:00Z'],
    // 02:30 does not exist on that day: it is 03:30.
    ['day', '02:30', 'Europe/Berlin', '2026-03-29T01:29Z', '2026-03-28T01:30Z to 2026-03-29T01:30Z'],
    ['day', '02:30', 'Europe/Berlin', '2026-03-29T01:30Z', '2026-03-29T01:30Z to 2026-03-30T00:30Z'],
    // 02:30 comes twice: the first one counts, also when it is 02:10 for the second time.
    ['day', '02:30', 'Europe/Berlin', '2026-10-25T00:29Z', '2026-10-24T00:30Z to 2026-10-25T00:30Z'],
    ['day', '02:30', 'Europe/Berlin', '2026-10-25T00:30Z', '2026-10-25T00:30Z to 2026-10-26T01:30Z'],
    ['day', '02:30', 'Europe/Berlin', '2026-10-25T01:10Z', '2026-10-25T00:30Z to 2026-10-26T01:30Z'],
    ['day', '02:30', 'Europe/Berlin', '2026-10-25T01:30Z', '2026-10-25T00:30Z to 2026-10-26T01:30Z'],
    ['hour', ':15', 'Europe/Berlin', '2026-10-25T00:14Z', '2026-10-24T23:15Z to 2026-10-25T00:15Z'],
    ['hour', ':15', 'Europe/Berlin', '2026-10-25T01:20Z', '2026-10-25T00:15Z to 2026-10-25T02:15Z'],
    ['hour', ':15', 'Europe/Berlin', '2026-03-29T01:10Z', '2026-03-29T00:15Z to 2026-03-29T01:15Z'],
    ['hour', ':00', 'Asia/Kathmandu', '2026-06-01T00:14Z', '2026-05-31T23:15Z to 2026-06-01T00:15Z'],
    ['week', 'mon 07:00', 'UTC', '2026-06-01T06:59Z', '2026-05-25T07:00Z to 2026-06-01T07:00Z'],
    ['week', 'mon 07:00', 'UTC', '2026-06-07T23:00Z', '2026-06-01T07:00Z to 2026-06-08T07:00Z'],
    ['week', 'sun 00:00', 'UTC', '2026-06-07T00:00Z', '2026-06-07T00:00Z to 2026-06-14T00:00Z'],
    ['month', '1 07:00', 'UTC', '2026-06-01T06:00Z', '2026-05-01T07:00Z to 2026-06-01T07:00Z'],
    // The last day of months that have none of that number.
    ['month', '31 07:00', 'UTC', '2026-02-28T08:00Z', '2026-02-28T07:00Z to 2026-03-31T07:00Z'],
    ['month', '31 07:00', 'UTC', '2026-03-30T08:00Z', '2026-02-28T07:00Z to 2026-03-31T07:00Z'],
    // The whole of 30 December 2011 does not exist in Samoa.
    ['day', '12:00', 'Pacific/Apia', '2011-12-30T22:00Z', '2011-12-30T22:00Z to 2011-12-31T22:00Z'],
  ])('each %s at %s in %s, at %s', (period, at, zone, now, expected) => {
    expect(periodOf(period, at, zone, now)).toBe(expected);
  });

  it('begins neither behind its time nor ends before it, and meets the next one, in every hour of two years', () => {
    for (const zone of ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe'])
      for (const [period, at] of [
        ['hour', ':45'],
        ['day', '02:15'],
        ['week', 'sun 02:15'],
      ] as const) {
        const every = { period, ...parseAt(period, at)!, timeZone: zone };
        let before = periodAt(every, Date.UTC(2026, 0, 1));
        for (let now = Date.UTC(2026, 0, 1); now < Date.UTC(2026, 11, 31); now += 5 * 3_600_000) {
          const { start, next } = periodAt(every, now);
          if (!(start <= now && now < next)) throw new Error(`${zone} ${period} ${now}: ${start} ${next}`);
          if (start !== before.start && start < before.next) throw new Error(`${zone} ${period} ${now}`);
          before = { start, next };
        }
      }
  });

  it('is that of the machine where no time zone is named', () => {
    const { start } = periodAt({ period: 'day', day: null, hour: 0, minute: 0, timeZone: null }, Date.now());
    expect(new Date(start).getHours()).toBe(0);
  });
});

describe('a time of a period', () => {
  it.each<readonly [PeriodName, unknown]>([
    ['day', '25:00'],
    ['day', '7:00'],
    ['day', '07:60'],
    ['day', 'mon 07:00'],
    ['day', ':15'],
    ['day', 7],
    ['hour', '07:15'],
    ['hour', '15'],
    ['week', 'mon 7'],
    ['week', 'Mon 07:00'],
    ['week', '07:00'],
    ['week', 'mo 07:00'],
    ['month', '0 07:00'],
    ['month', '32 07:00'],
    ['month', 'mon 07:00'],
    ['month', ' 1 07:00'],
  ])('of each %s is not %j', (period, at) => {
    expect(parseAt(period, at)).toBe(null);
  });
});
