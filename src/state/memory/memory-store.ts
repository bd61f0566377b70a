/** The state in memory: for tests, those of `dynpart/testing` and dynpart's own, with the same promises within one process. */
import { pendingRecords } from '../../model/pending-run.ts';
import type { RunRecord } from '../../model/run.ts';
import type { Holder, TickRecord } from '../../model/tick.ts';
import { type Clock, isoTime, newId } from '../../model/time.ts';
import { applyChanges } from '../document/apply-changes.ts';
import { viewOf } from '../document/document-view.ts';
import { MemoryExecutors } from './memory-executors.ts';
import { strictly } from './strict-view.ts';
import { setReaderOf } from '../document/set-reader.ts';
import { emptyDocument, entryOf, type StateDocument } from '../document/state-document.ts';
import type { StateChange } from '../changes.ts';
import type { Needs } from '../needs.ts';
import type { StateView } from '../state-view.ts';
import { pastNow } from '../past.ts';
import { isRecorded, isRecordedByOthers, lastTick, pastTicks } from '../past-ticks.ts';
import { type RunPage, type RunQuery, selectRuns } from '../run-query.ts';
import type {
  EvaluationLeft,
  Executor,
  HeldClaim,
  LogPart,
  Mapping,
  Plan,
  RunLogLine,
  SensorClaim,
  SetReader,
  StateStore,
} from '../store.ts';

export class MemoryStore implements StateStore {
  readonly #clock: Clock;
  readonly #claims = new Map<string, Holder>();
  /** Evaluations whose programs were not seen to end, and their sensors. */
  readonly #left = new Map<EvaluationLeft, string>();
  readonly #executors: MemoryExecutors;
  readonly #ticks: TickRecord[] = [];
  readonly #runs = new Map<string, RunRecord>();
  readonly #logs = new Map<string, RunLogLine[]>();
  #document: StateDocument = emptyDocument();
  #mapping: Mapping | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#executors = new MemoryExecutors(clock);
  }

  get document(): StateDocument {
    return this.#document;
  }

  read(needs: Needs): Promise<StateView> {
    return Promise.resolve(strictly(this.#view(needs), needs));
  }

  preview(changes: readonly StateChange[], needs: Needs): Promise<StateView> {
    const after = applyChanges(this.#document, changes, () => undefined, this.#mapping);
    return Promise.resolve(strictly(this.#viewOf(after, needs), needs));
  }

  useMapping(mapping: Mapping): void {
    this.#mapping = mapping;
  }

  sets(): Promise<SetReader> {
    return Promise.resolve(setReaderOf(this.#document));
  }

  // oxlint-disable-next-line typescript/require-await -- a plan that throws must reject
  async commit<Outcome>(needs: Needs, plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    const { changes, outcome } = plan(strictly(this.#view(needs), needs));
    if (changes.length === 0) return outcome;
    const after = applyChanges(this.#document, changes, (id) => this.#executors.entryOf(id), this.#mapping);
    for (const change of changes) {
      if (change.type === 'sensor-changed' && change.tick !== undefined) this.#recordLastTick(change.tick);
      if (change.type === 'runs-finished')
        for (const { record } of change.runs) this.#runs.set(record.id, record);
    }
    this.#document = { ...after, serial: after.serial + 1 };
    return outcome;
  }

  claimSensor(sensor: string): Promise<SensorClaim | HeldClaim> {
    const holder = this.#claims.get(sensor);
    if (holder !== undefined) return Promise.resolve({ holder, thread: null });
    this.#claims.set(sensor, { pid: process.pid, host: 'memory', since: isoTime(this.#clock.now()) });
    const id = newId(this.#clock);
    const programs: EvaluationLeft['programs'][number][] = [];
    const own: EvaluationLeft = { id, host: 'memory', alive: true, visible: true, programs };
    return Promise.resolve({
      id,
      left: () => Promise.resolve([...this.#left].filter(([, of]) => of === sensor).map(([left]) => left)),
      // Nobody is killed beside it: who has started a program ends it.
      leftEnded: () => Promise.resolve(),
      started: (program) => {
        programs.push(program);
        this.#left.set(own, sensor);
      },
      programsEnded: () => {
        this.#left.delete(own);
        return Promise.resolve();
      },
      hasThread: () => undefined,
      release: () => {
        this.#claims.delete(sensor);
        return Promise.resolve();
      },
    });
  }

  evaluating(sensor: string): Promise<Holder | null> {
    return Promise.resolve(this.#claims.get(sensor) ?? null);
  }

  enter(): Promise<Executor> {
    return Promise.resolve(this.#executors.enter());
  }

  /** As if user code of the executor's had kept its event loop from turning for too long. */
  block(executor: string, atWork: readonly string[] | null = null): void {
    this.#executors.block(executor, atWork);
  }

  /** As if all processes that work with the state had been killed. */
  killAll(): void {
    this.#executors.killAll();
    this.#claims.clear();
  }

  /** The same state and history, which goes its own way from here. Nobody is at work with it. */
  copy(clock: Clock): MemoryStore {
    const copy = new MemoryStore(clock);
    copy.#document = this.#document;
    copy.#ticks.push(...this.#ticks);
    for (const [id, run] of this.#runs) copy.#runs.set(id, run);
    for (const [id, lines] of this.#logs) copy.#logs.set(id, lines);
    copy.#executors.takeOn(this.#executors);
    copy.killAll();
    return copy;
  }

  /** As if the executor's process had been killed. */
  kill(executor: string): void {
    this.#executors.kill(executor);
  }

  recordTick(tick: TickRecord): Promise<void> {
    const { sensor } = tick;
    this.#recordLastTick(tick);
    if (!isRecordedByOthers(tick, this.#tickInState(sensor), () => this.#recordedTicks(sensor)))
      this.#ticks.push(tick);
    return Promise.resolve();
  }

  ticks(sensor: string, limit: number): Promise<TickRecord[]> {
    return Promise.resolve(this.#ticksIn(this.#document, sensor, limit));
  }

  #ticksIn(document: StateDocument, sensor: string, limit: number): TickRecord[] {
    const inState = entryOf(document.sensors, sensor)?.lastTick ?? null;
    return [...pastTicks(inState, () => this.#recordedTicks(sensor))].slice(0, limit);
  }

  #tickInState(sensor: string): TickRecord | null {
    return entryOf(this.#document.sensors, sensor)?.lastTick ?? null;
  }

  #recordedTicks(sensor: string): TickRecord[] {
    return this.#ticks.filter((tick) => tick.sensor === sensor).reverse();
  }

  /** The tick of a process that was killed between its commit and the history: before another one takes its place. */
  #recordLastTick({ sensor, startedAt }: TickRecord): void {
    const last = this.#tickInState(sensor);
    if (last === null || last.startedAt === startedAt) return;
    if (!isRecorded(last, () => this.#recordedTicks(sensor))) this.#ticks.push(last);
  }

  runs(query: RunQuery): Promise<RunPage> {
    return Promise.resolve(this.#runsIn(this.#document, query));
  }

  #runsIn(document: StateDocument, query: RunQuery): RunPage {
    const view = this.#viewOf(document);
    const pending = [...pendingRecords(view.runs(), () => view.executors())].reverse();
    return selectRuns(query, [...pending, ...[...this.#runs.values()].reverse()]);
  }

  appendLog(runId: string, lines: readonly RunLogLine[]): void {
    this.#logs.set(runId, [...(this.#logs.get(runId) ?? []), ...lines]);
  }

  closeLog(): void {
    // Nothing waits to be written.
  }

  readLog(runId: string, from: number): Promise<LogPart> {
    const lines = this.#logs.get(runId) ?? [];
    return Promise.resolve({ lines: lines.slice(from), next: lines.length, isEnd: true });
  }

  endOfLog(runId: string, lines: number): Promise<RunLogLine[]> {
    return Promise.resolve((this.#logs.get(runId) ?? []).slice(-lines));
  }

  #view(needs: Needs): StateView {
    return this.#viewOf(this.#document, needs);
  }

  #viewOf(document: StateDocument, needs: Needs = {}): StateView {
    return viewOf(document, {
      past: pastNow(needs, {
        runPage: (query) => this.#runsIn(document, query),
        ticks: ({ sensor, limit }) => this.#ticksIn(document, sensor, limit),
      }),
      judge: ({ id }) => this.#executors.signsOf(id),
      lastTick: (sensor, inDocument) => lastTick(inDocument, () => this.#recordedTicks(sensor)),
    });
  }
}
