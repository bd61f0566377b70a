/** A sensor that this process evaluates: what it notes for others until it has ended, and what others have left. */
import type { Owner } from '../../files/process-owner.ts';
import type { EvaluationLeft, SensorClaim } from '../store.ts';
import { forgetPrograms, notePrograms, programsLeft, releaseLease } from './leases.ts';
import type { Port } from './port.ts';

export interface Claiming {
  readonly owner: Owner;
  readonly leaseMs: number;
  readonly onRelease: () => void;
  /** The sensor's code has the thread now. */
  readonly onThread: () => void;
}

export function claimOf(
  port: Port,
  sensor: string,
  { owner, leaseMs, onRelease, onThread }: Claiming,
): SensorClaim {
  const programs: EvaluationLeft['programs'][number][] = [];
  let noted: Promise<void> = Promise.resolve();
  return {
    id: owner.id,
    left: () => programsLeft(port, sensor),
    leftEnded: async (ids) => {
      for (const id of ids) await forgetPrograms(port, sensor, id);
    },
    started: (program) => {
      programs.push(program);
      // One after the other. A note that could not be written says less to others, who go by the mark alone then.
      noted = noted
        .then(() => notePrograms(port, sensor, { owner, leaseMs, programs }))
        .catch(() => undefined);
    },
    programsEnded: async () => {
      if (programs.length === 0) return;
      await noted;
      await forgetPrograms(port, sensor, owner.id);
    },
    hasThread: onThread,
    release: async () => {
      onRelease();
      await releaseLease(port, sensor, owner.id);
    },
  };
}
