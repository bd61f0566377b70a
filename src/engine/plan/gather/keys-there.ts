/** The upstream keys that a run takes: those that are there, and those that are not. Pure. */
import type { Gathered } from '../../../definitions/gathered.ts';
import type { AssetDefinition, Pipeline } from '../../../definitions/pipeline.ts';
import { mappedKeys } from '../../../definitions/mapped-keys.ts';
import { fail } from '../../../model/failure.ts';
import { isThere } from '../../../model/partition-status.ts';
import type { Needs } from '../../../state/needs.ts';
import type { CandidateQuery, StateView } from '../../../state/state-view.ts';

/** Of what an asset gathers of one upstream asset, in the order of the set. */
export interface GatheredKeys {
  readonly asset: string;
  /** `null`: no values are asked for. */
  readonly input: string | null;
  readonly onMissing: Gathered['onMissing'];
  readonly keys: readonly string[];
  /** Keys of which nothing is there. Those that were skipped are left out. */
  readonly absent: readonly string[];
  /** One key is meant, whose value is given by itself. */
  readonly isOne?: true;
}

export function needsOfKeysThere(pipeline: Pipeline, { gathers }: AssetDefinition): Needs {
  return { candidates: gathers.map((gathered) => queryOf(pipeline, gathered)) };
}

export function keysThere(
  view: StateView,
  pipeline: Pipeline,
  { name, gathers }: AssetDefinition,
  of: string | null,
): readonly GatheredKeys[] {
  return gathers.map((gathered) => {
    const { asset, input, onMissing } = gathered;
    const mapped = gathered.which.kind === 'mapped' && of !== null ? mappedKeys(gathered, of) : null;
    if (mapped !== null && 'wrong' in mapped)
      return fail({ reason: 'mapping-failed', asset: name, key: of, upstream: asset, ...mapped });
    const those = mapped === null ? null : new Set(mapped.keys);
    /** Those that the set does not have, either. */
    const unknown = new Set(those);
    const query = queryOf(pipeline, gathered);
    const keys: string[] = [];
    const absent: string[] = [];
    for (const { key, statuses } of view.candidates(query)) {
      if (those !== null && !those.has(key)) continue;
      unknown.delete(key);
      const status = statuses[0]!;
      if (isThere(status)) keys.push(key);
      else if (status !== 'skipped') absent.push(key);
    }
    if (query.order === 'newest') for (const list of [keys, absent]) list.reverse();
    return {
      asset,
      input,
      onMissing,
      keys,
      absent: [...absent, ...unknown],
      ...(mapped?.isOne && { isOne: true as const }),
    };
  });
}

function queryOf(pipeline: Pipeline, { asset, which }: Gathered): CandidateQuery {
  const set = pipeline.assets.get(asset)!.set!;
  const all = { set, inStates: null, assets: [asset], alsoOf: [], prefix: null } as const;
  return which.kind === 'last' ? { ...all, order: 'newest', most: which.count } : { ...all, order: 'oldest' };
}
