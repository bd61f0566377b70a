/** `'5s'`, `'10m'`, `'1.5h'`, `'7d'` → milliseconds. */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

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
