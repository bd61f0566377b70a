/** A service as systemd would start, reload and stop it: what its unit says, and nothing else. The rest of systemd is not asked for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface Unit {
  readonly [setting: string]: string;
}

/** The settings of a unit file; those that it does not know of are the test's to look at. */
export function unitOf(text: string): Unit {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => /^\w+=/.test(line))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** Words in double quotes or none, `%%` and `$$` for one of each, `$MAINPID`. */
export function wordsOf(line: string, mainPid = 0): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => {
    const word = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain!;
    if (word === '$MAINPID') return String(mainPid);
    return word.replaceAll('%%', '%').replaceAll('$$', '$');
  });
}

export class Service {
  readonly unit: Unit;
  readonly main: ChildProcess;
  said = '';

  /** @param socket where somebody takes what is said to the service manager */
  constructor(unit: Unit, socket: string) {
    this.unit = unit;
    const [program = '', ...args] = wordsOf(unit['ExecStart'] ?? '');
    const environment = wordsOf(unit['Environment'] ?? '').map((word) => {
      const at = word.indexOf('=');
      return [word.slice(0, at), word.slice(at + 1)] as const;
    });
    const minutes = Number(/^(\d+)min$/.exec(unit['WatchdogSec'] ?? '')?.[1]);
    // A group of its own, as each service has one.
    this.main = spawn(program, args, {
      cwd: unit['WorkingDirectory']!.replaceAll('%%', '%'),
      env: {
        ...Object.fromEntries(environment),
        NOTIFY_SOCKET: socket,
        WATCHDOG_USEC: String(minutes * 60_000_000),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    for (const stream of [this.main.stdout!, this.main.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => (this.said += text));
  }

  async reload(): Promise<number | null> {
    const [program = '', ...args] = wordsOf(this.unit['ExecReload'] ?? '', this.main.pid);
    const [code] = (await once(spawn(program, args), 'exit')) as [number | null];
    return code;
  }

  /** `KillMode=mixed`: SIGTERM for the main process alone, SIGKILL for all after `TimeoutStopSec`. @returns how it ended */
  async stop(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    const ended = once(this.main, 'close') as Promise<[number | null, string | null]>;
    this.main.kill('SIGTERM');
    const killing = setTimeout(() => this.kill(), Number(this.unit['TimeoutStopSec']) * 1000);
    const [code, signal] = await ended;
    clearTimeout(killing);
    return { code, signal };
  }

  kill(): void {
    try {
      process.kill(-this.main.pid!, 'SIGKILL');
    } catch {
      // Nothing is left of it.
    }
  }
}
