/** Cursors that a Standard Schema types: kept as JSON, checked when they are read and when they are returned. */
import { issuesText, type StandardSchema } from '../../definitions/schema.ts';
import { isPlainObject, whyNotJson } from '../../model/json-value.ts';
import { nameOfType } from '../../model/partition-key.ts';
import { describeThrown } from '../../model/thrown.ts';
import type { ParsedResult } from '../plan/sensor-result/result-fields.ts';

/** What `evaluate` is given for what is on record, as the schema makes it; or why that does not fit. */
export async function readCursor(
  schema: StandardSchema,
  stored: string | null,
): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  if (stored === null) return { value: null };
  const parsed = parseCursor(stored);
  return 'problem' in parsed ? parsed : fitted(schema, parsed.value);
}

/** JSON as somebody typed it. */
export function parseCursor(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { problem: `${JSON.stringify(text.slice(0, 60))} is no JSON` };
  }
}

/** A result with a cursor of the schema: what is wrong with that is told with all else that is wrong. */
export async function parseTyped(
  schema: StandardSchema,
  returned: unknown,
  parse: (result: unknown) => Promise<ParsedResult>,
): Promise<ParsedResult> {
  const { result, problem } = await withCursorText(returned, schema);
  const parsed = await parse(result);
  if (problem === null) return parsed;
  return 'result' in parsed
    ? { problems: [problem], usable: parsed.result }
    : { ...parsed, problems: [problem, ...parsed.problems] };
}

/**
 * A result whose cursor is the JSON that is kept: what was returned, not what the schema makes of it, which is made again when it is
 * read. What does not fit is left out of the result.
 */
async function withCursorText(
  returned: unknown,
  schema: StandardSchema,
): Promise<{ readonly result: unknown; readonly problem: string | null }> {
  if (!isPlainObject(returned)) return { result: returned, problem: null };
  const { cursor, ...rest } = returned as Readonly<Record<string, unknown>>;
  if (cursor === undefined) return { result: rest, problem: null };
  const notJson = whyNotJson(cursor, 'cursor');
  if (notJson !== null) return { result: rest, problem: `${notJson.path} ${notJson.why}` };
  const text = JSON.stringify(cursor);
  const fit = await fitted(schema, cursor);
  return 'problem' in fit
    ? { result: rest, problem: `cursor: ${fit.problem}` }
    : { result: { ...rest, cursor: text }, problem: null };
}

/** A schema is the user's code. */
async function fitted(
  schema: StandardSchema,
  value: unknown,
): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  try {
    const result: unknown = await schema['~standard'].validate(value);
    if (!isRecord(result)) return { problem: `its schema answers with ${nameOfType(result)}` };
    const { issues } = result;
    if (issues === undefined) return { value: result['value'] };
    return { problem: issuesText(issues as never) || 'it does not fit its schema' };
  } catch (error) {
    return { problem: `its schema threw: ${describeThrown(error).message}` };
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
