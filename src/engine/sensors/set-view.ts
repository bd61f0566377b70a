/**
 * A set of partition keys as a sensor sees it: every answer is a promise, since the set may be in a database and may have a
 * million keys. An answer that is used without `await` says so in the user's own line.
 */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { AnyAsset } from '../../definitions/asset.ts';
import type { CarryingKey } from '../../definitions/partitions.ts';
import type { AssetStatus, PartitionsView } from '../../definitions/sensor.ts';
import { isChanged } from '../../model/carried.ts';
import { shownAs } from '../../model/partition-status.ts';
import { didYouMean, nearest } from '../../model/nearest.ts';
import type { SetReader } from '../../state/store.ts';

export function setView(reader: SetReader, pipeline: Pipeline, set: string): PartitionsView {
  if (!pipeline.sets.includes(set)) {
    const [near] = nearest(set, pipeline.sets);
    throw new Error(
      `the pipeline has no set '${set}'${near === undefined ? '' : `; did you mean '${near}'?`}`,
    );
  }
  const missing = (keys: Iterable<string>): Promise<string[]> => {
    if (typeof keys === 'string')
      throw new TypeError(`missing() takes a list of keys; for one key write ['${keys}']`);
    return reader.missing(set, keys);
  };
  const promised = <T>(call: string, answer: () => Promise<T>): Promise<T> =>
    guarded(
      new Promise<T>((resolve) => resolve(answer())),
      `partitions('${set}').${call} is a promise: write await partitions('${set}').${call}`,
    );
  const changed = async <Given extends CarryingKey>(items: Iterable<Given>): Promise<Given[]> => {
    if (typeof items === 'string' || typeof items[Symbol.iterator] !== 'function')
      throw new TypeError(
        `changed() takes a list of { key, version }, such as changed([{ key: 'a', version: '1' }])`,
      );
    const last = new Map<string, Given>();
    for (const item of items) {
      if (typeof item?.key !== 'string')
        throw new TypeError(`changed() takes a list of { key, version }; for keys alone ask missing()`);
      last.set(item.key, item);
    }
    const isMissing = new Set(await reader.missing(set, last.keys()));
    const carried = await reader.carried(set, last.keys());
    return [...last.values()].filter((item) => {
      const before = carried.get(item.key);
      if (before === undefined) return isMissing.has(item.key);
      return isChanged(before, { version: item.version ?? null, item: null });
    });
  };
  const status = async (asset: AnyAsset | string, keys: readonly string[]): Promise<AssetStatus[]> => {
    const name = typeof asset === 'string' ? asset : asset.name;
    const known = pipeline.assets.get(name);
    if (known === undefined)
      throw new Error(`the pipeline has no asset '${name}'${didYouMean(name, [...pipeline.assets.keys()])}`);
    if (known.set !== set)
      throw new Error(
        `asset '${name}' has ${known.set === null ? 'no set' : `set '${known.set}'`}, not '${set}'`,
      );
    return (await reader.statusOf(name, set, keys)).map(shownAs);
  };
  return {
    changed: (items) => promised('changed(…)', () => changed(items)),
    get: (key) => promised('get(…)', async () => (await reader.carried(set, [key])).get(key)),
    getMany: (keys) =>
      promised('getMany(…)', () => {
        if (typeof keys === 'string')
          throw new TypeError(`getMany() takes a list of keys; for one key write get('${keys}')`);
        return reader.carried(set, keys);
      }),
    status: (asset, keys) => promised('status(…)', () => status(asset, keys)),
    has: (key) => promised('has(…)', () => reader.has(set, key)),
    missing: (keys) => promised('missing(…)', () => missing(keys)),
    count: guarded(
      () => promised('count()', () => reader.count(set)),
      `count is a function: write await partitions('${set}').count()`,
    ),
    keys: guarded(
      () => eachOf(reader.keys(set), `write for await (const key of partitions('${set}').keys())`),
      `keys is a function: write for await (const key of partitions('${set}').keys())`,
    ),
  };
}

function eachOf(keys: AsyncIterable<string>, hint: string): AsyncIterable<string> {
  return guarded(
    { [Symbol.asyncIterator]: () => keys[Symbol.asyncIterator]() },
    `the keys of a set come one by one: ${hint}`,
  );
}

/** What anybody may ask of a promise or a function, such as `await`, `util.inspect` and test runners do. */
const ASKED: ReadonlySet<PropertyKey> = new Set([
  'then',
  'catch',
  'finally',
  'constructor',
  'name',
  'toJSON',
  '$$typeof',
]);

/** The value, which throws when it is taken for what it used to be: a list, or a number. */
function guarded<T extends object>(value: T, message: string): T {
  const get = (target: T, asked: PropertyKey): unknown => {
    const isUse = typeof asked === 'string' || asked === Symbol.iterator || asked === Symbol.toPrimitive;
    if (isUse && !ASKED.has(asked)) {
      const error = new TypeError(message);
      // The line that is said is the user's.
      Error.captureStackTrace(error, get);
      throw error;
    }
    const found: unknown = Reflect.get(target, asked);
    return typeof found === 'function' ? (found.bind(target) as unknown) : found;
  };
  return new Proxy(value, { get });
}
