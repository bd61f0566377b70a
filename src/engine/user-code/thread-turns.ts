/** Follows whose user code has this thread: the last one that got it is the one that blocks it. */
import { createHook } from 'node:async_hooks';
import { noteTurn } from './output.ts';

/** From now on each call of user code notes its turns, also those that follow an `await` or a timer. Answers with what ends it. */
export function followTurns(): () => void {
  const hook = createHook({ before: noteTurn }).enable();
  return () => void hook.disable();
}
