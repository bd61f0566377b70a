/** What no document shows: rows that belong to nothing, looked for from both sides. `state check` says it. */
import type { StateProblem } from '../document/check-state.ts';
import { quoted } from '../../model/text.ts';
import { type Port, rows } from './port.ts';

/** Each by what it is called, and which of its rows are wrong. */
const ORPHANS: readonly (readonly [what: string, query: string])[] = [
  [
    'runs that were never queued',
    `select id from @.run r where not exists (select from @.run_head h where h.n = r.head)`,
  ],
  [
    'queueings of which no run is left',
    `select run_group from @.run_head h where not exists (select from @.run r where r.head = h.n)`,
  ],
  ['runs that are pending and have ended', `select id from @.run join @.history using (id)`],
  [
    'statuses of keys that are in no set',
    `select t.key from @.status t where t.set_id <> 0 and not exists (select from @.key k where k.set_id = t.set_id and k.key = t.key)`,
  ],
  ['statuses without a key that have one', `select t.key from @.status t where t.set_id = 0 and t.key <> ''`],
  [
    'statuses of assets that are not known',
    `select distinct t.asset from @.status t where not exists (select from @.asset a where a.name = t.asset)`,
  ],
  [
    'keys of sets that are not there',
    `select k.key from @.key k where not exists (select from @.key_set s where s.id = k.set_id)`,
  ],
  [
    'keys that are kept out of sets that are not there',
    `select k.key from @.kept_out k where not exists (select from @.key_set s where s.id = k.set_id)`,
  ],
  [
    'sets that count other keys than they have',
    `select s.name from @.key_set s where s.size <> (select count(*) from @.key k where k.set_id = s.id)`,
  ],
  [
    'sets that would give a place twice',
    `select s.name from @.key_set s where s.next_pos <= (select max(k.pos) from @.key k where k.set_id = s.id)`,
  ],
  [
    'notes of runs that are begun by processes that are not there',
    `select b.run from @.begun b where not exists (select from @.executor e where e.id = b.executor)`,
  ],
  [
    'programs of processes that are not there',
    `select p.run from @.program p where not exists (select from @.executor e where e.id = p.executor)`,
  ],
];

const CHECK = ORPHANS.map(
  ([what, query]) => `
select '${what}' as what, count(*)::int as count, min(x.one) as one from (${query}) as x(one) having count(*) > 0`,
).join(' union all ');

export async function checkTables(port: Port): Promise<StateProblem[]> {
  const found = await rows<{ readonly what: string; readonly count: number; readonly one: string }>(
    port,
    CHECK,
  );
  return found.map(({ what, count, one }) => ({
    code: 'orphans',
    message: `${what}: ${count}, such as ${quoted(one)}`,
  }));
}
