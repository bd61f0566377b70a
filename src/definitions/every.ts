/** How often an asset is made by itself at most: the words that users write, read as numbers. Pure. */

export const PERIODS = ['hour', 'day', 'week', 'month'] as const;
export type PeriodName = (typeof PERIODS)[number];

/** At most once in each period, from this time of it on. */
export interface Every {
  readonly period: PeriodName;
  /** Of the week, Monday is 1; of the month, and the last one where the month is shorter; else `null`. */
  readonly day: number | null;
  readonly hour: number;
  readonly minute: number;
  /** An IANA name; `null`: that of the machine. */
  readonly timeZone: string | null;
}

type At = Pick<Every, 'day' | 'hour' | 'minute'>;

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** What `at` looks like for each period, and where each begins without it. */
export const AT_EXAMPLES: Readonly<Record<PeriodName, string>> = {
  hour: ':15',
  day: '07:00',
  week: 'mon 07:00',
  month: '1 07:00',
};
const BEGINS: Readonly<Record<PeriodName, string>> = {
  hour: ':00',
  day: '00:00',
  week: 'mon 00:00',
  month: '1 00:00',
};

/** `null` for an `at` that cannot be read. */
export function parseAt(period: PeriodName, at: unknown = BEGINS[period]): At | null {
  if (typeof at !== 'string') return null;
  const [, before = '', hours = '', minutes = ''] = /^(?:([a-z]{3}|\d{1,2}) )?(\d\d)?:(\d\d)$/.exec(at) ?? [];
  const minute = Number(minutes);
  if (minutes === '' || minute > 59) return null;
  if (period === 'hour') return before + hours === '' ? { day: null, hour: 0, minute } : null;
  const hour = Number(hours);
  if (hours === '' || hour > 23) return null;
  if (period === 'day') return before === '' ? { day: null, hour, minute } : null;
  const day = period === 'week' ? WEEKDAYS.indexOf(before) + 1 : Number(before);
  return day >= 1 && day <= 31 ? { day, hour, minute } : null;
}

/** Whether the machine knows a time zone of this name. */
export function isTimeZone(name: unknown): boolean {
  if (typeof name !== 'string') return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}
