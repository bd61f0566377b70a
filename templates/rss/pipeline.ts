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
  materialize: ({ item }) => ({ title: item.title, published: item.published, audio: item.enclosure?.url }),
});

// Looks for items that are new, or are not what they were. Their keys and runs are committed together, or not at all.
const news = sensor({
  name: 'news',
  assets: [episode],
  minimumIntervalSeconds: 300, // for `sensor watch` and `sensor tick --due`
  evaluate: feed(episodes, address, { requestRuns: true }),
});

export default definePipeline({ assets: [episode], sensors: [news] });
