/** A state as text: what of it can be read, and how long it may be. */
import buffer from 'node:buffer';
import { SCHEMA, type StateDocument } from '../document/state-document.ts';
import { readState } from './parse-state.ts';
import { bytesIfThere, io, readIfThere } from '../../files/durable-files.ts';
import { fail, FailureError } from '../../model/failure.ts';

/** The content of a state file: a text, or the bytes where these are no UTF-8; `null` when there is no file. */
export function stateContent(file: string): string | Buffer | null {
  return io('read', file, () => {
    const text = readIfThere(file);
    // What is no UTF-8 has become this sign, which a key may hold as well: then the bytes decide.
    if (text === null || !text.includes('\ufffd')) return text;
    const bytes = bytesIfThere(file);
    return bytes === null ? null : contentIn(bytes);
  });
}

/** The same of bytes that were read already. */
export function contentIn(bytes: Buffer): string | Buffer {
  return buffer.isUtf8(bytes) ? bytes.toString('utf8') : bytes;
}

/**
 * What is written for a document.
 * @throws FailureError `state-too-large` for one that could not be read again: V8's texts have at most 512 MiB
 */
export function contentOf(document: StateDocument, file: string): Buffer {
  let text: string;
  try {
    text = JSON.stringify(document);
  } catch (error) {
    if (error instanceof RangeError) return fail({ reason: 'state-too-large', file });
    throw error;
  }
  const bytes = Buffer.from(`${text}\n`, 'utf8');
  // So many bytes, not letters: that is what reading asks.
  return bytes.length > buffer.constants.MAX_STRING_LENGTH
    ? fail({ reason: 'state-too-large', file })
    : bytes;
}

/** A document, and where it stands when it is of an older schema there. */
export interface Found {
  readonly document: StateDocument;
  readonly older: { readonly file: string; readonly serial: number } | null;
}

/** @throws FailureError when it is damaged */
export function foundIn(content: string | Buffer, file: string): Found {
  const { document, schema } = readState(content, file);
  return { document, older: schema === SCHEMA ? null : { file, serial: document.serial } };
}

/** `null` for a document that is damaged, emptied or not there. */
export function wholeIn(content: string | Buffer | null, file: string): Found | null {
  if (content === null || content.length === 0) return null;
  try {
    return foundIn(content, file);
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}
