/** Time is a value: one clock reading is taken at the edge and passed down. */
import { fail } from './failure.ts';

/** Milliseconds since 1970, UTC. */
export type Millis = number;

/** The first instants whose years have four digits, and five. */
const YEAR_0 = -62_167_219_200_000;
const YEAR_10_000 = 253_402_300_800_000;

/**
 * ISO 8601 in UTC, to the millisecond. Put together by hand: the first `toISOString` of a process looks for the time zone,
 * which costs 1 % of a start.
 * @throws FailureError `clock-unusable` where the year does not have four digits: nobody could read such a record again
 */
export function isoTime(at: Millis): string {
  if (!(at >= YEAR_0 && at < YEAR_10_000)) fail({ reason: 'clock-unusable', ms: at });
  const date = new Date(at);
  if (at < 0) return date.toISOString();
  const day = `${digits(date.getUTCFullYear(), 4)}-${digits(date.getUTCMonth() + 1, 2)}-${digits(date.getUTCDate(), 2)}`;
  const time = `${digits(date.getUTCHours(), 2)}:${digits(date.getUTCMinutes(), 2)}:${digits(date.getUTCSeconds(), 2)}`;
  return `${day}T${time}.${digits(date.getUTCMilliseconds(), 3)}Z`;
}

/** `2026-01-31 07:00 UTC`, for people. */
export function shortTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

/** What the engine needs from outside: a clock, chance, waiting. Tests hold their own. */
export interface Clock {
  now(): Millis;
  /** Milliseconds on the machine's clock that nobody sets, from any beginning. Without one `now` is such a clock. */
  steady?(): Millis;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
  /** Resolves after so many milliseconds, or at once when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** For how long something takes or waits: `now` may be set forward and back meanwhile. */
export function steadyTime(clock: Pick<Clock, 'now' | 'steady'>): Millis {
  return clock.steady?.() ?? clock.now();
}

/** An id that sorts by time and is not met twice: milliseconds, then chance, in base 36. */
export function newId(clock: Clock): string {
  const time = clock.now().toString(36).padStart(9, '0');
  const chance = Math.floor(clock.random() * 36 ** 6)
    .toString(36)
    .padStart(6, '0');
  return `${time}${chance}`;
}

/** A uuid of version 4. Not `crypto`: loading it would cost every first commit more than the commit. */
export function newLineage(clock: Pick<Clock, 'random'>): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(clock.random() * 16).toString(16));
  digits[12] = '4';
  digits[16] = '89ab'[Math.floor(clock.random() * 4)]!;
  return digits.join('').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function digits(number: number, count: number): string {
  return String(number).padStart(count, '0');
}
