/**
 * Whose code has the thread of this process, told to another thread of it while the first one is blocked and can tell nothing: the
 * other one stops it for a moment, as a debugger does, and asks. Nothing is paid for it before that.
 */
import { AT_WORK } from '../model/at-work.ts';

/** A thread that waits in a call of the system, or has no turn on a busy machine, does not answer at once: it is asked so often. */
export const MOST_ASKS = 20;

/** For the text of a thread: `atWork(then)` asks the main thread. What waits in a call of the system cannot be stopped: then it is `null`. */
export const ASKING_SCRIPT = `
function atWork(then) {
  let session = null;
  let isOver = false;
  const over = (found) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(late);
    // Whatever was asked and not answered goes with it.
    try { session?.disconnect(); } catch {}
    then(Array.isArray(found) && found.length > 0 ? found : null);
  };
  const late = setTimeout(over, 1000, null);
  try {
    const { Session } = require('node:inspector');
    session = new Session();
    session.connectToMainThread();
    session.on('Debugger.paused', () => {
      const expression = "globalThis[Symbol.for('${AT_WORK}')]?.()";
      session.post('Runtime.evaluate', { expression, returnByValue: true }, (error, answer) => {
        if (!isOver) session.post('Debugger.resume', () => over(answer?.result?.value));
      });
    });
    session.post('Debugger.enable', () => { if (!isOver) session.post('Debugger.pause'); });
  } catch {
    // A Node.js without its inspector.
    over(null);
  }
}
`;
