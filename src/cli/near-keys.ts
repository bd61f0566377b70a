/** Keys that look like one that is not there: looked for only when the failure is certain. */
import type { Failure } from '../model/failure.ts';
import { nearest } from '../model/nearest.ts';
import type { StateStore } from '../state/store.ts';

/** A million comparisons would not make the message better. */
const MOST_COMPARED = 20_000;

export async function withNearKeys(
  store: Pick<StateStore, 'read'>,
  failure: Extract<Failure, { readonly reason: 'unknown-keys' }>,
): Promise<Failure> {
  const { sets, keys } = failure;
  const query = { set: sets[0]!, limit: MOST_COMPARED, fromEnd: true } as const;
  const view = await store.read({ pages: [query] });
  const known = view.page(query).keys.map(({ key }) => key);
  return { ...failure, nearest: nearest(keys[0]!, known) };
}
