/** Changes what the keys of a set carry. Pure. */
import { type Carried, ITEMS_LIMIT } from '../../model/carried.ts';
import { fail } from '../../model/failure.ts';
import type { JsonValue } from '../../model/json-value.ts';
import type { CarriedColumns } from './carried-columns.ts';
import type { SetEntry } from './state-document.ts';
import { withVersions } from './change-versions.ts';

/** The set when what stands at these positions carries this, one for each. */
export function withCarried(
  set: SetEntry,
  positions: readonly number[],
  carried: readonly Carried[],
): SetEntry {
  const { versions = '', items = [] } = set;
  const changed = {
    versions: withVersions(
      versions,
      new Map(positions.map((position, at) => [position, carried[at]!.version])),
    ),
    items: filled(items, positions, (at) => carried[at]!.item),
  };
  if (carried.some(({ item }) => item !== null)) demandRoom(changed.items);
  return withColumns(set, changed);
}

/** Without columns in which nothing is left. */
export function withColumns(set: SetEntry, columns: Required<CarriedColumns>): SetEntry {
  const { versions: _versions, items: _items, ...rest } = set;
  const { versions } = columns;
  const items = trimmed(columns.items);
  return { ...rest, ...(versions !== '' && { versions }), ...(items.length > 0 && { items }) };
}

function filled(
  column: readonly JsonValue[],
  positions: readonly number[],
  valueAt: (at: number) => JsonValue,
): JsonValue[] {
  const copy = [...column];
  for (const [at, position] of positions.entries()) {
    const value = valueAt(at);
    if (value === null && position >= copy.length) continue;
    // Holes would be entries that nobody wrote.
    while (copy.length < position) copy.push(null);
    copy[position] = value;
  }
  return copy;
}

function trimmed(column: readonly JsonValue[]): readonly JsonValue[] {
  let end = column.length;
  while (end > 0 && column[end - 1] === null) end--;
  return end === column.length ? column : column.slice(0, end);
}

function demandRoom(items: readonly JsonValue[]): void {
  const bytes = Buffer.byteLength(JSON.stringify(items));
  if (bytes > ITEMS_LIMIT) fail({ reason: 'items-too-large', bytes, most: ITEMS_LIMIT });
}
