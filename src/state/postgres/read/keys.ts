/** Which of some keys are in their sets, and which are kept out; and whole sets, in order. */
import { type Port, rows } from '../port.ts';

export interface KeyRow {
  readonly set: string;
  readonly key: string;
  readonly present: boolean;
  readonly kept_out: boolean;
}

const SOME = `
select w.set, w.key, k.key is not null as present, o.key is not null as kept_out
from unnest($1::text[], $2::text[]) as w(set, key)
join @.key_set s on s.name = w.set
left join @.key k on k.set_id = s.id and k.key = w.key
left join @.kept_out o on o.set_id = s.id and o.key = w.key
where k.key is not null or o.key is not null`;

export function readKeys(
  port: Port,
  asked: readonly (readonly [set: string, key: string])[],
): Promise<readonly KeyRow[]> {
  return rows<KeyRow>(port, SOME, [asked.map(([set]) => set), asked.map(([, key]) => key)]);
}

const WHOLE = `
select s.name as set, k.key, true as present, false as kept_out
from @.key_set s join @.key k on k.set_id = s.id where s.name = any($1) order by s.id, k.pos`;

const ALL_KEPT_OUT = `
select s.name as set, o.key, false as present, true as kept_out
from @.key_set s join @.kept_out o on o.set_id = s.id where s.name = any($1) order by s.id, o.n`;

export async function readSets(port: Port, sets: readonly string[]): Promise<readonly KeyRow[]> {
  return [...(await rows<KeyRow>(port, WHOLE, [sets])), ...(await rows<KeyRow>(port, ALL_KEPT_OUT, [sets]))];
}
