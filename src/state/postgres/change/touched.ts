/** Runs that are on their way while something changes for their assets: it is noted with them, and what they had on record of these is none. */
import type { StaleReason } from '../../../model/stale-reason.ts';
import type { TouchedBy } from '../../../model/pending-run.ts';
import type { AssetOutcome } from '../../../model/run.ts';
import type { Touched } from '../../document/status-changes.ts';
import { type Port, rows, send } from '../port.ts';

interface TouchedRow {
  readonly id: string;
  readonly pairs: readonly (readonly [asset: string, reason: StaleReason])[];
  readonly touched: Readonly<Record<string, TouchedBy>> | null;
  readonly done: readonly AssetOutcome[] | null;
}

const FIND = `
with t as (select * from unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[])
  as t(asset, set, key, is_all, except_of, reason))
select r.id, json_agg(json_build_array(t.asset, t.reason)) as pairs, r.touched, r.done
from t join @.run_head h on t.asset = any(h.assets) left join @.key_set s on s.id = h.set_id join @.run r on r.head = h.n
where s.name is not distinct from t.set and (t.is_all or r.key is not distinct from t.key)
  and (t.except_of is null or r.owner is distinct from t.except_of)
group by r.id`;

const NOTE = `
update @.run r set touched = w.touched::json, done = w.done::json,
  done_assets = array(select json_array_elements_text(w.assets::json))
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as w(id, touched, done, assets) where r.id = w.id`;

export async function touchRuns(port: Port, touched: readonly Touched[], serial: number): Promise<void> {
  const asked = touched.flatMap(({ keys, ...one }) =>
    keys === 'all'
      ? [{ ...one, key: null, isAll: true }]
      : Array.from(keys, (key) => ({ ...one, key, isAll: false })),
  );
  if (asked.length === 0) return;
  const found = await rows<TouchedRow>(port, FIND, [
    asked.map(({ asset }) => asset),
    asked.map(({ set }) => set),
    asked.map(({ key }) => key),
    asked.map(({ isAll }) => isAll),
    asked.map(({ except }) => except),
    asked.map(({ reason }) => reason),
  ]);
  if (found.length === 0) return;
  const left = found.map(({ pairs, done }) =>
    (done ?? []).filter(({ asset }) => !pairs.some(([concerned]) => concerned === asset)),
  );
  send(port, NOTE, [
    found.map(({ id }) => id),
    found.map(({ pairs, touched: before }) => {
      const after = new Map(Object.entries(before ?? {}));
      for (const [asset, reason] of pairs) after.set(asset, { ...after.get(asset), [reason]: serial });
      return JSON.stringify(Object.fromEntries(after));
    }),
    left.map((done) => (done.length === 0 ? null : JSON.stringify(done))),
    left.map((done) => JSON.stringify(done.map(({ asset }) => asset))),
  ]);
}
