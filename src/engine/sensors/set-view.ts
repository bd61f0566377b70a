/**
 * A set of partition keys as a sensor sees it: every answer is a promise, since the set may be in a database and may have a
 * million keys. An answer that is used without `await` says so in the user's own line.
 */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { PartitionsView } from '../../definitions/sensor.ts';
import { nearest } from '../../model/nearest.ts';
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
  return {
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
