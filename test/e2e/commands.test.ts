/** Every command as its users and their scripts call it: the exact `--json` shapes, the text in a pipe, exit codes, and silence under cron. */
import { outcomeOf } from '../../src/model/run.ts';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { binary, Project } from '../support/project.ts';
import { summaryOf } from '../support/summary-of.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const people = dynamicPartitions('people');
const raw = asset({
  name: 'raw',
  partitions: items,
  materialize: ({ partitionKey, log, addMetadata }) => {
    log.info('fetching ' + partitionKey);
    if (partitionKey.startsWith('bad')) throw new Error('no such item');
    addMetadata({ length: partitionKey.length });
    return partitionKey.length;
  },
});
const twice = asset({ name: 'twice', partitions: items, inputs: { raw }, materialize: ({ inputs }) => inputs.raw * 2 });
const report = asset({ name: 'report', deps: [], materialize: () => 'done' });
const feed = sensor({
  name: 'feed',
  assets: [raw, twice],
  minimumIntervalSeconds: 3600,
  async evaluate({ partitions }) {
    const lines = fs.readFileSync(new URL('feed.txt', import.meta.url), 'utf8').split('\\n').filter((line) => line !== '');
    const fresh = await partitions(items).missing(lines);
    if (fresh.length === 0) return { skipReason: 'no new line' };
    return {
      cursor: lines.at(-1)!,
      dynamicPartitionsRequests: [items.buildAddRequest(lines)],
      runRequests: lines.map((partitionKey) => ({ partitionKey, runKey: partitionKey, tags: { from: 'feed' } })),
    };
  },
});
const idle = sensor({ name: 'idle', defaultStatus: 'stopped', evaluate: () => undefined });
const broken = sensor({ name: 'broken', defaultStatus: 'stopped', evaluate: () => { throw new Error('the source is down'); } });
export default definePipeline({ assets: [raw, twice, report], sensors: [feed, idle, broken], partitions: [people] });
`;

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const ID = expect.stringMatching(/^[0-9a-z]+-\d+$/) as string;
const THREW = {
  code: 'asset-threw',
  message: expect.stringContaining('no such item') as string,
  hint: null,
};

const filesOf = (feed: readonly string[]): Readonly<Record<string, string>> => ({
  'pipeline.ts': PIPELINE,
  'feed.txt': feed.map((line) => `${line}\n`).join(''),
});

/** Its commands are run in this process: what they print and write is the same. */
const projectOf = (feed: readonly string[] = []): Project => new ProjectHere(filesOf(feed));

/** Its commands are processes: real streams, which are silent or not, and a real exit code. */
const projectOfProcesses = (feed: readonly string[] = []): Project => new Project(filesOf(feed));

/** An asset of a run, as \`--json\` shows it. */
function assetOf(asset: string, changed: object = {}): object {
  return outcomeOf({ asset, status: 'SUCCESS', reason: 'asked', attempts: 1, ...changed });
}

/** A run as `--json` shows it, with every field of the contract; by default one of both assets that succeeded. */
function runOf(partitionKey: string | null, changed: object = {}): object {
  return {
    id: ID,
    partitionKey,
    status: 'SUCCESS',
    sensor: null,
    runKey: null,
    cause: 'materialize',
    tags: {},
    attempts: 1,
    retryOf: null,
    error: null,
    assets: [assetOf('raw', { metadata: { length: partitionKey?.length ?? 0 } }), assetOf('twice')],
    createdAt: TIME,
    startedAt: TIME,
    finishedAt: TIME,
    ...changed,
  };
}

const FAILED_RUN = {
  status: 'FAILURE',
  error: THREW,
  assets: [
    assetOf('raw', { status: 'FAILURE', error: THREW }),
    assetOf('twice', {
      status: 'SKIPPED',
      attempts: 0,
      error: {
        code: 'upstream-failed',
        message: "asset 'twice' was skipped because asset 'raw' did not succeed",
        hint: expect.stringMatching(
          /^mend what keeps 'raw' from being made, then: dynpart runs retry [0-9a-z]+-\d+$/,
        ) as string,
      },
    }),
  ],
};

const queuedRun = (key: string | null, changed: object = {}, reason = 'asked'): object =>
  runOf(key, {
    status: 'QUEUED',
    attempts: 0,
    assets: ['raw', 'twice'].map((asset) => assetOf(asset, { status: 'QUEUED', reason, attempts: 0 })),
    startedAt: null,
    finishedAt: null,
    ...changed,
  });

/** A tick as `--json` shows it; by default one that found nothing. */
function tickOf(sensor: string, changed: object = {}): object {
  return {
    sensor,
    status: 'SKIPPED',
    startedAt: TIME,
    finishedAt: TIME,
    cursor: { before: null, after: null },
    partitions: [],
    runs: [],
    skippedRunKeys: [],
    skipReason: null,
    error: null,
    failures: [],
    busy: null,
    ...changed,
  };
}

/** The runs of a tick for these keys, as each of three commands shows them. */
function thrice(...statuses: (string | null)[]): object[] {
  const runs = ['a', 'bad', 'c'].map((key, at) => ({ ...tickRun(key, ''), status: statuses[at] }));
  return [runs, runs, runs];
}

const tickRun = (partitionKey: string, status: string, id: unknown = ID): object => ({
  id,
  partitionKey,
  runKey: partitionKey,
  assets: ['raw', 'twice'],
  status,
});

/** A key as `partitions list` shows it. */
const key = (name: string): object => ({ key: name, addedAt: TIME, version: null, item: null });

/** A sensor as `sensor list` shows it; by default one that never ticked. */
const entry = (sensor: string, changed: object = {}): object => ({
  sensor,
  status: 'STOPPED',
  minimumIntervalSeconds: 30,
  cron: null,
  cursor: null,
  lastTick: null,
  evaluating: null,
  ...changed,
});

const errorOf = (code: string): object => ({
  code,
  message: expect.any(String) as string,
  hint: expect.any(String) as string,
});

/** Keys of a set as the command prints them. */
async function keysOf(project: Project, set = 'items'): Promise<string[]> {
  const { stdout } = await project.dynpart(['partitions', 'list', set]);
  return stdout.split('\n').slice(0, -1);
}

const byKey = (runs: readonly { partitionKey: string | null }[]): object[] =>
  runs.toSorted((a, b) => (a.partitionKey ?? '').localeCompare(b.partitionKey ?? ''));

describe('partitions', () => {
  it('list says the sets, the keys in the order of adding, pages of them, and only how many', async () => {
    await using project = projectOf();
    expect(await project.json(['partitions', 'list'])).toEqual({
      code: 0,
      document: {
        sets: expect.arrayContaining([
          { set: 'items', total: 0 },
          { set: 'people', total: 0 },
        ]) as unknown,
      },
      stderr: '',
    });
    expect((await project.json(['partitions', 'list', 'items'])).document).toEqual({
      set: 'items',
      total: 0,
      keys: [],
      next: null,
    });
    await project.dynpart(['partitions', 'add', 'items', 'x/2', 'x/1', 'y', ' blank', 'x/3']);
    const list = async (...flags: string[]): Promise<unknown> =>
      (await project.json(['partitions', 'list', 'items', ...flags])).document as unknown;
    expect(await list()).toEqual({
      set: 'items',
      total: 5,
      keys: ['x/2', 'x/1', 'y', ' blank', 'x/3'].map(key),
      next: null,
    });
    expect(await list('--limit', '2')).toEqual({
      set: 'items',
      total: 5,
      keys: ['x/2', 'x/1'].map(key),
      next: 'x/1',
    });
    expect(await list('--limit', '2', '--after', 'x/1')).toMatchObject({
      keys: [key('y'), key(' blank')],
      next: ' blank',
    });
    expect(await list('--limit', '2', '--after', ' blank')).toMatchObject({ keys: [key('x/3')], next: null });
    expect(await list('--prefix', 'x/', '--limit', '2')).toMatchObject({
      total: 5,
      keys: [key('x/2'), key('x/1')],
      next: 'x/1',
    });
    expect(await list('--count')).toEqual({ set: 'items', total: 5 });
    const text = async (...flags: string[]): Promise<string> =>
      (await project.dynpart(['partitions', 'list', ...flags])).stdout;
    expect(await text('items')).toBe('x/2\nx/1\ny\n" blank"\nx/3\n');
    expect(await text('items', '--json-lines')).toBe('"x/2"\n"x/1"\n"y"\n" blank"\n"x/3"\n');
    expect(await text('items', '--count')).toBe('5\n');
    expect((await text()).split('\n').sort()).toEqual(['', 'items\t5', 'people\t0']);
  });

  it('add says what was added and what was there, from arguments, a file and standard input', async () => {
    await using project = projectOf();
    project.write({ 'keys.txt': 'f1\r\n\nf2\n' });
    expect(await project.json(['partitions', 'add', 'items', 'a', 'b', 'a'])).toEqual({
      code: 0,
      document: { set: 'items', added: ['a', 'b'], updated: [], skipped: [] },
      stderr: '',
    });
    expect((await project.json(['partitions', 'add', 'items', 'c', 'a'])).document).toEqual({
      set: 'items',
      added: ['c'],
      updated: [],
      skipped: ['a'],
    });
    expect((await project.json(['partitions', 'add', 'items', '--from', 'keys.txt'])).document.added).toEqual(
      ['f1', 'f2'],
    );
    const input = { input: '"two\\u0020words "\n"s2"\n' };
    expect(
      (await project.json(['partitions', 'add', 'items', '--from', '-', '--json-lines'], input)).document
        .added,
    ).toEqual(['two words ', 's2']);
    expect(await project.dynpart(['partitions', 'add', 'items', 'quiet'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('add --materialize executes the runs of the new keys alone, and a failed one is exit 1 in the same document', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'old']);
    const { code, document } = await project.json([
      'partitions',
      'add',
      'items',
      '--materialize',
      'old',
      'new',
      'bad',
    ]);
    expect(code).toBe(1);
    expect({ ...document, runs: byKey(document.runs) }).toEqual({
      set: 'items',
      added: ['new', 'bad'],
      updated: [],
      skipped: ['old'],
      runs: [runOf('bad', FAILED_RUN), runOf('new')],
      summary: summaryOf({ total: 2, succeeded: 1, failed: 1 }),
    });
    expect(await project.json(['partitions', 'add', 'items', '--materialize', 'new'])).toMatchObject({
      code: 0,
      document: { set: 'items', added: [], updated: [], skipped: ['new'], runs: [], summary: summaryOf() },
    });
    // A set that no asset has.
    expect(await project.json(['partitions', 'add', 'people', '--materialize', 'eve'])).toMatchObject({
      code: 0,
      document: { set: 'people', added: ['eve'], updated: [], skipped: [], runs: [], summary: summaryOf() },
    });
  });

  it('remove says what was removed, keeps values unless it purges, and keeps keys out when told', async () => {
    await using project = projectOf(['kept', 'gone', 'out']);
    await project.dynpart(['sensor', 'tick']);
    const valuesOf = (key: string): number =>
      fs
        .readdirSync(project.path('.dynpart', 'values'), { recursive: true, encoding: 'utf8' })
        .filter((name) => path.basename(name).startsWith(key)).length;
    expect(valuesOf('kept')).toBe(2);
    expect((await project.json(['partitions', 'remove', 'items', 'kept', 'nowhere'])).document).toEqual({
      set: 'items',
      removed: ['kept'],
      skipped: ['nowhere'],
    });
    expect(valuesOf('kept')).toBe(2);
    expect(valuesOf('gone')).toBe(2);
    expect((await project.json(['partitions', 'remove', 'items', 'gone', '--purge'])).document).toEqual({
      set: 'items',
      removed: ['gone'],
      skipped: [],
    });
    expect(valuesOf('gone')).toBe(0);
    await project.dynpart(['partitions', 'remove', 'items', 'out', '--keep-out']);
    expect(await keysOf(project)).toEqual([]);
    // Removed without --keep-out they come back, and run once more; what is kept out stays away, and its run with it.
    const back = (await project.json(['sensor', 'tick'])).document;
    expect(back.ticks[0]).toMatchObject({
      status: 'SUCCESS',
      partitions: [{ set: 'items', added: ['kept', 'gone'], updated: [], removed: [], skipped: ['out'] }],
      runs: [tickRun('kept', 'SUCCESS'), tickRun('gone', 'SUCCESS')],
    });
    await project.dynpart(['partitions', 'add', 'items', 'out']);
    expect(await keysOf(project)).toEqual(['kept', 'gone', 'out']);
  });

  it('remove --older-than and --keep-last name what both name, and --dry-run says it and does nothing', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
    const remove = async (...flags: string[]): Promise<unknown> =>
      (await project.json(['partitions', 'remove', 'items', ...flags])).document.removed as unknown;
    expect(await remove('--keep-last', '3', '--older-than', '1d')).toEqual([]);
    expect(await remove('--keep-last', '3', '--older-than', '0s', '--dry-run')).toEqual(['a']);
    expect(await remove('--keep-last', '3', '--older-than', '0s')).toEqual(['a']);
    const bytes = project.stateBytes();
    expect(
      await project.dynpart(['partitions', 'remove', 'items', '--keep-last', '1', '--dry-run']),
    ).toMatchObject({
      code: 0,
      stdout: 'b\nc\n',
    });
    expect(project.stateBytes()).toBe(bytes);
    expect(await remove('--keep-last', '1')).toEqual(['b', 'c']);
    expect(await remove('--older-than', '0s')).toEqual(['d']);
    const both = await project.json(['partitions', 'remove', 'items', 'a', '--keep-last', '1']);
    expect(both).toMatchObject({ code: 2, document: { error: { code: 'usage' } } });
  });

  it('remove --from removes the keys of a list', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c']);
    const { document } = await project.json(['partitions', 'remove', 'items', '--from', '-'], {
      input: 'c\na\n',
    });
    expect(document).toEqual({ set: 'items', removed: ['c', 'a'], skipped: [] });
    expect(await keysOf(project)).toEqual(['b']);
  });

  it('sync makes the set equal to a list, within --max-remove, and refuses an empty one', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
    const sync = (input: string, ...flags: string[]) =>
      project.json(['partitions', 'sync', 'items', '--from', '-', ...flags], { input });
    const bytes = project.stateBytes();
    const planned = { set: 'items', added: ['e'], removed: ['b', 'c'], unchanged: 2 };
    expect((await sync('a\nd\ne\n', '--dry-run')).document).toEqual(planned);
    expect(
      (
        await project.dynpart(['partitions', 'sync', 'items', '--from', '-', '--dry-run'], {
          input: 'a\nd\ne\n',
        })
      ).stdout,
    ).toBe('+ e\n- b\n- c\n');
    for (const most of ['1', '49%', '0'])
      expect(await sync('a\nd\ne\n', '--max-remove', most)).toMatchObject({
        code: 2,
        document: { error: { code: 'usage' } },
      });
    expect(await sync('')).toMatchObject({ code: 2, document: { error: { code: 'usage' } } });
    expect(await sync('\n\n')).toMatchObject({ code: 2 });
    expect(project.stateBytes()).toBe(bytes);
    expect(await sync('a\nd\ne\n', '--max-remove', '50%')).toMatchObject({ code: 0, document: planned });
    expect(await keysOf(project)).toEqual(['a', 'd', 'e']);
    const synced = project.stateBytes();
    expect((await sync('e\na\nd\n')).document).toEqual({
      set: 'items',
      added: [],
      removed: [],
      unchanged: 3,
    });
    expect(project.stateBytes()).toBe(synced);
    expect((await sync('', '--allow-empty')).document).toEqual({
      set: 'items',
      added: [],
      removed: ['a', 'd', 'e'],
      unchanged: 0,
    });
  });
});

describe('sensor', () => {
  it('tick says keys, runs and cursor; a second one finds nothing and leaves the bytes alone', async () => {
    await using project = projectOf(['a', 'bad']);
    const planned = tickOf('feed', {
      status: 'SUCCESS',
      cursor: { before: null, after: 'bad' },
      partitions: [{ set: 'items', added: ['a', 'bad'], updated: [], removed: [], skipped: [] }],
    });
    const dry = await project.json(['sensor', 'tick', '--dry-run']);
    expect(dry).toEqual({
      code: 0,
      document: {
        ticks: [{ ...planned, runs: [tickRun('a', 'QUEUED', null), tickRun('bad', 'QUEUED', null)] }],
        resumed: [],
      },
      stderr: '',
    });
    expect(await project.dynpart(['sensor', 'tick', '--dry-run'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout:
        'feed\tadd\titems\ta\nfeed\tadd\titems\tbad\nfeed\trun\traw,twice\ta\nfeed\trun\traw,twice\tbad\nfeed\tcursor\t\t"bad"\n',
    });
    expect(project.exists('.dynpart')).toBe(false);
    expect(await project.json(['sensor', 'tick'])).toEqual({
      code: 1,
      document: {
        ticks: [{ ...planned, runs: [tickRun('a', 'SUCCESS'), tickRun('bad', 'FAILURE')] }],
        resumed: [],
      },
      stderr: '',
    });
    const bytes = project.stateBytes();
    expect(await project.json(['sensor', 'tick'])).toEqual({
      code: 0,
      document: {
        ticks: [tickOf('feed', { cursor: { before: 'bad', after: 'bad' }, skipReason: 'no new line' })],
        resumed: [],
      },
      stderr: '',
    });
    expect(project.stateBytes()).toBe(bytes);
  });

  it('tick says which run keys were spent before, and which keys were there', async () => {
    await using project = projectOf(['a']);
    await project.dynpart(['sensor', 'tick']);
    project.write({ 'feed.txt': 'a\nb\n' });
    const { document } = await project.json(['sensor', 'tick']);
    expect(document).toEqual({
      ticks: [
        tickOf('feed', {
          status: 'SUCCESS',
          cursor: { before: 'a', after: 'b' },
          partitions: [{ set: 'items', added: ['b'], updated: [], removed: [], skipped: ['a'] }],
          runs: [tickRun('b', 'SUCCESS')],
          skippedRunKeys: ['a'],
        }),
      ],
      resumed: [],
    });
  });

  it('tick --no-run leaves the runs for a worker, whom no other tick robs', async () => {
    await using project = projectOf(['a', 'b']);
    const { document } = await project.json(['sensor', 'tick', '--no-run']);
    expect(document.ticks[0].runs).toEqual([tickRun('a', 'QUEUED'), tickRun('b', 'QUEUED')]);
    expect((await project.json(['sensor', 'tick'])).document).toMatchObject({
      ticks: [{ status: 'SKIPPED' }],
      resumed: [],
    });
    const worked = await project.json(['worker', '--once']);
    expect({ ...worked, document: { ...worked.document, runs: byKey(worked.document.runs) } }).toEqual({
      code: 0,
      document: {
        runs: [
          runOf('a', { sensor: 'feed', cause: 'sensor', runKey: 'a', tags: { from: 'feed' } }),
          runOf('b', { sensor: 'feed', cause: 'sensor', runKey: 'b', tags: { from: 'feed' } }),
        ],
        summary: summaryOf({ total: 2, succeeded: 2 }),
      },
      stderr: '',
    });
    expect((await project.json(['worker', '--once'])).document).toEqual({
      runs: [],
      summary: summaryOf(),
    });
  });

  it('tick --due evaluates only what is due', async () => {
    await using project = projectOf(['a']);
    const ticks = async (...flags: string[]): Promise<string[]> =>
      (await project.json(['sensor', 'tick', '--due', ...flags])).document.ticks.map(
        (tick: { sensor: string }) => tick.sensor,
      ) as string[];
    expect(await ticks('--dry-run')).toEqual(['feed']);
    expect(await ticks()).toEqual(['feed']);
    expect(await ticks()).toEqual([]);
    expect(await ticks('feed', 'idle')).toEqual(['idle']);
    expect(await project.dynpart(['sensor', 'tick', '--due'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });

  it('history, list and status say what became of the runs of a tick, and of which that is not known any more', async () => {
    await using project = projectOf(['a', 'bad', 'c']);
    await project.dynpart(['sensor', 'tick', '--no-run']);
    const shown = async (): Promise<unknown[]> => {
      const documents = await Promise.all(
        [['sensor', 'history', 'feed'], ['sensor', 'list'], ['status']].map((args) => project.json(args)),
      );
      const [history, list, status] = documents.map(({ document }) => document);
      return [history.ticks[0], list.sensors[0].lastTick, status.sensors[0].lastTick].map(({ runs }) => runs);
    };
    expect(await shown()).toEqual(thrice('QUEUED', 'QUEUED', 'QUEUED'));
    const { document } = await project.json(['runs', 'list', '--key', 'c']);
    await project.dynpart(['runs', 'cancel', document.runs[0].id as string]);
    expect(await shown()).toEqual(thrice('QUEUED', 'QUEUED', 'CANCELED'));
    await project.dynpart(['worker', '--once']);
    expect(await shown()).toEqual(thrice('SUCCESS', 'FAILURE', 'CANCELED'));
    fs.rmSync(project.path('.dynpart/history/runs.000001.jsonl'));
    expect(await shown()).toEqual(thrice(null, null, null));
  });

  it('list, cursor, start, stop and history say what there is, in both forms', async () => {
    await using project = projectOf(['a']);
    const running = { status: 'RUNNING', minimumIntervalSeconds: 3600 };
    expect((await project.json(['sensor', 'list'])).document).toEqual({
      sensors: [entry('feed', running), entry('idle'), entry('broken')],
    });
    await project.dynpart(['sensor', 'tick', 'feed', 'broken']);
    const found = tickOf('feed', {
      status: 'SUCCESS',
      cursor: { before: null, after: 'a' },
      partitions: [{ set: 'items', added: ['a'], updated: [], removed: [], skipped: [] }],
      runs: [tickRun('a', 'SUCCESS')],
    });
    const failed = tickOf('broken', {
      status: 'FAILURE',
      error: {
        code: 'sensor-threw',
        message: expect.stringContaining('the source is down') as string,
        hint: expect.any(String) as string,
      },
    });
    expect((await project.json(['sensor', 'list'])).document).toEqual({
      sensors: [
        entry('feed', { ...running, cursor: 'a', lastTick: found }),
        entry('idle'),
        entry('broken', { lastTick: failed }),
      ],
    });
    const { stdout } = await project.dynpart(['sensor', 'list']);
    expect(stdout.split('\n').map((line) => line.split('\t'))).toEqual([
      ['feed', 'RUNNING', '3600 s', TIME, 'SUCCESS', 'a'],
      ['idle', 'STOPPED', '30 s', '-', '-', '-'],
      ['broken', 'STOPPED', '30 s', TIME, 'FAILURE', '-'],
      [''],
    ]);
    await project.dynpart(['sensor', 'tick']);
    expect((await project.json(['sensor', 'history', 'feed'])).document).toEqual({
      sensor: 'feed',
      ticks: [tickOf('feed', { cursor: { before: 'a', after: 'a' }, skipReason: 'no new line' }), found],
    });
    expect((await project.json(['sensor', 'history', 'feed', '--limit', '1'])).document.ticks).toEqual([
      expect.objectContaining({ status: 'SKIPPED' }),
    ]);
    expect((await project.json(['sensor', 'history', 'idle'])).document).toEqual({
      sensor: 'idle',
      ticks: [],
    });
    const history = await project.dynpart(['sensor', 'history', 'feed']);
    expect(history.stdout).toMatch(/^\S+Z\tSKIPPED\t.*no new line.*\n\S+Z\tSUCCESS\t.*1 key added.*\n$/);

    const cursor = async (...flags: string[]): Promise<unknown> =>
      (await project.json(['sensor', 'cursor', 'feed', ...flags])).document as unknown;
    expect(await cursor()).toEqual({ sensor: 'feed', cursor: 'a' });
    expect(await cursor('--set', '2026-01-01 ')).toEqual({ sensor: 'feed', cursor: '2026-01-01 ' });
    expect((await project.dynpart(['sensor', 'cursor', 'feed'])).stdout).toBe('"2026-01-01 "\n');
    expect(await cursor('--clear')).toEqual({ sensor: 'feed', cursor: null });
    expect(await cursor()).toEqual({ sensor: 'feed', cursor: null });
    expect((await project.dynpart(['sensor', 'cursor', 'feed'])).stdout).toBe('');

    expect((await project.json(['sensor', 'stop', 'feed'])).document).toEqual({
      sensor: 'feed',
      status: 'STOPPED',
    });
    expect((await project.json(['sensor', 'tick'])).document).toEqual({ ticks: [], resumed: [] });
    expect((await project.json(['sensor', 'start', 'feed'])).document).toEqual({
      sensor: 'feed',
      status: 'RUNNING',
    });
    expect((await project.json(['sensor', 'tick'])).document.ticks).toHaveLength(1);
  });
});

describe('materialize', () => {
  it('chooses keys by state, by name, by prefix, in an order and a number', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'p/1', 'p/2', 'q/1', 'bad']);
    let waiting = 0;
    const chosen = async (...flags: string[]): Promise<string[]> => {
      const { code, document } = await project.json(['materialize', ...flags, '--dry-run']);
      expect(code).toBe(0);
      expect(document.summary).toEqual(summaryOf({ total: document.runs.length as number, waiting }));
      return (document.runs as { partitionKey: string | null; assets: { asset: string }[] }[]).map(
        ({ partitionKey, assets }) => `${partitionKey ?? '-'}:${assets.map(({ asset }) => asset).join('+')}`,
      );
    };
    expect(await chosen('raw', 'twice', '--missing')).toEqual([
      'p/1:raw+twice',
      'p/2:raw+twice',
      'q/1:raw+twice',
      'bad:raw+twice',
    ]);
    await project.dynpart(['materialize', 'raw', '--key', 'p/1', '--key', 'bad']);
    // What failed is above `twice` of `bad`, which waits for it.
    waiting = 1;
    expect((await chosen('raw', 'twice', '--missing')).sort()).toEqual([
      'p/1:twice',
      'p/2:raw+twice',
      'q/1:raw+twice',
    ]);
    waiting = 0;
    expect(await chosen('raw', 'twice', '--failed')).toEqual(['bad:raw+twice']);
    expect(await chosen('raw', '--failed', '--missing')).toEqual(['p/2:raw', 'q/1:raw', 'bad:raw']);
    expect(await chosen('raw', '--failed', '--prefix', 'p/')).toEqual([]);
    expect(await chosen('raw', '--all', '--prefix', 'p/')).toEqual(['p/1:raw', 'p/2:raw']);
    expect(await chosen('raw', '--all', '--order', 'newest', '--limit', '2')).toEqual(['bad:raw', 'q/1:raw']);
    expect(await chosen('raw', '--all', '--order', 'oldest', '--limit', '1')).toEqual(['p/1:raw']);
    expect(await chosen('twice', '--key', 'q/1')).toEqual(['q/1:twice']);
    expect(await chosen('report')).toEqual(['-:report']);
    project.write({ 'keys.txt': 'q/1\np/2\n' });
    expect((await chosen('raw', '--keys-from', 'keys.txt')).sort()).toEqual(['p/2:raw', 'q/1:raw']);
    expect((await project.dynpart(['materialize', 'raw', '--failed', '--dry-run'])).stdout).toBe(
      'bad\traw\tfailed\n',
    );
    expect(
      (await project.dynpart(['materialize', 'raw', 'report', '--missing', '--limit', '1', '--dry-run']))
        .stdout,
    ).toBe('p/2\traw\tmissing\nreport\tmissing\n');
  });

  it('executes them and says each run, or only how many', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'bad']);
    const { code, document, stderr } = await project.json(['materialize', '--all', 'raw', 'twice']);
    expect({ code, stderr, ...document, runs: byKey(document.runs) }).toEqual({
      code: 1,
      stderr: '',
      runs: [runOf('a'), runOf('bad', FAILED_RUN)],
      summary: summaryOf({ total: 2, succeeded: 1, failed: 1 }),
    });
    expect(await project.json(['materialize', '--all', 'raw', 'twice', '--summary'])).toEqual({
      code: 1,
      stderr: '',
      document: { summary: summaryOf({ total: 2, succeeded: 1, failed: 1 }) },
    });
    expect(await project.json(['materialize', 'report'])).toEqual({
      code: 0,
      stderr: '',
      document: {
        runs: [runOf(null, { assets: [assetOf('report')] })],
        summary: summaryOf({ total: 1, succeeded: 1 }),
      },
    });
    expect(await project.json(['materialize', 'report', '--missing'])).toEqual({
      code: 0,
      stderr: '',
      document: { runs: [], summary: summaryOf() },
    });
  });

  it('--no-run queues, --missing leaves out and counts what is queued for a worker, and what nobody executes is taken over', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
    const queued = await project.json(['materialize', 'raw', 'twice', '--key', 'a', '--no-run']);
    expect(queued).toEqual({
      code: 0,
      stderr: '',
      document: { runs: [queuedRun('a')], summary: summaryOf({ total: 1 }) },
    });
    const id = queued.document.runs[0].id as string;
    // For a worker it is queued already; a materialize that executes takes a run that nobody owns over.
    expect((await project.json(['materialize', 'raw', 'twice', '--missing', '--no-run'])).document).toEqual({
      runs: [queuedRun('b', {}, 'missing')],
      summary: summaryOf({ total: 1, leftOut: 1 }),
    });
    expect((await project.json(['materialize', 'raw', 'twice', '--key', 'a'])).document).toEqual({
      runs: [runOf('a', { id })],
      summary: summaryOf({ total: 1, succeeded: 1 }),
    });
    expect((await project.json(['materialize', 'raw', 'twice', '--missing'])).document).toMatchObject({
      runs: [{ partitionKey: 'b', status: 'SUCCESS' }],
      summary: summaryOf({ total: 1, succeeded: 1 }),
    });
    expect((await project.json(['runs', 'list', '--status', 'QUEUED'])).document).toEqual({
      runs: [],
      next: null,
    });
  });

  it('--add registers an unknown key first, and without it an unknown key is exit 2', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'apple']);
    const unknown = await project.json(['materialize', 'raw', '--key', 'appel']);
    expect(unknown).toMatchObject({
      code: 2,
      document: { error: { code: 'unknown-key', hint: expect.stringContaining('apple') as string } },
    });
    expect((await project.json(['materialize', 'raw', '--key', 'pear', '--add'])).document).toMatchObject({
      summary: summaryOf({ total: 1, succeeded: 1 }),
    });
    expect(await keysOf(project)).toEqual(['apple', 'pear']);
  });

  it('--for begins nothing after its time, leaves the rest to the next tick, and the same command goes on', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
    const flags = ['materialize', 'raw', '--all'];
    const none = await project.dynpart([...flags, '--for', '0s']);
    expect(none).toMatchObject({
      code: 0,
      stderr: 'time is over: 2 runs left in the queue, for the next tick or worker\n',
    });
    expect((await project.json([...flags, '--for', '0s'])).document).toEqual({
      runs: [],
      summary: summaryOf({ queued: 2 }),
    });
    expect((await project.json(['runs', 'list', '--status', 'queued'])).document.runs).toHaveLength(2);
    expect((await project.json([...flags, '--for', '1h'])).document.summary).toEqual(
      summaryOf({ total: 2, succeeded: 2 }),
    );
    expect((await project.json([...flags, '--for', 'soon'])).document.error).toMatchObject({ code: 'usage' });
  });

  it('--fail-fast starts nothing after a failure and cancels the rest', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'bad', 'a', 'b']);
    const { code, document } = await project.json([
      'materialize',
      'raw',
      '--all',
      '--fail-fast',
      '--concurrency',
      '1',
    ]);
    expect(code).toBe(1);
    expect(document.summary).toEqual(summaryOf({ total: 3, failed: 1, canceled: 2 }));
    expect(
      (document.runs as { partitionKey: string; status: string; finishedAt: string }[])
        .map(({ partitionKey, status }) => `${partitionKey} ${status}`)
        .sort(),
    ).toEqual(['a CANCELED', 'b CANCELED', 'bad FAILURE']);
    expect((await project.json(['status', 'raw'])).document.assets).toEqual([
      expect.objectContaining({ materialized: 0, failed: 1, inProgress: 0, missing: 2 }),
    ]);
  });
});

describe('runs', () => {
  it('list filters and pages from the newest to the oldest, each run once', async () => {
    await using project = projectOf(['a', 'b', 'bad']);
    await project.dynpart(['sensor', 'tick']);
    await project.dynpart(['materialize', 'report']);
    await project.dynpart(['materialize', 'raw', '--key', 'a', '--no-run']);
    const list = async (...flags: string[]) =>
      (await project.json(['runs', 'list', ...flags])).document as {
        runs: { id: string; partitionKey: string | null; status: string; createdAt: string }[];
        next: string | null;
      };
    const all = await list();
    expect(all.next).toBeNull();
    expect(all.runs).toHaveLength(5);
    expect(all.runs[0]).toEqual(
      queuedRun('a', {
        tags: { from: 'feed' },
        assets: [assetOf('raw', { status: 'QUEUED', attempts: 0 })],
      }),
    );
    expect(all.runs[1]).toEqual(runOf(null, { assets: [assetOf('report')] }));
    expect(byKey(all.runs.slice(2))).toEqual([
      runOf('a', { sensor: 'feed', cause: 'sensor', runKey: 'a', tags: { from: 'feed' } }),
      runOf('b', { sensor: 'feed', cause: 'sensor', runKey: 'b', tags: { from: 'feed' } }),
      runOf('bad', { ...FAILED_RUN, sensor: 'feed', cause: 'sensor', runKey: 'bad', tags: { from: 'feed' } }),
    ]);
    const paged: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page: { runs: { id: string }[]; next: string | null } = await list(
        '--limit',
        '2',
        ...(after === '' ? [] : ['--after', after]),
      );
      paged.push(...page.runs.map(({ id }) => id));
      after = page.next;
      if (after !== null) expect(page.runs.at(-1)!.id).toBe(after);
    }
    expect(paged).toEqual(all.runs.map(({ id }) => id));
    const keys = async (...flags: string[]): Promise<string[]> =>
      (await list(...flags)).runs.map(({ partitionKey }) => partitionKey ?? '-');
    expect(await keys('--status', 'FAILURE')).toEqual(['bad']);
    expect(await keys('--status', 'QUEUED')).toEqual(['a']);
    expect(await keys('--key', 'a')).toEqual(['a', 'a']);
    expect(await keys('--asset', 'report')).toEqual(['-']);
    expect((await keys('--sensor', 'feed')).sort()).toEqual(['a', 'b', 'bad']);
    expect(await keys('--sensor', 'feed', '--status', 'SUCCESS', '--key', 'b')).toEqual(['b']);
    expect(await list('--key', 'nobody')).toEqual({ runs: [], next: null });
    const { stdout } = await project.dynpart(['runs', 'list', '--asset', 'report']);
    const fields = stdout.split('\t');
    expect(fields.slice(0, 4)).toEqual([ID, 'SUCCESS', '-', 'report']);
    expect(fields.slice(4)).toEqual([
      expect.stringMatching(/Z$/),
      expect.stringMatching(/^\d+\.\d s$/),
      'materialize\n',
    ]);
  });

  it('show and logs say what a run did and printed', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'bad', 'a']);
    const id = (await project.json(['materialize', '--key', 'bad'])).document.runs[0].id as string;
    expect(await project.json(['runs', 'show', id])).toEqual({
      code: 0,
      document: { run: runOf('bad', { ...FAILED_RUN, id }) },
      stderr: '',
    });
    const shown = await project.dynpart(['runs', 'show', id]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^status +FAILURE$/m);
    expect(shown.stdout).toContain('no such item');
    expect(shown.stdout).toContain('twice: SKIPPED');
    const { document } = await project.json(['runs', 'logs', id]);
    expect(document).toEqual({
      id,
      attempts: [
        {
          asset: 'raw',
          attempt: 1,
          lines: expect.arrayContaining([{ at: TIME, stream: 'log', text: 'fetching bad' }]) as unknown,
        },
      ],
    });
    expect((await project.dynpart(['runs', 'logs', id])).stdout).toMatch(/^\S+Z\traw\t1\tfetching bad\n/);
    const followed = await project.dynpart(['runs', 'logs', id, '--follow', '--json']);
    expect(followed.code).toBe(0);
    expect(JSON.parse(followed.stdout.split('\n')[0]!)).toEqual({
      id,
      asset: 'raw',
      attempt: 1,
      line: { at: TIME, stream: 'log', text: 'fetching bad' },
    });
    const queued = (await project.json(['materialize', 'raw', '--key', 'a', '--no-run'])).document.runs[0]
      .id as string;
    expect((await project.json(['runs', 'logs', queued])).document).toEqual({ id: queued, attempts: [] });
    expect((await project.json(['runs', 'show', queued])).document.run).toEqual(
      queuedRun('a', { id: queued, assets: [assetOf('raw', { status: 'QUEUED', attempts: 0 })] }),
    );
  });

  it('retry makes a new run for what did not succeed, and says of which it is one', async () => {
    await using project = projectOf(['bad']);
    await project.dynpart(['sensor', 'tick']);
    const first = (await project.json(['runs', 'list'])).document.runs[0].id as string;
    const again = await project.json(['runs', 'retry', first]);
    expect(again).toMatchObject({
      code: 1,
      document: { runs: [{ retryOf: first }], summary: summaryOf({ total: 1, failed: 1 }) },
    });
    expect(again.document.runs[0].id).not.toBe(first);
    project.write({ 'pipeline.ts': PIPELINE.replace("partitionKey.startsWith('bad')", 'false') });
    const mended = await project.json(['runs', 'retry', first]);
    expect(mended.code).toBe(0);
    expect(mended.document.runs).toEqual([
      expect.objectContaining({
        partitionKey: 'bad',
        status: 'SUCCESS',
        retryOf: first,
        assets: [assetOf('raw', { metadata: { length: 3 } }), assetOf('twice')],
      }),
    ]);
    expect((await project.json(['status', 'raw'])).document.assets[0]).toMatchObject({
      materialized: 1,
      failed: 0,
    });
  });

  it('later runs of a key carry the tags that a sensor gave its run, and a retry also its sensor and run key', async () => {
    await using project = projectOf(['a', 'bad', 'worse']);
    await project.dynpart(['sensor', 'tick', '--no-run']);
    await project.dynpart(['partitions', 'add', 'items', 'plain']);
    const tags = { from: 'feed' };
    const made = async (...args: string[]): Promise<unknown[]> =>
      byKey((await project.json(args)).document.runs).map((run) => {
        const { partitionKey, sensor, runKey, tags: given } = run as Record<string, unknown>;
        return [partitionKey, sensor, runKey, given];
      });
    const [first] = (await project.json(['runs', 'list', '--key', 'worse'])).document.runs as {
      id: string;
    }[];
    await project.dynpart(['runs', 'cancel', first!.id]);
    await project.dynpart(['worker', '--once']);
    expect(await made('materialize', '--key', 'a', '--key', 'plain')).toEqual([
      ['a', null, null, tags],
      ['plain', null, null, {}],
    ]);
    expect(await made('materialize', '--failed', '--dry-run')).toEqual([['bad', null, null, tags]]);
    expect(await made('materialize', '--failed')).toEqual([['bad', null, null, tags]]);
    expect(await made('materialize', 'raw', 'twice', '--missing', '--no-run')).toEqual([
      ['worse', null, null, tags],
    ]);
    const retried = await made('runs', 'retry', first!.id);
    expect(retried).toEqual([['worse', 'feed', 'worse', tags]]);
    // Several runs at once may tell one run key: it launched the first of them.
    const ids = (
      (await project.json(['runs', 'list', '--sensor', 'feed', '--key', 'worse'])).document.runs as {
        id: string;
      }[]
    ).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(await made('runs', 'retry', ...ids)).toEqual([
      ['worse', 'feed', 'worse', tags],
      ['worse', 'feed', 'worse', tags],
    ]);
    // What is known of a key's tags goes with its runs.
    fs.rmSync(project.path('.dynpart/history/runs.000001.jsonl'));
    expect(await made('materialize', '--key', 'a', '--no-run')).toEqual([['a', null, null, {}]]);
    expect((await project.json(['state', 'check'])).document).toMatchObject({ ok: true, problems: [] });
  });

  it('cancel ends queued runs, release leaves them for others, and both answer with the runs', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
    const { document } = await project.json(['materialize', 'raw', '--all', '--no-run']);
    const [a, b] = document.runs as [{ id: string }, { id: string }];
    const canceled = { code: 'canceled', message: expect.any(String) as string, hint: null };
    expect(await project.json(['runs', 'cancel', a.id])).toEqual({
      code: 0,
      stderr: '',
      document: {
        runs: [
          runOf('a', {
            id: a.id,
            status: 'CANCELED',
            attempts: 0,
            error: canceled,
            assets: [assetOf('raw', { status: 'CANCELED', attempts: 0, error: canceled })],
            startedAt: null,
          }),
        ],
      },
    });
    expect((await project.json(['runs', 'release', b.id])).document).toEqual({
      runs: [queuedRun('b', { id: b.id, assets: [assetOf('raw', { status: 'QUEUED', attempts: 0 })] })],
    });
    expect((await project.json(['worker', '--once'])).document.summary).toEqual(
      summaryOf({ total: 1, succeeded: 1 }),
    );
    expect((await project.json(['status', 'raw'])).document.assets[0]).toMatchObject({
      materialized: 1,
      missing: 1,
    });
  });
});

describe('assets, status and state', () => {
  it('assets list says their partitions and what they depend on', async () => {
    await using project = new ProjectHere({
      'pipeline.ts': PIPELINE.replace(
        "name: 'report', deps: []",
        "name: 'report', deps: [other, allKeys(raw), lastKeys(twice, 2)]",
      )
        .replace('import { ', 'import { allKeys, lastKeys, ')
        .replace(
          'const report',
          "const other = asset({ name: 'other', materialize: () => 1 });\nconst report",
        )
        .replace('[raw, twice, report]', '[raw, twice, other, report]'),
    });
    expect((await project.json(['assets', 'list'])).document).toEqual({
      assets: [
        { asset: 'raw', set: 'items', inputs: [], deps: [], gathers: [] },
        { asset: 'twice', set: 'items', inputs: ['raw'], deps: [], gathers: [] },
        { asset: 'other', set: null, inputs: [], deps: [], gathers: [] },
        {
          asset: 'report',
          set: null,
          inputs: [],
          deps: ['other'],
          gathers: [{ asset: 'raw' }, { asset: 'twice', last: 2 }],
        },
      ],
    });
    const { stdout } = await project.dynpart(['assets', 'list']);
    expect(stdout).toBe(
      'raw\titems\t-\t-\t-\ntwice\titems\traw\t-\t-\nother\t-\t-\t-\t-\nreport\t-\t-\tother\traw (all), twice (last 2)\n',
    );
  });

  it('status counts each key once, and --exit-code is 10 while something is missing or failed', async () => {
    await using project = projectOf(['a', 'bad']);
    await project.dynpart(['sensor', 'tick']);
    await project.dynpart(['partitions', 'add', 'items', 'new']);
    await project.dynpart(['materialize', 'raw', '--key', 'a', '--no-run']);
    const { code, document } = await project.json(['status']);
    expect(code).toBe(0);
    const parts = {
      skipped: 0,
      stale: 0,
      backlog: 0,
      retryAt: null,
      madeAt: null,
      freshness: null,
      overdue: false,
    };
    const counts = { total: 3, materialized: 0, failed: 0, inProgress: 0, missing: 0, ...parts };
    const idle = { status: 'STOPPED', lastTick: null, newKeysBy: null, overdue: false };
    const madeAt: unknown = expect.stringMatching(/Z$/);
    expect(document).toEqual({
      incidents: [],
      assets: [
        { asset: 'raw', set: 'items', ...counts, failed: 1, inProgress: 1, missing: 1, madeAt },
        { asset: 'twice', set: 'items', ...counts, materialized: 1, missing: 2, madeAt },
        { asset: 'report', set: null, ...counts, total: 1, missing: 1 },
      ],
      sensors: [
        {
          sensor: 'feed',
          status: 'RUNNING',
          lastTick: expect.objectContaining({ sensor: 'feed', status: 'SUCCESS' }) as unknown,
          newKeysBy: null,
          overdue: false,
        },
        { sensor: 'idle', ...idle },
        { sensor: 'broken', ...idle },
      ],
      workers: [],
    });
    expect((await project.dynpart(['status', '--exit-code'])).code).toBe(10);
    expect((await project.json(['status', 'report', '--exit-code'])).code).toBe(10);
    await project.dynpart(['materialize', 'report']);
    expect((await project.dynpart(['status', 'report', '--exit-code'])).code).toBe(0);
    expect((await project.dynpart(['status', 'report'])).stdout.split('\t').slice(0, 4)).toEqual([
      'report',
      '-',
      '1',
      '1',
    ]);
  });

  it('state check, export and restore say what they did', async () => {
    await using project = projectOf(['a']);
    await project.dynpart(['sensor', 'tick', '--no-run']);
    const { serial } = project.state() as { serial: number };
    expect(await project.json(['state', 'check'])).toEqual({
      code: 0,
      document: { ok: true, serial, problems: [] },
      stderr: '',
    });
    expect((await project.dynpart(['state', 'check'])).stdout).toMatch(/^ok\b.*\n$/);
    const file = project.path('copy.json');
    expect((await project.json(['state', 'export', 'copy.json'])).document).toEqual({ file, serial });
    expect(JSON.parse((await project.dynpart(['state', 'export'])).stdout)).toEqual(project.state());
    await project.dynpart(['partitions', 'remove', 'items', 'a']);
    const restored = await project.json(['state', 'restore', 'copy.json']);
    expect(restored).toEqual({
      code: 0,
      document: {
        file: project.path('.dynpart', 'state.json'),
        serial: expect.any(Number) as number,
        kept: [expect.stringContaining('.before-restore-') as string],
      },
      stderr: '',
    });
    expect(restored.document.serial).toBeGreaterThan(serial + 1);
    expect(await keysOf(project)).toEqual(['a']);
    expect((await project.json(['worker', '--once'])).document.summary).toEqual(
      summaryOf({ total: 1, succeeded: 1 }),
    );
    await project.dynpart(['partitions', 'remove', 'items', 'a']);
    expect((await project.json(['state', 'restore', '--last'])).code).toBe(0);
    expect((await project.json(['state', 'check'])).document.ok).toBe(true);
  });
});

describe('where the files are', () => {
  it('-f takes a pipeline of another folder, and its state stays beside it', async () => {
    await using project = projectOf(['a']);
    await using elsewhere = new ProjectHere();
    const file = project.path('pipeline.ts');
    const tick = await elsewhere.json(['-f', file, 'sensor', 'tick']);
    expect(tick).toMatchObject({ code: 0, document: { ticks: [{ status: 'SUCCESS' }] } });
    expect(project.exists('.dynpart', 'state.json')).toBe(true);
    expect(fs.readdirSync(elsewhere.folder)).toEqual([]);
    // Behind the command as well, and relative to where it is called.
    const relative = path.relative(elsewhere.folder, file);
    expect((await elsewhere.dynpart(['partitions', 'list', 'items', '--file', relative])).stdout).toBe('a\n');
  });

  it('DYNPART_FILE and DYNPART_STATE do so too, and a flag goes before them', async () => {
    await using project = projectOf(['a']);
    await using elsewhere = new ProjectHere();
    const env = {
      DYNPART_FILE: project.path('pipeline.ts'),
      DYNPART_STATE: elsewhere.path('deep/in/s.json'),
    };
    expect((await elsewhere.dynpart(['sensor', 'tick'], { env })).code).toBe(0);
    expect(project.exists('.dynpart')).toBe(false);
    expect(elsewhere.exists('deep', 'in', 's.json')).toBe(true);
    expect((await elsewhere.dynpart(['partitions', 'list', 'items'], { env })).stdout).toBe('a\n');
    const own = ['--state', 'own.json', 'partitions'];
    expect((await elsewhere.dynpart([...own, 'add', 'items', 'z'], { env })).code).toBe(0);
    expect((await elsewhere.dynpart([...own, 'list', 'items'], { env })).stdout).toBe('z\n');
    expect((await elsewhere.dynpart(['partitions', 'list', 'items'], { env })).stdout).toBe('a\n');
    // Empty is as good as not set.
    const empty = { DYNPART_FILE: '', DYNPART_STATE: '' };
    expect((await project.dynpart(['partitions', 'list', 'items', '--count'], { env: empty })).stdout).toBe(
      '0\n',
    );
  });

  it('an environment with nothing but PATH is enough, as under cron', async () => {
    await using project = projectOf(['a']);
    const bare = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync('env', ['-i', `PATH=${process.env['PATH']}`, process.execPath, binary, ...args], {
        cwd: project.folder,
        encoding: 'utf8',
        input: '',
      });
    const tick = bare('sensor', 'tick');
    expect(tick).toMatchObject({ status: 0, stdout: '' });
    expect(tick.stderr.split('\n')).toHaveLength(2);
    expect(bare('partitions', 'list', 'items')).toMatchObject({ status: 0, stdout: 'a\n', stderr: '' });
    expect(bare('sensor', 'tick')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('commands that need no code work while the pipeline file is broken or gone', async () => {
    await using project = projectOf(['a']);
    await project.dynpart(['sensor', 'tick']);
    for (const mangle of [
      () => project.write({ 'pipeline.ts': 'export default {{{' }),
      () => fs.rmSync(project.path('pipeline.ts')),
    ]) {
      mangle();
      const commands = [
        ['partitions', 'list', 'items'],
        ['partitions', 'add', 'items', 'a'],
        ['sensor', 'list', '-q'],
        ['sensor', 'cursor', 'feed'],
        ['sensor', 'history', 'feed'],
        ['sensor', 'stop', 'feed', '-q'],
        ['sensor', 'start', 'feed', '-q'],
        ['runs', 'list'],
        ['status', '-q'],
        ['state', 'check'],
      ];
      for (const command of commands)
        expect(await project.dynpart(command), command.join(' ')).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(
            /^(?:warning: .*using the names that the state remembers.*\n)?$/,
          ) as string,
        });
      expect(await project.json(['sensor', 'tick'])).toMatchObject({
        code: 2,
        document: { ticks: [], resumed: [], error: { code: expect.stringMatching(/^pipeline-/) as string } },
      });
    }
  });
});

describe('what is said', () => {
  it('under cron nothing at all when nothing is new, and one line when something happened', async () => {
    await using project = projectOfProcesses(['a', 'b']);
    const tick = (...flags: string[]) => project.dynpart(['sensor', 'tick', ...flags]);
    const first = await tick();
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr).toMatch(/^feed: 2 keys added, 2 runs queued; 2 runs succeeded in [^\n]+\n$/);
    const nothing = { code: 0, stdout: '', stderr: '' };
    expect(await tick()).toMatchObject(nothing);
    expect(await tick('idle')).toMatchObject(nothing);
    expect(await project.dynpart(['worker', '--once'])).toMatchObject(nothing);
    expect(await project.dynpart(['materialize', 'raw', '--missing'])).toMatchObject(nothing);
    project.write({ 'feed.txt': 'a\nb\nc\n' });
    expect((await tick('--no-run')).stderr).toMatch(/^feed: 1 key added, 1 run queued[^\n]*\n$/);
    expect((await project.dynpart(['worker', '--once'])).stderr).toMatch(/^1 run succeeded in [^\n]+\n$/);
  });

  it('under cron a failed run and one summary line, and a failed sensor', async () => {
    await using project = projectOfProcesses(['bad']);
    const failed = await project.dynpart(['sensor', 'tick']);
    expect(failed).toMatchObject({ code: 1, stdout: '' });
    expect(failed.stderr).toMatch(/^failed: run \S+: asset 'raw' for key "bad" threw: no such item\n/);
    expect(failed.stderr).toMatch(/\nfeed: 1 key added, 1 run queued; 1 run failed in [^\n]+\n$/);
    const broken = await project.dynpart(['sensor', 'tick', 'broken']);
    expect(broken).toMatchObject({ code: 3, stdout: '' });
    expect(broken.stderr).toMatch(/^error: sensor 'broken' threw: the source is down\n/);
    // Both at once: the worse one is the exit code, and both are told.
    project.write({ 'feed.txt': 'bad\nbad2\n' });
    const both = await project.dynpart(['sensor', 'tick', 'feed', 'broken']);
    expect(both.code).toBe(3);
    expect(both.stderr).toContain('the source is down');
    expect(both.stderr).toContain('1 run failed');
  });

  it('--quiet leaves errors only', async () => {
    await using project = projectOfProcesses(['a', 'bad']);
    expect(await project.dynpart(['-q', 'partitions', 'add', 'items', 'z'])).toMatchObject({ stderr: '' });
    const tick = await project.dynpart(['sensor', 'tick', '--quiet']);
    expect(tick.code).toBe(1);
    expect(tick.stderr).toMatch(/^failed: run [^\n]+no such item\n(?: +at [^\n]+\n)*$/);
    project.write({ 'feed.txt': 'a\nbad\nc\n' });
    expect(await project.dynpart(['sensor', 'tick', '-q'])).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    expect((await project.dynpart(['-q', 'sensor', 'tick', 'broken'])).stderr).toContain(
      'the source is down',
    );
    expect((await project.dynpart(['-q', 'partitions', 'list', 'items'])).stdout).toBe('z\na\nbad\nc\n');
  });

  it('--verbose says what happens and why, also that nothing is new, and what user code printed', async () => {
    await using project = projectOfProcesses(['a']);
    const tick = await project.dynpart(['-v', 'sensor', 'tick']);
    expect(tick).toMatchObject({ code: 0, stdout: '' });
    expect(tick.stderr).toContain('fetching a');
    expect(tick.stderr).toMatch(/run \S+ started: raw, twice for a\n/);
    const again = await project.dynpart(['sensor', 'tick', '--verbose']);
    expect(again.stderr).toContain('no new line');
    const json = await project.json(['materialize', 'raw', '--key', 'a', '--verbose']);
    expect(json.stderr).toContain('fetching a');
  });

  it('--json is one document also when no command, a wrong flag, or a failure after partial work ends it', async () => {
    await using project = projectOfProcesses(['a']);
    for (const args of [[], ['partitions'], ['partitions', 'list', 'items', '--lmit', '3'], ['partishions']])
      expect(await project.json(args)).toEqual({
        code: 2,
        document: { error: errorOf('usage') },
        stderr: '',
      });
    // The values cannot be written: the keys were added, the runs were begun, and both are in the document.
    await project.dynpart(['partitions', 'add', 'items', 'first']);
    fs.mkdirSync(project.path('.dynpart'), { recursive: true });
    project.write({ '.dynpart/values': 'in the way\n' });
    const tick = await project.json(['sensor', 'tick']);
    expect(tick).toMatchObject({
      code: 5,
      document: {
        error: errorOf('state-io'),
        ticks: [{ status: 'SUCCESS', partitions: [{ added: ['a'] }], runs: [{ partitionKey: 'a' }] }],
        resumed: [],
      },
      stderr: '',
    });
    expect(await project.json(['partitions', 'add', 'items', 'second', '--materialize'])).toMatchObject({
      code: 5,
      document: {
        error: errorOf('state-io'),
        set: 'items',
        added: ['second'],
        updated: [],
        skipped: [],
        runs: [],
      },
    });
    expect(await project.json(['materialize', 'raw', '--key', 'first'])).toMatchObject({
      code: 5,
      document: { error: errorOf('state-io'), runs: [], summary: summaryOf() },
    });
    expect(await project.json(['worker', '--once'])).toMatchObject({
      code: 5,
      document: { error: errorOf('state-io'), runs: [], summary: summaryOf() },
    });
    // Nothing of it counts against the runs: with the way free they are executed.
    fs.rmSync(project.path('.dynpart', 'values'));
    const { document } = await project.json(['worker', '--once']);
    expect(document.summary).toMatchObject({ failed: 0, canceled: 0 });
    expect((await project.json(['status', 'twice'])).document.assets[0]).toMatchObject({ failed: 0 });
  });
});
