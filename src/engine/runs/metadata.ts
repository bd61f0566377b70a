/** What user code adds to the metadata of what it makes. */
import { type MetadataValue, whyNotJson } from '../../model/json-value.ts';
import { recordableJson } from '../../model/recordable.ts';

/** Bytes of JSON of all metadata of one asset in a run. */
const METADATA_LIMIT = 64 * 1024;

/** Metadata stands in the history as JSON: a copy, so that what user code changes later changes no record. */
export function checkedMetadata(
  more: unknown,
  before: Readonly<Record<string, MetadataValue>>,
): Record<string, MetadataValue> {
  if (typeof more !== 'object' || more === null || Array.isArray(more)) {
    throw new TypeError('addMetadata takes an object such as { words: 12 }');
  }
  const wrong = whyNotJson(more, 'metadata');
  if (wrong !== null) throw new TypeError(`addMetadata takes JSON: ${wrong.path} ${wrong.why}`);
  const copy = recordableJson(metadataText(more)) as Record<string, MetadataValue>;
  const bytes = Buffer.byteLength(JSON.stringify({ ...before, ...copy }));
  if (bytes > METADATA_LIMIT)
    throw new TypeError(`addMetadata takes ${METADATA_LIMIT} bytes of JSON in all, and these are ${bytes}`);
  return copy;
}

function metadataText(metadata: object): string {
  try {
    return JSON.stringify(metadata);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const bound = `${METADATA_LIMIT} bytes of JSON in all, and these are more than 512 MiB`;
    throw new TypeError(`addMetadata takes ${bound}`, { cause: error });
  }
}
