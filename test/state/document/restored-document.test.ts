/** What a copy becomes in the place of the present state, while other processes are at work on that. */
import { outcomeOf } from '../../../src/model/run.ts';
import * as fc from '../../support/random.ts';
import { describe, expect, it } from 'vitest';
import { checkState } from '../../../src/state/document/check-state.ts';
import { restoredDocument } from '../../../src/state/document/restored-document.ts';
import {
  emptyDocument,
  NEW_SENSOR,
  type RunGroup,
  type StateDocument,
} from '../../../src/state/document/state-document.ts';
import { AT } from '../../support/builders.ts';
import { fullDocument, runGroup } from '../../support/documents.ts';

const ALIVE = { ...fullDocument().executors[0]!, id: 'alive' };
const DEAD = { ...ALIVE, id: 'dead' };

const restored = (copy: StateDocument, present: StateDocument | null, serial = 50): StateDocument =>
  restoredDocument({ copy, present, serial, isAlive: ({ id }) => id === 'alive' });

const executed = (fields: Partial<RunGroup>): RunGroup => runGroup({ owner: 'alive', ...fields });

/** `id letter owner` of every run. */
const runsOf = ({ runs }: StateDocument): string[] =>
  runs
    .flatMap(({ id, numbers, status, owner }) =>
      numbers.map((number, at) => `${id}-${number} ${status[at]} ${owner}`),
    )
    .toSorted();

const withRuns = (executors: StateDocument['executors'], ...runs: RunGroup[]): StateDocument =>
  fullDocument({ executors, runs });

describe('a copy that takes the place of the present state', () => {
  it('has the keys, statuses, cursors and spent run keys of the copy', () => {
    const copy = fullDocument();
    const after = restored(copy, { ...emptyDocument(), serial: 40, lineage: 'l' });
    expect(after).toMatchObject({
      sets: copy.sets,
      assets: copy.assets,
      pipeline: copy.pipeline,
      lineage: 'l',
      serial: 50,
    });
    expect(after.sensors['feed']).toEqual({ ...copy.sensors['feed'], version: 50 });
    expect(checkState(after)).toEqual([]);
  });

  it('queues what was queued or started then, and leaves what was being canceled to be canceled', () => {
    const copy = withRuns(
      [DEAD],
      runGroup(),
      runGroup({ id: 'h', owner: 'dead', ownedSince: 4, status: 'sc', startedAt: { 1: AT } }),
    );
    const after = restored(copy, copy);
    expect(runsOf(after)).toEqual(['g-1 q null', 'g-2 q null', 'h-1 q null', 'h-2 c null']);
    expect(after.executors).toEqual([]);
    expect(
      after.runs.every(
        ({ startedAt, ownedSince }) => ownedSince === 0 && Object.keys(startedAt).length === 0,
      ),
    ).toBe(true);
  });

  it('leaves a run with the live process that executes it, however far that is', () => {
    const copy = withRuns([], runGroup());
    const present = withRuns(
      [ALIVE],
      runGroup({ owner: 'alive', ownedSince: 9, status: 'sq', startedAt: { 1: AT } }),
    );
    const after = restored(copy, present);
    expect(runsOf(after)).toEqual(['g-1 s alive', 'g-2 q alive']);
    expect(after.executors).toEqual([ALIVE]);
    expect(after.runs).toEqual(present.runs);
  });

  it('does not take for done what that one had made and the copy does not know: it is recorded with the end', () => {
    const made = outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 1, metadata: {} });
    const present = withRuns([ALIVE], executed({ done: { '1': [made], '2': [made] } }));
    const copy = withRuns([], runGroup({ done: { '1': [made] } }));
    expect(restored(copy, present).runs).toEqual([executed({ done: { '1': [made] } })]);
    expect(restored(withRuns([], runGroup()), present).runs).toEqual([executed({})]);
    // What belongs to nobody is as the copy has it.
    expect(restored(copy, withRuns([DEAD])).runs).toEqual(copy.runs);
  });

  it('cancels runs of a live process that the copy does not know, so that nobody begins the same key beside it', () => {
    const present = withRuns(
      [ALIVE],
      runGroup({ id: 'new', keys: ['a', 'not in the copy'], owner: 'alive', status: 'sq' }),
    );
    const after = restored(withRuns([], runGroup()), present);
    expect(runsOf(after)).toEqual(['g-1 q null', 'g-2 q null', 'new-1 c alive', 'new-2 c alive']);
    expect(checkState(after)).toEqual([]);
  });

  it('goes on canceling what was being canceled in the copy or is now', () => {
    const copy = withRuns([DEAD], runGroup({ owner: 'dead', status: 'cq' }));
    const present = withRuns([ALIVE], runGroup({ owner: 'alive', status: 'sc' }));
    expect(runsOf(restored(copy, present))).toEqual(['g-1 c alive', 'g-2 c alive']);
  });

  it('keeps nothing of processes that died', () => {
    const present = withRuns([DEAD], runGroup({ id: 'new', owner: 'dead', status: 'ss' }));
    expect(runsOf(restored(withRuns([], runGroup()), present))).toEqual(['g-1 q null', 'g-2 q null']);
  });

  it('lets no evaluation that began before land on it: every sensor has a version that was never met', () => {
    const copy = fullDocument();
    const present = fullDocument({
      sensors: { ...fullDocument().sensors, 'not in the copy': { ...NEW_SENSOR, version: 7 } },
    });
    const after = restored(copy, present);
    expect(after.sensors['feed']!.version).toBe(50);
    expect(after.sensors['not in the copy']).toEqual({ ...NEW_SENSOR, version: 50 });
    expect(
      restored(fullDocument({ sensors: { feed: { ...NEW_SENSOR, version: 99 } } }), null).sensors['feed']!
        .version,
    ).toBe(99);
  });

  it('carries on the entries of writers of the present state, not of the copy', () => {
    const writers = { last: [{ id: 'w', serial: 40 }], forgotten: 2 };
    expect(restored(fullDocument(), fullDocument({ writers })).writers).toEqual(writers);
    expect(restored(fullDocument(), null).writers).toEqual(fullDocument().writers);
  });

  it('is a state without problems, whatever was queued, started or canceled by whom on both sides', () => {
    const group = fc
      .record({
        id: fc.constantFrom('g', 'h', 'i'),
        numbers: fc.constantFrom([1], [2], [1, 2]),
        owner: fc.constantFrom(null, 'alive', 'dead'),
        letters: fc.constantFrom('qq', 'qc', 'sq', 'ss', 'cc'),
      })
      .map(({ id, numbers, owner, letters }) =>
        runGroup({
          id,
          numbers,
          owner,
          keys: numbers.map((number) => (number === 1 ? 'a' : 'b')),
          // Groups share their keys here: as run keys they would have launched twice.
          runKeys: null,
          status: numbers
            .map((_, at) => (owner === null && letters[at] === 's' ? 'q' : letters[at]))
            .join(''),
          interrupted: '0'.repeat(numbers.length),
          startedAt: Object.fromEntries(
            numbers.filter((_, at) => owner !== null && letters[at] === 's').map((number) => [number, AT]),
          ),
        }),
      );
    const document = fc
      .uniqueArray(group, { selector: ({ id }) => id, maxLength: 3 })
      .map((runs) => withRuns([ALIVE, DEAD], ...runs));
    fc.assert(
      fc.property(document, document, (copy, present) => {
        const after = restored(copy, present);
        expect(checkState(after)).toEqual([]);
        const copied = new Map(runsOf(copy).map((run) => run.split(' ') as [string, string]));
        for (const run of runsOf(after)) {
          const [id, letter, owner] = run.split(' ') as [string, string, string];
          // Nobody's runs are the copy's; none is executed that was being canceled or that the copy does not know.
          if (owner === 'null')
            expect(copied.get(id)).toBe(letter === 'c' ? 'c' : copied.get(id) === 's' ? 's' : 'q');
          else expect(owner).toBe('alive');
          if ((copied.get(id) ?? 'c') === 'c') expect(letter).toBe('c');
        }
        const there = new Set(runsOf(after).map((run) => run.split(' ')[0]));
        for (const id of copied.keys()) expect(there.has(id)).toBe(true);
        for (const run of runsOf(present))
          if (run.endsWith(' alive')) expect(there.has(run.split(' ')[0])).toBe(true);
      }),
    );
  });
});
