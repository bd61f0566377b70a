/** The fields of what a sensor returned, each read once. What it asks for is parsed elsewhere: most results ask for nothing. */
import { isPlainObject } from '../../../model/json-value.ts';
import { nameOfType } from '../../../model/partition-key.ts';
import { CURSOR_LIMIT, ERROR_LIMIT, recordable } from '../../../model/recordable.ts';
import type { FailedSource } from '../../../model/tick.ts';
import type { PartitionRequest } from './parse-partition-request.ts';
import { checkFields, readOnce } from './read-once.ts';
import type { RequestedRuns } from './runs-in-columns.ts';

/** A sensor's result, checked and with every default filled in. Plain data. */
export interface EvaluatedResult {
  /** `undefined`: the cursor stays. */
  readonly cursor: string | undefined;
  readonly requests: readonly PartitionRequest[];
  readonly runs: readonly RequestedRuns[];
  readonly skipReason: string | null;
  readonly failures: readonly FailedSource[];
}

/** `usable`: the part that could be read, for what else is wrong with it. */
export type ParsedResult =
  | { readonly result: EvaluatedResult }
  | { readonly problems: readonly string[]; readonly usable?: EvaluatedResult };

/** What a result asks for. */
export type Asked = Pick<EvaluatedResult, 'requests' | 'runs'>;

export const NOTHING_ASKED: Asked = { requests: [], runs: [] };

/** As they were returned; `problems` is added to by whoever reads on. */
export interface ResultFields {
  readonly problems: string[];
  readonly cursor: unknown;
  readonly skipReason: unknown;
  readonly requests: readonly unknown[];
  readonly runs: readonly unknown[];
  readonly failures: unknown;
}

/** Bytes of a name and of an error in `failures`: there may be thousands. */
const FAILURE_LIMIT = 1024;

const FIELDS = ['cursor', 'dynamicPartitionsRequests', 'runRequests', 'skipReason', 'failures'];

/** Or why it is no result at all. */
export function fieldsOf(value: unknown): ResultFields | { readonly why: string } {
  const problems: string[] = [];
  if (value === undefined || value === null)
    return {
      problems,
      cursor: undefined,
      skipReason: undefined,
      requests: [],
      runs: [],
      failures: undefined,
    };
  if (!isPlainObject(value))
    return {
      why: `it is ${nameOfType(value)}; return an object such as { cursor, dynamicPartitionsRequests, runRequests }, or nothing`,
    };
  const result = value as Record<string, unknown>;
  checkFields(problems, () => 'the result', result, FIELDS);
  const { cursor, skipReason } = result;
  checkCursor(problems, cursor);
  if (skipReason !== undefined && typeof skipReason !== 'string')
    problems.push(`skipReason must be a string, not ${nameOfType(skipReason)}`);
  const requests = listIn(problems, result['dynamicPartitionsRequests'], 'dynamicPartitionsRequests');
  const runs = listIn(problems, result['runRequests'], 'runRequests');
  return { problems, cursor, skipReason, requests, runs, failures: result['failures'] };
}

/** The result, or everything that is wrong with it. */
export function resultOf(
  { problems, cursor, skipReason, runs: requested, failures: failed }: ResultFields,
  asked: Asked,
): ParsedResult {
  const failures = listIn(problems, failed, 'failures').map((failure, at) =>
    parseFailure(problems, failure, at),
  );
  if (typeof skipReason === 'string' && requested.length > 0)
    problems.push('skipReason and runRequests contradict each other: return one of them');
  if (problems.length > 0)
    return { problems, usable: { ...asked, cursor: undefined, skipReason: null, failures: [] } };
  return {
    result: {
      ...asked,
      cursor: cursor as string | undefined,
      skipReason: typeof skipReason === 'string' ? recordable(skipReason, ERROR_LIMIT) : null,
      failures,
    },
  };
}

function checkCursor(problems: string[], cursor: unknown): void {
  if (cursor === undefined) return;
  if (typeof cursor !== 'string') {
    problems.push(`cursor must be a string, not ${nameOfType(cursor)}`);
    return;
  }
  if (!cursor.isWellFormed()) problems.push('cursor holds half of a surrogate pair, which is no text');
  if (cursor.length * 3 > CURSOR_LIMIT && Buffer.byteLength(cursor) > CURSOR_LIMIT)
    problems.push(`cursor has ${Buffer.byteLength(cursor)} bytes; it may have ${CURSOR_LIMIT}`);
}

function parseFailure(problems: string[], failure: unknown, at: number): FailedSource {
  const where = `failures[${at}]`;
  if (!isPlainObject(failure)) {
    problems.push(`${where} must be { name, error }, not ${nameOfType(failure)}`);
    return { name: '', error: '' };
  }
  const { name, error } = failure as Record<string, unknown>;
  checkFields(problems, () => where, failure, ['name', 'error']);
  for (const [field, value] of Object.entries({ name, error }))
    if (typeof value !== 'string')
      problems.push(`${where}.${field} must be a string, not ${nameOfType(value)}`);
  return {
    name: recordable(typeof name === 'string' ? name : '', FAILURE_LIMIT),
    error: recordable(typeof error === 'string' ? error : '', FAILURE_LIMIT),
  };
}

function listIn(problems: string[], value: unknown, field: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return readOnce(problems, value, () => field);
  problems.push(`${field} must be a list, not ${nameOfType(value)}`);
  return [];
}
