/** Builds whole records from the few fields that a test is about, and refuses what could not be. */
import { causeOf, outcomeOf } from '../../src/model/run.ts';
import { asset, type AnyAsset, type AssetOptions } from '../../src/definitions/asset.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { definePipeline, type Pipeline } from '../../src/definitions/pipeline.ts';
import type { FinalRunStatus, RunRecord } from '../../src/model/run.ts';
import { sensor, type SensorOptions } from '../../src/definitions/sensor.ts';
import { knownOf as realKnownOf } from '../../src/loader/known-pipeline.ts';
import type { TickRecord } from '../../src/model/tick.ts';
import type { KnownPipeline } from '../../src/model/known-pipeline.ts';
import type { ExecutorSigns } from '../../src/state/state-view.ts';
import type { FinishedRun, QueuedRuns, StateChange } from '../../src/state/changes.ts';

/** The time at which most things happen in tests. */
export const AT = '2026-01-01T00:00:00.000Z';

/** The set of most tests. */
export const letters = dynamicPartitions('letters');

/** What can be seen of an executor that has nothing in hand. */
export function signs(fields: Partial<ExecutorSigns> = {}): ExecutorSigns {
  const nothing = {
    begun: new Map(),
    blockedSince: null,
    atWork: null,
    interrupted: new Set<string>(),
    programs: [],
  };
  return { alive: true, visible: true, lastSeen: AT, ...nothing, ...fields };
}

/** A tick as the history keeps it. */
export function tickRecord(fields: Partial<TickRecord> & Pick<TickRecord, 'sensor'>): TickRecord {
  const tick: TickRecord = {
    status: 'SKIPPED',
    startedAt: AT,
    finishedAt: AT,
    cursor: { before: null, after: null },
    partitions: [],
    runs: [],
    skippedRunKeys: [],
    skipReason: null,
    failures: [],
    error: null,
    busy: null,
    ...fields,
  };
  if (Number.isNaN(Date.parse(tick.startedAt))) throw new Error(`${tick.startedAt} is no time`);
  return tick;
}

/** Runs to be queued: by default for a tick, without run keys. */
export function queuedRuns(fields: Partial<QueuedRuns> & Pick<QueuedRuns, 'keys'>): QueuedRuns {
  const runs: QueuedRuns = {
    group: 'g',
    createdAt: AT,
    sensor: null,
    set: fields.keys[0] === null ? null : 'letters',
    assets: ['audio'],
    tags: {},
    origin: 'tick',
    retryOf: null,
    firstNumber: 1,
    runKeys: null,
    ...fields,
  };
  if (runs.keys.length === 0) throw new Error('no runs are no group');
  if (runs.keys.some((key) => (key === null) !== (runs.set === null)))
    throw new Error('a run has a key exactly when it has a set');
  if (runs.runKeys !== null && runs.runKeys.length !== runs.keys.length)
    throw new Error('there is a run key for each run, or for none');
  return runs;
}

/** The end of a run. */
export function finishedRun(
  fields: Partial<Omit<RunRecord, 'status'>> & {
    readonly id: string;
    readonly status: FinalRunStatus;
    readonly set?: string | null;
  },
): FinishedRun {
  const { set, ...given } = fields;
  const partitionKey = given.partitionKey ?? null;
  if (set !== undefined && (set === null) !== (partitionKey === null))
    throw new Error('a run has a key exactly when it has a set');
  return {
    record: {
      partitionKey,
      sensor: null,
      runKey: null,
      cause: causeOf({ sensor: given.sensor ?? null, retryOf: given.retryOf ?? null }),
      tags: {},
      attempts: 1,
      retryOf: null,
      error: null,
      assets: [outcomeOf({ asset: 'audio', status: given.status, attempts: 1, metadata: {} })],
      createdAt: AT,
      startedAt: AT,
      finishedAt: AT,
      ...given,
    },
    set: set ?? (partitionKey === null ? null : 'letters'),
  };
}

/** Keys that are added. */
export function keysAdded(set: string, keys: readonly string[], at = AT): StateChange {
  if (new Set(keys).size !== keys.length) throw new Error('a planner adds each key once');
  return { type: 'keys-added', set, keys, at };
}

/** What most pipelines of tests are: two assets by letter, one of them downstream, and one without partitions. */
export function lettersPipeline(
  options: {
    readonly audio?: Partial<AssetOptions<unknown>>;
    readonly transcript?: Partial<AssetOptions<unknown>>;
    readonly report?: Partial<AssetOptions<unknown>>;
    readonly feed?: Partial<SensorOptions>;
    readonly concurrency?: number;
  } = {},
): Pipeline {
  const audio = asset({
    name: 'audio',
    partitions: letters,
    materialize: ({ partitionKey }) => `audio of ${partitionKey}`,
    ...options.audio,
  } as AssetOptions<unknown>);
  const transcript = asset({
    name: 'transcript',
    partitions: letters,
    inputs: { audio },
    materialize: ({ inputs }: { inputs: { audio: unknown } }) => `words of ${String(inputs.audio)}`,
    ...options.transcript,
  } as AssetOptions<unknown>);
  const report = asset({
    name: 'report',
    materialize: () => 'report',
    ...options.report,
  } as AssetOptions<unknown>);
  const feed = sensor({ name: 'feed', assets: [audio], evaluate: () => undefined, ...options.feed });
  return definePipeline({
    assets: [audio, transcript, report],
    sensors: [feed],
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
  });
}

/** An asset that only has to be there. */
export function idle(name: string, options: Partial<AssetOptions<unknown>> = {}): AnyAsset {
  return asset({ name, materialize: () => null, ...options } as AssetOptions<unknown>);
}

/** What a state remembers of a pipeline. */
export function knownOf(pipeline: Pipeline): KnownPipeline {
  return realKnownOf(pipeline, '/pipeline.ts', '1');
}
