/** The real clock. */
import type { Clock } from '../model/time.ts';
import { startTimer } from '../engine/user-code/timer.ts';

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
        stopTimer();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const stopTimer = startTimer(ms, done);
      signal?.addEventListener('abort', done);
    }),
};
