/** What became of assets for some keys. */
import { type Port, rows } from '../port.ts';

export interface StatusAsked {
  readonly asset: string;
  readonly set: string | null;
  readonly key: string | null;
}

export interface StatusRow extends StatusAsked {
  readonly letter: string;
  readonly failures: number;
  readonly retry_at: string | null;
}

/** Asset by asset, so that each is looked up by the index, whatever the planner knows of the table. */
const STATUSES = `
select $1::text as asset, $2::text as set, case when $2 is null then null else t.key end as key, t.letter, t.failures, t.retry_at
from @.status t
where t.set_id = case when $2 is null then 0 else (select id from @.key_set where name = $2) end
  and t.key = any($3::text[]) and t.asset = $1`;

const RETRY_TIMES = `select distinct retry_at as at from @.status where retry_at is not null order by 1`;

/** The times at which failed keys are tried again, in order. */
export async function readRetryTimes(port: Port): Promise<readonly string[]> {
  return (await rows<{ readonly at: string }>(port, RETRY_TIMES, [])).map(({ at }) => at);
}

export async function readStatuses(port: Port, asked: readonly StatusAsked[]): Promise<readonly StatusRow[]> {
  const columns = new Map<string, { asset: string; set: string | null; keys: string[] }>();
  for (const { asset, set, key } of asked) {
    const name = JSON.stringify([asset, set]);
    const column = columns.get(name) ?? { asset, set, keys: [] };
    columns.set(name, column);
    column.keys.push(key ?? '');
  }
  const found = await Promise.all(
    Array.from(columns.values(), ({ asset, set, keys }) =>
      rows<StatusRow>(port, STATUSES, [asset, set, keys]),
    ),
  );
  return found.flat();
}
