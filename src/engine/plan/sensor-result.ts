/** What a sensor returned → a result that can be planned, or everything that is wrong with it. */
import { kindOf } from '../../definitions/brand.ts';
import { quoted } from '../../model/text.ts';
import { isPlainObject } from '../../model/json-value.ts';
import { didYouMean } from '../../model/nearest.ts';
import { isPartitionKey, nameOfType, whyNotAKey } from '../../model/partition-key.ts';
import { CURSOR_LIMIT, ERROR_LIMIT, recordable } from '../../model/recordable.ts';
import type { Pipeline, SensorDefinition } from '../../definitions/pipeline.ts';

/** A sensor's result, checked and with every default filled in. Plain data. */
export interface EvaluatedResult {
  /** `undefined`: the cursor stays. */
  readonly cursor: string | undefined;
  readonly requests: readonly {
    readonly type: 'add' | 'delete';
    readonly set: string;
    readonly keys: readonly string[];
  }[];
  readonly runs: readonly RequestedRuns[];
  readonly skipReason: string | null;
}

/** Runs that are requested alike, one for each key. Columns: a result may request a hundred thousand. */
export interface RequestedRuns {
  readonly set: string | null;
  /** In dependency order. */
  readonly assets: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  readonly keys: readonly (string | null)[];
  /** One a key; `null`: the request had none. */
  readonly runKeys: readonly (string | null)[];
  /** Where each of them stood among all requests of the result, from 0. */
  readonly numbers: readonly number[];
}

/** Those of the requested runs that pass. */
export function onlyWhere(
  runs: readonly RequestedRuns[],
  passes: (group: RequestedRuns, at: number) => boolean,
): readonly RequestedRuns[] {
  return runs.map((group) => {
    const { keys, runKeys, numbers } = group;
    const kept = keys.flatMap((_, at) => (passes(group, at) ? [at] : []));
    if (kept.length === keys.length) return group;
    return {
      ...group,
      keys: kept.map((at) => keys[at]!),
      runKeys: kept.map((at) => runKeys[at]!),
      numbers: kept.map((at) => numbers[at]!),
    };
  });
}

/** `usable`: the part that could be read, for what else is wrong with it. */
export type ParsedResult =
  | { readonly result: EvaluatedResult }
  | { readonly problems: readonly string[]; readonly usable?: EvaluatedResult };

const FIELDS = ['cursor', 'dynamicPartitionsRequests', 'runRequests', 'skipReason'];
const RUN_FIELDS = ['partitionKey', 'runKey', 'assets', 'tags'];
const NO_TAGS: Readonly<Record<string, string>> = {};

export function parseSensorResult(
  value: unknown,
  sensor: SensorDefinition,
  pipeline: Pipeline,
): ParsedResult {
  if (value === undefined || value === null)
    return { result: { cursor: undefined, requests: [], runs: [], skipReason: null } };
  if (!isPlainObject(value)) {
    return {
      problems: [
        `it is ${nameOfType(value)}; return an object such as { cursor, dynamicPartitionsRequests, runRequests }, or nothing`,
      ],
    };
  }
  const problems: string[] = [];
  const result = value as Record<string, unknown>;
  unknownFields(problems, () => 'the result', result, FIELDS);
  const { cursor, skipReason } = result;
  if (cursor !== undefined && typeof cursor !== 'string')
    problems.push(`cursor must be a string, not ${nameOfType(cursor)}`);
  if (typeof cursor === 'string' && !cursor.isWellFormed())
    problems.push('cursor holds half of a surrogate pair, which is no text');
  if (
    typeof cursor === 'string' &&
    cursor.length * 3 > CURSOR_LIMIT &&
    Buffer.byteLength(cursor) > CURSOR_LIMIT
  )
    problems.push(`cursor has ${Buffer.byteLength(cursor)} bytes; it may have ${CURSOR_LIMIT}`);
  if (skipReason !== undefined && typeof skipReason !== 'string')
    problems.push(`skipReason must be a string, not ${nameOfType(skipReason)}`);
  const requests = listIn(problems, result, 'dynamicPartitionsRequests').flatMap((request, at) =>
    parseRequest(problems, request, at, pipeline),
  );
  const requested = listIn(problems, result, 'runRequests');
  const targetOf = targetResolver(sensor, pipeline);
  const groups = new RunGroups();
  requested.forEach((request, at) => parseRun(problems, request, at, { targetOf, groups }));
  const { runs } = groups;
  if (typeof skipReason === 'string' && requested.length > 0)
    problems.push('skipReason and runRequests contradict each other: return one of them');
  if (problems.length > 0)
    return { problems, usable: { cursor: undefined, requests, runs, skipReason: null } };
  return {
    result: {
      cursor: cursor as string | undefined,
      requests,
      runs,
      skipReason: typeof skipReason === 'string' ? recordable(skipReason, ERROR_LIMIT) : null,
    },
  };
}

function parseRequest(
  problems: string[],
  value: unknown,
  at: number,
  pipeline: Pipeline,
): EvaluatedResult['requests'] {
  const where = `dynamicPartitionsRequests[${at}]`;
  const {
    type,
    set,
    keys: given,
  } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if ((type !== 'add' && type !== 'delete') || typeof set !== 'string' || !Array.isArray(given)) {
    problems.push(
      `${where} must come from buildAddRequest() or buildDeleteRequest(), not be ${nameOfType(value)}`,
    );
    return [];
  }
  if (!pipeline.sets.includes(set)) {
    problems.push(
      `${where} names set ${quoted(set)}, which the pipeline does not have; add it to partitions of definePipeline`,
    );
  }
  const keys = copied(problems, given, () => `keys of ${where}`);
  const before = problems.length;
  for (const key of keys) badKey(problems, key, where);
  // What else is wrong is looked for with those that are right.
  const usable = problems.length === before ? (keys as string[]) : keys.filter(isPartitionKey);
  return [{ type, set, keys: usable }];
}

type Target =
  { readonly set: string | null; readonly assets: readonly string[] } | { readonly problem: string };

interface RunTarget {
  readonly targetOf: (assets: unknown) => Target;
  readonly groups: RunGroups;
}

function parseRun(problems: string[], value: unknown, at: number, { targetOf, groups }: RunTarget): void {
  // Words are only made where something is wrong: there may be a hundred thousand requests.
  const where = (): string => `runRequests[${at}]`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${where()} must be an object such as { partitionKey, runKey }, not ${nameOfType(value)}`);
    return;
  }
  const request = value as Record<string, unknown>;
  const before = problems.length;
  unknownFields(problems, where, request, RUN_FIELDS);
  const { partitionKey, runKey, tags } = request;
  if (partitionKey !== undefined && !isPartitionKey(partitionKey)) badKey(problems, partitionKey, where());
  if (runKey !== undefined && (typeof runKey !== 'string' || runKey === '' || !runKey.isWellFormed())) {
    problems.push(
      `runKey of ${where()} must be a string that is not empty, not ${typeof runKey === 'string' ? quoted(runKey) : nameOfType(runKey)}`,
    );
  }
  const tagged = tags === undefined ? NO_TAGS : groups.tagsOf(tags);
  if (tagged === null) problems.push(`tags of ${where()} must be an object of strings`);
  const target = targetOf(request['assets']);
  if ('problem' in target) problems.push(`${where()}: ${target.problem}`);
  else if (target.set === null && partitionKey !== undefined) {
    problems.push(
      `${where()} names ${typeof partitionKey === 'string' ? `key ${quoted(partitionKey)}` : 'a key'}, but ${target.assets.map(quoted).join(', ')} has no partitions`,
    );
  } else if (target.set !== null && partitionKey === undefined) {
    problems.push(
      `${where()} has no partitionKey, but ${target.assets.map(quoted).join(', ')} is partitioned by '${target.set}'`,
    );
  }
  if (problems.length > before || 'problem' in target || tagged === null) return;
  groups.add(target, tagged, {
    number: at,
    partitionKey: (partitionKey as string | undefined) ?? null,
    runKey: (runKey as string | undefined) ?? null,
  });
}

/** Most of a hundred thousand requests name no assets of their own: their target is looked up once. */
function targetResolver(sensor: SensorDefinition, pipeline: Pipeline): (assets: unknown) => Target {
  let own: Target | undefined;
  return (assets) => {
    if (assets === undefined) return (own ??= resolve(sensor.assets));
    if (!Array.isArray(assets)) return { problem: `assets must be a list, not ${nameOfType(assets)}` };
    const problems: string[] = [];
    const names = copied(problems, assets, () => 'assets').map((asset) =>
      kindOf(asset) === 'asset' ? (asset as { name: unknown }).name : asset,
    );
    if (problems.length > 0) return { problem: problems[0]! };
    const wrong = names.findIndex((name) => typeof name !== 'string');
    if (wrong !== -1)
      return { problem: `assets holds ${nameOfType(names[wrong])} where an asset or its name is meant` };
    return resolve(names as string[]);
  };

  function resolve(names: readonly string[]): Target {
    if (names.length === 0)
      return { problem: `it names no assets, and neither does sensor '${sensor.name}'` };
    const unknown = names.filter((name) => !pipeline.assets.has(name));
    if (unknown.length > 0) return { problem: `the pipeline has no asset ${unknown.map(quoted).join(', ')}` };
    const chosen = [...pipeline.assets.values()].filter(({ name }) => names.includes(name));
    const sets = [...new Set(chosen.map(({ set }) => set))];
    if (sets.length > 1) {
      return {
        problem: `one run covers one key, but its assets are partitioned differently: ${chosen.map(({ name, set }) => `'${name}' by ${set === null ? 'nothing' : `'${set}'`}`).join(', ')}`,
      };
    }
    return { set: sets[0]!, assets: chosen.map(({ name }) => name) };
  }
}

type Columns = RequestedRuns & {
  readonly keys: (string | null)[];
  readonly runKeys: (string | null)[];
  readonly numbers: number[];
};

/** Puts requests together that are alike. */
class RunGroups {
  readonly runs: Columns[] = [];
  readonly #byTarget = new Map<string, Columns>();
  /** By the object that they were copied from: many requests share one. */
  readonly #tags = new Map<unknown, Readonly<Record<string, string>> | null>();
  // Requests that share their target share these very objects, too: most of the time the last group fits.
  #last: { readonly assets: readonly string[]; readonly tags: object; readonly group: Columns } | undefined;

  /** A copy of tags, read once; `null` when they are none. */
  tagsOf(value: unknown): Readonly<Record<string, string>> | null {
    const known = this.#tags.get(value);
    if (known !== undefined) return known;
    const tags = copiedTags(value);
    this.#tags.set(value, tags);
    return tags;
  }

  add(
    { set, assets }: { readonly set: string | null; readonly assets: readonly string[] },
    tags: Readonly<Record<string, string>>,
    {
      number,
      partitionKey,
      runKey,
    }: { readonly number: number; readonly partitionKey: string | null; readonly runKey: string | null },
  ): void {
    if (this.#last?.assets !== assets || this.#last.tags !== tags) {
      this.#last = {
        assets,
        tags,
        group: this.#groupOf({ set, assets, tags, keys: [], runKeys: [], numbers: [] }),
      };
    }
    this.#last.group.keys.push(partitionKey);
    this.#last.group.runKeys.push(runKey);
    this.#last.group.numbers.push(number);
  }

  #groupOf(empty: Columns): Columns {
    const tags = Object.entries(empty.tags).sort(([a], [b]) => (a < b ? -1 : 1));
    const alike = JSON.stringify([empty.set, empty.assets, tags]);
    const known = this.#byTarget.get(alike);
    if (known !== undefined) return known;
    this.#byTarget.set(alike, empty);
    this.runs.push(empty);
    return empty;
  }
}

function badKey(problems: string[], key: unknown, where: string): void {
  const why = whyNotAKey(key);
  if (why === null) return;
  problems.push(
    typeof key === 'string'
      ? `key ${quoted(key.length > 60 ? `${key.slice(0, 60)}…` : key)} in ${where}: ${why}`
      : `${where}: ${why}`,
  );
}

function listIn(problems: string[], result: Record<string, unknown>, field: string): readonly unknown[] {
  const value = result[field];
  if (value === undefined) return [];
  if (Array.isArray(value)) return copied(problems, value, () => field);
  problems.push(`${field} must be a list, not ${nameOfType(value)}`);
  return [];
}

function unknownFields(
  problems: string[],
  where: () => string,
  value: object,
  known: readonly string[],
): void {
  if (hasOnly(value, known)) return;
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue;
    problems.push(`${where()} has an unknown field ${quoted(field)}${didYouMean(field, known)}`);
  }
}

/** Without a list of its names, which a hundred thousand requests would each have made. `false` also for what is inherited. */
function hasOnly(value: object, known: readonly string[]): boolean {
  // oxlint-disable-next-line guard-for-in -- what is inherited counts, too
  for (const field in value) if (!known.includes(field)) return false;
  return true;
}

function copiedTags(value: unknown): Readonly<Record<string, string>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const tags = Object.entries(value as Record<string, unknown>);
  return tags.every((tag): tag is [string, string] => typeof tag[1] === 'string')
    ? Object.fromEntries(tags.map(([name, text]) => [name.toWellFormed(), text.toWellFormed()]))
    : null;
}

/**
 * A list as it is at this moment, each entry read once and by its number: the user's own may answer differently when it is
 * asked again, and what was checked must be what is committed.
 */
function copied(problems: string[], list: readonly unknown[], where: () => string): unknown[] {
  const copy: unknown[] = [];
  for (let at = 0; at < list.length; at++) {
    const item = list[at];
    // Also the end of a list that claims to have billions of entries.
    if (item === undefined && !(at in list)) {
      problems.push(`${where()} has nothing at ${at}`);
      break;
    }
    copy.push(item);
  }
  return copy;
}
