/** What is on record of a run: for whoever keeps its values. */
import type { StateStore } from '../../state/store.ts';
import type { SettledRun, StagedValue } from '../../definitions/staged-values.ts';
import { isThere } from '../../model/partition-status.ts';
import type { AssetOutcome, RunRecord } from '../../model/run.ts';

/** A run is recorded before it leaves the state, and one that is still there has had no end. */
export function madeBy(
  store: Pick<StateStore, 'runs' | 'read'>,
): (run: string, purged?: Pick<StagedValue, 'asset' | 'key'>) => Promise<Omit<SettledRun, 'run'>> {
  return async (run, purged) => {
    // The commit that was to take its key out came, or something else has taken away what was made; or it never came, and the value stays.
    if (purged !== undefined)
      return { assets: [], skipped: await stillSkipped(store, [purged.asset], purged.key), isOver: true };
    const [record] = (await store.runs({ ids: [run] })).runs;
    const assets = namesOf(record, ({ status }) => status === 'SUCCESS');
    const skipped = namesOf(record, ({ skipReason }) => skipReason !== null);
    return {
      assets,
      skipped: skipped.length === 0 ? [] : await stillSkipped(store, skipped, record!.partitionKey),
      isOver: record?.finishedAt !== null,
    };
  };
}

function namesOf(record: RunRecord | undefined, isMeant: (outcome: AssetOutcome) => boolean): string[] {
  return record?.assets.filter(isMeant).map(({ asset }) => asset) ?? [];
}

/** What the state says of values that are to go. */
export function onRecord(store: Pick<StateStore, 'read' | 'commit'>): {
  skippedOf(asset: string, keys: readonly (string | null)[]): Promise<ReadonlySet<string | null>>;
  makeLast(): Promise<void>;
} {
  return {
    async skippedOf(asset, keys) {
      const { pipeline } = await store.read({});
      const known = pipeline?.assets.find(({ name }) => name === asset);
      if (known === undefined) return new Set();
      const { set } = known;
      const statuses = (await store.read({ statuses: [{ asset, set, keys }] })).statusOf(asset, set, keys);
      return new Set(keys.filter((_, at) => statuses[at] === 'skipped'));
    },
    // A commit of nothing: the one that it is planned on lasts then.
    makeLast: () => store.commit({}, () => ({ changes: [], outcome: undefined })),
  };
}

/** A later run may have made it again: its value is not to go. */
async function stillSkipped(
  store: Pick<StateStore, 'read'>,
  assets: readonly string[],
  key: string | null,
): Promise<string[]> {
  const { pipeline } = await store.read({});
  const known = pipeline?.assets.filter(({ name }) => assets.includes(name)) ?? [];
  const view = await store.read({
    statuses: known.map(({ name, set }) => ({ asset: name, set, keys: [key] })),
  });
  return known
    .filter(({ name, set }) => !isThere(view.statusOf(name, set, [key])[0]!))
    .map(({ name }) => name);
}
