/** What an asset takes of many upstream keys, and whether all that it needs is there. */
import type { AssetDefinition } from '../../definitions/pipeline.ts';
import type { RunValues } from '../../definitions/staged-values.ts';
import type { RunFailure } from '../../model/failures/run.ts';
import type { GatheredKeys } from '../plan/gather/keys-there.ts';

/** So many keys that are not there are named. */
const MOST_NAMED = 5;

/** With those keys left out that are on record, and of which no value is kept. */
export async function asKept(
  gathered: readonly GatheredKeys[],
  ioManager: RunValues,
): Promise<readonly GatheredKeys[]> {
  if (ioManager.exists === undefined) return gathered;
  const asked = { exists: ioManager.exists.bind(ioManager) };
  return Promise.all(
    gathered.map(async (one) => {
      if (one.input === null) return one;
      const kept = await keptOf(one, asked);
      if (kept.size === one.keys.length) return one;
      const keys = one.keys.filter((key) => kept.has(key));
      const absent = [...one.absent, ...one.keys.filter((key) => !kept.has(key))];
      return { ...one, keys, absent };
    }),
  );
}

/** Dynpart's own managers are believed: what is on record is there. */
async function keptOf(
  { asset, keys }: GatheredKeys,
  { exists }: Required<Pick<RunValues, 'exists'>>,
): Promise<ReadonlySet<string>> {
  const kept = new Set<string>();
  for (const partitionKey of keys) if (await exists({ asset, partitionKey })) kept.add(partitionKey);
  return kept;
}

/** What keeps the asset from being made; `null`: nothing does. */
export function whatIsMissing(
  { name }: AssetDefinition,
  key: string | null,
  gathered: readonly GatheredKeys[],
): Extract<RunFailure, { reason: 'upstream-missing' }> | null {
  const lacking = gathered.find(({ onMissing, absent }) => onMissing !== 'skip' && absent.length > 0);
  if (lacking === undefined) return null;
  const { asset: upstream, absent } = lacking;
  return {
    reason: 'upstream-missing',
    asset: name,
    key,
    upstream,
    absent: { count: absent.length, first: absent.slice(0, MOST_NAMED) },
  };
}
