/** When periods of the wall clock begin. Loaded only where an asset has `every`: what knows time zones takes long to load. */
import { Cron } from 'croner';
import type { Every } from '../../definitions/every.ts';
import type { Millis } from '../../model/time.ts';
import type { Period } from '../plan/automate/periods.ts';

/** What the clock on the wall shows, as the `Date` that shows the same in UTC: its days and months can be counted without any time zone. */
type WallTime = Date;

/**
 * The period that a time lies in. A time that the clock skips is moved forward by as much, one that it shows twice is the first one:
 * `compatible`, as the standard for dates (Temporal) calls it.
 */
export function periodAt(every: Every, now: Millis): Period {
  const zone = every.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const wall = hourOnTheWall(now, zone);
  const begin = (number: number): Millis => timeOf(beginOf(every, wall, number), zone);
  // Where the clock was set back a period may have begun that its hands have not come to again.
  let number = 1;
  let start = begin(number);
  let next: Millis | null = null;
  while (start > now) {
    next = start;
    start = begin(--number);
  }
  return { start, next: next ?? begin(number + 1) };
}

/** The begin on or around the day of `wall`, and so many periods from there. */
function beginOf({ period, day, hour, minute }: Every, wall: WallTime, number: number): WallTime {
  const [year, month, date] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()];
  const at = (months: number, days: number, hours: number): WallTime =>
    new Date(Date.UTC(year, month + months, days, hours, minute));
  if (period === 'hour') return at(0, date, wall.getUTCHours() + number);
  if (period === 'day') return at(0, date + number, hour);
  if (period === 'week') return at(0, date + day! - (wall.getUTCDay() || 7) + 7 * number, hour);
  const lastDay = at(number + 1, 0, 0).getUTCDate();
  return at(number, Math.min(day!, lastDay), hour);
}

/** Making one takes longer than all else here. */
const clocks = new Map<string, Intl.DateTimeFormat>();

function clockIn(timeZone: string): Intl.DateTimeFormat {
  const numeric = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric' } as const;
  const clock =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('en', { timeZone, hourCycle: 'h23', ...numeric });
  clocks.set(timeZone, clock);
  return clock;
}

function hourOnTheWall(now: Millis, timeZone: string): WallTime {
  const shown = clockIn(timeZone).formatToParts(now);
  const part = (type: Intl.DateTimeFormatPartTypes): number =>
    Number(shown.find((one) => one.type === type)!.value);
  return new Date(Date.UTC(part('year'), part('month') - 1, part('day'), part('hour')));
}

/** A calendar of one date, as croner reads it: the only time at which it comes. */
function timeOf(wall: WallTime, timezone: string): Millis {
  const date = wall.toISOString().slice(0, '2026-03-29T02:30:00'.length);
  return new Cron(date, { paused: true, timezone }).nextRun(new Date(0))!.getTime();
}
