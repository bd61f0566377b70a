/** A pipeline: assets, sensors and sets, checked as a whole. */
import type { AnyAsset, Asset, FreshFor, RetryPolicy } from './asset.ts';
import { brand } from './brand.ts';
import { type NamedCheck, namedChecks } from './check.ts';
import { type Every, parseAt } from './every.ts';
import { allAbove, type Gathered, gatheredBy, isAsset, sparedBy, withStages } from './gathered.ts';
import type { IoManager } from './io-manager.ts';
import type { DynamicPartitions, ItemSchema, RetainOptions } from './partitions.ts';
import { type NotifyDefinition, resolveNotify } from './notify.ts';
import type { PipelineOptions } from './pipeline-options.ts';
import type { StandardSchema } from './schema.ts';
import { type PoolOption, type Pools, poolsIn } from './pool.ts';
import { checkPipeline } from './rules/pipeline.ts';
import { parseDuration } from '../model/duration.ts';
import type { CronTimes, Freshness } from '../model/known-pipeline.ts';
import { parseRemovalLimit } from '../model/removal-limit.ts';
import { AUTOMATION } from '../model/run.ts';
import type { HistoryRetention } from '../model/history-retention.ts';
import type { PipelineProblem } from '../model/failures/pipeline.ts';
import { DEFAULT_INTERVAL_SECONDS, DEFAULT_TIMEOUT_SECONDS, type Sensor } from './sensor.ts';

/** Runs executed at the same time unless the pipeline or `--concurrency` says otherwise (Dagster's default). */
const DEFAULT_CONCURRENCY = 10;

/** Runs that `automation` requests in one tick unless the pipeline says otherwise. */
const DEFAULT_PER_TICK = 10_000;

/** An asset with every default filled in. */
export interface AssetDefinition {
  readonly name: string;
  readonly set: string | null;
  /** Names of upstream assets of the same key, by input name. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly deps: readonly string[];
  /** `inputs` and `deps` together, each once. */
  readonly upstream: readonly string[];
  /** Of which upstream assets it takes many keys. */
  readonly gathers: readonly Gathered[];
  /** How many of these keys, where they may be left out, need not be there before automation asks; `null`: any number. */
  readonly waitFor: number | null;
  /** How often keys are gathered on the way to it: what has an earlier stage is made first, in runs of its own. */
  readonly stage: number;
  readonly retry: RetryWithin;
  /** Milliseconds from each failure to the next request of the key; `null`: it waits for a person. */
  readonly later: readonly number[] | null;
  readonly timeoutMs: number | null;
  readonly concurrency: number | null;
  /** How many keys its code is given at once; `null`: each by itself. */
  readonly batch: number | null;
  /** Its name, or what says it; `null`: none. */
  readonly pool: PoolOption | null;
  /** Whether its code runs in a process of its own. */
  readonly isIsolated: boolean;
  readonly codeVersion: string | null;
  /** `null`: nobody asks how old its newest value is. */
  readonly freshFor: Freshness | null;
  /** `null`: only made where somebody asks. */
  readonly automate: Automation | null;
  /** By name, in their order. */
  readonly checks: ReadonlyMap<string, NamedCheck>;
  readonly materialize: Asset['options']['materialize'];
}

/** How an asset is tried again within a run. */
export type RetryWithin = Required<Omit<RetryPolicy, 'later'>>;

/** When an asset is made by itself, with every default filled in. */
export interface Automation {
  readonly when: 'missing' | 'stale';
  readonly only: ((key: string, item: unknown) => boolean) | null;
  readonly takesBacklog: boolean;
  /** `null`: whenever there is something to make. */
  readonly every: Every | null;
}

/** By which rule keys of a set leave it, with every default filled in. */
export interface Retention {
  readonly keepLast: number | null;
  /** Milliseconds. */
  readonly olderThan: number | null;
  readonly purge: boolean;
  /** How many of so many keys may go at once. */
  readonly most: (total: number) => number;
}

/** A sensor with every default filled in. */
export interface SensorDefinition {
  readonly name: string;
  readonly assets: readonly string[];
  readonly minimumIntervalSeconds: number;
  /** `null`: it ticks after its interval. */
  readonly cron: CronTimes | null;
  readonly timeoutSeconds: number;
  readonly defaultStatus: 'RUNNING' | 'STOPPED';
  /** Milliseconds without a new key after which it is overdue; `null`: never. */
  readonly newKeysEveryMs: number | null;
  /** What its cursor must be; `null`: it is text. */
  readonly cursor: StandardSchema | null;
  readonly evaluate: Sensor['options']['evaluate'];
}

/** A pipeline without problems. Its assets stand in dependency order. */
export interface Pipeline {
  readonly [brand]: 'pipeline';
  readonly assets: ReadonlyMap<string, AssetDefinition>;
  readonly sensors: ReadonlyMap<string, SensorDefinition>;
  readonly sets: readonly string[];
  /** What the items of a set must be, for sets that say so. */
  readonly items: ReadonlyMap<string, ItemSchema>;
  /** By set, for those that have a rule. */
  readonly retain: ReadonlyMap<string, Retention>;
  readonly ioManager: IoManager | null;
  readonly concurrency: number;
  readonly pools: Pools;
  /** `null`: as many as there are cores, and as much as Node.js allows. */
  readonly processes: { readonly limit: number | null; readonly memoryMb: number | null };
  readonly automation: { readonly perTick: number };
  readonly history: HistoryRetention;
  readonly notify: readonly NotifyDefinition[];
}

/** Requests what automated assets need, and takes out what sets do not retain. It has no function of its own: see `plan-automation`. */
const AUTOMATION_SENSOR: SensorDefinition = {
  name: AUTOMATION,
  assets: [],
  minimumIntervalSeconds: 0,
  cron: null,
  timeoutSeconds: DEFAULT_TIMEOUT_SECONDS,
  defaultStatus: 'RUNNING',
  newKeysEveryMs: null,
  cursor: null,
  evaluate: () => undefined,
};

const problemsOf = Symbol.for('dynpart.pipeline-problems');

/** Thrown by `definePipeline` with every problem of the pipeline in it. */
export class PipelineError extends Error {
  override readonly name = 'PipelineError';
  readonly [problemsOf]: readonly PipelineProblem[];

  constructor(problems: readonly PipelineProblem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this[problemsOf] = problems;
  }

  /** The problems an error carries, also one that another copy of the package threw; `undefined` for any other error. */
  static problemsOf(error: unknown): readonly PipelineProblem[] | undefined {
    return error instanceof Error ? (error as Partial<PipelineError>)[problemsOf] : undefined;
  }
}

/**
 * Makes a pipeline of assets and sensors. Export it as the default of the pipeline file.
 *
 * Assets that are only named as an input, by a sensor or in `deps` belong in `assets` as well.
 *
 * @throws PipelineError with every problem at once: names that are missing or stand twice, unknown upstreams, cycles
 */
export function definePipeline(options: PipelineOptions): Pipeline {
  const problems = checkPipeline(options);
  if (problems.length > 0) throw new PipelineError(problems);
  const assets = (options.assets ?? []).map((asset) => resolveAsset(asset, options));
  const sensors = (options.sensors ?? []).map(resolveSensor);
  const sets = setsOf(options);
  const retain = sets.flatMap(({ name, options: { retain: rule } }) =>
    rule === undefined ? [] : [[name, retentionOf(rule)] as const],
  );
  const isAutomated = retain.length > 0 || assets.some(({ automate }) => automate !== null);
  const builtIn = isAutomated ? [AUTOMATION_SENSOR] : [];
  const schemas = sets.flatMap(({ name, options: { item } }) =>
    item === undefined ? [] : [[name, item] as const],
  );
  return Object.freeze({
    [brand]: 'pipeline' as const,
    assets: withStages(inDependencyOrder(assets)),
    sensors: new Map([...sensors, ...builtIn].map((sensor) => [sensor.name, sensor])),
    sets: [...new Set(sets.map(({ name }) => name))],
    items: new Map(schemas),
    retain: new Map(retain),
    ioManager: options.ioManager ?? null,
    concurrency: options.concurrency ?? DEFAULT_CONCURRENCY,
    pools: poolsIn(options.pools),
    processes: { limit: options.processes?.limit ?? null, memoryMb: options.processes?.memoryMb ?? null },
    automation: { perTick: options.automation?.perTick ?? DEFAULT_PER_TICK },
    history: options.history ?? {},
    notify: resolveNotify(options.notify ?? []),
  });
}

/** Two definitions of one name are one set. */
function setsOf({ partitions = [], assets = [] }: PipelineOptions): DynamicPartitions[] {
  return [...partitions, ...assets.flatMap(({ options }) => options.partitions ?? [])];
}

function resolveAsset({ name, options }: AnyAsset, { isolation }: PipelineOptions): AssetDefinition {
  const inputs = new Map(
    Object.entries(options.inputs ?? {}).flatMap(([input, upstream]) =>
      isAsset(upstream) ? [[input, upstream.name] as const] : [],
    ),
  );
  const deps = (options.deps ?? []).filter(isAsset).map((upstream) => upstream.name);
  return {
    name,
    set: options.partitions?.name ?? null,
    inputs,
    deps,
    upstream: [...new Set([...inputs.values(), ...deps])],
    gathers: gatheredBy(options),
    waitFor: sparedBy(options.automate),
    stage: 0,
    retry: {
      maxRetries: options.retry === undefined ? 0 : (options.retry.maxRetries ?? 1),
      delayMs: options.retry?.delayMs ?? 0,
      backoff: options.retry?.backoff ?? 'constant',
      jitter: options.retry?.jitter ?? 'none',
    },
    later: options.retry?.later?.map((delay) => parseDuration(delay)!) ?? null,
    timeoutMs: options.timeoutMs ?? null,
    concurrency: options.concurrency ?? null,
    batch: options.batch ?? null,
    pool: options.pool ?? null,
    isIsolated: (options.isolation ?? isolation) === 'process',
    codeVersion: options.codeVersion ?? null,
    freshFor: freshnessOf(options.freshFor),
    automate: automationOf(options.automate),
    checks: namedChecks(options.checks),
    materialize: (context) => options.materialize(context),
  };
}

function freshnessOf(freshFor: FreshFor | undefined): Freshness | null {
  if (freshFor === undefined) return null;
  const [warnMs, failMs] = [parseDuration(freshFor.warn), parseDuration(freshFor.fail)];
  return { ...(warnMs !== null && { warnMs }), ...(failMs !== null && { failMs }) };
}

function automationOf(automate: AnyAsset['options']['automate']): Automation | null {
  if (automate === undefined) return null;
  if (typeof automate === 'string') return { when: automate, only: null, takesBacklog: false, every: null };
  const { when, backlog = false, every: period, at, timeZone = null } = automate;
  const only = automate.only === undefined ? null : (key: string, item: unknown) => automate.only!(key, item);
  const every = period === undefined ? null : { period, ...parseAt(period, at)!, timeZone };
  return { when, only, takesBacklog: backlog, every };
}

function retentionOf({ keepLast, olderThan, purge = false, maxRemove = '50%' }: RetainOptions): Retention {
  return {
    keepLast: keepLast ?? null,
    olderThan: olderThan === undefined ? null : parseDuration(olderThan),
    purge,
    most: parseRemovalLimit(maxRemove)!,
  };
}

function resolveSensor({ name, options }: Sensor): SensorDefinition {
  return {
    name,
    assets: (options.assets ?? []).map((asset) => asset.name),
    minimumIntervalSeconds:
      options.cron === undefined ? (options.minimumIntervalSeconds ?? DEFAULT_INTERVAL_SECONDS) : 0,
    cron: options.cron === undefined ? null : { line: options.cron, timeZone: options.timeZone ?? null },
    timeoutSeconds: options.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    defaultStatus: options.defaultStatus === 'stopped' ? 'STOPPED' : 'RUNNING',
    newKeysEveryMs: parseDuration(options.expectNewKeysEvery),
    cursor: options.cursor ?? null,
    evaluate: (context) => options.evaluate(context),
  };
}

/** Upstream first; otherwise in the order of the pipeline file. There is no cycle: the rules have seen to that. */
function inDependencyOrder(assets: readonly AssetDefinition[]): Map<string, AssetDefinition> {
  const byName = new Map(assets.map((asset) => [asset.name, asset]));
  const ordered = new Map<string, AssetDefinition>();
  const place = (asset: AssetDefinition): void => {
    if (ordered.has(asset.name)) return;
    for (const upstream of allAbove(asset)) place(byName.get(upstream)!);
    ordered.set(asset.name, asset);
  };
  for (const asset of assets) place(asset);
  return ordered;
}
