/** Runs that end, and what runs have made on their way: statuses, values, the history. */
import type { AssetOutcome } from '../../../model/run.ts';
import type { FinishedRun } from '../../changes.ts';
import { type Port, rows } from '../port.ts';

interface RunGone {
  readonly id: string;
  readonly owner: string | null;
  readonly done_assets: readonly string[] | null;
}

/** With the heads of which no run is left. */
const LEAVE = `
with gone as (delete from @.run where id = any($1::text[]) returning id, head, owner, done_assets),
heads as (
  delete from @.run_head h where h.n in (select head from gone)
    and not exists (select from @.run r where r.head = h.n and not r.id = any($1::text[]))
)
select id, owner, done_assets from gone`;

export async function finishRuns(port: Port, finished: readonly FinishedRun[]): Promise<void> {
  const gone = await rows<RunGone>(port, LEAVE, [finished.map(({ record }) => record.id)]);
  const left = new Map(gone.map((run) => [run.id, run]));
  await recordRuns(port, finished);
  // What is on record counts once: another run may have come to something else since.
  const outcomes = finished.flatMap(({ record: { id, partitionKey: key, assets }, set }) => {
    const done = left.get(id)?.done_assets ?? [];
    return assets
      .filter(({ asset }) => !done.includes(asset))
      .map((outcome) => ({ id, set, key, ...outcome }));
  });
  await recordOutcomes(port, outcomes);
  await settleValues(
    port,
    gone,
    outcomes.filter(({ status }) => status === 'SUCCESS'),
  );
}

const HISTORY = `
insert into @.history (id, status, sensor, key, assets, is_tagged, finished_at, record)
select r.id, r.status, r.sensor, r.key, array(select json_array_elements_text(r.assets::json)), r.is_tagged, r.finished_at, r.record::json
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[], $8::text[])
  with ordinality as r(id, status, sensor, key, assets, is_tagged, finished_at, record, n)
order by r.n
on conflict (id) do update set status = excluded.status, finished_at = excluded.finished_at, record = excluded.record`;

/** In the order in which they ended. */
async function recordRuns(port: Port, finished: readonly FinishedRun[]): Promise<void> {
  const records = [...new Map(finished.map(({ record }) => [record.id, record])).values()];
  await port.execute(HISTORY, [
    records.map(({ id }) => id),
    records.map(({ status }) => status),
    records.map(({ sensor }) => sensor),
    records.map(({ partitionKey }) => partitionKey),
    records.map(({ assets }) => JSON.stringify(assets.map(({ asset }) => asset))),
    records.map(({ sensor, tags }) => sensor !== null || Object.keys(tags).length > 0),
    records.map(({ finishedAt }) => finishedAt ?? ''),
    records.map((record) => JSON.stringify(record)),
  ]);
}

interface RunFound {
  readonly id: string;
  readonly owner: string | null;
  readonly set: string | null;
  readonly key: string | null;
  readonly done: readonly AssetOutcome[] | null;
}

const FOUND = `
select r.id, r.owner, s.name as set, r.key, r.done
from @.run r join @.run_head h on h.n = r.head left join @.key_set s on s.id = h.set_id where r.id = any($1::text[])`;

/** Put together here, and not there: the database cannot look into JSON that holds U+0000. */
const PROGRESS = `
update @.run r set done = p.done::json, done_assets = array(select json_array_elements_text(p.assets::json))
from unnest($1::text[], $2::text[], $3::text[]) as p(id, done, assets) where r.id = p.id`;

export async function progressRuns(
  port: Port,
  progress: ReadonlyMap<string, readonly AssetOutcome[]>,
): Promise<void> {
  const found = await rows<RunFound>(port, FOUND, [[...progress.keys()]]);
  if (found.length === 0) return;
  const done = found.map(({ id, done: before }) => {
    const made = progress.get(id)!;
    const again = new Set(made.map(({ asset }) => asset));
    return [...(before ?? []).filter(({ asset }) => !again.has(asset)), ...made];
  });
  await port.execute(PROGRESS, [
    found.map(({ id }) => id),
    done.map((all) => JSON.stringify(all)),
    done.map((all) => JSON.stringify(all.map(({ asset }) => asset))),
  ]);
  const runs = new Map(found.map((run) => [run.id, run]));
  const outcomes = [...progress].flatMap(([id, assets]) => {
    const run = runs.get(id);
    return run === undefined ? [] : assets.map((outcome) => ({ ...outcome, ...run }));
  });
  await recordOutcomes(port, outcomes);
  await moveValues(port, outcomes);
}

interface Outcome {
  readonly id: string;
  readonly set: string | null;
  readonly key: string | null;
  readonly asset: string;
  readonly status: AssetOutcome['status'];
}

/** What is on record stands until it is replaced: a failure after it changes what is counted. A key that is gone has no status. */
const STATUSES = `
insert into @.status as t (set_id, key, asset, letter)
select case when w.set is null then 0 else s.id end, coalesce(w.key, ''), w.asset, w.letter::"char"
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as w(set, key, asset, letter)
left join @.key_set s on s.name = w.set
where w.set is null or exists (select from @.key k where k.set_id = s.id and k.key = w.key)
on conflict (set_id, key, asset) do update set
  letter = case when excluded.letter = 'f' and t.letter in ('m', 'F') then 'F'::"char" else excluded.letter end`;

async function recordOutcomes(port: Port, outcomes: readonly Outcome[]): Promise<void> {
  const letters = new Map<string, { readonly outcome: Outcome; readonly letter: string }>();
  for (const outcome of outcomes) {
    const { asset, set, key, status } = outcome;
    if (status !== 'SUCCESS' && status !== 'FAILURE') continue;
    const name = JSON.stringify([asset, set, key]);
    const before = letters.get(name)?.letter;
    const isRemake = before === 'm' || before === 'F';
    letters.set(name, { outcome, letter: status === 'SUCCESS' ? 'm' : isRemake ? 'F' : 'f' });
  }
  if (letters.size === 0) return;
  const last = [...letters.values()];
  await port.execute(STATUSES, [
    last.map(({ outcome }) => outcome.set),
    last.map(({ outcome }) => outcome.key),
    last.map(({ outcome }) => outcome.asset),
    last.map(({ letter }) => letter),
  ]);
}

/** Values are in their place with the record of their materialization: those that the run's owner has staged, and nobody else. */
const MOVE = `
insert into @.value (asset, key, run, codec, bytes)
select g.asset, g.key, g.run, g.codec, g.bytes
from unnest($1::text[], $2::text[], $3::text[]) as w(run, asset, executor)
join @.staged g on g.run = w.run and g.asset = w.asset and g.executor = w.executor
on conflict (asset, key) do update set run = excluded.run, codec = excluded.codec, bytes = excluded.bytes`;

async function moveValues(
  port: Port,
  made: readonly (Outcome & { readonly owner: string | null })[],
): Promise<void> {
  if (made.length === 0) return;
  // Of several runs for one key the last one counts.
  const last = [...new Map(made.map((one) => [JSON.stringify([one.asset, one.key]), one])).values()];
  await port.execute(MOVE, [
    last.map(({ id }) => id),
    last.map(({ asset }) => asset),
    last.map(({ owner }) => owner),
  ]);
}

const DROP_STAGED = `delete from @.staged where run = any($1::text[])`;

async function settleValues(port: Port, gone: readonly RunGone[], made: readonly Outcome[]): Promise<void> {
  const owners = new Map(gone.map(({ id, owner }) => [id, owner]));
  await moveValues(
    port,
    made.flatMap((outcome) => {
      const owner = owners.get(outcome.id);
      return owner === undefined || owner === null ? [] : [{ ...outcome, owner }];
    }),
  );
  if (gone.length > 0) await port.execute(DROP_STAGED, [gone.map(({ id }) => id)]);
}
