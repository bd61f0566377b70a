/**
 * The episodes of a podcast: a sensor finds them in an RSS feed, two assets keep what the feed says about each.
 *
 *     npm run example                                               # the feed that comes with dynpart, no network
 *     FEED_URL=https://example.org/feed.xml npm run example         # yours
 */
import { readFile } from 'node:fs/promises';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { decodeXml, type Episode, parseRss, plainText } from './examples/rss.ts';

/** The partitions: a set of keys that starts empty and that the sensor fills, one key for each episode. */
export const episodes = dynamicPartitions('episodes');

/** What the feed says about one episode. The audio itself is not downloaded. */
export const episode = asset({
  name: 'episode',
  partitions: episodes,
  async materialize({ partitionKey, run, signal, addMetadata }) {
    const feed = await unlessAborted(feedAsOf(run.tags['feedAsOf'] ?? ''), signal);
    const found = feed.get(partitionKey);
    // Feeds drop their oldest episodes: that is no reason to keep an empty record.
    if (found === undefined)
      throw new Error(`the feed ${source()} has no episode '${partitionKey}' (any more)`);
    addMetadata({ title: found.title, publishedAt: found.publishedAt, audio: found.enclosure?.url ?? null });
    return found;
  },
});

/** Its show notes as plain text, made from the record above: `inputs.episode` is typed as what `episode` returns. */
export const showNotes = asset({
  name: 'showNotes',
  partitions: episodes,
  inputs: { episode },
  materialize({ inputs, addMetadata }) {
    const text = plainText(inputs.episode.notes);
    addMetadata({ words: countWords(text) });
    return text;
  },
});

/** Looks for episodes that are not in the set yet. */
export const feed = sensor({
  name: 'feed',
  assets: [episode, showNotes],
  minimumIntervalSeconds: 60,
  async evaluate({ partitions, log, signal }) {
    // By a clock that is never set back: a later reading must look later.
    const now = new Date(performance.timeOrigin + performance.now()).toISOString();
    const listed = await feedAsOf(now, signal);
    // The set is what was seen, so an episode that comes late, or shares its date with another, is not lost.
    // A date as a cursor would lose both; here the cursor only tells people how far the feed has come.
    const missing = await partitions(episodes).missing(listed.keys());
    const fresh = missing.map((key) => listed.get(key)!).sort(byDate);
    if (fresh.length === 0) return { skipReason: `all ${listed.size} episodes of the feed are known` };
    log.info(`${fresh.length} of ${listed.size} episodes are new`);
    const newest = [...listed.values()].sort(byDate).at(-1)?.publishedAt;
    // Keys, runs and cursor are committed together, or not at all.
    return {
      ...(newest && { cursor: newest }),
      dynamicPartitionsRequests: [episodes.buildAddRequest(fresh.map(({ key }) => key))],
      // A run key launches one run, ever: nothing is executed twice, whatever happens between two ticks.
      runRequests: fresh.map(({ key }) => ({ partitionKey: key, runKey: key, tags: { feedAsOf: now } })),
    };
  },
});

export default definePipeline({ assets: [episode, showNotes], sensors: [feed] });

// ── Reading the feed: once a command, not once a run ─────────────────────────────────────────────────────────────────

type Feed = ReadonlyMap<string, Episode>;

let memo: { readonly asOf: string; readonly feed: Promise<Feed> } | undefined;

/**
 * The feed as it was at a time or later. The runs of one tick share one reading of it.
 *
 * In `sensor watch` the sensor has a thread, and so a `memo`, of its own. Its runs carry the time of its reading as a tag,
 * and the first of them makes this thread read again. A failure is shared like a feed: a server that is down is not
 * asked a thousand times; the next tick asks again.
 */
function feedAsOf(asOf: string, signal?: AbortSignal): Promise<Feed> {
  if (memo === undefined || memo.asOf < asOf) memo = { asOf, feed: readFeed(signal) };
  return memo.feed;
}

/** The last answer, for conditional requests: a feed that did not change is neither sent nor parsed again. */
let last: { readonly feed: Feed; readonly etag: string | null; readonly modified: string | null } | undefined;

async function readFeed(signal?: AbortSignal): Promise<Feed> {
  const timeoutSeconds = Number(process.env['FEED_TIMEOUT_SECONDS'] || 20);
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    const address = process.env['FEED_URL'];
    if (!address) return parseRss(decodeXml(await readFile(new URL('examples/feed.xml', import.meta.url))));
    if (!/^https?:/i.test(address)) throw new Error('FEED_URL must begin with http:// or https://');
    const headers = new Headers({ accept: 'application/rss+xml, application/xml;q=0.9, */*;q=0.1' });
    if (last?.etag) headers.set('if-none-match', last.etag);
    if (last?.modified) headers.set('if-modified-since', last.modified);
    const response = await fetch(address, {
      headers,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    if (response.status === 304 && last !== undefined) return last.feed;
    if (!response.ok) {
      // A body that nobody reads would keep the connection, and with it the process.
      await response.body?.cancel();
      throw new Error(`the server answered ${response.status} ${response.statusText}`.trimEnd());
    }
    const xml = decodeXml(new Uint8Array(await response.arrayBuffer()), response.headers.get('content-type'));
    last = {
      feed: parseRss(xml),
      etag: response.headers.get('etag'),
      modified: response.headers.get('last-modified'),
    };
    return last.feed;
  } catch (error) {
    const within = timeout.aborted ? ` within ${timeoutSeconds} seconds` : '';
    throw new Error(`cannot read the feed ${source()}${within}`, { cause: error });
  }
}

/** Where the feed comes from, without the query: private feeds carry a secret there, and messages are kept. */
function source(): string {
  return process.env['FEED_URL']?.replace(/[?#].*/, '') || 'examples/feed.xml';
}

/** A run that is canceled stops waiting, and leaves the reading to the runs that share it. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, aborted]);
}

/** Oldest first; those without a date come before all others. */
function byDate(a: Episode, b: Episode): number {
  return Date.parse(a.publishedAt ?? '0000') - Date.parse(b.publishedAt ?? '0000');
}

/** A dash between two blanks is no word. */
function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
}
