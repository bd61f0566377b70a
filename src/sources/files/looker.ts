/** Looks at files in a process of its own, and passes over what does not answer. */
import path from 'node:path';
import { noteHanging, stillHanging } from './hanging.ts';
import { type Hanging, LookerProcess } from './looker-process.ts';
import type { Question, Told } from './questions.ts';

/** A file server that is gone lets everybody wait, for good. */
const MOST_PATIENCE_MS = 15_000;

/** So many folders and files are passed over; when more of them do not answer, it is the source that does not. */
const MOST_HANGING = 2;

/** What the looker itself adds to a question. */
type Asked<Q = Question> = Q extends Question ? Omit<Q, 'cwd' | 'passOver'> : never;

export interface LookerOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** For how long a call of the system may take. Default 15 seconds. */
  readonly patienceMs?: number;
}

export class Looker {
  readonly #options: LookerOptions;
  readonly #hanging: Hanging[] = [];
  #process: LookerProcess | undefined;

  constructor(options: LookerOptions) {
    this.#options = options;
    for (const one of stillHanging(options.cwd)) this.#passOver(one);
  }

  /** What was passed over, in words. */
  get unseen(): readonly { readonly name: string; readonly error: string }[] {
    return this.#hanging.map(({ place, kind }) => ({
      name: kind === 'file' ? place : `${place}/`,
      error: `it ${NO_ANSWER}`,
    }));
  }

  /** @throws Error when the folder does not answer, or nobody can be asked */
  async ask(asked: Asked): Promise<readonly Told[]> {
    const { cwd, signal, patienceMs = MOST_PATIENCE_MS } = this.#options;
    for (;;) {
      signal.throwIfAborted();
      const passOver = this.#hanging.map(({ place }) => place);
      const question: Question = { ...asked, cwd, passOver };
      const process = (this.#process ??= new LookerProcess());
      let told: readonly Told[] | null = null;
      try {
        told = await process.ask(question, { patienceMs, signal });
      } finally {
        if (told === null) await this.#giveUp(process);
      }
      if (told !== null) return told;
      this.#passOver(process.at);
    }
  }

  close(): void {
    this.#process?.kill();
    this.#process = undefined;
  }

  async #giveUp(process: LookerProcess): Promise<void> {
    this.close();
    const { pid } = process;
    if (pid !== undefined && !(await process.hasEnded())) noteHanging(this.#options.cwd, process.at, pid);
  }

  #passOver(hanging: Hanging): void {
    const { cwd } = this.#options;
    const { place, kind } = hanging;
    if (kind === 'base' || this.#hanging.length >= MOST_HANGING)
      throw new Error(`cannot look for files in ${cwd}: ${path.join(cwd, place)} ${NO_ANSWER}`);
    this.#hanging.push(hanging);
  }
}

const NO_ANSWER = 'does not answer: is it on a file server that is gone?';
