/** Of which assets nothing that is missing can be made before what failed above them. */
import { describe, expect, it } from 'vitest';
import type { KnownAsset } from '../../src/model/known-pipeline.ts';
import { behindFailed } from '../../src/report/behind-failed.ts';
import { lateOf } from '../../src/report/late.ts';
import type { AssetReport } from '../../src/report/status-report.ts';

interface Counted extends Partial<Omit<KnownAsset, 'name'>> {
  readonly counts: Partial<AssetReport>;
}

const pipelineOf = (
  of: Readonly<Record<string, Counted>>,
): { assets: AssetReport[]; known: KnownAsset[] } => {
  const assets = Object.entries(of).map(([asset, { set = 'items', counts }]) => {
    const none = { total: 9, inProgress: 0, failed: 0, skipped: 0, materialized: 0, missing: 0, stale: 0 };
    const rest = { backlog: 0, retryAt: null, madeAt: null, freshness: null, overdue: false };
    return { asset, set, ...none, ...rest, ...counts };
  });
  const known = Object.entries(of).map(([name, one]) => ({
    name,
    set: 'items',
    inputs: [],
    deps: [],
    ...one,
  }));
  return { assets, known };
};

const behind = (of: Readonly<Record<string, Counted>>): Record<string, string[]> => {
  const { assets, known } = pipelineOf(of);
  return Object.fromEntries(Array.from(behindFailed(assets, known), ([name, above]) => [name, [...above]]));
};

const raw = { counts: { failed: 2 } };

describe('an asset is behind what failed', () => {
  it('where as many keys failed above it as are missing, or more', () => {
    for (const [missing, found] of [
      [1, { sum: ['raw'] }],
      [2, { sum: ['raw'] }],
      [3, {}],
      [0, {}],
    ] as const)
      expect(behind({ raw, sum: { inputs: ['raw'], counts: { missing } } })).toEqual(found);
  });

  it('by way of what is missing in between, which is made as well', () => {
    const sum = { inputs: ['raw'], counts: { missing: 2 } };
    expect(behind({ raw, sum, top: { deps: ['sum'], counts: { missing: 2 } } })).toEqual({
      sum: ['raw'],
      top: ['raw', 'sum'],
    });
    const some = { ...sum, counts: { missing: 3 } };
    expect(behind({ raw, sum: some, top: { deps: ['sum'], counts: { missing: 3 } } })).toEqual({});
  });

  it('by several together', () => {
    const two = { inputs: ['raw', 'also'], counts: { missing: 3 } };
    expect(behind({ raw, also: { counts: { failed: 1 } }, two })).toEqual({ two: ['raw', 'also'] });
  });

  it('with all of its keys, where one failed that it is made of with any key', () => {
    const none = { set: null, counts: { failed: 1 } };
    expect(behind({ none, sum: { deps: ['none'], counts: { missing: 9 } } })).toEqual({ sum: ['none'] });
    const all = { set: null, gathers: [{ asset: 'raw' }], counts: { missing: 1 } };
    expect(behind({ raw, all })).toEqual({ all: ['raw'] });
  });

  it('but not where that is not known, or where a backlog would be made with it', () => {
    const counts = { missing: 1 };
    expect(
      behind({
        raw,
        last: { set: null, gathers: [{ asset: 'raw', last: 3 }], counts },
        mapped: { set: 'days', gathers: [{ asset: 'raw', mapped: true }], counts },
        elsewhere: { inputs: ['not told of'], counts },
      }),
    ).toEqual({});
    const late = { counts: { failed: 1, missing: 5, backlog: 5 } };
    expect(behind({ late, sum: { inputs: ['late'], counts } })).toEqual({});
  });

  it('and is made fresh again with it, where it is overdue', () => {
    const madeAt = '2026-11-26T12:00:00.000Z';
    const counts = { missing: 2, materialized: 1, freshness: 'fail', overdue: true, madeAt } as const;
    const { assets, known } = pipelineOf({
      raw,
      sum: { inputs: ['raw'], freshFor: { failMs: 1000 }, counts },
    });
    const report = { assets, sensors: [], workers: [] };
    const now = Date.parse('2026-11-26T13:00:00.000Z');
    const [late] = lateOf(
      { report, known: { assets: known, sensors: [] }, isWhole: true, now, isVerbose: false },
      behindFailed(assets, known),
    );
    expect(late!.command).toBe('dynpart materialize raw sum --failed --missing');
  });
});
