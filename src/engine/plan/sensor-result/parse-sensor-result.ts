/** What a sensor returned → a result that can be planned, or everything that is wrong with it. */
import type { Pipeline, SensorDefinition } from '../../../definitions/pipeline.ts';
import { isPlainObject } from '../../../model/json-value.ts';
import { nameOfType } from '../../../model/partition-key.ts';
import type { FailedSource } from '../../../model/tick.ts';
import { CURSOR_LIMIT, ERROR_LIMIT, recordable } from '../../../model/recordable.ts';
import { parsePartitionRequest, type PartitionRequest } from './parse-partition-request.ts';
import { checkFields, readOnce } from './read-once.ts';
import { type RequestedRuns, RunGroups } from './runs-in-columns.ts';
import { parseRunRequest, targetResolver } from './parse-run-request.ts';

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

/** Bytes of a name and of an error in `failures`: there may be thousands. */
const FAILURE_LIMIT = 1024;

const FIELDS = ['cursor', 'dynamicPartitionsRequests', 'runRequests', 'skipReason', 'failures'];

export function parseSensorResult(
  value: unknown,
  sensor: SensorDefinition,
  pipeline: Pipeline,
): ParsedResult {
  if (value === undefined || value === null)
    return { result: { cursor: undefined, requests: [], runs: [], skipReason: null, failures: [] } };
  if (!isPlainObject(value)) {
    return {
      problems: [
        `it is ${nameOfType(value)}; return an object such as { cursor, dynamicPartitionsRequests, runRequests }, or nothing`,
      ],
    };
  }
  const problems: string[] = [];
  const result = value as Record<string, unknown>;
  checkFields(problems, () => 'the result', result, FIELDS);
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
    parsePartitionRequest(problems, request, at, pipeline),
  );
  const requested = listIn(problems, result, 'runRequests');
  const targetOf = targetResolver(sensor, pipeline);
  const groups = new RunGroups();
  requested.forEach((request, at) => parseRunRequest(problems, request, at, { targetOf, groups }));
  const { runs } = groups;
  const failures = listIn(problems, result, 'failures').map((failure, at) =>
    parseFailure(problems, failure, at),
  );
  if (typeof skipReason === 'string' && requested.length > 0)
    problems.push('skipReason and runRequests contradict each other: return one of them');
  if (problems.length > 0)
    return { problems, usable: { cursor: undefined, requests, runs, skipReason: null, failures: [] } };
  return {
    result: {
      cursor: cursor as string | undefined,
      requests,
      runs,
      skipReason: typeof skipReason === 'string' ? recordable(skipReason, ERROR_LIMIT) : null,
      failures,
    },
  };
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

function listIn(problems: string[], result: Record<string, unknown>, field: string): readonly unknown[] {
  const value = result[field];
  if (value === undefined) return [];
  if (Array.isArray(value)) return readOnce(problems, value, () => field);
  problems.push(`${field} must be a list, not ${nameOfType(value)}`);
  return [];
}
