/** Calls one hook of `notify`, within its time. */
import type { Incident, NotifyDefinition } from '../../definitions/notify.ts';
import { describeThrown } from '../../model/thrown.ts';
import type { Clock } from '../../model/time.ts';
import { withoutQueries } from '../../model/without-queries.ts';
import { withTimeLimit } from '../user-code/time-limit.ts';
import { wordsOf } from './message.ts';

/** So long a hook may take, and so long one that does not heed its signal is waited for beyond that. */
const HOOK_MS = 5000;
const GRACE_MS = 250;

export interface HookCall {
  readonly clock: Clock;
  readonly interrupt: AbortSignal;
  /** See `TellerOptions`. */
  readonly from: string;
}

export type HookEnding =
  | { readonly type: 'taken' }
  /** The command is at its end, and nobody knows what became of it. */
  | { readonly type: 'interrupted' }
  /** `why`: in words, without what may be secret in addresses. */
  | { readonly type: 'failed'; readonly why: string };

export async function callHook(
  hook: NotifyDefinition,
  incidents: readonly Incident[],
  { clock, interrupt, from }: HookCall,
): Promise<HookEnding> {
  const words = wordsOf(incidents, from);
  const limit = { ms: HOOK_MS, interrupt, clock, graceMs: GRACE_MS };
  const ending = await withTimeLimit(limit, ({ signal }) => hook.send({ incidents, ...words, signal }));
  switch (ending.type) {
    case 'returned':
      return { type: 'taken' };
    case 'interrupted':
      return { type: 'interrupted' };
    case 'timeout':
      return { type: 'failed', why: `it took longer than ${HOOK_MS / 1000} s` };
    case 'threw':
      return { type: 'failed', why: withoutQueries(describeThrown(ending.error).message) };
  }
}
