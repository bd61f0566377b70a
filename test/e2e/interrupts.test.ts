/** Processes that are told to stop, are killed, or meet each other: nothing is lost, nothing runs twice at once, and the next one goes on. */
import { describe, expect, it } from 'vitest';
import { ByHandHere } from '../support/in-process.ts';
import type { Project, Running } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const here = (name: string) => new URL(name, import.meta.url);
const mark = (line: string) => fs.appendFileSync(here('marks.txt'), line + '\\n');
const until = async (name: string, signal?: AbortSignal) => {
  while (!fs.existsSync(here(name))) await sleep(20, undefined, signal === undefined ? {} : { signal });
};
const waits = asset({
  name: 'waits',
  partitions: items,
  async materialize({ partitionKey, signal }) {
    mark('start ' + partitionKey);
    try {
      await until('go', signal);
    } catch (error) {
      mark('abort ' + partitionKey);
      throw error;
    }
    mark('stop ' + partitionKey);
    return partitionKey;
  },
});
const deaf = asset({
  name: 'deaf',
  partitions: items,
  async materialize({ partitionKey, signal }) {
    signal.addEventListener('abort', () => mark('told ' + partitionKey));
    mark('start ' + partitionKey);
    await until('go');
    mark('stop ' + partitionKey);
    return partitionKey;
  },
});
const short = asset({
  name: 'short',
  partitions: items,
  async materialize({ partitionKey }) {
    mark('start ' + partitionKey);
    await sleep(60);
    mark('stop ' + partitionKey);
    return partitionKey;
  },
});
const single = asset({
  name: 'single',
  partitions: items,
  concurrency: 1,
  async materialize({ partitionKey }) {
    mark('start single');
    await sleep(40);
    mark('stop single');
  },
});
const kills = asset({
  name: 'kills',
  partitions: items,
  async materialize({ partitionKey }) {
    mark('start ' + partitionKey);
    await sleep(20);
    if (partitionKey === 'deadly') process.kill(process.pid, 'SIGKILL');
    await sleep(20);
  },
});
const keysOfFeed = () => (fs.existsSync(here('feed.txt')) ? fs.readFileSync(here('feed.txt'), 'utf8').split(' ') : []);
const requesting = (name: string, target: typeof waits) =>
  sensor({
    name,
    assets: [target],
    minimumIntervalSeconds: 1,
    defaultStatus: 'stopped',
    async evaluate({ partitions }) {
      const fresh = await partitions(items).missing(keysOfFeed());
      return {
        cursor: String(keysOfFeed().length),
        dynamicPartitionsRequests: [items.buildAddRequest(fresh)],
        runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
      };
    },
  });
const slow = sensor({
  name: 'slow',
  defaultStatus: 'stopped',
  async evaluate({ signal }) {
    mark('evaluating');
    await until('answer', signal);
    return { cursor: 'theirs', dynamicPartitionsRequests: [items.buildAddRequest(['from-slow'])] };
  },
});
const stuck = sensor({
  name: 'stuck',
  timeoutSeconds: 3,
  minimumIntervalSeconds: 1,
  evaluate() {
    mark('stuck');
    const nobody = new Int32Array(new SharedArrayBuffer(4));
    while (!fs.existsSync(here('unstick'))) Atomics.wait(nobody, 0, 0, 50);
    return { cursor: 'late', dynamicPartitionsRequests: [items.buildAddRequest(['late'])] };
  },
});
const beat = sensor({ name: 'beat', minimumIntervalSeconds: 1, evaluate: () => mark('beat') });
export default definePipeline({
  assets: [waits, deaf, short, single, kills],
  sensors: [requesting('feed', waits), requesting('deafFeed', deaf as never), slow, stuck, beat],
  concurrency: 3,
});
`;

function projectOf(keys = ''): Project {
  return new ByHandHere({ 'pipeline.ts': PIPELINE, 'feed.txt': keys });
}

/** What the user's code wrote down, in the order in which it happened, over all processes. */
function marks(project: Project): string[] {
  return project.exists('marks.txt') ? project.read('marks.txt').split('\n').slice(0, -1) : [];
}

const countOf = (project: Project, mark: string): number =>
  marks(project).filter((line) => line === mark).length;

/** Asks until the answer is yes; what never comes is named. */
async function eventually(what: string, isSo: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  for (const until = Date.now() + ms; !(await isSo());) {
    if (Date.now() > until) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function marked(project: Project, mark: string, times = 1): Promise<void> {
  await eventually(`${times} × ${mark}`, () => countOf(project, mark) >= times);
}

/** At most so many were between their start and their stop at the same time. */
function mostAtOnce(lines: readonly string[]): number {
  let now = 0;
  let most = 0;
  for (const line of lines) {
    if (line.startsWith('start ')) most = Math.max(most, ++now);
    else if (line.startsWith('stop ') || line.startsWith('abort ')) now--;
  }
  return most;
}

interface RunRow {
  readonly id: string;
  readonly partitionKey: string;
  readonly status: string;
  readonly attempts: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly assets: readonly Pick<RunRow, 'error'>[];
}

async function runsOf(project: Project, ...flags: string[]): Promise<RunRow[]> {
  return (await project.json(['runs', 'list', ...flags])).document.runs as RunRow[];
}

const statuses = (runs: readonly RunRow[]): string[] =>
  runs.map(({ partitionKey, status }) => `${partitionKey} ${status}`).toSorted();

/** What stands on stdout of a process that was started with `--json`. */
async function documentOf({ done }: Running) {
  const { code, stdout, stderr } = await done;
  const lines = stdout.split('\n').filter((line) => line !== '');
  expect(lines, stderr).toHaveLength(1);
  return { code, document: JSON.parse(lines[0]!) };
}

async function expectIntact(project: Project): Promise<void> {
  expect(await project.json(['state', 'check'])).toMatchObject({ code: 0, document: { ok: true } });
}

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

describe.each(SIGNALS)('%s', (signal, exitCode) => {
  it('while a sensor is evaluated ends the tick with nothing applied', async () => {
    await using project = projectOf();
    const tick = project.start(['sensor', 'tick', 'slow', '--json']);
    await marked(project, 'evaluating');
    tick.process.kill(signal);
    const { code, document } = await documentOf(tick);
    expect(code).toBe(exitCode);
    expect(document).toMatchObject({
      ticks: [{ sensor: 'slow', status: 'FAILURE', error: { code: 'sensor-interrupted' } }],
      resumed: [],
    });
    expect(project.stateBytes()).toBeNull();
    project.write({ answer: '' });
    expect(await project.json(['sensor', 'tick', 'slow'])).toMatchObject({
      code: 0,
      document: { ticks: [{ status: 'SUCCESS', cursor: { before: null, after: 'theirs' } }] },
    });
  });

  it('while runs of a tick are executed puts them back, counts nothing, and the next tick resumes them', async () => {
    await using project = projectOf('a b c d');
    // More often than a run may be begun without an end: being told to stop does not count.
    for (let time = 1; time <= 4; time++) {
      const tick = project.start(['sensor', 'tick', 'feed', '--json']);
      await eventually(
        `start ${time}`,
        () => marks(project).filter((line) => line.startsWith('start')).length >= time * 3,
      );
      tick.process.kill(signal);
      const { code, document } = await documentOf(tick);
      expect(code).toBe(exitCode);
      if (time === 1)
        expect(document.ticks[0].runs.map((run: { status: string }) => run.status)).toEqual(
          Array(4).fill('QUEUED'),
        );
      expect(marks(project).filter((line) => line.startsWith('abort'))).toHaveLength(time * 3);
      const runs = await runsOf(project);
      expect(statuses(runs)).toEqual(['a QUEUED', 'b QUEUED', 'c QUEUED', 'd QUEUED']);
      expect(project.state().executors).toEqual([]);
    }
    project.write({ go: '' });
    const { code, document } = await project.json(['sensor', 'tick', 'feed']);
    expect(code).toBe(0);
    expect(document.ticks).toEqual([expect.objectContaining({ status: 'SKIPPED', runs: [] })]);
    expect(statuses(document.resumed)).toEqual(['a SUCCESS', 'b SUCCESS', 'c SUCCESS', 'd SUCCESS']);
    await expectIntact(project);
  });

  it('while materialize executes cancels all its runs', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c', 'd']);
    const command = project.start(['materialize', 'waits', '--all', '--json']);
    await eventually('three starts', () => marks(project).length >= 3);
    command.process.kill(signal);
    const { code, document } = await documentOf(command);
    expect(code).toBe(exitCode);
    expect(statuses(document.runs)).toEqual(['a CANCELED', 'b CANCELED', 'c CANCELED', 'd CANCELED']);
    expect(document.summary).toMatchObject({ total: 4, succeeded: 0, failed: 0, canceled: 4 });
    expect(statuses(await runsOf(project))).toEqual(statuses(document.runs));
    expect((await project.json(['status', 'waits'])).document.assets[0]).toMatchObject({
      missing: 4,
      inProgress: 0,
    });
    await expectIntact(project);
  });

  it('ends a worker and a watch in order with exit 0, and their runs are in the queue again', async () => {
    await using worked = projectOf('a b');
    await using watched = projectOf('a b');
    await worked.dynpart(['sensor', 'tick', 'feed', '--no-run']);
    await watched.dynpart(['sensor', 'start', 'feed']);
    const stopping = async (project: Project, args: readonly string[]): Promise<void> => {
      const running = project.start(args);
      await eventually('two starts', () => marks(project).length >= 2);
      running.process.kill(signal);
      const { code, stdout } = await running.done;
      expect(code).toBe(0);
      for (const line of stdout.split('\n').slice(0, -1)) expect(JSON.parse(line)).toBeTypeOf('object');
      expect(marks(project).toSorted()).toEqual(['abort a', 'abort b', 'start a', 'start b']);
      expect(statuses(await runsOf(project))).toEqual(['a QUEUED', 'b QUEUED']);
      project.write({ go: '' });
    };
    await Promise.all([
      stopping(worked, ['worker', '--json']),
      stopping(watched, ['sensor', 'watch', 'feed', '--json']),
    ]);
    expect((await worked.json(['sensor', 'tick', 'feed'])).document.resumed).toEqual([]);
    expect((await worked.json(['worker', '--once'])).document.summary).toMatchObject({ succeeded: 2 });
    expect(statuses((await watched.json(['sensor', 'tick', 'feed'])).document.resumed)).toEqual([
      'a SUCCESS',
      'b SUCCESS',
    ]);
  });

  it('twice leaves at once, however deaf the user code is, and the next tick resumes', async () => {
    await using project = projectOf('a');
    const tick = project.start(['sensor', 'tick', 'deafFeed']);
    await marked(project, 'start a');
    tick.process.kill(signal);
    await marked(project, 'told a');
    const said = Date.now();
    tick.process.kill(signal);
    expect((await tick.done).code).toBe(exitCode);
    // Told once, it is waited for for ten seconds.
    expect(Date.now() - said).toBeLessThan(9000);
    project.write({ go: '' });
    const { document } = await project.json(['sensor', 'tick', 'deafFeed']);
    expect(statuses(document.resumed)).toEqual(['a SUCCESS']);
    await expectIntact(project);
  });
});

describe('a process that is killed', () => {
  it('while it executes leaves its runs to the next tick, which executes each once more', async () => {
    await using project = projectOf('a b c d');
    const tick = project.start(['sensor', 'tick', 'feed']);
    await eventually('three starts', () => marks(project).length >= 3);
    tick.process.kill('SIGKILL');
    await tick.done;
    project.write({ go: '' });
    const { code, document } = await project.json(['sensor', 'tick', 'feed']);
    expect(code).toBe(0);
    expect(document.ticks[0]).toMatchObject({ status: 'SKIPPED', runs: [] });
    expect(statuses(document.resumed)).toEqual(['a SUCCESS', 'b SUCCESS', 'c SUCCESS', 'd SUCCESS']);
    expect(marks(project).filter((line) => line.startsWith('start'))).toHaveLength(7);
    expect((await project.json(['sensor', 'tick', 'feed'])).document.resumed).toEqual([]);
    await expectIntact(project);
  });

  it('by its own asset ends that run after three executions, and its neighbours succeed', async () => {
    await using project = projectOf();
    const keys = ['n1', 'deadly', 'n2', 'n3', 'n4', 'n5'];
    await project.dynpart(['partitions', 'add', 'items', ...keys]);
    expect((await project.dynpart(['materialize', 'kills', '--all'])).signal).toBe('SIGKILL');
    let ends = 1;
    let last = await project.dynpart(['worker', '--once']);
    for (; last.signal === 'SIGKILL' && ends < 10; ends++) last = await project.dynpart(['worker', '--once']);
    expect(last).toMatchObject({ code: 1, signal: null });
    expect(countOf(project, 'start deadly')).toBe(3);
    const runs = await runsOf(project);
    expect(statuses(runs)).toEqual([
      'deadly FAILURE',
      ...['n1', 'n2', 'n3', 'n4', 'n5'].map((key) => `${key} SUCCESS`),
    ]);
    const deadly = runs.find(({ partitionKey }) => partitionKey === 'deadly')!;
    expect(deadly.error).toMatchObject({
      code: 'interrupted',
      message: expect.stringContaining('3') as string,
      hint: expect.stringContaining(`dynpart runs retry ${deadly.id}`) as string,
    });
    expect((await project.json(['status', 'kills'])).document.assets[0]).toMatchObject({
      materialized: 5,
      failed: 1,
      missing: 0,
      inProgress: 0,
    });
    await expectIntact(project);
  });
});

describe('another process', () => {
  it('cancels a run that is executed elsewhere within seconds', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
    const executing = project.start(['materialize', 'waits', '--all', '--json']);
    await Promise.all([marked(project, 'start a'), marked(project, 'start b')]);
    const [run] = await runsOf(project, '--key', 'a');
    const cancel = await project.json(['runs', 'cancel', run!.id]);
    await eventually('abort a', () => countOf(project, 'abort a') > 0, 20_000);
    expect(cancel).toMatchObject({ code: 0, document: { runs: [{ id: run!.id, status: 'CANCELED' }] } });
    expect(countOf(project, 'abort b')).toBe(0);
    project.write({ go: '' });
    const { code, document } = await documentOf(executing);
    expect(statuses(document.runs)).toEqual(['a CANCELED', 'b SUCCESS']);
    // Somebody else did it: whoever waits for the key must hear of that.
    expect(code).toBe(1);
    expect(document.runs[0].error.message).toBe('it was canceled by hand (runs cancel)');
    expect((await runsOf(project, '--key', 'a'))[0]!.error).toEqual(document.runs[0].error);
    expect((await project.json(['status', 'waits'])).document.assets[0]).toMatchObject({
      materialized: 1,
      missing: 1,
    });
  });

  it('removes the key of a run: materialize says so and ends with 1', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a']);
    const executing = project.start(['materialize', 'waits', '--key', 'a']);
    await marked(project, 'start a');
    await project.dynpart(['partitions', 'remove', 'items', 'a']);
    const { code, stderr } = await executing.done;
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^canceled: run \S+ for a: its partition key was removed \(partitions remove\)\n1 run canceled in /,
    );
    // Of its assets, too.
    const [run] = await runsOf(project, '--limit', '1');
    const reasons = [run!.error, ...run!.assets.map(({ error }) => error)].map((error) => error!.message);
    expect(new Set(reasons)).toEqual(new Set(['its partition key was removed (partitions remove)']));
  });

  it('has the run in hand that is waited for: who is ended meanwhile names what is canceled', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a']);
    const executing = project.start(['materialize', 'waits', '--key', 'a']);
    await marked(project, 'start a');
    const waiting = project.start(['materialize', 'waits', '--key', 'a', '--verbose']);
    await waiting.saw('has asset "waits" for a in hand');
    waiting.process.kill('SIGTERM');
    const { code, stderr } = await waiting.done;
    const run = (await runsOf(project)).find(({ status }) => status === 'CANCELED');
    expect(code).toBe(143);
    expect(stderr).toContain(`1 run canceled (${run!.id} for a) in `);
    project.write({ go: '' });
    await executing.done;
  });

  it('was killed while it had runs in hand that were being canceled: whoever ends them names some', async () => {
    await using project = projectOf();
    const keys = ['a', 'b', 'c', 'd'];
    await project.dynpart(['partitions', 'add', 'items', ...keys]);
    const executing = project.start(['materialize', 'waits', '--all', '--concurrency', '4']);
    await Promise.all(keys.map((key) => marked(project, `start ${key}`)));
    executing.process.kill('SIGSTOP');
    const runs = await runsOf(project);
    await project.dynpart(['runs', 'cancel', '--status', 'STARTED']);
    executing.process.kill('SIGKILL');
    await executing.done;
    const { stderr } = await project.dynpart(['worker', '--once']);
    expect(stderr).toContain('4 runs canceled (');
    const [, named = ''] = /canceled \((.*)\)/.exec(stderr) ?? [];
    expect(named.split(', ')).toHaveLength(4);
    for (const one of named.split(', ').slice(0, 3))
      expect(runs.map(({ id, partitionKey }) => `${id} for ${partitionKey}`)).toContain(one);
    expect(named.endsWith(', …')).toBe(true);
  });

  it('removes a key whose run is executed elsewhere: it is aborted, and counts for nothing when the key is back', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'a', 'b']);
    const executing = project.start(['materialize', 'deaf', '--all', '--json']);
    await Promise.all([marked(project, 'start a'), marked(project, 'start b')]);
    await project.dynpart(['partitions', 'remove', 'items', 'a']);
    await project.dynpart(['partitions', 'add', 'items', 'a']);
    await marked(project, 'told a');
    // It does not listen, and returns a value after all.
    project.write({ go: '' });
    const { document } = await documentOf(executing);
    expect(statuses(document.runs)).toEqual(['a CANCELED', 'b SUCCESS']);
    expect(statuses(await runsOf(project))).toEqual(['a CANCELED', 'b SUCCESS']);
    expect((await project.json(['status', 'deaf'])).document.assets[0]).toMatchObject({
      total: 2,
      materialized: 1,
      missing: 1,
      failed: 0,
    });
    expect((await project.json(['materialize', 'deaf', '--missing', '--dry-run'])).document.runs).toEqual([
      expect.objectContaining({ partitionKey: 'a' }),
    ]);
    await expectIntact(project);
  });

  it('shares the concurrency: both together never execute more than it allows', async () => {
    await using project = projectOf();
    const keys = Array.from({ length: 12 }, (_, at) => [`a/${at}`, `b/${at}`]).flat();
    await project.dynpart(['partitions', 'add', 'items', ...keys]);
    const both = await Promise.all(
      ['a/', 'b/'].map((prefix) => project.json(['materialize', 'short', '--all', '--prefix', prefix])),
    );
    for (const { code, document } of both) {
      expect(code).toBe(0);
      expect(document.summary).toMatchObject({ total: 12, succeeded: 12 });
    }
    expect(marks(project)).toHaveLength(48);
    expect(mostAtOnce(marks(project))).toBeLessThanOrEqual(3);
    expect(mostAtOnce(marks(project))).toBeGreaterThan(1);
  });

  it('asked for the same keys waits: no asset and key is executed twice at the same time', async () => {
    await using project = projectOf();
    const keys = ['k1', 'k2', 'k3'];
    await project.dynpart(['partitions', 'add', 'items', ...keys]);
    const results = await Promise.all(
      [keys, keys.toReversed(), keys].map((chosen) =>
        project.json(['materialize', 'short', ...chosen.flatMap((key) => ['--key', key])]),
      ),
    );
    for (const { code, document } of results) {
      expect(code).toBe(0);
      expect(document.error).toBeUndefined();
    }
    for (const key of keys) {
      const own = marks(project).filter((line) => line.endsWith(` ${key}`));
      expect(own.length).toBeGreaterThan(1);
      expect(own).toEqual(own.map((_, at) => `${at % 2 === 0 ? 'start' : 'stop'} ${key}`));
    }
    await expectIntact(project);
  });

  it('with materialize --key waits for a live run and then executes its own', async () => {
    await using project = projectOf();
    await project.dynpart(['partitions', 'add', 'items', 'k']);
    const first = project.start(['materialize', 'waits', '--key', 'k', '--json']);
    await marked(project, 'start k');
    const leaving = await project.json(['materialize', 'waits', '--missing']);
    expect(leaving).toMatchObject({ code: 0, document: { runs: [], summary: { total: 0, leftOut: 1 } } });
    const second = project.start(['materialize', 'waits', '--key', 'k', '--json']);
    await eventually('the second run is in the state', async () => (await runsOf(project)).length === 2);
    expect(countOf(project, 'start k')).toBe(1);
    project.write({ go: '' });
    const [one, two] = [await documentOf(first), await documentOf(second)];
    expect(statuses(one.document.runs)).toEqual(['k SUCCESS']);
    expect(statuses(two.document.runs)).toEqual(['k SUCCESS']);
    expect(marks(project)).toEqual(['start k', 'stop k', 'start k', 'stop k']);
  });

  it('finds the sensor busy: it leaves, fails or waits, as it was told', async () => {
    await using project = projectOf();
    const first = project.start(['sensor', 'tick', 'slow', '--json']);
    await marked(project, 'evaluating');
    const holder = {
      pid: first.process.pid,
      host: expect.any(String) as string,
      since: expect.any(String) as string,
    };
    const tick = (...flags: string[]) => project.json(['sensor', 'tick', 'slow', ...flags]);
    const busy = {
      ticks: [{ sensor: 'slow', status: 'BUSY', busy: holder, runs: [], partitions: [], error: null }],
    };
    const [skipped, failed, waited, silent, loud, listed] = await Promise.all([
      tick(),
      tick('--if-busy', 'fail'),
      tick('--if-busy', 'wait', '--wait-timeout', '0.3'),
      project.dynpart(['sensor', 'tick', 'slow']),
      project.dynpart(['sensor', 'tick', 'slow', '--if-busy', 'fail']),
      project.json(['sensor', 'list']),
    ]);
    expect(skipped).toMatchObject({ code: 0, document: busy });
    expect(failed).toMatchObject({ code: 4, document: busy });
    expect(waited).toMatchObject({ code: 4, document: busy });
    expect(silent).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(loud).toMatchObject({ code: 4, stdout: '' });
    expect(loud.stderr).toContain(String(first.process.pid));
    const seen = (listed.document.sensors as { sensor: string; evaluating: unknown }[]).map(
      ({ sensor, evaluating }) => [sensor, evaluating],
    );
    expect(Object.fromEntries(seen)).toMatchObject({ slow: holder, beat: null });
    expect(countOf(project, 'evaluating')).toBe(1);
    const patient = project.start(['sensor', 'tick', 'slow', '--if-busy', 'wait', '--json']);
    project.write({ answer: '' });
    expect(await documentOf(first)).toMatchObject({ code: 0, document: { ticks: [{ status: 'SUCCESS' }] } });
    expect(await documentOf(patient)).toMatchObject({
      code: 0,
      document: { ticks: [{ status: 'SKIPPED' }] },
    });
    expect(countOf(project, 'evaluating')).toBe(2);
  });

  it('sets the cursor during an evaluation: the operator wins and nothing of the tick is applied', async () => {
    await using project = projectOf();
    const tick = project.start(['sensor', 'tick', 'slow', '--json']);
    await marked(project, 'evaluating');
    await project.dynpart(['sensor', 'cursor', 'slow', '--set', 'mine']);
    project.write({ answer: '' });
    expect(await documentOf(tick)).toMatchObject({
      code: 0,
      document: { ticks: [{ status: 'BUSY', cursor: { before: 'mine', after: 'mine' }, partitions: [] }] },
    });
    expect((await project.json(['sensor', 'cursor', 'slow'])).document.cursor).toBe('mine');
    expect((await project.dynpart(['partitions', 'list', 'items', '--count'])).stdout).toBe('0\n');
  });
});

describe('a sensor that blocks', () => {
  it('a one-shot tick is told stuck by the next one, with its pid and exit 3', async () => {
    await using project = projectOf();
    const blocked = project.start(['sensor', 'tick', 'stuck', '--json']);
    await marked(project, 'stuck');
    expect(await project.json(['sensor', 'tick', 'stuck'])).toMatchObject({
      code: 0,
      document: { ticks: [{ status: 'BUSY' }] },
    });
    let next = await project.json(['sensor', 'tick', 'stuck']);
    await eventually('a tick that is not BUSY', async () => {
      next = await project.json(['sensor', 'tick', 'stuck']);
      return next.document.ticks[0].status !== 'BUSY';
    });
    expect(next).toMatchObject({
      code: 3,
      document: { ticks: [{ status: 'FAILURE', error: { code: 'sensor-stuck' } }] },
    });
    const { message, hint } = next.document.ticks[0].error as { message: string; hint: string };
    expect(`${message}\n${hint}`).toContain(`${blocked.process.pid}`);
    expect(hint).toContain('kill');
    project.write({ unstick: '' });
    expect(await documentOf(blocked)).toMatchObject({
      code: 3,
      document: { ticks: [{ status: 'FAILURE', error: { code: 'sensor-timeout' } }] },
    });
    expect((await project.dynpart(['partitions', 'list', 'items', '--count'])).stdout).toBe('0\n');
  });

  it('is ended at its timeout in a watch, while another one goes on ticking', async () => {
    await using project = projectOf();
    const watch = project.start(['sensor', 'watch', 'stuck', 'beat', '--json']);
    await marked(project, 'stuck');
    const before = countOf(project, 'beat');
    await watch.saw('sensor-timeout');
    expect(countOf(project, 'beat')).toBeGreaterThan(before);
    // It is tried again, in a thread of its own again.
    await marked(project, 'stuck', 2);
    await marked(project, 'beat', countOf(project, 'beat') + 1);
    watch.process.kill('SIGTERM');
    const { code, stdout } = await watch.done;
    expect(code).toBe(0);
    const ticks = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { tick?: { sensor: string; status: string } }).tick);
    expect(ticks).toContainEqual(expect.objectContaining({ sensor: 'stuck', status: 'FAILURE' }));
    expect((await project.dynpart(['partitions', 'list', 'items', '--count'])).stdout).toBe('0\n');
  });
});

describe('the concurrency of an asset', () => {
  it('holds for its own runs, also over two processes', async () => {
    await using project = projectOf();
    const keys = Array.from({ length: 6 }, (_, at) => [`a/${at}`, `b/${at}`]).flat();
    await project.dynpart(['partitions', 'add', 'items', ...keys]);
    const both = await Promise.all(
      ['a/', 'b/'].map((prefix) => project.json(['materialize', 'single', '--all', '--prefix', prefix])),
    );
    for (const { document } of both) expect(document.summary).toMatchObject({ total: 6, succeeded: 6 });
    expect(marks(project)).toHaveLength(24);
    expect(mostAtOnce(marks(project))).toBe(1);
  });
});
