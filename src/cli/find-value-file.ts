/** Where a value that is on record lies as a file, also while it waits for its place. */
import type { ValueContext } from '../definitions/io-manager.ts';
import { findValue, type FoundValue } from '../values/find-value.ts';
import { madeBy } from '../engine/runs/made-by.ts';
import type { Store } from './stores.ts';

/** `null` where there is none, or where a database keeps the values. */
export async function findValueFile(store: Store, value: ValueContext): Promise<FoundValue | null> {
  return 'database' in store ? null : findValue(store.beside, madeBy(store), value);
}
