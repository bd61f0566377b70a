/** Follows whose user code has this thread: where the thread is blocked, it is by the code that got the thread last. */
import { createHook } from 'node:async_hooks';
import { noteTurn } from './output.ts';

/** From now on each call of user code notes its turns, also turns that follow an `await` or a timer. Returns a function that ends this. */
export function followTurns(): () => void {
  const hook = createHook({ before: noteTurn }).enable();
  return () => void hook.disable();
}
