/** The promises of a state store, as one suite that every implementation passes. */
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { outcomeOf } from '../../src/model/run.ts';
import { describeCarried } from './carried-contract.ts';
import { describeGathered } from './gathered-contract.ts';
import { describeIncidents } from './incidents-contract.ts';
import { describeLastTimes } from './last-times-contract.ts';
import { describeRetention } from './retention-contract.ts';
import { letters } from './letters.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import { finishedRuns } from './finished-runs.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { StateProblem } from '../../src/state/document/check-state.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { PendingRun, PendingRuns } from '../../src/model/pending-run.ts';
import type { TickRecord } from '../../src/model/tick.ts';
import type { PageQuery } from '../../src/state/state-view.ts';
import type { RunQuery } from '../../src/state/run-query.ts';
import type { RunLogLine, SensorClaim, StateStore } from '../../src/state/store.ts';
import { AT, finishedRun, keysAdded, queuedRuns, tickRecord } from './builders.ts';

/** A store under test, and what tests do to it from outside. */
export interface StoreRig {
  readonly store: StateStore;
  /** Each invariant that does not hold. */
  problems(): Promise<readonly StateProblem[]>;
  /** All that is kept, to see that it stays as it is. */
  content(): Promise<unknown>;
  /** As if the executor's process had been killed. */
  kill(executor: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Names that every object inherits: none of them may be taken for an entry. */
const INHERITED = ['constructor', 'toString', 'hasOwnProperty', '__proto__'];

/** A store that several processes may share. */
export interface SharedStoreRig extends StoreRig {
  /** What another process commits at this very moment. */
  commitElsewhere(changes: readonly StateChange[]): void;
}

export function describeStoreContract(name: string, makeStore: () => StoreRig | Promise<StoreRig>): void {
  describe(`${name} keeps the contract of a state store`, () => {
    let rig: StoreRig;
    let store: StateStore;

    beforeEach(async () => {
      rig = await makeStore();
      store = rig.store;
    });

    afterEach(async () => {
      const problems = await rig.problems();
      await rig.dispose();
      expect(problems).toEqual([]);
    });

    const commit = (...changes: readonly StateChange[]): Promise<void> =>
      store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));

    const keys = async (set = 'letters'): Promise<readonly string[]> =>
      (await store.read(EVERYTHING)).keys(set);

    describe('reading', () => {
      it('shows an empty state where nothing was ever committed', async () => {
        const view = await store.read(EVERYTHING);
        expect(view.serial).toBe(0);
        expect(view.pipeline).toBeNull();
        expect(view.setNames()).toEqual([]);
        expect(view.keys('letters')).toEqual([]);
        expect(view.page({ set: 'letters' })).toEqual({ total: 0, keys: [], next: null });
        expect(view.present('letters', ['a'])).toEqual(new Set());
        expect(view.keptOut('letters', ['a'])).toEqual(new Set());
        expect(letters(view, 'audio', 'letters')).toBe('');
        expect(letters(view, 'report', null)).toBe('.');
        expect(view.statusOf('audio', 'letters', ['a'])).toEqual(['missing']);
        expect(view.sensor('feed')).toMatchObject({ status: null, cursor: null, version: 0, lastTick: null });
        expect(view.sensorNames()).toEqual([]);
        expect(view.spentRunKeys('feed', ['a'])).toEqual(new Set());
        expect(view.runs()).toEqual([]);
        expect(view.run('g-1')).toBeUndefined();
        expect(view.executors()).toEqual([]);
        expect(await store.ticks('feed', 10)).toEqual([]);
        expect(await finishedRuns(store, { limit: 10 })).toEqual([]);
        expect(await store.readLog('g-1', 0)).toEqual({ lines: [], next: 0, isEnd: true });
        expect(await store.endOfLog('g-1', 5)).toEqual([]);
        expect(await store.evaluating('feed')).toBeNull();
      });

      it('shows the state of one moment: a view that was read stays as it was', async () => {
        await commit(keysAdded('letters', ['a']));
        const before = await store.read(EVERYTHING);
        await commit(keysAdded('letters', ['b']), { type: 'sensor-changed', sensor: 'feed', cursor: '1' });
        expect(before.keys('letters')).toEqual(['a']);
        expect(before.sensor('feed').cursor).toBeNull();
        expect(await keys()).toEqual(['a', 'b']);
      });

      it('never takes what every object inherits for an entry of that name', async () => {
        const view = await store.read(EVERYTHING);
        for (const inherited of INHERITED) {
          expect(view.keys(inherited)).toEqual([]);
          expect(view.page({ set: inherited }).total).toBe(0);
          expect(view.keptOut(inherited, ['a'])).toEqual(new Set());
          expect(letters(view, inherited, null)).toBe('.');
          expect(view.sensor(inherited).version).toBe(0);
          expect(view.spentRunKeys(inherited, ['a'])).toEqual(new Set());
        }
      });

      it('keeps sets, sensors and assets that are named like what every object inherits', async () => {
        for (const inherited of INHERITED) {
          const runs = queuedRuns({
            group: `g${inherited}`,
            set: inherited,
            sensor: inherited,
            assets: [inherited],
            keys: [inherited],
            runKeys: [inherited],
          });
          await commit(keysAdded(inherited, [inherited, 'b']), { type: 'runs-queued', runs, owner: null });
          const outcome = finishedRun({
            id: `g${inherited}-1`,
            status: 'SUCCESS',
            partitionKey: inherited,
            set: inherited,
          });
          const assets = [{ ...outcome.record.assets[0]!, asset: inherited }];
          await commit(
            { type: 'runs-finished', runs: [{ ...outcome, record: { ...outcome.record, assets } }] },
            { type: 'sensor-changed', sensor: inherited, cursor: inherited },
          );
        }
        const view = await store.read(EVERYTHING);
        expect(view.setNames()).toEqual(INHERITED);
        expect(view.sensorNames()).toEqual(INHERITED);
        for (const inherited of INHERITED) {
          expect(view.keys(inherited)).toEqual([inherited, 'b']);
          expect(letters(view, inherited, inherited)).toBe('m.');
          expect(view.sensor(inherited)).toMatchObject({ cursor: inherited, version: 1 });
          expect(view.spentRunKeys(inherited, [inherited, 'b'])).toEqual(new Set([inherited]));
        }
      });
    });

    describe('keys', () => {
      it('keeps keys in the order of adding (Dagster 2, 3)', async () => {
        await commit(keysAdded('letters', ['foo', 'bar', 'baz']));
        await commit(keysAdded('letters', ['qux']));
        expect(await keys()).toEqual(['foo', 'bar', 'baz', 'qux']);
      });

      it('isolates sets by their names (Dagster 3, 5)', async () => {
        await commit(keysAdded('letters', ['foo']));
        expect(await keys('other')).toEqual([]);
        const view = await store.read(EVERYTHING);
        expect(view.present('letters', ['foo', 'qux'])).toEqual(new Set(['foo']));
        expect(view.present('other', ['foo'])).toEqual(new Set());
        expect(view.setNames()).toEqual(['letters']);
      });

      it('removes keys, and passes over those that are not there (Dagster 4)', async () => {
        await commit(keysAdded('letters', ['foo', 'bar', 'baz']));
        await commit({ type: 'keys-removed', set: 'letters', keys: ['foo'], keepOut: false });
        expect(await keys()).toEqual(['bar', 'baz']);
        await commit({ type: 'keys-removed', set: 'letters', keys: ['foo'], keepOut: false });
        await commit({ type: 'keys-removed', set: 'unknown', keys: ['bar'], keepOut: false });
        expect(await keys()).toEqual(['bar', 'baz']);
      });

      it('puts a key that was removed and added again at the end', async () => {
        await commit(keysAdded('letters', ['a', 'b']));
        await commit(
          { type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false },
          keysAdded('letters', ['a']),
        );
        expect(await keys()).toEqual(['b', 'a']);
      });

      it('brings back every legal key as it was', async () => {
        const odd = [
          '/',
          '..',
          'a,b',
          'a|b',
          '...',
          ' ',
          '"',
          '😀',
          '__proto__',
          '{"a":1}',
          'é',
          'e\u0301',
          'A',
          'a',
          'x'.repeat(1024),
        ];
        await commit(keysAdded('letters', odd));
        expect(await keys()).toEqual(odd);
        expect((await store.read(EVERYTHING)).present('letters', odd)).toEqual(new Set(odd));
      });

      it('answers which of very many keys are there (Dagster 8)', async () => {
        const many = Array.from({ length: 3000 }, (_, at) => `key_${at}`);
        await commit(keysAdded('letters', many));
        const view = await store.read(EVERYTHING);
        expect(view.present('letters', [])).toEqual(new Set());
        expect(view.present('letters', ['key_0', 'nope'])).toEqual(new Set(['key_0']));
        expect(view.present('letters', [...many, 'nope'])).toEqual(new Set(many));
        // Asked often, a list is indexed: the answers stay the same.
        for (let time = 0; time < 10; time++) {
          expect(view.present('letters', ['nope', `key_${time}`])).toEqual(new Set([`key_${time}`]));
        }
        expect(view.present('letters', new Set(['key_2999']).values())).toEqual(new Set(['key_2999']));
        expect(view.present('other', many)).toEqual(new Set());
      });

      it('knows when each key was added, also after others were removed', async () => {
        const [first, second, third] = [AT, '2026-01-02T00:00:00.000Z', '2026-01-03T00:00:00.000Z'] as const;
        await commit(keysAdded('letters', ['a', 'b', 'c'], first));
        await commit(keysAdded('letters', ['d', 'e'], second));
        await commit(keysAdded('letters', ['f'], third));
        await commit(keysAdded('letters', ['g'], third));
        await commit({ type: 'keys-removed', set: 'letters', keys: ['g', 'b', 'd', 'e'], keepOut: false });
        const { keys: left } = (await store.read(EVERYTHING)).page({ set: 'letters' });
        expect(left).toEqual([
          { key: 'a', addedAt: first, version: null, item: null },
          { key: 'c', addedAt: first, version: null, item: null },
          { key: 'f', addedAt: third, version: null, item: null },
        ]);
      });
    });

    describe('pages', () => {
      const page = async (
        query: Omit<PageQuery, 'set'>,
      ): Promise<{ keys: string[]; next: string | null }> => {
        const { keys: found, next } = (await store.read(EVERYTHING)).page({ set: 'letters', ...query });
        return { keys: found.map(({ key }) => key), next };
      };

      beforeEach(async () => {
        await commit(keysAdded('letters', ['a1', 'b1'], AT));
        await commit(keysAdded('letters', ['a2', 'b2'], '2026-01-02T00:00:00.000Z'));
      });

      it('promises no more when a page took exactly the rest (Dagster 6)', async () => {
        expect(await page({ limit: 2 })).toEqual({ keys: ['a1', 'b1'], next: 'b1' });
        expect(await page({ limit: 2, after: 'b1' })).toEqual({ keys: ['a2', 'b2'], next: null });
        expect(await page({ limit: 4 })).toEqual({ keys: ['a1', 'b1', 'a2', 'b2'], next: null });
      });

      it('begins again where the key to go on from is unknown (Dagster 6)', async () => {
        expect(await page({ limit: 1, after: 'gone' })).toEqual({ keys: ['a1'], next: 'a1' });
      });

      it('goes on after a key in the middle of what was added together', async () => {
        expect(await page({ after: 'a1', limit: 2 })).toEqual({ keys: ['b1', 'a2'], next: 'a2' });
        expect(await page({ after: 'b2' })).toEqual({ keys: [], next: null });
      });

      it('narrows to a prefix, and counts the whole set all the same', async () => {
        expect(await page({ prefix: 'b' })).toEqual({ keys: ['b1', 'b2'], next: null });
        expect(await page({ prefix: 'b', limit: 1 })).toEqual({ keys: ['b1'], next: 'b1' });
        expect(await page({ prefix: 'b', after: 'b1', limit: 1 })).toEqual({ keys: ['b2'], next: null });
        expect((await store.read(EVERYTHING)).page({ set: 'letters', prefix: 'b' }).total).toBe(4);
      });

      it('takes the last ones, and only keys with an asset in a state', async () => {
        const finished = (key: string, status: 'SUCCESS' | 'FAILURE') =>
          finishedRun({ id: `g-${key}`, partitionKey: key, set: 'letters', status });
        await commit({ type: 'runs-finished', runs: [finished('a1', 'SUCCESS'), finished('a2', 'FAILURE')] });
        await commit({
          type: 'runs-queued',
          owner: null,
          runs: queuedRuns({ group: 'q', keys: ['b2'], sensor: null, assets: ['audio'] }),
        });
        expect(await page({ limit: 3, fromEnd: true })).toEqual({ keys: ['b1', 'a2', 'b2'], next: null });
        const states = (await store.read(EVERYTHING)).page({
          set: 'letters',
          assets: ['audio', 'text'],
        }).keys;
        expect(states.map((key) => key.states?.join(' '))).toEqual([
          'materialized missing',
          'missing missing',
          'failed missing',
          'in progress missing',
        ]);
        const assets = ['audio'];
        expect(await page({ assets, status: 'missing' })).toEqual({ keys: ['b1'], next: null });
        expect(await page({ assets, status: 'failed' })).toEqual({ keys: ['a2'], next: null });
        expect(await page({ assets: ['audio', 'text'], status: 'missing', limit: 2 })).toEqual({
          keys: ['a1', 'b1'],
          next: 'b1',
        });
        const every = { assets: ['audio', 'text'], every: true } as const;
        expect(await page({ ...every, status: 'missing' })).toEqual({ keys: ['b1'], next: null });
        expect(await page({ ...every, status: 'materialized' })).toEqual({ keys: [], next: null });
        expect((await store.read(EVERYTHING)).counts({ asset: 'audio', set: 'letters' })).toEqual({
          total: 4,
          inProgress: 1,
          failed: 1,
          skipped: 0,
          materialized: 1,
          missing: 1,
          stale: 0,
          backlog: 0,
          retryAt: null,
          madeAt: AT,
        });
      });

      it('names the oldest keys: added before a time, beyond the newest, or both', async () => {
        const oldest = async (addedBefore: string | null, keepLast: number | null): Promise<string> =>
          (await store.read(EVERYTHING)).oldest({ set: 'letters', addedBefore, keepLast }).join(' ');
        expect(await oldest('2026-01-01T12:00:00.000Z', null)).toBe('a1 b1');
        expect(await oldest('2026-01-02T00:00:00.000Z', null)).toBe('a1 b1');
        expect(await oldest('2025-01-01T00:00:00.000Z', null)).toBe('');
        expect(await oldest(null, 3)).toBe('a1');
        expect(await oldest(null, 0)).toBe('a1 b1 a2 b2');
        expect(await oldest(null, 9)).toBe('');
        expect(await oldest('2026-01-01T12:00:00.000Z', 3)).toBe('a1');
        expect(await oldest('2026-01-03T00:00:00.000Z', 1)).toBe('a1 b1 a2');
      });

      it('walks the whole set, page by page', async () => {
        const walked: string[] = [];
        for (let after: string | null | undefined; after !== null;) {
          const { keys: found, next } = await page({ limit: 1, ...(after !== undefined && { after }) });
          walked.push(...found);
          after = next;
        }
        expect(walked).toEqual(['a1', 'b1', 'a2', 'b2']);
      });
    });

    describe('keys that are kept out', () => {
      it('remembers them until they are let in', async () => {
        await commit(keysAdded('letters', ['a', 'b', 'c']));
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a', 'b', 'never'], keepOut: true });
        const asked = ['a', 'b', 'c', 'never'];
        expect((await store.read(EVERYTHING)).keptOut('letters', asked)).toEqual(
          new Set(['a', 'b', 'never']),
        );
        await commit({ type: 'keys-let-in', set: 'letters', keys: ['a'] }, keysAdded('letters', ['a']));
        expect((await store.read(EVERYTHING)).keptOut('letters', asked)).toEqual(new Set(['b', 'never']));
        expect(await keys()).toEqual(['c', 'a']);
      });

      it('keeps them apart by set, and each once', async () => {
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: true });
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: true });
        expect((await store.read(EVERYTHING)).keptOut('letters', ['a', 'b'])).toEqual(new Set(['a']));
        expect((await store.read(EVERYTHING)).keptOut('other', ['a'])).toEqual(new Set());
      });

      it('forgets nothing when a key is removed without being kept out', async () => {
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: true });
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false });
        expect((await store.read(EVERYTHING)).keptOut('letters', ['a'])).toEqual(new Set(['a']));
      });
    });

    describe('statuses', () => {
      const finish = (
        ...outcomes: readonly (readonly [key: string, status: 'SUCCESS' | 'FAILURE'])[]
      ): Promise<void> =>
        commit({
          type: 'runs-finished',
          runs: outcomes.map(([partitionKey, status], at) =>
            finishedRun({ id: `done-${at}`, partitionKey, status }),
          ),
        });

      it('moves with the keys when others are removed', async () => {
        await commit(keysAdded('letters', ['a', 'b', 'c', 'd']));
        await finish(['b', 'SUCCESS'], ['d', 'FAILURE']);
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('.m.f');
        await commit({ type: 'keys-removed', set: 'letters', keys: ['c', 'a'], keepOut: false });
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('mf');
        expect((await store.read(EVERYTHING)).statusOf('audio', 'letters', ['d', 'a', 'b'])).toEqual([
          'failed',
          'missing',
          'materialized',
        ]);
      });

      it('forgets that of a removed key: added again, it is missing', async () => {
        await commit(keysAdded('letters', ['a', 'b']));
        await finish(['a', 'SUCCESS'], ['b', 'SUCCESS']);
        await commit(
          { type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false },
          keysAdded('letters', ['a']),
        );
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('m.');
      });

      it('shows keys that were added later as missing', async () => {
        await commit(keysAdded('letters', ['a']));
        await finish(['a', 'SUCCESS']);
        await commit(keysAdded('letters', ['b', 'c']));
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('m..');
      });

      it('keeps the last of several outcomes for one key', async () => {
        await commit(keysAdded('letters', ['a', 'b']));
        await finish(['a', 'FAILURE'], ['a', 'SUCCESS'], ['b', 'SUCCESS'], ['b', 'FAILURE']);
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('mF');
      });

      it('keeps what was made where a later run failed, until it is made again', async () => {
        const all = async (): Promise<string> => letters(await store.read(EVERYTHING), 'audio', 'letters');
        await commit(keysAdded('letters', ['a', 'b', 'c']));
        await finish(['b', 'SUCCESS'], ['c', 'FAILURE']);
        await finish(['a', 'FAILURE'], ['b', 'FAILURE'], ['c', 'FAILURE']);
        expect(await all()).toBe('fFf');
        await finish(['b', 'FAILURE']);
        expect(await all()).toBe('fFf');
        const counts = (await store.read(EVERYTHING)).counts({ asset: 'audio', set: 'letters' });
        expect(counts).toMatchObject({ failed: 3, materialized: 0, missing: 0 });
        await finish(['a', 'SUCCESS'], ['b', 'SUCCESS']);
        expect(await all()).toBe('mmf');
        await finish(['a', 'FAILURE']);
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false });
        await commit(keysAdded('letters', ['a']));
        expect(await all()).toBe('mf.');
        await commit({ type: 'runs-finished', runs: [finishedRun({ id: 'r-1', status: 'SUCCESS' })] });
        await commit({ type: 'runs-finished', runs: [finishedRun({ id: 'r-2', status: 'FAILURE' })] });
        expect(letters(await store.read(EVERYTHING), 'audio', null)).toBe('F');
      });

      it('is not changed by a run that was canceled, nor for a key that is gone', async () => {
        await commit(keysAdded('letters', ['a']));
        await commit({
          type: 'runs-finished',
          runs: [
            finishedRun({ id: 'x-1', partitionKey: 'a', status: 'CANCELED' }),
            finishedRun({ id: 'x-2', partitionKey: 'gone', status: 'SUCCESS' }),
          ],
        });
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('.');
      });

      it('is one letter for an asset without partitions', async () => {
        const outcome = finishedRun({ id: 'x-1', status: 'FAILURE' });
        await commit({ type: 'runs-finished', runs: [outcome] });
        expect(letters(await store.read(EVERYTHING), 'audio', null)).toBe('f');
        expect((await store.read(EVERYTHING)).statusOf('audio', null, [null])).toEqual(['failed']);
      });

      it('is kept for each set that the asset has had, and comes back with it', async () => {
        await commit(keysAdded('letters', ['a']), keysAdded('numbers', ['1', '2']));
        await finish(['a', 'SUCCESS']);
        expect(letters(await store.read(EVERYTHING), 'audio', 'numbers')).toBe('..');
        await commit({
          type: 'runs-finished',
          runs: [finishedRun({ id: 'x-1', partitionKey: '2', status: 'SUCCESS', set: 'numbers' })],
        });
        expect(letters(await store.read(EVERYTHING), 'audio', 'numbers')).toBe('.m');
        expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('m');
        // Without a set, and what it had before goes on to follow its keys.
        await commit({ type: 'runs-finished', runs: [finishedRun({ id: 'x-2', status: 'FAILURE' })] });
        await commit(keysAdded('letters', ['b', 'c']));
        await commit({ type: 'keys-removed', set: 'numbers', keys: ['1'], keepOut: false });
        await finish(['c', 'FAILURE']);
        const view = await store.read(EVERYTHING);
        expect(letters(view, 'audio', 'letters')).toBe('m.f');
        expect(letters(view, 'audio', 'numbers')).toBe('m');
        expect(letters(view, 'audio', null)).toBe('f');
      });
    });

    describe('keys that carry something', () => describeCarried(() => store));

    describe('keys of which something is made together', () => describeGathered(() => store));
    describe('what somebody is told of', () => describeIncidents(() => rig));
    describe('when things came last', () => describeLastTimes(() => store));
    describe('keys that leave by a rule', () => describeRetention(() => store));

    describe('runs on their way', () => {
      const made = (name: string) =>
        outcomeOf({ asset: name, status: 'SUCCESS', attempts: 2, metadata: { n: 1 } });
      const progress = (runs: Record<string, readonly string[]>): Promise<void> =>
        commit({
          type: 'runs-progressed',
          runs: new Map(Object.entries(runs).map(([id, assets]) => [id, assets.map(made)])),
        });
      const done = async (): Promise<string[]> => {
        const { runs } = await store.runs({});
        return runs.map(({ id, assets }) => `${id} ${assets.map(({ status }) => status[0]).join('')}`).sort();
      };
      const statuses = async (): Promise<string> => letters(await store.read(EVERYTHING), 'audio', 'letters');

      beforeEach(async () => {
        await commit(keysAdded('letters', ['a', 'b', 'c']));
        const assets = ['audio', 'text', 'index'];
        const runs = queuedRuns({ group: 'g', keys: ['a', 'b', 'c'], sensor: null, assets });
        await commit({ type: 'runs-queued', owner: null, runs });
      });

      it('have what they have made on record, through other hands and until they end', async () => {
        const executor = await store.enter();
        const { id } = executor;
        await progress({ 'g-1': ['audio'], 'g-3': ['audio', 'text'] });
        expect(await statuses()).toBe('m.m');
        await commit(
          { type: 'executor', id, slots: 1, wants: 0 },
          { type: 'runs-claimed', ids: ['g-1', 'g-2'], owner: id, interrupted: new Set() },
        );
        await progress({ 'g-1': ['text'], 'g-2': ['audio'] });
        expect(await done()).toEqual(['g-1 SSQ', 'g-2 SQQ', 'g-3 SSQ']);
        await commit({ type: 'runs-released', ids: ['g-1'] });
        const { run } = (await store.read(EVERYTHING)).run('g-1')!;
        expect(run.done).toEqual([made('audio'), made('text')]);
        const ended = finishedRun({ id: 'g-2', partitionKey: 'b', status: 'CANCELED' });
        await commit({ type: 'runs-finished', runs: [ended] }, { type: 'runs-released', ids: ['g-1'] });
        expect(await statuses()).toBe('mmm');
        await commit({ type: 'executor-left', id });
        await executor.leave();
      });

      it('have it counted once, whatever another run came to since', async () => {
        await progress({ 'g-1': ['audio'] });
        await commit({
          type: 'runs-finished',
          runs: [finishedRun({ id: 'x-1', partitionKey: 'a', status: 'FAILURE' })],
        });
        const assets = ['audio', 'text', 'index'].map(made);
        await commit({
          type: 'runs-finished',
          runs: [finishedRun({ id: 'g-1', partitionKey: 'a', status: 'SUCCESS', assets })],
        });
        const view = await store.read(EVERYTHING);
        expect([letters(view, 'audio', 'letters'), letters(view, 'text', 'letters')]).toEqual(['F..', 'm..']);
      });

      it('are in progress with the rest only', async () => {
        await progress({ 'g-1': ['audio'] });
        const view = await store.read(EVERYTHING);
        const counts = {
          total: 3,
          failed: 0,
          skipped: 0,
          missing: 0,
          stale: 0,
          backlog: 0,
          retryAt: null,
          madeAt: null,
        };
        expect([
          view.counts({ asset: 'audio', set: 'letters' }),
          view.counts({ asset: 'text', set: 'letters' }),
        ]).toEqual([
          { ...counts, inProgress: 2, materialized: 1 },
          { ...counts, inProgress: 3, materialized: 0 },
        ]);
      });

      it('forget it with their key', async () => {
        await progress({ 'g-1': ['audio'] });
        const gone = finishedRun({ id: 'g-1', partitionKey: 'a', status: 'CANCELED' });
        await commit(
          { type: 'runs-finished', runs: [gone] },
          { type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false },
        );
        await commit(keysAdded('letters', ['a']));
        expect(await statuses()).toBe('...');
      });
    });

    describe('run keys', () => {
      const queue = (
        group: string,
        runs: readonly (readonly [key: string, runKey: string | null])[],
      ): Promise<void> =>
        commit({
          type: 'runs-queued',
          owner: null,
          runs: queuedRuns({
            group,
            sensor: 'feed',
            keys: runs.map(([key]) => key),
            runKeys: runs.map(([, runKey]) => runKey),
          }),
        });
      const spent = async (...runKeys: string[]): Promise<Set<string>> =>
        (await store.read(EVERYTHING)).spentRunKeys('feed', runKeys);

      beforeEach(() => commit(keysAdded('letters', ['a', 'b', 'c'])));

      it('are spent with the runs that they launch', async () => {
        await queue('g1', [
          ['a', 'a'],
          ['b', 'once'],
          ['c', null],
        ]);
        expect(await spent('a', 'b', 'c', 'once')).toEqual(new Set(['a', 'once']));
        expect((await store.read(EVERYTHING)).spentRunKeys('other', ['a', 'once'])).toEqual(new Set());
      });

      it('stay spent when their runs have ended', async () => {
        await queue('g1', [
          ['a', 'a'],
          ['b', 'once'],
        ]);
        await commit({
          type: 'runs-finished',
          runs: [
            finishedRun({ id: 'g1-1', partitionKey: 'a', status: 'FAILURE' }),
            finishedRun({ id: 'g1-2', partitionKey: 'b', status: 'SUCCESS' }),
          ],
        });
        expect(await spent('a', 'once')).toEqual(new Set(['a', 'once']));
      });

      it('are released with their keys, whether they are called like them or not', async () => {
        await queue('g1', [
          ['a', 'a'],
          ['b', 'once'],
          ['c', 'c'],
        ]);
        await commit(
          {
            type: 'runs-finished',
            runs: ['a', 'b'].map((partitionKey, at) =>
              finishedRun({ id: `g1-${at + 1}`, partitionKey, status: 'SUCCESS' }),
            ),
          },
          { type: 'keys-removed', set: 'letters', keys: ['a', 'b'], keepOut: false },
        );
        expect(await spent('a', 'once', 'c')).toEqual(new Set(['c']));
        await commit(keysAdded('letters', ['a', 'b']));
        expect(await spent('a', 'once', 'c')).toEqual(new Set(['c']));
      });

      it('can be asked for as if their keys were removed already', async () => {
        await queue('g1', [
          ['a', 'a'],
          ['b', 'once'],
          ['c', 'c'],
        ]);
        const removed = new Map([['letters', new Set(['a', 'b'])]]);
        expect((await store.read(EVERYTHING)).spentRunKeys('feed', ['a', 'once', 'c'], removed)).toEqual(
          new Set(['c']),
        );
        const elsewhere = new Map([['numbers', new Set(['a', 'b', 'c'])]]);
        expect((await store.read(EVERYTHING)).spentRunKeys('feed', ['a', 'once', 'c'], elsewhere)).toEqual(
          new Set(['a', 'once', 'c']),
        );
      });

      it('of runs without a partition are never released', async () => {
        await commit({
          type: 'runs-queued',
          owner: null,
          runs: queuedRuns({ group: 'g2', sensor: 'feed', set: null, keys: [null], runKeys: ['daily'] }),
        });
        await commit({ type: 'keys-removed', set: 'letters', keys: ['a', 'b', 'c'], keepOut: false });
        expect(await spent('daily')).toEqual(new Set(['daily']));
      });

      it('that are called like keys of another set are told from them', async () => {
        await commit(keysAdded('numbers', ['a']));
        await queue('g1', [['a', 'a']]);
        await commit({ type: 'keys-removed', set: 'numbers', keys: ['a'], keepOut: false });
        expect(await spent('a')).toEqual(new Set(['a']));
      });
    });

    describe('runs', () => {
      const shown = async (): Promise<(Omit<PendingRun, 'runKey'> & Pick<PendingRuns, 'owner'>)[]> =>
        (await store.read(EVERYTHING))
          .runs()
          .flatMap((runs) =>
            Array.from({ length: runs.count }, (_, at) => {
              const { runKey: _runKey, ...run } = runs.at(at);
              return { ...run, owner: runs.owner };
            }),
          )
          .sort((one, other) => one.id.localeCompare(other.id));
      const entered = async (slots = 2): Promise<string> => {
        const executor = await store.enter();
        await commit({ type: 'executor', id: executor.id, slots, wants: 0 });
        return executor.id;
      };

      beforeEach(() => commit(keysAdded('letters', ['a', 'b', 'c', 'd'])));

      it('are queued with all that is known of them', async () => {
        const runs = queuedRuns({
          group: 'g',
          sensor: 'feed',
          keys: ['a', 'b'],
          runKeys: ['a', null],
          tags: { by: 'me' },
          assets: ['audio', 'transcript'],
          retryOf: 'old-1',
          firstNumber: 7,
        });
        await commit({ type: 'runs-queued', runs, owner: null });
        const view = await store.read(EVERYTHING);
        const [group] = view.runs();
        expect(group).toMatchObject({
          group: 'g',
          sensor: 'feed',
          set: 'letters',
          assets: ['audio', 'transcript'],
          tags: { by: 'me' },
          origin: 'tick',
          retryOf: 'old-1',
          owner: null,
          ownedSince: 0,
          count: 2,
          createdAt: AT,
        });
        expect(group!.at(0)).toEqual({
          id: 'g-7',
          partitionKey: 'a',
          runKey: 'a',
          status: 'QUEUED',
          canceling: false,
          canceledWhy: null,
          done: [],
          touched: {},
          interrupted: 0,
          startedAt: null,
        });
        expect(group!.at(1)).toMatchObject({ id: 'g-8', partitionKey: 'b', runKey: null });
        expect(view.run('g-8')!.run).toEqual(group!.at(1));
        expect(view.run('g-8')!.runs.group).toBe('g');
        expect(view.run('g-9')).toBeUndefined();
        expect(view.run('h-7')).toBeUndefined();
        expect(view.run('nonsense')).toBeUndefined();
      });

      it('are split where only some of a group are claimed, and found all the same', async () => {
        const owner = await entered();
        await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b', 'c', 'd'] }), owner: null });
        await commit({ type: 'runs-claimed', ids: ['g-2', 'g-4'], owner, interrupted: new Set(['g-4']) });
        expect(await shown()).toEqual([
          {
            id: 'g-1',
            partitionKey: 'a',
            status: 'QUEUED',
            canceling: false,
            canceledWhy: null,
            done: [],
            touched: {},
            interrupted: 0,
            startedAt: null,
            owner: null,
          },
          {
            id: 'g-2',
            partitionKey: 'b',
            status: 'QUEUED',
            canceling: false,
            canceledWhy: null,
            done: [],
            touched: {},
            interrupted: 0,
            startedAt: null,
            owner,
          },
          {
            id: 'g-3',
            partitionKey: 'c',
            status: 'QUEUED',
            canceling: false,
            canceledWhy: null,
            done: [],
            touched: {},
            interrupted: 0,
            startedAt: null,
            owner: null,
          },
          {
            id: 'g-4',
            partitionKey: 'd',
            status: 'QUEUED',
            canceling: false,
            canceledWhy: null,
            done: [],
            touched: {},
            interrupted: 1,
            startedAt: null,
            owner,
          },
        ]);
        const view = await store.read(EVERYTHING);
        for (const id of ['g-1', 'g-2', 'g-3', 'g-4']) expect(view.run(id)!.run.id).toBe(id);
        expect(view.run('g-2')!.runs.ownedSince).toBe(view.serial);
      });

      it('are started, each at its own time', async () => {
        const owner = await entered();
        await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b', 'c'] }), owner });
        await commit({ type: 'runs-started', runs: new Map([['g-1', AT]]) });
        await commit({ type: 'runs-started', runs: new Map([['g-3', '2026-01-02T00:00:00.000Z']]) });
        expect((await shown()).map(({ id, status, startedAt }) => ({ id, status, startedAt }))).toEqual([
          { id: 'g-1', status: 'STARTED', startedAt: AT },
          { id: 'g-2', status: 'QUEUED', startedAt: null },
          { id: 'g-3', status: 'STARTED', startedAt: '2026-01-02T00:00:00.000Z' },
        ]);
      });

      it('go back to the queue without an owner and without a start', async () => {
        const owner = await entered();
        await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b'] }), owner });
        await commit({
          type: 'runs-started',
          runs: new Map([
            ['g-1', AT],
            ['g-2', AT],
          ]),
        });
        await commit({ type: 'runs-released', ids: ['g-1'] });
        expect(await shown()).toMatchObject([
          { id: 'g-1', status: 'QUEUED', startedAt: null, owner: null, interrupted: 0 },
          { id: 'g-2', status: 'STARTED', startedAt: AT, owner },
        ]);
      });

      it('are marked to be aborted, and stay so when they are claimed or released', async () => {
        const owner = await entered();
        await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b', 'c'] }), owner });
        await commit({ type: 'runs-started', runs: new Map([['g-1', AT]]) });
        await commit({ type: 'runs-canceling', ids: ['g-1'] });
        await commit({ type: 'runs-canceling', ids: ['g-1', 'g-2'], why: 'its key has left' });
        await commit({ type: 'runs-canceling', ids: ['g-2'], why: 'another reason' });
        const marked = (await store.read(EVERYTHING))
          .runs()
          .flatMap((runs) => runs.canceling().map(({ id }) => id));
        expect(marked.sort()).toEqual(['g-1', 'g-2']);
        await commit({ type: 'runs-released', ids: ['g-1'] });
        await commit({ type: 'runs-claimed', ids: ['g-2'], owner, interrupted: new Set() });
        await commit({ type: 'runs-started', runs: new Map([['g-2', AT]]) });
        const canceling = (await shown()).map((run) => run.canceling);
        expect(canceling).toEqual([true, true, false]);
        // By hand: no reason was given. The first one stands.
        expect((await shown()).map((run) => run.canceledWhy)).toEqual([null, 'its key has left', null]);
        expect(
          (await store.read({ runs: [{ canceling: true }] }))
            .runs()
            .flatMap((runs) => runs.canceling().map(({ id }) => id))
            .sort(),
        ).toEqual(['g-1', 'g-2']);
      });

      it('leave the state for the history when they end', async () => {
        await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a', 'b'] }), owner: null });
        await commit({
          type: 'runs-finished',
          runs: [finishedRun({ id: 'g-1', partitionKey: 'a', status: 'SUCCESS' })],
        });
        expect((await shown()).map(({ id }) => id)).toEqual(['g-2']);
        expect((await finishedRuns(store, { limit: 10 })).map(({ id }) => id)).toEqual(['g-1']);
        await commit({
          type: 'runs-finished',
          runs: [finishedRun({ id: 'g-2', partitionKey: 'b', status: 'CANCELED' })],
        });
        expect((await store.read(EVERYTHING)).runs()).toEqual([]);
      });

      it('keep their run keys and tags through every split', async () => {
        const runs = queuedRuns({
          keys: ['a', 'b', 'c'],
          runKeys: ['one', null, 'three'],
          sensor: 'feed',
          tags: { t: 'x' },
        });
        await commit({ type: 'runs-queued', runs, owner: null });
        const owner = await entered();
        await commit({ type: 'runs-claimed', ids: ['g-3'], owner, interrupted: new Set() });
        await commit({ type: 'runs-claimed', ids: ['g-1'], owner, interrupted: new Set() });
        const view = await store.read(EVERYTHING);
        expect(['g-1', 'g-2', 'g-3'].map((id) => view.run(id)!.run.runKey)).toEqual(['one', null, 'three']);
        expect(['g-1', 'g-2', 'g-3'].map((id) => view.run(id)!.runs.tags)).toEqual([
          { t: 'x' },
          { t: 'x' },
          { t: 'x' },
        ]);
      });

      it('of a group whose name has dashes are found by their ids', async () => {
        await commit({ type: 'runs-queued', runs: queuedRuns({ group: 'a-1-2', keys: ['a'] }), owner: null });
        expect((await store.read(EVERYTHING)).run('a-1-2-1')!.run.partitionKey).toBe('a');
      });

      it('are left alone by changes that name other runs', async () => {
        await commit({ type: 'runs-queued', runs: queuedRuns({ keys: ['a'] }), owner: null });
        const before = await shown();
        const owner = await entered();
        const ids = ['g-2', 'h-1'];
        await commit(
          { type: 'runs-claimed', ids, owner, interrupted: new Set(ids) },
          { type: 'runs-started', runs: new Map([['h-1', AT]]) },
          { type: 'runs-canceling', ids },
          { type: 'runs-released', ids },
        );
        expect(await shown()).toEqual(before);
      });
    });

    describe('executors', () => {
      it('are there from the change that names them until they have left', async () => {
        const executor = await store.enter();
        expect((await store.read(EVERYTHING)).executors()).toEqual([]);
        await commit({ type: 'executor', id: executor.id, slots: 3, wants: 5 });
        expect((await store.read(EVERYTHING)).executors()).toMatchObject([
          { id: executor.id, pid: process.pid, slots: 3, wants: 5, alive: true, interrupted: new Set() },
        ]);
        await commit({ type: 'executor', id: executor.id, slots: 1, wants: 0 });
        expect((await store.read(EVERYTHING)).executors()).toMatchObject([{ slots: 1, wants: 0 }]);
        await commit({ type: 'executor-left', id: executor.id });
        expect((await store.read(EVERYTHING)).executors()).toEqual([]);
        await commit({ type: 'executor', id: executor.id, slots: 2, wants: 0 });
        expect((await store.read(EVERYTHING)).executors()).toMatchObject([{ id: executor.id, slots: 2 }]);
        await executor.leave();
      });

      it('have ids of their own, though they are of one process', async () => {
        const executors = [await store.enter(), await store.enter()];
        expect(executors[0]!.id).not.toBe(executors[1]!.id);
        for (const executor of executors) await executor.leave();
      });

      it('that died are seen to be dead, and what they were in the middle of is known', async () => {
        const executor = await store.enter();
        const living = await store.enter();
        await commit(
          { type: 'executor', id: executor.id, slots: 3, wants: 0 },
          { type: 'executor', id: living.id, slots: 3, wants: 0 },
        );
        for (const id of ['g-1', 'g-2', 'g-3']) void executor.begun(id, 60_000);
        executor.ended('g-2');
        void living.begun('h-1', 60_000);
        executor.ended('g-3');
        void executor.begun('g-3', 60_000);
        const programs = ['g-1', 'g-2', 'g-3'].map((runId, at) => ({
          runId,
          group: 4_000_000 + at,
          number: at,
        }));
        for (const program of programs) executor.started(program);
        executor.ended('g-2');
        await rig.kill(executor.id);
        const view = await store.read(EVERYTHING);
        expect(view.executors().find(({ id }) => id === executor.id)).toMatchObject({
          alive: false,
          interrupted: new Set(['g-1', 'g-3']),
          programs: [programs[0], programs[2]],
        });
        expect(view.executors().find(({ id }) => id === living.id)).toMatchObject({
          alive: true,
          interrupted: new Set(),
          begun: new Map([['h-1', expect.any(String)]]),
        });
      });

      it('that nobody entered cannot be named', async () => {
        await expect(commit({ type: 'executor', id: 'nobody', slots: 1, wants: 0 })).rejects.toThrow(
          /never entered/,
        );
        expect((await store.read(EVERYTHING)).executors()).toEqual([]);
      });
    });

    describe('sensors', () => {
      it('have their version raised by every change, and keep what is not given', async () => {
        await commit({ type: 'sensor-changed', sensor: 'feed', cursor: '1' });
        expect((await store.read(EVERYTHING)).sensor('feed')).toMatchObject({
          cursor: '1',
          status: null,
          version: 1,
          lastTick: null,
        });
        await commit({ type: 'sensor-changed', sensor: 'feed', status: 'STOPPED' });
        expect((await store.read(EVERYTHING)).sensor('feed')).toMatchObject({
          cursor: '1',
          status: 'STOPPED',
          version: 2,
        });
        const tick = tickRecord({ sensor: 'feed', status: 'SUCCESS' });
        await commit({ type: 'sensor-changed', sensor: 'feed', cursor: null, tick });
        expect((await store.read(EVERYTHING)).sensor('feed')).toMatchObject({
          cursor: null,
          status: 'STOPPED',
          version: 3,
          lastTick: tick,
        });
        await commit({ type: 'sensor-changed', sensor: 'feed' });
        expect((await store.read(EVERYTHING)).sensor('feed')).toMatchObject({
          status: 'STOPPED',
          version: 4,
          lastTick: tick,
        });
        expect((await store.read(EVERYTHING)).sensorNames()).toEqual(['feed']);
      });

      it('remember the pipeline that they belong to', async () => {
        const pipeline = {
          file: '/p.ts',
          stamp: '1',
          sets: ['letters'],
          concurrency: 3,
          assets: [],
          sensors: [],
        };
        await commit({ type: 'pipeline-known', pipeline, at: AT });
        expect((await store.read(EVERYTHING)).pipeline).toEqual(pipeline);
      });
    });

    describe('committing', () => {
      it('applies all changes of a plan in order, as one commit', async () => {
        await commit(
          keysAdded('letters', ['a', 'b']),
          { type: 'keys-removed', set: 'letters', keys: ['a'], keepOut: false },
          keysAdded('letters', ['c']),
        );
        const view = await store.read(EVERYTHING);
        expect(view.serial).toBe(1);
        expect(view.keys('letters')).toEqual(['b', 'c']);
      });

      it('answers with the outcome of the plan', async () => {
        expect(await store.commit(EVERYTHING, () => ({ changes: [], outcome: 'nothing' }))).toBe('nothing');
        expect(
          await store.commit(EVERYTHING, (view) => ({
            changes: [keysAdded('letters', ['a'])],
            outcome: view.serial,
          })),
        ).toBe(0);
      });

      it('writes nothing for a plan without changes', async () => {
        await commit(keysAdded('letters', ['a']));
        const before = await rig.content();
        await commit();
        expect(await rig.content()).toEqual(before);
        expect((await store.read(EVERYTHING)).serial).toBe(1);
      });

      it('changes nothing when a plan throws, and goes on afterwards', async () => {
        await commit(keysAdded('letters', ['a']));
        const before = await rig.content();
        const wrong = store.commit(EVERYTHING, () => {
          throw new RangeError('this plan does not work');
        });
        await expect(wrong).rejects.toThrow(new RangeError('this plan does not work'));
        expect(await rig.content()).toEqual(before);
        await commit(keysAdded('letters', ['b']));
        expect(await keys()).toEqual(['a', 'b']);
      });

      it('changes nothing when one of several changes cannot be applied', async () => {
        await commit(keysAdded('letters', ['a']));
        const before = await rig.content();
        await expect(
          commit(keysAdded('letters', ['b']), { type: 'executor', id: 'nobody', slots: 1, wants: 0 }),
        ).rejects.toThrow(/never entered/);
        expect(await rig.content()).toEqual(before);
        expect(await keys()).toEqual(['a']);
      });

      it('loses nothing of commits that are made at once', async () => {
        const added = Array.from({ length: 50 }, (_, at) => `key ${at}`);
        await Promise.all(
          added.map((key) =>
            store.commit(EVERYTHING, (view) => ({
              changes: [
                keysAdded('letters', [key]),
                { type: 'sensor-changed', sensor: 'feed', cursor: String(view.keys('letters').length) },
              ],
              outcome: undefined,
            })),
          ),
        );
        expect([...(await keys())].sort()).toEqual([...added].sort());
        // Each plan saw what the one before it had committed.
        expect((await store.read(EVERYTHING)).sensor('feed')).toMatchObject({ cursor: '49', version: 50 });
        // A file takes together what waits while it is written.
        expect((await store.read(EVERYTHING)).serial).toBeLessThanOrEqual(50);
      });

      it('takes none with a plan that throws', async () => {
        const committed = await Promise.allSettled(
          ['a', 'throws', 'b'].map((key) =>
            store.commit(EVERYTHING, (view) => {
              if (key === 'throws') throw new Error('not this one');
              return { changes: [keysAdded('letters', [key])], outcome: [...view.keys('letters')] };
            }),
          ),
        );
        expect(committed).toEqual([
          { status: 'fulfilled', value: [] },
          { status: 'rejected', reason: new Error('not this one') },
          { status: 'fulfilled', value: ['a'] },
        ]);
        expect(await keys()).toEqual(['a', 'b']);
      });
    });

    describe('the history', () => {
      const tickAt = (
        second: number,
        fields: { sensor?: string; skipReason?: string } = {},
      ): ReturnType<typeof tickRecord> =>
        tickRecord({
          sensor: 'feed',
          startedAt: new Date(Date.parse(AT) + second * 1000).toISOString(),
          ...fields,
        });

      it('gives ticks newest first, of one sensor, as many as asked for', async () => {
        for (let second = 0; second < 5; second++) await store.recordTick(tickAt(second));
        await store.recordTick(tickAt(9, { sensor: 'other' }));
        expect(await store.ticks('feed', 10)).toEqual([4, 3, 2, 1, 0].map((second) => tickAt(second)));
        expect(await store.ticks('feed', 2)).toEqual([tickAt(4), tickAt(3)]);
        expect(await store.ticks('other', 2)).toEqual([tickAt(9, { sensor: 'other' })]);
        expect(await store.ticks('nobody', 2)).toEqual([]);
        expect(await store.ticks('feed', 0)).toEqual([]);
      });

      it('has every tick, also one that began in the same millisecond as another', async () => {
        await store.recordTick(tickAt(1));
        await store.recordTick(tickAt(1, { skipReason: 'another process’s' }));
        expect(await store.ticks('feed', 10)).toEqual([
          tickAt(1, { skipReason: 'another process’s' }),
          tickAt(1),
        ]);
      });

      it('takes ticks without touching the state', async () => {
        await commit(keysAdded('letters', ['a']));
        const before = await rig.content();
        await store.recordTick(tickAt(1));
        expect(await rig.content()).toEqual(before);
      });

      it('keeps ticks of sensors apart whose names begin alike', async () => {
        await store.recordTick(tickAt(1, { sensor: 'feed.000001' }));
        await store.recordTick(tickAt(2, { sensor: 'feed' }));
        expect(await store.ticks('feed', 10)).toEqual([tickAt(2, { sensor: 'feed' })]);
        expect(await store.ticks('feed.000001', 10)).toEqual([tickAt(1, { sensor: 'feed.000001' })]);
      });

      it('gives runs newest first, pending and finished ones, those that were asked for', async () => {
        await commit(keysAdded('letters', ['a', 'b', 'c']));
        for (const [at, status] of (['SUCCESS', 'FAILURE', 'SUCCESS', 'CANCELED'] as const).entries()) {
          const partitionKey = at === 0 ? 'b' : 'a';
          const tags = at === 1 ? { of: 'a' } : {};
          const run = finishedRun({ id: `h-${at + 1}`, partitionKey, status, tags, sensor: null });
          await commit({ type: 'runs-finished', runs: [run] });
        }
        await commit({ type: 'sensor-changed', sensor: 'feed', cursor: null });
        await commit({
          type: 'runs-queued',
          owner: null,
          runs: queuedRuns({ group: 'p', keys: ['b', 'c'], sensor: 'feed', assets: ['text'] }),
        });
        const ids = async (query: RunQuery): Promise<string> => {
          const { runs, hasMore } = await store.runs(query);
          return runs.map(({ id }) => id).join(' ') + (hasMore ? ' …' : '');
        };
        expect(await ids({})).toBe('p-2 p-1 h-4 h-3 h-2 h-1');
        expect(await ids({ limit: 3 })).toBe('p-2 p-1 h-4 …');
        expect(await ids({ limit: 3, after: 'p-1' })).toBe('h-4 h-3 h-2 …');
        expect(await ids({ limit: 3, after: 'h-4' })).toBe('h-3 h-2 h-1');
        expect(await ids({ after: 'nobody' })).toBe('');
        expect(await ids({ status: 'SUCCESS' })).toBe('h-3 h-1');
        expect(await ids({ status: 'QUEUED' })).toBe('p-2 p-1');
        expect(await ids({ status: 'SUCCESS', limit: 1 })).toBe('h-3 …');
        expect(await ids({ ids: ['h-1', 'p-2', 'nobody'] })).toBe('p-2 h-1');
        expect(await ids({ ids: [] })).toBe('');
        expect(await ids({ keys: ['b'] })).toBe('p-1 h-1');
        expect(await ids({ keys: ['a', 'b'], newestOfEachKey: true })).toBe('p-1 h-4');
        expect(await ids({ newestOfEachKey: true })).toBe('p-2 p-1 h-4');
        expect(await ids({ assets: ['text'] })).toBe('p-2 p-1');
        expect(await ids({ sensor: 'feed' })).toBe('p-2 p-1');
        expect(await ids({ isTagged: true })).toBe('p-2 p-1 h-2');
        expect(await ids({ isTagged: true, keys: ['a'], newestOfEachKey: true })).toBe('h-2');
      });

      it('is told by a view as it was when the view was read, and only what was asked for', async () => {
        const query = { assets: ['audio'], limit: 2 };
        await commit(
          keysAdded('letters', ['a', 'b']),
          { type: 'runs-finished', runs: [finishedRun({ id: 'h-1', partitionKey: 'a', status: 'SUCCESS' })] },
          { type: 'runs-queued', runs: queuedRuns({ group: 'p', keys: ['b'] }), owner: null },
        );
        await store.recordTick(tickAt(1));
        const before = await store.read({ runPages: [query], ticks: [{ sensor: 'feed', limit: 1 }] });
        const ended = finishedRun({ id: 'p-1', partitionKey: 'b', status: 'FAILURE' });
        await commit({ type: 'runs-finished', runs: [ended] });
        await store.recordTick(tickAt(2));
        expect(before.runPage(query).runs.map(({ id, status }) => [id, status])).toEqual([
          ['p-1', 'QUEUED'],
          ['h-1', 'SUCCESS'],
        ]);
        expect(before.ticks({ sensor: 'feed', limit: 1 })).toEqual([tickAt(1)]);
        expect(() => before.runPage({ limit: 3 })).toThrow('not among its needs');
        expect(() => before.ticks({ sensor: 'other', limit: 1 })).toThrow('not among its needs');
        // As it would be after a change, likewise.
        const preview = await store.preview([keysAdded('letters', ['c'])], { runPages: [query] });
        expect(preview.runPage(query)).toEqual(await store.runs(query));
      });

      it('counts the tick of a process that was killed before it recorded it', async () => {
        const starts = async (): Promise<string[]> =>
          (await store.ticks('feed', 9)).map(({ startedAt }) => startedAt.slice(17, 19));
        const at = (second: number, status: TickRecord['status'] = 'SUCCESS'): TickRecord =>
          tickRecord({ sensor: 'feed', status, startedAt: new Date(second * 1000).toISOString() });
        const lastTick = async (): Promise<string | undefined> =>
          (await store.read(EVERYTHING)).sensor('feed').lastTick?.startedAt.slice(17, 19);
        await store.recordTick(at(1, 'SKIPPED'));
        await commit({ type: 'sensor-changed', sensor: 'feed', tick: at(2) });
        expect(await starts()).toEqual(['02', '01']);
        expect(await lastTick()).toBe('02');
        // Whatever comes next puts it where it belongs.
        await store.recordTick(at(3, 'BUSY'));
        expect(await starts()).toEqual(['03', '02', '01']);
        expect(await lastTick()).toBe('02');
        await commit({ type: 'sensor-changed', sensor: 'feed', tick: at(4) });
        await commit({ type: 'sensor-changed', sensor: 'feed', tick: at(5) });
        await store.recordTick(at(5));
        expect(await starts()).toEqual(['05', '04', '03', '02', '01']);
      });

      it('brings finished runs back as they were', async () => {
        await commit(keysAdded('letters', ['a']));
        const run = finishedRun({
          id: 'h-1',
          partitionKey: 'a',
          status: 'FAILURE',
          tags: { a: 'b' },
          runKey: 'once',
          sensor: 'feed',
          error: { code: 'asset-threw', message: 'line 1\nline 2 \u001b[31m é 😀', hint: null },
          assets: [outcomeOf({ asset: 'audio', status: 'FAILURE', attempts: 2, metadata: { n: [1, null] } })],
        });
        await commit({ type: 'runs-finished', runs: [run] });
        expect(await finishedRuns(store, { limit: 1 })).toEqual([run.record]);
      });

      it('keeps the log of each run apart, in order', async () => {
        const line = (text: string): Parameters<StateStore['appendLog']>[1][number] => ({
          at: AT,
          stream: 'log',
          text,
          asset: 'audio',
          attempt: 1,
        });
        store.appendLog('g-1', [line('one'), line('two')]);
        store.appendLog('g-2', [line('other')]);
        store.appendLog('g-1', [line('three\nwith é')]);
        store.closeLog('g-1');
        const all = await store.readLog('g-1', 0);
        expect(all).toMatchObject({ lines: [line('one'), line('two'), line('three\nwith é')], isEnd: true });
        expect((await store.readLog('g-2', 0)).lines).toEqual([line('other')]);
        expect((await store.readLog('g-3', 0)).lines).toEqual([]);
        expect(await store.endOfLog('g-1', 2)).toEqual([line('two'), line('three\nwith é')]);
        expect(await store.endOfLog('g-1', Infinity)).toEqual(all.lines);
        // Only what came since.
        expect(await store.readLog('g-1', all.next)).toEqual({ lines: [], next: all.next, isEnd: true });
        store.appendLog('g-1', [line('four')]);
        expect((await store.readLog('g-1', all.next)).lines).toEqual([line('four')]);
      });

      it('reads a log of any size in parts', async () => {
        const line = (text: string): RunLogLine => ({
          at: AT,
          stream: 'log',
          text,
          asset: 'audio',
          attempt: 1,
        });
        const texts = Array.from({ length: 2100 }, (_, at) => `${at} é ${'x'.repeat(1000)}`);
        store.appendLog('g-1', texts.map(line));
        store.closeLog('g-1');
        const found: string[] = [];
        let from = 0;
        for (let isEnd = false; !isEnd;) {
          const part = await store.readLog('g-1', from);
          found.push(...part.lines.map(({ text }) => text));
          ({ next: from, isEnd } = part);
        }
        expect(found).toEqual(texts);
      });
    });

    describe('the claim of a sensor', () => {
      it('is given once: the second one sees who has it', async () => {
        const claim = await store.claimSensor('feed');
        if ('holder' in claim) throw new Error('nobody else had it');
        const second = await store.claimSensor('feed');
        if (!('holder' in second)) throw new Error('it was given twice');
        expect(second.holder.pid).toBe(process.pid);
        expect(await store.evaluating('feed')).toEqual(second.holder);
        expect(Date.parse(second.holder.since)).not.toBeNaN();
        await claim.release();
        expect(await store.evaluating('feed')).toBeNull();
        const third = await store.claimSensor('feed');
        if ('holder' in third) throw new Error('it was released');
        await third.release();
      });

      it('is each sensor’s own, whatever it is called', async () => {
        const names = ['feed', 'Feed', ...INHERITED];
        const claims = await Promise.all(names.map((sensor) => store.claimSensor(sensor)));
        for (const claim of claims) {
          if ('holder' in claim) throw new Error('another sensor has nothing to do with it');
          await claim.release();
        }
        expect(claims).toHaveLength(names.length);
      });

      it('goes to one of many that ask at once', async () => {
        const answers = await Promise.all(Array.from({ length: 10 }, () => store.claimSensor('feed')));
        const given = answers.filter((answer) => !('holder' in answer));
        expect(given).toHaveLength(1);
        for (const claim of given) if (!('holder' in claim)) await claim.release();
      });

      it('tells the next one of programs that were not seen to end, and of those of no other sensor', async () => {
        const claimed = async (sensor: string): Promise<SensorClaim> => {
          const claim = await store.claimSensor(sensor);
          return 'holder' in claim ? expect.fail('nobody has it') : claim;
        };
        const first = await claimed('feed');
        expect(await first.left()).toEqual([]);
        first.started({ group: 4_100_001, number: 1 });
        first.started({ group: 4_100_002, number: 2 });
        await first.release();
        for (const other of ['fee', 'feed.more', 'Feed']) {
          const claim = await claimed(other);
          expect(await claim.left()).toEqual([]);
          await claim.release();
        }
        const second = await claimed('feed');
        expect(second.id).not.toBe(first.id);
        await vi.waitFor(
          async () => {
            expect(await second.left()).toMatchObject([
              {
                id: first.id,
                alive: true,
                visible: true,
                programs: [
                  { group: 4_100_001, number: 1 },
                  { group: 4_100_002, number: 2 },
                ],
              },
            ]);
          },
          { timeout: 60_000 },
        );
        await first.programsEnded();
        expect(await second.left()).toEqual([]);
        await second.programsEnded();
        await second.release();
      });

      it('changes nothing in the state', async () => {
        const before = await rig.content();
        const claim = await store.claimSensor('feed');
        expect(await rig.content()).toEqual(before);
        if (!('holder' in claim)) await claim.release();
      });
    });
  });
}

/** What more is promised where several processes share a store. */
export function describeSharedStoreContract(
  name: string,
  makeStore: () => SharedStoreRig | Promise<SharedStoreRig>,
): void {
  describe(`${name} keeps the contract where others commit at the same time`, () => {
    let rig: SharedStoreRig;
    let store: StateStore;

    beforeEach(async () => {
      rig = await makeStore();
      store = rig.store;
    });

    afterEach(async () => {
      const problems = await rig.problems();
      await rig.dispose();
      expect(problems).toEqual([]);
    });

    const commit = (...changes: readonly StateChange[]): Promise<void> =>
      store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));

    const keys = async (): Promise<readonly string[]> => (await store.read(EVERYTHING)).keys('letters');

    it('plans again from the newer state when another process was first', async () => {
      const seen: string[][] = [];
      await store.commit(EVERYTHING, (view) => {
        seen.push([...view.keys('letters')]);
        if (seen.length <= 3) rig.commitElsewhere([keysAdded('letters', [`theirs ${seen.length}`])]);
        return { changes: [keysAdded('letters', [`mine ${seen.length}`])], outcome: undefined };
      });
      expect(seen).toEqual([
        [],
        ['theirs 1'],
        ['theirs 1', 'theirs 2'],
        ['theirs 1', 'theirs 2', 'theirs 3'],
      ]);
      expect(await keys()).toEqual(['theirs 1', 'theirs 2', 'theirs 3', 'mine 4']);
    });

    it('puts the runs of a commit into the history once, with the end that the state knows', async () => {
      await commit(keysAdded('letters', ['a']), {
        type: 'runs-queued',
        runs: queuedRuns({ keys: ['a'] }),
        owner: null,
      });
      let tries = 0;
      await store.commit(EVERYTHING, (view) => {
        if (++tries === 1) {
          rig.commitElsewhere([
            {
              type: 'runs-finished',
              runs: [finishedRun({ id: 'g-1', partitionKey: 'a', status: 'SUCCESS' })],
            },
          ]);
        }
        const canceled = finishedRun({ id: 'g-1', partitionKey: 'a', status: 'CANCELED' });
        return {
          changes: view.run('g-1') === undefined ? [] : [{ type: 'runs-finished', runs: [canceled] }],
          outcome: undefined,
        };
      });
      expect(tries).toBe(2);
      expect(letters(await store.read(EVERYTHING), 'audio', 'letters')).toBe('m');
      expect((await finishedRuns(store, { limit: 10 })).map(({ id, status }) => `${id} ${status}`)).toEqual([
        'g-1 SUCCESS',
      ]);
    });
  });
}
