/** Times for a person: how long ago, or the day and hour where the person is. */

/** Younger than this is told as an age. */
const AGES_UNTIL_MS = 86_400_000;

/**
 * `12 s ago`, `2 min ago`, `5 h ago`; from a day on, and for what is still to come, `2026-11-26 13:05` in the machine's zone.
 * @param time ISO 8601
 * @param now in ms since 1970, UTC
 */
export function shortTime(time: string, now: number): string {
  const at = Date.parse(time);
  const ms = now - at;
  if (Number.isNaN(at)) return time;
  if (ms < 0 || ms >= AGES_UNTIL_MS) return localTime(new Date(at));
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

/** `13:05:30`, in the machine's zone. @param now in ms since 1970, UTC */
export function clockTime(now: number): string {
  const date = new Date(now);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
}

function localTime(date: Date): string {
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
