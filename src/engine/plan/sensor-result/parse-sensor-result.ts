/** What a sensor returned → a result that can be planned, or everything that is wrong with it. */
import type { Pipeline, SensorDefinition } from '../../../definitions/pipeline.ts';
import { parsePartitionRequest } from './parse-partition-request.ts';
import { parseRunRequest, targetResolver } from './parse-run-request.ts';
import { type Asked, fieldsOf, type ParsedResult, type ResultFields, resultOf } from './result-fields.ts';
import { RunGroups } from './runs-in-columns.ts';

export function parseSensorResult(
  value: unknown,
  sensor: SensorDefinition,
  pipeline: Pipeline,
): ParsedResult {
  const fields = fieldsOf(value);
  if ('why' in fields) return { problems: [fields.why] };
  return resultOf(fields, parseAsked(fields, sensor, pipeline));
}

/** What is wrong is added to the problems; what is right is in the answer all the same. */
export function parseAsked(
  { problems, requests, runs }: ResultFields,
  sensor: SensorDefinition,
  pipeline: Pipeline,
): Asked {
  const parsed = requests.flatMap((request, at) => parsePartitionRequest(problems, request, at, pipeline));
  const targetOf = targetResolver(sensor, pipeline);
  const groups = new RunGroups();
  runs.forEach((request, at) => parseRunRequest(problems, request, at, { targetOf, groups }));
  return { requests: parsed, runs: groups.runs };
}
