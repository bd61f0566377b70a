/** Every invariant of a state, checked one by one. Pure: `state check` prints what it finds, tests ask it after every step. */
import { clean, quoted } from '../../model/text.ts';
import { isSame } from '../../model/incident.ts';
import { whyNotAKey } from '../../model/partition-key.ts';
import { countedAs } from '../../model/partition-status.ts';
import { MAX_EXECUTIONS, runId } from '../../model/run.ts';
import { documentShape } from './document-shape.ts';
import { statusOf } from './statuses.ts';
import {
  entryOf,
  type RunGroup,
  type SensorEntry,
  type StateDocument,
  type StatusColumn,
} from './state-document.ts';

export interface StateProblem {
  readonly code: string;
  readonly message: string;
}

type Report = (code: string, message: string) => void;

export function checkState(document: StateDocument): StateProblem[] {
  const problems: StateProblem[] = [];
  const report: Report = (code, message) => void problems.push({ code, message });
  const misfit = documentShape(document);
  if (misfit !== null) {
    // What follows rests on the shape.
    report('shape', clean(`${misfit.place.slice(1)} should be ${misfit.expected}`));
    return problems;
  }
  const keySets = new Map(Object.entries(document.sets).map(([name, { keys }]) => [name, new Set(keys)]));
  checkSets(document, keySets, report);
  for (const [name, entry] of Object.entries(document.assets)) {
    const sets = [entry, ...(entry.before ?? [])].map((column) => column.set);
    if (new Set(sets).size < sets.length)
      report('duplicate-statuses', `asset '${name}' has two columns of statuses for one set`);
    for (const column of [entry, ...(entry.before ?? [])]) checkRetries(name, column, { document, report });
  }
  const spent = new Map(
    Object.entries(document.sensors).map(([name, sensor]) => {
      checkSensor(name, sensor, report);
      return [name, checkSpent(name, sensor.runKeys, { document, keySets, report })];
    }),
  );
  checkRuns({ document, keySets, spent, report });
  checkIncidents(document, report);
  return problems;
}

/** Only what has failed is tried again. */
function checkRetries(
  asset: string,
  { set, retries = [] }: StatusColumn,
  { document, report }: Pick<RunsCheck, 'document' | 'report'>,
): void {
  const keys = retries.map(([key]) => key);
  if (new Set(keys).size < keys.length)
    report('retries', `asset '${asset}' says twice when a key is tried again`);
  for (const [at, status] of statusOf(document, { asset, set }, keys).entries())
    if (countedAs(status) !== 'failed')
      report(
        'retries',
        `asset '${asset}' says when ${quoted(keys[at] ?? asset)} is tried again, which is ${status}`,
      );
}

/** Each is told of one thing, once. */
function checkIncidents({ incidents }: StateDocument, report: Report): void {
  for (const [at, one] of (incidents?.list ?? []).entries()) {
    const about = one.asset === null ? `sensor '${one.sensor}'` : `asset '${one.asset}'`;
    if ((one.asset === null) === (one.sensor === null))
      report('incident', `incident ${at} is about neither one asset nor one sensor`);
    if (incidents!.list.findIndex((other) => isSame(one, other)) < at)
      report('incident', `there are two incidents '${one.code}' of ${about}`);
    if (new Set(one.names).size < one.names.length)
      report('incident', `the incident '${one.code}' of ${about} names a key twice`);
  }
}

type KeySets = ReadonlyMap<string, ReadonlySet<string>>;

function checkSets({ sets }: StateDocument, keySets: KeySets, report: Report): void {
  for (const [name, { keys, keptOut }] of Object.entries(sets)) {
    if (keySets.get(name)!.size !== keys.length)
      report('duplicate-key', `set '${name}' holds ${firstTwice(keys)} twice`);
    if (new Set(keptOut).size !== keptOut.length)
      report('duplicate-key', `set '${name}' keeps ${firstTwice(keptOut)} out twice`);
    for (const key of [...keys, ...keptOut]) {
      const why = whyNotAKey(key);
      if (why !== null) report('invalid-key', `set '${name}' holds ${quoted(key.slice(0, 60))}: ${why}`);
    }
    for (const key of keptOut)
      if (keySets.get(name)!.has(key))
        report('kept-out-key', `set '${name}' holds ${quoted(key)}, which is kept out`);
  }
}

function checkSensor(name: string, { status, cursor, version, lastTick }: SensorEntry, report: Report): void {
  // Who plans a tick trusts the version to tell whether somebody was quicker.
  const wasChanged = status !== null || cursor !== null || lastTick !== null;
  if (wasChanged && version === 0)
    report('sensor-version', `sensor '${name}' was changed, but its version is 0`);
  // Others change nothing, so they stand in the history alone.
  if (lastTick !== null && lastTick.status !== 'SUCCESS' && lastTick.status !== 'SKIPPED')
    report(
      'last-tick',
      `sensor '${name}' has a last tick that changed the state and ended as ${lastTick.status}`,
    );
}

/** A run key is spent once, and on a key that is there: removing the key would have released it. */
function checkSpent(
  name: string,
  { ofKeys, other }: SensorEntry['runKeys'],
  { document, keySets, report }: Pick<RunsCheck, 'document' | 'keySets' | 'report'>,
): ReadonlySet<string> {
  const spent = new Set<string>();
  const spend = (runKey: string): void => {
    if (spent.has(runKey))
      report('duplicate-run-key', `sensor '${name}' has spent run key ${quoted(runKey)} twice`);
    spent.add(runKey);
  };
  for (const [set, letters] of Object.entries(ofKeys)) {
    const keys = entryOf(document.sets, set)?.keys ?? [];
    // A key that stands there twice was reported as such.
    for (const key of new Set(keys.filter((_, at) => letters[at] === '1'))) spend(key);
  }
  for (const [runKey, set, key] of other) {
    spend(runKey);
    if ((set === null) !== (key === null))
      report(
        'run-key-place',
        `sensor '${name}' has spent run key ${quoted(runKey)} on ${key === null ? 'a set without a key' : 'a key without a set'}`,
      );
    else if (set !== null && key !== null && !keySets.get(set)?.has(key))
      report(
        'run-key-of-no-key',
        `sensor '${name}' has spent run key ${quoted(runKey)} on key ${quoted(key)}, which is not in set '${set}'`,
      );
  }
  return spent;
}

interface RunsCheck {
  readonly document: StateDocument;
  readonly keySets: KeySets;
  /** The run keys that each sensor has spent. */
  readonly spent: ReadonlyMap<string, ReadonlySet<string>>;
  readonly report: Report;
}

/**
 * What is *not* wrong, though it looks so: an executor that owns nothing (its runs were canceled, or released); two
 * started runs of one asset and key (the owner of one is dead, or has its end still to record); slots beyond the
 * pipeline's concurrency (`--concurrency` is each command's own); times out of order (clocks are set back).
 */
function checkRuns(check: RunsCheck): void {
  const { document, spent, report } = check;
  const executors = new Set(document.executors.map(({ id }) => id));
  if (executors.size !== document.executors.length)
    report('duplicate-executor', 'an executor stands there twice');
  const ids = new Set<string>();
  const launched = new Set<string>();
  for (const group of document.runs) {
    if (group.numbers.length === 0) report('empty-runs', `group ${group.id} has no runs`);
    if (group.owner !== null && !executors.has(group.owner))
      report(
        'unknown-owner',
        `runs of group ${group.id} belong to executor ${group.owner}, which is not there`,
      );
    if (group.ownedSince > document.serial)
      report(
        'owned-since',
        `runs of group ${group.id} have their owner since serial ${group.ownedSince}, and the state is at ${document.serial}`,
      );
    if (group.assets.length === 0) report('run-without-assets', `runs of group ${group.id} have no assets`);
    if (group.sensor !== null && group.retryOf === null && !spent.has(group.sensor))
      report(
        'unknown-sensor',
        `runs of group ${group.id} are of sensor '${group.sensor}', which never ticked`,
      );
    const numbers = new Set(group.numbers.map(String));
    for (const number of Object.keys(group.done ?? {}))
      if (!numbers.has(number))
        report('done', `run ${group.id}-${number} is said to have made something, and is not there`);
    group.numbers.forEach((number, at) => checkRun(group, number, at, { ...check, ids, launched }));
  }
}

interface RunCheck extends RunsCheck {
  readonly ids: Set<string>;
  /** Run keys of queued and started runs. */
  readonly launched: Set<string>;
}

function checkRun(group: RunGroup, number: number, at: number, check: RunCheck): void {
  const { ids, keySets, report } = check;
  const id = runId(group.id, number);
  const key = group.keys[at]!;
  const status = group.status[at];
  if (ids.has(id)) report('duplicate-run', `run ${id} stands there twice`);
  ids.add(id);
  if (at > 0 && group.numbers[at - 1]! >= number) report('run-numbers', `run ${id} is out of order`);
  if ((group.set === null) !== (key === null))
    report(
      'run-key',
      `run ${id} has ${key === null ? 'no key' : 'a key'}, but its assets ${group.set === null ? 'have no partitions' : 'have'}`,
    );
  // A run that is being canceled may outlive its key until the run's owner has let go of the run.
  if (group.set !== null && key !== null && status !== 'c' && !keySets.get(group.set)?.has(key)) {
    report('run-without-key', `run ${id} is for key ${quoted(key)}, which is not in set '${group.set}'`);
  }
  if (status !== 'c') checkRunKey(group, at, id, check);
  if (status === 's' && group.owner === null)
    report('started-without-owner', `run ${id} is started, but nobody's`);
  const isTimed = Object.hasOwn(group.startedAt, String(number));
  if (status === 's' && !isTimed) report('started-at', `run ${id} is started, and it is not said when`);
  if (status === 'q' && isTimed)
    report('started-at', `run ${id} is queued, and yet it is said when it began`);
  // What is on record of such an asset by now says nothing: a person may have marked it as missing.
  for (const { asset, status: made, skipReason } of group.done?.[String(number)] ?? []) {
    const isMade = made === 'SUCCESS' || (made === 'SKIPPED' && skipReason !== null);
    if (!isMade || !group.assets.includes(asset))
      report('done', `run ${id} is said to have made '${asset}' (${made}), which it cannot have`);
  }
  const interrupted = Number(group.interrupted[at]);
  if (interrupted >= MAX_EXECUTIONS)
    report('interrupted-too-often', `run ${id} was interrupted ${interrupted} times and is not ended`);
}

/**
 * A run key launches one run, ever: what it launched shows that it is spent, and nothing else was launched by it. A retry was
 * launched by hand: it tells the sensor and the run key of the run that it repeats, which the state may know no more.
 */
function checkRunKey(group: RunGroup, at: number, id: string, { spent, launched, report }: RunCheck): void {
  const runKey = group.runKeys === 'keys' ? group.keys[at]! : (group.runKeys?.[at] ?? null);
  if (group.sensor === null || runKey === null || group.retryOf !== null) return;
  const ofSensor = spent.get(group.sensor);
  if (ofSensor !== undefined && !ofSensor.has(runKey))
    report(
      'run-key-not-spent',
      `run ${id} was launched by run key ${quoted(runKey)}, which sensor '${group.sensor}' has not spent`,
    );
  const name = JSON.stringify([group.sensor, runKey]);
  if (launched.has(name))
    report(
      'duplicate-run-key',
      `run ${id} is not the only one of run key ${quoted(runKey)} of sensor '${group.sensor}'`,
    );
  launched.add(name);
}

function firstTwice(list: readonly string[]): string {
  const seen = new Set<string>();
  for (const item of list) {
    if (seen.has(item)) return quoted(item);
    seen.add(item);
  }
  return '';
}
