/** The loop of a worker: takes up what has no live owner, executes it, looks again. */
import type { Clock } from '../../model/time.ts';
import type { RunSession } from './run-session.ts';

export interface WorkOptions {
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  /** End when nothing is left to take up. */
  readonly once: boolean;
}

/** How often it looks for queued runs, also while it executes: a long run must not keep short ones waiting. */
const LOOK_EVERY_MS = 1000;

const everything = (): boolean => true;

/** Works until it is interrupted or, with `once`, until the queue is empty. */
export async function work(session: RunSession, { clock, interrupt, once }: WorkOptions): Promise<void> {
  let executing: Promise<void> | null = null;
  while (!interrupt.aborted) {
    await session.takeUp(everything, everything);
    if (session.hasWork) executing ??= session.execute().finally(() => (executing = null));
    else if (once && executing === null) return;
    const looked = new AbortController();
    const stop = (): void => looked.abort();
    session.whenAdopted(stop);
    interrupt.addEventListener('abort', stop);
    await Promise.race([
      ...(executing === null ? [] : [executing]),
      clock.sleep(LOOK_EVERY_MS, looked.signal),
    ]).finally(() => {
      stop();
      interrupt.removeEventListener('abort', stop);
    });
  }
  await executing;
}
