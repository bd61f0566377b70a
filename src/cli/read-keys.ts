/** Keys from the command line, from a file or from standard input. One bad key: nothing is applied, each is named. */
import { isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { fail, type BadKey } from '../definitions/failure.ts';
import { isPartitionKey, whyNotAKey } from '../definitions/partition-key.ts';
import { causeOf, errno } from '../state/json/durable-files.ts';
import type { Terminal } from './terminal.ts';

/** Keys given as arguments. */
export function checkedKeys(keys: readonly string[], source = 'the command line'): readonly string[] {
  refuse(
    source,
    keys.flatMap((key) => badKeyIn(key)),
  );
  return keys;
}

/**
 * Keys of a file, one a line; `-` is standard input. Only `\r` before a line's end and one leading byte order mark are
 * dropped; blank lines are ignored, other blanks belong to the key.
 *
 * @param asJson each line is a JSON string, as `partitions list --json-lines` prints them
 */
export function keysFrom(file: string, terminal: Terminal, asJson: boolean): readonly string[] {
  const source = file === '-' ? 'standard input' : file;
  const bytes = bytesOf(file, source, terminal);
  const bad: BadKey[] = [];
  const keys: string[] = [];
  linesOf(bytes).forEach(({ text: line, isUtf8: whole }, at) => {
    if (line.trim() === '') return;
    // Nearly every line: a key that is right.
    if (!asJson && whole && isPartitionKey(line)) return void keys.push(line);
    const key = asJson ? parsed(line) : line;
    // Bytes that are no UTF-8 have become U+FFFD: taken as a key, it would silently be another one.
    const broken = whole ? null : [{ key: line, why: 'it holds bytes that are not UTF-8' }];
    const wrong = broken ?? (key === null ? [{ key: line, why: 'it is not a JSON string' }] : badKeyIn(key));
    bad.push(...wrong.map((one) => ({ ...one, line: at + 1 })));
    if (key !== null) keys.push(key);
  });
  refuse(source, bad);
  return keys;
}

function linesOf(bytes: Buffer): { readonly text: string; readonly isUtf8: boolean }[] {
  const whole = isUtf8(bytes);
  const lines = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (whole) return lines.map((line) => ({ text: line, isUtf8: true }));
  // Rare: only then every line is looked at by itself. Latin-1 keeps each byte as it is.
  const raw = bytes.toString('latin1').split('\n');
  return lines.map((line, at) => ({ text: line, isUtf8: isUtf8(Buffer.from(raw[at]!, 'latin1')) }));
}

function bytesOf(file: string, source: string, terminal: Terminal): Buffer {
  try {
    return file === '-' ? terminal.readStdin() : fs.readFileSync(path.resolve(terminal.cwd, file));
  } catch (error) {
    if (errno(error) === undefined) throw error;
    return fail({ reason: 'keys-file', file: source, cause: causeOf(error) });
  }
}

function parsed(line: string): string | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}

function badKeyIn(key: string): BadKey[] {
  const why = whyNotAKey(key);
  return why === null ? [] : [{ key, why }];
}

function refuse(source: string, keys: readonly BadKey[]): void {
  if (keys.length > 0) fail({ reason: 'invalid-keys', source, keys });
}
