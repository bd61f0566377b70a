/** The watch loop: every sensor at its own interval, and the runs that follow, until it is told to stop. */
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';
import { AUTOMATION } from '../../model/run.ts';
import { type Clock, isoTime } from '../../model/time.ts';
import type { StateStore } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import type { RunSession } from '../runs/run-session.ts';
import { dueAt, nextTickOf } from './due.ts';
import { Heard } from './heard.ts';
import type { TickOutcome } from './commit-tick.ts';
import { sensorStatus } from './sensor-status.ts';
import { giveBackLate, LOOK_IN_QUIET_MS, work } from '../runs/worker-loop.ts';

/**
 * ```
 *            due and running          committed
 *  WAITING ─────────────────► TICKING ─────────► WAITING
 *     │                          │
 *     └──── told to stop ────────┴──────────────► STOPPED   runs go back to the queue
 * ```
 */
export interface WatchOptions {
  readonly store: StateStore;
  readonly pipeline: Pipeline;
  readonly sensors: readonly SensorDefinition[];
  readonly session: RunSession;
  readonly tick: (sensor: SensorDefinition) => Promise<TickOutcome>;
  readonly clock: Clock;
  /** Up to this share of its interval, and five seconds, a sensor waits longer: sensors of one interval do not stay at one moment. Default 0. */
  readonly jitter?: number;
  readonly emit: Emit;
  readonly interrupt: AbortSignal;
  /** Ends the loops, each after the tick that it is in; what is being executed goes on: see `RunSession.handOver`. */
  readonly handsOver?: AbortSignal;
  /** Calls back when somebody has committed, and answers with what ends that. Default: the loops look once a second. */
  readonly watchChanges?: (onChange: () => void) => () => void;
  /** Whether it calls for every commit: the loops look less often then. Default false. */
  readonly hearsAll?: boolean;
}

interface Loop extends WatchOptions {
  readonly stop: AbortSignal;
  /** `null`: commits of others are not heard of, or not of all of them. */
  readonly heard: Heard | null;
}

export async function watch(options: WatchOptions): Promise<void> {
  const { session, clock, interrupt, handsOver, watchChanges, hearsAll = false } = options;
  const failed = new AbortController();
  const ends = [interrupt, failed.signal];
  const stop = AbortSignal.any(handsOver === undefined ? ends : [...ends, handsOver]);
  options.emit({ type: 'sensors-watched', sensors: options.sensors.map(({ name }) => name) });
  const heard = new Heard();
  const stopWatching = watchChanges?.(heard.ring);
  const loop: Loop = { ...options, stop, heard: hearsAll ? heard : null };
  const loops = [
    ...options.sensors.map((sensor) =>
      sensor.name === AUTOMATION ? automate(sensor, loop) : watchSensor(sensor, loop),
    ),
    work(session, {
      clock,
      interrupt: AbortSignal.any(ends),
      once: false,
      ...(handsOver && { handsOver }),
      ...(watchChanges && { watchChanges: heard.listen, hearsAll }),
    }),
  ];
  // One loop that cannot go on (the state is unusable) ends the others: half a watch would look like a whole one.
  const ended = await Promise.allSettled(
    loops.map((loop) =>
      loop.catch((error: unknown) => {
        failed.abort();
        throw error;
      }),
    ),
  );
  stopWatching?.();
  const failure = ended.find((end) => end.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
  if (!handsOver?.aborted) await giveBackLate(session);
}

/** After commits, whoever made them, and when a time comes that it waits for; at most once in so many milliseconds. */
const AUTOMATE_EVERY_MS = 1000;

async function automate(
  sensor: SensorDefinition,
  { store, session, tick, clock, emit, stop, heard }: Loop,
): Promise<void> {
  let seen: number | null = null;
  let nextAt: string | null = null;
  while (!stop.aborted) {
    const since = heard?.times ?? 0;
    const view = await store.read({ sensors: [sensor.name] });
    const isTime = nextAt !== null && isoTime(clock.now()) >= nextAt;
    if ((isTime || view.serial !== seen) && sensorStatus(view, sensor) === 'RUNNING') {
      seen = view.serial;
      emit({ type: 'tick-began', sensor: sensor.name });
      const outcome = await tick(sensor);
      nextAt = outcome.nextAt ?? null;
      await session.adopt(outcome.owned);
      const inMs = nextAt === null ? undefined : Math.max(0, Date.parse(nextAt) - clock.now());
      emit({ type: 'tick-due', sensor: sensor.name, inMs });
    }
    await clock.sleep(AUTOMATE_EVERY_MS, stop);
    if (heard === null) continue;
    const leftMs = nextAt === null ? Infinity : Math.max(0, Date.parse(nextAt) - clock.now());
    await heard.wait(since, Math.min(LOOK_IN_QUIET_MS - AUTOMATE_EVERY_MS, leftMs), { clock, stop });
  }
}

/** A second, or the interval where that is shorter. */
function askAgainMs({ cron, minimumIntervalSeconds }: SensorDefinition): number {
  return cron === null ? Math.min(minimumIntervalSeconds * 1000, 1000) : 1000;
}

const MOST_JITTER_MS = 5000;

/** The time of the next tick is worked out anew so often at least. */
const LOOK_AGAIN_MS = 60_000;

/** A sensor with a cron line is meant to be at its time. */
function jitterMs(
  { cron, minimumIntervalSeconds }: SensorDefinition,
  { jitter = 0, clock }: WatchOptions,
): number {
  if (cron !== null) return 0;
  return Math.min(minimumIntervalSeconds * 1000 * jitter, MOST_JITTER_MS) * clock.random();
}

async function watchSensor(sensor: SensorDefinition, options: Loop): Promise<void> {
  const { store, session, tick, clock, emit, stop, heard } = options;
  const { name } = sensor;
  const nextTick = await nextTickOf([sensor]);
  let isFirst = true;
  for (;;) {
    const view = await store.read({ sensors: [name] });
    const last = view.sensor(name).lastTick;
    const now = clock.now();
    const left = dueAt(sensor, { last, now, nextTick }) - now;
    const wait = left + (isFirst ? 0 : jitterMs(sensor, options));
    emit({ type: 'tick-due', sensor: name, inMs: sensorStatus(view, sensor) === 'RUNNING' ? wait : null });
    // The clock may be set meanwhile, and who sleeps does not see that.
    const isLong = left > LOOK_AGAIN_MS;
    await clock.sleep(isLong ? LOOK_AGAIN_MS : wait, stop);
    if (stop.aborted) return;
    if (isLong) continue;
    isFirst = false;
    const since = heard?.times ?? 0;
    const status = sensorStatus(await store.read({ sensors: [name] }), sensor);
    if (status !== 'RUNNING') {
      emit({ type: 'tick-due', sensor: name, inMs: null });
      if (heard === null) await clock.sleep(askAgainMs(sensor), stop);
      else await heard.wait(since, LOOK_IN_QUIET_MS, { clock, stop });
      continue;
    }
    emit({ type: 'tick-began', sensor: name });
    const { owned, tick: record } = await tick(sensor);
    await session.adopt(owned);
    // A busy tick leaves no time of its own behind: ask again, but not at once.
    if (record.status === 'BUSY') await clock.sleep(askAgainMs(sensor), stop);
  }
}
