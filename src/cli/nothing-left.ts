/** Node ends a process that waits for nothing but promises, without a word: whoever waits for one that may never settle is told instead. */

/** Called where nothing is left that could settle what they wait for. */
export const waiting = new Set<() => void>();

/** @param last is called where nobody waits who could be told */
export function tellWhenNothingIsLeft(last: () => void): void {
  process.on('beforeExit', () => {
    if (waiting.size === 0) return last();
    for (const tell of waiting) tell();
    // What they do then keeps the process.
    setImmediate(() => undefined);
  });
}
