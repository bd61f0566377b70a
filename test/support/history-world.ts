/** Lives through a random history, with the real planners, sessions and stores beside the model, and compares after every step. */
import { strictly } from '../../src/state/memory/strict-view.ts';
import { letters } from './letters.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import { finishedRuns } from './finished-runs.ts';
import type { RunRecord } from '../../src/model/run.ts';
import { FailureError } from '../../src/model/failure.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import type { SensorResult } from '../../src/definitions/sensor.ts';
import type { TickRecord } from '../../src/model/tick.ts';
import { isoTime, newId } from '../../src/model/time.ts';
import { cancelRuns } from '../../src/engine/plan/ends/cancel-runs.ts';
import { addKeys, removeKeys, syncKeys } from '../../src/engine/plan/keys/add-remove-sync.ts';
import { forTick } from '../../src/engine/plan/executors/claim-runs.ts';
// Loaded where a claim was left behind, which takes turns of the event loop that a history does not wait for.
import '../../src/engine/sensors/left-of-sensor.ts';
import '../../src/state/json/sensor-programs.ts';
import { evaluateHere } from '../../src/engine/sensors/evaluate-sensor.ts';
import {
  needsOfMaterialize,
  planMaterialize,
  type MaterializePlan,
} from '../../src/engine/plan/materialize/plan-materialize.ts';
import type { Selection } from '../../src/engine/plan/materialize/selection.ts';
import { needsOfRetry, planRetry } from '../../src/engine/plan/retry/plan-retry.ts';
import { planTick } from '../../src/engine/plan/tick/plan-tick.ts';
import { runTick } from '../../src/engine/sensors/run-tick.ts';
import { parseSensorResult } from '../../src/engine/plan/sensor-result/parse-sensor-result.ts';
import { checkState } from '../../src/state/document/check-state.ts';
import type { RunGroup, StateDocument } from '../../src/state/document/state-document.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { Plan } from '../../src/state/store.ts';
import {
  ASSETS,
  type Choice,
  type Committer,
  demand,
  HistoryModel,
  itemOf,
  KEYS,
  LATER,
  RUN_KEYS,
  SENSORS,
  SETS,
  type TickRequest,
} from './history-model.ts';
import { HistoryTimes } from './history-times.ts';
import { CONCURRENCY, type Door, HistoryProcess, never, noPrograms } from './history-process.ts';
import { givenByHand, type Operator, type Step } from './history-steps.ts';
import { type Hand, Killed, type SharedState } from './history-stores.ts';
import { ManualClock } from './manual-clock.ts';

/** A person at the command line: commits and executes nothing. */
const NOBODY: Committer = { executor: null, stopping: false, cancels: false };

/** `runs cancel` reaches a run in another process within so long. */
const CANCEL_MS = 2000;

/** So many turns of the event loop without anything happening are rest. */
const QUIET_TURNS = 4;

export class HistoryWorld {
  readonly clock = new SettlingClock(() => this.settle());
  readonly state: SharedState;
  readonly model = new HistoryModel();
  readonly values = new Map<string, unknown>();
  /** What the code of the assets is by now; processes that run keep theirs. */
  readonly codes = new Map<string, string>(ASSETS.map(({ name }) => [name, '1']));
  readonly doors: Door[] = [];
  readonly evaluators = new Map<string, HistoryProcess>();
  /** Names of processes by executor. */
  readonly owners = new Map<string, string>();
  /** How often each kind of thing happened: a history in which nothing happens proves nothing. */
  readonly tally = new Map<string, number>();
  readonly #slots: (HistoryProcess | null)[] = [];
  readonly #all: HistoryProcess[] = [];
  readonly #operator: HistoryProcess;
  readonly #lastTicks = new Map<string, string>();
  readonly #times = new HistoryTimes();
  readonly #knownTicks = new Set<string>();
  /** Records of runs whose process was killed between the history and the commit. */
  readonly #phantoms = new Map<string, number>();
  #contender: Operator | null = null;
  /** What the plan that is being made comes to in the model, once it is committed. */
  #effect: (() => void) | null = null;
  #lock: Promise<unknown> = Promise.resolve();
  #locks = 0;
  #stirs = 0;
  #order = 0;
  #steps = 0;
  #problem: { readonly error: unknown } | null = null;

  constructor(open: (clock: ManualClock) => SharedState) {
    this.state = open(this.clock);
    this.#operator = new HistoryProcess(this, { slot: 0, number: 0 });
  }

  /** The pipeline is known before anything else. */
  async begin(): Promise<void> {
    const changes = [
      { type: 'pipeline-known', pipeline: this.#operator.known, at: isoTime(this.clock.time) } as const,
    ];
    await this.commit(this.#operator.hand, () => ({ changes, outcome: undefined }), null);
  }

  /** Lives through one step, and checks everything. */
  async step(step: Step): Promise<void> {
    this.#steps++;
    this.clock.time += 1;
    await this.#do(step);
    await this.settle();
    await this.verify();
  }

  /** Those that live. */
  processes(): HistoryProcess[] {
    return this.#slots.filter((process) => process !== null && !process.dead) as HistoryProcess[];
  }

  stir(): void {
    this.#stirs++;
  }

  /** The next turn of the event loop. */
  async turn(): Promise<void> {
    this.stir();
    await new Promise((resolve) => setImmediate(resolve));
    this.stir();
  }

  next(): number {
    return ++this.#order;
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
  }

  /** A rule that does not hold must not be lost in code that takes it for a failure of its own. */
  watching(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#problem ??= { error };
      throw error;
    }
  }

  async watch(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => void (this.#problem ??= { error }));
  }

  /** Until nothing happens any more without time passing. */
  async settle(): Promise<void> {
    for (let quiet = 0, before = -1; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#stirs !== before || this.#locks > 0) quiet = 0;
      before = this.#stirs;
    }
    if (this.#problem !== null) throw this.#problem.error;
  }

  /** One commit after the other, so that the model follows in the same order; real conflicts are made by `contend`. */
  async commit<Outcome>(
    hand: Hand,
    plan: (view: StateView) => Plan<Outcome>,
    process: HistoryProcess | null,
  ): Promise<Outcome> {
    const committed = await this.alone(async () => {
      if (process?.killAt === 'before its commit') process.die();
      return process?.dead ? null : { outcome: await this.#commit(hand, plan, process) };
    });
    return committed === null ? never() : committed.outcome;
  }

  /** A call of a store while no other one is on its way: a database answers after many turns of the event loop. */
  async alone<T>(call: () => Promise<T>): Promise<T> {
    this.#locks++;
    const turn = this.#lock;
    let unlock!: () => void;
    this.#lock = new Promise<void>((resolve) => (unlock = resolve));
    await turn;
    try {
      return await call();
    } finally {
      this.#locks--;
      this.stir();
      unlock();
    }
  }

  async #commit<Outcome>(
    hand: Hand,
    plan: (view: StateView) => Plan<Outcome>,
    process: HistoryProcess | null,
  ): Promise<Outcome> {
    const contender = this.#contender;
    let last: { readonly effect: (() => void) | null; readonly changes: readonly StateChange[] } | undefined;
    const planning = (view: StateView): Plan<Outcome> => {
      this.watching(() => this.model.observe(view, NOBODY));
      this.#effect = null;
      const planned = plan(view);
      last = { effect: this.#effect, changes: planned.changes };
      return planned;
    };
    const outcome = await hand
      .commit(planning, {
        between: contender === null ? null : (view) => this.#contend(contender, view),
        killsBeforeWrite: () => process?.killAt === 'between history and commit',
      })
      .catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
        this.#killedBeforeWrite(last!.changes);
        process!.die();
      });
    if (process?.dead && outcome === undefined) return outcome as Outcome;
    // Killed by now, while its commit was on its way: what it says of itself there is not true any more.
    if (process?.dead && process.executor !== null) this.state.kill(process.executor);
    const view = await hand.store.read(EVERYTHING);
    this.model.serial = view.serial;
    // First in a commit.
    this.#learn(last!.changes);
    this.#times.learn(last!.changes);
    last!.effect?.();
    this.watching(() => this.model.observe(view, process?.committer ?? NOBODY));
    const document = await this.state.document();
    this.watching(() => this.#times.verify(view, document, same));
    if (last!.changes.length > 0) {
      this.count(process === null ? 'commits by hand' : 'commits of processes');
      if (process?.killAt === 'after its commit') process.die();
    }
    return outcome as Outcome;
  }

  #learn(changes: readonly StateChange[]): void {
    for (const change of changes)
      if (change.type === 'pipeline-known')
        this.model.learn(
          new Map(change.pipeline.assets.map(({ name, codeVersion }) => [name, codeVersion!])),
        );
  }

  #killedBeforeWrite(changes: readonly StateChange[]): void {
    for (const change of changes) {
      if (change.type !== 'runs-finished' || this.state.name === 'memory') continue;
      for (const { record } of change.runs)
        this.#phantoms.set(record.id, (this.#phantoms.get(record.id) ?? 0) + 1);
    }
  }

  #contend(operator: Operator, view: StateView): readonly StateChange[] {
    this.#contender = null;
    const { changes, apply } = this.#operate(operator, view, `between${this.#steps}`);
    this.model.serial = view.serial + 1;
    this.watching(apply);
    this.#times.learn(changes);
    if (changes.length > 0) this.count('conflicts');
    return changes;
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'contend':
        this.#contender = step.operator;
        return;
      case 'tick':
        return this.#tick(step);
      case 'evaluate': {
        const waiting = this.processes().flatMap((process) => [...process.evaluating.values()]);
        return waiting[step.pick % waiting.length]?.();
      }
      case 'materialize':
        return this.#materialize(step);
      case 'retry':
        return this.#retry(step);
      case 'take up':
        return this.#takeUp(step.slot, step.all);
      case 'restart':
        for (let time = 0; time < step.times; time++) {
          this.#slots[step.slot]?.die();
          this.#takeUp(step.slot, true);
          await this.settle();
        }
        return;
      case 'end':
        for (const ok of step.oks) {
          const doors = this.#doors();
          doors[step.pick % doors.length]?.open(ok);
          await this.settle();
        }
        return;
      case 'kill': {
        if (step.at === 'now') this.#slots[step.slot]?.die();
        else this.#process(step.slot).killAt = step.at;
        return;
      }
      case 'stop': {
        const process = this.#slots[step.slot];
        if (process == null || process.dead) return;
        await process.stop();
        this.#slots[step.slot] = null;
        return;
      }
      case 'edit':
        this.codes.set(step.asset, step.code);
        return;
      case 'wait':
        return this.clock.advance(step.ms);
      default:
        return this.#byHand(step);
    }
  }

  async #byHand(operator: Operator): Promise<void> {
    await this.commit(
      this.#operator.hand,
      (view) => {
        const { changes, apply } = this.#operate(operator, view, `byhand${this.#steps}`);
        this.#effect = apply;
        return { changes, outcome: undefined };
      },
      null,
    );
    if (operator.do !== 'remove' || !operator.purge) return;
    for (const asset of ASSETS.filter(({ set }) => set === operator.set)) {
      for (const key of operator.keys) {
        const isBack = this.model.sets.get(operator.set)!.some((life) => life.key === key);
        if (!isBack) this.values.delete(`${asset.name}@${key}`);
      }
    }
  }

  /** What an operator's change comes to, in the state and in the model. */
  #operate(operator: Operator, view: StateView, group: string): Operation {
    const { model } = this;
    const now = this.clock.now();
    const planned = <T>({ changes, outcome }: Plan<T>, expected: () => T): Operation => ({
      changes,
      apply: () => same(outcome, expected(), `what ${operator.do} says`),
    });
    switch (operator.do) {
      case 'add':
        return planned(
          addKeys(view, operator.set, operator.keys, {
            now,
            given: new Map(operator.keys.map((key) => [key, givenByHand(key, operator.version)])),
          }),
          () => model.addKeys(operator.set, operator.keys, now, (key) => givenByHand(key, operator.version)),
        );
      case 'mark': {
        const { asset, as } = operator;
        const { set } = ASSETS.find(({ name }) => name === asset)!;
        const keys = set === null ? [null] : [...view.present(set, operator.keys)];
        return {
          changes: keys.length === 0 ? [] : [{ type: 'keys-marked', asset, set, keys, as, at: isoTime(now) }],
          apply: () => {
            model.mark(asset, keys, as);
            // It was made elsewhere.
            if (as === 'materialized') for (const key of keys) this.values.set(`${asset}@${key}`, 'by hand');
          },
        };
      }
      case 'remove':
        return planned(
          removeKeys(view, operator.set, operator.keys, { keepOut: operator.keepOut, now }),
          () => model.removeKeys(operator.set, operator.keys, { keepOut: operator.keepOut, now }),
        );
      case 'sync':
        return planned(syncKeys(view, operator.set, operator.keys, now), () =>
          model.syncKeys(operator.set, operator.keys, now),
        );
      case 'cursor': {
        const { sensor, cursor } = operator;
        return {
          changes: [{ type: 'sensor-changed', sensor, cursor }],
          apply: () => model.setCursor(sensor, cursor),
        };
      }
      case 'status': {
        const { sensor, status } = operator;
        return {
          changes: view.sensor(sensor).status === status ? [] : [{ type: 'sensor-changed', sensor, status }],
          apply: () => model.setStatus(sensor, status),
        };
      }
      case 'cancel': {
        const ids = this.#picked(operator.pick);
        const { changes, runs } = cancelRuns(view, (_, run) => ids.includes(run.id), { why: 'for fun', now });
        return {
          changes,
          apply: () => {
            same(
              runs.map(({ id }) => id),
              ids,
              'which runs are canceled',
            );
            model.cancel(ids, now);
          },
        };
      }
      case 'release': {
        const ids = this.#picked(operator.pick).filter((id) => view.run(id)!.runs.owner !== null);
        return {
          changes: ids.length === 0 ? [] : [{ type: 'runs-released', ids }],
          apply: () => model.release(ids),
        };
      }
      case 'tick-elsewhere': {
        const { sensor, result } = operator;
        const definition = this.#operator.pipeline.sensors.get(sensor)!;
        const parsed = parseSensorResult(resultOf(result), definition, this.#operator.pipeline);
        if ('problems' in parsed) throw new Error(parsed.problems.join('; '));
        const expected = model.tick(sensor, result, { group, owner: null, now });
        const { changes, tick } = planTick(view, definition, parsed.result, {
          moment: { startedAt: now, now, group },
          owner: null,
        });
        return {
          changes,
          apply: () => {
            sameTick(tick, expected);
            expected?.apply();
            if (changes.length > 0) this.tickKnown(tick);
          },
        };
      }
    }
  }

  #picked(pick: number): string[] {
    const ids = this.model.pending.map(({ id }) => id).sort();
    return ids.length === 0 ? [] : [ids[pick % ids.length]!];
  }

  /** Those of dead processes open on nothing. */
  #doors(): Door[] {
    return this.doors
      .filter(({ process }) => !process.dead)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** The process in a slot; a new one where there is none, or a dead one. */
  #process(slot: number): HistoryProcess {
    const there = this.#slots[slot];
    if (there != null && !there.dead) return there;
    const process = new HistoryProcess(this, { slot, number: this.#all.length + 1 });
    this.#all.push(process);
    return (this.#slots[slot] = process);
  }

  #takeUp(slot: number, all: boolean): void {
    const process = this.#process(slot);
    const wanted = all ? (): boolean => true : forTick;
    void this.watch(process.session.takeUp(wanted, wanted).then(() => process.execute()));
  }

  #tick({ slot, sensor, result, runs, pauses }: Step & { do: 'tick' }): void {
    const process = this.#process(slot);
    const definition = process.pipeline.sensors.get(sensor)!;
    process.result = result === 'throws' ? result : resultOf(result);
    process.pauses = pauses;
    const holder = this.evaluators.get(sensor);
    let versionThen: number | null = null;
    /** What the model says of the commit; `undefined` when it came to none. */
    let expected: ReturnType<HistoryModel['tick']> | 'BUSY' | undefined;
    const store = process.storeFor(
      (plan) => (view) => {
        const planned = plan(view);
        if (this.model.sensors.get(sensor)!.version !== versionThen) expected = 'BUSY';
        else {
          const queued = planned.changes.find((change) => change.type === 'runs-queued');
          const group = queued?.runs.group ?? '';
          const owner = runs ? process.executor : null;
          const now = this.clock.now();
          expected = this.model.tick(sensor, result as TickRequest, { group, owner, now });
        }
        this.#effect = () => {
          if (expected === 'BUSY') return;
          expected?.apply();
          if (planned.changes.some(({ type }) => type === 'sensor-changed'))
            this.tickKnown(planned.outcome as TickRecord);
        };
        return planned;
      },
      () => (versionThen ??= this.model.sensors.get(sensor)!.version),
    );
    const ticking = runTick(definition, {
      store,
      pipeline: process.pipeline,
      known: process.known,
      evaluate: evaluateHere(process.pipeline, process.clock, noPrograms),
      processes: noPrograms,
      clock: process.clock,
      emit: process.emit,
      interrupt: process.interrupt.signal,
      concurrency: CONCURRENCY,
      executor: runs ? process.session.executor : null,
      values: null,
      ifBusy: 'skip',
      waitTimeoutMs: 0,
    });
    const ended = async (): Promise<void> => {
      const { tick, owned } = await ticking;
      this.count(`tick ${tick.status}`);
      if (holder !== undefined || expected === 'BUSY') same(tick.status, 'BUSY', 'the tick');
      else if (expected === undefined) same(tick.status, 'FAILURE', 'the tick');
      else sameTick(tick, expected);
      const ids = tick.runs.map(({ id }) => id);
      same(
        owned.map(({ id }) => id),
        runs ? ids : [],
        'what the tick owns',
      );
      await process.session.adopt(owned);
      process.execute();
    };
    void this.watch(ended());
  }

  async #materialize({ slot, choice, runs }: Step & { do: 'materialize' }): Promise<void> {
    const process = this.#process(slot);
    const { pipeline, session } = process;
    const moment = { now: this.clock.now(), group: newId(process.clock) };
    const needs = needsOfMaterialize(pipeline, selectionOf(choice));
    const planned = (view: StateView, owner: string | null): MaterializePlan => {
      const expected = this.model.materialize(choice, { ...moment, owner });
      const plan = refused(() => planMaterialize(view, pipeline, selectionOf(choice), { moment, owner }));
      this.watching(() => {
        const seen = plan && {
          queued: plan.queued
            .flatMap(({ assets, keys }) => keys.map((key) => `${assets.join('+')}@${key} null`))
            .sort(),
          takenOver: [...plan.takenOver].sort(),
          waitedFor: [...plan.waitedFor].sort(),
          leftOut: plan.leftOut,
          waiting: plan.waiting.map(({ asset, partitionKey }) => `${asset}@${partitionKey}`).sort(),
        };
        same(seen, expected && { ...expected, apply: undefined }, 'what is materialized');
      });
      this.#effect = expected && expected.apply;
      return (
        plan ?? { changes: [], queued: [], takenOver: new Set(), waitedFor: [], leftOut: 0, waiting: [] }
      );
    };
    if (!runs) {
      await this.commit(
        process.hand,
        (view) => ({ changes: planned(strictly(view, needs), null).changes, outcome: undefined }),
        null,
      );
      return;
    }
    const committing = session.commit(moment.group, needs, (view, owner) => {
      const { changes, queued, takenOver } = planned(view, owner);
      const count = queued.reduce((sum, { keys }) => sum + keys.length, 0);
      return { changes, outcome: undefined, queued: count, takenOver };
    });
    void this.watch(committing.then(() => process.execute()));
  }

  async #retry({ slot, pick }: Step & { do: 'retry' }): Promise<void> {
    const process = this.#process(slot);
    const records = await this.#records();
    const ids = [...this.model.finished.keys()].sort();
    if (ids.length === 0) return;
    const record = records.get(ids[pick % ids.length]!)!;
    const moment = { now: this.clock.now(), group: newId(process.clock) };
    const committing = process.session.commit(
      moment.group,
      needsOfRetry(process.pipeline, [record]),
      (view, owner) => {
        // What found nothing to make has come to its end as well.
        const assets = record.assets.map(
          ({ asset, status, skipReason }) => [asset, skipReason === null ? status : 'SUCCESS'] as const,
        );
        const expected = this.model.retry({ ...record, assets }, { group: moment.group, owner });
        const queued = refused(() => planRetry(view, process.pipeline, [record], moment));
        this.watching(() => same(queued === null, expected === null, 'whether the retry is refused'));
        this.#effect = expected && expected.apply;
        return {
          changes: (queued ?? []).map((runs) => ({ type: 'runs-queued' as const, runs, owner })),
          outcome: undefined,
          queued: queued?.length ?? 0,
          takenOver: new Set<string>(),
        };
      },
    );
    void this.watch(committing.then(() => process.execute()));
  }

  tickKnown({ sensor, startedAt }: TickRecord): void {
    const known = `${sensor} ${startedAt}`;
    // A tick is committed first and recorded then; others may have come in between.
    if (!this.#knownTicks.has(known)) this.#lastTicks.set(sensor, startedAt);
    this.#knownTicks.add(known);
  }

  async #records(): Promise<Map<string, RunRecord>> {
    const records = await finishedRuns(this.#operator.hand.store);
    same(new Set(records.map(({ id }) => id)).size, records.length, 'how many records a run has');
    return new Map(records.map((record) => [record.id, record]));
  }

  /** Everything that can be seen is as the model says. */
  async verify(): Promise<void> {
    const { model } = this;
    const { store } = this.#operator.hand;
    const view = await store.read(EVERYTHING);
    model.observe(view, NOBODY);
    same(checkState(await this.state.document()), [], 'what state check finds');
    for (const set of SETS) {
      const lives = model.sets.get(set)!;
      const page = view.page({ set: set }).keys;
      same(
        page.map(({ key, addedAt, version, item }) => ({ key, addedAt, version, item })),
        lives.map(({ key, addedAt, carried }) => ({ key, addedAt, ...carried })),
        `the keys of ${set}`,
      );
      same([...view.keptOut(set, KEYS)].sort(), [...model.keptOut.get(set)!].sort(), `what ${set} keeps out`);
    }
    for (const { name, set } of ASSETS) {
      const lives = set === null ? [model.whole] : model.sets.get(set)!;
      const statuses = lives.map((life) => model.letter(name, life)).join('');
      same(letters(view, name, set), statuses, `the statuses of ${name}`);
      const later = LATER[name];
      const failures = lives.map((life) => (later === undefined ? 0 : model.factOf(name, life).failures));
      const tries = view.nextTries(
        name,
        set,
        lives.map(({ key }) => key),
      );
      same(
        tries.map((next) => [next?.failures ?? 0, next === null || next.at === null]),
        failures.map((count) => [count, count === 0 || count > later!.length]),
        `how often ${name} failed, and whether it is tried again`,
      );
      for (const count of failures) if (count > 0) this.count('failed and to be tried again');
      for (const life of lives) {
        const made = model.factOf(name, life).there;
        demand(!made || this.values.has(`${name}@${life.key}`), `${name}@${life.key} has a value`);
      }
    }
    for (const sensor of SENSORS) {
      const { cursor, status, version } = view.sensor(sensor);
      same({ cursor, status, version }, model.sensors.get(sensor), `sensor ${sensor}`);
      const spent = [...view.spentRunKeys(sensor, RUN_KEYS)].sort();
      same(spent, [...model.spent.get(sensor)!.keys()].sort(), `the spent run keys of ${sensor}`);
      const { lastTick } = view.sensor(sensor);
      same(lastTick?.startedAt, this.#lastTicks.get(sensor), `the last tick of ${sensor}`);
    }
    await this.#verifyHistory();
    this.#verifyProcesses();
  }

  async #verifyHistory(): Promise<void> {
    const records = await this.#records();
    for (const [id, status] of this.model.finished) same(records.get(id)?.status, status, `the end of ${id}`);
    for (const [id, { status }] of records) {
      const known = this.model.finished.get(id) === status || this.#phantoms.has(id);
      demand(known, `${id} ended as ${status}`, this.model.finished.get(id));
    }
    for (const [id, count] of this.state.records()) {
      const ended = this.model.finished.has(id) ? 1 : 0;
      const most = ended + (this.#phantoms.get(id) ?? 0);
      demand(count >= ended && count <= most, `${id} is on record once`, { count, most });
    }
  }

  #verifyProcesses(): void {
    const { model } = this;
    for (const run of model.pending) {
      const waits = run.canceledAt !== null && model.isAlive(run.owner);
      const since = this.clock.now() - (run.canceledAt ?? 0);
      demand(!waits || since <= CANCEL_MS, `a canceled run is let go of`, run);
    }
    for (const process of this.processes()) {
      for (const [id, { tries }] of process.inFlight) {
        const isAtDoor = this.doors.some((door) => door.process === process && door.run === id);
        const isBetweenTries = tries.at(-1)?.ok === false;
        demand(isAtDoor || isBetweenTries, `the code of ${id} had begun when that was noted`, tries);
      }
    }
  }

  /** Whatever was queued comes to its end when all doors open and a worker is there. */
  async drain(): Promise<void> {
    for (const process of this.processes()) process.killAt = null;
    this.#contender = null;
    for (let round = 0; ; round++) {
      demand(round < 100, 'every queued run comes to its end', this.model.pending);
      for (const process of this.processes()) for (const go of process.evaluating.values()) go();
      await this.settle();
      const doors = this.#doors();
      for (const door of doors) door.open(true);
      await this.clock.advance(600);
      await this.verify();
      if (doors.length > 0 || this.processes().some(({ isIdle }) => !isIdle)) continue;
      if (this.model.pending.length === 0) break;
      await this.step({ do: 'take up', slot: 0, all: true });
    }
    const view = await this.#operator.hand.store.read(EVERYTHING);
    const left = view.executors().filter(({ alive }) => alive);
    same(
      left.map(({ id }) => this.owners.get(id)),
      [],
      'who still stands in the state',
    );
  }

  /** What both stores must come to alike. */
  async snapshot(): Promise<unknown> {
    const { sets, assets, sensors, runs, incidents } = await this.state.document();
    this.tally.set('incidents', Math.max(this.tally.get('incidents') ?? 0, incidents?.list.length ?? 0));
    const ownersName = (owner: string | null): string | null => owner && this.owners.get(owner)!;
    return {
      sets,
      assets: assetsByColumns(assets),
      sensors: withRunKeysAsSets(sensors),
      incidents,
      runs: groupsTogether(runs).map((group) => ({
        ...group,
        owner: ownersName(group.owner),
        ownedSince: null,
      })),
      finished: Object.fromEntries(this.model.finished),
      doors: this.#doors().map(({ name }) => name),
    };
  }

  async dispose(): Promise<void> {
    for (const process of [...this.#all, this.#operator]) await process.dispose();
    await this.clock.settle();
    await this.state.dispose();
  }
}

/** What is on record of each asset, by sets: of a set of whose keys there is nothing, nothing need be said. */
function assetsByColumns(assets: StateDocument['assets']): unknown {
  const entries = Object.entries(assets).map(([name, { set, status, retries, before = [], ...rest }]) => {
    const columns = [
      { set, status, retries: retries ?? [] },
      ...before.map((one) => ({ retries: [], ...one })),
    ]
      .map((column) => ({ ...column, status: column.status.replace(/\.+$/, '') }))
      .filter((column) => column.status !== '');
    return [name, { ...rest, columns }] as const;
  });
  return Object.fromEntries(entries);
}

/** A column need not say of the last keys that there is nothing of them, and run keys that are spent have no order. */
function withRunKeysAsSets(sensors: StateDocument['sensors']): unknown {
  const entries = Object.entries(sensors).map(([name, entry]) => {
    const ofKeys = Object.entries(entry.runKeys.ofKeys)
      .map(([set, letters]) => [set, letters.replace(/\.+$/, '')])
      .filter(([, letters]) => letters !== '');
    return [
      name,
      {
        ...entry,
        runKeys: {
          other: entry.runKeys.other.map(String).sort(),
          ofKeys: Object.fromEntries(ofKeys) as unknown,
        },
      },
    ] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Runs of one group that have the same owner since the same commit, as one entry in the order of their numbers. A document keeps
 * apart what it has once taken apart (a run that began stands behind the rest of its group); a database does not know that it was.
 */
function groupsTogether(runs: readonly RunGroup[]): RunGroup[] {
  const groups = new Map<string, RunGroup[]>();
  for (const group of runs) {
    const name = JSON.stringify([group.id, group.ownedSince, group.owner]);
    groups.set(name, [...(groups.get(name) ?? []), group]);
  }
  return [...groups].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, parts]) => joined(parts));
}

function joined(parts: readonly RunGroup[]): RunGroup {
  const rows = parts
    .flatMap((part) =>
      part.numbers.map((number, at) => ({
        number,
        key: part.keys[at]!,
        runKey: part.runKeys === 'keys' ? part.keys[at]! : (part.runKeys?.[at] ?? null),
        status: part.status[at]!,
        interrupted: part.interrupted[at]!,
      })),
    )
    .sort((one, other) => one.number - other.number);
  const runKeys = rows.map(({ runKey }) => runKey);
  const [done, touched] = (['done', 'touched'] as const).map(
    (notes) => Object.assign({}, ...parts.map((part) => part[notes] ?? {})) as object,
  );
  return {
    ...parts[0]!,
    numbers: rows.map(({ number }) => number),
    keys: rows.map(({ key }) => key),
    runKeys: runKeys.every((runKey) => runKey === null) ? null : runKeys,
    status: rows.map(({ status }) => status).join(''),
    interrupted: rows.map(({ interrupted }) => interrupted).join(''),
    startedAt: Object.assign({}, ...parts.map(({ startedAt }) => startedAt)) as RunGroup['startedAt'],
    done,
    touched,
  } as RunGroup;
}

interface Operation {
  readonly changes: readonly StateChange[];
  /** Says the same to the model. */
  readonly apply: () => void;
}

/** A clock whose sleepers are let to finish what they wake up for before the next one wakes. */
class SettlingClock extends ManualClock {
  readonly #settle: () => Promise<void>;

  constructor(settle: () => Promise<void>) {
    super();
    this.#settle = settle;
  }

  override settle(): Promise<void> {
    return this.#settle();
  }
}

function resultOf({ requests, runs, cursor }: TickRequest): SensorResult {
  return {
    ...(cursor !== null && { cursor }),
    dynamicPartitionsRequests: requests.map(({ add, set, keys, versions }) => {
      const partitions = dynamicPartitions(set);
      const carrying = keys.map((key, at) => {
        const version = versions?.[at] ?? null;
        return version === null ? key : { key, version, item: itemOf(key, version) };
      });
      return add ? partitions.buildAddRequest(carrying) : partitions.buildDeleteRequest(keys);
    }),
    runRequests: runs.map(({ key, runKey, assets }) => ({
      assets,
      ...(key !== null && { partitionKey: key }),
      ...(runKey !== null && { runKey }),
    })),
  };
}

function selectionOf({ assets, keys, missing, failed, waits, add, newest, limit }: Choice): Selection {
  const all = keys === null && !missing && !failed;
  const order = newest ? 'newest' : 'oldest';
  return { assets, keys, waits, all, missing, failed, stale: false, prefix: null, order, limit, add };
}

/** What a planner answers; `null` where it refuses. */
function refused<T>(plan: () => T): T | null {
  try {
    return plan();
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}

function sameTick(tick: TickRecord, expected: ReturnType<HistoryModel['tick']>): void {
  if (expected === null) {
    same(tick.status, 'FAILURE', 'the tick');
    same(tick.cursor.after, tick.cursor.before, 'the cursor of a tick that failed');
    return;
  }
  const { launched, updated, skippedRunKeys, acted } = expected;
  same(
    tick.partitions.flatMap((one) => one.updated.map((key) => `${one.set}/${key}`)).sort(),
    updated.sort(),
    'what the tick updated',
  );
  same(tick.status, acted ? 'SUCCESS' : 'SKIPPED', 'the tick');
  same([...tick.skippedRunKeys].sort(), skippedRunKeys, 'what the tick suppressed');
  const runs = tick.runs.map(
    ({ assets, partitionKey, runKey }) => `${assets.join('+')}@${partitionKey} ${runKey}`,
  );
  same(runs.sort(), launched, 'what the tick launched');
}

function same(seen: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(seen), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what} should be ${other}, and is ${one}`);
}
