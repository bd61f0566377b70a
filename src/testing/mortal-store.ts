/** The state as one process sees it that may be killed: what it holds then is a dead process's. */
import type { MemoryStore } from '../state/memory/memory-store.ts';
import type { StateChange } from '../state/changes.ts';
import type { Needs } from '../state/needs.ts';
import type { RunPage, RunQuery } from '../state/run-query.ts';
import type { StateView } from '../state/state-view.ts';
import type { TickRecord } from '../model/tick.ts';
import type {
  Executor,
  HeldClaim,
  Plan,
  LogPart,
  RunLogLine,
  SensorClaim,
  SetReader,
  StateStore,
} from '../state/store.ts';
import type { Life } from './life.ts';

export class MortalStore implements StateStore {
  readonly #store: MemoryStore;
  readonly #life: Life;

  constructor(store: MemoryStore, life: Life) {
    this.#store = store;
    this.#life = life;
  }

  read(needs: Needs): Promise<StateView> {
    return this.#life.goOn(() => this.#store.read(needs));
  }

  preview(changes: readonly StateChange[], needs: Needs): Promise<StateView> {
    return this.#life.goOn(() => this.#store.preview(changes, needs));
  }

  commit<Outcome>(needs: Needs, plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    return this.#life.goOn(() =>
      this.#store.commit(needs, (view) => {
        const planned = plan(view);
        if (planned.changes.length === 0) return planned;
        return this.#life.commits(planned.changes) === 'before' ? { ...planned, changes: [] } : planned;
      }),
    );
  }

  sets(): Promise<SetReader> {
    return this.#life.goOn(() => this.#store.sets());
  }

  claimSensor(sensor: string): Promise<SensorClaim | HeldClaim> {
    return this.#life.goOn(() => this.#store.claimSensor(sensor));
  }

  evaluating(sensor: string): ReturnType<StateStore['evaluating']> {
    return this.#life.goOn(() => this.#store.evaluating(sensor));
  }

  enter(): Promise<Executor> {
    return this.#life.goOn(async () => this.#mortal(await this.#store.enter()));
  }

  recordTick(tick: TickRecord): Promise<void> {
    return this.#life.goOn(() => this.#store.recordTick(tick));
  }

  ticks(sensor: string, limit: number): Promise<TickRecord[]> {
    return this.#life.goOn(() => this.#store.ticks(sensor, limit));
  }

  runs(query: RunQuery): Promise<RunPage> {
    return this.#life.goOn(() => this.#store.runs(query));
  }

  appendLog(runId: string, lines: readonly RunLogLine[]): void {
    if (!this.#life.isOver) this.#store.appendLog(runId, lines);
  }

  closeLog(): void {
    // Nothing waits to be written.
  }

  readLog(runId: string, from: number): Promise<LogPart> {
    return this.#life.goOn(() => this.#store.readLog(runId, from));
  }

  endOfLog(runId: string, lines: number): Promise<RunLogLine[]> {
    return this.#life.goOn(() => this.#store.endOfLog(runId, lines));
  }

  #mortal(executor: Executor): Executor {
    const unlessOver = <Args extends unknown[]>(note: (...args: Args) => void) => {
      return (...args: Args): void => {
        if (!this.#life.isOver) note(...args);
      };
    };
    return {
      id: executor.id,
      begun: (runId, mayBlockMs) => this.#life.goOn(() => executor.begun(runId, mayBlockMs)),
      started: unlessOver((program) => executor.started(program)),
      ended: unlessOver((runId) => executor.ended(runId)),
      leave: () => this.#life.goOn(() => executor.leave()),
    };
  }
}
