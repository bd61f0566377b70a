/** The rules for a sensor: its options, and the assets that its runs make. */
import { AUTOMATION } from '../../model/run.ts';
import { nameOfType } from '../../model/partition-key.ts';
import type { AnyAsset } from '../asset.ts';
import { kindOf } from '../brand.ts';
import { problemInCronLine } from '../cron-line.ts';
import { isTimeZone } from '../every.ts';
import { isSchema } from '../schema.ts';
import type { Sensor } from '../sensor.ts';
import { checkName } from './names.ts';
import { checkAboveZero, checkDuration, checkKnown } from './options.ts';
import { isRecord, problem, type Problems, said } from './problem.ts';

const OPTIONS = [
  'name',
  'assets',
  'minimumIntervalSeconds',
  'cron',
  'timeZone',
  'timeoutSeconds',
  'cursor',
  'defaultStatus',
  'expectNewKeysEvery',
  'description',
  'tags',
  'evaluate',
];

export function* checkSensor(sensor: Sensor): Problems {
  const { options } = sensor;
  const owner = { definition: sensor, name: `sensor ${said(sensor.name)}` };
  const { name } = owner;
  if (!isRecord(options))
    return yield problem(sensor, 'invalid-sensor', `sensor() takes an object, not ${nameOfType(options)}`);
  yield* checkName(sensor, 'sensor', sensor.name);
  if (sensor.name === AUTOMATION)
    yield problem(
      sensor,
      'invalid-name',
      `'${AUTOMATION}' is the built-in sensor for automated assets: give this sensor another name`,
    );
  yield* checkKnown(owner, options, OPTIONS);
  const { minimumIntervalSeconds, timeoutSeconds, defaultStatus, expectNewKeysEvery } = options;
  if (typeof options.evaluate !== 'function')
    yield problem(sensor, 'invalid-sensor', `${name} has no evaluate function`);
  yield* checkCron(sensor, options);
  yield* checkAboveZero(owner, 'minimumIntervalSeconds', minimumIntervalSeconds, 'seconds');
  yield* checkAboveZero(owner, 'timeoutSeconds', timeoutSeconds, 'seconds');
  if (defaultStatus !== undefined && !['running', 'stopped'].includes(defaultStatus))
    yield problem(sensor, 'invalid-sensor', `defaultStatus of ${name} must be 'running' or 'stopped'`);
  yield* checkDuration(owner, 'expectNewKeysEvery', expectNewKeysEvery);
  if (options.cursor !== undefined && !isSchema(options.cursor))
    yield problem(
      sensor,
      'invalid-option',
      `cursor of ${name} must be a schema with '~standard', as zod, valibot and arktype make them, not ${nameOfType(options.cursor)}`,
    );
}

function* checkCron(sensor: Sensor, { cron, timeZone, minimumIntervalSeconds }: Sensor['options']): Problems {
  const name = `sensor ${said(sensor.name)}`;
  const wrong = cron === undefined ? null : problemInCronLine(cron);
  if (wrong !== null)
    yield problem(
      sensor,
      'invalid-option',
      `cron of ${name} must be five fields such as '0 7 * * mon-fri', not ${JSON.stringify(cron)}: ${wrong}`,
    );
  if (cron !== undefined && minimumIntervalSeconds !== undefined)
    yield problem(
      sensor,
      'invalid-option',
      `${name} has cron and minimumIntervalSeconds: it can tick by one of them`,
    );
  if (timeZone === undefined) return;
  if (cron === undefined)
    yield problem(sensor, 'invalid-option', `timeZone of ${name} says nothing without cron`);
  if (!isTimeZone(timeZone))
    yield problem(
      sensor,
      'invalid-option',
      `timeZone of ${name} must be a time zone such as 'Europe/Berlin', not ${JSON.stringify(timeZone)}`,
    );
}

/** The assets of a sensor must be in the pipeline. */
export function* checkTargets(sensor: Sensor, assets: ReadonlyMap<string, AnyAsset>): Problems {
  const targets: unknown = isRecord(sensor.options) ? (sensor.options.assets ?? []) : [];
  const name = said(sensor.name);
  if (!Array.isArray(targets))
    return yield problem(
      sensor,
      'invalid-sensor',
      `assets of sensor ${name} must be a list of assets, not ${nameOfType(targets)}`,
    );
  for (const target of targets as readonly AnyAsset[]) {
    if (kindOf(target) !== 'asset')
      yield problem(
        sensor,
        'invalid-sensor',
        `assets of sensor ${name} holds ${nameOfType(target)} where an asset is meant`,
      );
    else if (!assets.has(target.name))
      yield problem(
        sensor,
        'unknown-asset',
        `sensor ${name} names asset ${said(target.name)}, which is not in the pipeline; add it to assets of definePipeline`,
      );
  }
}
