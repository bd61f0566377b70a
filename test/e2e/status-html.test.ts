/** `status --html` through the real binary: the whole page or none, with what the state has. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageData } from '../../src/report/page-data.ts';
import { ATTACK_KEYS } from '../support/attack-keys.ts';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const many = dynamicPartitions('many');
const fetched = asset({ name: 'fetched', partitions: items, materialize({ partitionKey, log, addMetadata }) {
  log.info('fetching https://a.example/?token=SECRET');
  addMetadata({ source: 'https://a.example/?token=SECRET' });
  if (partitionKey === '&lt;') throw new Error('<b>no luck</b>');
} });
const counted = asset({ name: 'counted', partitions: many, materialize: () => 1 });
const once = asset({ name: 'once', materialize: () => 1 });
export default definePipeline({
  assets: [fetched, counted, once],
  sensors: [
    sensor({ name: 'feed', evaluate: () => ({ skipReason: '<i>nothing</i> & more' }) }),
    sensor({ name: 'broken', evaluate() { throw new Error('<script>alert(1)</script>'); } }),
  ],
});
`;

let project: Project;

beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  const add = (set: string, keys: readonly string[]) =>
    project.dynpart(['partitions', 'add', set, '--from', '-', '--json-lines'], {
      input: keys.map((key) => `${JSON.stringify(key)}\n`).join(''),
    });
  await add('items', ATTACK_KEYS);
  await add(
    'many',
    Array.from({ length: 1200 }, (_, at) => `m${at}`),
  );
  await project.dynpart([
    'partitions',
    'add',
    'items',
    'a=b',
    '--version',
    'v1',
    '--item',
    '{"url":"https://a.example/feed?token=SECRET"}',
  ]);
  await project.dynpart(['materialize', 'fetched', '--key', '&lt;', '--key', 'a=b']);
  await project.dynpart(['materialize', 'counted', '--key', 'm1199']);
  await project.dynpart(['materialize', 'counted', '--key', 'm1198', '--no-run']);
  await project.dynpart(['sensor', 'tick']);
});

afterAll(() => project[Symbol.asyncDispose]());

/** The data in a page. */
function dataIn(html: string): PageData {
  return JSON.parse(/id="data">([\s\S]*?)<\/script>/.exec(html)![1]!) as PageData;
}

/** Where the only asset of a set stands with a key. */
function letterOf({ sets }: PageData, set: string, key: string): string {
  const its = sets.find((one) => one.set === set)!;
  return its.states[its.assets[0]!]![its.keys.indexOf(key)]!;
}

describe('status --html', () => {
  it('writes what the state has: assets, keys with their statuses, sensors with their last tick', async () => {
    const before = project.stateBytes();
    const { code, document } = await project.json(['status', '--html', 'page.html']);
    expect(code).toBe(0);
    expect(document.html).toBe(project.path('page.html'));
    const html = project.read('page.html');
    const data = dataIn(html);
    expect(
      data.assets.map((one) => [one.asset, one.set, one.total, one.materialized, one.failed, one.missing]),
    ).toEqual([
      ['fetched', 'items', ATTACK_KEYS.length, 1, 1, ATTACK_KEYS.length - 2],
      ['counted', 'many', 1200, 1, 0, 1198],
      ['once', null, 1, 0, 0, 1],
    ]);
    expect(data.sets.map(({ set, keys }) => [set, keys.length])).toEqual([
      ['items', ATTACK_KEYS.length],
      ['many', 1200],
      [null, 1],
    ]);
    expect(data.sets[0]!.keys).toEqual(ATTACK_KEYS);
    expect([letterOf(data, 'items', '&lt;'), letterOf(data, 'items', 'a=b')]).toEqual(['f', 'm']);
    expect(['m1199', 'm1198', 'm1197'].map((key) => letterOf(data, 'many', key))).toEqual(['m', 'p', '.']);
    expect(data.sensors.map(({ sensor, ticks }) => [sensor, ticks[0]!.status])).toEqual([
      ['feed', 'SKIPPED'],
      ['broken', 'FAILURE'],
    ]);
    const failed = data.runs.find(({ status }) => status === 'FAILURE')!;
    expect(failed.assets[0]!.said).toContain('<b>no luck</b>');
    expect(data.logs[failed.id]!.map(({ text }) => text)).toContain('fetching https://a.example/?…');
    expect(data.sets[0]!.carried[ATTACK_KEYS.indexOf('a=b')]).toEqual({
      version: 'v1',
      item: { url: 'https://a.example/feed?…' },
    });
    expect(data.attention.flatMap(({ commands }) => commands.map(({ command }) => command))).toContain(
      'dynpart sensor tick broken',
    );
    expect(html).not.toContain('SECRET');
    expect(html).not.toMatch(/<i>|<b>|<img/);
    expect(html.length).toBeLessThan(150_000);
    expect(project.stateBytes()).toBe(before);
  });

  it('names who executes runs at this moment', async () => {
    await using other = new Project({
      'pipeline.ts': PIPELINE.replace(
        'materialize: () => 1 });\nexport',
        "async materialize() { console.log('at work'); await new Promise((done) => setTimeout(done, 600_000)); } });\nexport",
      ),
    });
    const working = other.start(['materialize', 'once', '--verbose']);
    await working.saw('at work');
    const workersNow = async (): Promise<readonly unknown[]> => {
      await other.dynpart(['status', '--html', 'page.html']);
      return dataIn(other.read('page.html')).workers;
    };
    await expect.poll(workersNow, { timeout: 60_000 }).toMatchObject([{ pid: working.process.pid, runs: 1 }]);
    working.process.kill('SIGKILL');
    await working.done;
    expect(await workersNow()).toEqual([]);
  });

  it('has only the sets of the assets that were named', async () => {
    await project.dynpart(['status', 'fetched', '--html', 'one.html']);
    expect(dataIn(project.read('one.html')).sets.map(({ set }) => set)).toEqual(['items']);
    expect(project.read('one.html')).not.toContain('m1199');
  });

  it('leaves out what is switched off', async () => {
    const flags = ['--no-items', '--no-metadata', '--no-logs'];
    await runHere(project, ['status', '--html', 'bare.html', ...flags]);
    const { sets, runs, logs, shows } = dataIn(project.read('bare.html'));
    expect(shows).toEqual({ items: false, metadata: false, logs: false });
    expect(sets.map(({ carried }) => carried)).toEqual([{}, {}, {}]);
    expect(runs.flatMap(({ assets }) => assets.map(({ metadata }) => metadata))).toEqual([{}, {}, {}, {}]);
    expect(logs).toEqual({});
  });

  it('replaces an older page whole, and leaves nothing beside it', async () => {
    fs.mkdirSync(project.path('out'));
    await project.dynpart(['status', 'fetched', '--html', 'out/page.html']);
    const older = project.read('out', 'page.html');
    const reader = fs.openSync(project.path('out', 'page.html'), 'r');
    await project.dynpart(['status', '--html', 'out/page.html']);
    // Who reads the older one reads all of it.
    expect(fs.readFileSync(reader, 'utf8')).toBe(older);
    fs.closeSync(reader);
    expect(project.read('out', 'page.html')).not.toBe(older);
    expect(fs.readdirSync(project.path('out'))).toEqual(['page.html']);
    expect(project.read('out', 'page.html')).toContain('</html>');
  });

  it('never takes the place of a state, a value, a link or anything else that it did not make', async () => {
    project.write({
      'notes.html': '<!DOCTYPE html>\n<p>mine</p>',
      'other.json': project.read('.dynpart/state.json'),
    });
    fs.symlinkSync('.dynpart/state.json', project.path('sly.html'));
    const [generation] = fs
      .readdirSync(project.path('.dynpart'))
      .filter((name) => /^\.state\.json\.\d+$/.test(name));
    const files = [
      '.dynpart/state.json',
      'sly.html',
      `.dynpart/${generation}`,
      '.dynpart/values/counted/m1199.json',
      'notes.html',
      'other.json',
      'pipeline.ts',
    ];
    for (const file of files) {
      const before = project.read(file);
      const { code, document } = await project.json(['status', '--html', file]);
      expect([file, code, document.error?.code]).toEqual([file, 2, 'file-in-the-way']);
      expect(document.error.message).toContain(project.path(file));
      expect(project.read(file)).toBe(before);
    }
    expect(fs.lstatSync(project.path('sly.html')).isSymbolicLink()).toBe(true);
  });

  it('goes into an empty file that keeps its permissions, and through a link', async () => {
    project.write({ 'private.html': '' });
    fs.chmodSync(project.path('private.html'), 0o600);
    fs.symlinkSync('private.html', project.path('link.html'));
    const { code, document } = await project.json(['status', '--html', 'link.html']);
    expect([code, document.html]).toEqual([0, project.path('private.html')]);
    expect(project.read('private.html')).toContain('</html>');
    expect(fs.statSync(project.path('private.html')).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written is an error that names the file, and the status is said all the same', async () => {
    const { code, document } = await project.json(['status', '--html', 'no/such/folder/page.html']);
    expect(code).toBe(5);
    expect(document.error).toMatchObject({ code: 'state-io' });
    expect(document.error.message).toContain(project.path('no', 'such', 'folder', 'page.html'));
    expect(document.assets).toHaveLength(3);
    const folder = await project.json(['status', '--html', 'out']);
    expect([folder.code, folder.document.error.code]).toEqual([2, 'file-in-the-way']);
    expect(fs.readdirSync(project.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
