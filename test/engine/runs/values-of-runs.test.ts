/** What becomes of the values of runs that end beside each other, go back to the queue, or are set aside. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RunValues } from '../../../src/definitions/staged-values.ts';
import { s3 } from '../../../src/index.ts';
import { asset, type AssetContext } from '../../../src/definitions/asset.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import { skip } from '../../../src/definitions/skip.ts';
import { madeBy } from '../../../src/engine/runs/made-by.ts';
import type { RunSession } from '../../../src/engine/runs/run-session.ts';
import { FailureError } from '../../../src/model/failure.ts';
import { PostgresValues } from '../../../src/state/postgres/values.ts';
import { FileValues } from '../../../src/values/file-values.ts';
import { MemoryValues, MemoryValuesPlace } from '../../../src/values/memory-values.ts';
import type { OfState } from '../../../src/values/s3.ts';
import { keysAdded, letters, queuedRuns } from '../../support/builders.ts';
import { EngineRig, Gate, MapValues, Recorder } from '../../support/engine-rig.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PostgresCluster } from '../../support/postgres-cluster.mjs';
import { PostgresRig } from '../../support/postgres-rig.ts';
import { S3Server } from '../../support/s3-server.ts';

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const began = new Recorder<string>();

/** The first run finds nothing to make for the key. The second one makes it, or fails, and goes on with another asset. */
function twice(gate: Gate, second: () => unknown): Pipeline {
  let runs = 0;
  began.all.length = 0;
  const audio = asset({
    name: 'audio',
    partitions: letters,
    materialize: () => (++runs === 1 ? skip('nothing to make') : second()),
  });
  const text = asset({
    name: 'text',
    partitions: letters,
    materialize: async ({ run }: AssetContext) => {
      began.add(run.id);
      await gate.pass();
    },
  });
  return definePipeline({ assets: [audio, text] });
}

const finished = ({ rig }: { readonly rig: EngineRig }, id: string): Promise<void> =>
  rig.events.until((all) => all.some((event) => event.type === 'run-finished' && event.run.id === id));

const queue = (
  session: RunSession,
  keys: readonly string[],
  assets: readonly string[],
  { group = 'g', areNew = true } = {},
): Promise<void> =>
  session.commit(group, {}, (_, owner) => ({
    changes: [
      ...(areNew ? [keysAdded('letters', keys)] : []),
      { type: 'runs-queued', runs: queuedRuns({ group, keys, assets }), owner },
    ],
    outcome: undefined,
    queued: keys.length,
    takenOver: new Set(),
  }));

/** Executes both runs: the first one is on record before the second one ends. */
async function executed(rig: EngineRig, gate: Gate, session: RunSession): Promise<void> {
  await queue(session, ['a'], ['audio'], { group: 'g1' });
  await queue(session, ['a'], ['audio', 'text'], { group: 'g2', areNew: false });
  const executing = session.execute();
  await began.count(1);
  await finished({ rig }, 'g1-1');
  gate.open();
  await executing;
  await session.leave();
}

it('keeps what a run has made of a key for which the run before it had nothing to make', async () => {
  const gate = new Gate();
  const [isOnRecord, isSaved] = [new Gate(), new Gate()];
  const rig = new EngineRig(
    twice(gate, async () => {
      await isOnRecord.pass();
      return 'new';
    }),
  );
  const { values, store } = rig;
  const save = values.save.bind(values);
  values.save = (context, value) => {
    save(context, value);
    isSaved.open();
  };
  const commit = store.commit.bind(store);
  store.commit = async (needs, plan) => {
    const outcome = await commit(needs, plan);
    if ((await store.runs({ ids: ['g1-1'] })).runs[0]?.finishedAt != null) {
      isOnRecord.open();
      await isSaved.pass();
    }
    return outcome;
  };
  await executed(rig, gate, rig.session());
  expect(rig.values.values.get('audio@a')).toBe('new');
});

it('takes away what was made before once the run behind it has made nothing either', async () => {
  const gate = new Gate();
  const rig = new EngineRig(
    twice(gate, () => {
      throw new Error('no audio');
    }),
  );
  rig.values.values.set('audio@a', 'old');
  await executed(rig, gate, rig.session());
  expect(rig.values.values.has('audio@a')).toBe(false);
});

it('keeps what a run has made also in a database', async () => {
  const gate = new Gate();
  const rig = new EngineRig(twice(gate, () => 'new'));
  const postgres = await PostgresRig.make(cluster);
  const { store } = postgres;
  const executor = await store.enter();
  store.enter = () => Promise.resolve(executor);
  await executed(rig, gate, rig.session({ store, ioManager: new PostgresValues(store, executor.id) }));
  expect(await new PostgresValues(store).load({ asset: 'audio', partitionKey: 'a' })).toBe('new');
  await postgres.dispose();
});

/** Of two assets the first is made at once, and the second waits for the gate or its signal. */
function madeInPart(gate: Gate): Pipeline {
  began.all.length = 0;
  const audio = asset({ name: 'audio', partitions: letters, materialize: () => 'sound' });
  const other = asset({ name: 'other', partitions: letters, materialize: () => 1 });
  const text = asset({
    name: 'text',
    partitions: letters,
    inputs: { audio, other },
    materialize: async ({ run, signal }: AssetContext) => {
      began.add(run.id);
      await Promise.race([
        gate.pass(),
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
      ]);
    },
  });
  return definePipeline({ assets: [audio, other, text] });
}

it('keeps what a run has made that goes back to the queue, where one commit says both', async () => {
  const rig = new EngineRig(madeInPart(new Gate()));
  const place = new MemoryValuesPlace();
  place.put({ asset: 'other', partitionKey: 'a' }, 1);
  const session = rig.session({
    clock: new ManualClock(),
    ioManager: new MemoryValues(place, madeBy(rig.store)),
  });
  await queue(session, ['a'], ['audio', 'other', 'text']);
  const executing = session.execute();
  await began.count(1);
  rig.interrupt.abort();
  await executing;
  await session.leave();
  const [run] = (await rig.store.runs({})).runs;
  expect(run!.assets.map(({ asset, status }) => [asset, status])).toEqual([
    ['audio', 'SUCCESS'],
    ['other', 'SUCCESS'],
    ['text', 'QUEUED'],
  ]);
  const next = new MemoryValues(place, madeBy(rig.store));
  expect(await next.load({ asset: 'audio', partitionKey: 'a' })).toBe('sound');
});

it('records what a run has made before a damaged value of its next asset, while others go on', async () => {
  const gate = new Gate();
  const rig = new EngineRig(madeInPart(gate));
  const values = new MapValues();
  const load = values.load.bind(values);
  values.load = (context) => {
    if (context.asset !== 'other' || context.partitionKey !== 'a') return load(context);
    throw new FailureError({
      reason: 'value-damaged',
      file: 'f',
      asset: 'other',
      key: 'a',
      cause: 'it is gone',
    });
  };
  const clock = new ManualClock();
  const session = rig.session({ clock, ioManager: values, lasts: true });
  await queue(session, ['a', 'b'], ['audio', 'other', 'text']);
  const executing = session.execute();
  await rig.events.until((all) => all.some(({ type }) => type === 'run-set-aside'));
  await began.count(1);
  await clock.settle(50);
  await clock.advance(1000);
  const made = (await rig.store.runs({})).runs.map(({ id, assets }) => `${id} ${assets[0]!.status}`);
  expect(made.sort()).toEqual(['g-1 SUCCESS', 'g-2 SUCCESS']);
  gate.open();
  await executing;
});

let inMemory: MemoryValuesPlace;
beforeEach(() => {
  inMemory = new MemoryValuesPlace();
});

/** Managers of dynpart's own, each as a process has it that works with this state. */
const MANAGERS: Readonly<Record<string, (rig: EngineRig, folder: string, server: S3Server) => RunValues>> = {
  memory: ({ store }) => new MemoryValues(inMemory, madeBy(store)),
  files: ({ store }, folder) => new FileValues(folder, madeBy(store)),
  bucket: ({ store }, _, { endpoint }) =>
    (
      s3({
        bucket: 'reports',
        endpoint,
        credentials: { accessKeyId: 'me', secretAccessKey: 'secret' },
      }) as unknown as OfState
    ).ofState(async (ids) => {
      const { runs } = await store.runs({ ids });
      const made = runs.map(({ id, assets }) => {
        const own = assets.filter(({ status }) => status === 'SUCCESS');
        return [id, own.map((one) => one.asset)] as const;
      });
      return new Map(made);
    }),
};

/** The second run of a key makes its first asset before the end of the first run is on record, and goes on. */
it.each(
  Object.keys(MANAGERS).flatMap((manager) => [
    [manager, 'made something', 'first'] as const,
    [manager, 'had nothing to make', skip('nothing to make')] as const,
  ]),
)(
  'keeps in %s what the run made last that goes on, where the one before it %s',
  async (manager, _, first) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-values-'));
    await using server = await S3Server.start();
    const gate = new Gate();
    let runs = 0;
    began.all.length = 0;
    const audio = asset({
      name: 'audio',
      partitions: letters,
      materialize: () => (++runs === 1 ? first : 'second'),
    });
    const text = asset({
      name: 'text',
      partitions: letters,
      materialize: async ({ run }: AssetContext) => {
        began.add(run.id);
        await gate.pass();
      },
    });
    const rig = new EngineRig(definePipeline({ assets: [audio, text] }));
    const open = (): RunValues => MANAGERS[manager]!(rig, folder, server);
    const clock = new ManualClock();
    const ioManager = open();
    const session = rig.session({ clock, ioManager });
    await queue(session, ['a'], ['audio']);
    await queue(session, ['a'], ['audio', 'text'], { group: 'h', areNew: false });
    const executing = session.execute();
    await began.count(1);
    await clock.advance(1000);
    await finished({ rig }, 'g-1');
    const value = { asset: 'audio', partitionKey: 'a' };
    expect(await ioManager.load(value)).toBe('second');
    gate.open();
    await executing;
    await session.leave();
    expect(await open().load(value)).toBe('second');
    fs.rmSync(folder, { recursive: true });
  },
);

it.each(Object.keys(MANAGERS))(
  'keeps in %s what is on record where a run of the key is canceled as it says that there is nothing to make',
  async (manager) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'dynpart-values-'));
    await using server = await S3Server.start();
    const rig: EngineRig = new EngineRig(
      definePipeline({
        assets: [
          asset({
            name: 'audio',
            partitions: letters,
            materialize: async ({ run }) => {
              if (run.id === 'g1-1') return 'first';
              await rig.commit({ type: 'runs-canceling', ids: [run.id] });
              return skip('nothing to make');
            },
          }),
        ],
      }),
    );
    const open = (): RunValues => MANAGERS[manager]!(rig, folder, server);
    const session = rig.session({ clock: new ManualClock(), ioManager: open() });
    await queue(session, ['a'], ['audio'], { group: 'g1' });
    await session.execute();
    await queue(session, ['a'], ['audio'], { group: 'g2', areNew: false });
    await session.execute();
    await session.leave();
    expect(await open().load({ asset: 'audio', partitionKey: 'a' })).toBe('first');
    const [canceled] = (await rig.store.runs({ ids: ['g2-1'] })).runs;
    expect(canceled).toMatchObject({
      status: 'CANCELED',
      assets: [{ asset: 'audio', status: 'CANCELED', skipReason: null }],
    });
    fs.rmSync(folder, { recursive: true });
  },
);
