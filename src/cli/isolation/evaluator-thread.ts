/**
 * A thread that evaluates one sensor for a watch. It can be ended from outside, also when the sensor's function blocks
 * it for ever. It loads the pipeline itself and reads the state itself; what goes back is plain data.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { evaluateHere, type Evaluation } from '../../engine/sensors/evaluate-sensor.ts';
import { loadUserPipeline, type UserPipeline } from '../load-user-pipeline.ts';
import { isDatabase } from '../state-place.ts';
import { openStore } from '../stores.ts';
import { systemClock } from '../system-clock.ts';
import { loadProcessGroups } from './load-process-groups.ts';

export interface ThreadData {
  readonly pipeline: UserPipeline;
  /** Its file, or the address of a database. */
  readonly state: string;
  readonly sensor: string;
}

export interface EvaluateMessage {
  readonly lastTickAt: number | null;
}

export type ThreadMessage =
  | { readonly type: 'evaluated'; readonly evaluation: Evaluation }
  | { readonly type: 'broken'; readonly message: string }
  /** A program of the sensor leads this process group; `ended`: nothing of it is left. */
  | { readonly type: 'program'; readonly group: number; readonly ended: boolean };

async function main(): Promise<void> {
  const port = parentPort!;
  const { pipeline: user, state, sensor: name } = workerData as ThreadData;
  const { pipeline } = await loadUserPipeline(user, { onOutput: () => undefined, onStray: throwAgain });
  const sensor = pipeline.sensors.get(name)!;
  const options = { clock: systemClock, version: user.version };
  const store = isDatabase(state)
    ? (await import('../database-state.ts'))
        .databaseState(state, { beside: user.file, env: process.env })
        .open(options)
    : openStore({ ...options, file: state, warn: () => undefined });
  // A thread that is ended from outside ends nothing itself: who ends it must know what its sensor has started.
  const tell =
    (ended: boolean) =>
    (group: number): void =>
      port.postMessage({ type: 'program', group, ended } satisfies ThreadMessage);
  const processes = () => loadProcessGroups({ onStart: tell(false), onEnd: tell(true) });
  const evaluate = evaluateHere(pipeline, systemClock, processes);
  port.on('message', (message: EvaluateMessage) => {
    void (async () => {
      const { cursor } = (await store.read({ sensors: [name] })).sensor(name);
      const sets = await store.sets();
      const lastTickAt = message.lastTickAt === null ? null : new Date(message.lastTickAt);
      const evaluation = await evaluate(sensor, {
        cursor,
        sets,
        lastTickAt,
        interrupt: new AbortController().signal,
        onOutput: () => undefined,
      });
      port.postMessage({ type: 'evaluated', evaluation } satisfies ThreadMessage);
    })().catch((error: unknown) =>
      port.postMessage({ type: 'broken', message: String(error) } satisfies ThreadMessage),
    );
  });
}

/** Between two evaluations: the thread ends with it, and the next evaluation gets a new one. */
function throwAgain(error: unknown): never {
  throw error;
}

void main();
