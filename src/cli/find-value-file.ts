/** Where a value that is on record lies as a file, also while it waits for its place. */
import type { ValueContext } from '../definitions/io-manager.ts';
import { findValue, type FoundValue } from '../values/find-value.ts';
import { type LocalStore, madeBy } from './stores.ts';

/** `null` where there is none. */
export function findValueFile(store: LocalStore, value: ValueContext): Promise<FoundValue | null> {
  return findValue(store.beside, madeBy(store), value);
}
