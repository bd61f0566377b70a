/** Runs that are queued, and the run keys that are spent with them. */
import type { StateChange } from '../../changes.ts';
import { runId } from '../../../model/run.ts';
import { runKeyText, withoutZero } from '../run-key-text.ts';
import { type Port, send } from '../port.ts';
import { ENSURE_SET } from './keys.ts';
import { ENSURE_SENSOR } from './others.ts';

const QUEUE = `
with h as (
  insert into @.run_head (run_group, created_at, sensor, set_id, assets, tags, origin, retry_of, reasons)
  values ($1, $2, $3, (select id from @.key_set where name = $4), $5, $6, $7, $8, $15) returning n
)
insert into @.run (id, head, number, key, run_key, owner, owned_since)
select r.id, h.n, $9::bigint + r.n - 1, r.key, r.run_key, $10, case when $10::text is null then 0 else $11::bigint end
from h, unnest($12::text[], $13::text[], $14::text[]) with ordinality as r(id, key, run_key, n)`;

const SPEND = `
insert into @.run_key (sensor, run_key, whole, set_id, key)
select $1, k.run_key, k.whole, (select id from @.key_set where name = $2), k.key
from unnest($3::text[], $4::text[], $5::text[]) as k(run_key, whole, key)`;

export function queueRuns(
  port: Port,
  { runs, owner }: Extract<StateChange, { readonly type: 'runs-queued' }>,
  serial: number,
): void {
  const { group, createdAt, sensor, set, assets, tags, origin, retryOf, firstNumber, keys, runKeys } = runs;
  if (set !== null) send(port, ENSURE_SET, [set]);
  send(port, QUEUE, [
    group,
    createdAt,
    sensor,
    set,
    assets,
    JSON.stringify(tags),
    origin,
    retryOf,
    firstNumber,
    owner,
    serial,
    keys.map((_, at) => runId(group, firstNumber + at)),
    keys,
    keys.map((_, at) => textOrNull(runKeys?.[at] ?? null)),
    runs.reasons === undefined ? null : JSON.stringify(runs.reasons),
  ]);
  if (sensor === null || runKeys === null || retryOf !== null) return;
  send(port, ENSURE_SENSOR, [sensor]);
  const spent = runKeys.flatMap((runKey, at) => (runKey === null ? [] : [{ runKey, key: keys[at]! }]));
  if (spent.length === 0) return;
  send(port, SPEND, [
    sensor,
    set,
    spent.map(({ runKey }) => runKeyText(runKey)),
    spent.map(({ runKey }) => (runKeyText(runKey) === withoutZero(runKey) ? null : withoutZero(runKey))),
    spent.map(({ key }) => key),
  ]);
}

function textOrNull(runKey: string | null): string | null {
  return runKey === null ? null : withoutZero(runKey);
}
