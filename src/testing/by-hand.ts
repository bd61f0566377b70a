/** What a test does with keys and values by hand, before or beside what the pipeline does. */
import type { KeyToAdd } from '../definitions/partitions.ts';
import type { AssetDefinition, Pipeline } from '../definitions/pipeline.ts';
import {
  type AddedKeys,
  addKeys,
  needsOfAdding,
  needsOfRemoving,
  type RemovedKeys,
  removeKeys,
} from '../engine/plan/keys/add-remove-sync.ts';
import { withPipeline } from '../engine/plan/pipeline/remember-pipeline.ts';
import { carriedOnly } from '../engine/plan/sensor-result/keys-to-add.ts';
import type { Carried } from '../model/carried.ts';
import { fail } from '../model/failure.ts';
import { didYouMean } from '../model/nearest.ts';
import { asKept } from '../values/memory-values.ts';
import { checkKeys, checkName } from './ask.ts';
import { GivenValues } from './given-values.ts';
import { MortalStore } from './mortal-store.ts';
import type { World } from './world.ts';

/** `partitions add` */
export async function addByHand(world: World, set: string, keys: readonly KeyToAdd[]): Promise<AddedKeys> {
  const { pipeline, known, clock, life } = world;
  checkName('set', set, pipeline.sets);
  const given = new Map<string, Partial<Carried>>();
  const names = keys.map((one) => (typeof one === 'string' ? one : one.key));
  checkKeys(names);
  for (const one of keys)
    if (typeof one !== 'string') given.set(one.key, carriedOnly(one, pipeline.items.get(set), refuse));
  const now = clock.now();
  const needs = needsOfAdding(set, names, given);
  return new MortalStore(world.store, life).commit(needs, (view) => {
    const plan = addKeys(view, set, names, { now, given });
    return { ...plan, changes: withPipeline(view, known, plan.changes, clock.now()) };
  });
}

/** `partitions remove` */
export async function removeByHand(world: World, set: string, keys: readonly string[]): Promise<RemovedKeys> {
  const { pipeline, known, clock, life } = world;
  checkName('set', set, pipeline.sets);
  checkKeys(keys);
  return new MortalStore(world.store, life).commit(needsOfRemoving(set, keys), (view) => {
    const plan = removeKeys(view, set, keys, { keepOut: false, now: clock.now() });
    return { ...plan, changes: withPipeline(view, known, plan.changes, clock.now()) };
  });
}

/** `sensor start`, `sensor stop`, and with a cursor `sensor cursor --set` or `--clear`. */
export async function changeSensor(
  world: World,
  sensor: string,
  change: { readonly status: 'RUNNING' | 'STOPPED' } | { readonly cursor: string | null },
): Promise<void> {
  const { pipeline, known, clock, life } = world;
  checkName('sensor', sensor, pipeline.sensors.keys());
  if ('cursor' in change && change.cursor?.isWellFormed() === false)
    refuse('the cursor is no text: it holds half of a surrogate pair');
  await new MortalStore(world.store, life).commit({ sensors: [sensor] }, (view) => {
    const isSo = 'status' in change && view.sensor(sensor).status === change.status;
    const changes = isSo ? [] : [{ type: 'sensor-changed', sensor, ...change } as const];
    return { changes: withPipeline(view, known, changes, clock.now()), outcome: undefined };
  });
}

function refuse(message: string): never {
  return fail({ reason: 'usage', message, hint: 'nothing was changed' });
}

/** The pipeline with an asset that is given these inputs: nothing upstream is asked for them, nor for what only comes first. */
export function withInputs(
  pipeline: Pipeline,
  asset: AssetDefinition,
  given: Readonly<Record<string, unknown>>,
): Pipeline {
  const gathered = asset.gathers.flatMap(({ input }) => (input === null ? [] : [input]));
  const names = [...asset.inputs.keys(), ...gathered];
  for (const name of Object.keys(given))
    if (!names.includes(name))
      fail({
        reason: 'usage',
        message: `asset '${asset.name}' has no input '${name}'${didYouMean(name, names)}`,
        hint: `its inputs: ${names.join(', ') || 'none'}`,
      });
  const inputs = new Map([...asset.inputs].filter(([name]) => !Object.hasOwn(given, name)));
  const replaced: AssetDefinition = {
    ...asset,
    inputs,
    deps: [],
    upstream: [...new Set(inputs.values())],
    gathers: asset.gathers.filter(({ input }) => input !== null && !Object.hasOwn(given, input)),
    materialize: (context) =>
      asset.materialize({
        ...context,
        inputs: { ...(context.inputs as object), ...asGiven(pipeline, given, gathered) } as never,
      }),
  };
  return { ...pipeline, assets: new Map([...pipeline.assets, [asset.name, replaced]]) };
}

/** Each execution has its own, as those that are loaded. */
function asGiven(
  pipeline: Pipeline,
  given: Readonly<Record<string, unknown>>,
  gathered: readonly string[],
): Record<string, unknown> {
  const kept = pipeline.ioManager === null ? asKept : (value: unknown) => value;
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      gathered.includes(name) ? new GivenValues(name, value, kept) : kept(value),
    ]),
  );
}
