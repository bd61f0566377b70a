/** Which keys automation takes first, where it may not take all at once. */
import type { AssetDefinition } from '../../../definitions/pipeline.ts';
import type { RunReason } from '../../../model/run.ts';

/** What is to be made of a key, and why. */
export interface Due {
  readonly key: string | null;
  readonly assets: readonly AssetDefinition[];
  readonly reasons: readonly RunReason[];
}

/** The first one that there is. */
export function* anyOf(dues: Iterable<Due>): Generator<Due> {
  for (const due of dues) if (due.assets.length > 0) return yield due;
}

/** Fresh keys first, in the order of their set; then those that are to be made again, or have failed. */
export function* inTurn(dues: Iterable<Due>, room: number): Generator<Due> {
  let left = room;
  const again: Due[] = [];
  for (const due of dues) {
    if (left === 0) return;
    if (due.assets.length === 0) continue;
    if (due.reasons.includes('missing') && !due.reasons.includes('failed')) {
      left--;
      yield due;
    } else if (again.length < left) again.push(due);
  }
  yield* again.slice(0, left);
}
