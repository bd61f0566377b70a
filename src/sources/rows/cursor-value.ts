/** Values of a cursor column: which is later, what lies before one by an overlap, and how they are kept as text. */
import type { CursorValue } from './rows-options.ts';

/** `at` compares; a date text keeps the form in which the database writes it. */
export type Position =
  | { readonly kind: 'date' | 'date text' | 'local text'; readonly at: number }
  | { readonly kind: 'number'; readonly at: number }
  | { readonly kind: 'bigint'; readonly at: string }
  | { readonly kind: 'text'; readonly at: string };

export interface Overlap {
  readonly ms: number | undefined;
  readonly number: number | undefined;
}

const DEFAULT_OVERLAP_MS = 600_000;
const DEFAULT_OVERLAP = 1000;

const ZONED = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?\s*(?:Z|[+-]\d\d(?::?\d\d)?)$/i;
const LOCAL = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?$/;

/** `null` for what no cursor can be. */
export function positionOf(value: unknown): Position | null {
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? null : { kind: 'date', at: value.getTime() };
  if (typeof value === 'number') return Number.isFinite(value) ? { kind: 'number', at: value } : null;
  if (typeof value === 'bigint') return { kind: 'bigint', at: String(value) };
  if (typeof value !== 'string' || value === '') return null;
  if (ZONED.test(value)) {
    const at = Date.parse(
      value
        .replace(' ', 'T')
        .replace(/\s+/, '')
        .replace(/([+-]\d\d)$/, '$1:00'),
    );
    if (!Number.isNaN(at)) return { kind: 'date text', at: Math.floor(at) };
  }
  if (LOCAL.test(value)) {
    // Without a zone it is some zone's, and the same one for all rows: that of UTC does for order and distance.
    const at = Date.parse(`${value.replace(' ', 'T')}${value.includes(':') ? 'Z' : ''}`);
    if (!Number.isNaN(at)) return { kind: 'local text', at };
  }
  return /^-?\d{1,30}$/.test(value) ? { kind: 'bigint', at: value } : { kind: 'text', at: value };
}

/** The later one. @throws Error for two that cannot be compared */
export function later(a: Position | null, b: Position): Position {
  if (a === null) return b;
  if (a.kind !== b.kind) throw new Error(`the cursor column holds a ${b.kind} where it held a ${a.kind}`);
  const isLater = a.kind === 'bigint' ? BigInt(b.at) > BigInt(a.at) : b.at > a.at;
  return isLater ? b : a;
}

/**
 * No later than the clock: a row of the future would hide all that come after it. A local time says not of which zone it is, and
 * may be ahead by fourteen hours.
 */
export function noLaterThan(position: Position, now: number): Position {
  if (position.kind === 'date' || position.kind === 'date text')
    return { ...position, at: Math.min(position.at, now) };
  if (position.kind === 'local text') return { ...position, at: Math.min(position.at, now + 14 * 3_600_000) };
  return position;
}

/** What a query is given: earlier by the overlap, in the type of the column. */
export function before(position: Position, overlap: Overlap): CursorValue {
  const { ms = DEFAULT_OVERLAP_MS, number = DEFAULT_OVERLAP } = overlap;
  switch (position.kind) {
    case 'date':
      return new Date(position.at - ms);
    case 'date text':
      return new Date(position.at - ms).toISOString();
    case 'local text':
      return new Date(position.at - ms)
        .toISOString()
        .replace('T', ' ')
        .replace(/\.000Z$|Z$/, '');
    case 'number':
      return position.at - number;
    case 'bigint':
      return BigInt(position.at) - BigInt(Math.ceil(number));
    case 'text':
      return position.at;
  }
}
