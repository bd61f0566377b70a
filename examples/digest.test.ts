/** The test of digest.ts: what stands in the digest, when it is made, and that no kill loses or doubles one. */
import { expect, test } from 'vitest';
import { type TestPipeline, testPipeline } from 'dynpart/testing';

process.env['FEED_URL'] = 'https://podcast.example/feed.xml';
const { default: pipeline, digest, episodes, summary } = await import('./digest.ts');

const item = (guid: string, date: string | null, notes = 'Short. And more.'): string =>
  `<item><guid isPermaLink="false">${guid}</guid><title>${guid}</title><description>${notes}</description>${
    date === null ? '' : `<pubDate>${new Date(date).toUTCString()}</pubDate>`
  }</item>`;

/** A podcast that has these items now. It begins on a Friday. */
function podcastOf(...items: string[]): { items: string[]; testing: TestPipeline } {
  const podcast = { items };
  const testing = testPipeline(pipeline, {
    now: '2026-01-02T12:00:00Z',
    fetch: () =>
      new Response(
        `<rss version="2.0"><channel><title>Light</title>${podcast.items.join('')}</channel></rss>`,
      ),
  });
  return Object.assign(podcast, { testing });
}

/** What the runs of a tick made, in their order. */
async function made(testing: TestPipeline): Promise<string[]> {
  const { ticks } = await testing.tick();
  return ticks.flatMap(({ runs }) =>
    runs.map(({ assets, partitionKey }) => `${assets.join()} ${partitionKey}`),
  );
}

test('a digest of the last week, once a week, whatever comes in between', async () => {
  const podcast = podcastOf(item('old', '2025-12-01'), item('one', '2025-12-30'));
  const { testing } = podcast;
  // Of this week there is none yet: it is not waited for, and comes behind the summaries.
  expect(await made(testing)).toEqual(['summary old', 'summary one', 'digest null']);
  expect(await testing.value(digest)).toBe('one: Short.');
  await testing.advance('1d');
  podcast.items.push(item('two', '2026-01-03', 'Ropes! And knots.'));
  expect(await made(testing)).toEqual(['summary two']);
  expect(await testing.status(digest)).toBe('stale');
  expect(await made(testing)).toEqual([]);
  await testing.advance('44h');
  // Monday, 08:00.
  expect(await made(testing)).toEqual(['digest null']);
  expect(await testing.value(digest)).toBe('two: Ropes!\none: Short.');
  await testing.advance('7d');
  expect(await made(testing)).toEqual([]);
});

test('an episode without a date is left out, and is in the next one when it has one', async () => {
  const podcast = podcastOf(item('one', '2025-12-30'), item('two', null));
  const { testing } = podcast;
  await testing.tick();
  expect(await testing.status(summary, 'two')).toBe('failed');
  await testing.tick();
  expect(await testing.value(digest)).toBe('one: Short.');
  podcast.items = [item('one', '2025-12-30'), item('two', '2026-01-02', 'Gulls. Many.')];
  await testing.advance('3d');
  await testing.tick();
  await testing.tick();
  expect(await testing.value(digest)).toBe('two: Gulls.\none: Short.');
});

test('killed at any commit, no episode is missing from the digest', async () => {
  const { testing } = podcastOf(item('one', '2025-12-30'), item('two', '2026-01-01'));
  await testing.crashEverywhere(
    async (test) => {
      await test.tick();
      await test.tick();
    },
    async (test) => {
      for (let ticks = 0; ticks < 3; ticks++) await test.tick();
      expect(await test.keys(episodes)).toHaveLength(2);
      expect(await test.value(digest)).toBe('two: Short.\none: Short.');
      expect(await test.status(digest)).toBe('materialized');
    },
  );
});
