/** Signals to processes and groups, and how long each is waited for. */
import { errno } from '../../files/durable-files.ts';

/** What was asked to end is killed so much later. */
export const KILL_AFTER_MS = 10_000;

/** A kill needs a moment; what is not gone then (it waits for a disk, say) is not waited for. */
export const GONE_AFTER_MS = 2000;

/** `false` when there is nobody. */
export function sent(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal);
  } catch (error) {
    // EPERM: it is there, and another user's.
    return errno(error) === 'EPERM';
  }
}
