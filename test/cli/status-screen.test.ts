/** `dynpart status` as one screen: on terminals of any width, with two assets and two hundred, and what it says in a pipe. */
import fs from 'node:fs';
import stringWidth from 'string-width';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { noPaint } from '../../src/cli/render/paint.ts';
import { bar, placesOf } from '../../src/cli/render/bar.ts';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const NONE = { fresh: 0, stale: 0, skipped: 0, inProgress: 0, failed: 0, backlog: 0, missing: 0 };

describe('a bar', () => {
  it('is in proportion, and shows one of a million', () => {
    expect(bar({ ...NONE, fresh: 5, missing: 5 }, 10, noPaint)).toBe('█████·····');
    expect(bar({ ...NONE, fresh: 1_000_000, failed: 1 }, 10, noPaint)).toBe('█████████×');
    expect(bar({ ...NONE, fresh: 1, missing: 999_999 }, 10, noPaint)).toBe('█·········');
    expect(bar(NONE, 10, noPaint)).toBe('');
  });

  it('is never longer or shorter than its places', () => {
    const some = { fresh: 3, stale: 1, skipped: 7, inProgress: 2, failed: 900, backlog: 1, missing: 12 };
    for (let places = 7; places < 60; places++) {
      const given = placesOf(some, places);
      expect(given.reduce((sum, count) => sum + count, 0)).toBe(places);
      expect(Math.min(...given)).toBeGreaterThan(0);
    }
  });
});

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const raw = asset({ name: 'raw', partitions: keys, materialize: ({ partitionKey }) => {
  if (partitionKey === 'k3') throw new Error('no luck');
} });
const long = asset({ name: 'a-rather-long-name-of-an-asset', partitions: keys, inputs: { raw }, materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [raw], evaluate: () => ({
  dynamicPartitionsRequests: [keys.buildAddRequest(['k1', 'k2', 'k3', 'k4-日本'])],
  runRequests: ['k1', 'k2', 'k3'].map((key) => ({ partitionKey: key, runKey: key })),
}) });
const ill = sensor({ name: 'ill', evaluate: () => { throw new Error('the server said 503'); } });
export default definePipeline({ assets: [raw, long], sensors: [feed, ill] });
`;

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await runHere(project, ['sensor', 'tick']);
});
afterEach(() => project[Symbol.asyncDispose]());

const on = (columns: number, ...args: string[]): Promise<Ran> =>
  runOn(
    new CapturedTerminal({ isTerminal: true, columns, cwd: project.folder, env: { NO_COLOR: '1' } }),
    ['status', ...args],
    { now: () => Date.now() + 5000 } as never,
  );

/** With somebody who is told. @param code what is done for the key that fails */
const told = (code: string): string =>
  PIPELINE.replace("throw new Error('no luck')", code).replace(
    'sensors: [feed, ill]',
    "sensors: [feed, ill], notify: [{ name: 'ear', on: ['run-failed', 'sensor-failed', 'recovered'], send: () => undefined }]",
  );

describe('status on a terminal', () => {
  it('has counts and a bar, sensors, what failed last and why, and the command that mends each', async () => {
    const { code, stdout, stderr } = await on(110);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    const id = /runs logs (\S+)/.exec(stdout)![1];
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, '  '))).toEqual([
      'ASSET  SET  TOTAL  MATERIALIZED  FAILED  IN PROGRESS  MISSING',
      expect.stringMatching(/^raw {2}keys {2}4 {2}2 {2}1 {2}0 {2}1 {2}█+×+·+$/),
      expect.stringMatching(/^a-rather-long\S* {2}keys {2}4 {2}0 {2}0 {2}0 {2}4 {2}·+$/),
      expect.stringMatching(/^sensor feed: SUCCESS \d+ s ago, next due in \d+ s$/),
      expect.stringMatching(/^sensor ill: FAILURE \d+ s ago, next due in \d+ s$/),
      'sensor ill failed: the server said 503',
      '  dynpart sensor history ill --limit 3; again: dynpart sensor tick ill',
      'raw for k3 failed: no luck',
      `  dynpart runs logs ${id}`,
      'failed: 1 of raw',
      '  dynpart materialize --failed raw',
      'missing: 1 of raw, 4 of a-rather-long-name-of-an-asset',
      '  dynpart materialize --missing; why: dynpart why raw',
    ]);
  });

  it.each([20, 40, 60, 72, 80, 120, 200])(
    'fits into %i columns, but for commands to be pasted',
    async (columns) => {
      const { code, stdout } = await on(columns);
      expect(code).toBe(0);
      for (const line of stdout.trimEnd().split('\n'))
        if (!line.startsWith('  dynpart '))
          expect([line, stringWidth(line) <= columns]).toEqual([line, true]);
      expect(stdout).toContain('raw');
      expect(stdout).toMatch(/[█×]/);
      expect(stdout).toContain('\n  dynpart materialize --missing; why: dynpart why raw\n');
    },
  );

  it('says what runs now, for how long and whose, and what waits', async () => {
    project.write({
      'pipeline.ts': PIPELINE.replace(
        'materialize: () => 1',
        "materialize: async () => { console.error('begun'); await new Promise((done) => setTimeout(done, 600_000)); }",
      ),
    });
    const running = project.start(['materialize', '--key', 'k1', '-v']);
    await running.saw('begun');
    await runHere(project, ['materialize', '--key', 'k2', '--no-run']);
    const { stdout } = await on(120);
    expect(stdout).toMatch(
      new RegExp(
        `\\nrunning .*a-rather-long-name-of-an-asset for k1: \\d+\\.\\d s, process ${running.process.pid} on `,
      ),
    );
    expect(stdout).toContain('\n1 wait for a worker: dynpart worker --once\n');
    running.process.kill('SIGKILL');
    await running.done;
    expect((await on(120)).stdout).toContain('\n1 left by a process that ended: dynpart sensor tick\n');
  });

  it('says how many runs wait for a pool, and how many places of it are taken', async () => {
    project.write({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
        const keys = dynamicPartitions('keys');
        const raw = asset({ name: 'raw', partitions: keys, pool: 'api', async materialize() {
          console.error('begun');
          await new Promise((done) => setTimeout(done, 600_000));
        } });
        export default definePipeline({ assets: [raw], pools: { api: { limit: 1 } } });`,
    });
    const holds = project.start(['materialize', 'raw', '--key', 'k1', '-v']);
    await holds.saw('begun');
    expect((await on(120)).stdout).not.toContain('pool');
    const waits = project.start(['materialize', 'raw', '--key', 'k2', '--key', 'k3', '-v']);
    await waits.saw('waiting: pool api is full');
    const line = '\n2 queued\n2 runs wait for pool api, where 1 place is taken\n';
    await vi.waitFor(async () => expect((await on(120)).stdout).toContain(line), { timeout: 60_000 });
  });

  it('names what a sensor could not look at, and one command for all that is stale', async () => {
    project.write({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
        const keys = dynamicPartitions('keys');
        const raw = asset({ name: 'raw', partitions: keys, materialize: () => 1 });
        const long = asset({ name: 'long', partitions: keys, inputs: { raw }, materialize: () => 1 });
        const feed = sensor({ name: 'feed', evaluate: () => ({
          dynamicPartitionsRequests: [keys.buildAddRequest([{ key: 'k1', version: '1' }])],
          failures: [{ name: 'page 7', error: 'the server said 503' }],
        }) });
        export default definePipeline({ assets: [raw, long], sensors: [feed] });`,
    });
    expect((await runHere(project, ['sensor', 'tick'])).code).toBe(3);
    await runHere(project, ['materialize', '--all', '--summary']);
    expect((await on(100, '--exit-code')).code).toBe(10);
    const { stdout: part } = await on(100);
    expect(part).toContain('\nsensor feed could not look at page 7 (the server said 503)\n');
    await runHere(project, ['partitions', 'add', 'keys', 'k1', '--version', '2']);
    expect((await on(100)).stdout).toContain(
      'stale: 1 of raw, 1 of long\n  dynpart materialize --stale; why: dynpart why raw\n',
    );
  });

  it('has a line for what notify tells of, and lists it as JSON, until it is over', async () => {
    expect((await on(120)).stdout).not.toContain('open');
    project.write({ 'pipeline.ts': told("throw new Error('no luck')") });
    await runHere(project, ['materialize', '--failed', 'raw']);
    expect((await on(120)).stdout).toMatch(/\n1 incident open, it began \d+ s ago: raw \(asset-threw\)\n/);
    await runHere(project, ['sensor', 'tick', 'ill']);
    const { stdout } = await on(120);
    expect(stdout).toMatch(/\n2 incidents open, the oldest began \d+ s ago: raw \(asset-threw\)\n/);
    const incidents = async (...names: string[]): Promise<unknown> => {
      const ran = await runHere(project, ['status', ...names, '--json']);
      return (JSON.parse(ran.stdout) as { incidents: unknown }).incidents;
    };
    const since = expect.stringMatching(/Z$/) as string;
    const ofRaw = {
      kind: 'run-failed',
      asset: 'raw',
      sensor: null,
      code: 'asset-threw',
      message: 'no luck',
      since,
      names: ['k3'],
      more: 0,
      run: expect.any(String) as string,
    };
    const ofIll = {
      kind: 'sensor-failed',
      asset: null,
      sensor: 'ill',
      code: 'sensor-threw',
      message: 'the server said 503',
      since,
      names: [],
      more: 0,
      run: null,
    };
    expect(await incidents()).toEqual([ofRaw, ofIll]);
    expect(await incidents('a-rather-long-name-of-an-asset')).toEqual([ofIll]);
    project.write({ 'pipeline.ts': told('return') });
    await runHere(project, ['materialize', '--failed', 'raw']);
    // Whoever was told of it is told of its end a minute later: it is not open any more.
    expect(await incidents()).toEqual([ofIll]);
    expect((await on(120)).stdout).toMatch(/\n1 incident open, it began \d+ s ago: ill \(sensor-threw\)\n/);
  });

  it('names three of many that a sensor could not look at', async () => {
    project.write({
      'pipeline.ts': `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
        const feed = sensor({ name: 'feed', evaluate: () => ({
          failures: [1, 2, 3, 4, 5].map((page) => ({ name: 'page ' + page, error: 'gone' })),
        }) });
        export default definePipeline({ assets: [], sensors: [feed], partitions: [dynamicPartitions('keys')] });`,
    });
    await runHere(project, ['sensor', 'tick']);
    expect((await on(100)).stdout).toContain(
      'could not look at page 1 (gone), page 2 (gone), page 3 (gone) and 2 more\n',
    );
  });

  it('tells a failure that was mended since no more', async () => {
    project.write({ 'pipeline.ts': PIPELINE.replace("=== 'k3'", "=== 'none'") });
    await runHere(project, ['materialize', '--failed']);
    const { stdout } = await on(100);
    expect(stdout).not.toContain('no luck');
    expect(stdout).not.toContain('--failed');
  });

  it('names of two hundred assets those with something to make, and of many keys how many', async () => {
    project.write({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
        const keys = dynamicPartitions('keys');
        export default definePipeline({ assets: Array.from({ length: 200 }, (_, at) =>
          asset({ name: 'asset' + at, partitions: keys, materialize: () => { if (at === 150) throw new Error('no'); } })) });`,
    });
    await runHere(project, ['partitions', 'add', 'keys', '--from', '-'], {
      input: Array.from({ length: 20_000 }, (_, at) => `n${at}`).join('\n'),
    });
    await runHere(project, ['materialize', '--key', 'k1', '--summary']);
    const { stdout } = await on(100);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBeLessThan(45);
    expect(lines[1]).toMatch(/^asset150 +keys +20,004 +0 +1 /);
    expect(stdout).toContain('\n170 more assets with something to make: dynpart status -v\n');
    expect((await on(100, '-v')).stdout.split('\n').length).toBeGreaterThan(200);
  });
});

describe('status in a pipe', () => {
  it('has a line an asset, columns as ever with new ones behind, and what wants somebody on stderr', async () => {
    const { code, stdout, stderr } = await project.dynpart(['status']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      'raw\tkeys\t4\t2\t1\t0\t1\t0\t0\t0\t-\na-rather-long-name-of-an-asset\tkeys\t4\t0\t0\t0\t4\t0\t0\t0\t-\n',
    );
    expect(stderr).toMatch(/^sensor ill failed: the server said 503: dynpart sensor history ill/);
    expect(stderr).toContain('\nfailed: 1 of raw: dynpart materialize --failed raw\n');
    expect((await project.dynpart(['status', '-q'])).stderr).toBe('');
  });

  it('exits with 10 when a sensor failed in its last tick, though all is made', async () => {
    const made = PIPELINE.replace("=== 'k3'", "=== 'none'");
    project.write({ 'pipeline.ts': made });
    await runHere(project, ['materialize', '--missing', '--failed']);
    expect((await runHere(project, ['status', '--exit-code'])).code).toBe(10);
    project.write({
      'pipeline.ts': made.replace("throw new Error('the server said 503')", 'return { skipReason: "" + 1 }'),
    });
    await runHere(project, ['sensor', 'tick', 'ill']);
    const { code, stderr } = await runHere(project, ['status', '--exit-code']);
    expect([code, stderr]).toEqual([0, '']);
  });
});

const missing = async (...args: string[]): Promise<string[]> => {
  const { stdout } = await on(200, ...args);
  return stdout
    .split('\n')
    .flatMap((line, at, lines) => (line.startsWith('missing: ') ? [line, lines[at + 1]!] : []));
};

describe('the command below what is missing', () => {
  const MANY = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('ones');
const others = dynamicPartitions('others');
const made = (name, partitions, automate) => asset({ name, partitions, ...(automate && { automate }), materialize: () => name });
export default definePipeline({ assets: [
  ...['a', 'b', 'c', 'd'].map((name) => made(name, keys)), ...(process.env.LATER ? [made('late', others, 'missing')] : [made('late', others)]),
] });
`;
  it('makes what is told, and nothing else', async () => {
    project.write({ 'pipeline.ts': MANY });
    await runHere(project, ['partitions', 'add', 'ones', 'k1', 'k2']);
    expect(await missing()).toEqual([
      'missing: 2 of a, 2 of b, 2 of c and 1 more asset',
      '  dynpart materialize --missing; why: dynpart why a',
    ]);
    expect(await missing('a', 'b')).toEqual([
      'missing: 2 of a, 2 of b',
      '  dynpart materialize --missing a b; why: dynpart why a',
    ]);
    expect(await missing('a', 'b', 'c', 'd')).toEqual([
      'missing: 2 of a, 2 of b, 2 of c and 1 more asset',
      '  dynpart materialize --missing a b c d; why: dynpart why a',
    ]);
    // Another asset has nothing but a backlog, which nobody asked for.
    await runHere(project, ['partitions', 'add', 'others', 'o1', 'o2']);
    process.env['LATER'] = '1';
    try {
      await runHere(project, ['materialize', 'a', '--key', 'k1']);
      expect(await missing()).toEqual([
        'missing: 1 of a, 2 of b, 2 of c and 1 more asset',
        '  dynpart materialize --missing a b c d; why: dynpart why a',
      ]);
      await runHere(project, ['partitions', 'add', 'others', 'o3']);
      expect(await missing('late')).toEqual([
        'missing: 3 (2 of them backlog) of late',
        '  dynpart materialize --missing late; why: dynpart why late',
      ]);
      const { stdout } = await runHere(project, ['materialize', '--missing', 'late', '--dry-run', '--json']);
      expect((JSON.parse(stdout) as { runs: unknown[] }).runs).toHaveLength(3);
    } finally {
      delete process.env['LATER'];
    }
  });

  const CHAIN = `import { allKeys, asset, definePipeline, dynamicPartitions } from 'dynpart';
import { existsSync } from 'node:fs';
const items = dynamicPartitions('items');
const bad = (name) => { if (existsSync(import.meta.dirname + '/bad-' + name)) throw new Error('no luck'); };
const config = asset({ name: 'config', materialize: () => bad('config') });
const raw = asset({ name: 'raw', partitions: items, materialize: ({ partitionKey }) => bad(partitionKey) });
const sum = asset({ name: 'sum', partitions: items, inputs: { raw, config }, materialize: () => 1 });
const top = asset({ name: 'top', partitions: items, inputs: { sum }, materialize: () => 1 });
const all = asset({ name: 'all', inputs: { raw: allKeys(raw) }, materialize: () => 1 });
const other = asset({ name: 'other', partitions: items, materialize: () => 1 });
export default definePipeline({ assets: [config, raw, sum, top, all, other] });
`;

  it.each([
    ['a', ['missing: 1 of sum, 1 of top, 1 of all', '--missing --failed']],
    ['config', ['missing: 2 of sum, 2 of top', '--missing --failed config sum top']],
  ])(
    'where all of it waits for what failed (%s), makes that as well, and does not wait',
    async (bad, [what, made]) => {
      project.write({ 'pipeline.ts': CHAIN, [`bad-${bad}`]: '' });
      await runHere(project, ['partitions', 'add', 'items', 'a', 'b']);
      await runHere(project, ['materialize', 'config', 'raw', 'other', '--all']);
      await runHere(project, ['materialize', '--missing']);
      const [said, command] = await missing();
      expect(said).toBe(what);
      fs.rmSync(project.path(`bad-${bad}`));
      const [, typed] = /^ {2}dynpart (.*); why: dynpart why sum$/.exec(command!)!;
      expect(typed).toBe(`materialize ${made}`);
      await runHere(project, typed!.split(' '));
      expect((await runHere(project, ['status', '--exit-code'])).code).toBe(0);
    },
  );

  it('makes what does not wait for that in a command of its own', async () => {
    project.write({ 'pipeline.ts': CHAIN, 'bad-a': '' });
    await runHere(project, ['partitions', 'add', 'items', 'a', 'b']);
    await runHere(project, ['materialize', 'config']);
    await runHere(project, ['materialize', 'raw', '--all']);
    expect(await missing('config', 'raw', 'sum', 'top', 'other')).toEqual([
      'missing: 2 of sum, 2 of top, 2 of other',
      '  dynpart materialize --missing sum top other; why: dynpart why sum',
    ]);
    await runHere(project, ['materialize', 'sum', 'top', '--missing']);
    expect(await missing('config', 'raw', 'sum', 'top', 'other')).toEqual([
      'missing: 2 of other',
      '  dynpart materialize --missing other; why: dynpart why other',
      'missing: 1 of sum, 1 of top',
      '  dynpart materialize --missing --failed raw sum top; why: dynpart why sum',
    ]);
  });
});

describe('what is overdue', () => {
  const DAY = 86_400_000;
  const LATE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const page = asset({ name: 'page', partitions: keys, freshFor: { warn: '1d', fail: '2d' }, materialize: () => 1 });
const report = asset({ name: 'report', freshFor: { fail: '30m' }, materialize: () => 1 });
const never = asset({ name: 'never', partitions: dynamicPartitions('none'), freshFor: { fail: '1s' }, materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [page], expectNewKeysEvery: '3d', evaluate: ({ cursor }) =>
  cursor === null ? { cursor: 'k1', dynamicPartitionsRequests: [keys.buildAddRequest(['k1'])], runRequests: [{ partitionKey: 'k1' }] } : undefined });
const quiet = sensor({ name: 'quiet', expectNewKeysEvery: '36h', evaluate: () => undefined });
export default definePipeline({ assets: [page, report, never], sensors: [quiet, feed] });
`;
  const later = (days: number, columns: number | null, ...args: string[]): Promise<Ran> =>
    runOn(
      new CapturedTerminal({
        ...(columns !== null && { isTerminal: true, columns }),
        cwd: project.folder,
        env: { NO_COLOR: '1' },
      }),
      ['status', ...args],
      { now: () => Date.now() + days * DAY + 5000 } as never,
    );
  const json = async (days: number): Promise<{ readonly code: unknown; readonly late: unknown }> => {
    const { code, stdout } = await later(days, null, '--json', '--exit-code');
    const { assets, sensors } = JSON.parse(stdout) as {
      readonly assets: { asset: string; madeAt: string | null; freshness: string | null; overdue: boolean }[];
      readonly sensors: { sensor: string; newKeysBy: string | null; overdue: boolean }[];
    };
    const late = [
      ...assets.map((one) => `${one.asset} ${one.freshness} ${one.overdue} ${one.madeAt !== null}`),
      ...sensors.map((one) => `${one.sensor} ${one.overdue} ${one.newKeysBy !== null}`),
    ];
    return { code, late };
  };

  beforeEach(async () => {
    await project[Symbol.asyncDispose]();
    project = new Project({ 'pipeline.ts': LATE });
    await runHere(project, ['sensor', 'tick']);
    await runHere(project, ['materialize', 'report']);
  });

  it('is told by level, and only what failed is exit code 10', async () => {
    expect(await json(0)).toEqual({
      code: 0,
      late: [
        'page fresh false true',
        'report fresh false true',
        'never null false false',
        'quiet false true',
        'feed false true',
      ],
    });
    await runHere(project, ['assets', 'mark', 'report', '--as', 'missing']);
    expect((await json(1)).code).toBe(10);
    await runHere(project, ['assets', 'mark', 'report', '--as', 'skipped']);
    const { code, late } = await json(3);
    expect([code, late]).toEqual([
      10,
      [
        'page fail true true',
        'report fail true true',
        'never null false false',
        'quiet true true',
        'feed true true',
      ],
    ]);
  });

  it('is named on the screen with the command that mends it, at any width', async () => {
    for (const columns of [20, 40, 80, 200]) {
      const { stdout } = await later(1.75, columns);
      const lines = stdout.trimEnd().split('\n');
      for (const line of lines)
        if (!line.startsWith('  dynpart '))
          expect([line, stringWidth(line) <= columns]).toEqual([line, true]);
    }
    const { stdout, code } = await later(1.75, 200);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.slice(-6)).toEqual([
      'sensor quiet is overdue: no new key for 42 h 0 min, expected every 36 h',
      '  dynpart sensor history quiet --limit 3; again: dynpart sensor tick quiet',
      'report is overdue: made 42 h 0 min ago, wanted within 30 min',
      '  dynpart materialize report',
      'page is older than 1 d: made 42 h 0 min ago, overdue after 2 d',
      '  dynpart sensor tick',
    ]);
    expect(stdout).toMatch(/\nsensor quiet: SKIPPED .*, no new keys, next due\n/);
  });

  it('is said in a pipe on stderr, with the level in the last column', async () => {
    const { stdout, stderr } = await later(1.75, null);
    expect(stdout).toBe(
      [
        'page\tkeys\t1\t1\t0\t0\t0\t0\t0\t0\twarn',
        'report\t-\t1\t1\t0\t0\t0\t0\t0\t0\tfail',
        'never\tnone\t0\t0\t0\t0\t0\t0\t0\t0\t-',
        '',
      ].join('\n'),
    );
    expect(stderr).toContain(
      'report is overdue: made 42 h 0 min ago, wanted within 30 min: dynpart materialize report\n',
    );
    expect((await later(1.75, null, '-q')).stderr).toBe('');
    expect((await later(0, null)).stderr).toBe('');
  });

  it('is waited for from the first tick on, also where it brought nothing, and never from a sensor that is stopped', async () => {
    expect((await json(1.6)).late).toContain('quiet true true');
    await runHere(project, ['sensor', 'stop', 'quiet']);
    expect((await json(9)).late).toContain('quiet false false');
  });

  it('is mended by the command that stands below it', async () => {
    const { stdout } = await later(1.75, 200);
    expect(stdout).toContain('report is overdue');
    await runHere(project, ['assets', 'mark', 'report', '--as', 'materialized', '--all']);
    const mended = await runHere(project, ['materialize', 'report']);
    expect(mended.code).toBe(0);
    expect((await later(0.01, 200)).stdout).not.toContain('report is overdue');
  });
});
