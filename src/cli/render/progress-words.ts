/** The line that shows how runs go, in words. Pure: what is known and a width → a line. */
import { counted, duration, grouped, printable } from '../../model/text.ts';
import type { Width } from './table.ts';

export interface Progress {
  /** On record, however they ended, but for those that were canceled. */
  readonly done: number;
  /** Whose code has ended. */
  readonly over: number;
  readonly failed: number;
  readonly canceled: number;
  readonly left: number;
}

/** What a line shows. */
export interface Going extends Progress {
  readonly ms: number;
  readonly running: number;
  readonly longest: Longest | undefined;
}

/** The run that began first. */
interface Longest {
  readonly partitionKey: string | null;
  readonly ms: number;
}

/** Of a row: the sign that it is alive, the `^C` that a terminal shows behind the line, and the last place. */
const TAKEN = 5;

/** In one row: of what runs, the key is left out first, then all. */
export function progressLine(
  { ms, running, longest, ...progress }: Going,
  { columns, width }: { readonly columns: number; readonly width: Width },
): string {
  if (longest !== undefined)
    for (const one of [longest, { ...longest, partitionKey: null }]) {
      const line = progressInWords(progress, ms, `${grouped(running)} running${longestInWords(one)}`);
      if (width(line) <= columns - TAKEN) return line;
    }
  return progressInWords(progress, ms, undefined);
}

/** @param running in words; `undefined`: none is */
export function progressInWords(
  { done, over, failed, canceled, left }: Progress,
  ms: number,
  running: string | undefined,
): string {
  const toMake = done + left;
  const made = Math.min(Math.max(over, done), toMake);
  const rate = (made * 1000) / Math.max(1, ms);
  const toGo = toMake - made;
  const parts = [
    `${grouped(made)} of ${counted(toMake + canceled, 'run')}`,
    ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
    ...(canceled > 0 ? [`${grouped(canceled)} canceled`] : []),
    ...(running === undefined ? [] : [running]),
    ...(rate > 0 ? [`${rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate))}/s`] : []),
    ...(rate > 0 && toGo > 0 ? [`about ${duration((toGo / rate) * 1000)} left`] : []),
  ];
  return parts.join(', ');
}

/** So many letters of a key are enough to know it by in a line that is redrawn. */
const SHORT_KEY = 24;

/** Which one runs for how long: the one to look at when nothing moves. */
function longestInWords({ partitionKey, ms }: Longest): string {
  if (ms < 2000) return '';
  if (partitionKey === null) return ` (for ${duration(ms)})`;
  const key = printable(partitionKey);
  return ` (${key.length > SHORT_KEY ? `${key.slice(0, SHORT_KEY - 1)}…` : key} for ${duration(ms)})`;
}
