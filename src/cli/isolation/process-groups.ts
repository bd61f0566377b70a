/** Process groups of the programs that user code starts: asked to end, then killed, and never left behind by this process. */
import { isMainThread } from 'node:worker_threads';
import type { ProcessGroup, Processes } from '../../engine/user-code/programs.ts';
import { livingProcesses } from '../../files/proc.ts';
import { GONE_AFTER_MS, KILL_AFTER_MS, sent } from './signals.ts';

const LONGEST_PAUSE_MS = 100;

/** Looking at all processes is for what does not end at once. */
const LOOK_CLOSELY_AFTER_MS = 50;

export interface GroupOptions {
  /** Milliseconds between TERM and KILL; default ten seconds. */
  readonly killAfterMs?: number;
  /** Called when a process leads a group. */
  readonly onStart?: (leader: number) => void;
  /** Called when the first process of the group has ended; others of it may be left. */
  readonly onLeaderEnd?: (leader: number) => void;
  /** Called when nothing of the group is left. */
  readonly onEnd?: (leader: number) => void;
}

/** Groups that may have members. They are killed when this process ends, whatever it ends by, but for a kill of its own. */
const watched = new Set<Group>();

class Group implements ProcessGroup {
  readonly #id: number;
  readonly #options: GroupOptions;
  #leaderHasEnded = false;
  #ending: Promise<void> | undefined;

  constructor(leader: number, options: GroupOptions) {
    this.#id = leader;
    this.#options = options;
    watched.add(this);
    options.onStart?.(leader);
  }

  leaderEnded(): void {
    this.#leaderHasEnded = true;
    this.#options.onLeaderEnd?.(this.#id);
    // Most leave nothing behind, and the number is free for others then.
    if (!this.#isThere()) this.#forget();
  }

  end(): Promise<void> {
    return (this.#ending ??= this.#end());
  }

  kill(): void {
    if (this.#isThere()) this.#signal('SIGKILL');
  }

  async #end(): Promise<void> {
    if (await this.#endsBy('SIGTERM', this.#options.killAfterMs ?? KILL_AFTER_MS)) return this.#forget();
    await this.#endsBy('SIGKILL', GONE_AFTER_MS);
    this.#forget();
  }

  async #endsBy(signal: 'SIGTERM' | 'SIGKILL', withinMs: number): Promise<boolean> {
    const began = performance.now();
    for (let pause = 2; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      const passed = performance.now() - began;
      if (!this.#isThere() || (passed > LOOK_CLOSELY_AFTER_MS && !hasMembers(this.#id))) return true;
      if (pause === 2) this.#signal(signal);
      if (passed >= withinMs) return false;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    sent(-this.#id, signal);
    // What is stopped would not hear of it.
    if (signal === 'SIGTERM') sent(-this.#id, 'SIGCONT');
  }

  #isThere(): boolean {
    if (!watched.has(this) || !sent(-this.#id, 0)) return false;
    // While a group has members, the system gives its number to no new process: one that has it now is another group's.
    return !this.#leaderHasEnded || !sent(this.#id, 0);
  }

  #forget(): void {
    if (watched.delete(this)) this.#options.onEnd?.(this.#id);
  }
}

let takesCare = false;

/** From before the first program on: nothing that ends this process leaves them behind, but for a kill. */
function takeCare(): void {
  if (takesCare) return;
  takesCare = true;
  process.on('exit', killWatched);
  // A terminal that is closed ends its programs by SIGHUP; these are in sessions of their own. (Node itself undoes `nohup`.)
  if (isMainThread) process.on('SIGHUP', stop);
}

/** In order, as for SIGTERM, where that is listened to. A watch without a terminal takes it as the wish to load its pipeline anew. */
function stop(): void {
  if (process.listenerCount('SIGHUP') > 1) return;
  if (!process.emit('SIGTERM')) process.kill(process.pid, 'SIGTERM');
}

function killWatched(): void {
  for (const group of watched) group.kill();
}

/** Those that have ended and that nobody waited for count for the system, and for nobody else. */
function hasMembers(group: number): boolean {
  return livingProcesses()?.some((one) => one.group === group) ?? true;
}

/** Ends all groups of this process. */
export async function endAllGroups(): Promise<void> {
  await Promise.all([...watched].map((group) => group.end()));
}

/** Process groups of this machine. Windows has none that could be ended. */
export function processGroups(options: GroupOptions = {}): Processes {
  takeCare();
  return {
    haveGroups: process.platform !== 'win32',
    watch: (leader) => new Group(leader, options),
    endLeft: async (left) => (await import('./left-programs.ts')).endLeft(left, options.killAfterMs),
  };
}
