/** Tells systemd, where it started this process, that it is ready, alive and about to end: through `systemd-notify`, since node has no such socket. */
import type { ChildProcess } from 'node:child_process';
import { causeOf } from '../files/system-errors.ts';
import type { Output } from './output.ts';

/** `null` stands for a process that no service manager waits for. */
export interface ServiceManager {
  /** The work has begun. From now on it is told that this process is alive, each time that its event loop comes to it. */
  ready(doing: string): void;
  /** It was told to stop. */
  stopping(): void;
  end(): void;
}

/** A message that is not taken within so long is given up: the next one says the same. */
const TAKEN_WITHIN_MS = 10_000;

type Environment = Record<string, string | undefined>;

/**
 * The variables are taken out of the environment: what user code starts must not speak for this process (`podman` would say that it is ready).
 * @param env of this process
 */
export function serviceManager(env: Environment, output: Output): ServiceManager | null {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid, PATH } = env;
  delete env['NOTIFY_SOCKET'];
  delete env['WATCHDOG_USEC'];
  delete env['WATCHDOG_PID'];
  if (!socket) return null;
  const tell = teller({ NOTIFY_SOCKET: socket, ...(PATH !== undefined && { PATH }) }, output);
  const isOurs = pid === undefined || pid === '' || pid === String(process.pid);
  const aliveMs = isOurs && Number(usec) > 0 ? Math.max(1, Number(usec) / 2000) : null;
  let alive: NodeJS.Timeout | undefined;
  return {
    ready: (doing) => {
      tell(['--ready', `--status=${doing}`]);
      if (aliveMs === null || alive !== undefined) return;
      alive = setInterval(() => tell(['WATCHDOG=1']), aliveMs).unref();
    },
    // At once: this process may be gone before the word before this one was taken.
    stopping: () => tell(['STOPPING=1'], { atOnce: true }),
    end: () => clearInterval(alive),
  };
}

type Tell = (words: readonly string[], how?: { readonly atOnce?: boolean }) => void;

/** One message after the other. What does not come through is said once: the manager then ends this process, and says no more than that. */
function teller(env: Environment, output: Output): Tell {
  let isTold = false;
  let last: Promise<unknown> = Promise.resolve();
  const failed = (why: string): void => {
    if (!isTold)
      output.warn(`systemd waits for word of this process, and systemd-notify does not bring it: ${why}`);
    isTold = true;
  };
  const send = (words: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const { execFile } = process.getBuiltinModule('node:child_process');
      const sent: ChildProcess = execFile(
        'systemd-notify',
        words,
        { env, timeout: TAKEN_WITHIN_MS },
        (error, _, said) => {
          if (error !== null) failed(said.trim() || causeOf(error));
          resolve();
        },
      );
      sent.unref();
    });
  return (words, { atOnce = false } = {}) => {
    last = atOnce ? send(words) : last.then(() => send(words));
  };
}
