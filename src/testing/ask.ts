/** What a test asks of the state: as the commands that only look. */
import type { AssetDefinition, Pipeline } from '../definitions/pipeline.ts';
import { fail } from '../model/failure.ts';
import type { NamedThing } from '../model/failures/usage.ts';
import { nearest } from '../model/nearest.ts';
import { whyNotAKey } from '../model/partition-key.ts';
import { isThere, type PartitionRef, type ShownState, shownState } from '../model/partition-status.ts';
import { quoted } from '../model/text.ts';
import { assetsOfKey, keyIn, needsOfKey, runsOfKey } from '../report/one-key.ts';
import type { ShownKey } from './answers.ts';
import type { World } from './world.ts';

export async function keysOf({ store, pipeline }: World, set: string): Promise<readonly string[]> {
  checkName('set', set, pipeline.sets);
  return [...(await store.read({ keys: [{ set, keys: 'all' }] })).keys(set)];
}

/** @throws FailureError `unknown-key` where the set does not have it */
export async function showKey({ store, pipeline }: World, set: string, key: string): Promise<ShownKey> {
  checkName('set', set, pipeline.sets);
  const its = [...pipeline.assets.values()].filter((asset) => asset.set === set);
  const upstreams = new Map(
    its.map(({ name, upstream, gathers }) => [name, gathers.length > 0 ? [] : upstream]),
  );
  const asked = { set, key, assets: [...upstreams.keys()], upstreams };
  const view = await store.read(needsOfKey(asked));
  const found = keyIn(view, asked);
  if (found === undefined) return fail({ reason: 'unknown-keys', sets: [set], keys: [key] });
  const { addedAt, version, item } = found;
  const runs = (await Promise.all(runsOfKey(asked).map((query) => store.runs(query)))).flatMap(
    (page) => page.runs,
  );
  return { set, key, addedAt, version, item, assets: assetsOfKey(view, asked, found, runs) };
}

/** The cursor that the last tick left. */
export async function cursorOf({ store, pipeline }: World, sensor: string): Promise<string | null> {
  checkName('sensor', sensor, pipeline.sensors.keys());
  return (await store.read({ sensors: [sensor] })).sensor(sensor).cursor;
}

/** Where an asset stands. A key that the set does not have is `missing`. */
export async function stateOf({ store }: World, { asset, set, key }: PartitionRef): Promise<ShownState> {
  if (set !== null) {
    const page = { set, prefix: key!, assets: [asset] };
    const found = (await store.read({ pages: [page] })).page(page).keys.find((one) => one.key === key);
    return shownState(found?.states?.[0] ?? 'missing');
  }
  const view = await store.read({ statuses: [{ asset, set, keys: [null] }], runs: ['all'] });
  const isInProgress = view.runs().some((runs) => runs.assets.includes(asset));
  return shownState(isInProgress ? 'in progress' : view.statusOf(asset, null, [null])[0]!);
}

/** @throws FailureError where there is none */
export async function valueOf(world: World, { asset, set, key }: PartitionRef): Promise<unknown> {
  const view = await world.store.read({ statuses: [{ asset, set, keys: [key] }] });
  const status = view.statusOf(asset, set, [key])[0]!;
  if (isThere(status)) return world.openValues().load({ asset, partitionKey: key });
  const state = await stateOf(world, { asset, set, key });
  return fail({
    reason: 'usage',
    message: `there is no value of asset '${asset}'${key === null ? '' : ` for key ${quoted(key)}`}: it is ${state}`,
    hint: 'what came of its last run: await test.show(set, key)',
  });
}

/** The asset and key that are meant. @throws FailureError where there are none of that name, or the key is too much or too little */
export function partitionOf(pipeline: Pipeline, asset: string, key: string | null): PartitionRef {
  const { set } = assetNamed(pipeline, asset);
  if (set === null && key !== null) fail({ reason: 'asset-without-key', asset, set, keys: [key] });
  if (set !== null && key === null)
    fail({
      reason: 'usage',
      message: `asset '${asset}' is made for each key of set '${set}': for which key?`,
      hint: 'name the key behind the asset',
    });
  if (key !== null) checkKeys([key]);
  return { asset, set, key };
}

export function assetNamed({ assets }: Pipeline, name: string): AssetDefinition {
  checkName('asset', name, assets.keys());
  return assets.get(name)!;
}

export function checkKeys(keys: readonly string[]): void {
  const bad = keys.flatMap((key) => {
    const why = whyNotAKey(key);
    return why === null ? [] : [{ key, why }];
  });
  if (bad.length > 0) fail({ reason: 'invalid-keys', source: 'the test', keys: bad });
}

export function checkName(thing: NamedThing, name: string, names: Iterable<string>): void {
  const all = [...names];
  if (!all.includes(name))
    fail({ reason: 'unknown-name', thing, names: [name], nearest: nearest(name, all), known: all.length });
}
