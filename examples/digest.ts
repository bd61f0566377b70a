/**
 * A podcast's weekly digest: a summary of each episode as it appears, and every Monday one page of those of the last week.
 *
 *     FEED_URL=https://example.org/feed.xml dynpart -f digest.ts sensor watch
 */
import { asset, definePipeline, dynamicPartitions, lastKeys, sensor } from 'dynpart';
import { feed, type FeedItem } from 'dynpart/sources';

export const episodes = dynamicPartitions<FeedItem>('episodes');

/** What the digest says of one episode. */
export const summary = asset({
  name: 'summary',
  partitions: episodes,
  automate: 'stale',
  retry: { later: ['1h', '1d'] },
  materialize({ item }) {
    if (item.published === null) throw new Error(`'${item.title}' has no date yet`);
    const [first = ''] = (item.summary ?? '').split(/(?<=[.!?])\s/);
    return { title: item.title ?? item.id, published: item.published, first };
  },
});

const WEEK = 7 * 24 * 60 * 60 * 1000;

/**
 * One page for all episodes of the week before the newest. It is asked for once a week, when nothing is on its way any more; an episode
 * without a summary is left out, and a week later, when it has one, it is in.
 */
export const digest = asset({
  name: 'digest',
  inputs: { summaries: lastKeys(summary, 50, { onMissing: 'skip' }) },
  automate: { when: 'stale', every: 'week', at: 'mon 07:00', timeZone: 'UTC' },
  async materialize({ inputs, addMetadata }) {
    const all: { title: string; published: string; first: string }[] = [];
    for await (const [, one] of inputs.summaries) all.push(one);
    all.sort((one, other) => (one.published < other.published ? 1 : -1));
    const newest = Date.parse(all[0]?.published ?? '');
    const week = all.filter(({ published }) => newest - Date.parse(published) < WEEK);
    addMetadata({ episodes: week.length, of: inputs.summaries.size });
    return week.map(({ title, first }) => `${title}: ${first}`).join('\n');
  },
});

export const news = sensor({
  name: 'news',
  evaluate: feed(episodes, process.env['FEED_URL'] || new URL('feed.xml', import.meta.url)),
});

export default definePipeline({ assets: [summary, digest], sensors: [news] });
