/** Evaluates sensors in threads of their own, which can be ended when they take too long. */
import type { Worker as WorkerThread } from 'node:worker_threads';
import type { EvaluateSensor, Evaluation, EvaluationPrograms } from '../../engine/sensors/evaluate-sensor.ts';
import type { ProcessGroup } from '../../engine/user-code/programs.ts';
import { startTimer } from '../../engine/user-code/timer.ts';
import type { EvaluateMessage, ThreadData, ThreadMessage } from './evaluator-thread.ts';
import { loadProcessGroups } from './load-process-groups.ts';

/** A thread whose own timer did not end the evaluation is blocked: it is ended so long after the timeout. */
const GRACE_MS = 1000;

/** To load the pipeline there and to read the state takes less, also on a slow machine: it is no time of the sensor's. */
const BEGINS_WITHIN_MS = 60_000;

export class SensorThreads {
  readonly #script: string;
  readonly #data: Omit<ThreadData, 'sensor'>;
  readonly #threads = new Map<string, WorkerThread>();
  /** Process groups that programs of a thread's sensor lead. */
  readonly #groups = new WeakMap<WorkerThread, Map<number, Promise<ProcessGroup>>>();
  /** Evaluations of a thread whose programs may not all have ended. */
  readonly #noted = new WeakMap<WorkerThread, Map<string, EvaluationPrograms>>();

  /** @param script the file that a thread runs: `evaluator-thread.ts`, built */
  constructor(script: string, data: Omit<ThreadData, 'sensor'>) {
    this.#script = script;
    this.#data = data;
  }

  readonly evaluate: EvaluateSensor = async (sensor, { lastTickAt, interrupt, onOutput, programs }) => {
    const { name, timeoutSeconds } = sensor;
    const timeoutMs = timeoutSeconds * 1000 + GRACE_MS;
    const known = this.#threads.get(name);
    const thread = known ?? this.#start(name);
    if (programs !== null) this.#noted.get(thread)!.set(programs.id, programs);
    const ended = await new Promise<Evaluation>((resolve) => {
      const failing = (reason: 'sensor-timeout' | 'sensor-interrupted') => (): void => {
        this.#end(name);
        const failure =
          reason === 'sensor-timeout'
            ? { reason, sensor: name, seconds: timeoutSeconds }
            : { reason, sensor: name };
        finish({ ended: { failure }, log: [] });
      };
      const tooLate = failing('sensor-timeout');
      const neverBegins = (): void =>
        broken('it did not begin within a minute: something that the pipeline file waits for does not come');
      // A thread that has evaluated before has loaded all: only what that left behind can keep it from beginning.
      let stopTimer =
        known === undefined ? startTimer(BEGINS_WITHIN_MS, neverBegins) : startTimer(timeoutMs, tooLate);
      const onInterrupt = failing('sensor-interrupted');
      const onMessage = (message: ThreadMessage): void => {
        if (message.type === 'begins') {
          stopTimer();
          stopTimer = startTimer(timeoutMs, tooLate);
        } else if (message.type === 'evaluated') finish(message.evaluation);
        else if (message.type === 'broken') broken(message.message);
      };
      const broken = (message: string): void => {
        this.#end(name);
        finish({
          ended: { failure: { reason: 'sensor-threw', sensor: name, message, frames: [] } },
          log: [],
        });
      };
      const onError = (error: Error): void => broken(error.message);
      const onExit = (): void => broken('its thread ended (process.exit?)');
      const finish = (evaluation: Evaluation): void => {
        stopTimer();
        interrupt.removeEventListener('abort', onInterrupt);
        thread.off('message', onMessage).off('error', onError).off('exit', onExit);
        resolve(evaluation);
      };
      interrupt.addEventListener('abort', onInterrupt);
      thread.on('message', onMessage).on('error', onError).on('exit', onExit);
      const id = programs?.id ?? null;
      thread.postMessage({ lastTickAt: lastTickAt?.getTime() ?? null, id } satisfies EvaluateMessage);
    });
    for (const line of ended.log) onOutput(line);
    return ended;
  };

  endAll(): void {
    for (const name of this.#threads.keys()) this.#end(name);
  }

  #start(sensor: string): WorkerThread {
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const thread = new Worker(this.#script, {
      env: { ...process.env },
      workerData: { ...this.#data, sensor } satisfies ThreadData,
      stdout: true,
      stderr: true,
    });
    thread.unref();
    // Without a listener of its own an error between two evaluations would end the watch.
    thread.on('error', () => this.#end(sensor)).on('exit', () => this.#threads.delete(sensor));
    const groups = new Map<number, Promise<ProcessGroup>>();
    this.#groups.set(thread, groups);
    const noted = new Map<string, EvaluationPrograms>();
    this.#noted.set(thread, noted);
    thread.on('message', (message: ThreadMessage) => {
      if (message.type === 'noted') noted.get(message.id)?.note(message);
      if (message.type === 'programs-ended') {
        noted.get(message.id)?.ended();
        noted.delete(message.id);
      }
      if (message.type !== 'program') return;
      const { group, ended } = message;
      if (!ended) groups.set(group, watched(group));
      else void groups.get(group)?.then((one) => one.leaderEnded());
      if (ended) groups.delete(group);
      // It was on its way when the thread was ended.
      else if (this.#threads.get(sensor) !== thread) void groups.get(group)!.then((one) => one.end());
    });
    this.#threads.set(sensor, thread);
    return thread;
  }

  #end(sensor: string): void {
    const thread = this.#threads.get(sensor);
    this.#threads.delete(sensor);
    if (thread === undefined) return;
    void thread.terminate();
    const noted = [...this.#noted.get(thread)!.values()];
    void ended(this.#groups.get(thread)!.values(), noted);
  }
}

async function watched(group: number): Promise<ProcessGroup> {
  return (await loadProcessGroups()).watch(group);
}

async function ended(
  groups: Iterable<Promise<ProcessGroup>>,
  evaluations: readonly EvaluationPrograms[],
): Promise<void> {
  await Promise.all(Array.from(groups, async (group) => (await group).end()));
  for (const programs of evaluations) programs.ended();
}
