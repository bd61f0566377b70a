/** The values of many upstream keys, as an asset is given them: each is loaded when it is asked for, or a few ahead. */
import type { KeyedValues } from '../../definitions/gather.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { GatheredKeys } from '../plan/gather/keys-there.ts';

/** So many are read with one look where a look is a way to a server and back. How large they may be together is up to what reads them. */
const MOST_AHEAD = 64;

export class LazyValues implements KeyedValues {
  readonly #asset: string;
  readonly #keys: readonly string[];
  readonly #ioManager: Pick<RunValues, 'load' | 'loadMany'>;
  readonly #signal: AbortSignal;
  #known: ReadonlySet<string> | undefined;

  constructor(
    { asset, keys }: Pick<GatheredKeys, 'asset' | 'keys'>,
    ioManager: Pick<RunValues, 'load' | 'loadMany'>,
    signal: AbortSignal,
  ) {
    this.#asset = asset;
    this.#keys = keys;
    this.#ioManager = ioManager;
    this.#signal = signal;
  }

  get size(): number {
    return this.#keys.length;
  }

  keys(): IterableIterator<string> {
    return this.#keys.values();
  }

  has(key: string): boolean {
    return (this.#known ??= new Set(this.#keys)).has(key);
  }

  async get(key: string): Promise<unknown> {
    if (!this.has(key)) return undefined;
    // A try that is over is not to go through the rest of them.
    this.#signal.throwIfAborted();
    return this.#ioManager.load({ asset: this.#asset, partitionKey: key });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [string, unknown]> {
    for (let at = 0; at < this.#keys.length;) {
      this.#signal.throwIfAborted();
      for (const value of await this.#ahead(at)) {
        this.#signal.throwIfAborted();
        yield [this.#keys[at++]!, value()];
      }
    }
  }

  /** The values from this place on: one at least. */
  async #ahead(at: number): Promise<readonly (() => unknown)[]> {
    if (this.#ioManager.loadMany !== undefined)
      return this.#ioManager.loadMany(this.#asset, this.#keys.slice(at, at + MOST_AHEAD));
    const value: unknown = await this.#ioManager.load({ asset: this.#asset, partitionKey: this.#keys[at]! });
    return [() => value];
  }
}
