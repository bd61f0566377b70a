/** By what an item of a feed is known again. */
import type { FeedItem, ReadItem } from './feed-item.ts';

/**
 * `'guid'`: the item's own id, else its link, else the address of its enclosure, else its title. `'link'`: the link, else as before.
 * `'title+date'`: both. A function gives a text of its own.
 */
export type Identity = 'guid' | 'link' | 'title+date' | ((item: FeedItem) => string | null | undefined);

/** Items without id, link and enclosure that share a title are told apart by what is known of them from before. */
export interface Named {
  readonly key: string;
  readonly title: string;
  readonly date: string | null;
  readonly version: string;
}

export interface Identified {
  readonly read: ReadItem;
  /** Not yet one that may be a key. */
  readonly identity: string;
}

export interface IdentifiedItems {
  readonly items: readonly Identified[];
  /** For the next time, when some had only a title. */
  readonly named: readonly Named[];
  /** Of so many items nothing is said by which they could be known. */
  readonly nameless: number;
}

/**
 * @param known what was `named` the last time
 * @param inSet what the set knows of those of these keys that are in it
 */
export async function identify(
  reads: readonly ReadItem[],
  identity: Identity,
  known: readonly Named[],
  inSet: (keys: ReadonlyMap<string, string>) => Promise<readonly Named[]>,
): Promise<IdentifiedItems> {
  const items: Identified[] = [];
  const byTitle: ReadItem[] = [];
  let nameless = 0;
  for (const read of reads) {
    const own = ownIdentity(read, identity);
    if (own !== null) items.push({ read, identity: own });
    else if (read.item.title !== '') byTitle.push(read);
    else if (read.raw.content !== null || read.raw.summary !== null)
      items.push({ read, identity: `#${read.version}` });
    else nameless += 1;
  }
  if (byTitle.length === 0) return { items, named: [], nameless };
  const titles = new Map(byTitle.flatMap((read) => namesOf(read).map((name) => [name, read.item.title])));
  for (const { key } of known) titles.delete(key);
  const named = nameByTitle(byTitle, [...known, ...(await inSet(titles))]);
  return { items: [...items, ...named.items], named: named.named, nameless };
}

/** What the item itself says; `null`: a title at most. */
function ownIdentity({ raw, item }: ReadItem, identity: Identity): string | null {
  if (typeof identity === 'function') {
    const given = identity(item);
    if (typeof given === 'string' && given !== '') return given;
  }
  if (identity === 'title+date' && item.title !== '') {
    const date = item.published ?? item.updated;
    return date === null ? item.title : `${item.title} · ${date}`;
  }
  const [first, second] = identity === 'link' ? [raw.link, raw.id] : [raw.id, raw.link];
  return first ?? second ?? raw.enclosure?.url ?? null;
}

/** In the order in which they are taken when nobody else has them. */
function namesOf(read: ReadItem): string[] {
  const { title } = read.item;
  const date = dateOf(read);
  return [title, ...(date === null ? [] : [`${title} · ${date}`]), `${title} · #${read.version}`];
}

type Rule = (read: ReadItem, name: Named) => boolean;

/** By what an item is taken for one that was known, the surest first. */
const RULES: readonly Rule[] = [
  (read, name) => name.version === read.version && name.date === dateOf(read),
  (read, name) => name.version === read.version,
  (read, name) => name.date !== null && name.date === dateOf(read),
];

/**
 * The first item of a title has the title for its key, further ones their date behind it. Which is which must not change when
 * the feed is reordered, loses its oldest, changes dates or edits a text; so what an item was called is remembered with its
 * date and version, and one that has either as before is called as before.
 */
function nameByTitle(
  reads: readonly ReadItem[],
  known: readonly Named[],
): Pick<IdentifiedItems, 'items' | 'named'> {
  const taken = new Map<string, ReadItem>();
  const knownByTitle = grouped(known, ({ title }) => title);
  for (const [title, group] of grouped(reads, ({ item }) => item.title)) {
    const names = knownByTitle.get(title) ?? [];
    // The same item once more is the same item.
    const open = new Set(new Map(group.map((read) => [`${read.version} ${dateOf(read)}`, read])).values());
    // One without a date that is alone with its title, before and now, was edited.
    const isAlone =
      open.size === 1 && names.length === 1 && names[0]!.date === null && dateOf(group[0]!) === null;
    for (const rule of isAlone ? [...RULES, () => true] : RULES)
      for (const read of open) {
        const name = names.find((name) => !taken.has(name.key) && rule(read, name));
        if (name === undefined) continue;
        taken.set(name.key, read);
        open.delete(read);
      }
    const used = new Set(names.map(({ key }) => key));
    for (const read of [...open].sort(
      (a, b) => compare(dateOf(a), dateOf(b)) || compare(a.version, b.version),
    )) {
      const key = namesOf(read).find((name) => !taken.has(name) && !used.has(name));
      if (key !== undefined) taken.set(key, read);
    }
  }
  const all = [...taken];
  return {
    items: all.map(([identity, read]) => ({ read, identity })),
    named: all.map(([key, read]) => ({
      key,
      title: read.item.title,
      date: dateOf(read),
      version: read.version,
    })),
  };
}

function dateOf({ item }: ReadItem): string | null {
  return item.published ?? item.updated;
}

function compare(a: string | null, b: string | null): number {
  return (a ?? '') < (b ?? '') ? -1 : (a ?? '') > (b ?? '') ? 1 : 0;
}

function grouped<T>(list: readonly T[], titleOf: (each: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const each of list) {
    const group = groups.get(titleOf(each));
    if (group === undefined) groups.set(titleOf(each), [each]);
    else group.push(each);
  }
  return groups;
}
