/** Sees to it that a process ends its code when it is to, and kills the process where that does not hear of it. */
import { GRACE_MS } from '../../engine/runs/try-asset.ts';
import { startTimer } from '../../engine/user-code/timer.ts';

/** Whose thread is not free for so long does not hear that its code is to end. */
const DEAF_AFTER_MS = 2000;

/** At the end of its grace the process itself kills its programs and says what is left: it has so long for that. */
const TELLS_WITHIN_MS = 2000;

export type EndedFor = 'timeout' | 'interrupt';

export interface EndInTime {
  /** `null`: none. The process ends its code then by itself, if it can. */
  readonly timeoutMs: number | null;
  readonly interrupt: AbortSignal;
  /** Asks whether its thread is free. */
  readonly ping: () => void;
  /** @param ms the time that it had */
  readonly kill: (why: EndedFor, ms: number) => void;
}

export class Ending {
  readonly #options: EndInTime;
  #stopTimer = nothing;
  #why: EndedFor = 'timeout';
  #timeMs: number;
  #answering = 0;
  #isOver = false;

  constructor(options: EndInTime) {
    this.#options = options;
    const { timeoutMs, interrupt } = options;
    this.#timeMs = timeoutMs ?? Infinity;
    this.begins(this.#timeMs);
    interrupt.addEventListener('abort', this.#onInterrupt);
  }

  /** Code begins that has so long: each check has its own time. */
  begins(ms: number): void {
    if (this.#why === 'interrupt') return;
    this.#timeMs = ms;
    this.#stopTimer();
    if (!this.#waitsForAnswer) this.#stopTimer = startTimer(ms, () => this.#end('timeout'));
  }

  /** It has asked the command, and is heard: how long the answer takes, as where a database is away, is no doing of its code. */
  async whileAnswered<Answer>(answer: Promise<Answer>): Promise<Answer> {
    this.#answering++;
    this.begins(this.#timeMs);
    try {
      return await answer;
    } finally {
      this.#answering--;
      if (!this.#isOver) this.begins(this.#timeMs);
    }
  }

  /** Its thread is free: code that heeds its signal ends within the grace. */
  heard(): void {
    if (!this.#waitsForAnswer) this.#wait(GRACE_MS + TELLS_WITHIN_MS);
  }

  /** There is nothing left to end. */
  over(): void {
    this.#isOver = true;
    this.#stopTimer();
    this.#options.interrupt.removeEventListener('abort', this.#onInterrupt);
  }

  get #waitsForAnswer(): boolean {
    return this.#answering > 0 && this.#why === 'timeout';
  }

  readonly #onInterrupt = (): void => {
    this.#end('interrupt');
  };

  #end(why: EndedFor): void {
    this.#why = why;
    this.#wait(DEAF_AFTER_MS);
    this.#options.ping();
  }

  #wait(ms: number): void {
    this.#stopTimer();
    this.#stopTimer = startTimer(ms, () => this.#options.kill(this.#why, this.#timeMs));
  }
}

function nothing(): void {
  return undefined;
}
