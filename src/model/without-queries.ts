/** Texts without what addresses carry: tokens and passwords. */

/** What stands between the scheme of an address and its host, where there is an `@`. */
const USER = /\b([a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/?#"'<>@]*@/gi;

/** The query or fragment of an address, and all before it. */
const QUERY = /\b([a-z][a-z0-9+.-]{0,30}:\/\/[^\s?#"'<>]*[?#])[^\s"'<>]+/gi;

/** The text with the query, the fragment and the password of each address in it cut: that is where tokens stand. */
export function withoutQueries(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(USER, '$1…@').replace(QUERY, '$1…');
}
