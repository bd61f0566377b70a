/** `feed()`: the items of an RSS, Atom, RDF or JSON feed as keys. */
import type { DynamicPartitions } from '../definitions/partitions.ts';
import type { SensorContext, SensorResult } from '../definitions/sensor.ts';
import type { FeedItem } from './feed/feed-item.ts';
import type { FeedOptions } from './feed/feed-options.ts';
import { addressOf, checkLimits, checkSource } from './options.ts';

/**
 * `evaluate` of a sensor: a key for each item of a feed, which carries the item, and a version that changes with its title,
 * link, enclosure or text. Reads RSS 0.9 to 2.0, RDF, Atom and JSON Feed, also where they are not well-formed. Asks the
 * server only for what changed; the cursor holds what that needs.
 *
 * @param url `https:`, `http:`, or `file:` as `new URL('feed.xml', import.meta.url)`
 * @throws TypeError at once for an address or options that cannot be meant; Error in `evaluate` when the feed cannot be read
 */
export function feed(
  set: DynamicPartitions<FeedItem>,
  url: string | URL,
  options: FeedOptions = {},
): (context: SensorContext) => Promise<SensorResult> {
  checkSource('feed', set, options);
  const address = addressOf('feed', url, {
    example: 'https://example.org/feed.xml',
    kinds: ['http:', 'https:', 'file:'],
  });
  const { identity } = options;
  if (identity !== undefined && typeof identity !== 'function' && !IDENTITIES.has(identity))
    throw new TypeError("identity of feed() must be 'guid', 'link', 'title+date' or a function");
  checkLimits('feed', options, ['maxBytes', 'timeoutMs']);
  return async (context) => {
    const { readFeed } = await import('./feed/read-feed.ts');
    return readFeed(context, set, address, options);
  };
}

const IDENTITIES: ReadonlySet<string> = new Set(['guid', 'link', 'title+date']);
