/** The rules a pipeline must keep: each looks at the whole and reports every problem that it finds. */
import type { PipelineProblem } from '../model/failure.ts';
import type { AnyAsset } from './asset.ts';
import { type DefinitionKind, kindOf } from './brand.ts';
import { didYouMean, nearest } from '../model/nearest.ts';
import { nameOfType } from '../model/partition-key.ts';
import type { PipelineOptions } from './pipeline-options.ts';
import { placeText } from '../model/place.ts';
import type { Sensor } from './sensor.ts';

const NAME = /^(?!__proto__$)[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$/;

const FIELDS = {
  pipeline: ['assets', 'sensors', 'partitions', 'ioManager', 'concurrency', 'history'],
  history: ['days', 'runs', 'ticks'],
  asset: [
    'name',
    'partitions',
    'inputs',
    'deps',
    'retry',
    'timeoutMs',
    'concurrency',
    'description',
    'group',
    'tags',
    'materialize',
  ],
  retry: ['maxRetries', 'delayMs', 'backoff', 'jitter'],
  sensor: [
    'name',
    'assets',
    'minimumIntervalSeconds',
    'timeoutSeconds',
    'defaultStatus',
    'description',
    'tags',
    'evaluate',
  ],
};

/** Everything that is wrong with a pipeline; empty when nothing is. */
export function checkPipeline(options: PipelineOptions): PipelineProblem[] {
  const problems: PipelineProblem[] = [];
  const report: Report = (definition, code, message) => {
    problems.push({ code, message, place: placeText(definition) });
  };
  if (!isRecord(options)) {
    report(
      null,
      'invalid-pipeline',
      `definePipeline takes an object with assets and sensors, not ${nameOfType(options)}`,
    );
    if (Array.isArray(options)) checkParts(report, partsIn(options));
    return problems;
  }
  unknownFields(report, null, 'the pipeline', { of: options, known: FIELDS.pipeline });
  positive(report, null, 'the pipeline', {
    field: 'concurrency',
    value: options.concurrency,
    unit: 'a whole number',
  });
  checkHistory(report, options.history);
  const given = withFieldsMeant(options);
  checkParts(report, {
    assets: listOf<AnyAsset>(report, given['assets'], 'assets', 'asset'),
    sensors: listOf<Sensor>(report, given['sensors'], 'sensors', 'sensor'),
    sets: listOf<{ name: string }>(report, given['partitions'], 'partitions', 'dynamic-partitions'),
  });
  if (problems.length === 0) checkCycles(report, options.assets ?? []);
  checkIoManager(report, options.ioManager);
  return problems;
}

interface Parts {
  readonly assets: readonly AnyAsset[];
  readonly sensors: readonly Sensor[];
  readonly sets: readonly { readonly name: string }[];
}

function checkParts(report: Report, { assets, sensors, sets }: Parts): void {
  for (const set of sets) goodName(report, set, 'set', set.name);
  for (const asset of assets) checkAsset(report, asset);
  for (const sensor of sensors) checkSensor(report, sensor);
  uniqueNames(report, 'asset', assets);
  uniqueNames(report, 'sensor', sensors);
  checkUpstreams(report, assets);
  checkTargets(report, sensors, assets);
}

/** The definitions among whatever was given, so that a mistake around them does not hide the mistakes in them. */
function partsIn(values: readonly unknown[]): Parts {
  const of = <T>(kind: DefinitionKind): T[] => values.filter((value) => kindOf(value) === kind) as T[];
  return { assets: of('asset'), sensors: of('sensor'), sets: of('dynamic-partitions') };
}

/** The options, also those whose name is misspelt: it was reported, and what it holds is looked at all the same. */
function withFieldsMeant(options: object): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = { ...options };
  for (const field of Object.keys(options)) {
    const [meant] = FIELDS.pipeline.includes(field) ? [] : nearest(field, FIELDS.pipeline);
    if (meant !== undefined) given[meant] ??= given[field];
  }
  return given;
}

function checkHistory(report: Report, history: unknown): void {
  if (history === undefined) return;
  if (!isRecord(history))
    return report(
      null,
      'invalid-option',
      `history of the pipeline must be an object such as { days: 90 }, not ${nameOfType(history)}`,
    );
  unknownFields(report, null, 'history of the pipeline', { of: history, known: FIELDS.history });
  const { days, runs, ticks } = history as Readonly<Record<string, unknown>>;
  positive(report, null, 'the pipeline', { field: 'history.days', value: days, unit: 'days' });
  for (const [field, value] of Object.entries({ runs, ticks })) {
    positive(report, null, 'the pipeline', { field: `history.${field}`, value, unit: 'a whole number' });
  }
}

type Report = (definition: unknown, code: string, message: string) => void;

function checkAsset(report: Report, asset: AnyAsset): void {
  const { options } = asset;
  const name = `asset ${said(asset.name)}`;
  if (!isRecord(options))
    return report(asset, 'invalid-asset', `asset() takes an object, not ${nameOfType(options)}`);
  goodName(report, asset, 'asset', asset.name);
  unknownFields(report, asset, name, { of: options, known: FIELDS.asset });
  if (typeof options.materialize !== 'function') {
    report(asset, 'invalid-asset', `${name} has no materialize function`);
  }
  if (options.partitions !== undefined) {
    if (kindOf(options.partitions) !== 'dynamic-partitions') {
      report(
        asset,
        'invalid-asset',
        `partitions of ${name} must come from dynamicPartitions(), not be ${nameOfType(options.partitions)}`,
      );
    } else goodName(report, options.partitions, 'set', options.partitions.name);
  }
  positive(report, asset, name, { field: 'timeoutMs', value: options.timeoutMs, unit: 'milliseconds' });
  positive(report, asset, name, { field: 'concurrency', value: options.concurrency, unit: 'a whole number' });
  checkRetry(report, asset, name);
}

function checkRetry(report: Report, asset: AnyAsset, name: string): void {
  const { retry } = asset.options;
  if (retry === undefined) return;
  if (!isRecord(retry))
    return report(asset, 'invalid-asset', `retry of ${name} must be an object, not ${nameOfType(retry)}`);
  unknownFields(report, asset, `retry of ${name}`, { of: retry, known: FIELDS.retry });
  const { maxRetries, delayMs, backoff, jitter } = retry;
  if (maxRetries !== undefined && !(Number.isInteger(maxRetries) && maxRetries >= 0)) {
    report(asset, 'invalid-asset', `retry.maxRetries of ${name} must be a whole number of 0 or more`);
  }
  if (delayMs !== undefined && !(Number.isFinite(delayMs) && delayMs >= 0)) {
    report(asset, 'invalid-asset', `retry.delayMs of ${name} must be milliseconds, 0 or more`);
  }
  if (backoff !== undefined && !['constant', 'linear', 'exponential'].includes(backoff)) {
    report(asset, 'invalid-asset', `retry.backoff of ${name} must be 'constant', 'linear' or 'exponential'`);
  }
  if (jitter !== undefined && !['none', 'full', 'plus-minus'].includes(jitter)) {
    report(asset, 'invalid-asset', `retry.jitter of ${name} must be 'none', 'full' or 'plus-minus'`);
  }
}

function checkSensor(report: Report, sensor: Sensor): void {
  const { options } = sensor;
  const name = `sensor ${said(sensor.name)}`;
  if (!isRecord(options))
    return report(sensor, 'invalid-sensor', `sensor() takes an object, not ${nameOfType(options)}`);
  goodName(report, sensor, 'sensor', sensor.name);
  unknownFields(report, sensor, name, { of: options, known: FIELDS.sensor });
  if (typeof options.evaluate !== 'function')
    report(sensor, 'invalid-sensor', `${name} has no evaluate function`);
  positive(report, sensor, name, {
    field: 'minimumIntervalSeconds',
    value: options.minimumIntervalSeconds,
    unit: 'seconds',
  });
  positive(report, sensor, name, { field: 'timeoutSeconds', value: options.timeoutSeconds, unit: 'seconds' });
  if (options.defaultStatus !== undefined && !['running', 'stopped'].includes(options.defaultStatus)) {
    report(sensor, 'invalid-sensor', `defaultStatus of ${name} must be 'running' or 'stopped'`);
  }
}

/** An upstream must be in the pipeline, and hand over the value of the same key or the only one there is. */
function checkUpstreams(report: Report, assets: readonly AnyAsset[]): void {
  const byName = new Map(assets.map((asset) => [asset.name, asset]));
  for (const asset of assets) {
    if (!isRecord(asset.options)) continue;
    const { inputs = {}, deps = [] } = asset.options;
    if (!isRecord(inputs)) {
      report(
        asset,
        'invalid-asset',
        `inputs of asset ${said(asset.name)} must be an object of assets, not ${nameOfType(inputs)}`,
      );
      continue;
    }
    if (!Array.isArray(deps)) {
      report(
        asset,
        'invalid-asset',
        `deps of asset ${said(asset.name)} must be a list of assets, not ${nameOfType(deps)}`,
      );
      continue;
    }
    const named = Object.entries(inputs).map(([input, upstream]) => ({
      where: `input '${input}'`,
      upstream,
    }));
    // A comma too many leaves a hole, which only a copy makes visible.
    const ordered = [...(deps as readonly AnyAsset[])].map((upstream) => ({ where: 'deps', upstream }));
    for (const { where, upstream } of [...named, ...ordered]) {
      if (kindOf(upstream) !== 'asset') {
        report(
          asset,
          'invalid-asset',
          `${where} of asset ${said(asset.name)} must be an asset, not ${nameOfType(upstream)}`,
        );
      } else if (!byName.has(upstream.name)) {
        report(
          asset,
          'unknown-upstream',
          `${where} of asset ${said(asset.name)} is asset ${said(upstream.name)}, which is not in the pipeline; add it to assets of definePipeline`,
        );
      } else if (setOf(upstream) !== undefined && setOf(upstream) !== setOf(asset)) {
        const own = setOf(asset);
        report(
          asset,
          'different-partitions',
          `asset ${said(upstream.name)} (${where} of ${said(asset.name)}) is partitioned by ${said(setOf(upstream))}, and ${said(asset.name)} ${own === undefined ? 'has no partitions' : `by ${said(own)}`}: only a value of the same key can be handed on`,
        );
      }
    }
  }
}

function checkTargets(report: Report, sensors: readonly Sensor[], assets: readonly AnyAsset[]): void {
  const names = new Set(assets.map((asset) => asset.name));
  for (const sensor of sensors) {
    const targets: unknown = isRecord(sensor.options) ? (sensor.options.assets ?? []) : [];
    if (!Array.isArray(targets)) {
      report(
        sensor,
        'invalid-sensor',
        `assets of sensor ${said(sensor.name)} must be a list of assets, not ${nameOfType(targets)}`,
      );
      continue;
    }
    for (const target of targets as readonly AnyAsset[]) {
      if (kindOf(target) !== 'asset') {
        report(
          sensor,
          'invalid-sensor',
          `assets of sensor ${said(sensor.name)} holds ${nameOfType(target)} where an asset is meant`,
        );
      } else if (!names.has(target.name)) {
        report(
          sensor,
          'unknown-asset',
          `sensor ${said(sensor.name)} names asset ${said(target.name)}, which is not in the pipeline; add it to assets of definePipeline`,
        );
      }
    }
  }
}

/** Two assets can only name each other by a trick (a getter, a changed object), but then nothing would ever end. */
function checkCycles(report: Report, assets: readonly AnyAsset[]): void {
  const upstreams = new Map(
    assets.map(({ name, options }) => [
      name,
      [...Object.values(options.inputs ?? {}), ...(options.deps ?? [])].map((upstream) => upstream.name),
    ]),
  );
  const done = new Set<string>();
  const visit = (asset: AnyAsset, name: string, path: readonly string[]): void => {
    if (done.has(name)) return;
    const start = path.indexOf(name);
    if (start >= 0) {
      report(
        asset,
        'cycle',
        `assets depend on each other in a circle: ${[...path.slice(start), name].join(' → ')}`,
      );
      for (const member of path.slice(start)) done.add(member);
      return;
    }
    for (const upstream of upstreams.get(name) ?? []) visit(asset, upstream, [...path, name]);
    done.add(name);
  };
  for (const asset of assets) visit(asset, asset.name, []);
}

function checkIoManager(report: Report, ioManager: unknown): void {
  if (ioManager === undefined) return;
  const manager = isRecord(ioManager) ? (ioManager as Record<string, unknown>) : {};
  for (const method of ['save', 'load', 'remove']) {
    if (typeof manager[method] !== 'function') {
      report(null, 'invalid-io-manager', `ioManager of the pipeline has no function '${method}'`);
    }
  }
}

function listOf<T>(report: Report, value: unknown, field: string, kind: DefinitionKind): T[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report(null, 'invalid-pipeline', `${field} of the pipeline must be a list, not ${nameOfType(value)}`);
    const values = kindOf(value) === undefined && isRecord(value) ? Object.values(value) : [value];
    return values.filter((item) => kindOf(item) === kind) as T[];
  }
  return [...(value as unknown[])].filter((item, index) => {
    if (kindOf(item) === kind) return true;
    const maker = kind === 'dynamic-partitions' ? 'dynamicPartitions' : kind;
    report(
      null,
      'invalid-pipeline',
      `${field}[${index}] of the pipeline must come from ${maker}(), not be ${nameOfType(item)}`,
    );
    return false;
  }) as T[];
}

function uniqueNames(report: Report, what: string, definitions: readonly { readonly name: string }[]): void {
  const seen = new Map<string, unknown>();
  for (const definition of definitions) {
    // One without a usable name was reported as such.
    if (typeof definition.name !== 'string') continue;
    const first = seen.get(definition.name);
    if (first === undefined) seen.set(definition.name, definition);
    else if (first !== definition) {
      const place = placeText(first);
      report(
        definition,
        `duplicate-${what}`,
        `there are two ${what}s named '${definition.name}'${place === null ? '' : `; the first is at ${place}`}`,
      );
    } else report(definition, `duplicate-${what}`, `${what} '${definition.name}' stands in the list twice`);
  }
}

function goodName(report: Report, definition: unknown, what: string, name: unknown): void {
  if (typeof name === 'string' && NAME.test(name)) return;
  const said = typeof name === 'string' ? JSON.stringify(name) : nameOfType(name);
  report(
    definition,
    'invalid-name',
    `${said} is no name for ${what === 'asset' ? 'an' : 'a'} ${what}: use letters, digits, '_', '-' and '.', at most 200`,
  );
}

interface Measure {
  readonly field: string;
  readonly value: unknown;
  readonly unit: 'milliseconds' | 'seconds' | 'days' | 'a whole number';
}

function positive(report: Report, definition: unknown, owner: string, { field, value, unit }: Measure): void {
  if (value === undefined) return;
  const whole = unit === 'a whole number';
  if (typeof value === 'number' && Number.isFinite(value) && value > 0 && (!whole || Number.isInteger(value)))
    return;
  report(
    definition,
    'invalid-option',
    `${field} of ${owner} must be ${whole ? unit : `a number of ${unit}`} above 0`,
  );
}

interface Fields {
  readonly of: object;
  readonly known: readonly string[];
}

function unknownFields(report: Report, definition: unknown, owner: string, { of, known }: Fields): void {
  for (const field of Object.keys(of)) {
    if (known.includes(field)) continue;
    report(
      definition,
      'unknown-option',
      `${owner} has an unknown option '${field}'${didYouMean(field, known)}`,
    );
  }
}

/** A name as a message says it. What is no string was reported as such; it may even be a symbol, which no text can hold. */
function said(name: unknown): string {
  return typeof name === 'string' ? `'${name}'` : `(${nameOfType(name)})`;
}

function setOf(asset: AnyAsset): string | undefined {
  return isRecord(asset.options) ? asset.options.partitions?.name : undefined;
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
