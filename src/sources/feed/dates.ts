/** The dates of feeds, as ISO 8601 in UTC. A date that cannot be read is none: it never decides what an item is. */

const ZONES: Readonly<Record<string, string>> = {
  ut: '+0000', utc: '+0000', z: '+0000', est: '-0500', edt: '-0400', cst: '-0600', cdt: '-0500',
  mst: '-0700', mdt: '-0600', pst: '-0800', pdt: '-0700', bst: '+0100', cet: '+0100', cest: '+0200',
  eet: '+0200', eest: '+0300', msk: '+0300', jst: '+0900', ist: '+0530', aest: '+1000', aedt: '+1100',
}; // prettier-ignore

/** RFC 822 and its kin, ISO 8601 and its parts. Without a zone a time is UTC, so that it is the same on every machine. */
export function isoDate(text: string | null | undefined): string | null {
  const said = text?.trim() ?? '';
  if (said === '') return null;
  const date = /^\d{4}-\d/.test(said) ? fromIso(said) : fromMail(said);
  return date === null || Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function fromIso(text: string): Date {
  const whole = text.replace(/^(\S+)\s+(?=\d)/, '$1T').replace(/\s+(?=[+-])/, '');
  return new Date(/[T]\d/.test(whole) && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(whole) ? `${whole}Z` : whole);
}

/** `Mon, 02 Jan 2006 15:04:05 EST`: the name of the day is left out, as it is often wrong. */
function fromMail(text: string): Date | null {
  const match =
    /^(?:[^\W\d]+\.?,?\s+)?(\d{1,2})[\s-]([^\W\d]{3})[^\W\d]*[\s-](\d{4}|\d\d)(?:\s+(\d{1,2}:\d\d(?::\d\d)?)\s*(.*))?$/.exec(
      text,
    );
  if (match === null) return null;
  const [, day, month, year = '', time = '00:00', zone = ''] = match;
  const whole = year.length === 4 ? year : String(Number(year) + (Number(year) < 70 ? 2000 : 1900));
  return new Date(`${day} ${month} ${whole} ${time} ${zoneOf(zone)}`);
}

function zoneOf(text: string): string {
  const offset = /^(?:GMT|UTC)?\s*([+-]\d\d):?(\d\d)/i.exec(text);
  if (offset !== null) return `${offset[1]}${offset[2]}`;
  return ZONES[/^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? 'z'] ?? '+0000';
}
