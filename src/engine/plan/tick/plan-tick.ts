/** What a sensor's result comes to, given the state. Pure: `--dry-run` prints the plan, `tick` commits it. */
import type { SensorDefinition } from '../../../definitions/pipeline.ts';
import { recordOfTick, TICK_RECORD_LIMIT, type TickRecord } from '../../../model/tick.ts';
import { isoTime, type Millis } from '../../../model/time.ts';
import { describe } from '../../../model/describe-failure.ts';
import type { StateChange } from '../../../state/changes.ts';
import type { Needs } from '../../../state/needs.ts';
import type { StateView } from '../../../state/state-view.ts';
import { needsOfCanceling } from '../ends/cancel-runs.ts';
import { queueRuns } from '../queue/queue-runs.ts';
import { onlyWhere, type RequestedRuns } from '../sensor-result/runs-in-columns.ts';
import type { EvaluatedResult } from '../sensor-result/result-fields.ts';
import { together } from '../needs-together.ts';
import { tickRuns } from './tick-runs.ts';
import { SetsAfterRequests } from './sets-after-requests.ts';
import {
  nothingRequested,
  type PlanTickOptions,
  type TickMoment,
  type TickPlan,
  unappliedTick,
} from './tick-record.ts';

/** The plan may cancel runs of keys that leave their set. */
export function needsOfTick(sensor: string, { requests, runs }: EvaluatedResult): Needs {
  const leaving = requests.filter(({ type }) => type === 'delete');
  return {
    sensors: [sensor],
    keys: [
      ...requests.map(({ set, keys, carried }) => ({
        set,
        keys,
        ...(carried && { carried: true as const }),
      })),
      ...runs.flatMap(({ set, keys }) => (set === null ? [] : [{ set, keys }])),
    ],
    runKeys: [{ sensor, runKeys: { [Symbol.iterator]: () => runKeysOf(runs) } }],
    ...together(...leaving.map(({ set, keys }) => needsOfCanceling(set, keys))),
  };
}

/** Plans a tick: requests in the order given, then run requests against the outcome of exactly that order. */
export function planTick(
  view: StateView,
  sensor: SensorDefinition,
  result: EvaluatedResult,
  { moment, owner, listsAllRuns = true }: PlanTickOptions,
): TickPlan {
  const sets = new SetsAfterRequests(view, result, sensor.name, moment.now);
  const partitions = result.requests.map((request) => sets.apply(request));
  const missing = sets.missing(result);
  if (missing.length > 0) return failedTick(view, sensor, moment, missing);

  const { runs, repeated } = firstOfEach(sets.withoutKeptOut(result.runs), sets);
  const { launched, skipped: spent } = withoutSpentRunKeys(view, sensor.name, runs, sets.removed);
  const skipped = [...repeated, ...spent];
  const origin = owner === null ? 'worker' : 'tick';
  const queued = queueRuns(
    moment,
    launched.flatMap(({ set, assets, later = [], tags, keys, runKeys }) => {
      const asked = { set, tags, keys, sensor: sensor.name, origin, retryOf: null } as const;
      return [
        { ...asked, assets, runKeys },
        ...later.map((behind) => ({ ...asked, assets: behind, runKeys: null })),
      ];
    }),
  );
  const before = view.sensor(sensor.name).cursor;
  const after = result.cursor ?? before;
  const acted =
    partitions.some(({ added, updated, removed }) => added.length + updated.length + removed.length > 0) ||
    queued.length > 0;
  const { listed, left } = tickRuns(queued, listsAllRuns ? Infinity : TICK_RECORD_LIMIT);
  const tick: TickRecord = {
    sensor: sensor.name,
    status: acted ? 'SUCCESS' : 'SKIPPED',
    startedAt: isoTime(moment.startedAt),
    finishedAt: isoTime(moment.now),
    cursor: { before, after },
    partitions,
    runs: listed,
    skippedRunKeys: skipped,
    skipReason: result.skipReason ?? (acted ? null : reasonFor(result, skipped)),
    error: null,
    failures: result.failures,
    busy: null,
    ...(left > 0 && { truncated: { keys: 0, runs: left, skippedRunKeys: 0 } }),
  };
  if (!acted && before === after) return { changes: [], tick, queued };
  return {
    changes: [
      ...sets.changes,
      ...queued.map((runs): StateChange => ({ type: 'runs-queued', runs, owner })),
      { type: 'sensor-changed', sensor: sensor.name, cursor: after, tick: recordOfTick(tick) },
    ],
    tick,
    queued,
  };
}

/** Run requests for keys that are not there after the result's own requests, in words. */
export function missingKeys(view: StateView, result: EvaluatedResult, sensor: string, now: Millis): string[] {
  const sets = new SetsAfterRequests(view, result, sensor, now);
  for (const request of result.requests) sets.apply(request);
  return sets.missing(result);
}

function failedTick(
  view: StateView,
  sensor: SensorDefinition,
  moment: TickMoment,
  problems: readonly string[],
): TickPlan {
  const error = describe({ reason: 'sensor-result', sensor: sensor.name, problems });
  return {
    changes: [],
    queued: [],
    tick: unappliedTick(view, sensor.name, moment, { status: 'FAILURE', error }),
  };
}

/** Of requests with one run key the first launches; one that an operator keeps out was none. */
function firstOfEach(
  runs: readonly RequestedRuns[],
  sets: SetsAfterRequests,
): { readonly runs: readonly RequestedRuns[]; readonly repeated: readonly string[] } {
  if (
    runs.length === 1 &&
    sets.areAsAdded(runs[0]!) &&
    runs[0]!.runKeys.every((runKey, at) => runKey === null || runKey === runs[0]!.keys[at])
  )
    return { runs, repeated: [] };
  const firsts = new Map<string, number>();
  for (const { runKeys, numbers } of runs) {
    runKeys.forEach((runKey, at) => {
      if (runKey !== null && numbers[at]! < (firsts.get(runKey) ?? Infinity))
        firsts.set(runKey, numbers[at]!);
    });
  }
  const again: { readonly number: number; readonly runKey: string }[] = [];
  const first = onlyWhere(runs, ({ runKeys, numbers }, at) => {
    const runKey = runKeys[at]!;
    const number = numbers[at]!;
    if (runKey === null || firsts.get(runKey) === number) return true;
    again.push({ number, runKey });
    return false;
  });
  return { runs: first, repeated: again.sort((a, b) => a.number - b.number).map(({ runKey }) => runKey) };
}

/** A run key launches one run per sensor, ever. */
function withoutSpentRunKeys(
  view: StateView,
  sensor: string,
  runs: readonly RequestedRuns[],
  released: ReadonlyMap<string, ReadonlySet<string>>,
): { launched: readonly RequestedRuns[]; skipped: string[] } {
  const spent = view.spentRunKeys(sensor, runKeysOf(runs), released);
  if (spent.size === 0) return { launched: runs, skipped: [] };
  const skipped: string[] = [];
  const launched = onlyWhere(runs, ({ runKeys }, at) => {
    const runKey = runKeys[at]!;
    if (runKey === null || !spent.has(runKey)) return true;
    skipped.push(runKey);
    return false;
  });
  return { launched, skipped };
}

function* runKeysOf(runs: readonly RequestedRuns[]): Generator<string> {
  for (const { runKeys } of runs) for (const runKey of runKeys) if (runKey !== null) yield runKey;
}

/** A tick that did nothing says why, also when the sensor did not. */
function reasonFor(result: EvaluatedResult, skippedRunKeys: readonly string[]): string {
  if (skippedRunKeys.length > 0) return 'all run keys had launched a run before';
  if (result.requests.length > 0) return 'the requests changed nothing';
  return nothingRequested;
}
