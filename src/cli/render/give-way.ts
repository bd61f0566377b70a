/** What is redrawn stays away while a program has the terminal: the program's question would be wiped away with it. */
import type { Ora } from 'ora';
import { followTerminal } from '../../engine/user-code/at-terminal.ts';

/** Starts a spinner, now or when the terminal is free. Returns a function that ends this, and leaves the spinner as it is. */
export function startGivingWay(spinner: Ora): () => void {
  let isAway = false;
  const render = spinner.render.bind(spinner);
  const clear = spinner.clear.bind(spinner);
  spinner.render = () => (isAway ? spinner : render());
  spinner.clear = () => (isAway ? spinner : clear());
  return followTerminal((isTaken) => {
    if (isTaken) spinner.stop();
    isAway = isTaken;
    if (!isTaken) spinner.start();
  });
}
