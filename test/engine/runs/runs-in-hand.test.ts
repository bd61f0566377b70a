/** How many runs a process has in hand, as whoever looks is told: right behind each event, whatever comes up meanwhile. */
import { afterEach, expect, it, vi } from 'vitest';
import { LiveScreen } from '../../../src/cli/render/live-screen.ts';
import { Output } from '../../../src/cli/output.ts';
import { definePipeline } from '../../../src/definitions/pipeline.ts';
import { asset } from '../../../src/definitions/asset.ts';
import type { Event } from '../../../src/engine/event.ts';
import type { RunSession } from '../../../src/engine/runs/run-session.ts';
import { keysAdded, letters, queuedRuns } from '../../support/builders.ts';
import { CapturedTerminal } from '../../support/captured-terminal.ts';
import { EngineRig, Gate, Recorder } from '../../support/engine-rig.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const KEYS = ['a', 'b', 'c'] as const;

/** A session that makes one asset of `a`, `b` and `c`, each as soon as its gate is open, and a screen that sees what happens. */
class Scene {
  readonly gates = { a: new Gate(), b: new Gate(), c: new Gate() };
  readonly began = new Recorder<string>();
  readonly clock = new ManualClock();
  readonly rig: EngineRig;
  readonly screen: LiveScreen;
  /** What the screen shows behind each event. */
  readonly seen: string[] = [];
  readonly session: RunSession;

  constructor(concurrency: number) {
    const audio = asset({
      name: 'audio',
      partitions: letters,
      materialize: async ({ partitionKey }) => {
        this.began.add(partitionKey);
        await this.gates[partitionKey as 'a'].pass();
      },
    });
    this.rig = new EngineRig(definePipeline({ assets: [audio], concurrency }));
    const terminal = new CapturedTerminal({ cwd: '/', isTerminal: true });
    const options = { json: false, quiet: false, verbose: false, color: false };
    this.screen = new LiveScreen(new Output({ terminal, clock: new FakeClock(), options }));
    const emit = (event: Event): void => {
      this.screen.see(event);
      const { running, queued, done } = this.screen.seen;
      if (event.type !== 'attempt-ended')
        this.seen.push(`${event.type}: ${running.length} at work, ${queued} queued, ${done} done`);
      this.rig.events.add(event);
    };
    this.session = this.rig.session({ clock: this.clock, emit });
  }

  async queue(): Promise<void> {
    await this.rig.commit(keysAdded('letters', KEYS));
    await this.session.commit('g1', {}, (_, owner) => ({
      changes: [
        {
          type: 'runs-queued',
          runs: queuedRuns({ group: 'g1', origin: 'materialize', keys: KEYS, assets: ['audio'] }),
          owner,
        },
      ],
      outcome: undefined,
      queued: 3,
      takenOver: new Set(),
    }));
  }

  async execute(): Promise<void> {
    try {
      await this.session.execute();
    } finally {
      await this.session.leave();
      this.screen.stop();
    }
  }

  /** How many were left, as events said. */
  get left(): number[] {
    return this.rig.events.all.flatMap((event) =>
      event.type === 'run-finished' || event.type === 'run-let-go' || event.type === 'runs-in-hand'
        ? [event.left]
        : [],
    );
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

const everything = (): boolean => true;

/** The next commit is made, and nobody hears of that before it may go on. */
function slowCommitOf({ rig: { store } }: Scene): { readonly isUnderWay: Gate; readonly goesOn: Gate } {
  const commit = store.commit.bind(store);
  const [isUnderWay, goesOn] = [new Gate(), new Gate()];
  vi.spyOn(store, 'commit').mockImplementationOnce(async (needs, plan) => {
    const outcome = await commit(needs, plan);
    isUnderWay.open();
    await goesOn.pass();
    return outcome;
  });
  return { isUnderWay, goesOn };
}

it('counts what is being put on record, where a run ends instead of being taken up', async () => {
  const here = new Scene(3);
  await here.queue();
  for (const gate of Object.values(here.gates)) gate.open();
  const { isUnderWay, goesOn } = slowCommitOf(here);
  const executing = here.execute();
  await here.clock.advance(200);
  await isUnderWay.pass();
  const runs = queuedRuns({ group: 'g2', keys: ['a'], assets: ['audio'] });
  await here.rig.commit({ type: 'runs-queued', runs, owner: null });
  await here.rig.commit({ type: 'runs-canceling', ids: ['g2-1'] });
  await here.session.takeUp(everything, everything);
  expect(here.left).toEqual([3, 3]);
  goesOn.open();
  await here.clock.advance(200);
  await executing;
  expect(here.left).toEqual([3, 3, 2, 1, 0]);
});

it('counts a run that ended while the ends before it were put on record', async () => {
  const here = new Scene(3);
  await here.queue();
  const { isUnderWay, goesOn } = slowCommitOf(here);
  const executing = here.execute();
  await here.began.count(3);
  here.gates.a.open();
  await here.rig.events.until((all) => all.some(({ type }) => type === 'run-ended'));
  await here.clock.advance(200);
  await isUnderWay.pass();
  here.gates.b.open();
  here.gates.c.open();
  await here.rig.events.until((all) => all.filter(({ type }) => type === 'run-ended').length === 3);
  goesOn.open();
  await here.clock.advance(200);
  await executing;
  expect(here.left).toEqual([3, 2, 1, 0]);
  expect(here.seen).toEqual([
    'runs-in-hand: 0 at work, 3 queued, 0 done',
    'run-started: 1 at work, 2 queued, 0 done',
    'run-started: 2 at work, 1 queued, 0 done',
    'run-started: 3 at work, 0 queued, 0 done',
    'run-ended: 2 at work, 0 queued, 0 done',
    'run-ended: 1 at work, 0 queued, 0 done',
    'run-ended: 0 at work, 0 queued, 0 done',
    'run-finished: 0 at work, 0 queued, 1 done',
    'run-finished: 0 at work, 0 queued, 2 done',
    'run-finished: 0 at work, 0 queued, 3 done',
  ]);
});

it('counts none that others have taken over: neither one that waits, nor one that runs or has ended', async () => {
  const here = new Scene(2);
  await here.queue();
  const executing = here.execute();
  await here.began.count(2);
  await here.rig.commit({ type: 'runs-released', ids: ['g1-2', 'g1-3'] });
  await here.clock.advance(3000);
  await here.rig.events.until((all) => all.some(({ type }) => type === 'runs-lost'));
  expect(here.seen.slice(-2)).toEqual([
    'runs-lost: 2 at work, 1 queued, 0 done',
    'runs-in-hand: 2 at work, 0 queued, 0 done',
  ]);
  here.gates.b.open();
  await here.rig.events.until((all) => all.some(({ type }) => type === 'run-let-go'));
  expect(here.seen.at(-1)).toBe('run-let-go: 1 at work, 0 queued, 0 done');
  await here.rig.commit({ type: 'runs-released', ids: ['g1-1'] });
  here.gates.a.open();
  await here.clock.advance(3000);
  await executing;
  // The end of this one is not this process's to record.
  expect(here.rig.events.all.filter(({ type }) => type === 'run-finished')).toEqual([]);
  expect(here.left.at(-1)).toBe(0);
  expect(here.seen.filter((said) => said.startsWith('run-let-go'))).toEqual([
    'run-let-go: 1 at work, 0 queued, 0 done',
    'run-let-go: 0 at work, 0 queued, 0 done',
  ]);
});
