/** The test of pipeline.example.ts, as one would write it for a pipeline of one's own: `npx vitest`. */
import { expect, test } from 'vitest';
import { type TestPipeline, testPipeline } from 'dynpart/testing';

process.env['FEED_URL'] = 'https://podcast.example/feed.xml';
const { default: pipeline, episode, episodes, showNotes } = await import('../pipeline.example.ts');

const feedOf = (...items: string[]): string =>
  `<rss version="2.0"><channel><title>Harbour Light</title>${items.join('')}</channel></rss>`;

const item = (guid: string, notes: string): string =>
  `<item><guid isPermaLink="false">${guid}</guid><title>${guid}</title><description>${notes}</description></item>`;

/** A podcast that has these items now, newest first. */
function podcastOf(...first: string[]): { items: string[]; testing: TestPipeline } {
  const podcast = { items: first };
  const fetch = (): Response => new Response(feedOf(...podcast.items));
  return Object.assign(podcast, { testing: testPipeline(pipeline, { fetch }) });
}

test('each episode has a record and show notes', async () => {
  const { testing } = podcastOf(item('two', 'Ropes and knots'), item('one', 'Gulls'));
  const { ticks } = await testing.tick();
  const runs = ticks.flatMap((tick) => tick.runs);
  expect(runs.map(({ partitionKey, status }) => `${partitionKey} ${status}`)).toEqual([
    'one SUCCESS',
    'two SUCCESS',
  ]);
  expect(await testing.value(episode, 'two')).toMatchObject({ id: 'two', title: 'two' });
  expect(await testing.value(showNotes, 'two')).toBe('Ropes and knots');
  expect((await testing.show(episodes, 'two')).assets[1]).toMatchObject({ metadata: { words: 3 } });
});

test('an episode whose notes were mended is made again, the others are not', async () => {
  const podcast = podcastOf(item('two', 'Ropse and knots'), item('one', 'Gulls'));
  const { testing } = podcast;
  await testing.tick();
  await testing.advance('1h');
  podcast.items = [item('two', 'Ropes and knots'), item('one', 'Gulls')];
  const { ticks } = await testing.tick();
  expect(ticks.flatMap(({ runs }) => runs)).toMatchObject([{ partitionKey: 'two' }]);
  expect(await testing.value(showNotes, 'two')).toBe('Ropes and knots');
});

test('killed at any commit, no episode is lost', async () => {
  const { testing } = podcastOf(item('two', 'Ropes'), item('one', 'Gulls'));
  await testing.crashEverywhere(
    (testing) => testing.tick(),
    async (testing) => {
      for (const key of ['one', 'two'])
        expect(await testing.status(showNotes, key), key).toBe('materialized');
    },
  );
});
