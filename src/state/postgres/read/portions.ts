/** Rows of a long answer, some thousands at a time: while one portion is taken in, the server makes the next one. */
import { type Port, rows } from '../port.ts';

/** So few that most of them are forgotten before anybody cleans up behind them, so many that a slow line does not count. */
export const PORTION = 10_000;

/** Within a transaction. @param name of the cursor, that nobody else of the transaction has */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- an answer that this statement always has, as of `rows`
export async function eachPortion<R>(
  port: Port,
  name: string,
  sql: string,
  take: (portion: readonly R[]) => void,
): Promise<void> {
  const fetch = (): Promise<readonly R[]> => {
    const portion = rows<R>(port, `fetch forward ${PORTION} from ${name}`);
    // Where the one before it fails, nobody waits for this one.
    portion.catch(() => undefined);
    return portion;
  };
  // All of it is wanted: no plan that is good for the first rows.
  const declared = port.execute(
    `set local cursor_tuple_fraction = 1; declare ${name} no scroll cursor for ${sql}`,
  );
  declared.catch(() => undefined);
  for (let next = fetch(); ;) {
    const portion = await next;
    if (portion.length === PORTION) next = fetch();
    take(portion);
    if (portion.length < PORTION) break;
  }
  await port.execute(`close ${name}`);
}
