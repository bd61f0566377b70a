/** Figures for Prometheus: read back by the grammar of its text format, and checked as `promtool check metrics` does. */
import { describe, expect, it } from 'vitest';
import { NO_INCIDENTS } from '../../src/model/incident.ts';
import { prometheusText } from '../../src/report/prometheus.ts';
import type { StatusReport } from '../../src/report/status-report.ts';
import { opened } from '../../src/engine/plan/incidents/open-incidents.ts';
import { AT, tickRecord } from '../support/builders.ts';

const NOW = Date.parse(AT) + 90_000;

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

/** The text format, version 0.0.4, letter by letter. @throws where it is not that */
function parsed(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  let help: { readonly name: string; readonly text: string } | null = null;
  let family: [string, Family] | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    const helps = /^# HELP ([a-zA-Z_:][\w:]*) (.*)$/.exec(line);
    const types = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|untyped)$/.exec(line);
    if (helps !== null) help = { name: helps[1]!, text: helps[2]! };
    else if (types !== null) {
      const name = types[1]!;
      if (help?.name !== name || families.has(name)) throw new Error(`TYPE of ${name} is out of place`);
      family = [name, { type: types[2]!, help: help.text, samples: new Map() }];
      families.set(...family);
    } else {
      const [, name, labels = '', value = ''] =
        /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(line) ?? [];
      if (name === undefined || name !== family?.[0]) throw new Error(`no sample: ${line}`);
      const read = JSON.stringify(labelsIn(labels));
      if (family[1].samples.has(read)) throw new Error(`twice: ${line}`);
      family[1].samples.set(read, Number(value));
    }
  }
  return families;
}

function labelsIn(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/.exec(rest);
    if (match === null) throw new Error(`no label: ${rest}`);
    if (Object.hasOwn(labels, match[1]!)) throw new Error(`a label twice: ${rest}`);
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));
    rest = rest.slice(match[0].length);
  }
  return labels;
}

const counts = {
  total: 6,
  materialized: 3,
  failed: 1,
  inProgress: 1,
  skipped: 0,
  missing: 1,
  stale: 2,
  backlog: 1,
};
const report: StatusReport = {
  assets: [
    {
      asset: 'audio',
      set: 'a"b\\c\nd',
      ...counts,
      retryAt: null,
      madeAt: AT,
      freshness: 'fail',
      overdue: true,
    },
    { asset: 'plain', set: null, ...counts, retryAt: null, madeAt: null, freshness: null, overdue: false },
  ],
  sensors: [
    {
      sensor: 'feed',
      status: 'RUNNING',
      lastTick: tickRecord({ sensor: 'feed', status: 'FAILURE', startedAt: AT, finishedAt: AT }),
      newKeysBy: null,
      overdue: true,
    },
    { sensor: 'quiet', status: 'STOPPED', lastTick: null, newKeysBy: null, overdue: false },
  ],
  workers: [{ id: 'w', host: 'vm', pid: 7, since: AT, lastSeen: AT, runs: ['a', 'b'], pools: [] }],
};
const { list: incidents } = opened(
  NO_INCIDENTS,
  { kind: 'run-failed', asset: 'audio', sensor: null, code: 'asset-threw', message: '', names: [] },
  AT,
);

describe('figures for Prometheus', () => {
  const families = parsed(prometheusText({ report, incidents, serial: 12, now: NOW }));
  const value = (name: string, labels: Record<string, string>) =>
    families.get(name)?.samples.get(JSON.stringify(labels));

  it('are what status knows', () => {
    const set = 'a"b\\c\nd';
    expect(value('dynpart_keys', { asset: 'audio', set, state: 'materialized' })).toBe(3);
    const all = [...families.get('dynpart_keys')!.samples].filter(([labels]) => labels.includes('audio'));
    expect(all.reduce((sum, [, count]) => sum + count, 0)).toBe(counts.total);
    expect(value('dynpart_keys_stale', { asset: 'audio', set })).toBe(2);
    expect(value('dynpart_asset_made_timestamp_seconds', { asset: 'audio', set })).toBe(
      Date.parse(AT) / 1000,
    );
    expect(value('dynpart_asset_overdue', { asset: 'audio', set })).toBe(1);
    expect(value('dynpart_asset_made_timestamp_seconds', { asset: 'plain', set: '' })).toBeUndefined();
    expect(value('dynpart_sensor_failing', { sensor: 'feed' })).toBe(1);
    expect(value('dynpart_sensor_running', { sensor: 'quiet' })).toBe(0);
    expect(value('dynpart_sensor_last_tick_age_seconds', { sensor: 'feed' })).toBe(90);
    expect(value('dynpart_worker_runs', { id: 'w', host: 'vm', pid: '7' })).toBe(2);
    expect(value('dynpart_incidents', { kind: 'run-failed' })).toBe(1);
    expect(value('dynpart_incidents', { kind: 'stuck' })).toBe(0);
    expect(value('dynpart_state_serial', {})).toBe(12);
  });

  it('have a name, a unit and words as promtool asks for them', () => {
    for (const [name, { help, type }] of families) {
      expect(name).toMatch(/^dynpart_[a-z]+(?:_[a-z]+)*$/);
      // `_total`, `_count`, `_sum` and `_bucket` are of other types.
      expect([name, type, /_(?:total|count|sum|bucket)$/.test(name)]).toEqual([name, 'gauge', false]);
      expect(help).toMatch(/^[A-Z].*\.$/);
    }
  });

  it('are no text of a state in which there is nothing', () => {
    const nothing = prometheusText({
      report: { assets: [], sensors: [], workers: [] },
      incidents: [],
      serial: 0,
      now: NOW,
    });
    expect([...parsed(nothing).keys()]).toEqual([
      'dynpart_workers',
      'dynpart_incidents',
      'dynpart_state_serial',
    ]);
  });
});
