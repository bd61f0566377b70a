/** The shape of a whole state: what each field must be, and that columns are as long as what they are columns of. */
import type {
  CronTimes,
  Freshness,
  KnownAsset,
  KnownGathered,
  KnownPipeline,
  KnownSensor,
} from '../../model/known-pipeline.ts';
import { incidentsShape } from './incidents-shape.ts';
import type { JsonValue } from '../../model/json-value.ts';
import type { MoveMark } from '../../model/move-mark.ts';
import type { TouchedBy } from '../../model/pending-run.ts';
import {
  anything,
  count,
  entries,
  id,
  finite,
  fits,
  is,
  letters,
  list,
  type Misfit,
  misfit,
  object,
  oneOf,
  optional,
  orNull,
  type Shape,
  text,
  time,
  tuple,
  where,
} from '../../model/shape.ts';
import type { PoolShare, PoolStarts } from '../pools.ts';
import { outcomeShape, ownerFields, reasonShape, tickShape } from './record-shapes.ts';
import {
  type AssetEntry,
  entryOf,
  type ExecutorEntry,
  type LastCommit,
  LAST_SERIAL,
  type RetryEntry,
  type RunGroup,
  SCHEMA,
  type SensorEntry,
  type SetEntry,
  type StateDocument,
  type StatusColumn,
} from './state-document.ts';
import { STATUS_LETTERS } from './statuses.ts';
import { countLines, isVersionLines } from './version-lines.ts';

const isTrue = is<true>((value) => value === true, 'true');

const pipeline = object<KnownPipeline>({
  file: text,
  stamp: text,
  sets: list(text),
  concurrency: count,
  assets: list(
    object<KnownAsset>({
      name: text,
      set: orNull(text),
      inputs: list(text),
      deps: list(text),
      gathers: optional(
        list(
          object<KnownGathered>({
            asset: text,
            last: optional(count),
            mapped: optional(isTrue),
            unasked: optional((value) => (value === 'all' ? null : list(text)(value))),
          }),
        ),
      ),
      codeVersion: optional(text),
      automate: optional(oneOf('missing', 'stale')),
      later: optional(list(finite)),
      freshFor: optional(object<Freshness>({ warnMs: optional(finite), failMs: optional(finite) })),
      takesBacklog: optional(isTrue),
    }),
  ),
  sensors: list(
    object<KnownSensor>({
      name: text,
      // JSON has numbers like 1e999: read as infinite, they would be written as null.
      minimumIntervalSeconds: finite,
      cron: optional(object<CronTimes>({ line: text, timeZone: orNull(text) })),
      timeoutSeconds: finite,
      defaultStatus: oneOf('RUNNING', 'STOPPED'),
      newKeysEveryMs: optional(finite),
      typedCursor: optional(isTrue),
    }),
  ),
});

const set = where(
  object<SetEntry>({
    keys: list(text),
    added: list(tuple(count, time)),
    keptOut: list(text),
    versions: optional(is<string>(isVersionLines, 'lines of text in which \\ stands before \\ or n only')),
    items: optional(list<JsonValue>(anything)),
  }),
  ({ keys, added, versions = '', items = [] }) => {
    if (added.reduce((sum, [size]) => sum + size, 0) !== keys.length)
      return misfit(`counts that add up to the ${keys.length} keys`, '.added');
    for (const [name, length] of Object.entries({ versions: countLines(versions), items: items.length }))
      if (length > keys.length) return misfit(`no longer than the ${keys.length} keys`, `.${name}`);
    return null;
  },
);

const sensor = object<SensorEntry>({
  status: orNull(oneOf('RUNNING', 'STOPPED')),
  cursor: orNull(text),
  version: count,
  lastTick: orNull(tickShape),
  periods: optional(entries(time)),
  quietSince: optional(time),
  runKeys: object({
    ofKeys: entries(letters(/^[1.]*$/, '1 and .')),
    other: list(tuple(text, orNull(text), orNull(text))),
  }),
});

const statuses = {
  set: orNull(text),
  status: letters(new RegExp(`^[${STATUS_LETTERS}]*$`), `the letters ${STATUS_LETTERS}`),
  retries: optional(list<RetryEntry>(tuple(orNull(text), count, orNull(time)))),
};

const touchedBy = object<TouchedBy>({
  version: optional(count),
  code: optional(count),
  upstream: optional(count),
});

const runKeys = list(orNull(text));

const runs = where(
  object<RunGroup>({
    id,
    createdAt: time,
    sensor: orNull(text),
    set: orNull(text),
    assets: list(text),
    reasons: optional(list(reasonShape)),
    tags: entries(text),
    origin: oneOf('tick', 'worker', 'materialize'),
    retryOf: orNull(text),
    owner: orNull(text),
    ownedSince: count,
    numbers: list(count),
    keys: list(orNull(text)),
    runKeys: (value) => {
      if (Array.isArray(value)) return runKeys(value);
      return value === null || value === 'keys' ? null : misfit('a list, "keys" or null');
    },
    status: letters(/^[qsc]*$/, 'q, s and c'),
    interrupted: letters(/^[0-9]*$/, 'digits'),
    startedAt: entries(time),
    done: optional(entries(list(outcomeShape))),
    touched: optional(entries(entries(touchedBy))),
    why: optional(entries(text)),
  }),
  ({ numbers, keys, runKeys, status, interrupted }) => {
    const columns = { keys, runKeys: Array.isArray(runKeys) ? runKeys : keys, status, interrupted };
    for (const [name, column] of Object.entries(columns))
      if (column.length !== numbers.length)
        return misfit(
          typeof column === 'string' ? `${numbers.length} letters long` : `a list of ${numbers.length}`,
          `.${name}`,
        );
    return null;
  },
);

const yesOrNo = is<boolean>((value) => typeof value === 'boolean', 'true or false');

const leaving = object<Extract<MoveMark, { readonly to: string }>>({ to: text, at: time, isOver: yesOrNo });
const arriving = object<Extract<MoveMark, { readonly from: string }>>({ from: text, at: time });

const moveMark: Shape<MoveMark> = (value) => (fits(leaving, value) ? null : arriving(value));

/** Every field of a state. A field of `StateDocument` that stands not here does not compile. */
export const documentShape: Shape<StateDocument> = where(
  object<StateDocument>({
    schema: is((value) => value === SCHEMA, String(SCHEMA)),
    lineage: text,
    serial: where(count, (serial) =>
      serial <= LAST_SERIAL ? null : misfit(`a number of ${LAST_SERIAL} at most`),
    ),
    writtenBy: object({ version: text, at: text }),
    move: optional(moveMark),
    pipeline: orNull(pipeline),
    sets: entries(set),
    assets: entries(
      object<AssetEntry>({
        ...statuses,
        codeVersion: optional(text),
        madeAt: optional(time),
        before: optional(list(object<StatusColumn>(statuses))),
      }),
    ),
    sensors: entries(sensor),
    executors: list(
      object<ExecutorEntry>({
        ...ownerFields,
        slots: count,
        wants: count,
        pools: optional(entries(tuple<PoolShare>(count, count))),
      }),
    ),
    poolStarts: optional(entries(list(tuple<PoolStarts[number]>(finite, count)))),
    runs: list(runs),
    incidents: optional(incidentsShape),
    writers: object({ forgotten: count, last: list(object<LastCommit>({ id: text, serial: count })) }),
  }),
  (document) => misfitAmongAssets(document) ?? misfitAmongSensors(document),
);

/** Letters that stand for no key would be counted as if they did. */
function misfitAmongAssets({ sets, assets }: StateDocument): Misfit | null {
  for (const [name, entry] of Object.entries(assets)) {
    for (const [at, { set, status }] of [entry, ...(entry.before ?? [])].entries()) {
      const found = tooLong(status, set === null ? 1 : sizeOf(sets, set));
      if (found !== null)
        return misfit(found, `.assets.${name}${at === 0 ? '' : `.before[${at - 1}]`}.status`);
    }
  }
  return null;
}

function misfitAmongSensors({ sets, sensors }: StateDocument): Misfit | null {
  for (const [name, { lastTick, runKeys }] of Object.entries(sensors)) {
    // Another sensor's tick would be added to the history of that sensor, with every tick.
    if (lastTick !== null && lastTick.sensor !== name)
      return misfit(`'${name}'`, `.sensors.${name}.lastTick.sensor`);
    for (const [set, spent] of Object.entries(runKeys.ofKeys)) {
      const found = tooLong(spent, sizeOf(sets, set));
      if (found !== null) return misfit(found, `.sensors.${name}.runKeys.ofKeys.${set}`);
    }
  }
  return null;
}

function sizeOf(sets: StateDocument['sets'], name: string): number {
  return entryOf(sets, name)?.keys.length ?? 0;
}

function tooLong(column: string, most: number): string | null {
  return column.length > most ? `no longer than the ${most} that it is for` : null;
}
