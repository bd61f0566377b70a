/** Lives through a random history, with the real planners, sessions and stores beside the model, and compares after every step. */
import { NOBODY, verify } from './history-verify.ts';
import { materialize, retry, tick } from './history-acts.ts';
import { operate } from './history-by-hand.ts';
import { same } from './history-same.ts';
import { EVERYTHING } from '../../src/state/needs.ts';
import { finishedRuns } from './finished-runs.ts';
import type { RunRecord } from '../../src/model/run.ts';
import type { TickRecord } from '../../src/model/tick.ts';
import { isoTime } from '../../src/model/time.ts';
import { forTick } from '../../src/engine/plan/executors/take-up.ts';
// Loaded where a claim was left behind, which takes turns of the event loop that a history does not wait for.
import '../../src/engine/sensors/left-of-sensor.ts';
import '../../src/state/json/sensor-programs.ts';
import type { StateChange } from '../../src/state/changes.ts';
import type { Mapping } from '../../src/state/store.ts';
import type { StateView } from '../../src/state/state-view.ts';
import type { Plan } from '../../src/state/store.ts';
import { ASSETS, demand, HistoryModel, NAMED, POOLS, SENSORS } from './history-model.ts';
import { HistoryTimes } from './history-times.ts';
import { type Door, HistoryProcess, never } from './history-process.ts';
import type { Operator, Step } from './history-steps.ts';
import { HistoryTold } from './history-told.ts';
import { type Hand, Killed, type SharedState } from './history-stores.ts';
import { HistoryTurns, SettlingClock } from './history-turns.ts';
import type { ManualClock } from './manual-clock.ts';

function mappingOf(named: (key: string) => readonly string[]): Mapping {
  return (asset, _, key) => (asset === 'mirror' ? named(key) : null);
}

export class HistoryWorld extends HistoryTurns {
  readonly clock = new SettlingClock(() => this.settle());
  readonly state: SharedState;
  readonly model = new HistoryModel();
  readonly values = new Map<string, unknown>();
  /** What the code of the assets is by now; processes that run keep theirs. */
  readonly codes = new Map<string, string>(ASSETS.map(({ name }) => [name, '1']));
  /** What the function of `mapKeys` says by now; processes that run keep theirs. */
  named = 'same';
  readonly #calls = new Map<string, number[]>();
  readonly doors: Door[] = [];
  readonly evaluators = new Map<string, HistoryProcess>();
  /** Names of processes by executor. */
  readonly owners = new Map<string, string>();
  /** How often each kind of thing happened: a history in which nothing happens proves nothing. */
  readonly tally = new Map<string, number>();
  readonly told = new HistoryTold((what) => this.count(what));
  readonly #slots: (HistoryProcess | null)[] = [];
  readonly #all: HistoryProcess[] = [];
  readonly operator: HistoryProcess;
  readonly lastTicks = new Map<string, string>();
  readonly #times = new HistoryTimes();
  readonly #knownTicks = new Set<string>();
  /** Records of runs whose process was killed between the history and the commit. */
  readonly phantoms = new Map<string, number>();
  /** When a canceled run was last seen in a call that is for a wanted one as well. */
  readonly besideWanted = new Map<string, number>();
  contender: Operator | null = null;
  /** What the plan that is being made comes to in the model, once it is committed. */
  effect: (() => void) | null = null;
  #order = 0;
  /** A command by hand finds a file that cannot be loaded. */
  #isBlind = false;
  #steps = 0;

  constructor(open: (clock: ManualClock) => SharedState) {
    super();
    this.state = open(this.clock);
    this.operator = new HistoryProcess(this, { slot: 0, number: 0 });
  }

  /** The pipeline is known before anything else. */
  async begin(): Promise<void> {
    const changes = [
      { type: 'pipeline-known', pipeline: this.operator.known, at: isoTime(this.clock.time) } as const,
    ];
    await this.commit(this.operator.hand, () => ({ changes, outcome: undefined }), null);
  }

  /** Lives through one step, and checks everything. */
  async step(step: Step): Promise<void> {
    this.#steps++;
    this.clock.time += 1;
    await this.#do(step);
    await this.settle();
    await verify(this);
  }

  /** Those that live. */
  processes(): HistoryProcess[] {
    return this.#slots.filter((process) => process !== null && !process.dead) as HistoryProcess[];
  }

  next(): number {
    return ++this.#order;
  }

  /** A run begins that uses a pool. */
  called(pool: string): void {
    const { rate } = POOLS[pool]!;
    if (rate === undefined) return;
    const now = this.clock.now();
    const recent = (this.#calls.get(pool) ?? []).filter((at) => at > now - rate.perSeconds * 1000);
    recent.push(now);
    this.#calls.set(pool, recent);
    demand(recent.length <= rate.calls, `no more calls of ${pool} begin than its rate allows`, recent);
  }

  count(what: string): void {
    this.tally.set(what, (this.tally.get(what) ?? 0) + 1);
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

  async #commit<Outcome>(
    hand: Hand,
    plan: (view: StateView) => Plan<Outcome>,
    process: HistoryProcess | null,
  ): Promise<Outcome> {
    const contender = this.contender;
    // Who runs a command has loaded the file as it is now, if it can be loaded.
    const mapping = process === null ? mappingOf(NAMED[this.named]!) : process.mapping;
    const isBlind = process === null && this.#isBlind;
    hand.store.useMapping!(isBlind ? (null as never) : mapping);
    this.model.named = isBlind ? null : (process?.named ?? NAMED[this.named]!);
    let last: { readonly effect: (() => void) | null; readonly changes: readonly StateChange[] } | undefined;
    const planning = (view: StateView): Plan<Outcome> => {
      this.watching(() => this.model.observe(view, NOBODY));
      this.effect = null;
      const planned = plan(view);
      last = { effect: this.effect, changes: planned.changes };
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
    if (last!.changes.length > 0) this.model.ask();
    // First in a commit.
    this.#learn(last!.changes);
    this.#times.learn(last!.changes);
    last!.effect?.();
    this.watching(() => this.model.observe(view, process?.committer ?? NOBODY));
    const document = await this.state.document();
    this.watching(() => this.#times.verify(view, document, same));
    const stopped = SENSORS.filter((name) => view.sensor(name).status === 'STOPPED');
    this.told.learn(document.incidents?.list ?? [], stopped);
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
        this.phantoms.set(record.id, (this.phantoms.get(record.id) ?? 0) + 1);
    }
  }

  #contend(operator: Operator, view: StateView): readonly StateChange[] {
    this.contender = null;
    const { changes, apply } = operate(this, operator, view, `between${this.#steps}`);
    this.model.serial = view.serial + 1;
    this.watching(() => {
      if (changes.length > 0) this.model.ask();
      apply();
    });
    this.#times.learn(changes);
    if (changes.length > 0) this.count('conflicts');
    return changes;
  }

  async #do(step: Step): Promise<void> {
    switch (step.do) {
      case 'contend':
        this.contender = step.operator;
        return;
      case 'tick':
        return tick(this, step);
      case 'evaluate': {
        const waiting = this.processes().flatMap((process) => [...process.evaluating.values()]);
        return waiting[step.pick % waiting.length]?.();
      }
      case 'materialize':
        return materialize(this, step);
      case 'retry':
        return retry(this, step);
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
          const doors = this.openDoors();
          doors[step.pick % doors.length]?.open(ok);
          await this.settle();
        }
        return;
      case 'kill': {
        if (step.at === 'now') this.#slots[step.slot]?.die();
        else this.process(step.slot).killAt = step.at;
        return;
      }
      case 'stop': {
        const process = this.#slots[step.slot];
        if (process == null || process.dead) return;
        await process.stop();
        this.#slots[step.slot] = null;
        return;
      }
      case 'tell':
        this.process(step.slot).tell(step);
        return;
      case 'edit':
        this.codes.set(step.asset, step.code);
        return;
      case 'map':
        this.named = step.named;
        return;
      case 'wait':
        return this.clock.advance(step.ms);
      default:
        return this.#byHand(step);
    }
  }

  async #byHand(operator: Operator): Promise<void> {
    this.#isBlind = 'blind' in operator && operator.blind;
    if (this.#isBlind) this.count('by hand while no function can be asked');
    await this.commit(
      this.operator.hand,
      (view) => {
        const { changes, apply } = operate(this, operator, view, `byhand${this.#steps}`);
        this.effect = apply;
        return { changes, outcome: undefined };
      },
      null,
    );
    this.#isBlind = false;
    if (operator.do !== 'remove' || !operator.purge) return;
    for (const asset of ASSETS.filter(({ set }) => set === operator.set)) {
      for (const key of operator.keys) {
        const isBack = this.model.sets.get(operator.set)!.some((life) => life.key === key);
        if (!isBack) this.values.delete(`${asset.name}@${key}`);
      }
    }
  }

  /** Those of dead processes open on nothing. */
  openDoors(): Door[] {
    return this.doors
      .filter(({ process }) => !process.dead)
      .sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** The process in a slot; a new one where there is none, or a dead one. */
  process(slot: number): HistoryProcess {
    const there = this.#slots[slot];
    if (there != null && !there.dead) return there;
    const process = new HistoryProcess(this, { slot, number: this.#all.length + 1 });
    this.#all.push(process);
    return (this.#slots[slot] = process);
  }

  #takeUp(slot: number, all: boolean): void {
    const process = this.process(slot);
    const wanted = all ? (): boolean => true : forTick;
    void this.watch(process.session.takeUp(wanted, wanted).then(() => process.execute()));
  }

  tickKnown({ sensor, startedAt }: TickRecord): void {
    const known = `${sensor} ${startedAt}`;
    // A tick is committed first and recorded then; others may have come in between.
    if (!this.#knownTicks.has(known)) this.lastTicks.set(sensor, startedAt);
    this.#knownTicks.add(known);
  }

  async records(): Promise<Map<string, RunRecord>> {
    const records = await finishedRuns(this.operator.hand.store);
    same(new Set(records.map(({ id }) => id)).size, records.length, 'how many records a run has');
    return new Map(records.map((record) => [record.id, record]));
  }

  async dispose(): Promise<void> {
    for (const process of [...this.#all, this.operator]) await process.dispose();
    await this.clock.settle();
    await this.state.dispose();
  }
}
