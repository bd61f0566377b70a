/** What is not there, and what is on its way, of the upstream keys that assets take together. Pure. */
import type { Gathered } from '../../../definitions/gathered.ts';
import { mappedKeys } from '../../../definitions/mapped-keys.ts';
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import { isThere } from '../../../model/partition-status.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CandidateQuery, StateView } from '../../../state/state-view.ts';
import type { PendingWork } from '../queue/pending-work.ts';

export interface UpstreamKeys {
  /** Keys of which nothing is there, and that were not skipped. */
  readonly absent: ReadonlySet<string>;
  /** Keys of which a run is queued or started. */
  readonly inProgress: ReadonlySet<string>;
  /** Whether a key is among those that are taken. */
  readonly takes: (key: string) => boolean;
}

const NOTHING: UpstreamKeys = { absent: new Set(), inProgress: new Set(), takes: () => false };

/** What is looked at to tell whether these assets can be made. */
export function needsOfGathers(pipeline: Pipeline, assets: readonly AssetDefinition[]): Needs {
  const gathered = assets.flatMap(({ gathers }) => gathers);
  if (gathered.length === 0) return {};
  return {
    candidates: gathered.map((one) => queryOf(pipeline, one)),
    runs: [{ assets: [...new Set(gathered.map(({ asset }) => asset))] }],
  };
}

/** Each question is asked once, however many keys or assets ask it. */
export class Gathers {
  readonly #view: StateView;
  readonly #pipeline: Pipeline;
  readonly #pending: PendingWork;
  readonly #known = new Map<string, UpstreamKeys>();
  /** Of upstream assets of which a function names the keys: those that are there, or were skipped. */
  readonly #there = new Map<string, ReadonlySet<string>>();

  constructor(view: StateView, pipeline: Pipeline, pending: PendingWork) {
    this.#view = view;
    this.#pipeline = pipeline;
    this.#pending = pending;
  }

  /** @param key of the asset that takes them */
  of(gathered: Gathered, key: string | null): UpstreamKeys {
    if (gathered.which.kind === 'mapped') return this.#mapped(gathered, key);
    const query = queryOf(this.#pipeline, gathered);
    const name = JSON.stringify(query);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const absent = new Set<string>();
    const last = gathered.which.kind === 'last' ? new Set<string>() : null;
    for (const { key: one, statuses } of this.#view.candidates(query)) {
      last?.add(one);
      if (!isThere(statuses[0]!) && statuses[0] !== 'skipped') absent.add(one);
    }
    const takes = (one: string): boolean => last === null || last.has(one);
    const inProgress = new Set(this.#pending.keysOf(gathered.asset).filter(takes));
    const found = { absent, inProgress, takes };
    this.#known.set(name, found);
    return found;
  }

  /** What the function of a key answers wrongly is said by the run of that key. */
  #mapped(gathered: Gathered, key: string | null): UpstreamKeys {
    const mapped = key === null ? null : mappedKeys(gathered, key);
    if (mapped === null || 'wrong' in mapped) return NOTHING;
    const those = new Set(mapped.keys);
    const there = this.#thereOf(gathered);
    const takes = (one: string): boolean => those.has(one);
    return {
      absent: new Set(mapped.keys.filter((one) => !there.has(one))),
      inProgress: new Set(this.#pending.keysOf(gathered.asset).filter(takes)),
      takes,
    };
  }

  #thereOf(gathered: Gathered): ReadonlySet<string> {
    const known = this.#there.get(gathered.asset);
    if (known !== undefined) return known;
    const there = new Set<string>();
    for (const { key, statuses } of this.#view.candidates(queryOf(this.#pipeline, gathered)))
      if (isThere(statuses[0]!) || statuses[0] === 'skipped') there.add(key);
    this.#there.set(gathered.asset, there);
    return there;
  }
}

function queryOf(pipeline: Pipeline, { asset, which }: Gathered): CandidateQuery {
  const set = pipeline.assets.get(asset)!.set!;
  const some = { set, assets: [asset], alsoOf: [], prefix: null } as const;
  return which.kind === 'last'
    ? { ...some, inStates: null, order: 'newest', most: which.count }
    : { ...some, inStates: which.kind === 'all' ? ['missing', 'failed'] : null, order: 'oldest' };
}
