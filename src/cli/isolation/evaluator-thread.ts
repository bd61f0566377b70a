/**
 * A thread that evaluates one sensor for a watch. It can be ended from outside, also when the sensor's function blocks
 * it for ever. It loads the pipeline itself and reads the state itself; what goes back is plain data.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import {
  evaluateHere,
  type Evaluation,
  type EvaluationPrograms,
} from '../../engine/sensors/evaluate-sensor.ts';
import { describe } from '../../model/describe-failure.ts';
import { FailureError } from '../../model/failure.ts';
import { describeThrown } from '../../model/thrown.ts';
import { loadUserPipeline, type UserPipeline } from '../load-user-pipeline.ts';
import { isDatabase } from '../state-place.ts';
import { openStore } from '../stores.ts';
import { systemClock } from '../system-clock.ts';
import { exitProcess } from './exit-process.ts';
import { loadProcessGroups } from './load-process-groups.ts';

export interface ThreadData {
  readonly pipeline: UserPipeline;
  /** Its file, or the address of a database. */
  readonly state: string;
  readonly sensor: string;
}

export interface EvaluateMessage {
  readonly lastTickAt: number | null;
  /** In the environment of its programs. */
  readonly id: string | null;
}

export type ThreadMessage =
  /** All is there that it needs: the sensor's time begins. */
  | { readonly type: 'begins' }
  | { readonly type: 'evaluated'; readonly evaluation: Evaluation }
  | { readonly type: 'broken'; readonly message: string }
  /** A program of the sensor leads this process group; `ended`: nothing of it is left. */
  | { readonly type: 'program'; readonly group: number; readonly ended: boolean }
  /** It is a program of this evaluation. */
  | { readonly type: 'noted'; readonly id: string; readonly group: number; readonly number: number }
  /** Nothing is left of the programs of this evaluation. */
  | { readonly type: 'programs-ended'; readonly id: string };

async function main(): Promise<void> {
  const port = parentPort!;
  const { pipeline: user, state, sensor: name } = workerData as ThreadData;
  const { pipeline } = await loadUserPipeline(user, { onOutput: () => undefined, onStray: endWith });
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
      port.postMessage({ type: 'begins' } satisfies ThreadMessage);
      const lastTickAt = message.lastTickAt === null ? null : new Date(message.lastTickAt);
      const evaluation = await evaluate(sensor, {
        cursor,
        sets,
        lastTickAt,
        interrupt: new AbortController().signal,
        onOutput: () => undefined,
        programs: message.id === null ? null : toldBy(port, message.id),
      });
      port.postMessage({ type: 'evaluated', evaluation } satisfies ThreadMessage);
    })().catch((error: unknown) =>
      port.postMessage({ type: 'broken', message: String(error) } satisfies ThreadMessage),
    );
  });
}

function toldBy(port: MessagePort, id: string): EvaluationPrograms {
  const tell = (message: ThreadMessage): void => port.postMessage(message);
  return {
    id,
    note: ({ group, number }) => tell({ type: 'noted', id, group, number }),
    ended: () => tell({ type: 'programs-ended', id }),
  };
}

/** The code could not be loaded, or let go of an error that is no evaluation's: the thread ends, and the next evaluation gets a new one. */
function endWith(error: unknown): never {
  const { message } = error instanceof FailureError ? describe(error.failure) : describeThrown(error);
  parentPort!.postMessage({ type: 'broken', message } satisfies ThreadMessage);
  return exitProcess(1);
}

main().catch(endWith);
