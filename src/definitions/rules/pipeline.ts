/** The rules that a pipeline must keep: every problem of the whole and of its parts, in one report. */
import type { PipelineProblem } from '../../model/failures/pipeline.ts';
import { nearest } from '../../model/nearest.ts';
import { nameOfType } from '../../model/partition-key.ts';
import type { AnyAsset } from '../asset.ts';
import { type DefinitionKind, kindOf } from '../brand.ts';
import { checkNotify } from './notify.ts';
import type { DynamicPartitions } from '../partitions.ts';
import type { PipelineOptions } from '../pipeline-options.ts';
import type { Sensor } from '../sensor.ts';
import { checkAsset } from './asset.ts';
import { checkUniqueNames } from './names.ts';
import { checkAboveZero, checkIsolation, checkKnown } from './options.ts';
import { checkSet } from './partitions.ts';
import { isRecord, problem, type Problems } from './problem.ts';
import { checkPoolOf, checkPools } from './pools.ts';
import { checkSensor, checkTargets } from './sensor.ts';
import { checkCircles, checkUpstreams } from './upstreams.ts';

const OPTIONS = [
  'assets',
  'sensors',
  'partitions',
  'ioManager',
  'concurrency',
  'pools',
  'isolation',
  'processes',
  'automation',
  'history',
  'notify',
];
const PROCESSES_OPTIONS = ['limit', 'memoryMb'];
const HISTORY_OPTIONS = ['days', 'runs', 'ticks'];
const PIPELINE = { definition: null, name: 'the pipeline' };

/** Everything that is wrong with a pipeline; empty when nothing is. */
export function checkPipeline(options: PipelineOptions): PipelineProblem[] {
  if (!isRecord(options)) return [...checkNoPipeline(options)];
  const problems = [...checkOptions(options)];
  problems.push(...checkIoManager(options.ioManager));
  return problems;
}

/** The definitions in a list are looked at all the same, so that a mistake around them does not hide the mistakes in them. */
function* checkNoPipeline(options: unknown): Problems {
  yield problem(
    null,
    'invalid-pipeline',
    `definePipeline takes an object with assets and sensors, not ${nameOfType(options)}`,
  );
  if (!Array.isArray(options)) return;
  yield* checkParts({
    assets: ofKind(options, 'asset'),
    sensors: ofKind(options, 'sensor'),
    sets: ofKind(options, 'dynamic-partitions'),
  });
}

function* checkOptions(options: PipelineOptions): Problems {
  yield* checkKnown(PIPELINE, options, OPTIONS);
  yield* checkAboveZero(PIPELINE, 'concurrency', options.concurrency, 'a whole number');
  yield* checkIsolation(PIPELINE, options.isolation);
  yield* checkProcesses(options.processes);
  yield* checkPools(options.pools);
  yield* checkHistory(options.history);
  yield* checkAutomation(options.automation);
  yield* checkNotify(options.notify);
  const given = withOptionsMeant(options);
  yield* checkParts({
    assets: yield* checkList<AnyAsset>('assets', given['assets'], 'asset'),
    sensors: yield* checkList<Sensor>('sensors', given['sensors'], 'sensor'),
    sets: yield* checkList<DynamicPartitions>('partitions', given['partitions'], 'dynamic-partitions'),
  });
  for (const asset of new Set(ofKind<AnyAsset>(listOf(given['assets']), 'asset')))
    yield* checkPoolOf(asset, given['pools']);
}

interface Parts {
  readonly assets: readonly AnyAsset[];
  readonly sensors: readonly Sensor[];
  readonly sets: readonly DynamicPartitions[];
}

function* checkParts({ assets, sensors, sets }: Parts): Problems {
  for (const set of sets) yield* checkSet(set);
  // What stands in a list twice is wrong once.
  for (const asset of new Set(assets)) yield* checkAsset(asset);
  for (const sensor of new Set(sensors)) yield* checkSensor(sensor);
  yield* checkUniqueNames('asset', assets);
  yield* checkUniqueNames('sensor', sensors);
  const byName = new Map(assets.map((asset) => [asset.name, asset]));
  for (const asset of new Set(assets)) yield* checkUpstreams(asset, byName);
  for (const sensor of new Set(sensors)) yield* checkTargets(sensor, byName);
  yield* checkCircles(assets);
}

/** The options, also under the name that a misspelt one means: its name was reported, and what it holds is looked at all the same. */
function withOptionsMeant(options: object): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = { ...options };
  for (const option of Object.keys(options)) {
    const [meant] = OPTIONS.includes(option) ? [] : nearest(option, OPTIONS);
    if (meant !== undefined) given[meant] ??= given[option];
  }
  return given;
}

function* checkAutomation(automation: unknown): Problems {
  if (automation === undefined) return;
  const name = 'automation of the pipeline';
  if (!isRecord(automation))
    return yield problem(
      null,
      'invalid-option',
      `${name} must be an object such as { perTick: 1000 }, not ${nameOfType(automation)}`,
    );
  yield* checkKnown({ definition: null, name }, automation, ['perTick']);
  const { perTick } = automation as Readonly<Record<string, unknown>>;
  yield* checkAboveZero(PIPELINE, 'automation.perTick', perTick, 'a whole number');
}

function* checkProcesses(processes: unknown): Problems {
  if (processes === undefined) return;
  const name = 'processes of the pipeline';
  if (!isRecord(processes))
    return yield problem(
      null,
      'invalid-option',
      `${name} must be an object such as { limit: 4, memoryMb: 512 }, not ${nameOfType(processes)}`,
    );
  yield* checkKnown({ definition: null, name }, processes, PROCESSES_OPTIONS);
  const { limit, memoryMb } = processes as Readonly<Record<string, unknown>>;
  yield* checkAboveZero(PIPELINE, 'processes.limit', limit, 'a whole number');
  yield* checkAboveZero(PIPELINE, 'processes.memoryMb', memoryMb, 'a whole number');
}

function* checkHistory(history: unknown): Problems {
  if (history === undefined) return;
  if (!isRecord(history))
    return yield problem(
      null,
      'invalid-option',
      `history of the pipeline must be an object such as { days: 90 }, not ${nameOfType(history)}`,
    );
  yield* checkKnown({ definition: null, name: 'history of the pipeline' }, history, HISTORY_OPTIONS);
  const { days, runs, ticks } = history as Readonly<Record<string, unknown>>;
  yield* checkAboveZero(PIPELINE, 'history.days', days, 'days');
  yield* checkAboveZero(PIPELINE, 'history.runs', runs, 'a whole number');
  yield* checkAboveZero(PIPELINE, 'history.ticks', ticks, 'a whole number');
}

function* checkIoManager(ioManager: unknown): Problems {
  if (ioManager === undefined) return;
  const manager = isRecord(ioManager) ? (ioManager as Record<string, unknown>) : {};
  for (const method of ['save', 'load', 'remove']) {
    if (typeof manager[method] !== 'function')
      yield problem(null, 'invalid-io-manager', `ioManager of the pipeline has no function '${method}'`);
  }
}

/** @returns the definitions in a list, or in what was given in its place */
function* checkList<T>(
  option: string,
  value: unknown,
  kind: DefinitionKind,
): Generator<PipelineProblem, T[], undefined> {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    yield problem(
      null,
      'invalid-pipeline',
      `${option} of the pipeline must be a list, not ${nameOfType(value)}`,
    );
    return ofKind(kindOf(value) === undefined && isRecord(value) ? Object.values(value) : [value], kind);
  }
  const items = [...(value as unknown[])];
  for (const [index, item] of items.entries()) {
    if (kindOf(item) === kind) continue;
    const maker = kind === 'dynamic-partitions' ? 'dynamicPartitions' : kind;
    yield problem(
      null,
      'invalid-pipeline',
      `${option}[${index}] of the pipeline must come from ${maker}(), not be ${nameOfType(item)}`,
    );
  }
  return ofKind(items, kind);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function ofKind<T>(values: readonly unknown[], kind: DefinitionKind): T[] {
  return values.filter((value) => kindOf(value) === kind) as T[];
}
