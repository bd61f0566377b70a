/** A state, as a place that it can be moved from and to. */
import path from 'node:path';
import { namesIn } from '../files/durable-files.ts';
import { nameOfFile } from '../files/file-name.ts';
import { madeBy } from '../engine/runs/made-by.ts';
import type { JsonFileStore } from '../state/json/json-file-store.ts';
import { refuseAsTarget } from '../state/json/only-a-state.ts';
import { MovedPast } from '../state/json/moved-past.ts';
import type { Belongings } from '../state/moving/belongings.ts';
import type { Station } from '../state/moving/station.ts';
import { FileValues } from '../values/file-values.ts';
import { MovedValues } from '../values/moved-values.ts';
import type { Project } from './project.ts';
import type { Store } from './stores.ts';

export function stationOf({ place, store }: Project): Station {
  let found: Promise<Belongings> | undefined;
  // Once: the names of a million keys are looked through for it.
  return { place, store, belongings: () => (found ??= belongingsOf(store)) };
}

async function belongingsOf(store: Store): Promise<Belongings> {
  if (!('database' in store)) return filesOf(store);
  const { MovedTables } = await import('../state/postgres/moved-tables.ts');
  return new MovedTables(store.database);
}

/** @throws FailureError where the place is a file that is no state */
export function refuseOtherFiles({ store }: Project): void {
  if ('database' in store) return;
  const { path: file } = store.file;
  refuseAsTarget(file, { hasGenerations: store.file.highestSerial() > 0 });
}

/** Gives the values of killed processes their place: only from there they are moved. */
export async function settleMoving({ store }: Project): Promise<void> {
  if (!('database' in store)) await new FileValues(store.beside, madeBy(store)).recover();
}

export async function filesOf(store: JsonFileStore): Promise<Belongings> {
  const { sets, assets, sensors } = await store.document();
  const names = Object.keys(assets).filter(isLong);
  for (const { keys } of Object.values(sets)) for (const key of keys) if (isLong(key)) names.push(key);
  const past = new MovedPast(store.beside);
  const values = new MovedValues(store.beside, names);
  return {
    largestValue: Infinity,
    sensors: () => {
      const files = namesIn(path.join(store.beside, 'history', 'ticks'));
      const told = files.flatMap((file) => nameOfFile(file.replace(/\.\d{6}\.jsonl$/, '')) ?? []);
      return Promise.resolve([...new Set([...Object.keys(sensors), ...told])].toSorted());
    },
    ticks: (sensor) => store.ticks(sensor, Infinity),
    runs: () => asynchronous(past.runs()),
    values: () => asynchronous(values.values()),
    nameless: () => Promise.resolve(values.nameless),
    value: (name) => Promise.resolve(values.value(name)),
    digests: (of) => Promise.resolve(values.digests(of)),
    clear: (what) => {
      past.clear();
      if (what.values) values.clear();
      return Promise.resolve();
    },
    putTicks: (_, ticks) => Promise.resolve(past.putTicks(ticks)),
    putRuns: (runs) => Promise.resolve(past.putRuns(runs)),
    putLogs: (logs) => Promise.resolve(past.putLogs(logs)),
    putValues: (put) => values.put(put),
  };
}

/** Shorter names are in the names of their files as they are. */
const LONG = 60;

function isLong(name: string): boolean {
  return name.length > LONG;
}

// oxlint-disable-next-line typescript/require-await -- what files say at once, a database says later
async function* asynchronous<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
