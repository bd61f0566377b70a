/** What becomes of each key by itself: what the planners of automation and `materialize` do, and nothing else. */
import { array, assert, asyncProperty, boolean, constantFrom, nat, record } from '../../../support/random.ts';
import { describe, expect, it } from 'vitest';
import { asset, type AnyAsset, type Automate } from '../../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../../../src/definitions/pipeline.ts';
import type { Periods } from '../../../../src/engine/plan/automate/periods.ts';
import { needsOfAutomation, planAutomation } from '../../../../src/engine/plan/automate/plan-automation.ts';
import {
  needsOfMaterialize,
  planMaterialize,
} from '../../../../src/engine/plan/materialize/plan-materialize.ts';
import { withPipeline } from '../../../../src/engine/plan/pipeline/remember-pipeline.ts';
import { needsOfOutlook } from '../../../../src/engine/plan/why/needs-of-outlook.ts';
import { type Outlook, Outlooks } from '../../../../src/engine/plan/why/outlook.ts';
import { knownOf } from '../../../../src/loader/known-pipeline.ts';
import { STATUSES } from '../../../../src/model/partition-status.ts';
import { outcomeOf } from '../../../../src/model/run.ts';
import type { StateChange } from '../../../../src/state/changes.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { AT, finishedRun, queuedRuns } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const letters = dynamicPartitions<{ n: number }>('letters');
const KEYS = ['a', 'b', 'c'];
const NOW = Date.parse(AT);

function made(name: string, automate?: Automate<{ n: number }>, deps: readonly AnyAsset[] = []) {
  return asset({
    name,
    partitions: letters,
    deps,
    ...(automate && { automate }),
    materialize: () => name,
  });
}

class World {
  readonly store = new MemoryStore(new FakeClock());
  readonly pipeline: Pipeline;
  now = NOW;
  periods: Periods = new Map();
  #ends = 0;

  constructor(assets: readonly AnyAsset[]) {
    this.pipeline = definePipeline({ assets });
  }

  commit(...changes: readonly StateChange[]): Promise<void> {
    const known = knownOf(this.pipeline, '/p.ts', '');
    return this.store.commit(EVERYTHING, (view) => ({
      changes: withPipeline(view, known, changes, Date.parse(AT)),
      outcome: undefined,
    }));
  }

  add(): Promise<void> {
    const carried = KEYS.map((_, n) => ({ version: '1', item: { n } }));
    return this.commit({ type: 'keys-added', set: 'letters', keys: KEYS, at: AT, carried });
  }

  end(key: string | null, name: string, status: 'SUCCESS' | 'FAILURE' | 'SKIPPED'): Promise<void> {
    const outcome = outcomeOf({ asset: name, status, skipReason: status === 'SKIPPED' ? 'nothing' : null });
    const run = finishedRun({
      id: `r-${++this.#ends}`,
      partitionKey: key,
      status: 'SUCCESS',
      assets: [outcome],
    });
    return this.commit({ type: 'runs-finished', runs: [run] });
  }

  async one(name: string, key: string | null): Promise<Outlook> {
    const definition = this.pipeline.assets.get(name)!;
    const asked = { pipeline: this.pipeline, asset: definition, now: this.now, periods: this.periods };
    const view = await this.store.read(needsOfOutlook(asked, key));
    return new Outlooks(view, asked).of(key).outlook;
  }

  async all(name: string): Promise<Map<string, Outlook>> {
    const definition = this.pipeline.assets.get(name)!;
    const asked = { pipeline: this.pipeline, asset: definition, now: this.now, periods: this.periods };
    const view = await this.store.read(needsOfOutlook(asked, undefined));
    return new Map([...new Outlooks(view, asked).ofAll()].map(({ key, outlook }) => [key!, outlook]));
  }
}

const short = (outlook: Outlook): string => {
  if (outlook.is === 'due') return `due ${outlook.reason}`;
  if (outlook.is === 'left') return `left ${outlook.because}`;
  if (outlook.is === 'waiting')
    return `waiting ${outlook.upstreams.map(({ asset: name, state }) => `${name} ${state}`).join(', ')}; absent ${outlook.absent.map(({ asset: name }) => name).join(' ')}`;
  return outlook.is;
};

describe('the outlook of a key', () => {
  it('says what is left alone, and for what', async () => {
    const sound = made('sound', 'missing');
    const the = new World([
      sound,
      made('text', { when: 'stale', only: (key, { n }) => key !== 'b' && n < 2 }, [sound]),
      made('byHand', undefined, [sound]),
    ]);
    await the.add();
    await the.end('a', 'sound', 'FAILURE');
    await the.end('b', 'sound', 'SUCCESS');
    await the.end('c', 'sound', 'SKIPPED');
    const of = async (name: string) => [...(await the.all(name)).values()].map(short);
    expect(await of('sound')).toEqual(['left failed', 'well', 'left skipped']);
    expect(await of('text')).toEqual([
      'waiting sound failed; absent sound',
      'left filtered',
      'left filtered',
    ]);
    expect(await of('byHand')).toEqual([
      'waiting sound failed; absent sound',
      'left not-automated',
      'waiting sound skipped; absent ',
    ]);
    const item = { version: '2', item: { n: 0 } };
    await the.commit({ type: 'keys-updated', set: 'letters', keys: KEYS, carried: KEYS.map(() => item) });
    expect(await of('sound')).toEqual(['due failed', 'left stale', 'due missing']);
    await the.commit({ type: 'sensor-changed', sensor: 'automation', status: 'STOPPED' });
    expect(await of('sound')).toEqual(['left stopped', 'left stale', 'left stopped']);
  });

  it('says when a failed key is tried again by itself', async () => {
    const retry = { later: ['1m'] };
    const the = new World([
      asset({ name: 'sound', partitions: letters, automate: 'missing', retry, materialize: () => 1 }),
    ]);
    await the.add();
    await the.end('a', 'sound', 'FAILURE');
    const outlook = await the.one('sound', 'a');
    expect(outlook).toEqual({ is: 'later', because: 'retry', at: expect.any(String) });
    expect([...(await the.all('sound')).values()].map(short)).toEqual([
      'later',
      'due missing',
      'due missing',
    ]);
    the.now = Date.parse(outlook.is === 'later' ? outlook.at! : '');
    expect(short(await the.one('sound', 'a'))).toBe('due failed');
    expect(short((await the.all('sound')).get('a')!)).toBe('due failed');
    await the.end('a', 'sound', 'FAILURE');
    the.now += 1_000_000;
    expect(short(await the.one('sound', 'a'))).toBe('left failed');
  });

  it('says until when an asset rests that was requested in this period', async () => {
    const sound = made('sound', { when: 'missing', every: 'day' });
    const the = new World([sound]);
    await the.add();
    the.periods = new Map([['sound', { start: NOW, next: NOW + 60_000 }]]);
    expect(short(await the.one('sound', 'a'))).toBe('due missing');
    const periods = { sound: AT };
    await the.commit({ type: 'sensor-changed', sensor: 'automation', periods });
    const at = new Date(NOW + 60_000).toISOString();
    expect(await the.one('sound', 'a')).toEqual({ is: 'later', because: 'every', at });
    await the.end('a', 'sound', 'SUCCESS');
    expect(short(await the.one('sound', 'a'))).toBe('well');
  });

  it('knows who has a run in hand', async () => {
    const the = new World([made('sound', 'missing')]);
    await the.add();
    const runs = queuedRuns({ group: 'g', keys: ['a'], assets: ['sound'] });
    const { id: owner } = await the.store.enter();
    await the.commit(
      { type: 'executor', id: owner, slots: 2, wants: 0 },
      { type: 'runs-queued', runs, owner },
    );
    const outlook = await the.one('sound', 'a');
    expect(outlook).toMatchObject({
      is: 'run',
      work: { run: { id: 'g-1' }, alive: true },
      by: { id: owner },
    });
  });

  it('is what automation and materialize plan, whatever is on record', async () => {
    const node = record({
      automate: constantFrom<(Automate<{ n: number }> | undefined)[]>(
        'stale',
        'missing',
        { when: 'stale', backlog: true },
        { when: 'missing', only: (_, { n }) => n > 0 },
        undefined,
      ),
      above: array(nat(3), { maxLength: 2 }),
      hasSet: boolean(),
      marks: array(nat(STATUSES.length - 1), { minLength: 3, maxLength: 3 }),
    });
    await assert(
      asyncProperty(array(node, { minLength: 1, maxLength: 4 }), async (nodes) => {
        const assets: AnyAsset[] = [];
        for (const [at, { automate, above, hasSet }] of nodes.entries()) {
          const deps = [...new Set(above)].filter((one) => one < at).map((one) => assets[one]!);
          const isAlone = !hasSet && deps.every(({ options }) => options.partitions === undefined);
          assets.push(
            isAlone
              ? asset({ name: `n${at}`, deps, ...(automate && { automate: 'stale' }), materialize: () => 1 })
              : made(`n${at}`, automate, deps),
          );
        }
        const the = new World(assets);
        await the.add();
        for (const [at, { marks }] of nodes.entries()) {
          const name = `n${at}`;
          const keys = the.pipeline.assets.get(name)!.set === null ? [null] : KEYS;
          for (const [position, key] of keys.entries()) {
            const mark = marks[position]! % 5;
            if (mark === 1) await the.end(key, name, 'SUCCESS');
            if (mark === 2) await the.end(key, name, 'FAILURE');
            if (mark === 3) await the.end(key, name, 'SKIPPED');
            if (mark === 4 && key !== null)
              await the.commit({
                type: 'runs-queued',
                runs: queuedRuns({ group: `q${at}${key}`, keys: [key], assets: [name] }),
                owner: null,
              });
          }
        }
        const moment = { startedAt: NOW, now: NOW, group: 'g' };
        const view = await the.store.read(needsOfAutomation(the.pipeline, NOW));
        const planned = planAutomation(view, the.pipeline, { moment, owner: null }).queued;
        for (const { name, set, automate } of the.pipeline.assets.values()) {
          const all = set === null ? null : await the.all(name);
          for (const key of set === null ? [null] : KEYS) {
            const outlook = await the.one(name, key);
            if (all !== null) expect(short(all.get(key!)!)).toBe(short(outlook));
            const runs = planned.find(({ keys, assets: of }) => keys.includes(key) && of.includes(name));
            expect(outlook.is === 'due' && outlook.reason).toBe(
              runs === undefined ? false : runs.reasons![runs.assets.indexOf(name)],
            );
            if (automate !== null || outlook.is === 'run') continue;
            const selection = {
              assets: [name],
              keys: key === null ? null : [key],
              waits: false,
              all: false,
              missing: true,
              failed: true,
              stale: true,
              prefix: null,
              order: 'oldest',
              limit: null,
              add: false,
            } as const;
            const slice = await the.store.read(needsOfMaterialize(the.pipeline, selection));
            const { queued, waiting } = planMaterialize(slice, the.pipeline, selection, {
              moment,
              owner: null,
            });
            expect(outlook.is === 'left' && outlook.because === 'not-automated').toBe(queued.length > 0);
            expect(outlook.is === 'waiting').toBe(waiting.length > 0);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
