/**
 * The episodes of a podcast: a sensor finds them in a feed, two assets keep what the feed says about each.
 *
 *     npm run example                                               # the feed that comes with dynpart, no network
 *     FEED_URL=https://example.org/feed.xml npm run example         # yours
 */
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { feed, type FeedItem } from 'dynpart/sources';

/** The partitions: a set of keys that starts empty. The sensor fills it, with one key for each episode, and what the feed says of it. */
export const episodes = dynamicPartitions<FeedItem>('episodes');

/** The record of one episode. The audio itself is not downloaded. */
export const episode = asset({
  name: 'episode',
  partitions: episodes,
  automate: 'stale',
  materialize({ item, addMetadata }) {
    addMetadata({ title: item.title, published: item.published, audio: item.enclosure?.url ?? null });
    return item;
  },
});

/** Its show notes, made from the record above: `inputs.episode` is typed as what `episode` returns. */
export const showNotes = asset({
  name: 'showNotes',
  partitions: episodes,
  automate: 'stale',
  inputs: { episode },
  materialize({ inputs, addMetadata }) {
    const text = inputs.episode.summary ?? '';
    addMetadata({ words: text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0 });
    return text;
  },
});

/** Looks for episodes that are new, or are not what they were. What is made of them, automation asks for. */
export const news = sensor({
  name: 'feed',
  minimumIntervalSeconds: 60,
  evaluate: feed(episodes, process.env['FEED_URL'] || new URL('examples/feed.xml', import.meta.url)),
});

export default definePipeline({ assets: [episode, showNotes], sensors: [news] });
