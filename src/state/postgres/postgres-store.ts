/** The state in PostgreSQL: each commit one transaction, each look a few queries, the same promises as in a file. */
import type { HistoryRetention } from '../../model/history-retention.ts';
import type { StateIdentity } from '../../model/known-pipeline.ts';
import type { Holder, TickRecord } from '../../model/tick.ts';
import { isoTime, newId } from '../../model/time.ts';
import { checkState, type StateProblem } from '../document/check-state.ts';
import type { Restored } from '../document/restored-document.ts';
import type { StateDocument } from '../document/state-document.ts';
import type { StateChange } from '../changes.ts';
import type { Needs } from '../needs.ts';
import type { RunPage, RunQuery } from '../run-query.ts';
import type { StateView } from '../state-view.ts';
import type {
  Afterwards,
  Executor,
  HeldClaim,
  LogPart,
  Mapping,
  Plan,
  Planner,
  RunLogLine,
  SensorClaim,
  SetReader,
  StateStore,
} from '../store.ts';
import type { Address } from './address.ts';
import { AdmittedLooks } from './admitted-looks.ts';
import { applyChanges, type Applying } from './change/apply.ts';
import { checkTables } from './check-tables.ts';
import { Database } from './database.ts';
import type { FoundDriver } from './driver.ts';
import { readLastLines, readLines, readTicks, recordTick } from './history.ts';
import { leaseHolder } from './leases.ts';
import { LogLines } from './log-lines.ts';
import { OwnExecutors } from './own-executors.ts';
import type { Port } from './port.ts';
import type { OwnClock } from './own-clock.ts';
import { Pruning } from './pruning.ts';
import { setReader } from './set-reader.ts';
import { ValuesInHand } from './values-in-hand.ts';
import { callOthers, channelOf } from './change/call.ts';
import { noteCommit, wasCommitted } from './change/notes.ts';
import { restoreOver } from './change/restore.ts';

export interface PostgresStoreOptions extends OwnClock {
  readonly address: Address;
  readonly driver: FoundDriver;
  /** The version of dynpart, noted with each commit. */
  readonly version: string;
  readonly retention?: () => HistoryRetention;
  /** Asked whenever another pipeline is remembered than before: throws where the state must not be used. */
  readonly admit?: (state: StateIdentity) => void | Promise<void>;
}

/** Ends a transaction of which nothing is to stay. */
class TakenBack extends Error {}

export class PostgresStore implements StateStore {
  readonly database: Database;
  /** What runs of this process have made, until it is on record. */
  readonly valuesInHand = new ValuesInHand();
  readonly #options: PostgresStoreOptions;
  readonly #own: OwnExecutors;
  readonly #logs: LogLines;
  #mapping: Mapping | null = null;
  readonly #pruning: Pruning;
  readonly #looks: AdmittedLooks;
  /** One after the other within this process, as between processes. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PostgresStoreOptions) {
    const { driver, address } = options;
    this.#options = options;
    this.database = new Database(driver.driver, address);
    this.#own = new OwnExecutors({ ...options, database: this.database });
    this.#logs = new LogLines(this.database);
    this.#looks = new AdmittedLooks(options);
    this.#pruning = new Pruning(options.clock, options.retention);
  }

  /** For messages: without a password. */
  get place(): string {
    return this.#options.address.place;
  }

  read(needs: Needs): Promise<StateView> {
    return this.database.read((port) => this.#looks.view(port, needs));
  }

  /** In a transaction that is taken back. */
  async preview(changes: readonly StateChange[], needs: Needs): Promise<StateView> {
    let seen: StateView | undefined;
    try {
      await this.database.write(async (port) => {
        await applyChanges(port, changes, {
          ...this.#applyingTo(await this.#looks.view(port, {})),
          entered: () => undefined,
        });
        seen = await this.#looks.view(port, needs);
        throw new TakenBack();
      });
    } catch (error) {
      if (!(error instanceof TakenBack)) throw error;
    }
    return seen!;
  }

  commit<Outcome>(needs: Needs, plan: Planner<Outcome>, then?: Afterwards<Outcome>): Promise<Outcome> {
    const committed = this.#queue.then(() => this.#commit(needs, plan, then));
    this.#queue = committed.then(() => this.#own.showSoon()).catch(() => undefined);
    return committed;
  }

  async #commit<Outcome>(needs: Needs, plan: Planner<Outcome>, then?: Afterwards<Outcome>): Promise<Outcome> {
    await this.#logs.flushed();
    const id = newId(this.#options.clock);
    let planned: Plan<Outcome> | undefined;
    let looking: Promise<StateView | null> | undefined;
    const committed = await this.database.write(async (port, tries) => {
      looking = undefined;
      if (tries > 0 && planned !== undefined && (await wasCommitted(port, id))) return planned.outcome;
      const view = await this.#looks.view(port, needs);
      planned = plan(view);
      const { changes, outcome } = planned;
      if (changes.length === 0) return outcome;
      const applying = this.#applyingTo(view);
      await applyChanges(port, changes, applying);
      const ended = changes.flatMap((change) => (change.type === 'runs-finished' ? change.runs : []));
      // The last ones: the commit goes to the server with them.
      this.#pruning.runsEnded(port, ended.length);
      callOthers(port, this.#options.address, changes);
      this.#note(port, id, applying);
      const next = then?.needs(outcome) ?? null;
      // Its questions go to the server before COMMIT; where it fails, the commit does, or it is asked for by itself.
      if (next !== null) looking = this.#looks.view(port, next).catch(() => null);
      return outcome;
    });
    const seen = await looking;
    if (seen) then!.seen(seen);
    return committed;
  }

  useMapping(mapping: Mapping): void {
    this.#mapping = mapping;
  }

  #applyingTo({ serial, pipeline }: StateView): Applying {
    return {
      serial: serial + 1,
      pipeline,
      move: null,
      mapping: this.#mapping,
      entered: (executor) => this.#own.entered(executor),
      valueOf: (executor, run, asset) => this.valuesInHand.of({ executor, run }, asset),
    };
  }

  #note(port: Port, id: string, { serial, move }: Pick<Applying, 'serial' | 'move'>): void {
    const { version, clock } = this.#options;
    const by = { version, at: isoTime(clock.now()), ...(move !== null && { move }) };
    noteCommit(port, { id, serial, by });
  }

  /** Calls back when runs were queued, given back or canceled, by whomever. A call may be missed: it is only good for being quick. */
  watchChanges(onChange: () => void): () => void {
    return this.database.listen(channelOf(this.#options.address), onChange);
  }

  sets(): Promise<SetReader> {
    return Promise.resolve(setReader(this.database));
  }

  claimSensor(sensor: string): Promise<SensorClaim | HeldClaim> {
    return this.#own.claimSensor(sensor);
  }

  evaluating(sensor: string): Promise<Holder | null> {
    return leaseHolder(this.database, sensor, this.#options);
  }

  enter(): Promise<Executor> {
    return Promise.resolve(this.#own.enter());
  }

  async recordTick(tick: TickRecord): Promise<void> {
    await recordTick(this.database, tick);
    await this.#pruning.ticked(this.database, tick.sensor);
  }

  ticks(sensor: string, limit: number): Promise<TickRecord[]> {
    return readTicks(this.database, sensor, limit);
  }

  /** With a look at whose state it is: for some commands these are all that they read. */
  async runs(query: RunQuery): Promise<RunPage> {
    const view = await this.read({ runPages: [query] });
    return view.runPage(query);
  }

  appendLog(runId: string, lines: readonly RunLogLine[]): void {
    this.#logs.append(runId, lines);
  }

  closeLog(): void {
    this.#logs.soon();
  }

  async readLog(runId: string, from: number): Promise<LogPart> {
    await this.#logs.flushed();
    return readLines(this.database, runId, from);
  }

  async endOfLog(runId: string, lines: number): Promise<RunLogLine[]> {
    await this.#logs.flushed();
    return readLastLines(this.database, runId, lines);
  }

  /** The whole state at one moment. */
  async document(): Promise<StateDocument> {
    const { document } = await this.database.read((port) => this.#looks.whole(port));
    return document;
  }

  /** Every invariant that does not hold, of the state as a whole and between the tables. */
  checked(): Promise<{ readonly serial: number; readonly problems: readonly StateProblem[] }> {
    return this.database.read(async (port) => {
      const { document } = await this.#looks.whole(port);
      const problems = [...checkState(document), ...(await checkTables(port))];
      return { serial: document.serial, problems };
    });
  }

  /** Puts a copy in the place of the present state, in one commit. @param keepAs what is there is kept under that name */
  async restore(copy: StateDocument, keepAs: string | null): Promise<Restored> {
    const { clock, address } = this.#options;
    const id = newId(clock);
    let restored: Restored | undefined;
    return this.database.write(async (port, tries) => {
      const present = await this.#looks.whole(port);
      if (tries > 0 && restored !== undefined && (await wasCommitted(port, id))) return restored;
      const { leaseMs } = address;
      const { move, ...done } = await restoreOver(port, present, { copy, keepAs, leaseMs, now: clock.now() });
      this.#note(port, id, { serial: done.serial, move });
      restored = done;
      return restored;
    });
  }

  /** What was only noted until now can be read by others. */
  async settled(): Promise<void> {
    await this.#logs.flushed();
    await this.#own.settled();
  }

  async close(): Promise<void> {
    await this.settled().catch(() => undefined);
    await this.#own.end();
    await this.database.close();
  }
}
