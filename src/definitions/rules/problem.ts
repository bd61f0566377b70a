/** A problem of a definition with its place, and how a message says a name. */
import type { PipelineProblem } from '../../model/failures/pipeline.ts';
import { nameOfType } from '../../model/partition-key.ts';
import { placeText } from '../../model/place.ts';

/** What a rule finds, one after the other. */
export type Problems = Generator<PipelineProblem, void, undefined>;

/** `definition`: whose place is told; `null`: the pipeline itself, whose place is not known. */
export function problem(definition: unknown, code: string, message: string): PipelineProblem {
  return { code, message, place: placeText(definition) };
}

/** A name in a message. A name that is no string is a problem of its own; it may even be a symbol, which no text can hold. */
export function said(name: unknown): string {
  return typeof name === 'string' ? `'${name}'` : `(${nameOfType(name)})`;
}

export function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
