/** Keeps the process from ending while user code is waited for. */

const DAY_MS = 24 * 60 * 60_000;

let awake = 0;
let keeper: NodeJS.Timeout | undefined;

/**
 * Keeps the process from ending, as a timer does that nobody needs to fire: one for all.
 * @returns what ends that
 */
export function stayAwake(): () => void {
  // It fires once a day, and does nothing then.
  if (awake++ === 0) keeper = setInterval(() => undefined, DAY_MS);
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    if (--awake === 0) clearInterval(keeper);
  };
}
