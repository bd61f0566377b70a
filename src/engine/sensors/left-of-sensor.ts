/** Before a sensor is evaluated nothing is at work any more that an earlier evaluation of it has started. */
import { type Clock, steadyTime } from '../../model/time.ts';
import type { SensorClaim } from '../../state/store.ts';
import type { Emit } from '../event.ts';
import type { Processes } from '../user-code/programs.ts';

export interface LeftOfSensorOptions {
  readonly processes: () => Promise<Processes>;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
}

/** A live process needs no longer to end what it has started: it asks, and kills ten seconds later. */
const MOST_WAITED_MS = 15_000;

const LOOK_AGAIN_MS = 100;

/** Of a killed evaluation, what it left is ended here; one that lives is waited for while it ends its programs. */
export async function endLeftOfSensor(
  sensor: string,
  claim: SensorClaim,
  { processes, emit, clock, interrupt }: LeftOfSensorOptions,
): Promise<void> {
  const until = steadyTime(clock) + MOST_WAITED_MS;
  for (;;) {
    const left = await claim.left();
    if (left.length === 0) return;
    const dead = left.filter(({ alive }) => !alive);
    for (const { id, host, visible, programs } of dead) {
      const { ended, mayBeLeft } = visible
        ? await (await processes()).endLeft({ starter: id, runs: null, programs })
        : { ended: 0, mayBeLeft: programs.length > 0 };
      if (ended > 0 || mayBeLeft) emit({ type: 'programs-left', host, of: { sensor }, ended, mayBeLeft });
    }
    await claim.leftEnded(dead.map(({ id }) => id));
    if (dead.length === left.length || steadyTime(clock) >= until || interrupt.aborted) return;
    await clock.sleep(LOOK_AGAIN_MS, interrupt);
  }
}
