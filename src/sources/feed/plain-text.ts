/** What a reader sees of HTML, as text: for summaries, which are to be read in a terminal and to be searched. */
import sax from 'sax';

const BLOCKS = /<(?:br|\/?(?:p|div|li|ul|ol|tr|h[1-6]|blockquote))\b[^<>]*>/gi;

/** No tags, scripts or comments, blocks on lines of their own, characters instead of `&amp;`. */
export function plainText(html: string): string {
  return (
    html
      // What is never closed reaches to the end, as in a browser.
      .replace(/<!--[^]*?(?:-->|$)|<(script|style)\b[^]*?(?:<\/\1\s*>|$)/gi, ' ')
      .replace(BLOCKS, '\n')
      .replace(/<\/?[a-z][^<>]*>/gi, '')
      // After the tags: `&lt;b&gt;` is text about a tag, not a tag.
      .replace(
        /&(?:#(\d{1,8})|#x([\da-f]{1,7})|([a-z]\w{1,30}));/gi,
        (whole, decimal, hexadecimal, name: string) =>
          name === undefined ? character(decimal ?? `0x${hexadecimal}`) : (NAMED[name] ?? whole),
      )
      .replace(/[^\S\n]+/g, ' ')
      .replace(/ ?\n\s*/g, '\n')
      .trim()
  );
}

/** On one line. */
export function oneLine(html: string): string {
  return plainText(html).replace(/\s+/g, ' ');
}

/** Those that HTML names, as the parser has them. */
const NAMED = (sax as unknown as { readonly ENTITIES: Readonly<Record<string, string>> }).ENTITIES;

function character(code: string): string {
  return Number(code) <= 0x10ffff ? String.fromCodePoint(Number(code)).toWellFormed() : '\ufffd';
}
