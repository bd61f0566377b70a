/** `each()`: one sensor over many sources, with a cursor for each; one that fails does not keep the others. */
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';

type Evaluate = (
  context: SensorContext,
) => SensorResult | void | null | undefined | Promise<SensorResult | void | null | undefined>;

/** The options of `each()`. */
export interface EachOptions<Source> {
  /** What a source is called, in its cursor and where it fails. Default: the text itself, or its `name`, `id` or `url`. */
  readonly name?: (source: Source) => string;
  /** How many are looked at at once. Default 8. */
  readonly concurrency?: number;
}

/**
 * `evaluate` of a sensor that looks at many sources: `each(urls, (url) => feed(set, url, { prefix: `${url}#` }))`. Each has a cursor
 * of its own within that of the sensor. What the sources return is committed together; those that fail are named in `failures`.
 *
 * @param sources a list, or a function that gives one, such as the lines of a file
 * @throws TypeError at once for what is no list and no function; Error in `evaluate` for two sources of one name
 */
export function each<Source>(
  sources: Iterable<Source> | ((context: SensorContext) => Iterable<Source> | Promise<Iterable<Source>>),
  make: (source: Source) => Evaluate,
  { name = nameOf, concurrency = 8 }: EachOptions<Source> = {},
): (context: SensorContext) => Promise<SensorResult> {
  if (typeof sources !== 'function' && (typeof sources === 'string' || !(Symbol.iterator in Object(sources))))
    throw new TypeError('each() needs a list of sources, or a function that gives one');
  if (typeof make !== 'function')
    throw new TypeError('each() needs a function that makes an evaluate of a source');
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new TypeError('concurrency of each() must be a whole number above 0');
  return async (context) => {
    const list = [...(typeof sources === 'function' ? await sources(context) : sources)];
    const named = new Map<string, Source>();
    for (const source of list) {
      const text = name(source);
      if (named.has(text)) throw new Error(`two sources of each() are called ${JSON.stringify(text)}`);
      named.set(text, source);
    }
    const before = cursorsIn(context.cursor);
    const outcomes = await outcomesOf(
      [...named],
      concurrency,
      async ([name, source]) => (await make(source)({ ...context, cursor: before.get(name) ?? null })) ?? {},
    );
    context.signal.throwIfAborted();
    return together(outcomes, before, context.cursor);
  };
}

interface Outcome {
  readonly name: string;
  readonly ended: { readonly result: SensorResult } | { readonly error: unknown };
}

async function outcomesOf<Source>(
  sources: readonly (readonly [string, Source])[],
  concurrency: number,
  look: (source: readonly [string, Source]) => Promise<SensorResult>,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < sources.length) {
      const at = next++;
      const source = sources[at]!;
      const ended = await look(source).then(
        (result) => ({ result }),
        (error: unknown) => ({ error }),
      );
      outcomes[at] = { name: source[0], ended };
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, sources.length) }, worker));
  return outcomes;
}

function together(
  outcomes: readonly Outcome[],
  before: ReadonlyMap<string, string>,
  cursor: string | null,
): SensorResult {
  const results: SensorResult[] = [];
  const failures: { name: string; error: string }[] = [];
  const cursors: [string, string][] = [];
  for (const { name, ended } of outcomes) {
    const after = 'result' in ended ? (ended.result.cursor ?? before.get(name)) : before.get(name);
    if (after !== undefined) cursors.push([name, after]);
    if ('error' in ended) {
      failures.push({
        name,
        error: ended.error instanceof Error ? ended.error.message : String(ended.error),
      });
      continue;
    }
    results.push(ended.result);
    for (const failure of ended.result.failures ?? [])
      failures.push({ ...failure, name: `${name}: ${failure.name}` });
  }
  const requests = results.flatMap(({ dynamicPartitionsRequests = [] }) => dynamicPartitionsRequests);
  const runRequests = results.flatMap(({ runRequests = [] }) => runRequests);
  const next = JSON.stringify(Object.fromEntries(cursors));
  return {
    ...(requests.length === 0 ? {} : { dynamicPartitionsRequests: requests }),
    ...(runRequests.length === 0 ? {} : { runRequests }),
    ...(next === (cursor ?? '{}') ? {} : { cursor: next }),
    ...(failures.length === 0 ? {} : { failures }),
    ...(requests.length + runRequests.length === 0
      ? { skipReason: `nothing new in ${results.length} of ${outcomes.length} sources` }
      : {}),
  };
}

function cursorsIn(cursor: string | null): Map<string, string> {
  try {
    const kept = Object.entries(JSON.parse(cursor || '{}') as Record<string, unknown>);
    return new Map(kept.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    return new Map();
  }
}

function nameOf(source: unknown): string {
  if (typeof source === 'string') return source;
  const { name, id, url } = Object(source) as Record<string, unknown>;
  const found = source instanceof URL ? source.href : (name ?? id ?? url);
  if (typeof found !== 'string' && typeof found !== 'number' && !(found instanceof URL))
    throw new Error('a source of each() has no name, id or url: give { name: (source) => … }');
  return String(found);
}
