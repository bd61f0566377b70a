/** Runs that begin here and do not end here: whoever shows what is at work is told that they are not. */
import { expect, it } from 'vitest';
import { definePipeline } from '../../../src/definitions/pipeline.ts';
import { asset } from '../../../src/definitions/asset.ts';
import type { Event } from '../../../src/engine/event.ts';
import type { RunSession } from '../../../src/engine/runs/run-session.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import { FailureError } from '../../../src/model/failure.ts';
import { keysAdded, letters, queuedRuns } from '../../support/builders.ts';
import { EngineRig, MapValues, Recorder } from '../../support/engine-rig.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Scene {
  readonly rig: EngineRig;
  readonly clock: ManualClock;
  /** Keys whose code has begun; `b` waits for its signal. */
  readonly began: Recorder<string>;
  readonly executing: Promise<unknown>;
}

/**
 * A session that makes `a` and `b` beside each other.
 * @param damaged the key that needs a damaged value
 * @param held the key that another session makes already
 */
async function scene({
  damaged = '',
  held,
  ...options
}: Omit<NonNullable<Parameters<EngineRig['session']>[0]>, 'ioManager'> & {
  damaged?: string;
  held?: string;
}): Promise<Scene> {
  const began = new Recorder<string>();
  const up = asset({ name: 'up', partitions: letters, materialize: () => 1 });
  const audio = asset({
    name: 'audio',
    partitions: letters,
    inputs: { up },
    materialize: async ({ partitionKey, signal }) => {
      began.add(partitionKey);
      if (partitionKey !== 'b') return;
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    },
  });
  const rig = new EngineRig(definePipeline({ assets: [up, audio] }));
  const clock = new ManualClock();
  await rig.commit(keysAdded('letters', ['a', 'b']));
  const makesUp = rig.session({ clock });
  const queue = (
    group: string,
    assets: readonly string[],
    session: RunSession = makesUp,
    keys = ['a', 'b'],
  ): Promise<unknown> =>
    session.commit(group, {}, (_, owner) => ({
      changes: [
        {
          type: 'runs-queued',
          runs: queuedRuns({ group, origin: 'materialize', keys, assets }),
          owner,
        },
      ],
      outcome: undefined,
      queued: keys.length,
      takenOver: new Set(),
    }));
  await queue('g1', ['up']);
  await makesUp.execute();
  await makesUp.leave();
  const values = new MapValues();
  for (const [name, value] of rig.values.values) values.values.set(name, value);
  const load = values.load.bind(values);
  values.load = (context) => {
    if (context.partitionKey !== damaged) return load(context);
    throw new FailureError({
      reason: 'value-damaged',
      file: 'f',
      asset: 'up',
      key: damaged,
      cause: 'it is gone',
    });
  };
  if (held !== undefined) {
    const other = rig.session({ clock });
    await queue('g0', ['audio'], other, [held]);
    void other.execute();
    await began.count(1);
  }
  const session = rig.session({ clock, ioManager: values, ...options });
  rig.events.all.length = 0;
  await queue('g2', ['audio'], session);
  const execute = async (): Promise<void> => {
    try {
      await session.execute();
    } finally {
      await session.leave();
    }
  };
  return { rig, clock, began, executing: execute() };
}

const told = ({ rig }: Scene): unknown[] =>
  rig.events.all.flatMap((event: Event) => {
    if (event.type === 'run-started') return [`${event.id} started`];
    if (event.type === 'run-ended') return [`${event.run.id} ended`];
    if (event.type === 'run-let-go') return [`${event.id} ${event.why}, ${event.left} left`];
    return event.type === 'run-set-aside' ? [`${event.run} set aside`] : [];
  });

it('tells of one that is set aside for a damaged value, each time that it was begun', async () => {
  const here = await scene({ damaged: 'a', lasts: true });
  await here.began.count(1);
  await here.rig.events.until((all) => all.some(({ type }) => type === 'run-set-aside'));
  expect(told(here)).toEqual(['g2-1 started', 'g2-2 started', 'g2-1 unexecuted, 1 left', 'g2-1 set aside']);
  // Of what has ended others know that it took no process down.
  const [worker] = (await here.rig.store.read(EVERYTHING)).executors();
  expect([...worker!.begun.keys()]).toEqual(['g2-2']);
  here.rig.interrupt.abort();
  await here.executing;
});

it('gives one that is set aside back while all that is left waits for others: those may wait for it', async () => {
  const { rig, clock, executing } = await scene({ damaged: 'a', held: 'b', lasts: true });
  await rig.events.until((all) => all.some(({ type }) => type === 'run-set-aside'));
  await clock.advance(1000);
  const owners = (await rig.store.read(EVERYTHING))
    .runs()
    .flatMap((runs) => Array.from({ length: runs.count }, (_, at) => [runs.at(at).id, runs.owner !== null]));
  expect(Object.fromEntries(owners)).toEqual({ 'g0-1': true, 'g2-1': false, 'g2-2': true });
  rig.interrupt.abort();
  await executing;
});

it('tells of one that a command gives back for a damaged value', async () => {
  const here = await scene({ damaged: 'a' });
  await here.began.count(1);
  await here.rig.commit({ type: 'runs-released', ids: ['g2-2'] });
  const failed = expect(here.executing).rejects.toThrow();
  await here.clock.advance(1000);
  await failed;
  expect(told(here)).toEqual([
    'g2-1 started',
    'g2-2 started',
    'g2-1 unexecuted, 1 left',
    'g2-2 lost, 0 left',
  ]);
});

it('tells of one that is interrupted, and of its end where it is canceled afterwards', async () => {
  const here = await scene({ onInterrupt: 'cancel' });
  await here.began.count(2);
  here.rig.interrupt.abort();
  await here.executing;
  expect(told(here).slice(2)).toEqual(['g2-1 ended', 'g2-2 interrupted, 2 left', 'g2-2 ended']);
});

it('says of what it was to give back that others have it by now', async () => {
  const { rig, began, executing } = await scene({ concurrency: 1 });
  await began.count(1);
  await rig.commit({ type: 'runs-released', ids: ['g2-2'] });
  rig.interrupt.abort();
  await executing;
  expect(rig.of('runs-lost').map(({ count }) => count)).toEqual([1]);
  expect(rig.of('runs-released')).toEqual([]);
  expect(rig.of('runs-in-hand').at(-1)).toMatchObject({ left: 0 });
});
