/** What a selection has chosen so far, and what of many upstream keys it lacks. Pure. */
import { isMappedAsset } from '../../../definitions/mapped-keys.ts';
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import type { StateView } from '../../../state/state-view.ts';
import { Gathers } from '../gather/gathers.ts';
import { Requested } from '../gather/requested.ts';
import type { PendingWork } from '../queue/pending-work.ts';
import { type Besides, type Choice, isByState, type Waiting } from './candidates.ts';

export class Chosen implements Besides {
  readonly #pipeline: Pipeline;
  readonly #gathers: Gathers;
  readonly #chosen = new Requested();
  readonly #isByState: boolean;
  /** By asset: it is the same for all of its keys. */
  readonly #lacking = new Map<string, readonly Waiting[]>();

  constructor(view: StateView, pipeline: Pipeline, pending: PendingWork, choice: Choice) {
    this.#pipeline = pipeline;
    this.#gathers = new Gathers(view, pipeline, pending);
    this.#isByState = isByState(choice);
  }

  choose(asset: string, key: string | null): void {
    this.#chosen.request(asset, key);
  }

  readonly isChosen = (asset: string, key: string | null): boolean =>
    this.#chosen.has(asset, this.#pipeline.assets.get(asset)?.set == null ? null : key);

  readonly lacking = (asset: AssetDefinition, key: string | null): readonly Waiting[] => {
    if (asset.gathers.length === 0) return [];
    if (isMappedAsset(asset)) return this.#lackingOf(asset, key);
    const known = this.#lacking.get(asset.name) ?? this.#lackingOf(asset, key);
    this.#lacking.set(asset.name, known);
    return known;
  };

  /** What was chosen by its state waits for all that it needs; what somebody asked for is queued, unless it says that it waits. */
  #lackingOf({ name, gathers }: AssetDefinition, key: string | null): Waiting[] {
    return gathers.flatMap((gathered): Waiting[] => {
      const { asset: upstream, onMissing } = gathered;
      if (onMissing === 'skip' || (onMissing === 'fail' && !this.#isByState)) return [];
      const chosen = new Set(this.#chosen.keysOf(upstream));
      const absent = [...this.#gathers.of(gathered, key).absent].filter((one) => !chosen.has(one));
      if (absent.length === 0) return [];
      return [{ asset: name, upstream, absent: { count: absent.length, first: absent[0]! } }];
    });
  }
}
