/** Failed keys that are tried again, as the document keeps them: by key, since there are few, in the order of the set. */
import type { NextTry } from '../../model/next-try.ts';
import { positionsOf } from './key-positions.ts';
import { entryOf, type RetryEntry, type StateDocument, type StatusColumn } from './state-document.ts';
import { columnOf } from './status-column.ts';

export type Retries = ReadonlyMap<string | null, NextTry>;

const NONE: Retries = new Map();

export function retriesIn(column: StatusColumn | undefined): Retries {
  if (column?.retries === undefined) return NONE;
  return new Map(column.retries.map(([key, failures, at]) => [key, { failures, at }]));
}

export function retriesOf(document: StateDocument, asset: string, set: string | null): Retries {
  const entry = entryOf(document.assets, asset);
  return entry === undefined ? NONE : retriesIn(columnOf(entry, set));
}

/** A column without the field where there is nothing to keep. @param all the keys of the set, in order */
export function withRetries(column: StatusColumn, retries: Retries, all: readonly string[]): StatusColumn {
  const { retries: _, ...rest } = column;
  if (retries.size === 0) return rest;
  const entry = (key: string | null): RetryEntry => {
    const { failures, at } = retries.get(key)!;
    return [key, failures, at];
  };
  if (column.set === null) return { ...rest, retries: [entry(null)] };
  const places = [...positionsOf(all, [...retries.keys()] as string[])].sort(([, a], [, b]) => a - b);
  return { ...rest, retries: places.map(([key]) => entry(key)) };
}

/** The keys of an asset that are to be tried again by this time. */
export function dueKeys(retries: Retries, by: string): ReadonlySet<string | null> {
  const due = new Set<string | null>();
  for (const [key, { at }] of retries) if (at !== null && at <= by) due.add(key);
  return due;
}

/** The first time after this one at which a key is to be tried again. */
export function nextRetry({ assets }: StateDocument, after: string): string | null {
  let next: string | null = null;
  for (const entry of Object.values(assets))
    for (const { retries = [] } of [entry, ...(entry.before ?? [])])
      for (const [, , at] of retries)
        if (at !== null && at > after && (next === null || at < next)) next = at;
  return next;
}
