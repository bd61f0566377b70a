/** What a copy becomes when it takes the place of the present state. Pure: processes that are at work meanwhile must not be surprised. */
import { changeChosen, chosenBy, withLetters, withProgress } from './run-columns.ts';
import {
  entryOf,
  NEW_SENSOR,
  type RunGroup,
  type SensorEntry,
  type StateDocument,
} from './state-document.ts';
import { type AssetOutcome, runId } from '../../model/run.ts';

export interface Restoration {
  readonly copy: StateDocument;
  /** What is there now, as far as it can be read. */
  readonly present: StateDocument | null;
  readonly serial: number;
  /** Whether an executor of the present state lives. */
  readonly isAlive: (executor: StateDocument['executors'][number]) => boolean;
}

/** What a restore came to. */
export interface Restored {
  readonly serial: number;
  /** Where what was there is kept. */
  readonly kept: readonly string[];
  /** The lineage that was there, where the copy is of another one. */
  readonly replaced: string | null;
}

export function restoredDocument({ copy, present, serial, isAlive }: Restoration): StateDocument {
  const executors = present?.executors.filter(isAlive) ?? [];
  return {
    ...copy,
    serial,
    executors,
    runs: restoredRuns(copy.runs, present?.runs ?? [], new Set(executors.map(({ id }) => id))),
    sensors: restoredSensors(copy.sensors, present?.sensors ?? {}, serial),
    // Not the copy's: a writer that was stopped before this asks what became of its commit.
    writers: (present ?? copy).writers,
  };
}

/**
 * Runs that were queued or started when the copy was made belong to nobody now, and are executed by whoever takes them up.
 * But what a live process executes at this moment stays its own, so that nobody begins the same asset and key beside it:
 * the same run goes on, and its outcome counts; one that the copy does not know is canceled. One that was being canceled
 * stays so, and ends without being executed.
 */
function restoredRuns(
  copied: readonly RunGroup[],
  present: readonly RunGroup[],
  alive: ReadonlySet<string>,
): readonly RunGroup[] {
  const letters = new Map<string, string>();
  const done = new Map<string, readonly AssetOutcome[]>();
  for (const group of copied) {
    group.numbers.forEach((number, at) => letters.set(runId(group.id, number), group.status[at]!));
    for (const [number, made] of Object.entries(group.done ?? {}))
      done.set(runId(group.id, Number(number)), made);
  }
  const held = present.filter(({ owner }) => owner !== null && alive.has(owner));
  const heldIds = held.flatMap((group) => group.numbers.map((number) => runId(group.id, number)));
  const free = changeChosen(copied, chosenBy(heldIds), () => null).map((group) => ({
    ...group,
    owner: null,
    ownedSince: 0,
    status: group.status.replaceAll('s', 'q'),
    startedAt: {},
  }));
  const kept = held.map((group) => {
    const status = withLetters(group.status, group.numbers, (number, letter) =>
      (letters.get(runId(group.id, number)) ?? 'c') === 'c' ? 'c' : letter,
    );
    // What the copy does not know to be done is not on record now: it is when the run has ended.
    return withProgress({ ...group, status, done: {} }, done);
  });
  return [...free, ...kept];
}

/**
 * No version that an evaluation may have begun with is met again, also where the copy does not know the sensor: its tick is
 * BUSY. A version is never higher than the serial, since no commit raises it twice.
 */
function restoredSensors(
  copied: StateDocument['sensors'],
  present: StateDocument['sensors'],
  serial: number,
): Record<string, SensorEntry> {
  const names = new Set([...Object.keys(copied), ...Object.keys(present)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const entry = entryOf(copied, name) ?? NEW_SENSOR;
      return [name, { ...entry, version: Math.max(entry.version, serial) }];
    }),
  );
}
