/** A process in a random history: the real session over a store that can be killed, and user code that waits at doors. */
import { EXPECTED_OF } from './history-times.ts';
import { strictly } from '../../src/state/memory/strict-view.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import { warn } from '../../src/definitions/check.ts';
import { skip, type Skip } from '../../src/definitions/skip.ts';
import {
  asset,
  type AnyAsset,
  type AnyKeysOf,
  type AssetContext,
  type AssetOptions,
  type BatchContext,
} from '../../src/definitions/asset.ts';
import { allKeys, lastKeys, mapKeys } from '../../src/definitions/gather.ts';
import { mappingOf } from '../../src/definitions/mapped-keys.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../src/definitions/pipeline.ts';
import type { RunRecord } from '../../src/model/run.ts';
import type { NotifyMessage } from '../../src/definitions/notify.ts';
import { sensor, type SensorContext, type SensorResult } from '../../src/definitions/sensor.ts';
import type { Clock } from '../../src/model/time.ts';
import type { Processes } from '../../src/engine/user-code/programs.ts';
import type { Event } from '../../src/engine/event.ts';
// Loaded by a session on first use: here before any history begins.
import '../../src/engine/runs/run-loop.ts';
import type { RunLoopOptions } from '../../src/engine/runs/run-loop-options.ts';
import { RunSession } from '../../src/engine/runs/run-session.ts';
import type { KnownPipeline } from '../../src/model/known-pipeline.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { Mapping } from '../../src/state/store.ts';
import type { Executor, Plan, SensorClaim, StateStore } from '../../src/state/store.ts';
import { knownOf } from './builders.ts';
import { FakeClock } from './fake-clock.ts';
import {
  ASSETS,
  BATCH,
  type Committer,
  demand,
  GATHERS,
  KEEPS,
  LATER,
  type MadeFrom,
  NAMED,
  poolOf,
  POOLS,
  SENSORS,
  SETS,
} from './history-model.ts';
import type { Ending, KillPoint } from './history-steps.ts';
import { HistoryIsolated } from './history-isolated.ts';
import { HOOK, type Hearing, TOLD_OF } from './history-told.ts';
import type { Hand } from './history-stores.ts';
import { Teller } from '../../src/engine/incidents/teller.ts';
import { tellingStore } from '../../src/engine/incidents/telling-store.ts';
import type { HistoryWorld } from './history-world.ts';

export const CONCURRENCY = 3;

/** Tries of `audio`; the others have one. */
const TRIES: Readonly<Record<string, number>> = { audio: 2 };

const sets = new Map(
  SETS.map((set) => [
    set,
    dynamicPartitions(set, KEEPS[set] === undefined ? {} : { retain: { keepLast: KEEPS[set] } }),
  ]),
);

/** User code that waits for the history to say how it ends. */
export interface Door {
  readonly process: HistoryProcess;
  readonly run: string;
  readonly name: string;
  open(ok: Ending): void;
}

/** One run that a process is in the middle of. */
interface Flight {
  readonly tries: { readonly asset: string; readonly ok: Ending; readonly from: MadeFrom }[];
}

/** Code of a history starts no program. To look for some in this machine would take time, of which a history has none. */
const noProgram: Processes = {
  haveGroups: true,
  watch: () => {
    throw new Error('a history starts no program');
  },
  endLeft: () => Promise.resolve({ ended: 0, mayBeLeft: false }),
};

export const noPrograms = (): Promise<Processes> => Promise.resolve(noProgram);

export class HistoryProcess {
  readonly name: string;
  readonly cancels: boolean;
  readonly hand: Hand;
  readonly store: StateStore;
  readonly clock: Clock;
  readonly pipeline: Pipeline;
  readonly session: RunSession;
  readonly #teller: Teller;
  #hearing: Hearing = 'works';
  /** What the hook has taken, until that is in the state. */
  #heard: (() => void)[] = [];
  /** What it tells the state of its pipeline. */
  readonly known: KnownPipeline;
  /** The newest state that it has read. */
  serial = 0;
  readonly interrupt = new AbortController();
  readonly inFlight = new Map<string, Flight>();
  /** Evaluations that wait. */
  readonly evaluating = new Map<string, () => void>();
  /** Where `transcript` is made, and who waits for it. */
  readonly isolated = new HistoryIsolated();
  executor: string | null = null;
  dead = false;
  killAt: KillPoint | null = null;
  /** What the sensor that is evaluated returns. */
  result: SensorResult | 'throws' = 'throws';
  pauses = false;
  /** By asset. */
  readonly codes: ReadonlyMap<string, string>;
  /** What its function says of `mirror`: as the pipeline was when it began. */
  readonly named: (key: string) => readonly string[];
  readonly mapping: Mapping;
  readonly #world: HistoryWorld;
  readonly #leftBehind: (() => Promise<void>)[] = [];
  readonly #claims = new Map<string, SensorClaim>();
  /** The runs of each call for many keys, until their key is yielded. */
  readonly #calls = new Set<Set<string>>();
  /** What became of the assets of runs that ended, until they are on record. */
  readonly #tries = new Map<string, Flight['tries']>();
  #executing: Promise<void> | null = null;

  constructor(world: HistoryWorld, { slot, number }: { readonly slot: number; readonly number: number }) {
    this.#world = world;
    this.name = `p${number}`;
    // As `materialize` does; the others give back what they do not finish, as ticks and workers do.
    this.cancels = slot === 1;
    this.codes = new Map(world.codes);
    this.named = NAMED[world.named]!;
    this.hand = world.state.open();
    const chance = new FakeClock(0, number * 104729);
    this.clock = {
      now: () => world.clock.now(),
      random: () => chance.random(),
      sleep: async (ms, signal) => {
        await world.clock.sleep(ms, signal);
        world.stir();
        if (this.dead) await never();
      },
    };
    // What there is to tell goes through every commit, whether anybody is told or not.
    this.store = tellingStore(
      this.storeFor((plan) => plan),
      this.clock,
      () => undefined,
    );
    this.pipeline = this.#pipeline();
    this.mapping = mappingOf(this.pipeline);
    this.known = knownOf(this.pipeline);
    const ioManager: RunLoopOptions['ioManager'] = {
      save: async ({ asset, partitionKey }, value) => {
        if (this.dead) await never();
        world.values.set(`${asset}@${partitionKey}`, value);
        await this.diesIf('when a value is saved');
      },
      load: ({ asset, partitionKey }) => {
        demand(world.values.has(`${asset}@${partitionKey}`), `${asset}@${partitionKey} has a value`);
        return world.values.get(`${asset}@${partitionKey}`);
      },
      exists: ({ asset, partitionKey }) => world.values.has(`${asset}@${partitionKey}`),
      remove: ({ asset, partitionKey }) => {
        const name = `${asset}@${partitionKey}`;
        // As in the file store: what a run that goes on has made stands beside it, and is not meant.
        const run = String(world.values.get(name)).split(' by ')[1];
        if (!this.dead && (run === undefined || world.model.finished.has(run))) world.values.delete(name);
      },
      flush: () => this.diesIf('when values are flushed'),
    };
    this.#teller = new Teller({
      store: this.storeFor((plan) => plan),
      clock: this.clock,
      interrupt: this.interrupt.signal,
      from: '',
      onFailed: () => world.count('a hook failed'),
    });
    this.#teller.use(this.pipeline, this.known);
    this.session = new RunSession({
      store: this.store,
      pipeline: this.pipeline,
      known: this.known,
      ioManager: () => Promise.resolve(ioManager),
      hasLeftValues: () => false,
      clock: this.clock,
      emit: this.emit,
      concurrency: CONCURRENCY,
      failFast: false,
      onInterrupt: this.cancels ? 'cancel' : 'release',
      interrupt: this.interrupt.signal,
      processes: noPrograms,
      isolate: () => this.isolated,
    });
  }

  get committer(): Committer {
    return { executor: this.executor, stopping: this.interrupt.signal.aborted, cancels: this.cancels };
  }

  /** Code that makes many keys has one signal: a run of it that is canceled is let go of with its yield, or with the last that is wanted. */
  isCalledBesideWanted(id: string): boolean {
    const isWanted = (one: string): boolean => this.#world.model.run(one)?.canceledAt === null;
    return [...this.#calls].some((call) => call.has(id) && [...call].some(isWanted));
  }

  get isIdle(): boolean {
    return this.#executing === null && this.evaluating.size === 0;
  }

  readonly emit = (event: Event): void => {
    if (this.dead) return;
    this.#world.stir();
    if (event.type === 'run-ended') this.#world.watching(() => this.#ended(event.run));
    if (event.type === 'run-finished') {
      const { model } = this.#world;
      const { id, status } = event.run;
      demand(model.finished.get(id) === status, `${id} is on record as it is said`, event.run);
    }
  };

  /** A store that is gone when the process is; `planning` sees each plan as it is made. */
  storeFor(
    planning: <Outcome>(plan: (view: StateView) => Plan<Outcome>) => (view: StateView) => Plan<Outcome>,
    onRead: () => void = () => undefined,
  ): StateStore {
    const { store } = this.hand;
    const world = this.#world;
    // A call is alone in its turn of the event loop: what comes first must not depend on how long a store's way is.
    const living = async <T>(call: () => Promise<T>): Promise<T> => {
      if (this.dead) await never();
      await world.turn();
      const answer = await call();
      await world.turn();
      if (this.dead) await never();
      return answer;
    };
    const alone = <T>(call: () => Promise<T>): Promise<T> => living(() => world.alone(call));
    return {
      // As a database would show it, whatever the store.
      read: (needs) =>
        alone(async () => {
          const view = await store.read(EVERYTHING);
          this.serial = Math.max(this.serial, view.serial);
          onRead();
          return strictly(view, needs);
        }),
      commit: (needs, plan) =>
        living(() =>
          world.commit(
            this.hand,
            planning((view) => plan(strictly(view, needs))),
            this,
          ),
        ),
      preview: (changes, needs) => alone(() => store.preview(changes, needs)),
      sets: () => alone(() => store.sets()),
      claimSensor: (name) =>
        alone(async () => {
          const claim = await store.claimSensor(name);
          if ('holder' in claim) return claim;
          this.#leftBehind.push(() => claim.release());
          this.#claims.set(name, claim);
          world.evaluators.set(name, this);
          return {
            ...claim,
            left: () => alone(() => claim.left()),
            leftEnded: (ids) => alone(() => claim.leftEnded(ids)),
            programsEnded: () => alone(() => claim.programsEnded()),
            release: () =>
              alone(() => {
                this.#claims.delete(name);
                world.evaluators.delete(name);
                return claim.release();
              }),
          };
        }),
      evaluating: (name) => alone(() => store.evaluating(name)),
      enter: () => alone(async () => this.#entered(await store.enter())),
      recordTick: (tick) =>
        living(async () => {
          await this.diesIf('before its tick is recorded');
          await world.alone(() => store.recordTick(tick));
          if (tick.status !== 'BUSY') world.tickKnown(tick);
        }),
      ticks: (name, limit) => alone(() => store.ticks(name, limit)),
      runs: (query) => alone(() => store.runs(query)),
      appendLog: (runId, lines) => {
        if (!this.dead) store.appendLog(runId, lines);
      },
      closeLog: (runId) => {
        if (!this.dead) store.closeLog(runId);
      },
      readLog: (runId, from) => alone(() => store.readLog(runId, from)),
      endOfLog: (runId, lines) => alone(() => store.endOfLog(runId, lines)),
    };
  }

  /** Tells what there is to be told, as any command does. */
  tell({ hearing, gatherMs }: { readonly hearing: Hearing; readonly gatherMs: number }): void {
    if (this.interrupt.signal.aborted) return;
    this.#hearing = hearing;
    const telling = async (): Promise<void> => {
      await this.#teller.tell(gatherMs);
      for (const known of this.#heard.splice(0)) known();
    };
    void this.#world.watch(telling());
  }

  #hears(message: NotifyMessage): void {
    this.#world.stir();
    if (this.dead) return;
    if (this.#hearing === 'throws') throw new Error('nobody answers');
    this.#world.watching(() => this.#heard.push(this.#world.told.hears(message, this.#world.clock.now())));
    if (this.#hearing === 'dies') this.die();
  }

  /** Executes whatever the session has taken on. */
  execute(): void {
    if (this.dead || this.#executing !== null || !this.session.hasWork) return;
    this.#executing = this.#world.watch(this.session.execute()).finally(() => (this.#executing = null));
  }

  /** Dies here if the history says so. What follows never happens. */
  async diesIf(point: KillPoint): Promise<void> {
    if (this.killAt === point) this.die();
    if (this.dead) await never();
  }

  die(): void {
    if (this.dead) return;
    this.dead = true;
    this.#world.count(`killed ${this.killAt ?? 'now'}`);
    this.killAt = null;
    const { model, state, evaluators } = this.#world;
    for (const [name, claim] of this.#claims) {
      evaluators.delete(name);
      state.killClaim(name, claim);
    }
    this.evaluating.clear();
    if (this.executor === null) return;
    model.dead.set(this.executor, new Set(this.inFlight.keys()));
    state.kill(this.executor);
  }

  /** SIGTERM: what it does not finish it gives back, or ends. */
  async stop(): Promise<void> {
    this.interrupt.abort();
    await this.#world.settle();
    if (this.dead) return;
    demand(this.isIdle, `${this.name} stops when it is told to`, [...this.inFlight.keys()]);
    const left = this.#world.model.pending.filter(({ owner }) => owner !== null && owner === this.executor);
    demand(left.length === 0, `${this.name} leaves nothing behind`, left);
    await this.session.leave();
  }

  /** Its open files and timers, when the history is over. */
  async dispose(): Promise<void> {
    this.dead = true;
    this.interrupt.abort();
    for (const close of this.#leftBehind) await close();
    await this.hand.close?.();
  }

  #entered(executor: Executor): Executor {
    this.executor = executor.id;
    this.#world.owners.set(executor.id, this.name);
    this.#leftBehind.push(() => executor.leave());
    return {
      id: executor.id,
      begun: (runId, mayBlockMs) => {
        if (this.dead) return;
        void executor.begun(runId, mayBlockMs);
        // Said anew for each asset: what the code of an earlier one came to stands.
        if (this.inFlight.has(runId)) return;
        this.#world.watching(() => this.#begins(runId));
        if (this.killAt === 'when a run begins') this.die();
      },
      started: (program) => executor.started(program),
      ended: (runId) => {
        if (this.dead) return;
        executor.ended(runId);
        this.#tries.set(runId, this.inFlight.get(runId)?.tries ?? []);
        this.inFlight.delete(runId);
      },
      leave: () => (this.dead ? never() : executor.leave()),
    };
  }

  /** May this run begin here and now? */
  #begins(runId: string): void {
    const { model } = this.#world;
    const run = model.run(runId);
    const wasReleased = (asset: string): boolean => model.loose.has(`${asset}@${run?.life.key}`);
    this.inFlight.set(runId, { tries: [] });
    // Released from under it: what follows is the operator's doing.
    if (run === undefined || run.assets.some(wasReleased)) return;
    demand(run.owner === this.executor, `${this.name} executes ${runId}, which is its own`, run);
    // Without those that were released from under their process: it has let go of them when it looked.
    const others = this.#world
      .processes()
      .flatMap((process) => [...process.inFlight.keys()].map((id) => ({ id, process })))
      .filter(({ id, process }) => model.run(id)?.owner === process.executor);
    // A call for many keys takes the room of one run.
    const together = others.filter(({ id }) =>
      Object.keys(BATCH).some((one) => model.run(id)?.assets.includes(one)),
    );
    demand(
      others.length - together.length + Math.ceil(together.length / BATCH['paste']!) <= CONCURRENCY,
      `at most ${CONCURRENCY} runs are executed at once`,
      others.map(({ id }) => id),
    );
    const usesOf = (id: string): readonly string[] => {
      const using = model.run(id)!;
      // What it has made by now it does not make again.
      const left = using.assets.filter((one) => !using.done.has(one) && !using.takenUpWith.has(one));
      return left.flatMap((one) => poolOf(one, using.life.key) ?? []);
    };
    for (const pool of usesOf(runId)) {
      const used = others.filter(({ id }) => model.run(id) !== undefined && usesOf(id).includes(pool));
      this.#world.count(`begun in pool ${pool}`);
      demand(used.length <= POOLS[pool]!.limit, `no more than the limit of ${pool} are under way`, used);
      this.#world.called(pool);
    }
    for (const { id, process } of others) {
      const other = model.run(id);
      if (other === undefined || id === runId) continue;
      const shared =
        run.assets.some((asset) => other.assets.includes(asset)) && other.life.key === run.life.key;
      demand(!shared, `one asset and key never run twice at the same time`, [id, runId]);
      const alone = process !== this || (run.interrupted === 0 && other.interrupted === 0);
      demand(alone, `a run that was interrupted is executed alone`, [id, runId]);
    }
  }

  /** A run came to its end here; is it the end that its user code had? */
  #ended(record: RunRecord): void {
    const { model } = this.#world;
    const run = model.run(record.id);
    const tries = this.#tries.get(record.id) ?? [];
    if (run === undefined) {
      // Ended by others meanwhile: what is on record of it is looked at when it is said.
      return;
    }
    if (record.status === 'CANCELED') {
      const stopped = this.committer.stopping && this.cancels && run.sensor === null;
      demand(run.canceledAt !== null || stopped, `${record.id} is canceled`, run);
      return;
    }
    // Its owner has not looked yet. Whatever it makes of it, also where its values were purged meanwhile, does not count.
    if (run.canceledAt !== null) return;
    const statuses = new Map(record.assets.map(({ asset, status }) => [asset, status]));
    const assets = record.assets.map(
      ({ asset, status, error, version, codeVersion, skipReason, warnings }) => {
        const said = warnings.map(({ check }) => check);
        demand(
          status !== 'SUCCESS' || said.join() === 'known',
          `${asset} of ${record.id} has its warning`,
          record,
        );
        const own = tries.filter((one) => one.asset === asset);
        const { upstream } = ASSETS.find(({ name }) => name === asset)!;
        // Skipped by an earlier run, as far as this process knows: then there is nothing to make of it either.
        const isSkippedAbove =
          own.length === 0 &&
          skipReason !== null &&
          upstream.some((name) => model.skipped.has(`${name}@${record.partitionKey}`));
        const skipped = upstream.some((name) => statuses.has(name) && statuses.get(name) !== 'SUCCESS');
        const missing = upstream.some((name) => !statuses.has(name)) && error?.code === 'upstream-missing';
        const isDone = own.length === 0 && (run.done.has(asset) || run.takenUpWith.has(asset));
        const expected =
          skipped || isSkippedAbove || own.at(-1)?.ok === 'skip' || (isDone && skipReason !== null)
            ? 'SKIPPED'
            : isDone || own.at(-1)?.ok === true
              ? 'SUCCESS'
              : own.at(-1)?.ok === 'wrong' ||
                  own.length === (TRIES[asset] ?? 1) ||
                  (missing && own.length === 0)
                ? 'FAILURE'
                : 'none yet';
        demand(status === expected, `${asset} of ${record.id} ended as ${expected}`, { record, tries });
        const from = own.at(-1)?.from ?? {
          version,
          code: codeVersion ?? this.codes.get(asset)!,
          serial: this.serial,
        };
        const isSaid = own.length === 0 || (version === from.version && codeVersion === from.code);
        demand(isSaid, `what ${asset} of ${record.id} was made from is on record`, { record, from });
        // Where its upstream failed it came to nothing.
        return { asset, status: status === 'SKIPPED' && skipReason === null ? 'nothing' : status, from };
      },
    );
    run.ended.set(this.executor!, {
      order: this.#world.next(),
      status: record.status,
      assets,
    });
  }

  #pipeline(): Pipeline {
    const assets = new Map<string, AnyAsset>();
    for (const { name, set, upstream } of ASSETS) {
      const gathered = GATHERS[name];
      const inputs = {
        ...Object.fromEntries(upstream.map((above) => [above, assets.get(above)!])),
        ...(gathered && { many: this.#many(assets.get(gathered.of)!, gathered.which) }),
      };
      assets.set(
        name,
        asset({
          name,
          ...(set !== null && { partitions: sets.get(set) }),
          inputs,
          codeVersion: this.codes.get(name)!,
          ...(LATER[name] && { automate: 'missing' }),
          retry: {
            maxRetries: (TRIES[name] ?? 1) - 1,
            delayMs: 150,
            ...(LATER[name] && { later: LATER[name] }),
          },
          ...(name === 'transcript' && { isolation: 'process' as const }),
          ...(name === 'audio' && {
            pool: ({ partitionKey }: { partitionKey: string | null }) => poolOf(name, partitionKey)!,
          }),
          ...(BATCH[name] === undefined
            ? { materialize: (context: AssetContext) => this.#atDoor(name, context) }
            : {
                batch: BATCH[name],
                materialize: (context: BatchContext) => this.#atDoors(name, context),
              }),
          checks: {
            right: ({ value }: { value: unknown }) => value !== WRONG || 'it is wrong',
            known: ({ value }: { value: unknown }) => warn(`it is ${String(value)}`),
          },
        } as unknown as AssetOptions<unknown>),
      );
    }
    return definePipeline({
      assets: [...assets.values()],
      sensors: SENSORS.map((name) =>
        sensor({
          name,
          assets: [assets.get('audio')!],
          timeoutSeconds: 3600,
          ...(name === EXPECTED_OF && { expectNewKeysEvery: '1h' }),
          evaluate: (context) => this.#evaluate(name, context),
        }),
      ),
      notify: [{ name: HOOK, on: TOLD_OF, send: (message) => this.#hears(message) }],
      concurrency: CONCURRENCY,
      pools: POOLS,
    });
  }

  #many(of: AnyAsset, which: 'all' | 'named' | number): AnyKeysOf {
    const options = { onMissing: 'skip' } as const;
    if (which === 'all') return allKeys(of, options);
    return which === 'named' ? mapKeys(of, (key) => this.named(key), options) : lastKeys(of, which, options);
  }

  async #evaluate(name: string, { signal }: SensorContext): Promise<SensorResult> {
    const { result } = this;
    if (this.pauses) {
      await new Promise<void>((resolve, reject) => {
        const leave = (go: () => void): void => {
          this.evaluating.delete(name);
          go();
        };
        this.evaluating.set(name, () => leave(resolve));
        signal.addEventListener('abort', () => leave(() => reject(signal.reason as Error)));
      });
    }
    if (result === 'throws') throw new Error('the source is away');
    return result;
  }

  /** Many keys in one call: each at a door of its own, and yielded when it opens. One that fails is not yielded. */
  async *#atDoors(name: string, { keys, signal }: BatchContext): AsyncGenerator<readonly [string, unknown]> {
    const { model } = this.#world;
    demand(keys.length <= BATCH[name]!, `a call is for ${BATCH[name]} keys at most`, keys);
    if (keys.length > 1) this.#world.count('several keys in one call');
    const call = new Set<string>();
    this.#calls.add(call);
    signal.addEventListener('abort', () => this.#calls.delete(call));
    const waiting = new Map(
      keys.map(({ partitionKey, version, item }) => {
        const id = [...this.inFlight.keys()].findLast((one) => {
          const run = model.run(one);
          return run === undefined || (run.life.key === partitionKey && run.assets.includes(name));
        });
        const context = { partitionKey, version, item, signal, run: { id: id! } } as AssetContext;
        call.add(id!);
        const ends = this.#atDoor(name, context).then(
          (value) => ({ partitionKey, id: id!, value }),
          (error: unknown) => {
            if (signal.aborted) throw error;
            return { partitionKey, id: id!, value: undefined };
          },
        );
        return [partitionKey, ends] as const;
      }),
    );
    while (waiting.size > 0) {
      const { partitionKey, id, value } = await Promise.race(waiting.values());
      waiting.delete(partitionKey);
      if (value === undefined) continue;
      yield [partitionKey, value];
      call.delete(id);
    }
    this.#calls.delete(call);
  }

  #atDoor(name: string, { partitionKey, run, signal, version, item }: AssetContext): Promise<string | Skip> {
    const { doors } = this.#world;
    if (this.dead) return never();
    const from = { version, code: this.codes.get(name)!, serial: this.serial };
    this.#world.watching(() => {
      const life = this.#world.model.run(run.id)?.life;
      const isCarried =
        life === undefined || life.everCarried.some((one) => one.version === version && one.item === item);
      demand(isCarried, `${partitionKey} carries what user code is given`, { version, item, life });
    });
    return new Promise((resolve, reject) => {
      const leave = (go: () => void): void => {
        if (doors.includes(door)) doors.splice(doors.indexOf(door), 1);
        if (!this.dead) go();
      };
      const door: Door = {
        process: this,
        run: run.id,
        name: `${run.id} ${name}`,
        open: (ok) =>
          leave(() => {
            this.inFlight.get(run.id)?.tries.push({ asset: name, ok, from });
            const status = ok === 'skip' ? 'SKIPPED' : 'SUCCESS';
            if (ok === true || ok === 'skip')
              this.#world.model.made(run.id, this.executor!, { asset: name, status, from });
            // This process knows it before it is on record.
            if (ok === 'skip') this.#world.model.skipped.add(`${name}@${partitionKey}`);
            if (ok === 'skip') resolve(skip('nothing to make'));
            else if (ok === 'wrong') resolve(WRONG);
            else if (ok) resolve(`${name} of ${partitionKey} by ${run.id}`);
            else reject(new Error(`no ${name}`));
          }),
      };
      const wanted = this.#world.model.run(run.id);
      const isAgain = wanted?.owner === this.executor && wanted.done.has(name);
      this.#world.watching(() => demand(!isAgain, `${name} of ${run.id} is on record, and not made again`));
      doors.push(door);
      signal.addEventListener('abort', () => leave(() => reject(signal.reason as Error)));
    });
  }
}

/** What a check refuses. */
const WRONG = 'wrong';

/** What a dead process waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
