/** Elements by what they mean: `content:encoded` whatever prefix the publisher chose, plain names for all that is RSS or Atom. */

/** By what stands in the address of the namespace, in small letters: publishers vary its scheme, case and last slash. */
const SPACES: readonly (readonly [RegExp, string])[] = [
  [
    /^$|rss|w3\.org\/2005\/atom|purl\.org\/atom|netscape\.com\/rdf|blogs\.law\.harvard\.edu\/tech|^atom$|^atom10$|^atom03$/,
    '',
  ],
  [/purl\.org\/rss\/1\.0\/modules\/content|^content$/, 'content:'],
  [/purl\.org\/rss\/1\.0\/modules\/enclosure|^enc$/, 'enc:'],
  [/purl\.org\/dc\/elements|^dc$/, 'dc:'],
  [/purl\.org\/dc\/terms|^dcterms$/, 'dcterms:'],
  [/itunes\.com\/dtds|^itunes$/, 'itunes:'],
  [/podcastindex\.org|podcast-namespace|^podcast$/, 'podcast:'],
  [/search\.yahoo\.com\/mrss|^media$/, 'media:'],
  [/w3\.org\/1999\/02\/22-rdf|^rdf$/, 'rdf:'],
];

/** @param space the address of the namespace, or the prefix where nothing declares it */
export function meaningOf(space: string, local: string): string {
  return known(space.toLowerCase().trim(), space) + local.toLowerCase();
}

function known(small: string, space: string): string {
  const cached = seen.get(small);
  if (cached !== undefined) return cached;
  // Modules of RSS 1.0 have the address of RSS 1.0 in theirs: those that are known first, the others are not RSS.
  const found =
    SPACES.slice(1).find(([pattern]) => pattern.test(small)) ??
    (small.includes('/modules/') ? undefined : SPACES.slice(0, 1).find(([pattern]) => pattern.test(small)));
  const name = found?.[1] ?? `{${space}}`;
  if (seen.size < 1000) seen.set(small, name);
  return name;
}

const seen = new Map<string, string>();
