/**
 * A set of partition keys as a sensor sees it: every answer is a promise, since the set may be in a database and may have a
 * million keys. An answer that is used without `await` says so in the user's own line.
 */
import type { Pipeline } from '../../definitions/pipeline.ts';
import type { PartitionsView } from '../../definitions/sensor.ts';
import { nearest } from '../../model/nearest.ts';
import type { StateView } from '../../state/slice.ts';

/** After so many single questions about a set, an index of it is cheaper than one more scan. */
const QUESTIONS_BEFORE_INDEX = 8;

export function setView(view: StateView, pipeline: Pipeline, set: string): PartitionsView {
  if (!pipeline.sets.includes(set)) {
    const [near] = nearest(set, pipeline.sets);
    throw new Error(
      `the pipeline has no set '${set}'${near === undefined ? '' : `; did you mean '${near}'?`}`,
    );
  }
  let index: ReadonlySet<string> | undefined;
  let questions = 0;
  const has = (key: string): boolean => {
    if (index === undefined && ++questions > QUESTIONS_BEFORE_INDEX) index = new Set(view.keys(set));
    return index?.has(key) ?? view.keys(set).includes(key);
  };
  const missing = (keys: Iterable<string>): string[] => {
    if (typeof keys === 'string')
      throw new TypeError(`missing() takes a list of keys; for one key write ['${keys}']`);
    const asked = new Set(keys);
    const present = index ?? view.present(set, asked);
    // What an operator keeps out is not there, and is not to come back either.
    const keptOut = view.keptOut(set, asked);
    const all = [...asked];
    return present.size + keptOut.size === 0
      ? all
      : all.filter((key) => !present.has(key) && !keptOut.has(key));
  };
  const promised = <T>(call: string, answer: () => T): Promise<T> =>
    guarded(
      new Promise<T>((resolve) => resolve(answer())),
      `partitions('${set}').${call} is a promise: write await partitions('${set}').${call}`,
    );
  return {
    has: (key) => promised('has(…)', () => has(key)),
    missing: (keys) => promised('missing(…)', () => missing(keys)),
    count: guarded(
      () => promised('count()', () => view.keys(set).length),
      `count is a function: write await partitions('${set}').count()`,
    ),
    keys: guarded(
      () => eachOf(view.keys(set), `write for await (const key of partitions('${set}').keys())`),
      `keys is a function: write for await (const key of partitions('${set}').keys())`,
    ),
  };
}

function eachOf(keys: readonly string[], hint: string): AsyncIterable<string> {
  return guarded(
    {
      // oxlint-disable-next-line typescript/require-await -- a database answers in pages
      async *[Symbol.asyncIterator]() {
        yield* keys;
      },
    },
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
