/** Every invariant of a state can be seen to be broken. */
import { outcomeOf } from '../../../src/model/run.ts';
import { describe, expect, it } from 'vitest';
import { checkState } from '../../../src/state/document/check-state.ts';
import type { SpentRunKeys, StateDocument } from '../../../src/state/document/state-document.ts';
import { AT, tickRecord } from '../../support/builders.ts';
import { fullDocument, runGroup } from '../../support/documents.ts';

const full = fullDocument();
const letters = full.sets['letters']!;
const feed = full.sensors['feed']!;
/** Spent by the run of the full document that has a run key of its own. */
const X = ['x', 'letters', 'a'] as const;
const MADE = outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 1, metadata: {} });
const spending = (runKeys: SpentRunKeys): StateDocument['sensors'] => ({ feed: { ...feed, runKeys } });

describe('checking a state', () => {
  it('finds nothing in one that is whole', () => {
    expect(checkState(full)).toEqual([]);
  });

  it.each<{ code: string; says: string; broken: Partial<StateDocument> }>([
    {
      code: 'duplicate-key',
      says: '"b"',
      broken: { sets: { letters: { ...letters, keys: ['a', 'b', 'b'] } } },
    },
    {
      code: 'invalid-key',
      says: 'control character',
      broken: { sets: { letters: { ...letters, keys: ['a', 'b', 'c\n'] } } },
    },
    { code: 'invalid-key', says: 'empty', broken: { sets: { letters: { ...letters, keptOut: [''] } } } },
    { code: 'kept-out-key', says: '"a"', broken: { sets: { letters: { ...letters, keptOut: ['a'] } } } },
    {
      code: 'shape',
      says: 'runs[0].id',
      broken: { runs: [{ ...runGroup({}), id: '../../elsewhere' }] },
    },
    {
      code: 'shape',
      says: 'executors[0].id',
      broken: { executors: [{ ...full.executors[0]!, id: 'a\n/b' }] },
    },
    {
      code: 'shape',
      says: 'assets.audio.status',
      broken: { assets: { audio: { set: 'letters', status: '....' } } },
    },
    {
      code: 'shape',
      says: 'assets.report.status',
      broken: { assets: { report: { set: null, status: 'mm' } } },
    },
    {
      code: 'shape',
      says: 'assets.audio.status',
      broken: { assets: { audio: { set: 'constructor', status: '.' } } },
    },
    {
      code: 'shape',
      says: 'sensors.feed.runKeys.ofKeys.letters',
      broken: { sensors: spending({ ofKeys: { letters: '1111' }, other: [X] }) },
    },
    {
      code: 'duplicate-run-key',
      says: '"once"',
      broken: {
        sensors: spending({
          ofKeys: { letters: '11' },
          other: [['once', null, null], ['once', 'letters', 'a'], X],
        }),
      },
    },
    {
      code: 'duplicate-executor',
      says: 'twice',
      broken: { executors: [full.executors[0]!, full.executors[0]!] },
    },
    {
      code: 'empty-runs',
      says: 'g',
      broken: { runs: [runGroup({ numbers: [], keys: [], status: '', interrupted: '' })] },
    },
    { code: 'unknown-owner', says: 'nobody', broken: { runs: [runGroup({ owner: 'nobody' })] } },
    { code: 'run-without-assets', says: 'g', broken: { runs: [runGroup({ assets: [] })] } },
    {
      code: 'duplicate-run',
      says: 'g-1',
      broken: { runs: [runGroup(), runGroup({ numbers: [1, 3], runKeys: null })] },
    },
    { code: 'run-numbers', says: 'g-1', broken: { runs: [runGroup({ numbers: [2, 1] })] } },
    { code: 'run-key', says: 'no key', broken: { runs: [runGroup({ keys: ['a', null] })] } },
    { code: 'run-key', says: 'a key', broken: { runs: [runGroup({ set: null, keys: ['a', null] })] } },
    {
      code: 'run-without-key',
      says: '"gone"',
      broken: { runs: [runGroup({ keys: ['a', 'gone'], runKeys: null })] },
    },
    {
      code: 'started-without-owner',
      says: 'g-1',
      broken: { runs: [runGroup({ status: 'sq', startedAt: { '1': AT } })] },
    },
    {
      code: 'duplicate-key',
      says: '"z"',
      broken: { sets: { letters: { ...letters, keptOut: ['z', 'z'] } } },
    },
    { code: 'sensor-version', says: "'feed'", broken: { sensors: { feed: { ...feed, version: 0 } } } },
    {
      code: 'shape',
      says: 'sensors.feed.lastTick.sensor',
      broken: { sensors: { feed: { ...feed, lastTick: tickRecord({ sensor: 'mail' }) } } },
    },
    {
      code: 'last-tick',
      says: 'FAILURE',
      broken: {
        sensors: { feed: { ...feed, lastTick: tickRecord({ sensor: 'feed', status: 'FAILURE' }) } },
      },
    },
    {
      code: 'duplicate-run-key',
      says: 'spent run key "a" twice',
      broken: {
        sensors: spending({ ofKeys: { letters: '11' }, other: [['a', 'letters', 'b'], X] }),
      },
    },
    {
      code: 'duplicate-run-key',
      says: 'spent run key "a" twice',
      broken: {
        sets: { letters, others: { keys: ['a'], added: [[1, AT]], keptOut: [] } },
        sensors: spending({ ofKeys: { letters: '11', others: '1' }, other: [X] }),
      },
    },
    {
      code: 'retries',
      says: 'asset \'audio\' says when "a" is tried again, which is materialized',
      broken: {
        assets: {
          audio: {
            set: 'letters',
            status: 'mf',
            retries: [
              ['a', 1, AT],
              ['b', 1, null],
            ],
          },
        },
      },
    },
    {
      code: 'retries',
      says: "asset 'audio' says twice when a key is tried again",
      broken: {
        assets: {
          audio: {
            set: 'letters',
            status: 'mf',
            retries: [
              ['b', 1, AT],
              ['b', 2, AT],
            ],
          },
        },
      },
    },
    {
      code: 'run-key-place',
      says: 'a key without a set',
      broken: { sensors: spending({ ofKeys: { letters: '11' }, other: [['once', null, 'a'], X] }) },
    },
    {
      code: 'run-key-place',
      says: 'a set without a key',
      broken: { sensors: spending({ ofKeys: { letters: '11' }, other: [['once', 'letters', null], X] }) },
    },
    {
      code: 'run-key-of-no-key',
      says: '"gone"',
      broken: { sensors: spending({ ofKeys: { letters: '11' }, other: [['once', 'letters', 'gone'], X] }) },
    },
    {
      code: 'run-key-not-spent',
      says: 'run g-2 was launched by run key "b"',
      broken: { sensors: spending({ ofKeys: { letters: '1' }, other: [X] }) },
    },
    {
      code: 'duplicate-run-key',
      says: 'run k-1 is not the only one of run key "a"',
      broken: {
        runs: [...full.runs, runGroup({ id: 'k', numbers: [1], keys: ['a'], status: 'q', interrupted: '0' })],
      },
    },
    { code: 'unknown-sensor', says: "'mail'", broken: { runs: [runGroup({ sensor: 'mail' })] } },
    {
      code: 'owned-since',
      says: 'serial 8',
      broken: { runs: [runGroup({ owner: 'e', ownedSince: 8 })] },
    },
    {
      code: 'interrupted-too-often',
      says: 'g-2 was interrupted 3 times',
      broken: { runs: [runGroup({ interrupted: '23' })] },
    },
    { code: 'started-at', says: 'g-1', broken: { runs: [runGroup({ owner: 'e', status: 'sq' })] } },
    { code: 'started-at', says: 'g-1', broken: { runs: [runGroup({ startedAt: { '1': AT } })] } },
    { code: 'done', says: 'run g-9', broken: { runs: [runGroup({ done: { '9': [MADE] } })] } },
    {
      code: 'done',
      says: "'report' (SUCCESS)",
      broken: { runs: [runGroup({ done: { '1': [{ ...MADE, asset: 'report' }] } })] },
    },
    {
      code: 'done',
      says: "'audio' (SKIPPED)",
      broken: { runs: [runGroup({ done: { '1': [{ ...MADE, status: 'SKIPPED' }] } })] },
    },
    {
      code: 'shape',
      says: 'runs[0].done.1[0].attempts',
      broken: { runs: [runGroup({ done: { '1': [{ ...MADE, attempts: -1 }] } })] },
    },
    {
      code: 'shape',
      says: 'sets.letters.added[0][1]',
      broken: { sets: { letters: { ...letters, added: [[3, 'yesterday']] } } },
    },
    {
      code: 'shape',
      says: 'sensors.feed.lastTick.startedAt',
      broken: {
        sensors: { feed: { ...feed, lastTick: { ...tickRecord({ sensor: 'feed' }), startedAt: '' } } },
      },
    },
    {
      code: 'shape',
      says: 'sensors.feed.lastTick.finishedAt',
      broken: {
        sensors: { feed: { ...feed, lastTick: { ...tickRecord({ sensor: 'feed' }), finishedAt: 'x' } } },
      },
    },
    {
      code: 'shape',
      says: 'executors[0].since',
      broken: { executors: [{ ...full.executors[0]!, since: 'now' }] },
    },
    { code: 'shape', says: 'runs[0].createdAt', broken: { runs: [runGroup({ createdAt: '' })] } },
    {
      code: 'shape',
      says: 'runs[0].startedAt.1',
      broken: { runs: [runGroup({ owner: 'e', status: 'sq', startedAt: { '1': 'x' } })] },
    },
    {
      code: 'shape',
      says: 'runs[0].startedAt.1',
      broken: { runs: [runGroup({ owner: 'e', status: 'sq', startedAt: { '1': 7 as never } })] },
    },
  ])('finds $code ($says)', ({ code, says, broken }) => {
    const problems = checkState(fullDocument(broken));
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]!.message).toContain(says);
  });

  it('finds everything at once', () => {
    const problems = checkState(
      fullDocument({
        sets: { letters: { ...letters, keys: ['a', 'a', 'b'], keptOut: ['b'] } },
        runs: [runGroup({ owner: 'nobody', keys: ['a', 'c'], runKeys: null })],
      }),
    );
    expect(problems.map(({ code }) => code)).toEqual([
      'duplicate-key',
      'kept-out-key',
      'unknown-owner',
      'run-without-key',
    ]);
  });

  it('allows a run that is being canceled to outlive its key', () => {
    expect(checkState(fullDocument({ runs: [runGroup({ keys: ['a', 'gone'], status: 'qc' })] }))).toEqual([]);
  });

  it('allows a run that is being canceled to outlive its run key, and another run to be launched by it', () => {
    const another = runGroup({ id: 'k', numbers: [1], keys: ['a'], status: 'q', interrupted: '0' });
    expect(checkState(fullDocument({ runs: [runGroup({ status: 'cq' }), another] }))).toEqual([]);
    const released = spending({ ofKeys: { letters: '.1' }, other: [] });
    expect(checkState(fullDocument({ runs: [runGroup({ status: 'cq' })], sensors: released }))).toEqual([]);
  });

  it('allows an executor that owns nothing, more slots than the concurrency, and times out of order', () => {
    const slots = { ...full.executors[0]!, slots: 99 };
    const added = [
      [2, '2026-01-02T00:00:00.000Z'],
      [1, AT],
    ] as const;
    expect(
      checkState(fullDocument({ runs: [], executors: [slots], sets: { letters: { ...letters, added } } })),
    ).toEqual([]);
  });

  it('allows one run key of two sensors, and two runs of one key without run keys', () => {
    const mail = { ...feed, lastTick: null };
    const runs = [
      runGroup(),
      runGroup({ id: 'k', sensor: 'mail' }),
      runGroup({ id: 'l', runKeys: null }),
      runGroup({ id: 'm', sensor: null, runKeys: null, origin: 'materialize' }),
    ];
    expect(checkState(fullDocument({ runs, sensors: { feed, mail } }))).toEqual([]);
  });

  it('lets nothing through that could disturb a terminal', () => {
    const problems = checkState(
      fullDocument({ sets: { letters: { ...letters, keys: ['a', 'b', '\u001b[31m\u202e'] } } }),
    );
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    for (const { message } of problems) expect(message).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(problems).toHaveLength(1);
  });
});
