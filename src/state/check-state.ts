/** Every invariant of a state, checked one by one. Pure: `state check` prints what it finds, tests ask it after every step. */
import { quoted } from '../definitions/failure-words.ts';
import { whyNotAKey } from '../definitions/partition-key.ts';
import { entryOf, type RunGroup, type StateDocument } from './state-document.ts';
import { runId } from '../definitions/run.ts';

export interface StateProblem {
  readonly code: string;
  readonly message: string;
}

export function checkState(document: StateDocument): StateProblem[] {
  const problems: StateProblem[] = [];
  const report = (code: string, message: string): void => void problems.push({ code, message });
  const keySets = new Map(Object.entries(document.sets).map(([name, { keys }]) => [name, new Set(keys)]));
  for (const [name, { keys, keptOut }] of Object.entries(document.sets)) {
    if (keySets.get(name)!.size !== keys.length)
      report('duplicate-key', `set '${name}' holds ${firstTwice(keys)} twice`);
    for (const key of [...keys, ...keptOut]) {
      const why = whyNotAKey(key);
      if (why !== null) report('invalid-key', `set '${name}' holds ${quoted(key.slice(0, 60))}: ${why}`);
    }
    for (const key of keptOut)
      if (keySets.get(name)!.has(key))
        report('kept-out-key', `set '${name}' holds ${quoted(key)}, which is kept out`);
  }
  for (const [name, { set, status }] of Object.entries(document.assets)) {
    const most = set === null ? 1 : (entryOf(document.sets, set)?.keys.length ?? 0);
    if (status.length > most)
      report('status-too-long', `asset '${name}' has ${status.length} statuses for ${most} keys`);
  }
  for (const [name, { runKeys }] of Object.entries(document.sensors)) {
    for (const [set, letters] of Object.entries(runKeys.ofKeys)) {
      const most = entryOf(document.sets, set)?.keys.length ?? 0;
      if (letters.length > most)
        report(
          'run-keys-too-long',
          `sensor '${name}' has ${letters.length} run keys for ${most} keys of set '${set}'`,
        );
    }
    const other = runKeys.other.map(([runKey]) => runKey);
    if (new Set(other).size !== other.length)
      report('duplicate-run-key', `sensor '${name}' has spent run key ${firstTwice(other)} twice`);
  }
  checkRuns(document, keySets, report);
  return problems;
}

function checkRuns(
  document: StateDocument,
  keySets: ReadonlyMap<string, ReadonlySet<string>>,
  report: (code: string, message: string) => void,
): void {
  const executors = new Set(document.executors.map(({ id }) => id));
  if (executors.size !== document.executors.length)
    report('duplicate-executor', 'an executor stands there twice');
  const ids = new Set<string>();
  for (const group of document.runs) {
    if (group.numbers.length === 0) report('empty-runs', `group ${group.id} has no runs`);
    if (group.owner !== null && !executors.has(group.owner))
      report(
        'unknown-owner',
        `runs of group ${group.id} belong to executor ${group.owner}, which is not there`,
      );
    if (group.assets.length === 0) report('run-without-assets', `runs of group ${group.id} have no assets`);
    group.numbers.forEach((number, at) => checkRun(group, number, at, { ids, keySets, report }));
  }
}

interface RunCheck {
  readonly ids: Set<string>;
  readonly keySets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly report: (code: string, message: string) => void;
}

function checkRun(group: RunGroup, number: number, at: number, { ids, keySets, report }: RunCheck): void {
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
  // A run that is being canceled may outlive its key until its owner has let go of it.
  if (group.set !== null && key !== null && status !== 'c' && !keySets.get(group.set)?.has(key)) {
    report('run-without-key', `run ${id} is for key ${quoted(key)}, which is not in set '${group.set}'`);
  }
  if (status === 's' && group.owner === null)
    report('started-without-owner', `run ${id} is started, but nobody's`);
}

function firstTwice(list: readonly string[]): string {
  const seen = new Set<string>();
  for (const item of list) {
    if (seen.has(item)) return quoted(item);
    seen.add(item);
  }
  return '';
}
