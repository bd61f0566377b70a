/** Runs that a plan asks for key by key, put together where they are alike. Pure. */
import type { RunsAsked } from './queue-runs.ts';

/** What is made of a key. */
export type Work = Pick<RunsAsked, 'assets' | 'reasons' | 'tags'>;

/** One part for each combination of set, assets, reasons and tags, in the order in which they come up. */
export class AskedRuns {
  readonly #by: Pick<RunsAsked, 'sensor' | 'origin'>;
  readonly #parts = new Map<string, RunsAsked & { readonly keys: (string | null)[] }>();

  constructor(by: Pick<RunsAsked, 'sensor' | 'origin'>) {
    this.#by = by;
  }

  get parts(): readonly RunsAsked[] {
    return [...this.#parts.values()];
  }

  add(set: string | null, key: string | null, work: Work): void {
    const { assets, reasons, tags } = work;
    const sorted = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
    const name = JSON.stringify([set, assets, reasons ?? null, sorted]);
    const part = this.#parts.get(name);
    if (part !== undefined) part.keys.push(key);
    else this.#parts.set(name, { ...this.#by, ...work, set, retryOf: null, keys: [key], runKeys: null });
  }
}
