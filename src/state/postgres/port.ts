/** What the store asks of a database: one method. A statement is a file in `read/` or `change/`, and a test can count them. */

/** One row of an answer, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

export interface Port {
  /**
   * Statements are carried out in the order of the calls; the next one need not wait for the answer of the one before.
   * @param sql `@.` stands for the schema, `$1` for the first value
   */
  execute(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

/**
 * As a condition of a statement: it does not wait for the disk. For what nobody needs after a crash of the server unless a later
 * commit rests on it, and that one makes durable all that came before it.
 */
export const SOON = `(select set_config('synchronous_commit', 'off', true)) is not null`;

/**
 * A statement of a commit whose answer nobody needs: what comes behind it goes to the server with it. Where it fails, all that comes
 * behind it does, and the commit says why.
 */
export function send(port: Port, sql: string, values?: readonly unknown[]): void {
  port.execute(sql, values).catch(() => undefined);
}

/** An answer that this statement always has: typed where it is asked. */
export async function rows<R>(
  port: Port,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly R[]> {
  return (await port.execute(sql, values)) as readonly R[];
}

/** A part of a statement, in which `$` stands for the next of its own values: they come behind those of the parts before it. */
export function numbered(values: unknown[], part: string, own: readonly unknown[]): string {
  let at = 0;
  return part.replaceAll('$', () => `$${values.push(own[at++])}`);
}
