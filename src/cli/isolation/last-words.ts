/** What a process has printed by its end, and told by way of its channel. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { startTimer } from '../../engine/user-code/timer.ts';

/** What it left behind may hold its pipes: they are waited for so long. */
const SAYS_LAST_MS = 1000;

/** All of it was read, or nothing more is waited for. */
export async function hasSaidAll(process: ChildProcess): Promise<void> {
  const all: Promise<unknown>[] = [process.stdout, process.stderr].flatMap((stream) =>
    stream === null || stream.closed ? [] : [once(stream, 'close')],
  );
  if (process.connected) all.push(once(process, 'disconnect'));
  const waiting = new AbortController();
  const late = new Promise<void>((resolve) => {
    const stop = startTimer(SAYS_LAST_MS, resolve);
    waiting.signal.addEventListener('abort', stop);
  });
  await Promise.race([Promise.all<unknown>(all), late]);
  waiting.abort();
}
