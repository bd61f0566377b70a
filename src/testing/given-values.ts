/** The values of many upstream keys, as a test gives them. */
import type { KeyedValues } from '../definitions/gather.ts';
import { fail } from '../model/failure.ts';
import { nameOfType } from '../model/partition-key.ts';

export class GivenValues implements KeyedValues {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #kept: (value: unknown) => unknown;

  /** @param given a map, a list of `[key, value]`, or an object with a field for each key */
  constructor(input: string, given: unknown, kept: (value: unknown) => unknown) {
    if (typeof given !== 'object' || given === null)
      fail({
        reason: 'usage',
        message: `input '${input}' has the values of many keys, and ${nameOfType(given)} is none`,
        hint: `give it an object such as { key: value }, a Map, or a list of [key, value]`,
      });
    this.#values =
      Symbol.iterator in given
        ? new Map(given as Iterable<readonly [string, unknown]>)
        : new Map(Object.entries(given));
    this.#kept = kept;
  }

  get size(): number {
    return this.#values.size;
  }

  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): Promise<unknown> {
    return Promise.resolve(this.#values.has(key) ? this.#kept(this.#values.get(key)) : undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [string, unknown]> {
    for (const key of this.keys()) yield [key, await this.get(key)];
  }
}
