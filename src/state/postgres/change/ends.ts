/** Runs that end, and what runs have made on their way: statuses, values, the history. */
import type { TouchedBy } from '../../../model/pending-run.ts';
import type { AssetOutcome, RunRecord } from '../../../model/run.ts';
import type { FinishedRun, StateChange } from '../../changes.ts';
import { lastMadeBy } from '../../document/last-times.ts';
import { type OutcomesOfRun, withTouchedHere } from '../../document/outcomes-of-runs.ts';
import { arrayText } from '../array-text.ts';
import { type Port, rows, send } from '../port.ts';
import type { EncodedValue } from '../values-in-hand.ts';
import { changeStatuses, setsBelow, type Surroundings } from './statuses.ts';

interface RunGone {
  readonly id: string;
  readonly owner: string | null;
  readonly done_assets: readonly string[] | null;
  readonly touched: Readonly<Record<string, TouchedBy>> | null;
}

/** With the heads of which no run is left. */
const LEAVE = `
with gone as (delete from @.run where id = any($1::text[]) returning id, head, owner, done_assets, touched),
heads as (
  delete from @.run_head h where h.n in (select head from gone)
    and not exists (select from @.run r where r.head = h.n and not r.id = any($1::text[]))
)
select id, owner, done_assets, touched from gone`;

export async function finishRuns(
  port: Port,
  finished: readonly FinishedRun[],
  surroundings: EndsSurroundings,
): Promise<void> {
  const ids = finished.map(({ record }) => record.id);
  const leaving = rows<RunGone>(port, LEAVE, [ids]);
  const ended = leaving.then((gone) => {
    const left = new Map(gone.map((run) => [run.id, run]));
    // What is on record counts once: another run may have come to something else since.
    return finished.map(({ record, set, stale: before, asked }) => {
      const { id, partitionKey, assets, finishedAt: failedAt } = record;
      const run = left.get(id);
      const done = run?.done_assets ?? [];
      const outcomes = assets.filter(({ asset }) => !done.includes(asset));
      const stale = withTouchedHere(before, run?.touched, surroundings.serial);
      return { id, set, partitionKey, assets: outcomes, stale, owner: run?.owner ?? null, failedAt, asked };
    });
  });
  const partitions = finished.flatMap(({ record: { assets, partitionKey }, set }) =>
    assets.length === 0 ? [] : [{ set, partitionKey, assets }],
  );
  recordRuns(port, finished);
  await Promise.all([
    recordOutcomes(port, surroundings, partitions, ended).then(() => noteMade(port, lastMadeBy(finished))),
    ended.then((runs) => moveValues(port, runs, surroundings.valueOf)),
  ]);
  send(port, DROP_STAGED, [ids]);
}

/** Of values that wait in this process, those that belong to a run of this owner. */
export type ValueOf = (owner: string, run: string, asset: string) => EncodedValue | undefined;

export interface EndsSurroundings extends Surroundings {
  readonly valueOf: ValueOf;
}

const MADE = `
update @.asset a set made_at = w.at from unnest($1::text[], $2::text[]) as w(name, at)
where a.name = w.name and (a.made_at is null or a.made_at < w.at)`;

/** When assets were made last: of those of which something is on record. */
export function noteMade(port: Port, times: ReadonlyMap<string, string>): void {
  if (times.size > 0) send(port, MADE, [[...times.keys()], [...times.values()]]);
}

const HISTORY = `
insert into @.history (id, status, sensor, key, assets, is_tagged, finished_at, record)
select r.id, r.status, r.sensor, r.key, r.assets::text[], r.is_tagged, r.finished_at, r.record
from rows from (
  unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::text[]), json_array_elements($8::json)
) with ordinality as r(id, status, sensor, key, assets, is_tagged, finished_at, record, n)
order by r.n
on conflict (id) do update set status = excluded.status, finished_at = excluded.finished_at, record = excluded.record`;

/** In the order in which they ended. */
function recordRuns(port: Port, finished: readonly FinishedRun[]): void {
  const records = [...new Map(finished.map(({ record }) => [record.id, record])).values()];
  send(port, HISTORY, columnsOfEnded(records));
}

/** What the history can be asked for stands beside each record. The records are one text: in an array each of their quotes would be escaped. */
export function columnsOfEnded(records: readonly RunRecord[]): unknown[] {
  return [
    records.map(({ id }) => id),
    records.map(({ status }) => status),
    records.map(({ sensor }) => sensor),
    records.map(({ partitionKey }) => partitionKey),
    records.map(({ assets }) => arrayText(assets.map(({ asset }) => asset))),
    records.map(({ sensor, tags }) => sensor !== null || Object.keys(tags).length > 0),
    records.map(({ finishedAt }) => finishedAt ?? ''),
    JSON.stringify(records),
  ];
}

interface RunFound {
  readonly id: string;
  readonly owner: string | null;
  readonly set: string | null;
  readonly key: string | null;
  readonly done: readonly AssetOutcome[] | null;
  readonly touched: Readonly<Record<string, TouchedBy>> | null;
}

const FOUND = `
select r.id, r.owner, s.name as set, r.key, r.done, r.touched
from @.run r join @.run_head h on h.n = r.head left join @.key_set s on s.id = h.set_id where r.id = any($1::text[])`;

/** Put together here, and not there: the database cannot look into JSON that holds U+0000. */
const PROGRESS = `
update @.run r set done = p.done::json, done_assets = array(select json_array_elements_text(p.assets::json))
from unnest($1::text[], $2::text[], $3::text[]) as p(id, done, assets) where r.id = p.id`;

export async function progressRuns(
  port: Port,
  { runs: progress, stale = new Map() }: Extract<StateChange, { readonly type: 'runs-progressed' }>,
  surroundings: EndsSurroundings,
): Promise<void> {
  const found = await rows<RunFound>(port, FOUND, [[...progress.keys()]]);
  if (found.length === 0) return;
  const done = found.map(({ id, done: before }) => {
    const made = progress.get(id)!;
    const again = new Set(made.map(({ asset }) => asset));
    return [...(before ?? []).filter(({ asset }) => !again.has(asset)), ...made];
  });
  send(port, PROGRESS, [
    found.map(({ id }) => id),
    done.map((all) => JSON.stringify(all)),
    done.map((all) => JSON.stringify(all.map(({ asset }) => asset))),
  ]);
  const runs = new Map(found.map((run) => [run.id, run]));
  const outcomes = [...progress].flatMap(([id, assets]) => {
    const run = runs.get(id);
    if (run === undefined) return [];
    const { set, key: partitionKey, owner } = run;
    const changed = withTouchedHere(stale.get(id), run.touched, surroundings.serial);
    return [{ id, set, partitionKey, assets, stale: changed, owner }];
  });
  await recordOutcomes(port, surroundings, outcomes, Promise.resolve(outcomes));
  moveValues(port, outcomes, surroundings.valueOf);
}

interface Outcomes extends OutcomesOfRun {
  readonly id: string;
}

/** @param runs where something may change, while it is still asked what has ended */
async function recordOutcomes(
  port: Port,
  surroundings: Surroundings,
  runs: readonly Pick<Outcomes, 'set' | 'partitionKey' | 'assets'>[],
  outcomes: Promise<readonly Outcomes[]>,
): Promise<void> {
  if (!runs.some(({ assets }) => assets.length > 0)) return;
  const keys = new Map<string | null, (string | null)[]>();
  for (const { set, partitionKey } of runs) {
    const ofSet = keys.get(set);
    if (ofSet === undefined) keys.set(set, [partitionKey]);
    else ofSet.push(partitionKey);
  }
  const made = new Set(runs.flatMap(({ assets }) => assets.map(({ asset }) => asset)));
  const concerned = Array.from(keys, ([set, ofSet]) => ({ set, keys: ofSet }));
  await changeStatuses(
    port,
    surroundings,
    [...concerned, ...setsBelow(surroundings.pipeline, { assets: made })],
    async (statuses) => statuses.recordRuns(await outcomes),
  );
}

/** Values are in their place with the record of their materialization: those of the run's owner, and of nobody else. */
const PUT_VALUES = `
insert into @.value (asset, key, run, codec, bytes)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
on conflict (asset, key) do update set run = excluded.run, codec = excluded.codec, bytes = excluded.bytes`;

const MOVE = `
insert into @.value (asset, key, run, codec, bytes)
select g.asset, g.key, g.run, g.codec, g.bytes
from unnest($1::text[], $2::text[], $3::text[]) as w(run, asset, executor)
join @.staged g on g.run = w.run and g.asset = w.asset and g.executor = w.executor
on conflict (asset, key) do update set run = excluded.run, codec = excluded.codec, bytes = excluded.bytes`;

/** What was skipped has no value any more. */
const DROP_VALUES = `
delete from @.value v using unnest($1::text[], $2::text[]) as w(asset, key) where v.asset = w.asset and v.key = w.key`;

function moveValues(port: Port, runs: readonly Outcomes[], valueOf: ValueOf): void {
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
  const made = [...last.values()].flatMap(({ owner, isMade, ...place }) =>
    isMade && owner !== null ? [{ ...place, owner, value: valueOf(owner, place.run, place.asset) }] : [],
  );
  const skipped = [...last.values()].filter(({ isMade }) => !isMade);
  const inHand = made.flatMap(({ value, ...place }) => (value === undefined ? [] : [{ ...place, ...value }]));
  const staged = made.filter(({ value }) => value === undefined);
  const columns = [
    inHand.map(({ asset }) => asset),
    inHand.map(({ key }) => key),
    inHand.map(({ run }) => run),
    inHand.map(({ codec }) => codec),
    inHand.map(({ bytes }) => bytes),
  ];
  const moved = [
    staged.map(({ run }) => run),
    staged.map(({ asset }) => asset),
    staged.map(({ owner }) => owner),
  ];
  if (inHand.length > 0) send(port, PUT_VALUES, columns);
  if (staged.length > 0) send(port, MOVE, moved);
  dropValues(port, skipped);
}

export function dropValues(
  port: Port,
  values: readonly { readonly asset: string; readonly key: string }[],
): void {
  if (values.length > 0)
    send(port, DROP_VALUES, [values.map(({ asset }) => asset), values.map(({ key }) => key)]);
}

const DROP_STAGED = `delete from @.staged where run = any($1::text[])`;
