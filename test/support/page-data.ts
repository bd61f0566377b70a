/** The data of pages for tests: a small one with a bit of everything, and one as large as is promised. */
import { LETTERS, type PageData, type PageRun, type PageSet } from '../../src/report/page-data.ts';
import type { PageAsset } from '../../src/report/page-data.ts';
import { AT } from './builders.ts';

export function pageAsset(asset: string, fields: Partial<PageAsset> = {}): PageAsset {
  return {
    asset,
    set: 'items',
    total: 0,
    materialized: 0,
    failed: 0,
    inProgress: 0,
    skipped: 0,
    missing: 0,
    stale: 0,
    backlog: 0,
    retryAt: null,
    madeAt: null,
    freshness: null,
    overdue: false,
    inputs: [],
    deps: [],
    ...fields,
  };
}

/** Each key in the state that its letters say. */
export function pageSet(keys: readonly string[], states: Readonly<Record<string, string>>): PageSet {
  return {
    set: 'items',
    total: keys.length,
    assets: Object.keys(states),
    keys,
    added: [[keys.length, AT]],
    states,
    carried: {},
    carriedLeftOut: 0,
  };
}

export function pageRun(id: string, fields: Partial<PageRun> = {}): PageRun {
  return {
    id,
    key: 'a',
    status: 'SUCCESS',
    cause: 'sensor',
    sensor: 'feed',
    retryOf: null,
    createdAt: AT,
    startedAt: AT,
    finishedAt: AT,
    error: null,
    assets: [],
    ...fields,
  };
}

export function pageData(fields: Partial<PageData> = {}): PageData {
  return {
    at: AT,
    version: '1.2.3',
    place: '/here/.dynpart/state.json',
    serial: 3,
    isLive: false,
    trouble: null,
    letters: LETTERS,
    shows: { items: true, metadata: true, logs: true },
    assets: [],
    attention: [],
    sensors: [],
    workers: [],
    sets: [],
    runs: [],
    logs: {},
    ...fields,
  };
}

/** Keys of which one in a thousand has failed somewhere, by assets in a chain with side branches. */
export function largeData(keyCount: number, assetCount: number): PageData {
  const names = Array.from({ length: assetCount }, (_, at) => `asset-${at + 1}`);
  const keys = Array.from({ length: keyCount }, (_, at) => `episode-${String(at).padStart(6, '0')}`);
  const letterAt = (key: number, asset: number): string => {
    if ((key * 31 + asset * 17) % 20_011 === 7) return 'f';
    if (key > keyCount * 0.97) return key % 3 === 0 ? 'p' : '.';
    return (key + asset) % 977 === 0 ? 's' : 'm';
  };
  const states = Object.fromEntries(
    names.map((name, asset) => [name, keys.map((_, key) => letterAt(key, asset)).join('')]),
  );
  const count = (name: string, letter: string): number => states[name]!.split(letter).length - 1;
  return pageData({
    sets: [pageSet(keys, states)],
    assets: names.map((name, at) =>
      pageAsset(name, {
        total: keyCount,
        materialized: count(name, 'm') + count(name, 's'),
        stale: count(name, 's'),
        failed: count(name, 'f'),
        inProgress: count(name, 'p'),
        missing: count(name, '.'),
        inputs: at === 0 ? [] : [names[at % 3 === 0 ? at - 1 : Math.floor(at / 2)]!],
      }),
    ),
    runs: Array.from({ length: 1000 }, (_, at) =>
      pageRun(`r-${at}`, {
        key: keys[at]!,
        status: at % 20 === 0 ? 'FAILURE' : 'SUCCESS',
        finishedAt: new Date(Date.parse(AT) + (at % 90) * 1000).toISOString(),
        assets: [
          {
            asset: 'asset-1',
            status: at % 20 === 0 ? 'FAILURE' : 'SUCCESS',
            attempts: 1,
            reason: 'missing',
            said: at % 20 === 0 ? 'the server answered 503' : null,
            metadata: {},
            warnings: [],
          },
        ],
      }),
    ),
  });
}
