/** Runs that end, and what runs have made on their way: statuses, values, the history. */
import type { AssetOutcome } from '../../../model/run.ts';
import type { FinishedRun, StaleAssets, StateChange } from '../../changes.ts';
import { lastMadeBy } from '../../document/last-times.ts';
import type { OutcomesOfRun } from '../../document/outcomes-of-runs.ts';
import { type Port, rows } from '../port.ts';
import { changeStatuses, setsBelow, type Surroundings } from './statuses.ts';

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

export async function finishRuns(
  port: Port,
  finished: readonly FinishedRun[],
  surroundings: Surroundings,
): Promise<void> {
  const gone = await rows<RunGone>(port, LEAVE, [finished.map(({ record }) => record.id)]);
  const left = new Map(gone.map((run) => [run.id, run]));
  await recordRuns(port, finished);
  // What is on record counts once: another run may have come to something else since.
  const ended = finished.map(({ record, set, stale = NONE_STALE, asked }) => {
    const { id, partitionKey, assets, finishedAt: failedAt } = record;
    const run = left.get(id);
    const done = run?.done_assets ?? [];
    const outcomes = assets.filter(({ asset }) => !done.includes(asset));
    return { id, set, partitionKey, assets: outcomes, stale, owner: run?.owner ?? null, failedAt, asked };
  });
  await recordOutcomes(port, surroundings, ended);
  await noteMade(port, lastMadeBy(finished));
  await moveValues(port, ended);
  if (gone.length > 0) await port.execute(DROP_STAGED, [gone.map(({ id }) => id)]);
}

const MADE = `
update @.asset a set made_at = w.at from unnest($1::text[], $2::text[]) as w(name, at)
where a.name = w.name and (a.made_at is null or a.made_at < w.at)`;

/** When assets were made last: of those of which something is on record. */
export async function noteMade(port: Port, times: ReadonlyMap<string, string>): Promise<void> {
  if (times.size > 0) await port.execute(MADE, [[...times.keys()], [...times.values()]]);
}

const NONE_STALE: StaleAssets = new Map();

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
  { runs: progress, stale = new Map() }: Extract<StateChange, { readonly type: 'runs-progressed' }>,
  surroundings: Surroundings,
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
    if (run === undefined) return [];
    const { set, key: partitionKey, owner } = run;
    return [{ id, set, partitionKey, assets, stale: stale.get(id) ?? NONE_STALE, owner }];
  });
  await recordOutcomes(port, surroundings, outcomes);
  await moveValues(port, outcomes);
}

interface Outcomes extends OutcomesOfRun {
  readonly id: string;
}

async function recordOutcomes(
  port: Port,
  surroundings: Surroundings,
  runs: readonly Outcomes[],
): Promise<void> {
  if (!runs.some(({ assets }) => assets.length > 0)) return;
  const keys = new Map<string | null, (string | null)[]>();
  for (const { set, partitionKey } of runs) {
    const ofSet = keys.get(set);
    if (ofSet === undefined) keys.set(set, [partitionKey]);
    else ofSet.push(partitionKey);
  }
  const alone = runs.flatMap(({ set, assets }) => (set === null ? assets.map(({ asset }) => asset) : []));
  const concerned = Array.from(keys, ([set, ofSet]) => ({ set, keys: ofSet }));
  await changeStatuses(
    port,
    surroundings,
    [...concerned, ...setsBelow(surroundings.pipeline, alone)],
    (statuses) => statuses.recordRuns(runs),
  );
}

/** Values are in their place with the record of their materialization: those that the run's owner has staged, and nobody else. */
const MOVE = `
insert into @.value (asset, key, run, codec, bytes)
select g.asset, g.key, g.run, g.codec, g.bytes
from unnest($1::text[], $2::text[], $3::text[]) as w(run, asset, executor)
join @.staged g on g.run = w.run and g.asset = w.asset and g.executor = w.executor
on conflict (asset, key) do update set run = excluded.run, codec = excluded.codec, bytes = excluded.bytes`;

/** What was skipped has no value any more. */
const DROP_VALUES = `
delete from @.value v using unnest($1::text[], $2::text[]) as w(asset, key) where v.asset = w.asset and v.key = w.key`;

async function moveValues(port: Port, runs: readonly Outcomes[]): Promise<void> {
  // Of several runs for one key the last one counts.
  const last = new Map<
    string,
    { run: string; asset: string; key: string; owner: string | null; isMade: boolean }
  >();
  for (const { id: run, partitionKey, owner, assets } of runs)
    for (const { asset, status, skipReason } of assets) {
      const isMade = status === 'SUCCESS';
      const key = partitionKey ?? '';
      if (isMade || (status === 'SKIPPED' && skipReason !== null))
        last.set(JSON.stringify([asset, key]), { run, asset, key, owner, isMade });
    }
  const made = [...last.values()].filter(({ isMade, owner }) => isMade && owner !== null);
  const skipped = [...last.values()].filter(({ isMade }) => !isMade);
  if (made.length > 0)
    await port.execute(MOVE, [
      made.map(({ run }) => run),
      made.map(({ asset }) => asset),
      made.map(({ owner }) => owner),
    ]);
  await dropValues(port, skipped);
}

export async function dropValues(
  port: Port,
  values: readonly { readonly asset: string; readonly key: string }[],
): Promise<void> {
  if (values.length > 0)
    await port.execute(DROP_VALUES, [values.map(({ asset }) => asset), values.map(({ key }) => key)]);
}

const DROP_STAGED = `delete from @.staged where run = any($1::text[])`;
