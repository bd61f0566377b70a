/**
 * Executes runs of a random pipeline in a random order of events, and sees whether what is promised holds: real sessions and workers on a
 * state in memory that is far away, with batches, pools, limits, retries, timeouts, cancellations, removed keys, interrupts, hand-overs,
 * runs taken from the living, damaged values and full disks. All of it follows from a seed.
 */
import { asset, type AnyAsset, type AssetOptions } from '../../src/definitions/asset.ts';
import { allKeys } from '../../src/definitions/gather.ts';
import { definePipeline, type Pipeline } from '../../src/definitions/pipeline.ts';
import { RetryAfter } from '../../src/definitions/retry-after.ts';
import { skip } from '../../src/definitions/skip.ts';
import type { RunValues } from '../../src/definitions/staged-values.ts';
import { cancelRuns } from '../../src/engine/plan/ends/cancel-runs.ts';
import { addKeys, removeKeys } from '../../src/engine/plan/keys/add-remove-sync.ts';
import type { Event } from '../../src/engine/event.ts';
import { callTogether } from '../../src/engine/runs/call-together.ts';
import { WaitingLine } from '../../src/cli/isolation/waiting-line.ts';
import type { Isolated, ProcessRoom } from '../../src/engine/runs/isolated.ts';
import { madeBy } from '../../src/engine/runs/made-by.ts';
import '../../src/engine/runs/run-loop.ts';
import '../../src/engine/runs/set-aside.ts';
import { RunSession } from '../../src/engine/runs/run-session.ts';
import { tryOnce } from '../../src/engine/runs/try-asset.ts';
import { work } from '../../src/engine/runs/worker-loop.ts';
import type { Processes } from '../../src/engine/user-code/programs.ts';
import { FailureError, fail } from '../../src/model/failure.ts';
import { CANCELED_BY_HAND } from '../../src/model/failures/run.ts';
import type { AssetOutcome } from '../../src/model/run.ts';
import { isoTime, newId } from '../../src/model/time.ts';
import type { StateChange } from '../../src/state/changes.ts';
import { MemoryStore } from '../../src/state/memory/memory-store.ts';
import { strictly } from '../../src/state/memory/strict-view.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { StateStore } from '../../src/state/store.ts';
import { MemoryValues, MemoryValuesPlace } from '../../src/values/memory-values.ts';
import { checkState } from '../../src/state/document/check-state.ts';
import { knownOf, letters, queuedRuns } from './builders.ts';
import { ChanceLoop } from './chance-loop.ts';
import { finishedRuns } from './finished-runs.ts';

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
const HOUR_MS = 3_600_000;

const noPrograms = (): Promise<Processes> =>
  Promise.resolve({
    haveGroups: true,
    watch: () => {
      throw new Error('no code here starts a program');
    },
    endLeft: () => Promise.resolve({ ended: 0, mayBeLeft: false }),
  });

interface Shape {
  readonly name: string;
  readonly set: boolean;
  readonly upstream: readonly string[];
  readonly gathers: string | null;
  readonly batch: number | null;
  readonly concurrency: number | null;
  readonly pool: string | null;
  readonly isIsolated: boolean;
}

/** A piece of user code that is at work. */
interface AtWork {
  readonly asset: string;
  readonly by: Process;
  readonly keys: Map<string | null, string>;
  readonly pools: readonly string[];
  readonly runs: readonly string[];
}

class Wrong extends Error {}

export class AnyOrder {
  readonly loop: ChanceLoop;
  readonly store: MemoryStore;
  readonly place = new MemoryValuesPlace();
  readonly shapes: readonly Shape[];
  readonly concurrency: number;
  readonly pools: Readonly<Record<string, { limit: number; rate?: { calls: number; perSeconds: number } }>>;
  readonly atWork = new Set<AtWork>();
  readonly processes: Process[] = [];
  readonly trace: string[] = [];
  readonly counts = new Map<string, number>();
  readonly calls = new Map<string, number[]>();
  awayUntil = 0;
  problem: Error | null = null;
  groups = 0;

  constructor(seed: number) {
    this.loop = new ChanceLoop(seed);
    const { loop } = this;
    this.store = new MemoryStore(loop);
    this.concurrency = loop.pick([1, 2, 3, 4, 6]);
    this.pools = {
      narrow: { limit: loop.pick([1, 2]) },
      slow: { limit: 3, rate: { calls: loop.pick([1, 2]), perSeconds: loop.pick([2, 10]) } },
    };
    const shapes: Shape[] = [];
    const hasPools = this.chance(0.5);
    for (let at = 0, most = loop.pick([1, 2, 3, 4]); at < most; at++) {
      const above = shapes.filter(({ set }) => set).map(({ name }) => name);
      const batch = this.chance(0.6) ? loop.pick([1, 2, 3, 10]) : null;
      const gathers = at > 0 && above.length > 0 && this.chance(0.15) ? loop.pick(above) : null;
      shapes.push({
        name: `x${at}`,
        set: true,
        upstream: above.filter((name) => name !== gathers && this.chance(0.6)),
        gathers,
        batch: gathers === null ? batch : null,
        concurrency: this.chance(0.3) ? loop.pick([1, 2]) : null,
        pool: hasPools && this.chance(0.5) ? loop.pick(['narrow', 'narrow', 'slow', 'odd']) : null,
        isIsolated: this.chance(0.3),
      });
    }
    this.shapes = shapes;
  }

  chance(of: number): boolean {
    return this.loop.random() < of;
  }

  say(what: string): void {
    this.trace.push(`${String(this.loop.time - Date.UTC(2026, 0, 1)).padStart(7)} ${what}`);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  demand(holds: boolean, what: string): void {
    if (holds || this.problem !== null) return;
    this.say(`WRONG: ${what}`);
    this.problem = new Wrong(what);
  }

  poolOf(shape: Shape, key: string | null): string | null {
    if (shape.pool !== 'odd') return shape.pool;
    if (key === 'b') throw new Error('no pool for b');
    return 'narrow';
  }

  ownerOf(run: string): string | null {
    for (const runs of this.viewNow().runs())
      for (let at = 0; at < runs.count; at++) if (runs.at(at).id === run) return runs.owner;
    return null;
  }

  #view: { serial: number; view: Awaited<ReturnType<MemoryStore['read']>> } | null = null;
  viewNow(): Awaited<ReturnType<MemoryStore['read']>> {
    return this.#view!.view;
  }
  async renew(): Promise<void> {
    this.#view = { serial: 0, view: await this.store.read(EVERYTHING) };
  }

  isOwn({ by, keys }: AtWork): boolean {
    return [...keys.values()].some((run) => this.ownerOf(run) === by.executor);
  }

  begins(work: AtWork): void {
    const { asset, by, keys } = work;
    this.say(
      `${by.name} code of ${asset} begins for ${[...keys].map(([key, run]) => `${key} (${run})`).join(', ')}`,
    );
    this.count(keys.size > 1 ? 'calls for several keys' : 'calls for one key');
    for (const other of this.atWork)
      for (const [key, run] of other.keys) {
        const isSame = other.asset === asset && keys.has(key);
        const isMeant =
          isSame && !this.released.has(run) && this.ownerOf(run) === other.by.executor && !other.by.isGone;
        const mine = keys.get(key)!;
        if (isMeant && this.ownerOf(mine) === by.executor)
          this.demand(
            false,
            `${asset}@${key} is made twice at once: ${run} by ${other.by.name}, ${mine} by ${by.name}`,
          );
      }
    this.atWork.add(work);
    const own = [...this.atWork].filter((one) => this.isOwn(one));
    this.demand(own.length <= this.concurrency, `${own.length} at once where ${this.concurrency} may be`);
    const shape = this.shapes.find(({ name }) => name === asset)!;
    const same = own.filter((one) => one.asset === asset);
    if (shape.concurrency !== null)
      this.demand(
        same.length <= shape.concurrency,
        `${same.length} of ${asset} at once where ${shape.concurrency} may be`,
      );
    if (shape.batch !== null)
      this.demand(keys.size <= shape.batch, `${keys.size} keys in a call for ${shape.batch}`);
    for (const pool of new Set(work.pools)) {
      const users = own.flatMap((one) => (one.pools.includes(pool) ? [...one.keys.values()] : []));
      const { limit } = this.pools[pool]!;
      this.demand(users.length <= limit, `${users.length} in pool ${pool} where ${limit} may be`);
    }
  }

  /** Shows what is on record. */
  async end(): Promise<void> {
    await this.renew();
    const left = this.viewNow()
      .runs()
      .flatMap((runs) => Array.from({ length: runs.count }, (_, at) => runs.at(at).id));
    this.demand(left.length === 0, `these have no end: ${left.join(', ')}`);
    const records = await finishedRuns(this.store);
    this.demand(new Set(records.map(({ id }) => id)).size === records.length, 'a run is on record twice');
    for (const id of this.keyOf.keys())
      this.demand(
        records.some((record) => record.id === id),
        `${id} is not on record`,
      );
    await this.#endOfValues();
    this.demand(
      checkState(this.store.document).length === 0,
      `the state is in order: ${JSON.stringify(checkState(this.store.document))}`,
    );
    const executors = this.viewNow()
      .executors()
      .filter(({ alive }) => alive);
    this.demand(executors.length === 0, 'nobody is in the state');
    for (const [name, run] of this.made) {
      this.demand(this.place.inPlace.has(name), `${name}, made by ${run}, has a value`);
    }
  }

  /** What a process cannot give back, since its disk is full, the next one settles. Nobody else leaves anything. */
  async #endOfValues(): Promise<void> {
    const nothingLeft = (by: (values: MemoryValues) => boolean): void => {
      const left = this.place.staged.filter((one) => by(one.by));
      const names = left.map(({ run, asset, key }) => `${asset}@${key} of ${run}`);
      this.demand(left.length === 0, `values are left: ${names.join(', ')}`);
    };
    const full = new Set(this.processes.flatMap(({ disk, values }) => (disk === 'full' ? [values] : [])));
    nothingLeft((values) => !full.has(values));
    await new MemoryValues(this.place, madeBy(this.store)).recover();
    nothingLeft(() => true);
  }

  readonly keyOf = new Map<string, string | null>();
  /** By asset and key: the run that made it last, by the order of the changes. */
  readonly made = new Map<string, string>();
  readonly attempts = new Map<string, number>();
  /** By hand, from a process that lives: it may take them up again, behind others, while it is at work with them. */
  readonly released = new Set<string>();

  /** A run that is alone waits for nobody. */
  watch(): void {
    const { time } = this.loop;
    if (time < this.awayUntil + 5000) return;
    const under = this.processes.filter((one) => one.flights.size > 0);
    for (const { flights, name, isGone, disk, interrupt } of under) {
      if (isGone || disk === 'full' || interrupt.signal.aborted) continue;
      for (const [id, flight] of flights) {
        const isAtWork = [...this.atWork].some((one) => one.by.name === name && one.runs.includes(id));
        if (isAtWork || under.length > 1 || flights.size > 1) flight.idleSince = time;
        const idle = time - Math.max(flight.idleSince, flight.retryAt);
        this.demand(idle < 15_000, `${id} waits alone in ${name}`);
      }
    }
  }

  readonly ended = new Set<string>();
  readonly damaged = new Set<string>();
  readonly told = new Set<string>();

  /** What is about to be on record. */
  learn(change: StateChange, view: StateView): void {
    switch (change.type) {
      case 'runs-queued':
        for (const [at, key] of change.runs.keys.entries())
          this.keyOf.set(`${change.runs.group}-${change.runs.firstNumber + at}`, key);
        return;
      case 'runs-finished':
        for (const { record } of change.runs) {
          this.demand(!this.ended.has(record.id), `${record.id} ends twice`);
          this.ended.add(record.id);
          // What was made before is on record, unless it was made stale since.
          const done = new Set(view.run(record.id)?.run.done.map(({ asset }) => asset));
          const assets = record.assets.filter(({ asset }) => !done.has(asset));
          this.#learnMade(record.id, assets);
        }
        return;
      case 'runs-progressed':
        for (const [run, assets] of change.runs) this.#learnMade(run, assets);
    }
  }

  #learnMade(run: string, outcomes: readonly AssetOutcome[]): void {
    for (const { asset, status, skipReason } of outcomes) {
      const name = JSON.stringify([asset, this.keyOf.get(run)]);
      if (status === 'SUCCESS') this.made.set(name, run);
      else if (status === 'SKIPPED' && skipReason !== null) this.made.delete(name);
    }
  }
}

/** Processes of their own for assets: so many at most. */
class SomeProcesses implements Isolated {
  readonly world: AnyOrder;
  readonly most: number;
  #free: number;
  readonly #waiting = new WaitingLine();

  constructor(world: AnyOrder, most: number) {
    this.world = world;
    this.most = most;
    this.#free = most;
  }

  async enter(_: unknown, interrupt: AbortSignal): Promise<ProcessRoom | null> {
    while (!interrupt.aborted) {
      if (this.#free > 0) {
        this.#free--;
        return this.#room();
      }
      await this.#waiting.wait(interrupt);
    }
    this.#waiting.next();
    return null;
  }

  #room(): ProcessRoom {
    const leave = (): void => {
      this.#free++;
      this.world.demand(this.#free <= this.most, 'a process is left twice');
      this.#waiting.next();
    };
    return {
      leave,
      tryOnce: async (asset, task, attempt) => {
        try {
          await this.world.loop.sleep(this.world.loop.pick([0, 1, 20]));
          return await tryOnce(asset, task, attempt);
        } finally {
          leave();
        }
      },
      tryAll: (asset, members, programs) => {
        const { tried, over } = callTogether(asset, members, programs);
        return { tried, over: over.finally(leave) };
      },
    };
  }

  async end(): Promise<void> {
    await this.world.loop.sleep(1);
    this.world.demand(this.#free === this.most, `${this.most - this.#free} processes were not let go of`);
  }
}

type Kind = 'command' | 'fail-fast' | 'worker' | 'share';

export class Process {
  readonly world: AnyOrder;
  readonly name: string;
  readonly kind: Kind;
  readonly session: RunSession;
  readonly interrupt = new AbortController();
  readonly handsOver = new AbortController();
  readonly pipeline: Pipeline;
  readonly values: MemoryValues;
  executor: string | null = null;
  isGone = false;
  isBroken = false;
  working: Promise<void> | null = null;
  lastLeft = 0;
  hasGiven = false;
  readonly flights = new Map<
    string,
    { assets: readonly string[]; key: string | null; idleSince: number; retryAt: number; at: number }
  >();
  waits = '';
  /** From now on its disk takes nothing. */
  disk: 'works' | 'full' = 'works';

  constructor(world: AnyOrder, name: string, kind: Kind) {
    const { loop } = world;
    this.world = world;
    this.name = name;
    this.kind = kind;
    this.pipeline = this.#pipeline();
    const values = new MemoryValues(world.place, madeBy(world.store));
    this.values = values;
    const ioManager: RunValues = {
      save: async (context, value) => {
        await loop.sleep(loop.pick([0, 0, 1, 30]));
        this.#writes();
        values.save(context, value);
      },
      load: async (context) => {
        await loop.sleep(loop.pick([0, 0, 1, 30, 2000]));
        const { asset, partitionKey: key } = context;
        if (world.damaged.has(`${asset}@${key}`))
          fail({ reason: 'value-damaged', file: 'x', asset, key, cause: 'it is damaged' });
        return values.load(context);
      },
      remove: (context) => values.remove(context),
      skip: (run, context) => values.skip(run, context),
      staged: (run) => values.staged(run),
      adopt: () => values.adopt(),
      flush: async () => {
        await loop.sleep(loop.pick([0, 5]));
        this.#writes();
      },
      settle: (runs) => {
        values.settle(runs);
      },
      recover: () => values.recover(),
    };
    this.session = new RunSession({
      store: this.#store(),
      pipeline: this.pipeline,
      known: knownOf(this.pipeline),
      ioManager: () => Promise.resolve(ioManager),
      hasLeftValues: () => false,
      clock: loop,
      emit: (event) => this.#hears(event),
      concurrency: world.concurrency,
      failFast: kind === 'fail-fast',
      onInterrupt: kind === 'command' || kind === 'fail-fast' ? 'cancel' : 'release',
      interrupt: this.interrupt.signal,
      processes: noPrograms,
      lasts: kind === 'worker' || kind === 'share',
      isolate: () => new SomeProcesses(world, loop.pick([1, 2])),
    });
  }

  #writes(): void {
    if (this.disk === 'full')
      throw new FailureError({
        reason: 'state-io',
        file: 'x',
        action: 'write',
        cause: 'no space left',
        kind: 'other',
      } as never);
  }

  #store(): StateStore {
    const { world } = this;
    const { store, loop } = world;
    const far = async <T>(call: () => Promise<T>): Promise<T> => {
      await loop.sleep(loop.pick([0, 0, 1, 10, 80]));
      while (loop.time < world.awayUntil) await loop.sleep(world.awayUntil - loop.time);
      const answer = await call();
      await loop.sleep(loop.pick([0, 0, 1, 10]));
      return answer;
    };
    const wrapped: Partial<StateStore> = {
      read: (needs) => far(async () => strictly(await store.read(EVERYTHING), needs)),
      commit: (needs, plan) =>
        far(async () => {
          this.#writes();
          const outcome = await store.commit(EVERYTHING, (view) => {
            const planned = plan(strictly(view, needs));
            for (const change of planned.changes) world.learn(change, view);
            return planned;
          });
          await world.renew();
          return outcome;
        }),
      enter: async () => {
        const executor = await store.enter();
        this.executor = executor.id;
        return {
          ...executor,
          begun: (run, mayBlockMs) => {
            this.#writes();
            void executor.begun(run, mayBlockMs);
            return loop.pick([undefined, undefined, loop.sleep(loop.pick([0, 20]))]);
          },
        };
      },
      runs: (query) => far(() => store.runs(query)),
      appendLog: (run, lines) => {
        this.#writes();
        store.appendLog(run, lines);
      },
      closeLog: () => undefined,
    };
    return wrapped as StateStore;
  }

  #hears(event: Event): void {
    const { world } = this;
    switch (event.type) {
      case 'run-started':
        this.flights.set(event.id, {
          assets: event.assets,
          key: event.partitionKey,
          idleSince: world.loop.time,
          retryAt: 0,
          at: 0,
        });
        return world.say(`${this.name} ${event.id} begins, left ${event.left}`);
      case 'run-ended':
        this.flights.delete(event.run.id);
        return world.say(`${this.name} ${event.run.id} has ended: ${event.run.status}`);
      case 'run-let-go':
        this.hasGiven = true;
        this.flights.delete(event.id);
        return world.say(`${this.name} lets go of ${event.id}: ${event.why}`);
      case 'run-finished': {
        world.say(`${this.name} ${event.run.id} is on record: ${event.run.status}, left ${event.left}`);
        this.lastLeft = event.left;
        for (const { asset, attempts, status, skipReason } of event.run.assets) {
          const tried = world.attempts.get(`${event.run.id} ${asset}`);
          if ((status === 'SUCCESS' || status === 'FAILURE' || skipReason !== null) && attempts > 0)
            world.demand(
              tried === attempts,
              `${asset} of ${event.run.id} has ${attempts} attempts on record, and was tried ${tried} times`,
            );
        }
        this.flights.delete(event.run.id);
        world.demand(event.left >= 0, `left is ${event.left}`);
        world.demand(!world.told.has(event.run.id), `${event.run.id} is told twice`);
        world.told.add(event.run.id);
        return;
      }
      case 'attempt-ended': {
        world.say(`${this.name} try ${event.attempt} of ${event.asset} of ${event.run}: ${event.status}`);
        world.attempts.set(`${event.run} ${event.asset}`, event.attempt);
        const flight = this.flights.get(event.run);
        if (flight !== undefined) Object.assign(flight, { idleSince: world.loop.time, retryAt: 0 });
        return;
      }
      case 'attempt-failed': {
        const flight = this.flights.get(event.run);
        if (flight !== undefined) flight.retryAt = world.loop.time + event.retryInMs;
        return world.say(`${this.name} ${event.asset} of ${event.run} is tried again in ${event.retryInMs}`);
      }
      case 'runs-lost':
      case 'runs-released':
        this.hasGiven = true;
        return world.say(`${this.name} ${JSON.stringify(event)}`);
      case 'time-over': {
        this.hasGiven = true;
        return;
      }
      case 'output':
        return;
      case 'waiting': {
        const said = JSON.stringify(event);
        if (said !== this.waits) world.say(`${this.name} ${said}`);
        this.waits = said;
        return;
      }
      default:
        world.say(`${this.name} ${JSON.stringify(event).slice(0, 160)}`);
    }
  }

  #pipeline(): Pipeline {
    const { world } = this;
    const assets = new Map<string, AnyAsset>();
    for (const shape of world.shapes) {
      const { loop } = world;
      const inputs = Object.fromEntries(shape.upstream.map((name) => [name, assets.get(name)!]));
      assets.set(
        shape.name,
        asset({
          name: shape.name,
          partitions: letters,
          inputs: {
            ...inputs,
            ...(shape.gathers !== null && {
              many: allKeys(assets.get(shape.gathers)!, { onMissing: 'skip' }),
            }),
          },
          ...(shape.concurrency !== null && { concurrency: shape.concurrency }),
          ...(shape.isIsolated && { isolation: 'process' as const }),
          ...(shape.pool !== null && {
            pool: ({ partitionKey }: { partitionKey: string | null }) => world.poolOf(shape, partitionKey)!,
          }),
          ...(loop.random() < 0.5 && { timeoutMs: loop.pick([300, 5000, 100_000]) }),
          retry: {
            maxRetries: loop.pick([0, 1, 2]),
            delayMs: loop.pick([0, 100, 4000, 9000]),
            jitter: loop.pick(['none', 'full', 'plus-minus']),
            backoff: loop.pick(['constant', 'exponential']),
          },
          ...(shape.batch === null
            ? { materialize: (context: never) => this.#one(shape, context) }
            : { batch: shape.batch, materialize: (context: never) => this.#many(shape, context) }),
        } as unknown as AssetOptions<unknown>),
      );
    }
    return definePipeline({
      assets: [...assets.values()],
      concurrency: world.concurrency,
      pools: world.pools,
    });
  }

  /** Heeds its signal at once, or a while later. */
  async #works(signal: AbortSignal): Promise<void> {
    const { loop } = this.world;
    const ms = loop.pick([0, 0, 1, 20, 200, 1500, 20_000, loop.random() < 0.1 ? 200_000 : 40]);
    const ignores = loop.random() < 0.1;
    if (!ignores) {
      await loop.sleep(ms, signal);
      signal.throwIfAborted();
      return;
    }
    await loop.sleep(ms, signal);
    if (signal.aborted) await loop.sleep(loop.pick([10, 3000]));
  }

  #comesTo(key: string | null, run: string): unknown {
    const { loop } = this.world;
    const chance = loop.random();
    if (chance < 0.12) throw new Error(`nothing for ${key}`);
    if (chance < 0.2) throw new RetryAfter(loop.pick([0, 0.05, 3, 20, 100]));
    if (chance < 0.26) return skip('nothing to make');
    return `of ${key} by ${run}`;
  }

  #isOver(at: AtWork): void {
    this.world.atWork.delete(at);
    for (const run of at.runs) {
      const flight = this.flights.get(run);
      if (flight !== undefined) flight.idleSince = this.world.loop.time;
    }
  }

  #poolsFor(shape: Shape, key: string | null): string[] {
    try {
      const pool = this.world.poolOf(shape, key);
      return pool === null ? [] : [pool];
    } catch {
      return [];
    }
  }

  async #one(
    shape: Shape,
    { partitionKey: key, run, signal }: { partitionKey: string; run: { id: string }; signal: AbortSignal },
  ): Promise<unknown> {
    const { world } = this;
    const at: AtWork = {
      asset: shape.name,
      by: this,
      runs: [run.id],
      keys: new Map([[key, run.id]]),
      pools: this.#poolsFor(shape, key),
    };
    world.begins(at);
    try {
      await this.#works(signal);
      if (world.loop.random() < 0.2) console.log('half a line');
      return this.#comesTo(key, run.id);
    } finally {
      this.#isOver(at);
      world.say(`${this.name} code of ${shape.name} of ${run.id} is over`);
    }
  }

  async *#many(
    shape: Shape,
    { keys, signal }: { keys: readonly { partitionKey: string }[]; signal: AbortSignal },
  ): AsyncGenerator<readonly [string, unknown]> {
    const { world } = this;
    const { loop } = world;
    const at: AtWork = {
      asset: shape.name,
      by: this,
      keys: new Map(keys.map(({ partitionKey: key }) => [key, this.begun(shape.name, key) ?? ''])),
      pools: keys.flatMap(({ partitionKey: key }) => this.#poolsFor(shape, key)).slice(0, 1),
      runs: keys.map(({ partitionKey: key }) => this.begun(shape.name, key) ?? ''),
    };
    world.begins(at);
    try {
      const left = keys.map(({ partitionKey }) => partitionKey);
      while (left.length > 0) {
        await this.#works(signal);
        const key = loop.pick(left);
        left.splice(left.indexOf(key), 1);
        if (loop.random() < 0.15) continue;
        let value: unknown;
        try {
          value = this.#comesTo(key, at.keys.get(key)!);
        } catch (error) {
          if (loop.random() < 0.5) throw error;
          continue;
        }
        yield [key, value];
        at.keys.delete(key);
      }
      await (loop.random() < 0.3 ? this.#works(signal) : undefined);
    } finally {
      this.#isOver(at);
      world.say(`${this.name} call of ${shape.name} is over`);
    }
  }

  /** The run under way here that makes this. */
  begun(asset: string, key: string): string | undefined {
    return [...this.flights].findLast(
      ([, flight]) => flight.key === key && flight.assets.includes(asset),
    )?.[0];
  }

  /** Queues runs, and executes what it has. */
  async ask(assets: readonly string[], keys: readonly string[]): Promise<void> {
    const { world } = this;
    const group = newId(world.loop);
    await this.session.commit(group, { keys: [{ set: 'letters', keys }] }, (view, owner) => {
      const present = [...view.present('letters', keys)];
      if (present.length === 0) return { changes: [], outcome: undefined, queued: 0, takenOver: new Set() };
      const runs = queuedRuns({
        group,
        assets,
        keys: present,
        origin: 'materialize',
        createdAt: isoTime(world.loop.time),
      });
      return {
        changes: [{ type: 'runs-queued', runs, owner }],
        outcome: undefined,
        queued: present.length,
        takenOver: new Set(),
      };
    });
  }

  begin(once = false): void {
    const { world } = this;
    const isWorker = this.kind === 'worker' || this.kind === 'share';
    const doing = isWorker
      ? work(this.session, {
          clock: world.loop,
          interrupt: this.interrupt.signal,
          handsOver: this.handsOver.signal,
          once,
          ...(this.kind === 'share' && { shares: world.concurrency }),
        })
      : this.session.execute();
    this.working = this.#worked(doing);
  }

  async #worked(doing: Promise<void>): Promise<void> {
    const { world } = this;
    await doing.catch((error: unknown) => {
      world.say(`${this.name} ends with ${String(error)}`);
      this.isBroken = true;
      const isExpected =
        error instanceof FailureError && (this.disk === 'full' || error.failure.reason === 'value-damaged');
      if (!isExpected) world.demand(false, `${this.name} ends with ${(error as Error).stack}`);
    });
    if (this.handsOver.signal.aborted)
      await this.session.handOver().catch((error: unknown) => world.say(`hand-over: ${String(error)}`));
    else await this.session.leave();
    this.isGone = true;
    world.say(`${this.name} has left`);
    if (!this.hasGiven && !this.isBroken)
      world.demand(this.lastLeft === 0, `${this.name} has ${this.lastLeft} left at its end`);
    if (this.executor !== null) world.store.kill(this.executor);
    await world.renew();
  }
}

/** Lives through one history. @returns what went wrong */
export async function liveInAnyOrder(
  seed: number,
  { hasFaults }: { readonly hasFaults: boolean },
): Promise<AnyOrder> {
  const world = new AnyOrder(seed);
  const { loop, store } = world;
  const uninstall = loop.install();
  try {
    await store.commit(EVERYTHING, (view) => ({
      changes: addKeys(view, 'letters', KEYS, { now: loop.time }).changes,
      outcome: undefined,
    }));
    await world.renew();
    const started = { processes: 0 };
    const newProcess = (kind: Kind): Process => {
      const process = new Process(world, `p${++started.processes}`, kind);
      world.processes.push(process);
      return process;
    };
    const someAssets = (): string[] => {
      const all = world.shapes.map(({ name }) => name);
      const from = Math.floor(loop.random() * all.length);
      return loop.random() < 0.5 ? all : all.slice(from, from + loop.pick([1, 2]));
    };
    const someKeys = (): string[] => KEYS.filter(() => loop.random() < 0.6);
    const byHand = async (
      plan: (view: Awaited<ReturnType<MemoryStore['read']>>) => readonly StateChange[],
    ): Promise<void> => {
      await store.commit(EVERYTHING, (view) => {
        const changes = plan(view);
        for (const change of changes) world.learn(change, view);
        return { changes, outcome: undefined };
      });
      await world.renew();
    };
    const pending = (): { id: string; owner: string | null }[] =>
      world
        .viewNow()
        .runs()
        .flatMap((runs) =>
          Array.from({ length: runs.count }, (_, at) => ({ id: runs.at(at).id, owner: runs.owner })),
        );
    const living = (): Process[] =>
      world.processes.filter(
        (one) =>
          !one.isGone &&
          one.working !== null &&
          !one.interrupt.signal.aborted &&
          !one.handsOver.signal.aborted,
      );
    const steps: [number, string, () => void | Promise<void>][] = [
      [
        5,
        'ask',
        () => {
          const process = newProcess(loop.pick(['command', 'command', 'fail-fast']));
          const assets = someAssets();
          const keys = someKeys();
          if (keys.length === 0) return;
          void process.ask(assets, keys).then(() => process.begin());
        },
      ],
      [
        2,
        'worker',
        () => {
          if (living().filter(({ kind }) => kind === 'worker' || kind === 'share').length < 2)
            newProcess(loop.pick(['worker', 'share'])).begin();
        },
      ],
      [
        5,
        'queue',
        () => {
          const assets = someAssets();
          const keys = someKeys();
          return byHand((view) => {
            const present = [...view.present('letters', keys)];
            if (present.length === 0) return [];
            const runs = queuedRuns({
              group: newId(loop),
              assets,
              keys: present,
              createdAt: isoTime(loop.time),
              origin: 'worker',
            });
            return [{ type: 'runs-queued', runs, owner: null }];
          });
        },
      ],
      [
        3,
        'cancel',
        () => {
          const all = pending();
          const ids = all.length === 0 ? [] : [loop.pick(all).id];
          return byHand(
            (view) =>
              cancelRuns(view, (_, run) => ids.includes(run.id), { why: CANCELED_BY_HAND, now: loop.time })
                .changes,
          );
        },
      ],
      [
        1,
        'remove',
        () => {
          const keys = [loop.pick(KEYS)];
          return byHand(
            (view) => removeKeys(view, 'letters', keys, { keepOut: false, now: loop.time }).changes,
          );
        },
      ],
      [
        2,
        'add',
        () => byHand((view) => addKeys(view, 'letters', [loop.pick(KEYS)], { now: loop.time }).changes),
      ],
      [
        2,
        'release',
        () => {
          const all = pending().filter(({ owner }) => owner !== null);
          if (all.length === 0) return;
          const { owner, id } = loop.pick(all);
          const ids =
            loop.random() < 0.5 ? [id] : all.filter((one) => one.owner === owner).map((one) => one.id);
          for (const one of ids) world.released.add(one);
          return byHand((view) => [
            { type: 'runs-released', ids: ids.filter((one) => view.run(one)?.runs.owner != null) } as never,
          ]);
        },
      ],
      [
        1,
        'interrupt',
        () => {
          const all = living();
          if (all.length > 0) loop.pick(all).interrupt.abort();
        },
      ],
      [
        1,
        'hand over',
        () => {
          const all = living().filter(({ kind }) => kind === 'worker' || kind === 'share');
          if (all.length === 0) return;
          const old = loop.pick(all);
          old.handsOver.abort();
          newProcess(old.kind).begin();
        },
      ],
      [
        1,
        'away',
        () => {
          world.awayUntil = Math.max(world.awayUntil, loop.time + loop.pick([100, 3000, 30_000]));
        },
      ],
      [
        1,
        'damage',
        () => {
          const name = `${loop.pick(world.shapes).name}@${loop.pick(KEYS)}`;
          world.damaged.add(name);
          loop.after(loop.pick([100, 20_000, 100_000]), () => void world.damaged.delete(name));
        },
      ],
      ...(hasFaults
        ? [
            [
              1,
              'disk',
              () => {
                const all = living();
                if (all.length > 0) loop.pick(all).disk = 'full';
              },
            ] as [number, string, () => void],
          ]
        : []),
    ];
    const weighted = steps.flatMap((step) => Array.from({ length: step[0] }, () => step));
    const most = 3 + Math.floor(loop.random() * 25);
    let at = 0;
    for (let step = 0; step < most; step++) {
      at += loop.pick([0, 0, 1, 10, 100, 400, 2000, 2000, 10_000, 70_000]);
      const [, name, act] = loop.pick(weighted);
      loop.after(at, () => {
        world.say(`-- ${name}`);
        world.count(`step ${name}`);
        void act();
      });
    }
    const stepsEnd = loop.time + at;
    let drainer: Process | undefined;
    let turns = 0;
    const limit = stepsEnd + 3 * HOUR_MS;
    for (;;) {
      if (world.problem !== null) return world;
      const isLeft = await loop.turn();
      turns++;
      if (turns % 20 === 0) world.watch();
      world.demand(loop.turnsAtOnce < 5000, 'it turns in circles');
      world.demand(turns < 60_000, 'it turns without an end');
      if (isLeft && loop.time > stepsEnd) {
        // Those that work for ever are told to stop once nothing is left.
        const busy = world.processes.filter(
          (one) => !one.isGone && one.kind !== 'worker' && one.kind !== 'share' && one.working !== null,
        );
        if (busy.length === 0 && drainer === undefined) {
          world.damaged.clear();
          world.say('-- drain');
          for (const one of world.processes) if (!one.isGone && one.working !== null) one.interrupt.abort();
          await loop.settle();
          drainer = new Process(world, 'drain', 'worker');
          world.processes.push(drainer);
          drainer.begin(true);
        }
      }
      const isOver =
        world.processes.every((one) => one.isGone || one.working === null) &&
        (drainer !== undefined || !isLeft);
      if (isOver && loop.time >= stepsEnd) {
        if (pending().length === 0) break;
        world.say('-- drain again');
        world.damaged.clear();
        drainer = new Process(world, 'drain', 'worker');
        world.processes.push(drainer);
        drainer.begin(true);
        continue;
      }
      if (!isLeft) {
        world.demand(
          false,
          `nobody will ever be woken: ${world.processes
            .filter((one) => !one.isGone && one.working !== null)
            .map(({ name, session }) => `${name} (left ${session.left})`)
            .join(', ')}`,
        );
        return world;
      }
      world.demand(
        loop.time < limit,
        `not over after hours: ${world.processes
          .filter((one) => !one.isGone && one.working !== null)
          .map(({ name, kind, session }) => `${name} ${kind} (left ${session.left})`)
          .join(', ')}`,
      );
    }
    await world.end();
    return world;
  } finally {
    uninstall();
  }
}
