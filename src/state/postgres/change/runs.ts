/** Where queued and started runs stand: whose they are, begun, back in the queue, to be aborted. */
import type { StateChange } from '../../changes.ts';
import { type Port, send } from '../port.ts';

const CLAIM = `
update @.run set owner = $2, owned_since = $3, started_at = null,
  letter = case when letter = 'c' then 'c'::"char" else 'q'::"char" end,
  interrupted = interrupted + case when id = any($4::text[]) then 1 else 0 end
where id = any($1::text[])`;

export function claimRuns(
  port: Port,
  { ids, owner, interrupted }: Extract<StateChange, { readonly type: 'runs-claimed' }>,
  serial: number,
): void {
  send(port, CLAIM, [[...ids], owner, serial, [...interrupted]]);
}

const RELEASE = `
update @.run set owner = null, owned_since = 0, started_at = null,
  letter = case when letter = 'c' then 'c'::"char" else 'q'::"char" end
where id = any($1::text[])`;

export function releaseRuns(port: Port, ids: Iterable<string>): void {
  send(port, RELEASE, [[...ids]]);
}

const START = `
update @.run r set started_at = w.at, letter = case when r.letter = 'q' then 's'::"char" else r.letter end
from unnest($1::text[], $2::text[]) as w(id, at) where r.id = w.id`;

export function startRuns(port: Port, runs: ReadonlyMap<string, string>): void {
  send(port, START, [[...runs.keys()], [...runs.values()]]);
}

const CANCEL = `
update @.run set letter = 'c', why = case when letter = 'c' then why else $2 end where id = any($1::text[])`;

export function markCanceling(
  port: Port,
  { ids, why }: Extract<StateChange, { readonly type: 'runs-canceling' }>,
): void {
  send(port, CANCEL, [[...ids], why ?? null]);
}
