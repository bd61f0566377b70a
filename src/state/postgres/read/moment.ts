/** What every look at the state begins with: its serial and pipeline, its sets, and of sensors and executors what is needed. */
import type { Incidents } from '../../../model/incident.ts';
import type { KnownPipeline } from '../../../model/known-pipeline.ts';
import type { MoveMark } from '../../../model/move-mark.ts';
import type { TickRecord } from '../../../model/tick.ts';
import type { Owner } from '../../../files/process-owner.ts';
import type { PoolShare, PoolStarts } from '../../pools.ts';
import type { ProgramNote } from '../../state-view.ts';
import { numbered, type Port, rows } from '../port.ts';

export interface Moment {
  readonly version: number;
  readonly lineage: string;
  readonly serial: number;
  readonly pipeline: KnownPipeline | null;
  readonly incidents: Incidents | null;
  readonly move: MoveMark | null;
  readonly sets: readonly SetRow[];
  readonly sensors: readonly SensorRow[];
  readonly executors: readonly ExecutorRow[];
  /** Milliseconds since 1970 by the clock of the database; `null` where nobody needs the executors. */
  readonly clock: number | null;
  readonly poolStarts: Readonly<Record<string, PoolStarts>> | null;
  /** By executors of which it was asked. */
  readonly owned: Readonly<Record<string, number>>;
}

export interface SetRow {
  readonly name: string;
  readonly size: number;
}

export interface SensorRow {
  readonly name: string;
  /** `null`: it is not in the state, though it may have ticked. */
  readonly version: number | null;
  readonly status: 'RUNNING' | 'STOPPED' | null;
  readonly cursor: string | null;
  readonly periods: Readonly<Record<string, string>> | null;
  readonly quietSince: string | null;
  readonly inState: TickRecord | null;
  readonly lastTick: TickRecord | null;
}

export interface ExecutorRow {
  readonly id: string;
  readonly owner: Owner;
  readonly slots: number;
  readonly wants: number;
  readonly pools: Readonly<Record<string, PoolShare>> | null;
  readonly lease_ms: number;
  /** For how long it gave no sign of life, and its event loop none of turning: by the clock of the database. */
  readonly silent_ms: number;
  readonly still_ms: number;
  /** Runs of which one has kept the event loop for too long, where it is known. */
  readonly at_work: readonly string[] | null;
  readonly begun: readonly { readonly run: string; readonly at: string; readonly may_block_ms: number }[];
  readonly programs: readonly ProgramNote[];
}

const SENSORS = `(select coalesce(json_agg(x order by x.n), '[]') from (
    select w.name, s.n, case when s.in_state then s.version end as version, s.status, s.cursor, s.periods, s.quiet_since as "quietSince", s.last_tick as "inState",
      (select t.record from @.tick t where t.sensor = w.name and t.status <> 'BUSY' order by t.n desc limit 1) as "lastTick"
    from (select name from @.sensor where $::boolean union select unnest($::text[]) collate "C") w
    left join @.sensor s on s.name = w.name
  ) x)`;

const EXECUTORS = `(select coalesce(json_agg(x order by x.n), '[]') from (
    select e.id, e.n, e.owner, e.slots, e.wants, e.pools, e.lease_ms, e.at_work,
      extract(epoch from clock_timestamp() - e.beat) * 1000 as silent_ms,
      extract(epoch from clock_timestamp() - e.turned) * 1000 as still_ms,
      (select coalesce(json_agg(b), '[]') from @.begun b where b.executor = e.id) as begun,
      (select coalesce(json_agg(json_build_object('runId', p.run, 'group', p.process_group, 'number', p.number) order by p.number), '[]')
        from @.program p where p.executor = e.id) as programs
    from @.executor e
  ) x)`;

const OWNED = `(select json_object_agg(o.id, (select count(*) from @.run r where r.owner = o.id)) from unnest($::text[]) o(id))`;

/** What is not needed is not in the statement: the server plans it anew each time, which takes longer than to carry it out. */
const momentWith = (parts: { sensors?: string; executors?: string; owned?: string }): string => `
select m.schema_version as version, m.lineage, m.serial::float8 as serial, m.pipeline, m.incidents, m.pool_starts as "poolStarts", m.written_by -> 'move' as move,
  (select coalesce(json_agg(json_build_object('name', s.name, 'size', s.size) order by s.id), '[]') from @.key_set s) as sets,
  ${parts.sensors ?? `'[]'::json`} as sensors,
  ${parts.executors ?? `'[]'::json`} as executors,
  ${parts.executors === undefined ? 'null' : '(extract(epoch from clock_timestamp()) * 1000)::float8'} as clock,
  ${parts.owned ?? `'{}'::json`} as owned
from @.meta m`;

export async function readMoment(
  port: Port,
  needs: {
    readonly sensors: 'all' | readonly string[];
    readonly executors: boolean;
    readonly ownedBy?: readonly string[];
  },
): Promise<Moment | null> {
  const { sensors, executors, ownedBy: owners = [] } = needs;
  const values: unknown[] = [];
  const isAll = sensors === 'all';
  const sql = momentWith({
    ...(sensors.length > 0 && { sensors: numbered(values, SENSORS, [isAll, isAll ? [] : sensors]) }),
    ...(executors && { executors: EXECUTORS }),
    ...(owners.length > 0 && { owned: numbered(values, OWNED, [owners]) }),
  });
  const [found] = await rows<Moment>(port, sql, values);
  return found ?? null;
}
