/** Keys that are taken out by a rule and by hand, with all that stands with them: the same with a state in a file and in PostgreSQL. */
import { expect, it } from 'vitest';
import { describeEachStore } from '../support/each-store.ts';

const DAY = 86_400_000;

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor, skip } from 'dynpart';
const later = Number(process.env.LATER ?? 0);
const realNow = Date.now;
Date.now = () => realNow() + later;
const items = dynamicPartitions('items');
const size = asset({
  name: 'size',
  partitions: items,
  materialize: ({ partitionKey }) => {
    if (partitionKey === 'failed') throw new Error('no');
    return partitionKey === 'skipped' ? skip('nothing') : 'x'.repeat(partitionKey === 'large' ? 400_000 : 3);
  },
});
const double = asset({ name: 'double', partitions: items, inputs: { size }, materialize: ({ inputs }) => inputs.size + '!' });
const feed = sensor({
  name: 'feed',
  assets: [size],
  evaluate: () => ({
    dynamicPartitionsRequests: [items.buildAddRequest((process.env.SEEN ?? '').split(',').filter(Boolean))],
  }),
});
export default definePipeline({ assets: [size, double], sensors: [feed] });
`;

const KEYS = ['made', 'large', 'skipped', 'failed', 'queued', 'last', 'youngest'];

describeEachStore('retention by hand', (projectWith) => {
  it('takes out by count and age what is named by both, with values, runs and what is known of it, and for good', async () => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE });
    const keys = async (): Promise<string[]> =>
      (await project.json(['partitions', 'list', 'items'])).document.keys.map(
        ({ key }: { key: string }) => key,
      );
    const given = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
      (await project.json(['partitions', 'remove', 'items', ...args], { env })).document;
    const later = { LATER: String(40 * DAY) };
    await project.dynpart(['partitions', 'add', 'items', ...KEYS.slice(0, -2)]);
    await project.dynpart([
      'materialize',
      'size',
      'double',
      '--key',
      'made',
      '--key',
      'large',
      '--key',
      'skipped',
      '--key',
      'failed',
    ]);
    await project.dynpart(['materialize', 'size', '--key', 'queued', '--no-run']);
    await project.dynpart(['partitions', 'add', 'items', 'last']);
    await project.dynpart(['materialize', 'size', '--key', 'last']);
    expect(
      (await project.dynpart(['sensor', 'tick'], { env: { SEEN: 'youngest', LATER: String(35 * DAY) } }))
        .code,
    ).toBe(0);
    expect(await keys()).toEqual(KEYS);

    const none = { set: 'items', removed: [], skipped: [] };
    const done = { ...none, removed: ['made', 'large', 'skipped', 'failed', 'queued'] };
    const rule = ['--older-than', '30d', '--keep-last', '2', '--purge'];
    expect(await given([...rule, '--dry-run'])).toEqual(none);
    expect(await given([...rule, '--dry-run'], later)).toEqual(done);
    expect(await keys()).toEqual(KEYS);
    expect(await given([...rule, '--keep-out'], later)).toEqual(done);
    expect(await keys()).toEqual(['last', 'youngest']);
    expect(await given([...rule, '--keep-out'], later)).toEqual(none);
    expect((await project.dynpart(['value', 'show', 'size', '--key', 'last'])).stdout).toBe('"xxx"\n');
    const { document: runs } = await project.json(['runs', 'list', '--key', 'queued']);
    expect(runs.runs).toMatchObject([
      { status: 'CANCELED', error: { message: expect.stringContaining('(partitions remove)') } },
    ]);

    // What is kept out stays out, whatever a sensor sees; by count alone the age does not matter.
    expect((await project.dynpart(['sensor', 'tick'], { env: { SEEN: 'made,failed' } })).code).toBe(0);
    expect(await keys()).toEqual(['last', 'youngest']);
    expect(await given(['--keep-last', '1'])).toEqual({ ...none, removed: ['last'] });
    // By hand one comes back as a new key.
    await project.dynpart(['partitions', 'add', 'items', 'made']);
    const { document: status } = await project.json(['status']);
    expect(status.assets).toMatchObject([
      { asset: 'size', materialized: 0, missing: 2 },
      { asset: 'double', materialized: 0, missing: 2 },
    ]);
    expect((await project.dynpart(['state', 'check'])).code).toBe(0);
  });
});
