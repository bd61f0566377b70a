/** One entry of the document in the place of another: what every change is made of. */
import { withTouched } from './run-columns.ts';
import type { Mapping } from '../store.ts';
import {
  EMPTY_SET,
  entryOf,
  NEW_SENSOR,
  type SensorEntry,
  type SetEntry,
  type StateDocument,
} from './state-document.ts';
import { StatusChanges } from './status-changes.ts';

/** Where a document in memory has what the functions of its pipeline say. */
const MAPPING = Symbol('mapping');

type Mapped = StateDocument & { readonly [MAPPING]?: Mapping | null };

/** With what the pipeline's functions say of keys to who commits now: it goes along with the document, and is never written. */
export function withMapping(document: StateDocument, mapping: Mapping | null): StateDocument {
  return { ...document, [MAPPING]: mapping } as Mapped;
}

export function mappingOf(document: StateDocument): Mapping | null {
  return (document as Mapped)[MAPPING] ?? null;
}

export function withSet(
  document: StateDocument,
  name: string,
  change: (set: SetEntry) => SetEntry,
): StateDocument {
  return {
    ...document,
    sets: { ...document.sets, [name]: change(entryOf(document.sets, name) ?? EMPTY_SET) },
  };
}

export function withSensor(
  document: StateDocument,
  name: string,
  change: (sensor: SensorEntry) => SensorEntry,
): StateDocument {
  return {
    ...document,
    sensors: { ...document.sensors, [name]: change(entryOf(document.sensors, name) ?? NEW_SENSOR) },
  };
}

/** Of assets of which something is on record; what was removed meanwhile may have been all. */
export function withMadeAt(document: StateDocument, times: ReadonlyMap<string, string>): StateDocument {
  if (times.size === 0) return document;
  return {
    ...document,
    assets: mapEntries(document.assets, (entry, name) => {
      const madeAt = times.get(name);
      return madeAt === undefined || madeAt <= (entry.madeAt ?? '') ? entry : { ...entry, madeAt };
    }),
  };
}

export function withStatuses(
  document: StateDocument,
  change: (statuses: StatusChanges) => void,
): StateDocument {
  const statuses = new StatusChanges(document, { mapping: mappingOf(document) });
  change(statuses);
  return {
    ...document,
    pipeline: statuses.pipeline,
    assets: statuses.entries(),
    runs: withTouched(document.runs, statuses.touched, document.serial + 1),
  };
}

export function keysOf(document: StateDocument, set: string): readonly string[] {
  return entryOf(document.sets, set)?.keys ?? [];
}

export function mapEntries<T>(
  entries: Readonly<Record<string, T>>,
  change: (entry: T, name: string) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, change(entry, name)]));
}
