/** How a value is kept in a file: JSON, bytes as they are, or an empty file for `undefined`. The ending of the name says which. */
import buffer from 'node:buffer';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { ValueContext } from '../definitions/io-manager.ts';
import { bytesIfThere, causeOf, errno, io } from '../files/durable-files.ts';
import type { ENDINGS } from './places.ts';

/** What keeps one file from being read, and says nothing of the disk. */
const OF_ONE_FILE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EISDIR', 'ELOOP']);

/** `becomes` says by its ending how the value is kept. */
export function readIfThere(
  file: string,
  becomes: string,
  { asset, partitionKey: key }: ValueContext,
): { readonly value: unknown } | null {
  const damaged = (cause: string): never => fail({ reason: 'value-damaged', file, asset, key, cause });
  let bytes: Buffer | null;
  try {
    bytes = bytesIfThere(file);
  } catch (error) {
    if (OF_ONE_FILE.has(errno(error) ?? '')) return damaged(causeOf(error));
    return io('read', file, () => {
      throw error;
    });
  }
  if (bytes === null) return null;
  try {
    return { value: decode(bytes, path.extname(becomes) as Ending) };
  } catch (error) {
    return damaged((error as Error).message);
  }
}

type Ending = (typeof ENDINGS)[number];

/** A value as it is kept. */
export interface Encoded {
  readonly bytes: string | Uint8Array;
  readonly ending: Ending;
}

/** What was kept with this ending. @throws SyntaxError where JSON was damaged */
export function decode(bytes: Buffer, ending: Ending): unknown {
  if (ending === '.none') return undefined;
  if (ending === '.bin') return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return JSON.parse(bytes.toString('utf8')) as unknown;
}

export function encode(value: unknown): Encoded {
  if (value === undefined) return { bytes: '', ending: '.none' };
  if (value instanceof Uint8Array) {
    if (value.length > MOST_BYTES) throw tooLarge('the 2 GiB that can be read at once');
    return { bytes: value, ending: '.bin' };
  }
  return { bytes: jsonOf(value), ending: '.json' };
}

/** So many bytes node reads at once. */
const MOST_BYTES = 2 ** 31 - 1;

/** Bytes where these count: what could not be read again as one text is not written. */
function jsonOf(value: unknown): string | Uint8Array {
  const most = buffer.constants.MAX_STRING_LENGTH;
  try {
    const text = `${JSON.stringify(value)}\n`;
    // A UTF-16 unit has three bytes of UTF-8 at most: most texts need no count.
    if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return text;
  } catch (error) {
    if (!(error instanceof RangeError) || error.message !== 'Invalid string length') throw error;
  }
  throw tooLarge('the 512 MiB that can be read as one JSON text');
}

function tooLarge(bound: string): Error {
  return new Error(
    `what it returned is larger than ${bound}: write it to a file of your own, and return the path`,
  );
}
