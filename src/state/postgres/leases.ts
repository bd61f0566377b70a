/** Who evaluates a sensor: a row with signs of life. That nothing is applied twice rests on the sensor's version, not on this. */
import { isRunningHere, isVisible, type Owner } from '../../files/process-owner.ts';
import type { Holder } from '../../model/tick.ts';
import { isoTime } from '../../model/time.ts';
import type { EvaluationLeft, HeldClaim } from '../store.ts';
import type { OwnClock } from './own-clock.ts';
import { type Port, rows } from './port.ts';

interface LeaseRow {
  readonly owner: Owner;
  readonly silent_ms: number;
  /** Since when it has the lease; `null` in a row of a dynpart that did not note it. By the clock of the database, as the silence. */
  readonly held_ms: number | null;
  readonly lease_ms: number;
  readonly thread: string | null;
}

const COLUMNS = `owner, lease_ms, thread, (extract(epoch from clock_timestamp() - beat) * 1000)::float8 as silent_ms,
  ((extract(epoch from clock_timestamp()) - (owner ->> 'taken')::float8) * 1000)::float8 as held_ms`;

const READ = `select ${COLUMNS} from @.sensor_lease where sensor = $1`;

/** When it is taken, in seconds since 1970, by the clock that all have. */
const OWNER = `($2::jsonb || jsonb_build_object('taken', extract(epoch from clock_timestamp())))::json`;

const TAKE = `
insert into @.sensor_lease (sensor, owner, lease_ms, beat) values ($1, ${OWNER}, $3, clock_timestamp())
on conflict do nothing returning sensor`;

/** Of several that find a dead owner's lease only one takes it over. What it may have left of its programs is noted in the same step. */
const TAKE_OVER = `
with dead as (
  insert into @.sensor_lease (sensor, owner, lease_ms, beat)
  select $5, owner, lease_ms, beat from @.sensor_lease where sensor = $1 and owner ->> 'id' = $4
  on conflict do nothing
)
update @.sensor_lease set owner = ${OWNER}, lease_ms = $3, beat = clock_timestamp(), thread = null
where sensor = $1 and owner ->> 'id' = $4 returning sensor`;

const RELEASE = `delete from @.sensor_lease where sensor = $1 and owner ->> 'id' = $2`;

export async function takeLease(
  port: Port,
  sensor: string,
  { owner, leaseMs }: { readonly owner: Owner; readonly leaseMs: number },
  own: OwnClock,
): Promise<HeldClaim | null> {
  for (;;) {
    if ((await rows(port, TAKE, [sensor, JSON.stringify(owner), leaseMs])).length > 0) return null;
    const [lease] = await rows<LeaseRow>(port, READ, [sensor]);
    if (lease === undefined) continue;
    // A statement that was repeated because its answer was lost.
    if (lease.owner.id === owner.id) return null;
    if (isAlive(lease)) return { holder: holderOf(lease, own), thread: lease.thread };
    const dead = lease.owner.id;
    const noted = [sensor, JSON.stringify(owner), leaseMs, dead, programsOf(sensor, dead)];
    const taken = await rows(port, TAKE_OVER, noted);
    if (taken.length > 0) return null;
  }
}

export async function releaseLease(port: Port, sensor: string, id: string): Promise<void> {
  await port.execute(RELEASE, [sensor, id]);
}

export async function leaseHolder(port: Port, sensor: string, own: OwnClock): Promise<Holder | null> {
  const [lease] = await rows<LeaseRow>(port, READ, [sensor]);
  return lease !== undefined && isAlive(lease) ? holderOf(lease, own) : null;
}

/**
 * What an evaluation has started is a row of its own beside the lease, with the same sign of life: `SENSOR~ID`, which is no sensor's
 * name. It stays when the lease is taken over, until somebody has ended what is left.
 */
const programsOf = (sensor: string, id: string): string => `${sensor}~${id}`;

const STARTED = `
insert into @.sensor_lease (sensor, owner, lease_ms, beat) values ($1, $2, $3, clock_timestamp())
on conflict (sensor) do update set owner = excluded.owner`;

const LEFT = `select ${COLUMNS} from @.sensor_lease where starts_with(sensor, $1)`;

type Program = EvaluationLeft['programs'][number];

interface LeftRow extends LeaseRow {
  readonly owner: Owner & { readonly programs?: readonly Program[] };
}

/** @param programs all that it has started */
export async function notePrograms(
  port: Port,
  sensor: string,
  {
    owner,
    leaseMs,
    programs,
  }: { readonly owner: Owner; readonly leaseMs: number; readonly programs: readonly Program[] },
): Promise<void> {
  await port.execute(STARTED, [
    programsOf(sensor, owner.id),
    JSON.stringify({ ...owner, programs }),
    leaseMs,
  ]);
}

export async function programsLeft(port: Port, sensor: string): Promise<EvaluationLeft[]> {
  const left = await rows<LeftRow>(port, LEFT, [programsOf(sensor, '')]);
  return left.map((row) => {
    const { id, host, programs = [] } = row.owner;
    return { id, host, alive: isAlive(row), visible: isVisible(row.owner), programs };
  });
}

export async function forgetPrograms(port: Port, sensor: string, id: string): Promise<void> {
  await port.execute(RELEASE, [programsOf(sensor, id), id]);
}

function isAlive({ owner, silent_ms: silent, lease_ms: lease }: LeaseRow): boolean {
  return isVisible(owner) ? isRunningHere(owner) : silent < lease;
}

/** Clocks that differ by less show the same time: what the owner said, however long an answer took. */
const SAME_TIME_MS = 2000;

/** Since when by this process's clock: that of another machine may be minutes ahead or behind. */
function holderOf(
  { owner: { pid, host, since }, held_ms: held }: LeaseRow,
  { clock, hasOwnTime = false }: OwnClock,
): Holder {
  if (held === null || hasOwnTime) return { pid, host, since };
  const here = clock.now() - held;
  return { pid, host, since: Math.abs(here - Date.parse(since)) < SAME_TIME_MS ? since : isoTime(here) };
}
