/** A call to others that there are runs to be taken up or to be aborted: to look sooner, and no more than that. */
import type { StateChange } from '../../changes.ts';
import type { Address } from '../address.ts';
import { type Port, send } from '../port.ts';

const CALL = `select pg_notify($1, '')`;

const CALLING: ReadonlySet<StateChange['type']> = new Set(['runs-queued', 'runs-released', 'runs-canceling']);

export function callOthers(port: Port, address: Address, changes: readonly StateChange[]): void {
  if (changes.some(({ type }) => CALLING.has(type))) send(port, CALL, [channelOf(address)]);
}

/** Where one listens. */
export function channelOf({ schema }: Address): string {
  return `dynpart ${schema}`.slice(0, 63);
}
