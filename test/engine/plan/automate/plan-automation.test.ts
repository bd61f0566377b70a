import {
  array,
  assert,
  asyncProperty,
  constant,
  constantFrom,
  nat,
  oneof,
  record,
} from '../../../support/random.ts';
import { describe, expect, it } from 'vitest';
import { asset, type AnyAsset, type Automate } from '../../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../../src/definitions/partitions.ts';
import { allKeys, lastKeys, mapKeys } from '../../../../src/definitions/gather.ts';
import { mappedKeys, mappingOf } from '../../../../src/definitions/mapped-keys.ts';
import type { Gathered } from '../../../../src/definitions/gathered.ts';
import { type AssetDefinition, definePipeline, type Pipeline } from '../../../../src/definitions/pipeline.ts';
import { reasonToAutomate } from '../../../../src/engine/plan/automate/look.ts';
import { needsOfAutomation, planAutomation } from '../../../../src/engine/plan/automate/plan-automation.ts';
import type { Period } from '../../../../src/engine/plan/automate/periods.ts';
import { withPipeline } from '../../../../src/engine/plan/pipeline/remember-pipeline.ts';
import type { TickPlan } from '../../../../src/engine/plan/tick/tick-record.ts';
import { knownOf } from '../../../../src/loader/known-pipeline.ts';
import { FailureError } from '../../../../src/model/failure.ts';
import { isThere } from '../../../../src/model/partition-status.ts';
import { outcomeOf, runId } from '../../../../src/model/run.ts';
import type { StateChange } from '../../../../src/state/changes.ts';
import { MemoryStore } from '../../../../src/state/memory/memory-store.ts';
import { EVERYTHING } from '../../../../src/state/needs.ts';
import { AT, finishedRun, queuedRuns } from '../../../support/builders.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { letters as lettersOf } from '../../../support/letters.ts';

const NOW = Date.parse(AT);
const letters = dynamicPartitions<{ n: number }>('letters');

function made(
  name: string,
  automate?: Automate<{ n: number }>,
  deps: readonly AnyAsset[] = [],
  codeVersion?: string,
  later?: readonly string[],
) {
  return asset({
    name,
    partitions: letters,
    deps,
    ...(automate && { automate }),
    ...(later && { retry: { later } }),
    ...(codeVersion !== undefined && { codeVersion }),
    materialize: () => name,
  });
}

type Outcome = 'SUCCESS' | 'FAILURE' | 'SKIPPED';

class World {
  readonly store = new MemoryStore(new FakeClock());
  pipeline: Pipeline;
  now = NOW;
  /** As the clock of the assets with `every` says: how long a period is, in milliseconds. */
  periodMs: number | null = null;
  #groups = 0;

  constructor(assets: readonly AnyAsset[], perTick?: number) {
    this.pipeline = definePipeline({ assets, ...(perTick !== undefined && { automation: { perTick } }) });
    this.store.useMapping(mappingOf(this.pipeline));
  }

  use(assets: readonly AnyAsset[]): Promise<void> {
    this.pipeline = definePipeline({ assets });
    this.store.useMapping(mappingOf(this.pipeline));
    return this.commit();
  }

  /** With the pipeline before them, as a tick commits it. */
  commit(...changes: readonly StateChange[]): Promise<void> {
    const known = knownOf(this.pipeline, '/p.ts', '');
    return this.store.commit(EVERYTHING, (view) => {
      const all =
        changes.length > 0 ? changes : [{ type: 'pipeline-known', pipeline: known, at: AT } as const];
      return { changes: withPipeline(view, known, all, Date.parse(AT)), outcome: undefined };
    });
  }

  add(keys: readonly string[], version = '1', set = 'letters'): Promise<void> {
    const carried = keys.map((_, n) => ({ version, item: { n } }));
    return this.commit({ type: 'keys-added', set, keys, at: AT, carried });
  }

  change(key: string, version: string, set = 'letters'): Promise<void> {
    return this.commit({
      type: 'keys-updated',
      set,
      keys: [key],
      carried: [{ version, item: null }],
    });
  }

  async plan(): Promise<TickPlan> {
    const { now } = this;
    const moment = { startedAt: now, now, group: `g${++this.#groups}` };
    const view = await this.store.read(needsOfAutomation(this.pipeline, now));
    const periods = new Map<string, Period>();
    for (const { name, automate } of this.pipeline.assets.values()) {
      if (automate?.every == null || this.periodMs === null) continue;
      const start = now - (now % this.periodMs);
      periods.set(name, { start, next: start + this.periodMs });
    }
    return planAutomation(view, this.pipeline, { moment, owner: null, periods });
  }

  /** What would be made: `key: asset reason, …`. */
  async due(): Promise<string[]> {
    return (await this.plan()).queued.flatMap(({ keys, assets, reasons }) =>
      keys.map((key) => `${key}: ${assets.map((name, at) => `${name} ${reasons![at]}`).join(', ')}`),
    );
  }

  /** One tick, and the runs that it requests. @returns how many there were */
  async tick(
    outcomeOfAsset: (asset: string, key: string | null) => Outcome = () => 'SUCCESS',
  ): Promise<number> {
    const { changes, queued } = await this.plan();
    if (changes.length === 0) return 0;
    await this.commit(...changes);
    const ends = queued.flatMap(({ group, firstNumber, set, keys, assets }) =>
      keys.map((partitionKey, at) => {
        const failed = new Set<string>();
        const outcomes = assets.map((name) => {
          const { upstream } = this.pipeline.assets.get(name)!;
          const status = upstream.some((above) => failed.has(above))
            ? 'SKIPPED'
            : outcomeOfAsset(name, partitionKey);
          const isLeftOut = upstream.some((above) => failed.has(above));
          if (status !== 'SUCCESS') failed.add(name);
          const skipReason = status === 'SKIPPED' && !isLeftOut ? 'nothing' : null;
          return outcomeOf({ asset: name, status, skipReason });
        });
        return finishedRun({
          id: runId(group, firstNumber + at),
          partitionKey,
          set,
          status: 'SUCCESS',
          assets: outcomes,
          finishedAt: new Date(this.now).toISOString(),
        });
      }),
    );
    await this.commit({ type: 'runs-finished', runs: ends });
    return ends.length;
  }

  /** @param work an asset and key, as in `n1@a` */
  gathers(work: string): boolean {
    return this.pipeline.assets.get(work.split('@')[0]!)!.gathers.length > 0;
  }

  /** Whether a function names some of the keys that it is made of. */
  isMapped(work: string): boolean {
    return this.pipeline.assets
      .get(work.split('@')[0]!)!
      .gathers.some(({ which }) => which.kind === 'mapped');
  }

  /** Whether it is made, by way of another set, of keys of its own: of the sets alone it would wait for itself. */
  isCircled(work: string): boolean {
    const { assets } = this.pipeline;
    const { set, gathers } = assets.get(work.split('@')[0]!)!;
    const others = gathers.map(({ asset: name }) => assets.get(name)!).filter((other) => other.set !== set);
    return (
      set !== null &&
      others.some((other) => other.gathers.some(({ asset: name }) => assets.get(name)!.set === set))
    );
  }

  async statuses(...names: readonly string[]): Promise<string> {
    const view = await this.store.read(EVERYTHING);
    return names.map((name) => lettersOf(view, name, 'letters')).join(' ');
  }
}

const failureOf = async (only: (key: string) => boolean): Promise<unknown> => {
  const the = new World([made('sound', { when: 'missing', only })]);
  await the.add(['a']);
  return the.plan().catch((error: unknown) => error instanceof FailureError && error.failure);
};

const sound = made('sound', 'stale');
const text = made('text', 'stale', [sound]);

/** Totals of all sounds. */
const totalsOf = (onMissing: 'fail' | 'skip' | 'wait', more: object = {}): AnyAsset =>
  asset({
    name: 'totals',
    deps: [allKeys(sound, { onMissing })],
    automate: { when: 'stale', ...more },
    materialize: () => 1,
  });
const queued = (keys: readonly (string | null)[], assets = ['sound']): StateChange => ({
  type: 'runs-queued',
  owner: null,
  runs: queuedRuns({ group: 'q', set: keys[0] === null ? null : 'letters', keys, assets }),
});

const failing = (name: string, key: string | null): Outcome =>
  name === 'sound' && (key === 'b' || key === 'c') ? 'FAILURE' : 'SUCCESS';

const dueWith = async (totals: AnyAsset): Promise<string[]> => {
  const the = new World([sound, totals]);
  await the.add(['a', 'b', 'c', 'd']);
  await the.tick(failing);
  return the.due();
};

describe('automation', () => {
  it('makes each key once, and again when it is stale', async () => {
    const the = new World([sound, text]);
    await the.add(['a', 'b']);
    expect(await the.due()).toEqual(['a: sound missing, text missing', 'b: sound missing, text missing']);
    await the.tick();
    expect(await the.due()).toEqual([]);
    await the.change('a', '2');
    expect(await the.due()).toEqual(['a: sound version, text version']);
    await the.tick();
    expect(await the.statuses('sound', 'text')).toBe('mm mm');
    await the.use([made('sound', 'stale', [], '1'), text]);
    expect(await the.due()).toEqual([]);
    await the.use([made('sound', 'stale', [], '2'), text]);
    expect(await the.due()).toEqual(['a: sound code, text upstream', 'b: sound code, text upstream']);
  });

  it("leaves alone with 'missing' what is stale", async () => {
    const the = new World([made('sound', 'missing'), made('text', 'missing', [sound])]);
    await the.add(['a']);
    await the.tick();
    await the.change('a', '2');
    expect(await the.due()).toEqual([]);
  });

  it('asks for a failed key again only when something has changed', async () => {
    const the = new World([sound, text]);
    await the.add(['a']);
    await the.tick((name) => (name === 'text' ? 'FAILURE' : 'SUCCESS'));
    expect(await the.due()).toEqual([]);
    await the.change('a', '2');
    expect(await the.due()).toEqual(['a: sound version, text failed']);
    await the.tick((name) => (name === 'sound' ? 'FAILURE' : 'SUCCESS'));
    expect(await the.statuses('sound', 'text')).toBe('V g');
    // What it is made from is there, though stale: its own failure was of an older version.
    expect(await the.due()).toEqual(['a: text failed']);
  });

  it('asks for a failed key again after each of its delays, behind fresh keys, and then leaves it to a person', async () => {
    const the = new World([made('sound', 'missing', [], '1', ['10m', '1h']), text]);
    await the.add(['a']);
    const failing = (): Promise<number> =>
      the.tick((name, key) => (name === 'sound' && key === 'a' ? 'FAILURE' : 'SUCCESS'));
    await failing();
    expect((await the.plan()).nextAt).toBe(new Date(NOW + 600_000).toISOString());
    the.now += 599_999;
    expect(await the.due()).toEqual([]);
    the.now += 1;
    expect(await the.due()).toEqual(['a: sound failed, text missing']);
    await the.add(['b']);
    expect(await the.due()).toEqual(['b: sound missing, text missing', 'a: sound failed, text missing']);
    await failing();
    the.now += 3_599_999;
    expect(await the.due()).toEqual([]);
    the.now += 1;
    expect(await failing()).toBe(1);
    expect((await the.plan()).nextAt).toBe(null);
    the.now += 100 * 86_400_000;
    expect(await the.due()).toEqual([]);
    // Another version: at once, and all delays anew.
    await the.change('a', '2');
    expect(await failing()).toBe(1);
    the.now += 600_000;
    expect(await the.tick()).toBe(1);
    expect(await the.statuses('sound', 'text')).toBe('mm mm');
  });

  it('asks at most once in each period, for all that has come up, and catches up once', async () => {
    const the = new World([made('sound', { when: 'stale', every: 'day' }), text]);
    the.periodMs = 86_400_000;
    await the.add(['a', 'b']);
    expect(await the.tick()).toBe(2);
    await the.add(['c']);
    await the.change('a', '2');
    // What is not limited goes on with what is there.
    expect(await the.due()).toEqual(['a: text version']);
    await the.tick();
    expect((await the.plan()).nextAt).toBe(new Date(NOW + 86_400_000).toISOString());
    the.now += 86_400_000 - 1;
    expect(await the.due()).toEqual([]);
    the.now += 3 * 86_400_000;
    expect(await the.due()).toEqual(['c: sound missing, text missing', 'a: sound version, text upstream']);
    await the.tick();
    await the.change('a', '3');
    expect(await the.due()).toEqual(['a: text version']);
    // The clock was set back by more than a period: nobody knows for how long.
    the.now -= 10 * 86_400_000;
    expect(await the.due()).toEqual(['a: sound version, text version']);
  });

  it('takes the rest of a period where one tick had no room for all, and tries failed keys again meanwhile', async () => {
    const daily = asset({
      name: 'sound',
      partitions: letters,
      automate: { when: 'missing', every: 'day' },
      retry: { later: ['1h'] },
      materialize: () => 1,
    });
    const the = new World([daily], 2);
    the.periodMs = 86_400_000;
    await the.add(['a', 'b', 'c']);
    expect(await the.tick()).toBe(2);
    expect(await the.tick(() => 'FAILURE')).toBe(1);
    await the.add(['d']);
    expect(await the.due()).toEqual([]);
    the.now += 3_600_000;
    expect(await the.due()).toEqual(['c: sound failed']);
  });

  it('asks again for what has no keys, too', async () => {
    const config = asset({
      name: 'config',
      automate: 'stale',
      retry: { later: ['1m'] },
      materialize: () => 1,
    });
    const the = new World([config]);
    await the.commit();
    await the.tick(() => 'FAILURE');
    expect(await the.due()).toEqual([]);
    the.now += 60_000;
    expect(await the.due()).toEqual(['null: config failed']);
  });

  it('waits for an upstream that nobody makes, and makes it with what is skipped above it', async () => {
    const the = new World([made('sound'), made('text', 'missing', [sound])]);
    await the.add(['a', 'b']);
    expect(await the.due()).toEqual([]);
    const mark = (key: string, as: 'materialized' | 'skipped'): Promise<void> =>
      the.commit({ type: 'keys-marked', asset: 'sound', set: 'letters', keys: [key], as, at: AT });
    await mark('a', 'materialized');
    await mark('b', 'skipped');
    expect(await the.due()).toEqual(['a: text missing', 'b: text missing']);
  });

  it('leaves alone what is on its way, and what waits for that', async () => {
    const the = new World([sound, text]);
    await the.add(['a', 'b']);
    const { changes } = await the.plan();
    await the.commit(...changes);
    expect(await the.due()).toEqual([]);
  });

  it('leaves a backlog alone, unless it is told to make it', async () => {
    const the = new World([made('sound')]);
    await the.add(['a', 'b']);
    await the.use([sound]);
    await the.add(['c']);
    expect(await the.due()).toEqual(['c: sound missing']);
    await the.change('a', '2');
    expect(await the.due()).toEqual(['a: sound missing', 'c: sound missing']);
    await the.use([made('sound', { when: 'missing', backlog: true })]);
    expect(await the.due()).toEqual(['a: sound missing', 'b: sound missing', 'c: sound missing']);
  });

  it('takes fresh keys first, and no more than it may in one tick', async () => {
    const the = new World([sound], 3);
    await the.add(['a', 'b']);
    await the.tick();
    await the.change('a', '2');
    await the.add(['c', 'd']);
    expect(await the.due()).toEqual(['c: sound missing', 'd: sound missing', 'a: sound version']);
    await the.add(['e', 'f']);
    expect(await the.due()).toEqual(['c: sound missing', 'd: sound missing', 'e: sound missing']);
  });

  describe('of what takes many keys', () => {
    it('asks once for a batch: when no key is requested or in progress', async () => {
      for (const onMissing of ['fail', 'skip', 'wait'] as const) {
        const the = new World([sound, totalsOf(onMissing)]);
        await the.add(['a', 'b']);
        expect(await the.due()).toEqual(['a: sound missing', 'b: sound missing']);
        await the.tick();
        expect(await the.due()).toEqual(['null: totals missing']);
        await the.commit(queued(['a']));
        expect(await the.due()).toEqual([]);
        await the.commit({ type: 'runs-released', ids: [] }, { type: 'runs-canceling', ids: ['q-1'] });
        expect(await the.due()).toEqual(['null: totals missing']);
        await the.tick();
        expect(await the.due()).toEqual([]);
        await the.change('a', '2');
        expect(await the.due()).toEqual(['a: sound version']);
        await the.tick();
        expect(await the.due()).toEqual(['null: totals upstream']);
      }
    });

    it('waits for what is made of keys that are on their way, through all that lies between', async () => {
      const text = made('text', 'missing', [sound]);
      const totals = asset({
        name: 'totals',
        deps: [allKeys(text, { onMissing: 'skip' })],
        automate: 'missing',
        materialize: () => 1,
      });
      const the = new World([sound, text, totals]);
      await the.add(['a']);
      await the.commit(queued(['a']));
      expect(await the.due()).toEqual([]);
      await the.commit({
        type: 'runs-finished',
        runs: [
          finishedRun({
            id: 'q-1',
            partitionKey: 'a',
            status: 'FAILURE',
            assets: [outcomeOf({ asset: 'sound', status: 'FAILURE' })],
          }),
        ],
      });
      // Nothing makes the text any more.
      expect(await the.due()).toEqual(['null: totals missing']);
    });

    it('needs all keys, or leaves out those that have failed, or so many of them', async () => {
      const asked = ['null: totals missing'];
      expect(await dueWith(totalsOf('fail'))).toEqual([]);
      expect(await dueWith(totalsOf('wait'))).toEqual([]);
      expect(await dueWith(totalsOf('skip'))).toEqual(asked);
      expect(await dueWith(totalsOf('skip', { waitFor: 'all' }))).toEqual([]);
      expect(await dueWith(totalsOf('skip', { waitFor: { allBut: 1 } }))).toEqual([]);
      expect(await dueWith(totalsOf('skip', { waitFor: { allBut: 2 } }))).toEqual(asked);
    });

    it('waits an hour at most of its period for what is on its way, and then takes what there is', async () => {
      const the = new World([sound, totalsOf('skip', { every: 'day' })]);
      the.periodMs = 24 * 3_600_000;
      await the.add(['a', 'b']);
      await the.tick();
      await the.commit({
        type: 'runs-queued',
        owner: null,
        runs: queuedRuns({ group: 'p', keys: ['a'], assets: ['sound'] }),
      });
      const start = the.now - (the.now % the.periodMs);
      the.now = start + 3_599_999;
      expect(await the.due()).toEqual([]);
      the.now = start + 3_600_000;
      expect(await the.due()).toEqual(['null: totals missing']);
    });

    it('takes none where there was no room for all of their keys', async () => {
      const the = new World([sound, totalsOf('skip')], 2);
      await the.add(['a', 'b', 'c']);
      expect(await the.due()).toEqual(['a: sound missing', 'b: sound missing']);
      await the.tick();
      expect(await the.due()).toEqual(['c: sound missing']);
    });

    it('looks at the last keys alone where it takes these', async () => {
      const latest = asset({
        name: 'latest',
        deps: [lastKeys(sound, 2)],
        automate: 'missing',
        materialize: () => 1,
      });
      const the = new World([sound, latest]);
      await the.add(['a', 'b', 'c']);
      await the.tick((_, key) => (key === 'a' ? 'FAILURE' : 'SUCCESS'));
      expect(await the.due()).toEqual(['null: latest missing']);
      await the.commit(queued(['a']));
      expect(await the.due()).toEqual(['null: latest missing']);
      await the.commit({
        type: 'runs-queued',
        owner: null,
        runs: queuedRuns({ group: 'r', keys: ['c'], assets: ['sound'] }),
      });
      expect(await the.due()).toEqual([]);
    });
  });

  it('makes what has no keys before what is made from it', async () => {
    const config = asset({ name: 'config', automate: 'stale', materialize: () => 1 });
    const the = new World([config, made('sound', 'stale', [config])]);
    await the.add(['a']);
    expect(await the.due()).toEqual(['null: config missing', 'a: sound missing']);
  });

  it('asks the filter, with the item of each key', async () => {
    const the = new World([made('sound', { when: 'missing', only: (key, { n }) => key !== 'a' && n < 2 })]);
    await the.add(['a', 'b', 'c']);
    expect(await the.due()).toEqual(['b: sound missing']);
  });

  it('says of a filter that throws, or answers with something else, what is wrong', async () => {
    const throws = await failureOf(() => {
      throw new Error('no such field');
    });
    expect(throws).toMatchObject({ reason: 'sensor-threw', sensor: 'automation' });
    expect(await failureOf((() => 1) as never)).toMatchObject({
      reason: 'sensor-result',
      problems: ["automate.only of asset 'sound' must answer with true or false, not a number"],
    });
  });

  it('requests exactly what a recursion over each key finds, and comes to an end', async () => {
    const automate = constantFrom<('missing' | 'stale' | undefined)[]>(
      'stale',
      'stale',
      'missing',
      undefined,
    );
    const gathered = record({
      at: nat(4),
      which: constantFrom<(number | 'all' | MapName)[]>('all', 'all', 1, 2, ...MAP_NAMES),
      onMissing: constantFrom('fail' as const, 'skip' as const, 'wait' as const),
    });
    const graph = array(
      record({
        automate,
        above: array(nat(4), { maxLength: 2 }),
        set: constantFrom('letters' as const, 'letters' as const, 'words' as const, null),
        gathers: array(gathered, { maxLength: 2 }),
        waitFor: constantFrom(undefined, undefined, 'all' as const, { allBut: 1 }),
      }),
      { minLength: 1, maxLength: 5, size: 'max' },
    );
    // From one set to the other and back.
    const ring = graph.map((nodes) =>
      nodes.map((node, at) => ({
        ...node,
        set: at % 2 === 0 ? ('letters' as const) : ('words' as const),
        automate: node.automate ?? 'missing',
        gathers: at === 0 ? [] : [{ ...(node.gathers[0] ?? STEP), at: at - 1 }, ...node.gathers.slice(1)],
      })),
    );
    const key = constantFrom(...KEYS);
    const set = constantFrom('letters' as const, 'letters' as const, 'words' as const);
    const event = oneof(
      record({ do: constant('add' as const), set, key }),
      record({ do: constant('remove' as const), set, key }),
      record({ do: constant('change' as const), set, key, version: constantFrom('1', '2', '3') }),
      record({ do: constant('code' as const), at: nat(4), code: constantFrom('1', '2') }),
      record({
        do: constant('mark' as const),
        at: nat(4),
        key,
        as: constantFrom('materialized' as const, 'missing' as const, 'skipped' as const),
      }),
      record({
        do: constant('tick' as const),
        outcomes: array(constantFrom<Outcome[]>('SUCCESS', 'SUCCESS', 'FAILURE', 'SKIPPED'), {
          minLength: 5,
          maxLength: 5,
        }),
      }),
    );
    const seen = { gathered: 0, waiting: 0, mapped: 0, circled: 0 };
    await assert(
      asyncProperty(
        oneof(graph, graph, ring),
        array(event, { maxLength: 14, size: 'max' }),
        async (nodes, events) => {
          const codes = nodes.map(() => '1');
          const build = (): AnyAsset[] => {
            const assets: AnyAsset[] = [];
            for (const [at, node] of nodes.entries()) {
              const before = (above: number): boolean => above < at;
              const deps = [...new Set(node.above)]
                .filter((above) => before(above) && [node.set, null].includes(nodes[above]!.set))
                .map((above) => assets[above]!);
              const many = node.gathers
                .map((one) => ({ ...one, at: one.at % Math.max(1, at) }))
                .filter((one) => before(one.at) && nodes[one.at]!.set !== null)
                .map(({ at: above, which, onMissing }) => {
                  if (typeof which === 'number') return lastKeys(assets[above]!, which, { onMissing });
                  // What has no keys has none to name others for.
                  if (which === 'all' || node.set === null) return allKeys(assets[above]!, { onMissing });
                  return mapKeys(assets[above]!, MAPS[which] as (key: string) => string[], { onMissing });
                });
              const needsAll = many.some(({ options }) => options.onMissing !== 'skip');
              const waitFor =
                many.length > 0 && (!needsAll || node.waitFor === 'all') ? node.waitFor : undefined;
              assets.push(
                asset({
                  name: `n${at}`,
                  ...(node.set !== null && { partitions: SETS[node.set] }),
                  deps: [...deps, ...many],
                  ...(node.automate && { automate: { when: node.automate, ...(waitFor && { waitFor }) } }),
                  codeVersion: codes[at]!,
                  materialize: () => at,
                } as never),
              );
            }
            return assets;
          };
          const the = new World(build());
          const keys = { letters: new Set<string>(), words: new Set<string>() };
          for (const one of events) {
            if (one.do === 'add' && !keys[one.set].has(one.key)) {
              keys[one.set].add(one.key);
              await the.add([one.key], '1', one.set);
            } else if (one.do === 'remove' && keys[one.set].delete(one.key))
              await the.commit({ type: 'keys-removed', set: one.set, keys: [one.key], keepOut: false });
            else if (one.do === 'change' && keys[one.set].has(one.key))
              await the.change(one.key, one.version, one.set);
            else if (one.do === 'code' && one.at < nodes.length) {
              codes[one.at] = one.code;
              await the.use(build());
            } else if (one.do === 'mark' && one.at < nodes.length) {
              const of = nodes[one.at]!.set;
              if (of === null || keys[of].has(one.key))
                await the.commit({
                  type: 'keys-marked',
                  asset: `n${one.at}`,
                  set: of,
                  keys: [of === null ? null : one.key],
                  as: one.as,
                  at: AT,
                });
            } else if (one.do === 'tick') await the.tick((name) => one.outcomes[Number(name.slice(1))]!);
            const expected = await naive(the, { letters: [...keys.letters], words: [...keys.words] });
            expect((await found(the)).sort()).toEqual([...expected.due].sort());
            seen.gathered += expected.due.filter((name) => the.gathers(name)).length;
            seen.waiting += expected.waiting;
            seen.mapped += expected.due.filter((name) => the.isMapped(name)).length;
            seen.circled += expected.due.filter((name) => the.isCircled(name)).length;
          }
          for (let ticks = 0; (await the.tick()) > 0; ticks++) expect(ticks).toBeLessThan(20);
        },
      ),
      { numRuns: RUNS },
    );
    // What it is about came up.
    expect(seen.gathered).toBeGreaterThan(RUNS / 20);
    expect(seen.waiting).toBeGreaterThan(RUNS / 20);
    expect(seen.mapped).toBeGreaterThan(RUNS / 20);
    expect(seen.circled).toBeGreaterThan(RUNS / 20);
  });
});

const RUNS = Number(process.env['DYNPART_RUNS'] ?? 200);

const SETS = { letters, words: dynamicPartitions('words') };
const KEYS = ['a', 'b', 'c'] as const;

type MapName = 'same' | 'next' | 'both' | 'first' | 'none' | 'never';

const nextOf = (key: string): string => ({ a: 'b', b: 'c', c: 'a' })[key]!;

/** Which keys a key is made of: also none, and one that never comes. */
const MAPS: Readonly<Record<MapName, (key: string) => string | readonly string[]>> = {
  same: (key) => key,
  next: nextOf,
  both: (key) => [key, nextOf(key)],
  first: () => ['a'],
  none: () => [],
  never: (key) => (key === 'c' ? ['z'] : [key]),
};
const STEP = { which: 'next', onMissing: 'skip' } as const;
const MAP_NAMES = Object.keys(MAPS) as MapName[];

async function found(the: World): Promise<string[]> {
  const { queued } = await the.plan();
  return queued.flatMap(({ keys, assets }) => keys.flatMap((key) => assets.map((name) => `${name}@${key}`)));
}

/** By asking each asset of each key, and what it is made from. */
async function naive(
  the: World,
  keysIn: Readonly<Record<string, readonly string[]>>,
): Promise<{ readonly due: readonly string[]; readonly waiting: number }> {
  const view = await the.store.read(EVERYTHING);
  const all = [...the.pipeline.assets.values()];
  const node = (name: string): AssetDefinition => the.pipeline.assets.get(name)!;
  const ownKey = (name: string, key: string | null): string | null => (node(name).set === null ? null : key);
  const isAbsent = (name: string, key: string | null): boolean => {
    const status = view.statusOf(name, node(name).set, [ownKey(name, key)])[0]!;
    return !isThere(status) && status !== 'skipped';
  };
  const isWanted = (name: string, key: string | null): boolean => {
    const { automate, upstream, set } = node(name);
    if (automate === null) return false;
    const status = view.statusOf(name, set, [key])[0]!;
    const isRemade =
      automate.when === 'stale' &&
      status === 'materialized' &&
      upstream.some((above) => node(above).set === set && is('due', above, ownKey(above, key)));
    return reasonToAutomate(node(name), status) !== null || isRemade;
  };
  /** Due: it is made now. Soon: it will be, when all that it waits for is made. */
  const is = (what: 'due' | 'soon', name: string, key: string | null): boolean => {
    if (!isWanted(name, key)) return false;
    const { upstream, gathers, waitFor } = node(name);
    let isBlocked = false;
    let isStuck = false;
    for (const above of upstream) {
      const at = ownKey(above, key);
      if (is('due', above, at) || !isAbsent(above, at)) continue;
      isBlocked = true;
      if (!is('soon', above, at)) isStuck = true;
    }
    let leftOut = 0;
    for (const gathered of gathers) {
      const { asset: above, onMissing } = gathered;
      const keys = keysIn[node(above).set!]!;
      for (const one of taken(gathered, keys, key)) {
        const isKnown = keys.includes(one);
        if (isKnown && (is('due', above, one) || is('soon', above, one))) isBlocked = true;
        else if (!isKnown || isAbsent(above, one)) {
          if (onMissing === 'skip') leftOut++;
          else isStuck = true;
        }
      }
    }
    if (waitFor !== null && leftOut > waitFor) isStuck = true;
    if (isStuck) return false;
    return what === 'due' ? !isBlocked : isBlocked;
  };
  let waiting = 0;
  const due = all.flatMap(({ name, set, gathers }) =>
    (set === null ? [null] : keysIn[set]!).flatMap((key) => {
      if (is('due', name, key)) return [`${name}@${key}`];
      if (gathers.length > 0 && isWanted(name, key)) waiting++;
      return [];
    }),
  );
  return { due, waiting };
}

/** The keys of an upstream asset that are taken for a key, also those that its set does not have. */
function taken(gathered: Gathered, keys: readonly string[], key: string | null): readonly string[] {
  const { which } = gathered;
  if (which.kind === 'last') return keys.slice(-which.count);
  if (which.kind === 'all') return keys;
  const mapped = mappedKeys(gathered, key!);
  return 'keys' in mapped ? mapped.keys : expect.unreachable();
}
