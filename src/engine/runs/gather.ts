/** Reads which upstream keys a run takes that takes many: when all that this process has made of them is on record. */
import type { Interrupt } from '../user-code/interruption.ts';
import type { AssetDefinition, Pipeline } from '../../definitions/pipeline.ts';
import type { StateStore } from '../../state/store.ts';
import { type GatheredKeys, keysThere, needsOfKeysThere } from '../plan/gather/keys-there.ts';

interface Gathering {
  readonly store: Pick<StateStore, 'read'>;
  readonly pipeline: Pipeline;
  readonly asset: AssetDefinition;
  /** Of the run. */
  readonly key: string | null;
  /** Waits until a view shows what has ended here of these assets. */
  readonly shown: (upstreams: ReadonlySet<string>) => Promise<void>;
  readonly interrupt: Interrupt;
}

/** @param seen is told the serial of the state that was read: what changes from then on makes stale what comes of it */
export async function gather(
  { store, pipeline, asset, key, shown, interrupt }: Gathering,
  seen: (serial: number) => void,
): Promise<readonly GatheredKeys[] | 'interrupted'> {
  await Promise.race([shown(new Set(asset.gathers.map((one) => one.asset))), aborted(interrupt)]);
  if (interrupt.aborted) return 'interrupted';
  const view = await store.read(needsOfKeysThere(pipeline, asset));
  seen(view.serial);
  return keysThere(view, pipeline, asset, key);
}

function aborted(interrupt: Interrupt): Promise<void> {
  if (interrupt.aborted) return Promise.resolve();
  return new Promise((resolve) => interrupt.addEventListener('abort', () => resolve()));
}
