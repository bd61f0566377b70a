/** What is skipped ends what was made before: its value goes. */
import type { IoManager } from '../../definitions/io-manager.ts';
import { isThere } from '../../model/partition-status.ts';
import type { StatusesNeed } from '../../state/needs.ts';
import type { StateStore } from '../../state/store.ts';

interface Skipped extends StatusesNeed {
  readonly keys: readonly (string | null)[];
}

/** After the commit, unless there is another value by now: a later run of the same key may have made it again. */
export async function removeSkipped(
  store: StateStore,
  ioManager: IoManager,
  skipped: readonly Skipped[],
): Promise<void> {
  if (skipped.length === 0) return;
  const view = await store.read({ statuses: skipped });
  for (const { asset, set, keys } of skipped) {
    const statuses = view.statusOf(asset, set, keys);
    for (const [at, partitionKey] of keys.entries()) {
      if (isThere(statuses[at]!)) continue;
      const value = { asset, partitionKey };
      if (ioManager.exists === undefined || (await ioManager.exists(value))) await ioManager.remove(value);
    }
  }
}
