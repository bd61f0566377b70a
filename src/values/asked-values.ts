/** Values of a process that cannot reach them itself: another one saves and loads them for it. What the two say is plain data. */
import type { SaveContext, ValueContext } from '../definitions/io-manager.ts';
import type { RunValues } from '../definitions/staged-values.ts';
import { type Failure, FailureError } from '../model/failure.ts';
import { describeThrown } from '../model/thrown.ts';
import { decode, encode, type Encoded } from './value-format.ts';

export interface Question {
  readonly question: number;
  readonly about: ValueContext;
  /** The keys behind it, which are loaded with it where several are with one look. */
  readonly ahead?: readonly string[];
  /** By which it is saved. */
  readonly run: string | null;
  /** To be saved; `null`: to be loaded. */
  readonly value: Encoded | null;
}

type AnswerToOne =
  { readonly value: Encoded | null } | { readonly failure: Failure } | { readonly message: string };

/** Several: the one that was asked about, and the first of those behind it. */
export type Answer = AnswerToOne | { readonly answers: readonly AnswerToOne[] };

export class AskedValues {
  readonly #ask: (question: Question) => void;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #questions = 0;

  constructor(ask: (question: Question) => void) {
    this.#ask = ask;
  }

  async save({ asset, partitionKey, run }: SaveContext, value: unknown): Promise<void> {
    const about = { asset, partitionKey };
    valueIn(await this.#answerTo({ about, run: run.id, value: encode(value) }));
  }

  async load({ asset, partitionKey }: ValueContext): Promise<unknown> {
    const about = { asset, partitionKey };
    return valueIn(await this.#answerTo({ about, run: null, value: null }));
  }

  /** @param keys one at least */
  async loadMany(asset: string, keys: readonly string[]): Promise<readonly (() => unknown)[]> {
    const [partitionKey = null, ...ahead] = keys;
    const answer = await this.#answerTo({ about: { asset, partitionKey }, ahead, run: null, value: null });
    const answers = 'answers' in answer ? answer.answers : [answer];
    return answers.map((one) => () => valueIn(one));
  }

  remove(): never {
    throw new Error('a process that only executes assets removes no value');
  }

  answered({ question, answer }: { readonly question: number; readonly answer: Answer }): void {
    this.#asked.get(question)?.(answer);
    this.#asked.delete(question);
  }

  #answerTo(about: Omit<Question, 'question'>): Promise<Answer> {
    const question = ++this.#questions;
    return new Promise((resolve) => {
      this.#asked.set(question, resolve);
      this.#ask({ question, ...about });
    });
  }
}

function valueIn(answer: Answer): unknown {
  if ('failure' in answer) throw new FailureError(answer.failure);
  if ('message' in answer) throw new RangeError(answer.message);
  if ('answers' in answer) throw new TypeError('several answers to a question about one value');
  return answer.value === null ? undefined : decode(Buffer.from(answer.value.bytes), answer.value.ending);
}

/** What the other side does for it. */
export async function answerTo({ about, ahead, run, value }: Question, values: RunValues): Promise<Answer> {
  const { asset, partitionKey } = about;
  if (value !== null)
    return answered(async () => {
      await values.save({ ...about, run: { id: run! } }, decode(Buffer.from(value.bytes), value.ending));
      return null;
    });
  if (ahead === undefined || values.loadMany === undefined || partitionKey === null)
    return answered(async () => encode(await values.load(about)));
  let loaded: readonly (() => unknown)[] = [];
  const failed = await answered(async () => {
    loaded = await values.loadMany!(asset, [partitionKey, ...ahead]);
    return null;
  });
  if (loaded.length === 0) return failed;
  return { answers: await Promise.all(loaded.map((one) => answered(() => encode(one())))) };
}

async function answered(work: () => Encoded | null | Promise<Encoded | null>): Promise<AnswerToOne> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof FailureError) return { failure: error.failure };
    return { message: describeThrown(error).message };
  }
}
