/** Keys that carry something, change, and ask for what they need: through the real binary. */
import { expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const pipeline = (code: string, textOptions = "automate: 'stale'") => `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
const episodes = dynamicPartitions<{ url: string }>('episodes');
const audio = asset({
  name: 'audio',
  partitions: episodes,
  automate: 'stale',
  codeVersion: '${code}',
  materialize: ({ partitionKey, item, version }) =>
    partitionKey === 'silent' ? skip('there is no audio') : item.url + ' ' + version,
});
const text = asset({
  name: 'text',
  partitions: episodes,
  inputs: { audio },
  ${textOptions},
  materialize({ inputs, partitionKey }) {
    if (partitionKey === 'bad') throw new Error('no words');
    return inputs.audio.toUpperCase();
  },
});
const feed = sensor({
  name: 'feed',
  async evaluate({ partitions }) {
    const listed = JSON.parse(fs.readFileSync(new URL('feed.json', import.meta.url), 'utf8'));
    const changed = await partitions(episodes).changed(listed);
    if (changed.length === 0) return { skipReason: 'nothing new' };
    return { dynamicPartitionsRequests: [episodes.buildAddRequest(changed)] };
  },
});
export default definePipeline({ assets: [audio, text], sensors: [feed] });
`;

const feed = (items: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(items).map(([key, version]) => ({ key, version, item: { url: `u/${key}` } })),
  );

interface Tick {
  readonly sensor: string;
  readonly status: string;
  readonly partitions: readonly { readonly added: string[]; readonly updated: string[] }[];
  readonly runs: readonly { readonly partitionKey: string; readonly assets: string[] }[];
}

async function tick(project: Project): Promise<{ code: number | null; ticks: Tick[] }> {
  const { code, document } = await project.json(['sensor', 'tick']);
  return { code, ticks: document.ticks };
}

/** `asset: materialized (stale) failed skipped missing (backlog)`. */
async function counts(project: Project): Promise<string[]> {
  const { document } = await project.json(['status']);
  return document.assets.map(
    (one: Record<string, number | string>) =>
      `${one['asset']}: ${one['materialized']} (${one['stale']}) ${one['failed']} ${one['skipped']} ${one['missing']} (${one['backlog']})`,
  );
}

it('makes each key once, again when it has changed, and leaves a failed one until something has changed', async () => {
  await using project = new Project({
    'pipeline.ts': pipeline('1'),
    'feed.json': feed({ a: '1', bad: '1', silent: '1' }),
  });
  const first = await tick(project);
  expect(first.code).toBe(1);
  expect(first.ticks.map(({ sensor, status }) => `${sensor} ${status}`)).toEqual([
    'feed SUCCESS',
    'automation SUCCESS',
  ]);
  expect(
    first.ticks[1]!.runs.map(({ partitionKey, assets }) => `${partitionKey}: ${assets.join(' ')}`),
  ).toEqual(['a: audio text', 'bad: audio text', 'silent: audio text']);
  expect(await counts(project)).toEqual(['audio: 2 (0) 0 1 0 (0)', 'text: 1 (0) 1 1 0 (0)']);
  const before = project.state();
  expect((await tick(project)).ticks.map(({ status }) => status)).toEqual(['SKIPPED', 'SKIPPED']);
  expect(project.state()).toEqual(before);

  project.write({ 'feed.json': feed({ a: '2', bad: '1', silent: '1' }) });
  const { ticks } = await tick(project);
  expect(ticks[0]!.partitions).toEqual([expect.objectContaining({ added: [], updated: ['a'] })]);
  expect(ticks[1]!.runs.map(({ partitionKey }) => partitionKey)).toEqual(['a']);
  expect(JSON.parse(project.read('.dynpart', 'values', 'text', 'a.json'))).toBe('U/A 2');
  expect(
    (await project.json(['partitions', 'list', 'episodes', '--status', 'skipped'])).document.keys,
  ).toEqual([expect.objectContaining({ key: 'silent', version: '1', item: { url: 'u/silent' } })]);
});

it('makes again what other code has made, and says why; commands that only look see it, too', async () => {
  await using project = new ProjectHere({
    'pipeline.ts': pipeline('1'),
    'feed.json': feed({ a: '1', b: '1' }),
  });
  await tick(project);
  project.write({ 'pipeline.ts': pipeline('2') });
  const before = project.state();
  expect(await counts(project)).toEqual(['audio: 2 (2) 0 0 0 (0)', 'text: 2 (2) 0 0 0 (0)']);
  const plan = await project.dynpart(['materialize', '--stale', '--dry-run']);
  expect(plan.stdout).toBe('a\taudio, text\tcode, upstream\nb\taudio, text\tcode, upstream\n');
  expect((await project.dynpart(['status', '--exit-code'])).code).toBe(10);
  expect(project.state()).toEqual(before);
  const { document } = await project.json(['materialize', '--stale']);
  expect(document.summary).toMatchObject({ total: 2, succeeded: 2 });
  expect(document.runs[0].assets).toEqual([
    expect.objectContaining({ asset: 'audio', reason: 'code', version: '1', codeVersion: '2' }),
    expect.objectContaining({ asset: 'text', reason: 'upstream', version: '1', codeVersion: null }),
  ]);
  expect(await counts(project)).toEqual(['audio: 2 (0) 0 0 0 (0)', 'text: 2 (0) 0 0 0 (0)']);
});

it('counts a run that found nothing to make as such, neither succeeded nor failed', async () => {
  await using project = new ProjectHere({
    'pipeline.ts': pipeline('1'),
    'feed.json': feed({ silent: '1', a: '1' }),
  });
  await project.dynpart(['sensor', 'tick', 'feed']);
  const { code, stderr } = await project.dynpart(['materialize', '--all', '--dry-run', '--json']);
  expect([code, stderr]).toEqual([0, '']);
  const { document } = await project.json(['materialize', '--all']);
  expect(document.summary).toMatchObject({ total: 2, succeeded: 1, failed: 0, canceled: 0, skipped: 1 });
  const again = await project.dynpart(['materialize', '--all']);
  expect(again.stderr).toMatch(/^1 run succeeded, 1 run with nothing to make in /);
});

it('takes keys out by the rule of their set, with their values, and a dry run says which', async () => {
  await using project = new ProjectHere({
    'pipeline.ts': pipeline('1').replace(
      "('episodes')",
      "('episodes', { retain: { keepLast: 2, purge: true } })",
    ),
    'feed.json': feed({ a: '1', b: '1', c: '1' }),
  });
  await tick(project);
  const before = project.state();
  const plan = await project.dynpart(['sensor', 'tick', '--dry-run']);
  expect(plan).toMatchObject({ code: 0, stdout: 'automation\tremove\tepisodes\ta\n' });
  expect(project.state()).toEqual(before);
  expect(project.exists('.dynpart', 'values', 'text', 'a.json')).toBe(true);
  const { stderr } = await project.dynpart(['sensor', 'tick']);
  expect(stderr).toBe('automation: 1 key removed\n');
  expect(['a', 'b'].map((key) => project.exists('.dynpart', 'values', 'text', `${key}.json`))).toEqual([
    false,
    true,
  ]);
  expect((await project.dynpart(['sensor', 'tick'])).stderr).toBe('');
  expect((await project.json(['partitions', 'list', 'episodes'])).document.total).toBe(2);

  project.write({ 'feed.json': feed({ d: '1', e: '1', f: '1', g: '1', h: '1' }) });
  await tick(project);
  const refused = await project.dynpart(['sensor', 'tick']);
  expect(refused.code).toBe(3);
  expect(refused.stderr).toContain(
    "left as it is: set 'episodes' (retain would take out 3 of 5 keys at once)\n  allow it with maxRemove in retain, " +
      'or do it once by hand: dynpart partitions remove episodes --keep-last N --keep-out',
  );
});

it('says once what was there before an asset was automated, and leaves it to whoever asks', async () => {
  await using project = new ProjectHere({
    'pipeline.ts': pipeline('1', "description: 'by hand'"),
    'feed.json': feed({ a: '1', b: '1' }),
  });
  await tick(project);
  project.write({ 'pipeline.ts': pipeline('1'), 'feed.json': feed({ a: '1', b: '1', c: '1' }) });
  const said = await project.dynpart(['sensor', 'tick']);
  expect(said.stderr).toContain(
    "2 keys of 'episodes' were there before 'text' was automated; to make them as well: dynpart materialize text --missing",
  );
  expect(await counts(project)).toEqual(['audio: 3 (0) 0 0 0 (0)', 'text: 1 (0) 0 0 2 (2)']);
  expect((await project.dynpart(['sensor', 'tick'])).stderr).toBe('');
  expect((await project.dynpart(['status', '--exit-code'])).code).toBe(0);
  await project.dynpart(['materialize', 'text', '--missing']);
  expect(await counts(project)).toEqual(['audio: 3 (0) 0 0 0 (0)', 'text: 3 (0) 0 0 0 (0)']);
});

it('tries a failed key again after each of its delays, and says when', async () => {
  await using project = new ProjectHere({
    'pipeline.ts': `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, RetryAfter } from 'dynpart';
const days = dynamicPartitions('days');
const log = new URL('tries', import.meta.url);
export default definePipeline({
  assets: [
    asset({
      name: 'report', partitions: days, automate: 'missing', retry: { maxRetries: 0, later: ['100ms', '1h'] },
      materialize({ partitionKey }) {
        fs.appendFileSync(log, partitionKey);
        if (partitionKey === 'a') throw new Error('away');
        if (partitionKey === 'b' && fs.readFileSync(log, 'utf8').split('b').length < 3) throw new RetryAfter(7200, 'busy');
        return 1;
      },
    }),
    asset({ name: 'by-hand', partitions: days, materialize() { throw new RetryAfter(120); } }),
  ],
});
`,
  });
  await project.dynpart(['partitions', 'add', 'days', 'a', 'b']);
  // What is there before an asset is automated is its backlog.
  await project.dynpart(['sensor', 'tick']);
  await project.dynpart(['materialize', 'report', '--missing']);
  expect(project.read('tries')).toBe('ab');
  const retryAt = async (key: string): Promise<number | null> => {
    const { document } = await project.json(['partitions', 'show', 'days', key]);
    const [{ retryAt: at }] = document.assets;
    return at === null ? null : Math.round((Date.parse(at) - Date.now()) / 60_000);
  };
  expect(await retryAt('b')).toBe(120);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const { ticks } = await tick(project);
  expect(ticks[0]!.runs.map(({ partitionKey }) => partitionKey)).toEqual(['a']);
  expect([project.read('tries'), await retryAt('a')]).toEqual(['aba', 60]);
  const { document } = await project.json(['status']);
  expect(document.assets[0]).toMatchObject({ failed: 2, retryAt: expect.any(String) as string });
  expect((await tick(project)).ticks[0]!.runs).toEqual([]);
  const byHand = await project.json(['materialize', 'by-hand', '--key', 'a']);
  expect(byHand.document.runs[0].error.message).toMatch(/asks to be tried again at 20\d\d-.*Z\)/);
});

it('makes an asset at most once in each period, and what comes up later in the next one', async () => {
  await using project = new ProjectHere({
    'pipeline.ts': `
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const days = dynamicPartitions('days');
const automate = { when: 'missing', backlog: true, every: 'month', at: '1 00:00', timeZone: 'Pacific/Apia' } as const;
export default definePipeline({ assets: [asset({ name: 'report', partitions: days, automate, materialize: () => 1 })] });
`,
  });
  const keysMade = async (): Promise<string[]> =>
    (await tick(project)).ticks[0]!.runs.map(({ partitionKey }) => partitionKey);
  await project.dynpart(['partitions', 'add', 'days', 'a', 'b']);
  expect(await keysMade()).toEqual(['a', 'b']);
  await project.dynpart(['partitions', 'add', 'days', 'c']);
  const before = project.state();
  expect(await keysMade()).toEqual([]);
  expect(project.state()).toEqual(before);
  const start = before.sensors.automation.periods.report;
  const local = new Date(start).toLocaleString('sv', { timeZone: 'Pacific/Apia' });
  expect(local).toMatch(/^20\d\d-\d\d-01 00:00:00$/);
  // A month before that.
  const state = project.read('.dynpart', 'state.json');
  const earlier = new Date(Date.parse(start) - 86_400_000 * 5).toISOString();
  project.write({ 'older.json': state.replace(start, earlier) });
  await project.dynpart(['state', 'restore', 'older.json']);
  expect(await keysMade()).toEqual(['c']);
});

it('is stopped and started like any other sensor, and may be no sensor of the user', async () => {
  await using project = new ProjectHere({ 'pipeline.ts': pipeline('1'), 'feed.json': feed({ a: '1' }) });
  await tick(project);
  await project.dynpart(['sensor', 'stop', 'automation']);
  project.write({ 'feed.json': feed({ a: '1', b: '1' }) });
  expect((await tick(project)).ticks.map(({ sensor }) => sensor)).toEqual(['feed']);
  await project.dynpart(['sensor', 'start', 'automation']);
  expect((await tick(project)).ticks[1]!.runs).toHaveLength(1);
  const { document } = await project.json(['sensor', 'history', 'automation']);
  expect(document.ticks.map(({ status }: Tick) => status)).toEqual(['SUCCESS', 'SUCCESS']);
  project.write({ 'pipeline.ts': pipeline('1').replace("name: 'feed'", "name: 'automation'") });
  const wrong = await project.json(['check']);
  expect(wrong.document.problems).toEqual([
    expect.objectContaining({
      message: expect.stringContaining("'automation' is the built-in sensor") as string,
    }),
  ]);
});
