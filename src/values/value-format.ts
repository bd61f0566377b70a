/** How a value is kept in a file: JSON, bytes as they are, or an empty file for `undefined`. The ending of the name says which. */
import { fail } from '../model/failure.ts';
import type { ValueContext } from '../definitions/io-manager.ts';
import { bytesIfThere, io } from '../files/durable-files.ts';
import type { ENDINGS } from './places.ts';

/** `becomes` says by its ending how the value is kept. */
export function readIfThere(
  file: string,
  becomes: string,
  { asset, partitionKey: key }: ValueContext,
): { readonly value: unknown } | null {
  const bytes = io('read', file, () => bytesIfThere(file));
  if (bytes === null) return null;
  if (becomes.endsWith('.none')) return { value: undefined };
  if (becomes.endsWith('.bin'))
    return { value: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
  try {
    return { value: JSON.parse(bytes.toString('utf8')) as unknown };
  } catch (error) {
    return fail({ reason: 'value-damaged', file, asset, key, cause: (error as Error).message });
  }
}

export function encode(value: unknown): { bytes: string | Uint8Array; ending: (typeof ENDINGS)[number] } {
  if (value === undefined) return { bytes: '', ending: '.none' };
  if (value instanceof Uint8Array) return { bytes: value, ending: '.bin' };
  return { bytes: `${JSON.stringify(value)}\n`, ending: '.json' };
}
