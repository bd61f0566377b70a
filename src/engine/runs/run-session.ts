/** What one process does with runs: becomes an executor when there are some, takes them on, executes them, leaves. */
import type { KnownPipeline } from '../../model/known-pipeline.ts';
import type { StateChange } from '../../state/changes.ts';
import type { PendingRun, PendingRuns } from '../../model/pending-run.ts';
import type { Needs } from '../../state/needs.ts';
import { together } from '../plan/needs-together.ts';
import type { StateView } from '../../state/state-view.ts';
import type { Afterwards, Executor, Plan } from '../../state/store.ts';
import { ownedRuns, type OwnedRun } from '../plan/executors/owned-run.ts';
import {
  type Claim,
  claimRuns,
  hasCanceled,
  hasUnowned,
  needsToTake,
  PENDING,
  planTakeUp,
  type TakeUpOptions,
} from '../plan/executors/take-up.ts';
import { notePipeline } from '../note-pipeline.ts';
import { BlockedSayer } from './say-blocked.ts';
import { sayTaken } from './say-taken.ts';
import { LeftAloneSayer } from './left-alone.ts';
import type { LookAhead } from './newest-view.ts';
import type { RunLoop } from './run-loop.ts';
import { RunsInHand } from './runs-in-hand.ts';
import type { SetAside } from './set-aside.ts';
import type { StopReason } from './stopping.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { RunLoopOptions } from './run-loop-options.ts';
import { LeftPrograms } from './left-programs.ts';
import { pipelineNews, withPipeline } from '../plan/pipeline/remember-pipeline.ts';
import { roomFor } from '../plan/executors/slots.ts';

export interface RunSessionOptions extends Omit<RunLoopOptions, 'executor' | 'ioManager' | 'handsOver'> {
  /** Asked for when there is something to execute, and by whom, or to be settled. */
  readonly ioManager: (executor?: string) => Promise<RunLoopOptions['ioManager']>;
  /** Whether a killed process may have left values behind. Cheap: asked at every tick. */
  readonly hasLeftValues: () => boolean;
  readonly known: KnownPipeline;
  /** It goes on until it is told to end: a value that cannot be read does not end it. Default: it is told when all else is done. */
  readonly lasts?: boolean;
}

/** What a plan for this process's own runs comes to. */
export interface OwnPlan<Outcome> {
  readonly changes: readonly StateChange[];
  readonly outcome: Outcome;
  /** How many runs it queues for this executor. */
  readonly queued: number;
  /** Runs without a live owner that it takes over. */
  readonly takenOver: ReadonlySet<string>;
}

/** How runs are taken up. */
interface Taking extends Pick<TakeUpOptions, 'most' | 'atLeast' | 'wanted' | 'keepTo'> {
  readonly view: StateView | null;
  /** What is to be known of those that are taken before they begin. */
  readonly ahead?: LookAhead;
}

const noClaim: Claim = { changes: [], owned: [], ended: [] };

export class RunSession {
  readonly #options: RunSessionOptions;
  #executor: Promise<Executor> | undefined;
  #execution: RunLoop | undefined;
  #executing: Promise<void> | null = null;
  readonly #handsOver = new AbortController();
  #ioManager: Promise<RunValues> | undefined;
  /** Whether no process had a run at the last look at the whole queue: then only a commit can bring some. */
  foundNothing = false;
  readonly inHand = new RunsInHand(() => this.#execution);
  readonly #left: LeftPrograms;
  readonly #blocked: BlockedSayer;
  readonly #leftAlone: LeftAloneSayer;
  #setAside: SetAside | undefined;

  constructor(options: RunSessionOptions) {
    this.#options = options;
    this.#left = new LeftPrograms(options);
    this.#blocked = new BlockedSayer(options.emit);
    this.#leftAlone = new LeftAloneSayer(options);
  }

  /** This process as an executor. Entered on first use: most ticks find nothing to execute. */
  readonly executor = (): Promise<Executor> => (this.#executor ??= this.#options.store.enter());

  /** Runs that this process owns and that have not ended. */
  get left(): number {
    return this.#execution?.left ?? 0;
  }

  /** Whether anything that was taken on is left to execute or to record. */
  get hasWork(): boolean {
    return this.#execution?.hasWork ?? false;
  }

  /** Takes on runs that a commit made this executor's. */
  async adopt(owned: readonly OwnedRun[], ahead?: LookAhead): Promise<void> {
    if (owned.length === 0) return;
    await (await this.#loop()).adopt(owned, ahead);
    this.inHand.noteAdded();
  }

  async #loop(): Promise<RunLoop> {
    const executor = await this.executor();
    // Most ticks find nothing to execute, and start without what would do it.
    const { RunLoop } = await import('./run-loop.ts');
    const ioManager = await this.#values(executor.id);
    const setAside = (this.#setAside ??= await setAsideFor(this.#options));
    const emit: RunSessionOptions['emit'] = (event) => {
      (setAside ?? this.#options).emit(event);
      if (event.type === 'run-ended') this.inHand.noteEnd();
    };
    return (this.#execution ??= new RunLoop({
      ...this.#options,
      ioManager,
      executor,
      emit,
      handsOver: this.#handsOver.signal,
      ...(setAside && { onDamaged: setAside.add }),
    }));
  }

  /** Where values are kept; what killed processes left there is settled before anything is executed. */
  async #values(executor?: string): Promise<RunValues> {
    this.#ioManager ??= (async () => {
      const ioManager = await this.#options.ioManager(executor);
      await ioManager.recover?.();
      return ioManager;
    })();
    return this.#ioManager;
  }

  /**
   * Takes up all runs without a live owner that are wanted.
   * @param byGroup whether any of these runs may be wanted
   * @returns how many were taken up
   */
  async takeUp(
    wanted: (runs: PendingRuns, run: PendingRun) => boolean,
    byGroup: (runs: PendingRuns) => boolean,
  ): Promise<number> {
    const view = await this.#look(Infinity);
    this.foundNothing = view.runs().length === 0;
    return hasUnowned(view, byGroup) ? this.#take({ most: Infinity, wanted, view }) : 0;
  }

  /**
   * Takes up a share of the runs without a live owner, and of the pipeline's own assets alone: others want some of them, too.
   * @param most so many at most, and `atLeast` so many, though others have less then
   * @param isLikely there are some: they are not looked for before the commit that takes them
   * @returns how many were taken up
   */
  async takeUpShare(most: number, atLeast: number, isLikely: boolean): Promise<number> {
    if (most <= 0) return 0;
    // Whoever waits for nothing else is not kept waiting by what can be said later.
    if (!isLikely || this.left > 0) await this.#leftAlone.say();
    // Of workers with different pipelines each takes what it can make. What is being canceled, anybody can end.
    const { assets } = this.#options.pipeline;
    const isOurs = (runs: PendingRuns): boolean => runs.assets.every((asset) => assets.has(asset));
    const view = isLikely ? null : await this.#look(1);
    if (view !== null && !hasUnowned(view, (runs) => isOurs(runs) || runs.canceling().length > 0)) return 0;
    const wanted = (runs: PendingRuns, run: PendingRun): boolean => run.canceling || isOurs(runs);
    return this.#take({ most, atLeast, wanted, view, ...(await this.#loop()).taking() });
  }

  /** @param view what was looked at before; `null`: nothing was, and what is to be told of the state is told after the commit */
  async #take({ wanted: isAsked, view, ahead, ...share }: Taking): Promise<number> {
    const { clock, concurrency, known } = this.#options;
    const { id: owner } = await this.executor();
    let latest = view;
    const wanted: Taking['wanted'] = (runs, run) => !this.#setAside?.has(run.id) && isAsked(runs, run);
    const plan = (seen: StateView): Plan<Claim> => {
      latest = seen;
      const options = { ...share, owner, now: clock.now(), concurrency, wanted };
      const { changes, outcome } = planTakeUp(seen, options);
      const news = view === null ? pipelineNews(seen, known, clock.now()) : [];
      return { changes: [...news, ...changes], outcome };
    };
    const needs = { ...this.#needsToTake(share.most), ownedBy: [owner] };
    const claim = await this.#left.commit(needs, plan, view, ahead && afterClaim(ahead));
    if (view === null) this.#blocked.say(latest!);
    sayTaken(claim, this.#execution?.unfinished ?? 0, this.#options.emit);
    await this.adopt(claim.owned, ahead);
    return claim.owned.length;
  }

  /** What is set aside stands before others, and is not to keep them from being seen. */
  #needsToTake(most: number): Needs {
    return needsToTake(most + (this.#setAside?.size ?? 0), [...this.#options.pipeline.assets.keys()]);
  }

  /** Whether there is anything: what it is stands in the commit. */
  async #look(most: number): Promise<StateView> {
    const { store, clock, known } = this.#options;
    const view = await store.read(this.#needsToTake(most));
    this.#blocked.say(view);
    await notePipeline(store, view, { known, now: clock.now() });
    return view;
  }

  /** Commits a plan for runs of this process's own and takes them on. */
  async commit<Outcome>(
    group: string,
    needs: Needs,
    plan: (view: StateView, owner: string) => OwnPlan<Outcome>,
  ): Promise<Outcome> {
    const { store, clock, concurrency, known } = this.#options;
    const executor = await this.executor();
    const all = together(needs, PENDING, { ownedBy: [executor.id] });
    const { own: planned, claim: taken } = await this.#left.commit(all, (view) => {
      const own = plan(view, executor.id);
      // What was canceled while its process was dying has nobody else to end it.
      const wanted = (_: PendingRuns, run: PendingRun): boolean => run.canceling || own.takenOver.has(run.id);
      const isAny = own.takenOver.size > 0 || hasCanceled(view);
      const claim = isAny ? claimRuns(view, { owner: executor.id, now: clock.now(), wanted }) : noClaim;
      const changes = [
        ...own.changes,
        ...claim.changes,
        ...roomFor(view, executor.id, own.queued + claim.owned.length, { concurrency }),
      ];
      return {
        changes: withPipeline(view, known, changes, clock.now()),
        outcome: { own, claim },
      };
    });
    // What else ended is none of this command's.
    const ended = taken.ended.filter(({ record }) => planned.takenOver.has(record.id));
    sayTaken({ ...taken, ended }, this.#execution?.unfinished ?? 0, this.#options.emit);
    const queued = ownedRuns(await store.read({ runs: [{ owner: executor.id }] }), executor.id, group);
    await this.adopt([...taken.owned, ...queued]);
    return planned.outcome;
  }

  /** Gives the values of killed processes their place, also where there is nothing to execute. */
  async settleLeft(): Promise<void> {
    if (this.#execution === undefined && this.#options.hasLeftValues()) await this.#values();
  }

  /** Names the processes that are blocked now. */
  async sayBlocked(): Promise<void> {
    this.#blocked.say(await this.#options.store.read(PENDING));
  }

  /** Executes what was taken on until all of it has ended, or until it is stopped. */
  execute(): Promise<void> {
    return (this.#executing ??= this.#execute().finally(() => (this.#executing = null)));
  }

  async #execute(): Promise<void> {
    await this.settleLeft();
    await this.#execution?.finish();
  }

  /** What is taken on and has not begun goes back to the queue, also what is taken on from now on. @param why a failure aborts what runs, too */
  beginNothingMore(why: StopReason = 'handed-over'): void {
    this.#handsOver.abort(why);
  }

  /** Begins nothing more, brings what runs to its end, gives the rest back to the queue, and leaves: for a session that goes on from here. */
  async handOver(): Promise<void> {
    this.beginNothingMore();
    try {
      await this.#executing;
      if (this.hasWork) await this.execute();
    } finally {
      await this.leave();
    }
  }

  /** Nothing is owned any more. */
  async leave(): Promise<void> {
    const executor = await this.#executor;
    this.#executor = undefined;
    await this.#execution?.leave();
    await executor?.leave();
    // A command is over when its process ends: what counts no more is deleted before that.
    const values = await this.#ioManager?.catch(() => undefined);
    await values?.settled?.();
  }
}

/** For who goes on: others tell at their end what could not be executed. */
async function setAsideFor(options: RunSessionOptions): Promise<SetAside | undefined> {
  if (options.lasts !== true) return undefined;
  return new (await import('./set-aside.ts')).SetAside(options);
}

/** Where nothing was taken, nothing is looked at. */
function afterClaim(ahead: LookAhead): Afterwards<Claim> {
  return { ...ahead, needs: ({ owned }) => (owned.length === 0 ? null : ahead.needs(owned)) };
}
