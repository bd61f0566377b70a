/** Runs of several assets: what they have made on their way is on record, and is not made again. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { asset } from '../../../src/definitions/asset.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import { skip } from '../../../src/definitions/skip.ts';
import type { RunSession, RunSessionOptions } from '../../../src/engine/runs/run-session.ts';
import { cancelRuns } from '../../../src/engine/plan/ends/cancel-runs.ts';
import { madeBy } from '../../../src/engine/runs/made-by.ts';
import { MemoryValues, MemoryValuesPlace } from '../../../src/values/memory-values.ts';
import { checkState } from '../../../src/state/document/check-state.ts';
import { NOTHING_CARRIED } from '../../../src/model/carried.ts';
import { EVERYTHING } from '../../../src/state/needs.ts';
import type { QueuedRuns } from '../../../src/state/changes.ts';
import { keysAdded, letters, queuedRuns } from '../../support/builders.ts';
import { EngineRig, Gate, Recorder } from '../../support/engine-rig.ts';
import { letters as lettersOf } from '../../support/letters.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** `audio`, and `text` of it, which waits for its signal when it is to. */
class Studio {
  readonly began = new Recorder<string>();
  isWaiting = true;
  failsFirst = false;
  skips = false;
  /** `audio` waits for it. */
  goesOn = new Gate();
  readonly pipeline: Pipeline;

  constructor() {
    const audio = asset({
      name: 'audio',
      partitions: letters,
      materialize: async ({ partitionKey, addMetadata }) => {
        this.began.add(`audio ${partitionKey}`);
        await this.goesOn.pass();
        addMetadata({ seconds: 7 });
        if (this.failsFirst && this.began.all.length === 1) throw new Error('no sound');
        return this.skips ? skip('silent') : 'sound';
      },
    });
    const text = asset({
      name: 'text',
      partitions: letters,
      inputs: { audio },
      materialize: async ({ partitionKey, signal, inputs }) => {
        this.began.add(`text ${partitionKey}`);
        if (this.isWaiting)
          await new Promise((_, reject) =>
            signal.addEventListener('abort', () => reject(new Error('aborted'))),
          );
        return `text of ${inputs.audio}`;
      },
    });
    this.pipeline = definePipeline({ assets: [audio, text] });
  }
}

function queue(session: RunSession, fields: Partial<QueuedRuns>): Promise<void> {
  const runs = queuedRuns({ group: 'g', keys: ['a'], assets: ['audio', 'text'], ...fields });
  return session.commit(runs.group, {}, (_, owner) => ({
    changes: [{ type: 'runs-queued', runs, owner }],
    outcome: undefined,
    queued: 1,
    takenOver: new Set(),
  }));
}

describe('a run that made some of its assets', () => {
  let studio: Studio;
  let rig: EngineRig;
  let place: MemoryValuesPlace;

  const statuses = async (): Promise<string> => {
    expect(checkState(rig.store.document)).toEqual([]);
    const view = await rig.store.read(EVERYTHING);
    return `${lettersOf(view, 'audio', 'letters')} ${lettersOf(view, 'text', 'letters')}`;
  };
  const outcomes = async (): Promise<string[]> =>
    (await rig.store.runs({})).runs.map(
      ({ status, assets }) =>
        `${status}: ${assets.map((outcome) => `${outcome.asset} ${outcome.status}`).join(', ')}`,
    );
  /** Until `text` waits, and then interrupted. */
  const interrupted = async (
    onInterrupt: RunSessionOptions['onInterrupt'],
    fields: Partial<QueuedRuns>,
  ): Promise<void> => {
    const session = rig.session({ onInterrupt });
    await queue(session, fields);
    const executing = session.execute();
    await studio.began.count(2);
    rig.interrupt.abort();
    await executing;
    await session.leave();
  };
  const takenUp = async (): Promise<void> => {
    studio.isWaiting = false;
    const next = rig.session({ interrupt: new AbortController().signal });
    await next.takeUp(
      () => true,
      () => true,
    );
    await next.execute();
    await next.leave();
  };

  beforeEach(async () => {
    studio = new Studio();
    studio.goesOn.open();
    place = new MemoryValuesPlace();
    rig = new EngineRig(studio.pipeline);
    await rig.commit(keysAdded('letters', ['a']), { type: 'sensor-changed', sensor: 'feed' });
  });

  it('goes back to the queue with them when it is interrupted, and makes only the rest', async () => {
    await interrupted('release', { origin: 'tick', sensor: 'feed' });
    expect(await statuses()).toBe('m .');
    expect(await outcomes()).toEqual(['QUEUED: audio SUCCESS, text QUEUED']);
    await takenUp();
    expect(studio.began.all).toEqual(['audio a', 'text a', 'text a']);
    expect(await statuses()).toBe('m m');
    const [run] = (await rig.store.runs({})).runs;
    expect(run).toMatchObject({
      status: 'SUCCESS',
      assets: [
        { asset: 'audio', status: 'SUCCESS', metadata: { seconds: 7 } },
        { asset: 'text', status: 'SUCCESS' },
      ],
    });
    expect(rig.values.values.get('text@a')).toBe('text of sound');
  });

  it('makes again what has become stale while the run waited in the process that has taken it up', async () => {
    await interrupted('release', { origin: 'tick', sensor: 'feed' });
    studio.isWaiting = false;
    const clock = new ManualClock();
    const next = rig.session({ clock, concurrency: 1, interrupt: new AbortController().signal });
    await rig.commit(keysAdded('letters', ['b']));
    studio.goesOn = new Gate();
    await queue(next, { assets: ['audio'], group: 'f', keys: ['b'] });
    const executing = next.execute();
    await studio.began.count(3);
    await next.takeUp(
      () => true,
      () => true,
    );
    await rig.commit({
      type: 'keys-updated',
      set: 'letters',
      keys: ['a'],
      carried: [{ ...NOTHING_CARRIED, version: '2' }],
    });
    await clock.advance(1000);
    studio.goesOn.open();
    await clock.advance(1000);
    await executing;
    expect(studio.began.all.slice(3)).toEqual(['audio a', 'text a']);
    expect(await statuses()).toBe('mm m.');
  });

  it('skips the rest where another run of the key had nothing to make meanwhile: their values are gone', async () => {
    await interrupted('release', { origin: 'tick', sensor: 'feed' });
    studio.skips = true;
    const other = rig.session({ interrupt: new AbortController().signal });
    await queue(other, { group: 'h', assets: ['audio'] });
    await other.execute();
    await other.leave();
    await takenUp();
    expect(await outcomes()).toEqual(['SUCCESS: audio SUCCESS, text SKIPPED', 'SUCCESS: audio SKIPPED']);
    expect(await statuses()).toBe('s s');
  });

  it('is forgotten with them where it is taken away before it went back, and comes again', async () => {
    studio.goesOn = new Gate();
    const clock = new ManualClock();
    const values = new MemoryValues(place, madeBy(rig.store));
    const session = rig.session({ clock, ioManager: values });
    // It is at work beside one that has failed, whose commit is on its way.
    const answered = new Gate();
    const commit = rig.store.commit.bind(rig.store);
    await rig.commit(keysAdded('letters', ['b']));
    await queue(session, { assets: ['text'], group: 'f', keys: ['b'] });
    await queue(session, {});
    const far = vi.spyOn(rig.store, 'commit').mockImplementation(async (...asked) => {
      const answer = await commit(...asked);
      await answered.pass();
      return answer;
    });
    const executing = session.execute();
    await studio.began.count(1);
    await clock.advance(200);
    expect(far).toHaveBeenCalledTimes(1);
    studio.goesOn.open();
    await studio.began.count(2);
    rig.interrupt.abort();
    await clock.settle();
    far.mockImplementation(commit);
    const { id: owner } = await session.executor();
    await rig.commit({ type: 'runs-released', ids: ['g-1'] });
    await queue(session, { assets: ['audio'], group: 'h', keys: ['b'] });
    await rig.commit({ type: 'runs-claimed', ids: ['g-1'], owner, interrupted: new Set() });
    answered.open();
    await executing;
    expect(place.staged).toEqual([]);
  });

  it('is canceled with them where it is interrupted for good', async () => {
    await interrupted('cancel', { origin: 'materialize' });
    expect(await outcomes()).toEqual(['CANCELED: audio SUCCESS, text CANCELED']);
    expect(await statuses()).toBe('m .');
  });

  it('has them on record a second later, so that a process that is killed loses only the rest', async () => {
    const clock = new ManualClock();
    const session = rig.session({ clock });
    await queue(session, { origin: 'tick', sensor: 'feed' });
    void session.execute();
    await studio.began.count(2);
    await clock.settle(50);
    expect(await statuses()).toBe('. .');
    await clock.advance(1000);
    await clock.settle(50);
    expect(await statuses()).toBe('m .');
    expect(await outcomes()).toEqual(['STARTED: audio SUCCESS, text STARTED']);
    rig.store.kill((await session.executor()).id);
    await takenUp();
    expect(studio.began.all).toEqual(['audio a', 'text a', 'text a']);
    expect(await outcomes()).toEqual(['SUCCESS: audio SUCCESS, text SUCCESS']);
  });

  it('has them on record as what came last, also beside a run that failed before it', async () => {
    const clock = new ManualClock();
    const session = rig.session({ clock, concurrency: 1 });
    studio.failsFirst = true;
    await queue(session, { origin: 'tick', sensor: 'feed', assets: ['audio'] });
    await queue(session, { group: 'h', origin: 'tick', sensor: 'feed' });
    void session.execute();
    // The end of the one and what the other has made are recorded by one commit.
    await studio.began.count(3);
    const { serial } = rig.store.document;
    await clock.advance(1000);
    expect([rig.store.document.serial - serial, await outcomes()]).toEqual([
      1,
      ['STARTED: audio SUCCESS, text STARTED', 'FAILURE: audio FAILURE'],
    ]);
    expect(await statuses()).toBe('m .');
  });

  it('leaves them on record when somebody cancels it afterwards', async () => {
    await interrupted('release', { origin: 'tick', sensor: 'feed' });
    await rig.store.commit(EVERYTHING, (view) => {
      const { changes } = cancelRuns(view, () => true, { why: 'it was canceled', now: rig.clock.now() });
      return { changes, outcome: undefined };
    });
    expect(await outcomes()).toEqual(['CANCELED: audio SUCCESS, text CANCELED']);
    expect(await statuses()).toBe('m .');
  });

  it('keeps nothing of them when somebody cancels it before they are on record', async () => {
    const session = rig.session({ clock: new ManualClock(), onInterrupt: 'release' });
    await queue(session, { origin: 'tick', sensor: 'feed' });
    const executing = session.execute();
    await studio.began.count(2);
    await rig.commit({ type: 'runs-canceling', ids: ['g-1'] });
    rig.interrupt.abort();
    await executing;
    expect(await outcomes()).toEqual(['CANCELED: audio CANCELED, text CANCELED']);
    expect(await statuses()).toBe('. .');
  });
});
