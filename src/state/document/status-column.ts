/** The columns of an asset: what became of it for each set that it has or had. */
import { without } from './columns.ts';
import type { AssetEntry, StatusColumn } from './state-document.ts';

/** Without some keys of a set. */
export function withoutKeys(
  entry: AssetEntry,
  set: string,
  { positions, keys }: { readonly positions: readonly number[]; readonly keys: ReadonlySet<string> },
): AssetEntry {
  const column = columnOf(entry, set);
  if (column === undefined) return entry;
  const retries = (column.retries ?? []).filter(([key]) => !keys.has(key!));
  const changed = {
    set,
    status: without(column.status, positions),
    ...(retries.length > 0 && { retries }),
  };
  return entry.set === set
    ? withColumn(entry, changed)
    : { ...entry, before: entry.before!.map((one) => (one === column ? changed : one)) };
}

export function columnOf(entry: AssetEntry, set: string | null): StatusColumn | undefined {
  return entry.set === set ? entry : entry.before?.find((column) => column.set === set);
}

/** An asset that moved to another set keeps what was made before, and has it again when it comes back. */
export function withColumn(entry: AssetEntry | undefined, column: StatusColumn): AssetEntry {
  if (entry === undefined) return column;
  const { set, status, retries, before = [], ...rest } = entry;
  if (set === column.set) return { ...column, ...rest, ...(before.length > 0 && { before }) };
  const others = before.filter((one) => one.set !== column.set);
  return {
    ...column,
    ...rest,
    before: [{ set, status, ...(retries !== undefined && { retries }) }, ...others],
  };
}
