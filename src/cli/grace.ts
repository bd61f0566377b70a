/** Told to end, a command begins nothing new, and what runs has time to come to its end before it is aborted. */
import { startTimer } from '../engine/user-code/timer.ts';
import { shortDuration } from '../model/duration.ts';
import type { Interrupts } from './interrupts.ts';
import { exitProcess } from './isolation/exit-process.ts';
import type { Output } from './output.ts';

/** What was aborted when the time was over, and does not end of it, is left after so long. */
const LEFT_AFTER_MS = 10_000;

/** @returns aborted by the first signal: nothing new is to begin */
export function listenWithGrace(interrupts: Interrupts, graceMs: number, output: Output): AbortSignal {
  const ending = new AbortController();
  interrupts.listen(() => {
    output.chat(
      `stopping: what runs may go on for ${shortDuration(graceMs)}; a second signal leaves at once`,
    );
    startTimer(graceMs, () => {
      interrupts.abort();
      startTimer(LEFT_AFTER_MS, () => exitProcess(interrupts.code ?? 143));
    });
    ending.abort();
  });
  return ending.signal;
}
