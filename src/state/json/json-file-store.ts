/** The state in one JSON file beside the pipeline, which many processes share. */
import path from 'node:path';
import type { Failure } from '../../model/failure.ts';
import type { Clock } from '../../model/time.ts';
import type { applyChanges } from '../document/apply-changes.ts';
import { viewOf } from '../document/document-view.ts';
import type { Restored } from '../document/restored-document.ts';
import { setReaderOf } from '../document/set-reader.ts';
import type { ExecutorEntry, StateDocument } from '../document/state-document.ts';
import type { StateChange } from '../changes.ts';
import type { StateView } from '../state-view.ts';
import { type RunPage, type RunQuery, selectRuns } from '../run-query.ts';
import type { Needs } from '../needs.ts';
import type { Past } from '../past.ts';
import type {
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
import type { HistoryRetention } from '../../model/history-retention.ts';
import type { StateIdentity } from '../../model/known-pipeline.ts';
import { pendingRecords } from '../../model/pending-run.ts';
import type { RunRecord } from '../../model/run.ts';
import type { Holder, TickRecord } from '../../model/tick.ts';
import { DocumentInHand } from './document-in-hand.ts';
import { FilesBeside } from './files-beside.ts';
import { type Moment, momentOf } from '../../files/process-owner.ts';
import { finishedIn, needsPast, newExecutors } from './in-changes.ts';
import { OwnExecutors } from './own-executors.ts';
import { TickHistory } from './tick-history.ts';
import { type Planner, type Together, WaitingCommits } from './commit-together.ts';
import { StateFile } from './state-file.ts';
import { Writer } from './writers.ts';

export interface JsonFileStoreOptions {
  /** The state file; `besideOf` says where everything else is kept. */
  readonly file: string;
  readonly clock: Clock;
  /** The version of dynpart, noted in the file. */
  readonly version: string;
  /** Something the user should know, and nothing was lost. */
  readonly warn: (message: string) => void;
  /** A commit is made and may not survive a loss of power. Default: a warning. */
  readonly onUnsynced?: (failure: Failure) => void;
  /** How much of the past is kept, asked at each writing. Default: what the size of the files allows. */
  readonly retention?: () => HistoryRetention;
  /** Asked whenever the state was read anew: throws where it must not be used. Default: it may. */
  readonly admit?: (state: StateIdentity) => void | Promise<void>;
}

/** The longest wait between two tries of a commit that others were quicker with. */
const LONGEST_PAUSE_MS = 50;

/** Loaded on use, since most ticks commit nothing; and once, so that nothing comes between the steps of later commits. */
let apply: typeof applyChanges | undefined;

async function loadApply(): Promise<void> {
  apply ??= (await import('../document/apply-changes.ts')).applyChanges;
}

export class JsonFileStore implements StateStore {
  readonly file: StateFile;
  readonly #options: JsonFileStoreOptions;
  readonly writer: Writer;
  readonly #inHand: DocumentInHand;
  #mapping: Mapping | null = null;
  readonly #beside: FilesBeside;
  readonly #executors: OwnExecutors;
  readonly #moment = (): Moment => momentOf(this.#options.clock);
  readonly #planner: Planner = {
    viewOf: (document) => this.#viewOf(document),
    apply: (document, changes) =>
      apply === undefined
        ? loadApply().then(() => this.#applied(document, changes, this.#mapping))
        : this.#applied(document, changes, this.#mapping),
  };
  readonly #ticks = new TickHistory({
    there: () => this.#beside.there().history,
    own: () => this.#beside.own().history,
  });
  readonly #waiting = new WaitingCommits((together) => this.#write(together));

  constructor(options: JsonFileStoreOptions) {
    this.#options = options;
    this.file = new StateFile(options.file, options.warn, options.onUnsynced);
    const { clock, version, retention } = options;
    this.writer = new Writer(clock, version);
    const document = (): StateDocument => this.#inHand.newest;
    this.#beside = new FilesBeside(this.file, { clock, document, retention: retention ?? (() => ({})) });
    this.#executors = new OwnExecutors({
      clock,
      folder: this.file.folder,
      files: () => this.#beside.own().executors,
    });
    this.#inHand = new DocumentInHand(this.file, {
      admit: options.admit,
      beforeOlder: () => this.#beside.prepare(),
    });
  }

  /** The whole state is read with one file: nothing depends on what of it is needed. */
  async read(needs: Needs): Promise<StateView> {
    return needsPast(needs) ? this.#withPast(needs) : this.#viewOf(await this.document());
  }

  async preview(changes: readonly StateChange[], needs: Needs): Promise<StateView> {
    await loadApply();
    const changed = (before: StateDocument) => this.#applied(before, changes, this.#mapping);
    return needsPast(needs) ? this.#withPast(needs, changed) : this.#viewOf(changed(await this.document()));
  }

  #applied(document: StateDocument, changes: readonly StateChange[], mapping: Mapping | null): StateDocument {
    return apply!(document, changes, (id) => this.#executors.entryOf(id), mapping);
  }

  async #withPast(needs: Needs, change = (document: StateDocument) => document): Promise<StateView> {
    const { viewWithPast } = await import('./with-past.ts');
    const tools = {
      read: () => this.document(),
      isAsSeen: () => this.file.isAsSeen(),
      viewOf: (document: StateDocument, past?: Past) => this.#viewOf(document, past),
      newestFirst: (document: StateDocument) => this.#newestFirst(document),
      ticks: (document: StateDocument, sensor: string, limit: number) =>
        this.#ticks.ticks(document, sensor, limit),
    };
    return viewWithPast(needs, tools, change);
  }

  async sets(): Promise<SetReader> {
    return setReaderOf(await this.document());
  }

  /** The newest document, as it is in the file. */
  document(): Promise<StateDocument> {
    return this.#inHand.read();
  }

  /** Only the state tells whether an older version's place is meant. Where its own place is there, nothing else is. */
  async #afterReading<T>(work: () => T): Promise<T> {
    if (!this.#inHand.wasRead && this.#beside.mayBeElsewhere) await this.document();
    return work();
  }

  /** The folder of the values, the history and all else beside the state. */
  get beside(): string {
    return this.#beside.there().folder;
  }

  commit<Outcome>(_needs: Needs, plan: (view: StateView) => Plan<Outcome>): Promise<Outcome> {
    return this.#waiting.add(plan);
  }

  useMapping(mapping: Mapping): void {
    this.#mapping = mapping;
  }

  async #write(together: Together): Promise<void> {
    let recorded: readonly RunRecord[] = [];
    for (let tries = 0; ; tries++) {
      const before = await this.document();
      const { document, changes } = await together.planOn(before, this.#planner);
      if (changes.length === 0) {
        await this.file.settle();
        this.#beside.own().history.recordRuns([], recorded);
        return;
      }
      // A finished run is in the history before it leaves the state: killed in between, it is executed again, not lost.
      recorded = this.#beside.own().history.recordRuns(finishedIn(changes), recorded);
      this.#ticks.recordReplacedBy(before, changes);
      for (const id of newExecutors(before, changes)) this.#beside.own().executors.renew(id);
      const after = this.writer.stamped(document);
      if (!(await this.#inHand.write(after))) {
        await this.#options.clock.sleep(
          this.#options.clock.random() * Math.min(LONGEST_PAUSE_MS, 2 ** tries),
        );
        continue;
      }
      if (changes.some(({ type }) => type === 'runs-claimed' || type === 'executor-left'))
        await this.#executors.sweep(after, () => this.document());
      return;
    }
  }

  /** Puts a copy in the place of the present state, which is kept under a name that begins like this, if any. */
  async restore(copy: StateDocument, keepAs: string | null, keepGeneration: boolean): Promise<Restored> {
    const { restoreState } = await import('./restore-state.ts');
    const tools = {
      file: this.file,
      admit: (present: StateDocument, isOlder: boolean) => this.#inHand.admit(present, isOlder),
      isAlive: (executor: ExecutorEntry) =>
        this.#beside.there().executors.judge(executor, this.#moment()).alive,
      stamped: (document: StateDocument) => this.writer.stamped(document),
    };
    const restored = await restoreState(tools, copy, { as: keepAs, generation: keepGeneration });
    // Memory still holds what was there before.
    this.file.forget();
    return restored;
  }

  claimSensor(sensor: string): Promise<SensorClaim | HeldClaim> {
    return this.#afterReading(() =>
      this.#beside.own().claims.claim(sensor, this.#executors.newOwner(), this.#moment),
    );
  }

  evaluating(sensor: string): Promise<Holder | null> {
    return this.#afterReading(() => this.#beside.there().claims.holder(sensor, this.#moment()));
  }

  /** Calls back when a commit is in its file, whoever made it. (At its generation, just before, a reader would wait for the writer.) @returns what ends that */
  watchChanges(onChange: () => void): () => void {
    const own = path.basename(this.file.path);
    // Only what goes on for long waits for others.
    const watching = import('../../files/watch-folder.ts').then(({ watchFolder }) =>
      watchFolder(this.file.folder, (name) => name === own, onChange),
    );
    return () => void watching.then((stop) => stop());
  }

  enter(): Promise<Executor> {
    return this.#afterReading(() => this.#executors.enter());
  }

  async recordTick(tick: TickRecord): Promise<void> {
    this.#ticks.record(await this.document(), tick);
  }

  async ticks(sensor: string, limit: number): Promise<TickRecord[]> {
    return this.#ticks.ticks(await this.document(), sensor, limit);
  }

  async runs(query: RunQuery): Promise<RunPage> {
    return selectRuns(query, this.#newestFirst(await this.document()));
  }

  #newestFirst(document: StateDocument): Iterable<RunRecord> {
    const view = this.#viewOf(document);
    return this.#beside.there().history.newestFirst([...pendingRecords(view.runs(), () => view.executors())]);
  }

  appendLog(runId: string, lines: readonly RunLogLine[]): void {
    this.#beside.own().history.logs.append(runId, lines);
  }

  closeLog(runId: string): void {
    this.#beside.there().history.logs.close(runId);
  }

  async readLog(runId: string, from: number): Promise<LogPart> {
    const { partOf } = await import('./read-log.ts');
    return partOf(await this.#writtenLog(runId), from);
  }

  async endOfLog(runId: string, lines: number): Promise<RunLogLine[]> {
    const { endOf } = await import('./read-log.ts');
    return endOf(await this.#writtenLog(runId), lines);
  }

  readonly #writtenLog = (runId: string): Promise<string> =>
    this.#afterReading(() => this.#beside.there().history.logs.written(runId));

  #viewOf(document: StateDocument, past?: Past): StateView {
    return viewOf(document, {
      ...(past && { past }),
      judge: (executor) => this.#beside.there().executors.judge(executor, this.#moment()),
      lastTick: (sensor, inDocument) => this.#ticks.last(sensor, inDocument),
    });
  }
}
