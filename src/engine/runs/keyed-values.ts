/** The values of many upstream keys, as an asset is given them: each is loaded when it is asked for. */
import type { IoManager } from '../../definitions/io-manager.ts';
import type { KeyedValues } from '../../definitions/gather.ts';
import type { GatheredKeys } from '../plan/gather/keys-there.ts';

export class LazyValues implements KeyedValues {
  readonly #asset: string;
  readonly #keys: readonly string[];
  readonly #ioManager: Pick<IoManager, 'load'>;
  readonly #signal: AbortSignal;
  #known: ReadonlySet<string> | undefined;

  constructor(
    { asset, keys }: Pick<GatheredKeys, 'asset' | 'keys'>,
    ioManager: Pick<IoManager, 'load'>,
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
    for (const key of this.#keys) {
      this.#signal.throwIfAborted();
      yield [key, await this.#ioManager.load({ asset: this.#asset, partitionKey: key })];
    }
  }
}
