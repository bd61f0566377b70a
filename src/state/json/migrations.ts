/** Documents of older schemas, brought to the present one step after the other. Pure: nothing is written here. */

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
];

/** The schema that all steps together lead to. */
export const NEWEST_SCHEMA = OLDEST_SCHEMA + STEPS.length;

/** A document of one of the known schemas as it would be in the present one; the same one where it is. */
export function migrated(document: Json, schema: number): Json {
  return STEPS.slice(schema - OLDEST_SCHEMA).reduce((before, step) => step(before), document);
}
