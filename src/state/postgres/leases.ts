/** Who evaluates a sensor: a row with signs of life. That nothing is applied twice rests on the sensor's version, not on this. */
import { isRunningHere, isVisible, type Owner } from '../../files/process-owner.ts';
import type { Holder } from '../../model/tick.ts';
import type { HeldClaim } from '../store.ts';
import { type Port, rows } from './port.ts';

interface LeaseRow {
  readonly owner: Owner;
  readonly silent_ms: number;
  readonly lease_ms: number;
  readonly thread: string | null;
}

const READ = `
select owner, lease_ms, thread, (extract(epoch from clock_timestamp() - beat) * 1000)::float8 as silent_ms
from @.sensor_lease where sensor = $1`;

const TAKE = `
insert into @.sensor_lease (sensor, owner, lease_ms, beat) values ($1, $2, $3, clock_timestamp())
on conflict do nothing returning sensor`;

/** Of several that find a dead owner's lease only one takes it over. */
const TAKE_OVER = `
update @.sensor_lease set owner = $2, lease_ms = $3, beat = clock_timestamp(), thread = null
where sensor = $1 and owner ->> 'id' = $4 returning sensor`;

const RELEASE = `delete from @.sensor_lease where sensor = $1 and owner ->> 'id' = $2`;

const THREAD = `update @.sensor_lease set thread = $1 where owner ->> 'pid' = $2 and owner ->> 'host' = $3`;

export async function takeLease(
  port: Port,
  sensor: string,
  { owner, leaseMs }: { readonly owner: Owner; readonly leaseMs: number },
): Promise<HeldClaim | null> {
  for (;;) {
    if ((await rows(port, TAKE, [sensor, JSON.stringify(owner), leaseMs])).length > 0) return null;
    const [lease] = await rows<LeaseRow>(port, READ, [sensor]);
    if (lease === undefined) continue;
    // A statement that was repeated because its answer was lost.
    if (lease.owner.id === owner.id) return null;
    if (isAlive(lease)) return { holder: holderOf(lease.owner), thread: lease.thread };
    const taken = await rows(port, TAKE_OVER, [sensor, JSON.stringify(owner), leaseMs, lease.owner.id]);
    if (taken.length > 0) return null;
  }
}

export async function releaseLease(port: Port, sensor: string, id: string): Promise<void> {
  await port.execute(RELEASE, [sensor, id]);
}

export async function leaseHolder(port: Port, sensor: string): Promise<Holder | null> {
  const [lease] = await rows<LeaseRow>(port, READ, [sensor]);
  return lease !== undefined && isAlive(lease) ? holderOf(lease.owner) : null;
}

export async function noteThread(port: Port, sensor: string, { pid, host }: Owner): Promise<void> {
  await port.execute(THREAD, [sensor, String(pid), host]);
}

function isAlive({ owner, silent_ms: silent, lease_ms: lease }: LeaseRow): boolean {
  return isVisible(owner) ? isRunningHere(owner) : silent < lease;
}

function holderOf({ pid, host, since }: Owner): Holder {
  return { pid, host, since };
}
