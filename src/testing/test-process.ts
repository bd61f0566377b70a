/** One process of dynpart in a test: what a command of the tool does, on the state of the test. */
import type { Pipeline } from '../definitions/pipeline.ts';
import type { RunValues } from '../definitions/staged-values.ts';
import { loadProcessGroups } from '../cli/isolation/load-process-groups.ts';
import { systemClock } from '../cli/system-clock.ts';
import { needsOfMaterialize, planMaterialize } from '../engine/plan/materialize/plan-materialize.ts';
import type { Selection } from '../engine/plan/materialize/selection.ts';
import { forTick } from '../engine/plan/executors/take-up.ts';
import { pipelineNews } from '../engine/plan/pipeline/remember-pipeline.ts';
import { countRuns } from '../engine/plan/queue/queue-runs.ts';
import { together } from '../engine/plan/needs-together.ts';
import { earlierTags } from '../engine/runs/earlier-tags.ts';
import { executeHere, type ExecuteRun, type ExecutionContext } from '../engine/runs/execute-run.ts';
import { RunSession, type RunSessionOptions } from '../engine/runs/run-session.ts';
import { DryRunStore } from '../engine/sensors/dry-run-store.ts';
import { evaluateHere } from '../engine/sensors/evaluate-sensor.ts';
import type { TickOutcome } from '../engine/sensors/commit-tick.ts';
import { runTick } from '../engine/sensors/run-tick.ts';
import { checkHasSensors, chooseSensors, tickInOrder, withEnds } from '../engine/sensors/tick-sensors.ts';
import { dueSensors } from '../engine/sensors/due.ts';
import type { Event } from '../engine/event.ts';
import type { RunRecord } from '../model/run.ts';
import { type Clock, newId } from '../model/time.ts';
import type { Ticked } from './answers.ts';
import { checkName } from './ask.ts';
import { MortalStore } from './mortal-store.ts';
import type { Life } from './life.ts';
import { Teller } from '../engine/incidents/teller.ts';
import { tellingStore } from '../engine/incidents/telling-store.ts';
import { mortalPipeline, mortalValues } from './mortal-user-code.ts';
import type { World } from './world.ts';

export interface TickChoices {
  /** Empty: all that are running. */
  readonly names: readonly string[];
  readonly due: boolean;
  readonly dryRun: boolean;
}

export class TestProcess {
  readonly #options: RunSessionOptions;
  readonly #session: RunSession;
  readonly #teller: Teller;
  /** Those that have ended. */
  readonly #runs: RunRecord[] = [];

  /** @param pipeline the world's, or what is executed in its place */
  constructor(world: World, pipeline: Pipeline = world.pipeline) {
    const { life } = world;
    const mortal = mortalPipeline(pipeline, life);
    const values = mortalValues(world.openValues(), life, pipeline.ioManager !== null);
    const store = new MortalStore(world.store, life);
    const clock = clockOf(world, life);
    this.#teller = new Teller({
      store,
      clock,
      interrupt: new AbortController().signal,
      from: '',
      onFailed: () => undefined,
    });
    this.#teller.use(mortal, world.known);
    this.#options = {
      store: mortal.notify.length === 0 ? store : tellingStore(store, clock, this.#teller.news),
      pipeline: mortal,
      known: world.known,
      ioManager: (): Promise<RunValues> => Promise.resolve(values),
      hasLeftValues: () => world.hasLeftValues,
      clock,
      emit: (event: Event) => {
        if (event.type === 'run-finished') this.#runs.push(event.run);
      },
      concurrency: pipeline.concurrency,
      failFast: false,
      onInterrupt: 'release',
      interrupt: new AbortController().signal,
      processes: loadProcessGroups,
      execute: (context) => executeInHeldTime(context, world),
    };
    this.#session = new RunSession(this.#options);
  }

  /** `sensor tick` */
  async tick({ names, due, dryRun }: TickChoices): Promise<Ticked> {
    const { store, pipeline, clock, emit, processes } = this.#options;
    checkHasSensors(pipeline);
    for (const name of names) checkName('sensor', name, pipeline.sensors.keys());
    const view = await store.read({ sensors: 'all' });
    const chosen = chooseSensors(pipeline.sensors, view, names);
    const sensors = due ? await dueSensors(chosen, view, clock.now()) : chosen;
    const ticking = dryRun ? new DryRunStore(store) : store;
    let outcomes: readonly TickOutcome[] = [];
    await tickInOrder(
      sensors,
      (sensor, sharesThread) =>
        runTick(sensor, {
          ...this.#options,
          store: ticking,
          emit: dryRun ? () => undefined : emit,
          evaluate: evaluateHere(pipeline, clock, processes),
          sharesThread,
          executor: this.#session.executor,
          values: dryRun ? null : this.#options.ioManager,
          ifBusy: 'skip',
          waitTimeoutMs: Infinity,
        }),
      (ticked) => (outcomes = ticked),
    );
    if (!dryRun) {
      for (const { owned } of outcomes) await this.#session.adopt(owned);
      await this.resume();
      await this.#tell();
    }
    return withEnds(outcomes, this.#runs);
  }

  /** Executes what was taken on, and what others have left behind. */
  async resume(): Promise<void> {
    await this.#session.takeUp(forTick, forTick);
    await this.#session.execute();
    await this.#session.leave();
  }

  /** `materialize` */
  async materialize(selection: Selection): Promise<readonly RunRecord[]> {
    const { store, pipeline, known, clock } = this.#options;
    const moment = { now: clock.now(), group: newId(clock) };
    const needs = needsOfMaterialize(pipeline, selection);
    const before = await store.read(together(needs, { sensors: 'all' }));
    const { queued } = planMaterialize(before, pipeline, selection, { moment, owner: 'preview' });
    const tagsOf = await earlierTags(store, before, { pipeline, planned: queued });
    // What was chosen can be made: what the pipeline makes stale is on record before it is.
    await store.commit({}, (view) => ({
      changes: pipelineNews(view, known, moment.now),
      outcome: undefined,
    }));
    await this.#session.commit(moment.group, needs, (view, owner) => {
      const plan = planMaterialize(view, pipeline, selection, { moment, owner, tagsOf });
      return { ...plan, outcome: undefined, queued: countRuns(plan.queued) };
    });
    await this.#session.execute();
    await this.#session.leave();
    await this.#tell();
    return this.#runs;
  }

  /** As at the end of each command. */
  async #tell(): Promise<void> {
    if (this.#options.pipeline.notify.length > 0) await this.#teller.end();
  }
}

/** Records have the time of the test. How long something takes is real time: so long it is waited for. */
function clockOf(world: World, life: Life): Clock {
  return {
    now: () => world.clock.now(),
    steady: () => systemClock.steady!(),
    random: () => world.clock.random(),
    sleep: (ms, signal) =>
      life.goOn(() =>
        systemClock.sleep(ms, signal === undefined ? life.over : AbortSignal.any([signal, life.over])),
      ),
  };
}

/** As everywhere, but what a run waits for is waited for in the time of the test. */
function executeInHeldTime(context: ExecutionContext, { clock, life }: World): ExecuteRun {
  const held: Clock = {
    ...context.clock,
    sleep: (ms, signal) => life.goOn(() => clock.sleep(ms, signal)),
  };
  const execute = executeHere({ ...context, clock: held });
  return (task, interrupt) => clock.during(() => execute(task, interrupt));
}
