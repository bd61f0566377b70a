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

const STATUSES = `
select w.asset, w.set, w.key, t.letter, t.failures, t.retry_at
from unnest($1::text[], $2::text[], $3::text[]) as w(asset, set, key)
left join @.key_set s on s.name = w.set
join @.status t on t.set_id = case when w.set is null then 0 else s.id end
  and t.key = coalesce(w.key, '') and t.asset = w.asset`;

const RETRY_TIMES = `select distinct retry_at as at from @.status where retry_at is not null order by 1`;

/** The times at which failed keys are tried again, in order. */
export async function readRetryTimes(port: Port): Promise<readonly string[]> {
  return (await rows<{ readonly at: string }>(port, RETRY_TIMES, [])).map(({ at }) => at);
}

export function readStatuses(port: Port, asked: readonly StatusAsked[]): Promise<readonly StatusRow[]> {
  return rows<StatusRow>(port, STATUSES, [
    asked.map(({ asset }) => asset),
    asked.map(({ set }) => set),
    asked.map(({ key }) => key),
  ]);
}
