/** Waits for user code no longer than it may take, and tells its end from its timeout and from an interruption. */
import { type Clock, steadyTime } from '../../model/time.ts';
import { type Interrupt, Interruption } from './interruption.ts';
import type { Pauses } from './pauses.ts';
import { stayAwake } from './stay-awake.ts';
import { startTimer } from './timer.ts';

export type Ending<T> =
  | { readonly type: 'returned'; readonly value: T }
  | { readonly type: 'threw'; readonly error: unknown }
  | { readonly type: 'timeout' }
  | { readonly type: 'interrupted' };

export interface TimeLimit {
  /** `null`: none. */
  readonly ms: number | null;
  /** Aborted when nothing is to go on. */
  readonly interrupt: Interrupt;
  readonly clock: Pick<Clock, 'now' | 'steady'>;
  /** After an abort, user code that does not end is waited for so long. */
  readonly graceMs: number;
  /** They are no part of its time. */
  readonly pauses?: Pauses;
}

/** Calls user code with what is aborted at its timeout or by the interrupt. */
export async function withTimeLimit<T>(
  limit: TimeLimit,
  userCode: (cut: Interruption) => T | Promise<T>,
): Promise<Ending<T>> {
  const end = new Interruption();
  const began = steadyTime(limit.clock);
  let cut: 'timeout' | 'interrupted' | null = null;
  let stopWaiting: (() => void) | undefined;
  let grace: NodeJS.Timeout | undefined;
  const abort = (why: 'timeout' | 'interrupted'): void => {
    if (cut !== null) return;
    cut = why;
    grace = setTimeout(() => stopWaiting?.(), limit.graceMs);
    end.abort(
      new DOMException(why === 'timeout' ? 'The timeout was reached' : 'The run was stopped', 'AbortError'),
    );
  };
  const onInterrupt = (): void => abort('interrupted');
  const { ms, pauses } = limit;
  const start = pauses?.startTimer ?? startTimer;
  const stopTimer = ms === null ? stayAwake() : start(ms, () => abort('timeout'));
  limit.interrupt.addEventListener('abort', onInterrupt);
  if (limit.interrupt.aborted) onInterrupt();
  try {
    const ending = await new Promise<Ending<T> | undefined>((resolve) => {
      stopWaiting = () => resolve(undefined);
      void call(userCode, end).then(resolve);
    });
    // What comes after the timeout comes too late; after an interrupt it is welcome.
    // So does what blocked this thread for so long that no timer had its turn.
    const late =
      cut === 'timeout' || (ms !== null && steadyTime(limit.clock) - began - (pauses?.ms ?? 0) >= ms);
    if (ending?.type === 'returned' && !late) return ending;
    if (late && cut === null) return { type: 'timeout' };
    return cut === null ? ending! : { type: cut };
  } finally {
    stopTimer();
    clearTimeout(grace);
    limit.interrupt.removeEventListener('abort', onInterrupt);
  }
}

async function call<T>(
  userCode: (cut: Interruption) => T | Promise<T>,
  cut: Interruption,
): Promise<Ending<T>> {
  try {
    return { type: 'returned', value: await userCode(cut) };
  } catch (error) {
    return { type: 'threw', error };
  }
}
