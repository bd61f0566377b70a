/** Text of a state file → a document whose shape was checked, or a failure that names the place. */
import { fail } from '../../model/failure.ts';
import { is, type Misfit, misfit, object, where } from '../../model/shape.ts';
import { documentShape } from '../document/document-shape.ts';
import { SCHEMA, type StateDocument } from '../document/state-document.ts';
import { migrated, OLDEST_SCHEMA } from './migrations.ts';

const anySchema = object<{ schema: number }>({ schema: is(Number.isInteger, 'a whole number') });

const committed = where(documentShape, ({ serial }) =>
  serial > 0 ? null : misfit('a whole number of 1 or more', '.serial'),
);

/** @throws FailureError when the text is empty, not JSON, of an unknown schema or misshapen. */
export function parseState(text: string | Buffer, file: string): StateDocument {
  return readState(text, file).document;
}

/** The same, with the schema that the text has: the document is of the present one. Bytes are given where they are no UTF-8. */
export function readState(
  content: string | Buffer,
  file: string,
): { readonly document: StateDocument; readonly schema: number } {
  if (typeof content !== 'string')
    return fail({ reason: 'state-not-json', file, cause: 'it holds bytes that are not UTF-8' });
  if (content.trim() === '') fail({ reason: 'state-empty', file });
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch (error) {
    fail({ reason: 'state-not-json', file, cause: (error as SyntaxError).message });
  }
  demand(file, anySchema(value));
  const found = value as Readonly<Record<string, unknown>> & { readonly schema: number };
  const { schema } = found;
  if (schema > SCHEMA) fail({ reason: 'state-newer', file, schema, supported: SCHEMA });
  if (schema < OLDEST_SCHEMA) fail({ reason: 'state-older', file, schema, oldest: OLDEST_SCHEMA });
  const document = migrated(found, schema);
  demand(file, committed(document));
  if (content.includes('\\u') && /\\u[dD][89a-fA-F]/.test(content))
    for (const part of ['sets', 'runs']) demand(file, illFormed(document[part], `.${part}`));
  return { document: document as unknown as StateDocument, schema };
}

function demand(file: string, found: Misfit | null): void {
  if (found === null) return;
  const place = found.place === '' ? 'the document' : found.place.slice(1);
  fail({ reason: 'state-misshapen', file, place, expected: found.expected });
}

/** Halves of surrogate pairs are no text: everything that is printed or named after such a key would be another key's. */
function illFormed(value: unknown, place: string): Misfit | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : misfit('well-formed Unicode', place);
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, inside] of Object.entries(value)) {
    const found = illFormed(inside, `${place}.${name}`);
    if (found !== null) return found;
  }
  return null;
}
