/** What the store asks of a database: one method. A statement is a file in `read/` or `change/`, and a test can count them. */

/** One row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

export interface Port {
  /** @param sql `@.` stands for the schema, `$1` for the first value */
  execute(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/** An answer that this statement always has: typed where it is asked. */
export async function rows<R>(
  port: Port,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  return (await port.execute(sql, values)) as readonly R[];
}
