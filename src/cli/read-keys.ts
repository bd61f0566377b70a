/** Keys from the command line, from a file or from standard input. One bad key: nothing is applied, each is named. */
import { constants, isUtf8 } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { fail } from '../model/failure.ts';
import type { BadKey } from '../model/failures/usage.ts';
import type { ItemSchema } from '../definitions/partitions.ts';
import type { GivenToKeys } from '../engine/plan/keys/add-remove-sync.ts';
import { carriedOnly } from '../engine/plan/sensor-result/keys-to-add.ts';
import type { Carried } from '../model/carried.ts';
import { isPlainObject } from '../model/json-value.ts';
import { didYouMean } from '../model/nearest.ts';
import { isPartitionKey, whyNotAKey } from '../model/partition-key.ts';
import { errno, refusalOf } from '../files/durable-files.ts';
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

/** How a command that works on assets is told which keys it is about. */
export interface ChosenKeys {
  readonly key?: readonly string[];
  readonly keysFrom?: string;
  readonly jsonLines?: boolean;
  readonly all?: boolean;
}

/** The keys of `--key` and `--keys-from`; `null`: none was named. @throws FailureError where all are meant as well */
export function keysChosen(
  terminal: Terminal,
  { key, keysFrom: file, jsonLines = false, all = false }: ChosenKeys,
): readonly string[] | null {
  const given = checkedKeys(key ?? [], '--key');
  const read = file === undefined ? [] : keysFrom(file, terminal, jsonLines);
  if (key === undefined && file === undefined) return null;
  if (all)
    fail({ reason: 'usage', message: '--all and named keys contradict each other', hint: 'use one of them' });
  return [...given, ...read];
}

/** Keys to be added, and what was said that they carry: `--version` and `--item` for one key, or JSON lines of a file. */
export interface KeysToAdd {
  readonly keys: readonly string[];
  readonly given: GivenToKeys | undefined;
}

export interface CarriedOptions extends KeysOptions {
  readonly version?: string;
  readonly item?: string;
}

/** @param schema what an item of the set must be */
export function keysToAdd(
  terminal: Terminal,
  keys: readonly string[],
  options: CarriedOptions,
  schema: ItemSchema | undefined,
): KeysToAdd {
  const { from, jsonLines = false, version, item } = options;
  const given = new Map<string, Partial<Carried>>();
  const typed = checkedKeys(keys);
  if (version !== undefined || item !== undefined) {
    if (typed.length !== 1 || from !== undefined)
      fail({
        reason: 'usage',
        message: '--version and --item are for one key',
        hint: `for many keys: --from FILE --json-lines, with {"key": …, "version": …, "item": …} on each line`,
      });
    const parsed = item === undefined ? {} : { item: parsedItem(item) };
    given.set(
      typed[0]!,
      carriedOnly({ ...(version !== undefined && { version }), ...parsed }, schema, usage),
    );
  }
  if (from === undefined) return { keys: typed, given: given.size > 0 ? given : undefined };
  const take = (line: Readonly<Record<string, unknown>>, wrong: (why: string) => void): void => {
    const carried = carriedOnly(line, schema, wrong);
    if (Object.keys(carried).length > 0) given.set(String(line['key']), carried);
  };
  const all = [...typed, ...keysFrom(from, terminal, jsonLines, take)];
  return { keys: all, given: given.size > 0 ? given : undefined };
}

function usage(message: string): never {
  return fail({ reason: 'usage', message, hint: 'nothing was changed' });
}

function parsedItem(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return usage(`--item takes JSON, and this is none: ${text.slice(0, 80)}`);
  }
}

/** A line of JSON that is an object: a key, and what it carries. */
type TakeObject = (line: Readonly<Record<string, unknown>>, wrong: (why: string) => void) => void;

const LINE_FIELDS = ['key', 'version', 'item'];

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
export function keysFrom(
  file: string,
  terminal: Terminal,
  asJson: boolean,
  take?: TakeObject,
): readonly string[] {
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
    const wrongs: string[] = [];
    const key = asJson ? parsed(line, take, (why) => wrongs.push(why)) : line;
    // Bytes that are no UTF-8 have become U+FFFD: taken as a key, it would silently be another one.
    const broken = isWhole ? null : [{ key: line, why: 'it holds bytes that are not UTF-8' }];
    const notJson =
      take === undefined ? 'it is not a JSON string' : 'it is neither a JSON string nor {"key": …}';
    const wrong = broken ?? (key === null ? [{ key: line, why: notJson }] : badKeyIn(key));
    wrong.push(...wrongs.map((why) => ({ key: line, why })));
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

/** Byte order marks, read as Latin-1. */
const UTF_16 = ['\xff\xfe', '\xfe\xff'];

function bytesOf(file: string, source: string, terminal: Terminal): Buffer {
  try {
    const bytes = file === '-' ? terminal.readStdin() : fs.readFileSync(path.resolve(terminal.cwd, file));
    // As PowerShell writes what is sent to a file.
    if (UTF_16.includes(bytes.toString('latin1', 0, 2)))
      return fail({
        reason: 'keys-file',
        file: source,
        cause: 'it is UTF-16, not UTF-8: iconv -f UTF-16 -t UTF-8',
      });
    if (bytes.length <= constants.MAX_STRING_LENGTH) return bytes;
  } catch (error) {
    if (errno(error) === undefined) throw error;
    return fail({ reason: 'keys-file', file: source, ...refusalOf(error) });
  }
  return fail({
    reason: 'keys-file',
    file: source,
    cause: 'it is larger than the 512 MiB that can be read as one text',
    kind: 'too-large',
  });
}

function parsed(line: string, take: TakeObject | undefined, wrong: (why: string) => void): string | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value === 'string') return value;
  if (take === undefined || !isPlainObject(value)) return null;
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields['key'] !== 'string') return null;
  for (const field of Object.keys(fields))
    if (!LINE_FIELDS.includes(field))
      wrong(`it has an unknown field '${field}'${didYouMean(field, LINE_FIELDS)}`);
  take(fields, wrong);
  return fields['key'];
}

function badKeyIn(key: string): BadKey[] {
  const why = whyNotAKey(key);
  return why === null ? [] : [{ key, why }];
}

function refuse(source: string, keys: readonly BadKey[]): void {
  if (keys.length > 0) fail({ reason: 'invalid-keys', source, keys });
}
