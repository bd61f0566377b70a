/**
 * The walk of docs/postgresql.md over the real binary: the example goes to PostgreSQL, its values to object storage, work goes on there,
 * and it comes back: the state that comes is the one that went.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fingerprintOf } from '../../src/state/document/fingerprint.ts';
import type { StateDocument } from '../../src/state/document/state-document.ts';
import { blocksOf } from '../support/docs-page.ts';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { ProjectHere } from '../support/in-process.ts';
import { binary, type Project, root } from '../support/project.ts';
import { KEYS, S3FromNpm } from '../support/s3-from-npm.ts';

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const WALK = blocksOf('docs/postgresql.md').filter(({ heading }) => heading === 'A walk, there and back');
const SHOWN_URL = 'postgres://etl@127.0.0.1/warehouse';

function block(language: string): string {
  return WALK.find((one) => one.language === language)!.text.trim();
}

class Walk {
  readonly project: Project;
  readonly url = cluster.url('walk');
  readonly #env: Readonly<Record<string, string>>;

  constructor(project: Project, endpoint: string) {
    this.project = project;
    project.write({
      'pipeline.ts': fs.readFileSync(path.join(root, 'pipeline.example.ts')),
      'examples/feed.xml': feed(2),
      'bin/dynpart': `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`,
      // The packages are there.
      'bin/npm': '#!/bin/sh\n',
    });
    for (const name of ['dynpart', 'npm']) fs.chmodSync(project.path('bin', name), 0o755);
    this.#env = {
      ...KEYS,
      PATH: `${project.path('bin')}:${process.env['PATH']}`,
      HOME: project.folder,
      XDG_CACHE_HOME: path.join(os.tmpdir(), 'dynpart-test-cache'),
      S3_ENDPOINT: endpoint,
      NODE_NO_WARNINGS: '1',
      NO_COLOR: '1',
    };
  }

  /** Commands, one after the other, as somebody gives them who reads the page. */
  async give(script: string): Promise<string> {
    const here = script.replaceAll(SHOWN_URL, this.url);
    const child = spawn('sh', ['-e', '-c', here], { cwd: this.project.folder, env: this.#env });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect([script, code, said]).toEqual([script, 0, said]);
    return said;
  }

  /** A command that only looks: in this process. */
  async look(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.project.dynpart(args, { env: this.#env });
    expect([args, code, stderr]).toEqual([args, 0, stderr]);
    return stdout;
  }

  async json<T>(...args: readonly string[]): Promise<T> {
    return JSON.parse(await this.look(...args, '--json')) as T;
  }

  /** All that anybody can see of it. @param at where it is */
  async seen(at: string): Promise<Record<string, unknown>> {
    const state = ['--state', at];
    const { runs } = await this.json<{ runs: { id: string }[] }>('runs', 'list', '--limit', '100', ...state);
    const { keys } = await this.json<{ keys: { key: string }[] }>('partitions', 'list', 'episodes', ...state);
    const values: unknown[] = [];
    for (const asset of ['episode', 'showNotes'])
      for (const { key } of keys)
        values.push(await this.look('value', 'show', asset, '--key', key, ...state));
    return {
      runs,
      keys,
      values,
      ticks: await this.json('sensor', 'history', 'feed', ...state),
      status: await this.json('status', ...state),
      document: fingerprintOf(JSON.parse(await this.look('state', 'export', ...state)) as StateDocument),
    };
  }
}

/** The example's own, with so many of its episodes. */
function feed(episodes: number): string {
  const [before, ...items] = fs
    .readFileSync(path.join(root, 'examples/feed.xml'), 'utf8')
    .split(/(?=<item>)/);
  expect(items.length).toBeGreaterThanOrEqual(episodes);
  return `${before}${items
    .slice(0, episodes)
    .join('')
    .replace(/<\/channel>[^]*/, '')}</channel></rss>`;
}

it('goes to PostgreSQL, works with values in a bucket, and comes back as it went', async () => {
  await using project = new ProjectHere();
  await using server = await S3FromNpm.start(project.path('.bucket'), 'podcasts');
  const objects = (): string[] =>
    fs.readdirSync(project.path('.bucket/podcasts'), { recursive: true, encoding: 'utf8' }).toSorted();
  const walk = new Walk(project, server.endpoint);
  const file = project.path('.dynpart/state.json');
  const [there, work, back] = block('sh').split(/\n(?=# )/) as [string, string, string];

  await walk.give('dynpart sensor tick');
  const atHome = await walk.seen(file);
  await walk.give(there);
  expect(await walk.seen(walk.url)).toEqual(atHome);

  // What the page says of the last lines of the pipeline.
  const code = project.read('pipeline.ts');
  const changed = code
    .replace(/^export default definePipeline[^]*/m, block('ts'))
    .replace("sensor } from 'dynpart'", "s3, sensor } from 'dynpart'");
  expect(changed).not.toBe(code);
  project.write({ 'pipeline.ts': changed, 'examples/feed.xml': feed(3) });
  await walk.give(`${there.replaceAll(/^(?!export).*$/gm, '')}\n${work}`);
  const before = await walk.seen(walk.url);
  expect(before['keys']).toHaveLength(3);
  // One object each: of what was made, and of what was made anew.
  const kept = objects().filter((name) => name.endsWith('._S3rver_object'));
  expect(new Set(kept.map((name) => path.dirname(name))).size).toBe(6);

  await walk.give(back);
  expect(await walk.seen(file)).toEqual(before);
  expect(await walk.give(`dynpart status --state '${walk.url}' 2>&1 || true`)).toContain('was moved to');
  // And it goes on at home, with the values where they are.
  await walk.give('dynpart materialize showNotes --all');
  expect(await walk.json('status')).toMatchObject({
    assets: [
      { materialized: 3, stale: 0 },
      { materialized: 3, stale: 0 },
    ],
    incidents: [],
  });
});
