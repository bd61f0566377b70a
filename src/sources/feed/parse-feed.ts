/** The text of a feed of any kind → its items. */
import { parseJsonFeed } from './parse-json.ts';
import { parseXmlFeed } from './parse-xml.ts';
import { NoFeed, type RawFeed } from './raw-item.ts';

/** @throws NoFeed when it is something else, in words that say what */
export async function parseFeed(text: string, signal?: AbortSignal): Promise<RawFeed> {
  const start = text.slice(0, 1000).trimStart();
  if (start === '' && text.trim() === '') throw new NoFeed('it is empty');
  if (start.startsWith('{')) return parseJsonFeed(text);
  if (start.startsWith(EBCDIC)) throw new NoFeed('it is in EBCDIC, which is not read: ask for UTF-8');
  if (!start.startsWith('<'))
    throw new NoFeed(`it is no feed: it begins with ${JSON.stringify(start.slice(0, 40))}`);
  return parseXmlFeed(text, signal);
}

/** How `<?xml` looks when it is none of what is known. */
const EBCDIC = 'Lo§\u201d\u201c';
