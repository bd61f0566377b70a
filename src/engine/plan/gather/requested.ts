/** What a plan requests, and what will be requested when something that is on its way is made. */

export class Requested {
  readonly #now = new Map<string, Set<string | null>>();
  readonly #soon = new Map<string, Set<string | null>>();

  request(asset: string, key: string | null): void {
    add(this.#now, asset, key);
  }

  expect(asset: string, key: string | null): void {
    add(this.#soon, asset, key);
  }

  has(asset: string, key: string | null): boolean {
    return this.#now.get(asset)?.has(key) ?? false;
  }

  isExpected(asset: string, key: string | null): boolean {
    return this.#soon.get(asset)?.has(key) ?? false;
  }

  /** Keys of an asset that are requested or will be. */
  *keysOf(asset: string): Generator<string> {
    for (const keys of [this.#now.get(asset), this.#soon.get(asset)])
      for (const key of keys ?? []) if (key !== null) yield key;
  }
}

function add(to: Map<string, Set<string | null>>, asset: string, key: string | null): void {
  const keys = to.get(asset);
  if (keys === undefined) to.set(asset, new Set([key]));
  else keys.add(key);
}
