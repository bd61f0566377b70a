/** Sensors and executors. */
import type { StateChange } from '../../changes.ts';
import { hasAddedKeys } from '../../document/last-times.ts';
import type { EnteredExecutor } from '../executors.ts';
import { type Incidents, isNothing } from '../../../model/incident.ts';
import { type Port, rows, send } from '../port.ts';

type Change<T extends StateChange['type']> = Extract<StateChange, { readonly type: T }>;

/** One that ticked and changed nothing has a row and is not in the state. */
export const ENSURE_SENSOR = `
insert into @.sensor as s (name) values ($1) on conflict (name) do update set in_state = true where not s.in_state`;

/** Each field comes with whether it was given: `null` is a cursor, too. */
const SENSOR = `
insert into @.sensor as s (name, version, cursor, status, last_tick, periods, quiet_since) values ($1, 1, $2, $4, $5, $6, $7)
on conflict (name) do update set in_state = true, version = s.version + 1,
  cursor = case when $3 then excluded.cursor else s.cursor end,
  status = coalesce(excluded.status, s.status),
  last_tick = coalesce(excluded.last_tick, s.last_tick),
  quiet_since = coalesce(excluded.quiet_since, s.quiet_since),
  periods = case when excluded.periods is null then s.periods else coalesce(s.periods, '{}') || excluded.periods end`;

/** With the commit that it made, so that no kill can lose it; `recordTick` adds what it printed. */
const TICK = `
insert into @.tick (sensor, started_at, status, is_recorded, record) values ($1, $2, $3, false, $4)`;

export function changeSensor(port: Port, change: Change<'sensor-changed'>): void {
  const { sensor, cursor, status, tick, periods } = change;
  const record = tick === undefined ? null : JSON.stringify(tick);
  const isGiven = cursor !== undefined;
  send(port, SENSOR, [
    sensor,
    cursor === undefined || cursor === null ? null : JSON.stringify(cursor),
    isGiven,
    status ?? null,
    record,
    periods === undefined ? null : JSON.stringify(periods),
    hasAddedKeys(tick) ? tick!.finishedAt : null,
  ]);
  if (tick !== undefined) send(port, TICK, [sensor, tick.startedAt, tick.status, record]);
}

const INCIDENTS = `update @.meta set incidents = $1`;

export function changeIncidents(port: Port, incidents: Incidents): void {
  send(port, INCIDENTS, [isNothing(incidents) ? null : JSON.stringify(incidents)]);
}

const EXECUTOR = `
insert into @.executor as e (id, owner, slots, wants, lease_ms, beat, turned)
values ($1, $4, $2, $3, $5, clock_timestamp(), clock_timestamp())
on conflict (id) do update set slots = excluded.slots, wants = excluded.wants`;

const KNOWN_EXECUTOR = `update @.executor set slots = $2, wants = $3 where id = $1 returning id`;

export async function changeExecutor(
  port: Port,
  { id, slots, wants }: Change<'executor'>,
  entered: EnteredExecutor | undefined,
): Promise<void> {
  if (entered !== undefined) {
    send(port, EXECUTOR, [id, slots, wants, JSON.stringify(entered.owner), entered.leaseMs]);
    return;
  }
  const found = await rows(port, KNOWN_EXECUTOR, [id, slots, wants]);
  if (found.length === 0) throw new Error(`executor ${id} never entered`);
}

const POOLS = `update @.executor set pools = $2 where id = $1`;
const POOL_STARTS = `update @.meta set pool_starts = $1`;

export function changePools(port: Port, { executor, shares, starts }: Change<'pools'>): void {
  send(port, POOLS, [executor, jsonOf(shares)]);
  send(port, POOL_STARTS, [jsonOf(starts)]);
}

/** What somebody staged who was given up meanwhile, for a run that is over, nobody puts in its place any more. */
const LEFT = `
with gone as (
  delete from @.executor where id = $1 and not exists (select from @.run where owner = $1) returning id
), notes as (delete from @.begun where executor in (select id from gone)),
late as (delete from @.staged s where not exists (select from @.run r where r.id = s.run))
delete from @.program where executor in (select id from gone)`;

export function executorLeft(port: Port, id: string): void {
  send(port, LEFT, [id]);
}

/** What is nothing is null. */
function jsonOf(entries: object): string | null {
  return Object.keys(entries).length === 0 ? null : JSON.stringify(entries);
}
