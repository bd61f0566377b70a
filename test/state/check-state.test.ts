/** Every invariant of a state can be seen to be broken. */
import { describe, expect, it } from 'vitest';
import { checkState } from '../../src/state/check-state.ts';
import type { StateDocument } from '../../src/state/state-document.ts';
import { AT } from '../support/builders.ts';
import { fullDocument, runGroup } from '../support/documents.ts';

const full = fullDocument();
const letters = full.sets['letters']!;
const feed = full.sensors['feed']!;

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
      code: 'status-too-long',
      says: "'audio'",
      broken: { assets: { audio: { set: 'letters', status: '....' } } },
    },
    {
      code: 'status-too-long',
      says: "'report'",
      broken: { assets: { report: { set: null, status: 'mm' } } },
    },
    {
      code: 'status-too-long',
      says: "'audio'",
      broken: { assets: { audio: { set: 'constructor', status: '.' } } },
    },
    {
      code: 'run-keys-too-long',
      says: "'feed'",
      broken: { sensors: { feed: { ...feed, runKeys: { ofKeys: { letters: '1111' }, other: [] } } } },
    },
    {
      code: 'duplicate-run-key',
      says: '"once"',
      broken: {
        sensors: {
          feed: {
            ...feed,
            runKeys: {
              ofKeys: {},
              other: [
                ['once', null, null],
                ['once', 'letters', 'a'],
              ],
            },
          },
        },
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
    { code: 'duplicate-run', says: 'g-1', broken: { runs: [runGroup(), runGroup({ numbers: [1, 3] })] } },
    { code: 'run-numbers', says: 'g-1', broken: { runs: [runGroup({ numbers: [2, 1] })] } },
    { code: 'run-key', says: 'no key', broken: { runs: [runGroup({ keys: ['a', null] })] } },
    { code: 'run-key', says: 'a key', broken: { runs: [runGroup({ set: null, keys: ['a', null] })] } },
    { code: 'run-without-key', says: '"gone"', broken: { runs: [runGroup({ keys: ['a', 'gone'] })] } },
    {
      code: 'started-without-owner',
      says: 'g-1',
      broken: { runs: [runGroup({ status: 'sq', startedAt: { '1': AT } })] },
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
        runs: [runGroup({ owner: 'nobody', keys: ['a', 'c'] })],
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

  it('lets nothing through that could disturb a terminal', () => {
    const problems = checkState(
      fullDocument({ sets: { letters: { ...letters, keys: ['a', 'b', '\u001b[31m\u202e'] } } }),
    );
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    for (const { message } of problems) expect(message).not.toMatch(/[\u0000-\u001f\u202e]/);
    expect(problems).toHaveLength(1);
  });
});
