/** Documents of older schemas, brought to the present one step after the other. Pure: nothing is written here. */
import { outcomeSinceThen, tickSinceThen } from '../document/record-shapes.ts';
import { versionLines } from '../document/version-lines.ts';

type Json = Readonly<Record<string, unknown>>;

/** The oldest schema that is still read. */
export const OLDEST_SCHEMA = 1;

/**
 * From each schema to the next, the oldest first. A step gets what was parsed and not checked yet: the shape is demanded
 * of what the last one gives, so a step only adds and renames, and never rests on what it finds.
 */
const STEPS: readonly ((document: Json) => Json)[] = [
  // 1 → 2: which commit was the last of each process that may still have to ask.
  (document) => ({ ...document, schema: 2, writers: { last: [], forgotten: 0 } }),
  // 2 → 3: a state belongs to one pipeline, and what is beside a state is its own.
  (document) => ({ ...document, schema: 3 }),
  // 3 → 4: keys may carry a version and an item.
  (document) => ({
    ...document,
    schema: 4,
    sensors: mapped(document['sensors'], (sensor) => ({
      ...sensor,
      lastTick: tickSinceThen(sensor['lastTick']),
    })),
    runs: Array.isArray(document['runs']) ? document['runs'].map(withOutcomesSinceThen) : document['runs'],
  }),
  // 4 → 5: the versions of a set are one text, and what concerns a run that is on its way has its reason.
  (document) => ({
    ...document,
    schema: 5,
    sets: mapped(document['sets'], withVersionLines),
    runs: Array.isArray(document['runs']) ? document['runs'].map(withReasonsOfTouched) : document['runs'],
  }),
];

function withVersionLines(set: Json): Json {
  const { versions } = set;
  const isList =
    Array.isArray(versions) && versions.every((version) => version === null || typeof version === 'string');
  return isList ? { ...set, versions: versionLines(versions as (string | null)[]) } : set;
}

function withReasonsOfTouched(group: unknown): unknown {
  const { touched } = (group ?? {}) as Json;
  const named = mapped(touched, (assets) =>
    Object.fromEntries(Object.entries(assets).map(([asset, serial]) => [asset, { upstream: serial }])),
  );
  return touched === undefined ? group : { ...(group as object), touched: named };
}

function withOutcomesSinceThen(group: unknown): unknown {
  const { done } = (group ?? {}) as Json;
  if (done === undefined) return group;
  const changed = Object.entries(done as Readonly<Record<string, unknown>>).map(([number, made]) => [
    number,
    Array.isArray(made) ? made.map(outcomeSinceThen) : made,
  ]);
  return { ...(group as object), done: Object.fromEntries(changed) as unknown };
}

/** Each entry that is an object; what it should not be is left for the check of the shape. */
function mapped(entries: unknown, change: (entry: Json) => Json): unknown {
  if (typeof entries !== 'object' || entries === null) return entries;
  return Object.fromEntries(
    Object.entries(entries).map(([name, entry]) => [
      name,
      typeof entry === 'object' && entry !== null ? change(entry as Json) : (entry as unknown),
    ]),
  );
}

/** The schema that all steps together lead to. */
export const NEWEST_SCHEMA = OLDEST_SCHEMA + STEPS.length;

/** A document of a known schema as it would be in the present schema; the document itself where its schema is the present one. */
export function migrated(document: Json, schema: number): Json {
  return STEPS.slice(schema - OLDEST_SCHEMA).reduce((before, step) => step(before), document);
}
