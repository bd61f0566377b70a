/** Values of a process that cannot reach them itself: another one saves and loads them for it. What the two say is plain data. */
import type { SaveContext, ValueContext } from '../definitions/io-manager.ts';
import type { RunValues } from '../definitions/staged-values.ts';
import { type Failure, FailureError } from '../model/failure.ts';
import { describeThrown } from '../model/thrown.ts';
import { decode, encode, type Encoded } from './value-format.ts';

export interface Question {
  readonly question: number;
  readonly about: ValueContext;
  /** By which it is saved. */
  readonly run: string | null;
  /** To be saved; `null`: to be loaded. */
  readonly value: Encoded | null;
}

export type Answer =
  { readonly value: Encoded | null } | { readonly failure: Failure } | { readonly message: string };

export class AskedValues {
  readonly #ask: (question: Question) => void;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #questions = 0;

  constructor(ask: (question: Question) => void) {
    this.#ask = ask;
  }

  async save({ asset, partitionKey, run }: SaveContext, value: unknown): Promise<void> {
    await this.#answerTo({ asset, partitionKey }, run.id, encode(value));
  }

  async load({ asset, partitionKey }: ValueContext): Promise<unknown> {
    return decoded((await this.#answerTo({ asset, partitionKey }, null, null))!);
  }

  remove(): never {
    throw new Error('a process that only executes assets removes no value');
  }

  answered({ question, answer }: { readonly question: number; readonly answer: Answer }): void {
    this.#asked.get(question)?.(answer);
    this.#asked.delete(question);
  }

  async #answerTo(about: ValueContext, run: string | null, value: Encoded | null): Promise<Encoded | null> {
    const question = ++this.#questions;
    const answer = await new Promise<Answer>((resolve) => {
      this.#asked.set(question, resolve);
      this.#ask({ question, about, run, value });
    });
    if ('failure' in answer) throw new FailureError(answer.failure);
    if ('message' in answer) throw new RangeError(answer.message);
    return answer.value;
  }
}

/** What the other side does for it. */
export async function answerTo({ about, run, value }: Question, values: RunValues): Promise<Answer> {
  try {
    if (value === null) return { value: encode(await values.load(about)) };
    await values.save({ ...about, run: { id: run! } }, decoded(value));
    return { value: null };
  } catch (error) {
    if (error instanceof FailureError) return { failure: error.failure };
    return { message: describeThrown(error).message };
  }
}

function decoded({ bytes, ending }: Encoded): unknown {
  return decode(Buffer.from(bytes), ending);
}
