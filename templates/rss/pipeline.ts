import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
import { feed, type FeedItem } from 'dynpart/sources';

// Your feed: RSS, Atom or JSON Feed. Without FEED_URL it is the file beside this one, which needs no network.
const address = process.env['FEED_URL'] ?? new URL('feed.xml', import.meta.url);

// A set of partition keys. It starts empty; here it gets a key for each item of the feed, which carries the item.
const episodes = dynamicPartitions<FeedItem>('episodes');

// Made once for each key. What it returns is kept as a file.
const episode = asset({
  name: 'episode',
  partitions: episodes,
  automate: 'stale', // made without anybody asking, and again when the feed says something else of it
  materialize: ({ item }) => ({ title: item.title, published: item.published, audio: item.enclosure?.url }),
});

// Looks for items that are new, or are not what they were.
const news = sensor({
  name: 'news',
  minimumIntervalSeconds: 300, // for `sensor watch` and `sensor tick --due`
  evaluate: feed(episodes, address),
});

export default definePipeline({ assets: [episode], sensors: [news] });
