/** `'5s'`, `'10m'`, `'1.5h'`, `'7d'` → milliseconds. */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** A year: what is meant to be longer was mistyped, or is never looked at. */
export const LONGEST_MS = 366 * 86_400_000;

/** `null` for anything else. */
export function parseDuration(text: unknown): number | null {
  if (typeof text !== 'string') return null;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text) ?? [];
  return amount === undefined ? null : Number(amount) * UNITS[unit]!;
}

/** @throws TypeError for anything else, with the name of the option */
export function durationMs(text: string, option: string): number {
  const ms = parseDuration(text);
  if (ms !== null) return ms;
  throw new TypeError(
    `${option} must be a duration such as '5s', '10m', '1h' or '7d', not ${JSON.stringify(text)}`,
  );
}

/** `'7 days'`, `'2 Hours'` or `'1min'` as they are written here; `null` where nothing of the kind is meant. */
export function meantDuration(text: string): string | null {
  const [, amount, unit] =
    /^\s*(\d+(?:\.\d+)?)\s*(ms|s(?=ec|$)|m(?=in|$)|h(?=r|our|$)|d(?=ay|$)|w(?=k|eek|$))[a-z]*\s*$/i.exec(
      text.trim(),
    ) ?? [];
  return unit === undefined ? null : `${amount}${unit.toLowerCase()}`;
}

/** As it was written, or as shortly: `7 d`, `26 h`, `90 min`. */
export function shortDuration(ms: number): string {
  const [unitMs, unit] = SHORT.find(([one]) => ms % one === 0) ?? [1, 'ms'];
  return `${ms / unitMs} ${unit}`;
}

const SHORT = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;
