/** The loop of a worker: takes up what has no live owner, executes it, looks again. */
import { type Clock, steadyTime } from '../../model/time.ts';
import type { RunSession } from './run-session.ts';

export interface WorkOptions {
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  /** Ends the loop, and the beginning of runs, without waiting for what is being executed: see `RunSession.handOver`. */
  readonly handsOver?: AbortSignal;
  /** End when nothing is left to take up. */
  readonly once: boolean;
  /** Where workers of other machines take up runs, too: how many this one executes at the same time. Default: it takes all. */
  readonly shares?: number;
  /** Calls back when there may be something to take up, and answers with what ends that. Default: it looks once a second. */
  readonly watchChanges?: (onChange: () => void) => () => void;
  /** Whether it calls for every commit: where there is nothing to wait for, it is looked less often then. Default false. */
  readonly hearsAll?: boolean;
}

/** How often it looks for queued runs, also while it executes: a long run must not keep short ones waiting. */
const LOOK_EVERY_MS = 1000;

/** … or so often, where only a commit can bring some, and every commit is heard of. */
export const LOOK_IN_QUIET_MS = 5000;

/** … or so often, where it takes up more in place of what waits for a full pool, and does not know yet whether that can begin. */
const LOOK_FOR_OTHERS_MS = 50;

/**
 * Who shares has twice what it executes at once in hand, and more where it is quick: what it makes in so long. With more of it, what
 * comes later and is small would wait for long.
 */
const TAKEN_AT_ONCE = 2;
const TAKEN_FOR_MS = 500;
const MOST_TAKEN = 1000;

const everything = (): boolean => true;
const nothing = (): void => undefined;

/** Works until it is interrupted or, with `once`, until the queue is empty. */
export async function work(session: RunSession, options: WorkOptions): Promise<void> {
  const { clock, interrupt, once, shares = Infinity, watchChanges = () => nothing, handsOver } = options;
  const { hearsAll = false } = options;
  let executing: Promise<void> | null = null;
  /** What it failed with, also while this loop looked for more. */
  const failures: unknown[] = [];
  const throwIfFailed = (): void => {
    if (failures.length > 0) throw failures[0];
  };
  let batch = shares * TAKEN_AT_ONCE;
  let taken = { at: steadyTime(clock), ended: session.inHand.ended };
  let hasChanged = false;
  /** There were more than could be taken up. */
  let isMore = false;
  let wake = nothing;
  const stopWatching = watchChanges(() => {
    hasChanged = true;
    wake();
  });
  // Before a tick that is under way can bring runs: whoever goes on from here is to make them.
  const beginNothingMore = (): void => session.beginNothingMore();
  handsOver?.addEventListener('abort', beginNothingMore);
  try {
    await session.settleLeft();
    // The first run does not wait until what executes it is loaded.
    if (!once) await import('./run-loop.ts');
    while (!interrupt.aborted && !handsOver?.aborted) {
      throwIfFailed();
      const isLikely: boolean = hasChanged || isMore;
      hasChanged = false;
      batch = batchFor(session.left);
      const before = session.left;
      const room = batch - session.inHand.count;
      if (shares === Infinity) await session.takeUp(everything, everything);
      else {
        const free = shares - session.inHand.count;
        isMore = (await session.takeUpShare(room, free, isLikely)) >= room && room > 0;
      }
      throwIfFailed();
      const hasTaken = session.left > before;
      if (session.hasWork)
        executing ??= session
          .execute()
          .catch((error: unknown) => void failures.push(error))
          .finally(() => (executing = null));
      else if (once && executing === null) return;
      if (hasChanged && session.inHand.count < batch) continue;
      const looked = new AbortController();
      const stop = (): void => looked.abort();
      wake = stop;
      session.inHand.whenAdded(stop);
      // The next ones are there before the last ones have ended.
      if (batch < Infinity) session.inHand.whenFew(Math.floor(batch / 2), stop);
      interrupt.addEventListener('abort', stop);
      handsOver?.addEventListener('abort', stop);
      await Promise.race([
        ...(executing === null ? [] : [executing]),
        clock.sleep(nextLookMs(hasTaken), looked.signal),
      ]).finally(() => {
        stop();
        interrupt.removeEventListener('abort', stop);
        handsOver?.removeEventListener('abort', stop);
      });
    }
    // How it ends is told by the session's own `handOver`.
    if (!handsOver?.aborted) await executing;
    throwIfFailed();
    if (!handsOver?.aborted) await giveBackLate(session);
  } catch (error) {
    // What is being executed here would go on beside whoever takes it up once this process has left.
    session.beginNothingMore({ error });
    await executing;
    throw error;
  } finally {
    handsOver?.removeEventListener('abort', beginNothingMore);
    stopWatching();
  }

  function nextLookMs(hasTaken: boolean): number {
    if (hasTaken && shares < Infinity && session.inHand.waitingForPools > 0) return LOOK_FOR_OTHERS_MS;
    return hearsAll && session.foundNothing && executing === null ? LOOK_IN_QUIET_MS : LOOK_EVERY_MS;
  }

  /** By the pace since it was looked at last. An idle time says nothing of it. */
  function batchFor(left: number): number {
    const now = { at: steadyTime(clock), ended: session.inHand.ended };
    const pace = (now.ended - taken.ended) / Math.max(1, now.at - taken.at);
    const hasWorked = now.ended > taken.ended;
    taken = now;
    if (!hasWorked && left === 0) return batch;
    const quick = Math.min(MOST_TAKEN, Math.floor(pace * TAKEN_FOR_MS));
    return Math.max(shares * TAKEN_AT_ONCE, quick);
  }
}

/** For one that was told to end and has given back what it had: a commit that was under way then may have brought more. */
export async function giveBackLate(session: RunSession): Promise<void> {
  if (session.hasWork) await session.execute();
}
