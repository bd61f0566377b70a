/** `status --html` through the real binary: the whole page or none, with what the state has. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACK_KEYS } from '../support/attack-keys.ts';
import { Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const many = dynamicPartitions('many');
const fetched = asset({ name: 'fetched', partitions: items, materialize({ partitionKey }) {
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
  await project.dynpart(['materialize', 'fetched', '--key', '&lt;', '--key', 'a=b']);
  await project.dynpart(['materialize', 'counted', '--key', 'm1199']);
  await project.dynpart(['materialize', 'counted', '--key', 'm1198', '--no-run']);
  await project.dynpart(['sensor', 'tick']);
});

afterAll(() => project[Symbol.asyncDispose]());

/** The table below a caption, a row a list of texts. */
function rowsOf(html: string, caption: string): string[][] {
  const table = html.slice(html.indexOf(`<bdi>${caption}</bdi></caption>`));
  const body = /<tbody>\n([\s\S]*?)\n<\/tbody>/.exec(table)![1]!;
  return body
    .split('</tr>\n')
    .map((row) =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => cell!.replaceAll(/<[^>]*>/g, '')),
    );
}

describe('status --html', () => {
  it('writes what the state has: assets, keys with their statuses, sensors with their last tick', async () => {
    const before = project.stateBytes();
    const { code, document } = await project.json(['status', '--html', 'page.html']);
    expect(code).toBe(0);
    expect(document.html).toBe(project.path('page.html'));
    const html = project.read('page.html');
    expect(rowsOf(html, '3 assets')).toEqual([
      ['fetched', 'items', String(ATTACK_KEYS.length), '1', '1', '0', String(ATTACK_KEYS.length - 2)],
      ['counted', 'many', '1,200', '1', '0', '1', '1,198'],
      ['once', '-', '1', '0', '0', '0', '1'],
    ]);
    const keys = rowsOf(html, `${ATTACK_KEYS.length} keys`);
    expect(keys.map(([key, status]) => [key, status])).toContainEqual(['&amp;lt;', 'failed']);
    expect(keys.map(([key, status]) => [key, status])).toContainEqual(['a=b', 'materialized']);
    const many = rowsOf(html, 'The newest 500 of 1,200 keys');
    expect(many).toHaveLength(500);
    expect(many.slice(0, 3).map(([key, status]) => [key, status])).toEqual([
      ['m1199', 'materialized'],
      ['m1198', 'in progress'],
      ['m1197', 'missing'],
    ]);
    expect(many.at(-1)![0]).toBe('m700');
    expect(html).toContain('and 700 older keys');
    const sensors = rowsOf(html, '2 sensors');
    expect(sensors.map(([name, , , outcome]) => [name, outcome])).toEqual([
      ['feed', 'SKIPPED'],
      ['broken', 'FAILURE'],
    ]);
    expect(html).toContain('&lt;i&gt;nothing&lt;/i&gt; &amp; more');
    expect(html).not.toMatch(/<script|<i>|<b>|<img/);
    expect(html.length).toBeLessThan(150_000);
    expect(project.stateBytes()).toBe(before);
  });

  it('has only the sets of the assets that were named', async () => {
    await project.dynpart(['status', 'fetched', '--html', 'one.html']);
    expect(project.read('one.html')).not.toContain('m1199');
    expect(project.read('one.html')).toContain('<h3><bdi>items</bdi></h3>');
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
