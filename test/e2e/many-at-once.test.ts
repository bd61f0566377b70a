/** Six processes at a time add, tick, remove, list and check one state for many seconds, and are killed at random moments: no acknowledged word is lost. */
import fs from 'node:fs';
import { expect, it } from 'vitest';
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

/** Put into a process before dynpart: it is stopped for a while right behind the link that makes its commit a fact. */
const PAUSE = `const fs = require('node:fs');
const { linkSync } = fs;
let paused = false;
fs.linkSync = (from, to) => {
  linkSync(from, to);
  if (paused || !/\\.json\\.0*[0-9]+$/.test(String(to))) return;
  paused = true;
  fs.writeFileSync('linked', '');
  while (!fs.existsSync('go-on')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
};
`;

it('a writer that pauses right after it published, while others build on its commit, has committed once and knows it', async () => {
  await using project = new Project({ 'pipeline.ts': PIPELINE, 'feed.txt': 'f1\nf2\n', 'pause.cjs': PAUSE });
  await project.dynpart(['partitions', 'add', 'items', 'first']);
  const env = { NODE_OPTIONS: `--require ${project.path('pause.cjs')}` };
  const paused = async (args: readonly string[], other: string) => {
    for (const name of ['linked', 'go-on']) fs.rmSync(project.path(name), { force: true });
    const writer = project.start([...args, '--json'], { env });
    for (const until = Date.now() + 20_000; !project.exists('linked');) {
      if (Date.now() > until) throw new Error('it never published');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await project.dynpart(['partitions', 'add', 'items', other])).code).toBe(0);
    project.write({ 'go-on': '' });
    return documentOf(await writer.done, args.join(' '));
  };
  const added = await paused(['partitions', 'add', 'items', 'mine'], 'other 1');
  expect(added).toEqual({ set: 'items', added: ['mine'], skipped: [] });
  const { ticks } = await paused(['sensor', 'tick'], 'other 2');
  expect(ticks[0]).toMatchObject({
    status: 'SUCCESS',
    partitions: [{ set: 'found', added: ['f1', 'f2'] }],
    runs: [
      { partitionKey: 'f1', status: 'SUCCESS' },
      { partitionKey: 'f2', status: 'SUCCESS' },
    ],
  });
  expect((await project.dynpart(['partitions', 'list', 'items'])).stdout.split('\n').toSorted()).toEqual([
    '',
    'first',
    'mine',
    'other 1',
    'other 2',
  ]);
  expect((await project.json(['runs', 'list'])).document.runs).toHaveLength(2);
  expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
});
