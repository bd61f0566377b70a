/** Whoever leaves while something is redrawn leaves a terminal with a cursor. */
import type { OutStream } from '../terminal.ts';

const SHOW = '\u001b[?25h';

/**
 * The library that hides the cursor gives it back by way of `process.stderr`, which is taken for the user's here.
 * @returns what says that it is there again
 */
export function givesCursorBack(stream: OutStream): () => void {
  const show = (): void => stream.write(SHOW);
  process.once('exit', show);
  return () => void process.off('exit', show);
}
