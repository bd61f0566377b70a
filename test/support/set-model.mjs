/** A set of keys as a sensor sees it, in memory: what a source does to it tick by tick, without the rest of dynpart. */

/** @typedef {{ key: string, version?: string, item?: any }} Carrying */
/** @typedef {(context: any) => Promise<any>} Evaluate */

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

class Model {
  name = 'things';
  options = {};
  /** @type {Map<string, { version: string | null, item: any }>} */
  keys = new Map();
  /** @type {string | null} */
  cursor = null;

  /**
   * @param {Iterable<string | Carrying>} keys
   * @returns {import('../../src/definitions/partitions.ts').AddRequest}
   */
  buildAddRequest(keys) {
    return { type: 'add', set: this.name, keys: [...keys] };
  }

  /**
   * @param {Iterable<string>} keys
   * @returns {import('../../src/definitions/partitions.ts').DeleteRequest}
   */
  buildDeleteRequest(keys) {
    return { type: 'delete', set: this.name, keys: [...keys] };
  }

  /**
   * One tick: what its result asks for is done, as a commit would.
   * @param {Evaluate} evaluate
   * @param {AbortSignal} [signal]
   */
  async tick(evaluate, signal = AbortSignal.timeout(60_000)) {
    const result = (await evaluate(this.#context(signal))) ?? {};
    const done = {
      added: /** @type {string[]} */ ([]),
      updated: /** @type {string[]} */ ([]),
      removed: /** @type {string[]} */ ([]),
    };
    for (const request of result.dynamicPartitionsRequests ?? [])
      for (const asked of request.keys) {
        const { key, version = null, item = null } = typeof asked === 'string' ? { key: asked } : asked;
        const before = this.keys.get(key);
        if (request.type === 'delete') {
          if (this.keys.delete(key)) done.removed.push(key);
        } else if (before === undefined) done.added.push(key);
        else if (version !== null && version !== before.version) done.updated.push(key);
        else continue;
        if (request.type === 'add') this.keys.set(key, { version, item });
      }
    if (result.cursor !== undefined) this.cursor = result.cursor;
    return { ...done, result };
  }

  /** @param {AbortSignal} signal */
  #context(signal) {
    const view = {
      has: async (/** @type {string} */ key) => this.keys.has(key),
      count: async () => this.keys.size,
      keys: async function* (/** @type {Model} */ model) {
        yield* model.keys.keys();
      }.bind(null, this),
      missing: async (/** @type {Iterable<string>} */ keys) =>
        [...new Set(keys)].filter((key) => !this.keys.has(key)),
      get: async (/** @type {string} */ key) => this.keys.get(key),
      getMany: async (/** @type {Iterable<string>} */ keys) =>
        new Map([...keys].flatMap((key) => (this.keys.has(key) ? [[key, this.keys.get(key)]] : []))),
      changed: async (/** @type {Iterable<Carrying>} */ items) =>
        [...new Map([...items].map((item) => [item.key, item])).values()].filter(({ key, version }) => {
          const before = this.keys.get(key);
          return before === undefined || (version !== undefined && version !== before.version);
        }),
    };
    return {
      cursor: this.cursor,
      partitions: () => view,
      log: QUIET,
      signal,
      lastTickAt: null,
    };
  }
}

/** @typedef {Model & import('../../src/definitions/partitions.ts').DynamicPartitions<any>} SetModel */

/** As sources take it: a set by its methods, which is all that they ask of it. */
export const SetModel = /** @type {new () => SetModel} */ (/** @type {unknown} */ (Model));
