import { array, assert, asyncProperty, constant, constantFrom, nat, oneof, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asset, type AnyAsset, type Automate } from '../../../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../../../src/definitions/pipeline.ts';
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
import { AT, finishedRun } from '../../../support/builders.ts';
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
  }

  use(assets: readonly AnyAsset[]): Promise<void> {
    this.pipeline = definePipeline({ assets });
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

  add(keys: readonly string[], version = '1'): Promise<void> {
    const carried = keys.map((_, n) => ({ version, item: { n } }));
    return this.commit({ type: 'keys-added', set: 'letters', keys, at: AT, carried });
  }

  change(key: string, version: string): Promise<void> {
    return this.commit({
      type: 'keys-updated',
      set: 'letters',
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
    const ends = queued.flatMap(({ group, firstNumber, keys, assets }) =>
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
          status: 'SUCCESS',
          assets: outcomes,
          finishedAt: new Date(this.now).toISOString(),
        });
      }),
    );
    await this.commit({ type: 'runs-finished', runs: ends });
    return ends.length;
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
    const automate = constantFrom<(Automate | undefined)[]>('stale', 'stale', 'missing', undefined);
    const graph = array(record({ automate, above: array(nat(4), { maxLength: 2 }) }), {
      minLength: 1,
      maxLength: 5,
    });
    const event = oneof(
      record({ do: constant('add' as const), key: constantFrom('a', 'b', 'c') }),
      record({
        do: constant('change' as const),
        key: constantFrom('a', 'b', 'c'),
        version: constantFrom('1', '2', '3'),
      }),
      record({ do: constant('code' as const), at: nat(4), code: constantFrom('1', '2') }),
      record({
        do: constant('mark' as const),
        at: nat(4),
        key: constantFrom('a', 'b', 'c'),
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
    await assert(
      asyncProperty(graph, array(event, { maxLength: 12 }), async (nodes, events) => {
        const codes = nodes.map(() => '1');
        const build = (): AnyAsset[] => {
          const assets: AnyAsset[] = [];
          for (const [at, node] of nodes.entries()) {
            const deps = [...new Set(node.above)]
              .filter((above) => above < at)
              .map((above) => assets[above]!);
            assets.push(made(`n${at}`, node.automate, deps, codes[at]));
          }
          return assets;
        };
        const the = new World(build());
        const keys = new Set<string>();
        for (const one of events) {
          if (one.do === 'add' && !keys.has(one.key)) {
            keys.add(one.key);
            await the.add([one.key]);
          } else if (one.do === 'change' && keys.has(one.key)) await the.change(one.key, one.version);
          else if (one.do === 'code' && one.at < nodes.length) {
            codes[one.at] = one.code;
            await the.use(build());
          } else if (one.do === 'mark' && one.at < nodes.length && keys.has(one.key))
            await the.commit({
              type: 'keys-marked',
              asset: `n${one.at}`,
              set: 'letters',
              keys: [one.key],
              as: one.as,
              at: AT,
            });
          else if (one.do === 'tick') await the.tick((name) => one.outcomes[Number(name.slice(1))]!);
          expect((await found(the)).sort()).toEqual((await naive(the, keys)).sort());
        }
        for (let ticks = 0; (await the.tick()) > 0; ticks++) expect(ticks).toBeLessThan(20);
      }),
      { numRuns: 150 },
    );
  });
});

async function found(the: World): Promise<string[]> {
  const { queued } = await the.plan();
  return queued.flatMap(({ keys, assets }) => keys.flatMap((key) => assets.map((name) => `${name}@${key}`)));
}

/** By asking each asset of each key, and what it is made from. */
async function naive(the: World, keys: ReadonlySet<string>): Promise<string[]> {
  const view = await the.store.read(EVERYTHING);
  const all = [...the.pipeline.assets.values()];
  const statusOf = (name: string, key: string) => view.statusOf(name, 'letters', [key])[0]!;
  const isDue = (name: string, key: string): boolean => {
    const node = the.pipeline.assets.get(name)!;
    if (node.automate === null) return false;
    const status = statusOf(name, key);
    const isRemade =
      node.automate.when === 'stale' &&
      status === 'materialized' &&
      node.upstream.some((above) => isDue(above, key));
    if (reasonToAutomate(node, status) === null && !isRemade) return false;
    return node.upstream.every(
      (above) => isDue(above, key) || isThere(statusOf(above, key)) || statusOf(above, key) === 'skipped',
    );
  };
  return [...keys].flatMap((key) =>
    all.filter(({ name }) => isDue(name, key)).map(({ name }) => `${name}@${key}`),
  );
}
