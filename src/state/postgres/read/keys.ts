/** Which of some keys are in their sets, and which are kept out; and whole sets, in order. */
import type { Carried } from '../../../model/carried.ts';
import type { JsonValue } from '../../../model/json-value.ts';
import { type Port, rows } from '../port.ts';
import { withZero } from '../run-key-text.ts';

export interface KeyRow {
  readonly set: string;
  readonly key: string;
  readonly present: boolean;
  readonly kept_out: boolean;
  /** Where what is carried is asked for: see `carriedBy`. */
  readonly version: string | null;
  readonly item: JsonValue;
}

/** Some keys of one set. */
export interface SomeKeys {
  readonly present: readonly string[];
  readonly keptOut: readonly string[];
  /** By key, of those that carry anything. */
  readonly carried: Readonly<Record<string, Pick<KeyRow, 'version' | 'item'>>>;
}

/** Set by set, so that each is looked up by its index, whatever the planner knows of the table. One row: of thousands each would cost. */
const SOME = `
select
  (select coalesce(json_agg(o.key), '[]') from @.kept_out o where o.set_id = s.id and o.key = any($2::text[])) as "keptOut",
  k.present, k.carried
from (select (select id from @.key_set where name = $1) as id) s cross join lateral (
  select coalesce(json_agg(k.key), '[]') as present,
    coalesce(json_object_agg(k.key, json_build_object('version', k.version, 'item', k.item))
      filter (where $3 and (k.version is not null or k.item is not null)), '{}') as carried
  from @.key k where k.set_id = s.id and k.key = any($2::text[])
) k`;

export async function readKeys(
  port: Port,
  asked: ReadonlyMap<string, Iterable<string>>,
  withCarried: boolean,
): Promise<ReadonlyMap<string, SomeKeys>> {
  const found = await Promise.all(
    Array.from(asked, async ([set, keys]) => {
      const [some] = await rows<SomeKeys>(port, SOME, [set, [...keys], withCarried]);
      return [set, some!] as const;
    }),
  );
  return new Map(found);
}

const WHOLE = `
select s.name as set, k.key, true as present, false as kept_out,
  case when $2 then k.version end as version, case when $2 then k.item end as item
from @.key_set s join @.key k on k.set_id = s.id where s.name = any($1) order by s.id, k.pos`;

const ALL_KEPT_OUT = `
select s.name as set, o.key, false as present, true as kept_out, null as version, null as item
from @.key_set s join @.kept_out o on o.set_id = s.id where s.name = any($1) order by s.id, o.n`;

export async function readSets(
  port: Port,
  sets: readonly string[],
  withCarried: boolean,
): Promise<readonly KeyRow[]> {
  const found = await Promise.all([
    rows<KeyRow>(port, WHOLE, [sets, withCarried]),
    rows<KeyRow>(port, ALL_KEPT_OUT, [sets]),
  ]);
  return found.flat();
}

const CARRIED = `
select k.key, k.version, k.item from @.key_set s join @.key k on k.set_id = s.id where s.name = $1 and k.key = any($2)`;

/** What the keys carry that are in the set. */
export async function readCarried(
  port: Port,
  set: string,
  keys: Iterable<string>,
): Promise<Map<string, Carried>> {
  const found = await rows<Pick<KeyRow, 'key' | 'version' | 'item'>>(port, CARRIED, [set, [...keys]]);
  return new Map(found.map((row) => [row.key, carriedBy(row)]));
}

export function carriedBy({ version, item }: Pick<KeyRow, 'version' | 'item'>): Carried {
  return { version: version === null ? null : withZero(version), item };
}
