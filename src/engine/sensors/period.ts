/** When periods of the wall clock begin. Loaded only where an asset has `every`: what knows time zones takes long to load. */
import { Temporal } from 'temporal-polyfill';
import type { Every } from '../../definitions/every.ts';
import type { Millis } from '../../model/time.ts';
import type { Period } from '../plan/automate/periods.ts';

/**
 * The period that a time lies in. A time that the clock skips is moved forward by as much, one that it shows twice is the first one:
 * `compatible`, as Temporal calls it.
 */
export function periodAt(every: Every, now: Millis): Period {
  const zone = every.timeZone ?? Temporal.Now.timeZoneId();
  const local = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(zone).toPlainDateTime();
  const begin = (number: number): Millis =>
    beginOf(every, local, number).toZonedDateTime(zone).epochMilliseconds;
  // Where the clock was set back a period may have begun that its hands have not come to again.
  let number = 1;
  while (begin(number) > now) number--;
  return { start: begin(number), next: begin(number + 1) };
}

/** The begin on or around the day of `local`, and so many periods from there. */
function beginOf(
  { period, day, hour, minute }: Every,
  local: Temporal.PlainDateTime,
  number: number,
): Temporal.PlainDateTime {
  if (period === 'hour')
    return local
      .round({ smallestUnit: 'hour', roundingMode: 'floor' })
      .add({ minutes: 60 * number + minute });
  const date = local.toPlainDate();
  const at = { hour, minute };
  if (period === 'day') return date.add({ days: number }).toPlainDateTime(at);
  if (period === 'week') return date.add({ days: day! - date.dayOfWeek + 7 * number }).toPlainDateTime(at);
  return date.with({ day: 1 }).add({ months: number }).with({ day: day! }).toPlainDateTime(at);
}
