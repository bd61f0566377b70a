/** What a commit leaves beside its changes: whoever missed its answer finds that it was made. */
import type { MoveMark } from '../../../model/move-mark.ts';
import { type Port, send } from '../port.ts';

/** Old notes go. */
const MADE = `
with old as (delete from @.made where serial < $2 - 1000), m as (insert into @.made (id, serial) values ($1, $2))
update @.meta set serial = $2, written_by = $3`;

const WAS_MADE = `select from @.made where id = $1`;

export interface CommitNote {
  readonly id: string;
  readonly serial: number;
  readonly by: { readonly version: string; readonly at: string; readonly move?: MoveMark };
}

export function noteCommit(port: Port, { id, serial, by }: CommitNote): void {
  send(port, MADE, [id, serial, JSON.stringify(by)]);
}

export async function wasCommitted(port: Port, id: string): Promise<boolean> {
  return (await port.execute(WAS_MADE, [id])).length > 0;
}
