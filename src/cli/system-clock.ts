/** The real clock. */
import type { Clock } from '../model/time.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => {
    const [seconds, nanos] = process.hrtime();
    return seconds * 1000 + Math.floor(nanos / 1e6);
  },
  random: () => Math.random(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // Longer than a timer can hold is as good as that long.
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      signal?.addEventListener('abort', done);
    }),
};
