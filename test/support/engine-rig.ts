/** The engine over a store in memory: a clock of the test's own, every event on record, values in a map. */
import { EVERYTHING } from '../../src/state/needs.ts';
import { finishedRuns } from './finished-runs.ts';
import type { IoManager, ValueContext } from '../../src/definitions/io-manager.ts';
import type { Pipeline } from '../../src/definitions/pipeline.ts';
import { evaluateHere } from '../../src/engine/sensors/evaluate-sensor.ts';
import type { Event } from '../../src/engine/event.ts';
// Loaded on first use: here before any test's time begins.
import '../../src/engine/plan/tick/plan-tick.ts';
import '../../src/engine/plan/sensor-result/parse-sensor-result.ts';
import '../../src/engine/runs/run-loop.ts';
import type { RunLoopOptions } from '../../src/engine/runs/run-loop-options.ts';
import { RunSession, type RunSessionOptions } from '../../src/engine/runs/run-session.ts';
import type { TickOptions, TickOutcome } from '../../src/engine/sensors/commit-tick.ts';
import { runTick } from '../../src/engine/sensors/run-tick.ts';
import { MemoryStore } from '../../src/state/memory/memory-store.ts';
import type { StateChange } from '../../src/state/changes.ts';
import { knownOf, lettersPipeline } from './builders.ts';
import { loadProcessGroups } from '../../src/cli/isolation/load-process-groups.ts';
import { FakeClock } from './fake-clock.ts';

/** A door that user code of a test waits at. */
export class Gate {
  #open!: () => void;
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));

  open(): void {
    this.#open();
  }

  pass(): Promise<void> {
    return this.#opened;
  }
}

/** What happened, and the means to wait for what will. */
export class Recorder<T> {
  readonly all: T[] = [];
  #waiting: { readonly passes: (all: readonly T[]) => boolean; readonly resolve: () => void }[] = [];

  readonly add = (item: T): void => {
    this.all.push(item);
    this.#waiting = this.#waiting.filter(({ passes, resolve }) => {
      if (!passes(this.all)) return true;
      resolve();
      return false;
    });
  };

  /** Resolves when what was recorded passes. */
  until(passes: (all: readonly T[]) => boolean): Promise<void> {
    if (passes(this.all)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ passes, resolve }));
  }

  /** Resolves when so many were recorded. */
  count(count: number): Promise<void> {
    return this.until((all) => all.length >= count);
  }
}

/** An I/O manager over a map. */
export class MapValues implements IoManager {
  readonly values = new Map<string, unknown>();
  flushes = 0;

  save(context: ValueContext, value: unknown): void {
    this.values.set(nameOf(context), value);
  }

  load(context: ValueContext): unknown {
    if (!this.values.has(nameOf(context))) throw new Error(`there is no value of ${nameOf(context)}`);
    return this.values.get(nameOf(context));
  }

  remove(context: ValueContext): void {
    this.values.delete(nameOf(context));
  }

  flush(): Promise<void> {
    this.flushes++;
    return Promise.resolve();
  }
}

function nameOf({ asset, partitionKey }: ValueContext): string {
  return partitionKey === null ? asset : `${asset}@${partitionKey}`;
}

type SessionChoices = Partial<Omit<RunSessionOptions, 'ioManager'> & Pick<RunLoopOptions, 'ioManager'>>;

export class EngineRig {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore(this.clock);
  readonly values = new MapValues();
  readonly events = new Recorder<Event>();
  readonly interrupt = new AbortController();
  readonly pipeline: Pipeline;

  constructor(pipeline: Pipeline = lettersPipeline()) {
    this.pipeline = pipeline;
  }

  commit(...changes: readonly StateChange[]): Promise<void> {
    return this.store.commit(EVERYTHING, () => ({ changes, outcome: undefined }));
  }

  /** One process's session; several of them are several processes as far as the store can tell. */
  session({ ioManager = this.values, ...options }: SessionChoices = {}): RunSession {
    return new RunSession({
      store: this.store,
      pipeline: this.pipeline,
      known: knownOf(this.pipeline),
      ioManager: () => Promise.resolve(ioManager),
      hasLeftValues: () => false,
      clock: this.clock,
      emit: this.events.add,
      concurrency: this.pipeline.concurrency,
      failFast: false,
      onInterrupt: 'release',
      interrupt: this.interrupt.signal,
      processes: loadProcessGroups,
      ...options,
    });
  }

  tick(name: string, options: Partial<TickOptions> = {}): Promise<TickOutcome> {
    const sensor = this.pipeline.sensors.get(name);
    if (sensor === undefined) throw new Error(`there is no sensor ${name}`);
    return runTick(sensor, {
      store: this.store,
      pipeline: this.pipeline,
      known: knownOf(this.pipeline),
      evaluate: evaluateHere(this.pipeline, this.clock, loadProcessGroups),
      processes: loadProcessGroups,
      clock: this.clock,
      emit: this.events.add,
      interrupt: this.interrupt.signal,
      concurrency: this.pipeline.concurrency,
      executor: null,
      values: () => Promise.resolve(this.values),
      ifBusy: 'skip',
      waitTimeoutMs: Infinity,
      ...options,
    });
  }

  /** The events of one type. */
  of<Type extends Event['type']>(type: Type): Extract<Event, { type: Type }>[] {
    return this.events.all.filter((event): event is Extract<Event, { type: Type }> => event.type === type);
  }

  /** `id status` of the runs that have ended, oldest first. */
  async ended(): Promise<string[]> {
    return (await finishedRuns(this.store)).map(({ id, status }) => `${id} ${status}`).reverse();
  }
}
