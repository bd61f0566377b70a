/** What is known of an asset while the pipeline file cannot be loaded: no tick makes anything then, but runs may be on their way. Pure. */
import type { KnownAsset } from '../../../model/known-pipeline.ts';
import type { Millis } from '../../../model/time.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import type { PartitionStatus } from '../../../model/partition-status.ts';
import { PendingWork } from '../queue/pending-work.ts';
import { everyKey } from './needs-of-outlook.ts';
import type { Absent, Seen } from './outlook.ts';

/** Nobody knows without the pipeline. */
const lacks = (): readonly Absent[] => [];

type Known = Pick<KnownAsset, 'name' | 'set'>;

/** @param key `undefined`: every key of the asset's set */
export function needsOfRemembered({ name, set }: Known, key: string | null | undefined, now: Millis): Needs {
  return {
    executors: true,
    runs: [{ assets: [name] }],
    ...(key === undefined
      ? { candidates: [everyKey(set!, [name], now)] }
      : {
          statuses: [{ asset: name, set, keys: [key] }],
          ...(set !== null && { keys: [{ set, keys: [key], carried: true }] }),
        }),
  };
}

export class RememberedOutlooks {
  readonly #view: StateView;
  readonly #asset: Known;
  readonly #now: Millis;
  readonly #pending: PendingWork;

  constructor(view: StateView, asset: Known, now: Millis) {
    this.#view = view;
    this.#asset = asset;
    this.#now = now;
    this.#pending = new PendingWork(view);
  }

  of(key: string | null): Seen {
    const { name, set } = this.#asset;
    return this.#seen(key, this.#view.statusOf(name, set, [key])[0]!);
  }

  /** Every key of the set, in order. */
  *ofAll(): Generator<Seen> {
    const { name, set } = this.#asset;
    for (const { key, statuses } of this.#view.candidates(everyKey(set!, [name], this.#now)))
      yield this.#seen(key, statuses[0]!);
  }

  #seen(key: string | null, status: PartitionStatus): Seen {
    const [work] = this.#pending.of([this.#asset], key);
    if (work === undefined) return { key, status, outlook: { is: 'left', because: 'not-loaded' }, lacks };
    const by = this.#view.executors().find(({ id }) => id === work.runs.owner);
    return { key, status, outlook: { is: 'run', work, by: by?.alive ? by : null }, lacks };
  }
}
