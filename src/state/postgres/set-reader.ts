/** What a user's function asks of sets: each question a query, and a long set comes in pages. */
import { isPartitionKey } from '../../model/partition-key.ts';
import { statusAt } from '../document/statuses.ts';
import type { SetReader } from '../store.ts';
import { type Port, rows } from './port.ts';
import { readCarried } from './read/keys.ts';
import { readStatuses } from './read/statuses.ts';

/** So many keys come at a time. */
const PAGE = 10_000;

const MISSING = `
select w.key from unnest($2::text[]) with ordinality as w(key, n)
where not exists (select from @.key_set s join @.key k on k.set_id = s.id where s.name = $1 and k.key = w.key)
  and not exists (select from @.key_set s join @.kept_out o on o.set_id = s.id where s.name = $1 and o.key = w.key)
order by w.n`;

const HAS = `select from @.key_set s join @.key k on k.set_id = s.id where s.name = $1 and k.key = $2`;

const COUNT = `select size::float8 as size from @.key_set where name = $1`;

const AFTER = `
select k.key, k.pos::float8 as pos from @.key_set s join @.key k on k.set_id = s.id
where s.name = $1 and k.pos > $2 order by k.pos limit ${PAGE}`;

// What can be no key is in no set, and some of it PostgreSQL refuses to look for (NUL), or takes for another text.
export function setReader(port: Port): SetReader {
  return {
    missing: async (set, keys) => {
      const asked = [...new Set(keys)];
      const possible = asked.filter(isPartitionKey);
      const found = await rows<{ readonly key: string }>(port, MISSING, [set, possible]);
      if (possible.length === asked.length) return found.map(({ key }) => key);
      const isMissing = new Set(found.map(({ key }) => key));
      return asked.filter((key) => isMissing.has(key) || !isPartitionKey(key));
    },
    has: async (set, key) => isPartitionKey(key) && (await rows(port, HAS, [set, key])).length > 0,
    carried: (set, keys) => readCarried(port, set, [...keys].filter(isPartitionKey)),
    statusOf: async (asset, set, keys) => {
      const found = await readStatuses(
        port,
        keys.filter(isPartitionKey).map((key) => ({ asset, set, key })),
      );
      const letters = new Map(found.map(({ key, letter }) => [key, letter]));
      return keys.map((key) => statusAt(letters.get(key)));
    },
    count: async (set) => (await rows<{ readonly size: number }>(port, COUNT, [set]))[0]?.size ?? 0,
    keys: async function* (set) {
      for (let after = 0, isLast = false; !isLast;) {
        const page = await rows<{ readonly key: string; readonly pos: number }>(port, AFTER, [set, after]);
        for (const { key } of page) yield key;
        isLast = page.length < PAGE;
        after = page.at(-1)?.pos ?? after;
      }
    },
  };
}
