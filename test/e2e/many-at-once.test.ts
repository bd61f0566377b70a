/** A writer that pauses right behind the link of its commit, while others go on. Many of them at random: `test/crash/hammer.mjs`. */
import { EVERYTHING } from '../../src/state/needs.ts';
import fs from 'node:fs';
import { expect, it } from 'vitest';
import { JsonFileStore } from '../../src/state/json/json-file-store.ts';
import { Project, type RunResult } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const found = dynamicPartitions('found');
const copy = asset({
  name: 'copy',
  partitions: found,
  materialize: ({ partitionKey, run }) => {
    fs.appendFileSync(new URL('launched.txt', import.meta.url), partitionKey + ' ' + run.id + '\\n');
    return partitionKey;
  },
});
const feed = sensor({
  name: 'feed',
  assets: [copy],
  async evaluate({ partitions, cursor }) {
    const lines = fs.readFileSync(new URL('feed.txt', import.meta.url), 'utf8').split('\\n').filter((line) => line !== '');
    const fresh = await partitions(found).missing(lines);
    return {
      cursor: String(lines.length),
      dynamicPartitionsRequests: [found.buildAddRequest(fresh)],
      // All of them, each time: that each run key launches one run is not the sensor's to see to.
      runRequests: lines.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
    };
  },
});
export default definePipeline({ assets: [copy], sensors: [feed], partitions: [items] });
`;

/** The one document of a command that must not fail. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
function documentOf({ code, stdout, stderr }: RunResult, what: string): any {
  expect({ what, code, stderr }).toEqual({ what, code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** Put into a process before dynpart: it is stopped for a while right before or right behind the link that makes its commit a fact. */
const PAUSE = `const fs = require('node:fs');
const { linkSync } = fs;
let paused = false;
const pause = (when, to) => {
  if (paused || process.env.PAUSE !== when || !/\\.json\\.0*[0-9]+$/.test(String(to))) return;
  paused = true;
  fs.writeFileSync('at-link', '');
  while (!fs.existsSync('go-on')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
};
fs.linkSync = (from, to) => {
  pause('before', to);
  linkSync(from, to);
  pause('behind', to);
};
`;

class PausedProject extends Project {
  constructor(feed = '') {
    super({ 'pipeline.ts': PIPELINE, 'feed.txt': feed, 'pause.cjs': PAUSE });
  }

  /** A command that is stopped around its first link, until something else has happened. */
  async paused(
    when: 'before' | 'behind',
    args: readonly string[],
    meanwhile: () => Promise<void>,
    // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  ): Promise<any> {
    for (const name of ['at-link', 'go-on']) fs.rmSync(this.path(name), { force: true });
    const writer = this.start([...args, '--json'], {
      env: { NODE_OPTIONS: `--require ${this.path('pause.cjs')}`, PAUSE: when },
    });
    for (const until = Date.now() + 60_000; !this.exists('at-link');) {
      if (Date.now() > until) throw new Error('it never came to its link');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await meanwhile();
    this.write({ 'go-on': '' });
    return documentOf(await writer.done, args.join(' '));
  }

  /** A commit by the real command. */
  async add(key: string): Promise<void> {
    expect((await this.dynpart(['partitions', 'add', 'items', key])).code).toBe(0);
  }

  /** Very many commits, by this process: more than there are names of generations, so that old ones are free again. */
  async addMany(count: number): Promise<void> {
    const store = new JsonFileStore({
      file: this.path('.dynpart', 'state.json'),
      clock: { now: Date.now, random: Math.random, sleep: (ms) => new Promise((end) => setTimeout(end, ms)) },
      version: '0.0.0',
      warn: () => undefined,
    });
    for (let at = 1; at <= count; at++)
      await store.commit(EVERYTHING, () => ({
        changes: [{ type: 'keys-added', set: 'items', keys: [`other ${at}`], at: new Date().toISOString() }],
        outcome: undefined,
      }));
  }

  async items(): Promise<string[]> {
    const { stdout } = await this.dynpart(['partitions', 'list', 'items']);
    return stdout.split('\n').slice(0, -1);
  }
}

it('a writer that pauses right after it published, while others build on its commit, has committed once and knows it', async () => {
  await using project = new PausedProject('f1\nf2\n');
  await project.add('first');
  const added = await project.paused('behind', ['partitions', 'add', 'items', 'mine'], () =>
    project.add('other 1'),
  );
  expect(added).toEqual({ set: 'items', added: ['mine'], updated: [], skipped: [] });
  const { ticks } = await project.paused('behind', ['sensor', 'tick'], () => project.add('other 2'));
  expect(ticks[0]).toMatchObject({
    status: 'SUCCESS',
    partitions: [{ set: 'found', added: ['f1', 'f2'] }],
    runs: [
      { partitionKey: 'f1', status: 'SUCCESS' },
      { partitionKey: 'f2', status: 'SUCCESS' },
    ],
  });
  expect((await project.items()).toSorted()).toEqual(['first', 'mine', 'other 1', 'other 2']);
  expect((await project.json(['runs', 'list'])).document.runs).toHaveLength(2);
  expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
});

const OTHERS = Array.from({ length: 40 }, (_, at) => `other ${at + 1}`);

it.each(['before', 'behind'] as const)(
  'a writer that pauses right %s its link while forty others commit says what it did, and did it once',
  async (when) => {
    await using project = new PausedProject();
    await project.add('first');
    const added = await project.paused(when, ['partitions', 'add', 'items', 'mine'], () =>
      project.addMany(40),
    );
    expect(added).toEqual({ set: 'items', added: ['mine'], updated: [], skipped: [] });
    expect(await project.items()).toEqual(
      when === 'before' ? ['first', ...OTHERS, 'mine'] : ['first', 'mine', ...OTHERS],
    );
    expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
  },
);

it.each(['before', 'behind'] as const)(
  'materialize that pauses right %s the link that queues its runs, while forty others commit, executes each of them once',
  async (when) => {
    await using project = new PausedProject();
    expect((await project.dynpart(['partitions', 'add', 'found', 'f1', 'f2'])).code).toBe(0);
    const { runs } = await project.paused(when, ['materialize', 'copy', '--key', 'f1', '--key', 'f2'], () =>
      project.addMany(40),
    );
    expect(runs).toMatchObject([{ status: 'SUCCESS' }, { status: 'SUCCESS' }]);
    expect((await project.json(['runs', 'list'])).document.runs).toHaveLength(2);
    expect(project.state().runs).toEqual([]);
    expect(project.read('launched.txt').split('\n').slice(0, -1).toSorted()).toEqual(
      (runs as { id: string; partitionKey: string }[])
        .map(({ id, partitionKey }) => `${partitionKey} ${id}`)
        .toSorted(),
    );
    expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
  },
);
