/** Six processes at a time add, tick, remove, list and check one state for many seconds, and are killed at random moments: no acknowledged word is lost. */
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
  evaluate({ partitions, cursor }) {
    const lines = fs.readFileSync(new URL('feed.txt', import.meta.url), 'utf8').split('\\n').filter((line) => line !== '');
    const fresh = partitions(found).missing(lines);
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

/** How long they go on. Long enough for some three hundred processes on two cores. */
const FOR_MS = 12_000;

/** How many of the commands are killed. */
const KILLED = 0.4;

interface Command {
  readonly args: readonly string[];
  /** Called with what a command that was not killed came to. */
  readonly ended: (result: RunResult) => void;
  /** Called when it was killed: what it was to do may have happened or not. */
  readonly killed?: () => void;
}

/** Runs one command after the other, and kills some of them at any moment of the life that they would have had. */
async function lane(
  project: Project,
  until: number,
  next: () => Command,
): Promise<{ ended: number; killed: number }> {
  const counts = { ended: 0, killed: 0 };
  let usual = 400;
  while (Date.now() < until) {
    const { args, ended, killed } = next();
    const began = Date.now();
    const running = project.start(args);
    const timer =
      Math.random() < KILLED
        ? setTimeout(() => running.process.kill('SIGKILL'), Math.random() * usual * 1.2)
        : undefined;
    const result = await running.done;
    clearTimeout(timer);
    if (result.signal === 'SIGKILL') {
      counts.killed++;
      killed?.();
    } else {
      counts.ended++;
      usual = usual * 0.8 + (Date.now() - began) * 0.2;
      ended(result);
    }
  }
  return counts;
}

/**
 * The one document of a command that must not fail. Whoever was killed between the two steps of a commit leaves a state
 * file for which the newest generation is read: that may be said, and nothing else.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
function documentOf({ code, stdout, stderr }: RunResult, what: string): any {
  const said = stderr.split('\n').filter((line) => !/^warning: .*state restore/.test(line));
  expect({ what, code, said }).toEqual({ what, code: 0, said: [''] });
  return JSON.parse(stdout);
}

it(
  'loses nothing that was acknowledged, launches no run key twice, fails no reader and does not grow',
  { timeout: 120_000 },
  async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'feed.txt': '' });
    await project.dynpart(['sensor', 'tick']);
    const added = new Set<string>();
    const removed = new Set<string>();
    /** Asked for, and perhaps done. */
    const unsure = new Set<string>();
    const removing = new Set<string>();
    const feed: string[] = [];
    let serial = 0;

    const adder = (name: string) => {
      let count = 0;
      return (): Command => {
        const keys = Array.from({ length: 1 + Math.floor(Math.random() * 3) }, () => `${name}/${++count}`);
        return {
          args: ['partitions', 'add', 'items', ...keys, '--json'],
          ended: (result) => {
            expect(documentOf(result, 'add')).toEqual({ set: 'items', added: keys, skipped: [] });
            for (const key of keys) added.add(key);
          },
          killed: () => {
            for (const key of keys) unsure.add(key);
          },
        };
      };
    };
    const remover = (): Command => {
      const keys = [...added].filter((key) => !removing.has(key)).slice(0, 2);
      if (keys.length === 0) keys.push('nobody');
      for (const key of keys) removing.add(key);
      return {
        args: ['partitions', 'remove', 'items', ...keys, '--json'],
        ended: (result) => {
          const document = documentOf(result, 'remove');
          expect([...document.removed, ...document.skipped]).toEqual(keys);
          for (const key of keys) removed.add(key);
        },
      };
    };
    const ticker = (): Command => {
      feed.push(`f${feed.length}`);
      project.write({ 'feed.new': `${feed.join('\n')}\n` });
      fs.renameSync(project.path('feed.new'), project.path('feed.txt'));
      return {
        args: ['sensor', 'tick', '--json'],
        ended: (result) => {
          const { ticks, resumed } = documentOf(result, 'tick');
          expect(['SUCCESS', 'SKIPPED', 'BUSY']).toContain(ticks[0].status);
          for (const run of [...ticks[0].runs, ...resumed]) expect(run.status).toBe('SUCCESS');
        },
      };
    };
    const READERS = [
      ['partitions', 'list', 'items'],
      ['runs', 'list'],
      ['status'],
      ['sensor', 'list'],
    ] as const;
    let reads = 0;
    const reader = (): Command => {
      const args = READERS[reads++ % READERS.length]!;
      const before = [...added];
      return {
        args: [...args, '--json'],
        ended: (result) => {
          const document = documentOf(result, args.join(' '));
          if (args[0] !== 'partitions') return;
          const there = new Set((document.keys as { key: string }[]).map(({ key }) => key));
          expect(before.filter((key) => !there.has(key) && !removing.has(key))).toEqual([]);
        },
      };
    };
    const checker = (): Command => ({
      args: ['state', 'check', '--json'],
      ended: (result) => {
        const document = documentOf(result, 'check');
        expect(document).toMatchObject({ ok: true, problems: [] });
        // Whoever reads later never sees an earlier state.
        expect(document.serial).toBeGreaterThanOrEqual(serial);
        serial = document.serial as number;
      },
    });

    const until = Date.now() + FOR_MS;
    const counts = await Promise.all(
      [adder('a'), adder('b'), ticker, remover, reader, checker].map((next) => lane(project, until, next)),
    );
    // Each of them did what it was there for, and some of each were killed: otherwise this has shown nothing.
    for (const { ended, killed } of counts) {
      expect(ended).toBeGreaterThan(2);
      expect(killed).toBeGreaterThan(0);
    }

    // What killed processes left behind is taken up by the next ones, and old litter is swept.
    const claims = project.path('.dynpart', 'claims');
    const temporaries = (): string[] =>
      fs
        .readdirSync(project.path('.dynpart'), { recursive: true, encoding: 'utf8' })
        .filter((name) => /tmp/.test(name) && !name.startsWith('values'));
    const long = new Date(Date.now() - 120_000);
    for (const name of temporaries()) fs.utimesSync(project.path('.dynpart', name), long, long);
    const { ticks } = documentOf(await project.dynpart(['sensor', 'tick', '--json']), 'last tick');
    expect(['SUCCESS', 'SKIPPED']).toContain(ticks[0].status);
    documentOf(await project.dynpart(['partitions', 'add', 'items', 'last', '--json']), 'last add');

    const list = async (set: string): Promise<string[]> =>
      (await project.json(['partitions', 'list', set])).document.keys.map(
        ({ key }: { key: string }) => key,
      ) as string[];
    const items = new Set(await list('items'));
    expect([...added].filter((key) => !removing.has(key) && !items.has(key))).toEqual([]);
    expect([...removed].filter((key) => items.has(key))).toEqual([]);
    expect([...items].filter((key) => !added.has(key) && !unsure.has(key))).toEqual(['last']);
    expect(await list('found')).toEqual(feed);
    expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });

    const launches = new Map<string, Set<string>>();
    for (const line of project.read('launched.txt').split('\n').slice(0, -1)) {
      const [key, run] = line.split(' ') as [string, string];
      launches.set(key, (launches.get(key) ?? new Set()).add(run));
    }
    expect([...launches.keys()].toSorted()).toEqual(feed.toSorted());
    expect([...launches].filter(([, runs]) => runs.size !== 1)).toEqual([]);
    expect((await project.json(['status', 'copy'])).document.assets[0]).toMatchObject({
      total: feed.length,
      materialized: feed.length,
    });
    // And the history has each of them once.
    const runs = (await project.json(['runs', 'list', '--limit', '100000'])).document.runs as {
      id: string;
      partitionKey: string;
    }[];
    expect(runs.map(({ partitionKey }) => partitionKey).toSorted()).toEqual(feed.toSorted());

    const names = fs.readdirSync(project.path('.dynpart'));
    expect(names.filter((name) => /^\.state\.json\.\d+$/.test(name)).length).toBeLessThanOrEqual(16);
    expect(temporaries()).toEqual([]);
    expect(fs.existsSync(claims) ? fs.readdirSync(claims) : []).toEqual([]);
    expect(fs.readdirSync(project.path('.dynpart', 'executors'))).toEqual([]);
  },
);

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
    for (const until = Date.now() + 20_000; !this.exists('at-link');) {
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
      await store.commit(() => ({
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
  expect(added).toEqual({ set: 'items', added: ['mine'], skipped: [] });
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
    expect(added).toEqual({ set: 'items', added: ['mine'], skipped: [] });
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
