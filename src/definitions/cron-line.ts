/** When a sensor ticks, as five fields of a crontab: what is wrong with a line, in words. When its times come is croner's business. Pure. */

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MOST_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** In their order in the line. */
const FIELDS = [
  { name: 'minute', least: 0, most: 59, words: [] },
  { name: 'hour', least: 0, most: 23, words: [] },
  { name: 'day of the month', least: 1, most: 31, words: [] },
  { name: 'month', least: 1, most: 12, words: MONTHS },
  { name: 'day of the week', least: 0, most: 7, words: WEEKDAYS },
] as const;

type Field = (typeof FIELDS)[number];

/** `null`: it can be read, and its times come. */
export function problemInCronLine(line: unknown): string | null {
  if (typeof line !== 'string') return 'it is no text';
  const texts = line.trim().split(/\s+/);
  if (texts.length !== FIELDS.length)
    return `it has ${texts.length === 1 && texts[0] === '' ? 0 : texts.length} fields and not five: minute, hour, day of the month, month, day of the week`;
  const read = FIELDS.map((field, at) => numbersIn(texts[at]!, field));
  const wrong = read.findIndex((numbers) => numbers === null);
  if (wrong !== -1) {
    const { name, least, most } = FIELDS[wrong]!;
    return `its ${name} is '${texts[wrong]}': *, or ${least} to ${most}, as lists (1,2), ranges (1-5) and steps (*/5)`;
  }
  const [, , days, months] = read as number[][];
  // With a day of the week as well, either of the two is enough.
  const never = months!.every((month) => days!.every((day) => day > MOST_DAYS[month - 1]!));
  return texts[4] === '*' && never ? 'none of these months has such a day' : null;
}

/** `null` for what cannot be read. */
function numbersIn(text: string, field: Field): number[] | null {
  const parts = text.split(',').map((part) => rangeIn(part, field));
  return parts.includes(null) ? null : (parts as number[][]).flat();
}

function rangeIn(part: string, field: Field): number[] | null {
  const { least, most } = field;
  const [, range = '', step = '1'] = /^([^/]+)(?:\/(\d+))?$/.exec(part) ?? [];
  const [first = '', last = first, ...rest] = range.split('-');
  const [from, to] = range === '*' ? [least, most] : [numberOf(first, field), numberOf(last, field)];
  // `5/10` is read in several ways; `5-59/10` is not.
  const isOpen = range !== '*' && !range.includes('-') && part.includes('/');
  if (rest.length > 0 || isOpen || from === null || to === null || from > to || Number(step) < 1) return null;
  return Array.from(
    { length: Math.floor((to - from) / Number(step)) + 1 },
    (_, at) => from + at * Number(step),
  );
}

function numberOf(text: string, { least, most, words }: Field): number | null {
  const at = (words as readonly string[]).indexOf(text.toLowerCase());
  const number = at !== -1 ? at + least : /^\d{1,2}$/.test(text) ? Number(text) : -1;
  return number >= least && number <= most ? number : null;
}
