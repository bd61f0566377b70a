/** Keys from the command line, from a file or from standard input. One bad key: nothing is applied, each is named. */
import { constants, isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { BadKey } from '../model/failures/usage.ts';
import { isPartitionKey, whyNotAKey } from '../model/partition-key.ts';
import { causeOf, errno } from '../files/durable-files.ts';
import type { Terminal } from './terminal.ts';

/** Where the keys of a command come from, beside its arguments. */
export interface KeysOptions {
  readonly from?: string;
  readonly jsonLines?: boolean;
}

/** Keys given as arguments, and those of `--from` behind them. */
export function keysGiven(
  terminal: Terminal,
  keys: readonly string[],
  { from, jsonLines = false }: KeysOptions,
): readonly string[] {
  const typed = checkedKeys(keys);
  if (from === undefined) return typed;
  const read = keysFrom(from, terminal, jsonLines);
  return typed.length === 0 ? read : [...typed, ...read];
}

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
  const lines = bytes
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .split('\n');
  // Rare: only then every line is looked at by itself. Latin-1 keeps each byte as it is.
  const raw = isUtf8(bytes) ? null : bytes.toString('latin1').split('\n');
  const bad: BadKey[] = [];
  const keys: string[] = [];
  // A loop: there may be a million lines.
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!.endsWith('\r') ? lines[at]!.slice(0, -1) : lines[at]!;
    if (isBlank(line)) continue;
    const isWhole = raw === null || isUtf8(Buffer.from(raw[at]!, 'latin1'));
    // Nearly every line: a key that is right.
    if (!asJson && isWhole && isPartitionKey(line)) {
      keys.push(line);
      continue;
    }
    const key = asJson ? parsed(line) : line;
    // Bytes that are no UTF-8 have become U+FFFD: taken as a key, it would silently be another one.
    const broken = isWhole ? null : [{ key: line, why: 'it holds bytes that are not UTF-8' }];
    const wrong = broken ?? (key === null ? [{ key: line, why: 'it is not a JSON string' }] : badKeyIn(key));
    bad.push(...wrong.map((one) => ({ ...one, line: at + 1 })));
    if (key !== null) keys.push(key);
  }
  refuse(source, bad);
  return keys;
}

/** Most lines begin with a letter, and need not be looked at as a whole. */
function isBlank(line: string): boolean {
  const first = line.charCodeAt(0);
  return !(first > 0x20 && first < 0x7f) && line.trim() === '';
}

function bytesOf(file: string, source: string, terminal: Terminal): Buffer {
  try {
    const bytes = file === '-' ? terminal.readStdin() : fs.readFileSync(path.resolve(terminal.cwd, file));
    if (bytes.length <= constants.MAX_STRING_LENGTH) return bytes;
  } catch (error) {
    if (errno(error) === undefined) throw error;
    return fail({ reason: 'keys-file', file: source, cause: causeOf(error) });
  }
  return fail({
    reason: 'keys-file',
    file: source,
    cause: 'it is larger than the 512 MiB that can be read as one text',
  });
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
