/** A pipeline under test: the rules, the planner and the run loop of the tool, on a state in memory, at a time that stands still. */
import type { AnyAsset, Asset } from '../definitions/asset.ts';
import { kindOf } from '../definitions/brand.ts';
import type { DynamicPartitions, KeyToAdd } from '../definitions/partitions.ts';
import type { Pipeline } from '../definitions/pipeline.ts';
import type { Sensor } from '../definitions/sensor.ts';
import { fail } from '../model/failure.ts';
import { nameOfType } from '../model/partition-key.ts';
import type { RunRecord } from '../model/run.ts';
import type { TickRecord } from '../model/tick.ts';
import type { ShownState } from '../model/partition-status.ts';
import { durationMs } from '../model/duration.ts';
import type { AddedKeys, Crash, RemovedKeys, RunLogLine, ShownKey, Ticked } from './answers.ts';
import { assetNamed, cursorOf, keysOf, partitionOf, showKey, stateOf, valueOf } from './ask.ts';
import { addByHand, changeSensor, removeByHand, withInputs } from './by-hand.ts';
import { NOTHING_CHOSEN } from '../engine/plan/materialize/selection.ts';
import { crashEverywhere } from './crash.ts';
import { inWords } from './dynpart-error.ts';
import type { Reply } from './fetch-replies.ts';
import { TestProcess } from './test-process.ts';
import { World } from './world.ts';

/** The options of `testPipeline()`. */
export interface TestOptions {
  /** What time it is. Default: the first instant of 2026, UTC. */
  readonly now?: Date | string | number;
  /** Answers `fetch` of the pipeline's code while something of the test is under way. Default: the network does. */
  readonly fetch?: Reply;
}

/** What `materialize` of a test is given. */
export interface Given {
  /**
   * Values of upstream assets, by input name: nothing upstream has to be there for them. Of many keys: an object with a field for
   * each, a `Map`, or a list of `[key, value]`.
   */
  readonly inputs?: Readonly<Record<string, unknown>>;
  /** What the key carries: it is added with that, or updated, before the run. */
  readonly item?: unknown;
  /** Likewise, its version. */
  readonly version?: string;
}

/** A definition, or its name. */
export type NameOf<Definition> = Definition | string;

/** Made by `testPipeline`. What each of it does is what the command of the tool does, and fails with the same codes. */
export interface TestPipeline {
  /** The time of the test. */
  readonly now: Date;
  /**
   * Ticks a sensor, and executes the runs it requests and those that killed processes have left behind: `sensor tick SENSOR`.
   * A sensor that fails is a tick with status `FAILURE`, and a run that fails is a run with that status: neither throws.
   */
  tick(sensor: NameOf<Sensor>): Promise<TickRecord>;
  /** All running sensors, and then `automation` where assets are automated: `sensor tick`. */
  tick(): Promise<Ticked>;
  /** Those of them whose interval is over: `sensor tick --due`. */
  tickDue(): Promise<Ticked>;
  /** What a tick of a sensor would commit: `sensor tick SENSOR --dry-run`. */
  plan(sensor: NameOf<Sensor>): Promise<TickRecord>;
  plan(): Promise<Ticked>;
  /**
   * Makes an asset for a key, which is added to its set if need be: `materialize ASSET --key KEY --add`.
   * @param key leave it out for an asset without partitions
   * @returns the run, also when it has failed: its `error` and `assets` say why
   */
  materialize(asset: NameOf<AnyAsset>, key?: string | null, given?: Given): Promise<RunRecord>;
  /** The keys of a set, in the order of adding. */
  keys(set: NameOf<DynamicPartitions>): Promise<readonly string[]>;
  /** Adds keys by hand: `partitions add`. */
  add<Item>(set: DynamicPartitions<Item> | string, keys: readonly KeyToAdd<Item>[]): Promise<AddedKeys>;
  /** Removes keys by hand: `partitions remove`. */
  remove(set: NameOf<DynamicPartitions>, keys: readonly string[]): Promise<RemovedKeys>;
  /** Starts a sensor that is stopped: `sensor start`. */
  start(sensor: NameOf<Sensor>): Promise<void>;
  /** Stops a sensor: only a tick that names it evaluates it then. `sensor stop`. */
  stop(sensor: NameOf<Sensor>): Promise<void>;
  /** What the last tick of a sensor left for the next one, or `null`: `sensor cursor`. */
  cursor(sensor: NameOf<Sensor>): Promise<string | null>;
  /** Sets a sensor's cursor, `null` clears it: `sensor cursor --set`. Also right in front of the first tick. */
  setCursor(sensor: NameOf<Sensor>, cursor: string | null): Promise<void>;
  /** Where an asset stands with a key. */
  status(asset: NameOf<AnyAsset>, key?: string | null): Promise<ShownState>;
  /** A key, what it carries, and where each asset stands with it, with its last run: `partitions show`. */
  show(set: NameOf<DynamicPartitions>, key: string): Promise<ShownKey>;
  /** What was made, as an asset downstream is given it. */
  value<Value>(asset: Asset<Value>, key?: string | null): Promise<Value>;
  value(asset: string, key?: string | null): Promise<unknown>;
  /** What a run wrote to its log, with `log` and `exec`: `runs logs`. */
  log(run: Pick<RunRecord, 'id'> | string): Promise<readonly RunLogLine[]>;
  /** Goes on with another pipeline on the same state, as after an edit of the pipeline file. */
  deploy(pipeline: Pipeline): Promise<void>;
  /**
   * Moves the time on: `'30s'`, `'10m'`, `'1h'`, `'7d'`, or milliseconds. Timers of the pipeline's own code keep to the real time.
   */
  advance(duration: string | number): Promise<void>;
  /**
   * Does something once for each of its commits, killed before it, and once killed after it: each time from the state that this
   * test has now. Then the next tick is made, and `check` is called.
   *
   * A kill waits for the functions of the pipeline that are at work; what they return is lost, and nothing begins after it.
   *
   * @param act must do all its work with the test that it is given
   * @param check is called with that test, and with where it was killed; `null` the first time, without a kill
   * @returns where it was killed
   */
  crashEverywhere(
    act: (test: TestPipeline) => unknown,
    check: (test: TestPipeline, crash: Crash | null) => unknown,
  ): Promise<readonly Crash[]>;
}

/**
 * Puts a pipeline under test: nothing is read or written but what the pipeline's own code reads and writes.
 *
 * @throws DynpartError from every method, with the code that the tool would end with
 * @example
 * const test = testPipeline(pipeline, { now: '2026-03-01', fetch: () => new Response('[{ "id": "a" }]') });
 * await test.tick();
 * assert.deepEqual(await test.keys('orders'), ['a']);
 */
export function testPipeline(
  pipeline: Pipeline,
  { now = DEFAULT_NOW, fetch }: TestOptions = {},
): TestPipeline {
  const start = new Date(now).getTime();
  if (Number.isNaN(start)) throw new TypeError(`now is no time: ${String(now)}`);
  return new TestOfWorld(new World(checked(pipeline), fetch, start));
}

function checked(pipeline: Pipeline): Pipeline {
  const kind = kindOf(pipeline);
  if (kind === 'pipeline') return pipeline;
  throw new TypeError(
    `a test takes what definePipeline returns, and this is ${kind ?? nameOfType(pipeline)}: import pipeline from './pipeline.ts'`,
  );
}

const DEFAULT_NOW = '2026-01-01T00:00:00.000Z';

class TestOfWorld implements TestPipeline {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  get now(): Date {
    return new Date(this.#world.clock.now());
  }

  tick(sensor: NameOf<Sensor>): Promise<TickRecord>;
  tick(): Promise<Ticked>;
  tick(sensor?: NameOf<Sensor>): Promise<TickRecord | Ticked> {
    return this.#tick(sensor, { due: false, dryRun: false });
  }

  tickDue(): Promise<Ticked> {
    return this.#tick(undefined, { due: true, dryRun: false }) as Promise<Ticked>;
  }

  plan(sensor: NameOf<Sensor>): Promise<TickRecord>;
  plan(): Promise<Ticked>;
  plan(sensor?: NameOf<Sensor>): Promise<TickRecord | Ticked> {
    return this.#tick(sensor, { due: false, dryRun: true });
  }

  #tick(
    sensor: NameOf<Sensor> | undefined,
    how: { readonly due: boolean; readonly dryRun: boolean },
  ): Promise<TickRecord | Ticked> {
    const tick = async (world: World): Promise<TickRecord | Ticked> => {
      const names = sensor === undefined ? [] : [nameOf(sensor)];
      const ticked = await new TestProcess(world).tick({ names, ...how });
      return sensor === undefined ? ticked : ticked.ticks[0]!;
    };
    return how.dryRun ? this.#look(tick) : this.#act(tick);
  }

  materialize(
    asset: NameOf<AnyAsset>,
    key: string | null = null,
    { inputs, item, version }: Given = {},
  ): Promise<RunRecord> {
    return this.#act(async (world) => {
      const definition = assetNamed(world.pipeline, nameOf(asset));
      const { name, set } = definition;
      partitionOf(world.pipeline, name, key);
      const carries = item !== undefined || version !== undefined;
      if (carries && set !== null) await addByHand(world, set, [{ key: key!, item, version }]);
      const pipeline = inputs === undefined ? world.pipeline : withInputs(world.pipeline, definition, inputs);
      const runs = await new TestProcess(world, pipeline).materialize({
        ...NOTHING_CHOSEN,
        assets: [name],
        keys: key === null ? null : [key],
        waits: key !== null,
        add: key !== null,
      });
      return (
        runs.at(-1) ??
        fail({
          reason: 'usage',
          message: `asset '${name}' was not made: another run of it is under way`,
          hint: 'await what was begun before',
        })
      );
    });
  }

  keys(set: NameOf<DynamicPartitions>): Promise<readonly string[]> {
    return this.#look((world) => keysOf(world, nameOf(set)));
  }

  add<Item>(set: DynamicPartitions<Item> | string, keys: readonly KeyToAdd<Item>[]): Promise<AddedKeys> {
    return this.#act((world) => addByHand(world, nameOf(set), keys));
  }

  remove(set: NameOf<DynamicPartitions>, keys: readonly string[]): Promise<RemovedKeys> {
    return this.#act((world) => removeByHand(world, nameOf(set), keys));
  }

  start(sensor: NameOf<Sensor>): Promise<void> {
    return this.#act((world) => changeSensor(world, nameOf(sensor), { status: 'RUNNING' }));
  }

  stop(sensor: NameOf<Sensor>): Promise<void> {
    return this.#act((world) => changeSensor(world, nameOf(sensor), { status: 'STOPPED' }));
  }

  cursor(sensor: NameOf<Sensor>): Promise<string | null> {
    return this.#look((world) => cursorOf(world, nameOf(sensor)));
  }

  setCursor(sensor: NameOf<Sensor>, cursor: string | null): Promise<void> {
    return this.#act((world) => changeSensor(world, nameOf(sensor), { cursor }));
  }

  status(asset: NameOf<AnyAsset>, key: string | null = null): Promise<ShownState> {
    return this.#look((world) => stateOf(world, partitionOf(world.pipeline, nameOf(asset), key)));
  }

  show(set: NameOf<DynamicPartitions>, key: string): Promise<ShownKey> {
    return this.#look((world) => showKey(world, nameOf(set), key));
  }

  value<Value>(asset: Asset<Value>, key?: string | null): Promise<Value>;
  value(asset: string, key?: string | null): Promise<unknown>;
  value(asset: NameOf<AnyAsset>, key: string | null = null): Promise<unknown> {
    return this.#look((world) => valueOf(world, partitionOf(world.pipeline, nameOf(asset), key)));
  }

  log(run: Pick<RunRecord, 'id'> | string): Promise<readonly RunLogLine[]> {
    return this.#look(({ store }) => store.endOfLog(typeof run === 'string' ? run : run.id, Infinity));
  }

  deploy(pipeline: Pipeline): Promise<void> {
    return this.#look((world) => Promise.resolve(world.deploy(checked(pipeline))));
  }

  advance(duration: string | number): Promise<void> {
    return this.#look(async ({ clock }) => {
      const ms = typeof duration === 'number' ? duration : durationMs(duration, 'what advance takes');
      if (!(ms >= 0 && ms < Infinity)) throw new TypeError(`time does not go on by ${ms} milliseconds`);
      clock.advance(ms);
      await Promise.resolve();
    });
  }

  crashEverywhere(
    act: (test: TestPipeline) => unknown,
    check: (test: TestPipeline, crash: Crash | null) => unknown,
  ): Promise<readonly Crash[]> {
    const testOf = (world: World): TestPipeline => new TestOfWorld(world);
    return inWords(() => crashEverywhere(this.#world, { testOf, act, check }));
  }

  #act<T>(work: (world: World) => Promise<T>): Promise<T> {
    return inWords(() => this.#world.act(() => work(this.#world)));
  }

  #look<T>(work: (world: World) => Promise<T>): Promise<T> {
    return inWords(() => this.#world.look(() => work(this.#world)));
  }
}

function nameOf(definition: { readonly name: string } | string): string {
  return typeof definition === 'string' ? definition : definition.name;
}
