/** The keys of an add request, with what they carry: read once, checked, and turned into plain data. Pure but for the user's schema. */
import type { ItemSchema } from '../../../definitions/partitions.ts';
import { issuesText } from '../../../definitions/schema.ts';
import { type Carried, NOTHING_CARRIED, whyNoItem, whyNoVersion } from '../../../model/carried.ts';
import { isPlainObject, type JsonValue, whyNotJson } from '../../../model/json-value.ts';
import { isPartitionKey, nameOfType } from '../../../model/partition-key.ts';
import { quoted } from '../../../model/text.ts';
import { checkFields, checkKey } from './read-once.ts';

export interface KeysToAdd {
  readonly keys: readonly string[];
  /** One for each key; not there when none of them carries anything. */
  readonly carried?: readonly Carried[];
}

const FIELDS = ['key', 'version', 'item'];

/** What is wrong is added to the problems; keys that are right are in the answer all the same. */
export function parseKeysToAdd(
  problems: string[],
  given: readonly unknown[],
  { where, schema }: { readonly where: string; readonly schema: ItemSchema | undefined },
): KeysToAdd {
  // Mostly all of them are keys alone: then nothing is looked up.
  if (!given.some((one) => typeof one === 'object' && one !== null)) {
    const before = problems.length;
    for (const key of given) checkKey(problems, key, where);
    return { keys: problems.length === before ? (given as string[]) : given.filter(isPartitionKey) };
  }
  // A key that is named twice keeps its place, and carries what was said last.
  const last = new Map<string, Carried>();
  for (const one of given) {
    const parsed = parseKey(problems, one, where, schema);
    if (parsed !== null) last.set(parsed.key, parsed.carried);
  }
  return { keys: [...last.keys()], carried: [...last.values()] };
}

function parseKey(
  problems: string[],
  value: unknown,
  where: string,
  schema: ItemSchema | undefined,
): { readonly key: string; readonly carried: Carried } | null {
  if (typeof value === 'string' || !isPlainObject(value)) {
    const wrong = problems.length;
    if (typeof value === 'string') checkKey(problems, value, where);
    else problems.push(`${where}: a key is text, or { key, version, item }, not ${nameOfType(value)}`);
    return problems.length === wrong ? { key: value as string, carried: NOTHING_CARRIED } : null;
  }
  const { key, version, item } = value as Readonly<Record<string, unknown>>;
  const before = problems.length;
  checkKey(problems, key, where);
  const ofKey = (): string => `key ${quoted(String(key).slice(0, 60))} in ${where}`;
  checkFields(problems, ofKey, value, FIELDS);
  const carried = carriedFrom({ version, item, schema }, (what) => problems.push(`${what}, of ${ofKey()}`));
  return problems.length === before ? { key: key as string, carried } : null;
}

/** @param wrong is told what cannot be carried, and why */
function carriedFrom(
  given: { readonly version: unknown; readonly item: unknown; readonly schema: ItemSchema | undefined },
  wrong: (what: string) => void,
): Carried {
  const { version = null, item, schema } = given;
  if (version !== null) {
    const why =
      typeof version === 'string' ? whyNoVersion(version) : `it is ${nameOfType(version)}; a version is text`;
    if (why !== null) wrong(`version: ${why}`);
  }
  return { version: version as string | null, item: itemFrom(item, schema, wrong) };
}

/** What was given and nothing else: what was not stays as it is. @param wrong is told what cannot be carried, and why */
export function carriedOnly(
  { version, item }: { readonly version?: unknown; readonly item?: unknown },
  schema: ItemSchema | undefined,
  wrong: (what: string) => void,
): Partial<Carried> {
  const ofItem = item === undefined ? undefined : schema;
  const carried = carriedFrom({ version, item, schema: ofItem }, wrong);
  return {
    ...(version !== undefined && { version: carried.version }),
    ...(item !== undefined && { item: carried.item }),
  };
}

function itemFrom(given: unknown, schema: ItemSchema | undefined, wrong: (what: string) => void): JsonValue {
  const checked = schema === undefined ? { value: given } : validated(schema, given);
  if ('problem' in checked) {
    wrong(`item: ${checked.problem}`);
    return null;
  }
  const { value } = checked;
  if (value === undefined || value === null) return null;
  const notJson = whyNotJson(value, 'item');
  if (notJson !== null) {
    wrong(`item: ${notJson.path} ${notJson.why}`);
    return null;
  }
  const json = JSON.stringify(value);
  const why = whyNoItem(json);
  if (why !== null) wrong(`item: ${why}`);
  return JSON.parse(json) as JsonValue;
}

function validated(
  schema: ItemSchema,
  item: unknown,
): { readonly value: unknown } | { readonly problem: string } {
  const result = schema['~standard'].validate(item);
  if (result instanceof Promise)
    return { problem: 'its schema answers with a promise; use one that does not' };
  if (result.issues === undefined) return { value: result.value };
  return { problem: issuesText(result.issues) };
}
