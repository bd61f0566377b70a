/** Keys that are made in one call, as the runs have it that come to the call: none is waited for in vain, and none is forgotten. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { asset, type AnyAsset, type BatchContext } from '../../../src/definitions/asset.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import { cancelRuns } from '../../../src/engine/plan/ends/cancel-runs.ts';
import { FailureError } from '../../../src/model/failure.ts';
import { CANCELED_BY_HAND } from '../../../src/model/failures/run.ts';
import { currentWriter } from '../../../src/engine/user-code/output.ts';
import type { RunSession } from '../../../src/engine/runs/run-session.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import type { Executor } from '../../../src/state/store.ts';
import { keysAdded, letters, queuedRuns } from '../../support/builders.ts';
import { ChanceLoop } from '../../support/chance-loop.ts';
import { EngineRig } from '../../support/engine-rig.ts';
import { HistoryIsolated } from '../../support/history-isolated.ts';

const loop = new ChanceLoop(1);
let uninstall: () => void;
beforeEach(() => void (uninstall = loop.install()));
afterEach(() => uninstall());

const began = loop.time;
const told: string[] = [];
const tell = (what: string): void => void told.push(`${loop.time - began} ${what}`);

interface Scene {
  readonly rig: EngineRig;
  readonly session: RunSession;
  /** Seconds that it took, or why it came to no end. */
  readonly executes: () => Promise<string>;
}

async function scene(
  assets: readonly AnyAsset[],
  keys: readonly string[],
  options: Parameters<EngineRig['session']>[0] = {},
): Promise<Scene> {
  loop.time = began;
  told.splice(0);
  const pipeline: Pipeline = definePipeline({ assets: [...assets], pools: { sound: { limit: 10 } } });
  const rig = new EngineRig(pipeline);
  await rig.commit(keysAdded('letters', keys), { type: 'sensor-changed', sensor: 'feed' });
  const session = rig.session({ clock: loop, ...options });
  const runs = queuedRuns({
    group: 'g',
    origin: 'materialize',
    keys,
    assets: assets.map(({ name }) => name),
  });
  await session.commit('g', {}, (_, owner) => ({
    changes: [{ type: 'runs-queued', runs, owner }],
    outcome: undefined,
    queued: keys.length,
    takenOver: new Set(),
  }));
  const executes = async (): Promise<string> => {
    let ended: string | undefined;
    void session.execute().then(
      () => (ended = 'done'),
      (error: Error) => (ended = error.message),
    );
    await loop.settle(20);
    while (ended === undefined && (await loop.turn())) await loop.settle();
    return ended ?? 'nobody will ever be woken';
  };
  return { rig, session, executes };
}

/** Of each call, when it began and for which keys. */
async function* called(name: string, { keys }: BatchContext, ms: (key: string) => number) {
  tell(`${name} ${keys.map(({ partitionKey }) => partitionKey).join('')}`);
  for (const { partitionKey } of keys) {
    await loop.sleep(ms(partitionKey));
    yield [partitionKey, 1] as const;
  }
}

const statuses = async (rig: EngineRig): Promise<string[]> => (await rig.ended()).sort();

const oddPool = ({ partitionKey }: { readonly partitionKey: string }): string => {
  if (partitionKey === 'b') throw new Error('no pool for b');
  return 'sound';
};

const diskIsFull = (): never => {
  throw new FailureError({
    reason: 'state-io',
    file: 'f',
    action: 'write',
    cause: 'it is full',
    kind: 'other',
  } as never);
};

/** Two keys a call, at once. */
const soundBehind = (up: AnyAsset): AnyAsset =>
  asset({
    name: 'sound',
    partitions: letters,
    deps: [up],
    batch: 2,
    materialize: (context) => called('sound', context, () => 1),
  });

it('makes the others where a key of a call has no pool', async () => {
  const sound = asset({
    name: 'sound',
    partitions: letters,
    batch: 3,
    pool: oddPool,
    isolation: 'process',
    materialize: (context) => called('sound', context, () => 1),
  });
  const isolated = new HistoryIsolated();
  const { rig, executes } = await scene([sound], ['a', 'b', 'c'], { isolate: () => isolated });
  expect(await executes()).toBe('done');
  expect(await statuses(rig)).toEqual(['g-1 SUCCESS', 'g-2 FAILURE', 'g-3 SUCCESS']);
});

it('lets go of the process of an asset whose key has no pool', async () => {
  const sound = asset({
    name: 'sound',
    partitions: letters,
    pool: oddPool,
    isolation: 'process',
    materialize: () => 1,
  });
  const isolated = new HistoryIsolated();
  const { rig, executes } = await scene([sound], ['b', 'a'], { isolate: () => isolated, concurrency: 1 });
  expect(await executes()).toBe('done');
  expect(await statuses(rig)).toEqual(['g-1 FAILURE', 'g-2 SUCCESS']);
});

it.each(['begun', 'log'] as const)(
  'ends with what the disk refuses in the midst of a call (%s)',
  async (what) => {
    const sound = asset({
      name: 'sound',
      partitions: letters,
      batch: 3,
      async *materialize({ keys }) {
        currentWriter()!.write('stdout', 'half a line');
        for (const { partitionKey } of keys) {
          await loop.sleep(1);
          yield [partitionKey, 1];
        }
      },
    });
    const { rig, session, executes } = await scene([sound], ['a', 'b', 'c']);
    if (what === 'log') rig.store.appendLog = diskIsFull;
    else {
      const executor: Executor = await session.executor();
      Object.assign(executor, { begun: (run: string) => run === 'g-2' && diskIsFull() });
    }
    expect(await executes()).toBe('state-io');
  },
);

it('ends with what keeps a process from being there for a call', async () => {
  const sound = asset({
    name: 'sound',
    partitions: letters,
    batch: 3,
    isolation: 'process',
    materialize: (context) => called('sound', context, () => 1),
  });
  const isolated = new HistoryIsolated();
  isolated.enter = () => Promise.reject(new Error('there are too many open files'));
  const { executes } = await scene([sound], ['a', 'b'], { isolate: () => isolated });
  expect(await executes()).toBe('there are too many open files');
});

it('waits for no run whose upstream has failed, though that run goes on with another asset', async () => {
  const up = asset({
    name: 'up',
    partitions: letters,
    materialize: async ({ partitionKey }) => {
      await loop.sleep(10);
      if (partitionKey === 'a') throw new Error('no a');
    },
  });
  const sound = soundBehind(up);
  const other = asset({ name: 'other', partitions: letters, materialize: () => loop.sleep(30_000) });
  const { executes } = await scene([up, sound, other], ['a', 'b']);
  expect(await executes()).toBe('done');
  expect(told).toEqual(['10 sound b']);
});

it('waits for no run that is being canceled', async () => {
  const up = asset({
    name: 'up',
    partitions: letters,
    materialize: async ({ partitionKey }) => {
      // It does not heed its signal.
      await loop.sleep(partitionKey === 'a' ? 5000 : 10);
    },
  });
  const sound = soundBehind(up);
  const { rig, executes } = await scene([up, sound], ['a', 'b']);
  const cancel = { why: CANCELED_BY_HAND, now: loop.time };
  loop.after(
    20,
    () =>
      void rig.store.commit(EVERYTHING, (view) => ({
        changes: cancelRuns(view, (_, { id }) => id === 'g-1', cancel).changes,
        outcome: undefined,
      })),
  );
  expect(await executes()).toBe('done');
  const [first] = told;
  expect(Number.parseInt(first!, 10)).toBeLessThan(5000);
  expect(first).toContain('sound b');
});

it.each([true, false])(
  'does not begin code whose time was over before its inputs were there (batch: %s)',
  async (isBatch) => {
    const up = asset({ name: 'up', partitions: letters, materialize: () => 1 });
    const sound = asset({
      name: 'sound',
      partitions: letters,
      inputs: { up },
      timeoutMs: 1000,
      ...(isBatch
        ? { batch: 2, materialize: (context: BatchContext) => called('sound', context, () => 1) }
        : { materialize: () => tell('sound') }),
    } as never) as AnyAsset;
    const values = { save: () => undefined, load: () => loop.sleep(20_000), remove: () => undefined };
    const { rig, executes } = await scene([up, sound], ['a'], { ioManager: values });
    expect(await executes()).toBe('done');
    while (await loop.turn()) await loop.settle();
    expect(await statuses(rig)).toEqual(['g-1 FAILURE']);
    expect(told).toEqual([]);
  },
);

it('gives back at once what waits for a call, also where that is asked for while the event loop has its turn', async () => {
  const up = asset({
    name: 'up',
    partitions: letters,
    materialize: ({ partitionKey }) => loop.sleep(partitionKey === 'a' ? 20 : 30_000),
  });
  const sound = soundBehind(up);
  const { session, executes } = await scene([up, sound], ['a', 'b'], {
    emit: (event) => event.type === 'run-let-go' && tell(event.id),
  });
  const { setImmediate } = globalThis;
  const turn = (run: () => void) =>
    setImmediate(() => {
      if (loop.time - began >= 20) session.beginNothingMore();
      run();
    });
  Object.assign(globalThis, { setImmediate: turn });
  expect(await executes()).toBe('done');
  expect(told).toEqual(['20 g-1', '30000 g-2']);
});
