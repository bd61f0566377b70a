/** How a command says what is to be done when it was chosen. */
import type { Context } from './context.ts';

/** Makes a commander action of a handler that gets the context, the command's own options and its arguments. */
// `never`: each handler says itself which options and arguments its command gives it.
export type Act = (
  handler: (context: Context, options: never, ...args: never[]) => Promise<void>,
) => (...given: unknown[]) => void;
