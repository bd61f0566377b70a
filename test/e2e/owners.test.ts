/** Who owns a run or a claim, seen through the real binary: a live owner is never robbed, a dead one's work is taken up. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { describe, expect, it } from 'vitest';
import { ByHandHere } from '../support/in-process.ts';
import type { Project, RunOptions, Running } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const here = (name: string) => new URL(name, import.meta.url);
const mark = (line: string) => fs.appendFileSync(here('marks.txt'), line + '\\n');
const go = process.env.GO ?? 'go';
const until = async (name: string, signal?: AbortSignal) => {
  while (!fs.existsSync(here(name))) await sleep(10, undefined, signal === undefined ? {} : { signal });
};
const set = (ms: number) => (globalThis as { setClock?: (ms: number) => void }).setClock?.(ms);
const waits = asset({
  name: 'waits',
  partitions: items,
  async materialize({ partitionKey, signal }) {
    mark('start ' + partitionKey);
    try {
      await until(go, signal);
    } catch (error) {
      mark('abort ' + partitionKey);
      throw error;
    }
    mark('stop ' + partitionKey);
    return partitionKey;
  },
});
const short = asset({
  name: 'short',
  partitions: items,
  async materialize({ partitionKey }) {
    mark('start ' + partitionKey);
    await sleep(40);
    mark('stop ' + partitionKey + ' in ' + process.pid + ' of ' + os.hostname());
    return partitionKey;
  },
});
const poison = asset({
  name: 'poison',
  partitions: items,
  async materialize({ partitionKey }) {
    mark('start ' + partitionKey);
    await sleep(30);
    if (partitionKey === 'deadly') process.kill(process.pid, 'SIGKILL');
    await sleep(30);
    mark('stop ' + partitionKey);
  },
});
const jumpy = asset({
  name: 'jumpy',
  partitions: items,
  async materialize({ partitionKey, signal }) {
    if (partitionKey === 'jumps') return set(Number(process.env.JUMP));
    mark('start ' + partitionKey);
    await until(go, signal);
  },
});
const feed = () => (fs.existsSync(here('feed.txt')) ? fs.readFileSync(here('feed.txt'), 'utf8').split(' ') : []);
const requesting = (name: string, target: typeof waits) =>
  sensor({
    name,
    assets: [target],
    minimumIntervalSeconds: 600,
    defaultStatus: 'stopped',
    async evaluate({ partitions }) {
      const fresh = await partitions(items).missing(feed());
      return {
        dynamicPartitionsRequests: [items.buildAddRequest(fresh)],
        runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
      };
    },
  });
const slow = sensor({
  name: 'slow',
  defaultStatus: 'stopped',
  timeoutSeconds: 30,
  async evaluate({ signal }) {
    mark('evaluating');
    await until(go, signal);
    return { cursor: 'theirs', dynamicPartitionsRequests: [items.buildAddRequest(['from-slow'])] };
  },
});
const jumps = sensor({
  name: 'jumps',
  defaultStatus: 'stopped',
  timeoutSeconds: 30,
  evaluate() {
    set(Number(process.env.JUMP));
    return { cursor: process.env.JUMP, dynamicPartitionsRequests: [items.buildAddRequest(['from-jumps'])] };
  },
});
export default definePipeline({
  assets: [waits, short, poison, jumpy],
  sensors: [requesting('feed', waits), requesting('poisoned', poison as never), slow, jumps],
  concurrency: 3,
});
`;

/** Loaded before dynpart: its clock is \`SET\` milliseconds ahead, and user code can set it while it runs. */
const CLOCK = `const Real = Date;
let ahead = Number(process.env.SET ?? 0);
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + ahead);
    else super(...given);
  }
  static now() {
    return Real.now() + ahead;
  }
};
globalThis.setClock = (ms) => (ahead = ms);
`;

const HOUR = 3_600_000;
const JUMPS = [
  ['forward', HOUR],
  ['back', -HOUR],
] as const;

function projectOf(keys = ''): Project {
  return new ByHandHere({ 'pipeline.ts': PIPELINE, 'clock.cjs': CLOCK, 'feed.txt': keys });
}

/** With a clock that is so far ahead. */
function ahead(project: Project, ms: number, env: Readonly<Record<string, string>> = {}): RunOptions {
  return { env: { ...env, SET: String(ms), NODE_OPTIONS: `--require=${project.path('clock.cjs')}` } };
}

function marks(project: Project): string[] {
  return project.exists('marks.txt') ? project.read('marks.txt').split('\n').slice(0, -1) : [];
}

const countOf = (project: Project, mark: string): number =>
  marks(project).filter((line) => line === mark).length;

async function eventually(what: string, isSo: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  for (const until = Date.now() + ms; !(await isSo());) {
    if (Date.now() > until) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

const marked = (project: Project, mark: string, times = 1): Promise<void> =>
  eventually(`${times} × ${mark}`, () => countOf(project, mark) >= times);

interface RunRow {
  readonly id: string;
  readonly partitionKey: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

async function runsOf(project: Project): Promise<RunRow[]> {
  return (await project.json(['runs', 'list', '--limit', '1000'])).document.runs as RunRow[];
}

const statuses = (runs: readonly RunRow[]): string[] =>
  runs.map(({ partitionKey, status }) => `${partitionKey} ${status}`).toSorted();

/** The runs that a tick of `feed` resumed. */
async function resumed(project: Project, options: RunOptions = {}): Promise<string[]> {
  const { code, document, stderr } = await project.json(['sensor', 'tick', 'feed'], options);
  expect(code, stderr).toBe(0);
  return statuses(document.resumed);
}

async function expectIntact(project: Project): Promise<void> {
  expect(await project.json(['state', 'check'])).toMatchObject({ code: 0, document: { ok: true } });
}

/** How often each run stands in the history. */
function recordsOf(project: Project): string[] {
  return project
    .read('.dynpart', 'history', 'runs.000001.jsonl')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as RunRow)
    .map(({ partitionKey, status }) => `${partitionKey} ${status}`);
}

/** Says something else of the one executor that stands in the state. */
function editExecutor(project: Project, change: Readonly<Record<string, unknown>>): void {
  const state = project.state();
  expect(state.executors).toHaveLength(1);
  Object.assign(state.executors[0], change);
  project.write({ '.dynpart/state.json': `${JSON.stringify(state)}\n` });
}

function editClaim(project: Project, sensor: string, change: Readonly<Record<string, unknown>>): void {
  const file = `.dynpart/claims/${sensor}.json`;
  project.write({ [file]: JSON.stringify({ ...JSON.parse(project.read(file)), ...change }) });
}

/** The last sign of life of everybody in a folder was given so long ago. */
function silentFor(project: Project, folder: 'executors' | 'claims', ms: number): void {
  for (const name of fs.readdirSync(project.path('.dynpart', folder))) {
    const then = new Date(Date.now() - ms);
    fs.utimesSync(project.path('.dynpart', folder, name), then, then);
  }
}

const ANOTHER_BOOT = '00000000-0000-4000-8000-000000000000';

/** It shares the folder over a network. */
const ELSEWHERE = { host: 'elsewhere', bootId: ANOTHER_BOOT, disk: null };

/** A tick that was killed while it executed `a`. */
async function killedInTheMiddle(): Promise<Project> {
  const project = projectOf('a');
  const tick = project.start(['sensor', 'tick', 'feed']);
  await marked(project, 'start a');
  tick.process.kill('SIGKILL');
  await tick.done;
  return project;
}

/** A tick that was killed while it evaluated `slow`. */
async function killedWhileEvaluating(): Promise<Project> {
  const project = projectOf();
  const tick = project.start(['sensor', 'tick', 'slow']);
  await marked(project, 'evaluating');
  tick.process.kill('SIGKILL');
  await tick.done;
  return project;
}

describe('a process whose pid is another one’s by now', () => {
  it('is dead: its runs are taken up', async () => {
    await using project = await killedInTheMiddle();
    // The pid of these tests, which live; the start time of the one that was killed.
    editExecutor(project, { pid: process.pid });
    project.write({ go: '' });
    expect(await resumed(project)).toEqual(['a SUCCESS']);
    await expectIntact(project);
  });

  it('is dead: its sensor is free', async () => {
    await using project = await killedWhileEvaluating();
    editClaim(project, 'slow', { pid: process.pid });
    project.write({ go: '' });
    const { document } = await project.json(['sensor', 'tick', 'slow']);
    expect(document.ticks).toMatchObject([{ status: 'SUCCESS', cursor: { after: 'theirs' } }]);
  });
});

/** Whether temporary files are on a disk that only one machine can have: then owners say so. */
const disk = fs.statfsSync(os.tmpdir()).type;
const isLocal = [0xef53, 0x58465342, 0x9123683e].includes(disk);
const why = isLocal ? '' : ` (skipped: ${os.tmpdir()} is on a file system of kind ${disk.toString(16)})`;

describe.skipIf(!isLocal)(`a process from before the last start of the machine${why}`, () => {
  it('is dead at once: its run is taken up, however fresh its last sign', async () => {
    await using project = await killedInTheMiddle();
    // Its pid and its start time may even be those of somebody who lives.
    editExecutor(project, { bootId: ANOTHER_BOOT, pid: process.pid });
    project.write({ go: '' });
    expect(await resumed(project)).toEqual(['a SUCCESS']);
    await expectIntact(project);
  });

  it('is dead at once: its sensor is free', async () => {
    await using project = await killedWhileEvaluating();
    editClaim(project, 'slow', { bootId: ANOTHER_BOOT });
    project.write({ go: '' });
    const { document } = await project.json(['sensor', 'tick', 'slow']);
    expect(document.ticks).toMatchObject([{ status: 'SUCCESS' }]);
  });
});

describe('a process of which an older version says nothing about the disk', () => {
  it('is waited for when its boot is another one', async () => {
    await using project = await killedInTheMiddle();
    editExecutor(project, { bootId: ANOTHER_BOOT, disk: undefined, steady: undefined });
    project.write({ go: '' });
    expect(await resumed(project)).toEqual([]);
    silentFor(project, 'executors', 5.1 * 60_000);
    expect(await resumed(project)).toEqual(['a SUCCESS']);
  });
});

describe('a process on another host', () => {
  it('keeps its run while it shows itself, and loses it after five minutes of silence', async () => {
    await using project = await killedInTheMiddle();
    editExecutor(project, ELSEWHERE);
    project.write({ go: '' });
    silentFor(project, 'executors', 4.8 * 60_000);
    expect(await resumed(project)).toEqual([]);
    expect((await project.json(['worker', '--once'])).document.runs).toEqual([]);
    silentFor(project, 'executors', 5.1 * 60_000);
    expect(await resumed(project)).toEqual(['a SUCCESS']);
    expect(countOf(project, 'start a')).toBe(2);
    expect(project.state().executors).toEqual([]);
    await expectIntact(project);
  });

  it('loses its run sooner when an operator says so', async () => {
    await using project = await killedInTheMiddle();
    editExecutor(project, ELSEWHERE);
    project.write({ go: '' });
    const [run] = await runsOf(project);
    expect(await project.json(['runs', 'release', run!.id])).toMatchObject({
      code: 0,
      document: { runs: [{ status: 'QUEUED' }] },
    });
    expect(await resumed(project)).toEqual(['a SUCCESS']);
    await expectIntact(project);
  });

  it('keeps a sensor while it shows itself, and loses it after five minutes of silence', async () => {
    await using project = await killedWhileEvaluating();
    editClaim(project, 'slow', { ...ELSEWHERE, since: new Date().toISOString() });
    project.write({ go: '' });
    const tick = async () => (await project.json(['sensor', 'tick', 'slow'])).document.ticks[0];
    expect(await tick()).toMatchObject({ status: 'BUSY', busy: { host: 'elsewhere' } });
    silentFor(project, 'claims', 4.8 * 60_000);
    expect(await tick()).toMatchObject({ status: 'BUSY' });
    silentFor(project, 'claims', 5.1 * 60_000);
    expect(await tick()).toMatchObject({ status: 'SUCCESS', cursor: { after: 'theirs' } });
    expect(fs.readdirSync(project.path('.dynpart', 'claims'))).toEqual([]);
  });
});

/** A container, as far as this matters: its first process has pid 1 and a host name of its own. */
function inContainer(host: string): readonly string[] {
  const set = 'hostname "$0" && exec "$@"';
  return ['unshare', '--pid', '--uts', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', set, host];
}

const refusal = ((): string | null => {
  const tried = spawnSync('unshare', [...inContainer('probe').slice(1), 'true'], { encoding: 'utf8' });
  if (tried.status === 0) return null;
  return tried.error === undefined ? `unshare is refused: ${tried.stderr.trim()}` : 'there is no unshare';
})();

/** The process with pid 1 of a container, as it is called out here. */
function firstIn({ process: { pid } }: Running): number {
  return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

describe.skipIf(refusal !== null)(
  `two containers whose first processes are both pid 1${refusal === null ? '' : ` (skipped: ${refusal})`}`,
  () => {
    it('see that the other lives, however long its run takes', async () => {
      await using project = projectOf('a');
      const one = project.start(['sensor', 'tick', 'feed', '--json'], { within: inContainer('one') });
      await marked(project, 'start a');
      expect(project.state().executors).toMatchObject([{ pid: 1, host: 'one' }]);
      expect(await resumed(project, { within: inContainer('two') })).toEqual([]);
      expect(await resumed(project)).toEqual([]);
      project.write({ go: '' });
      expect((await one.done).code).toBe(0);
      expect(marks(project)).toEqual(['start a', 'stop a']);
      expect(recordsOf(project)).toEqual(['a SUCCESS']);
      await expectIntact(project);
    });

    it('find a sensor busy that the other evaluates', async () => {
      await using project = projectOf();
      const one = project.start(['sensor', 'tick', 'slow', '--json'], { within: inContainer('one') });
      await marked(project, 'evaluating');
      const two = await project.json(['sensor', 'tick', 'slow'], { within: inContainer('two') });
      expect(two.document.ticks).toMatchObject([{ status: 'BUSY', busy: { pid: 1, host: 'one' } }]);
      project.write({ go: '' });
      expect((await one.done).code).toBe(0);
      expect(countOf(project, 'evaluating')).toBe(1);
    });

    it('share the work on one state: each run once, none lost, nothing left behind', async () => {
      await using project = projectOf();
      const keys = Array.from({ length: 24 }, (_, at) => `k${at}`);
      await project.dynpart(['partitions', 'add', 'items', ...keys]);
      await project.dynpart(['materialize', 'short', '--all', '--no-run']);
      const hosts = ['one', 'two'];
      const workers = await Promise.all(
        hosts.map((host) => project.json(['worker', '--once'], { within: inContainer(host) })),
      );
      expect(workers.map(({ code, stderr }) => [code, stderr])).toEqual([
        [0, ''],
        [0, ''],
      ]);
      expect(
        marks(project)
          .filter((line) => line.startsWith('start'))
          .toSorted(),
      ).toEqual(keys.map((key) => `start ${key}`).toSorted());
      expect(recordsOf(project).toSorted()).toEqual(keys.map((key) => `${key} SUCCESS`).toSorted());
      for (const line of marks(project).filter((line) => line.startsWith('stop')))
        expect(line).toMatch(/ in 1 of (one|two)$/);
      expect(project.state()).toMatchObject({ executors: [], runs: [] });
      expect(fs.readdirSync(project.path('.dynpart', 'executors'))).toEqual([]);
      await expectIntact(project);
    });

    it('commit at once under the same pids: every key is there, no temporary file is left', async () => {
      await using project = projectOf();
      const commands = `for n in 1 2 3; do "$0" "$1" partitions add items "$2-$n" & done; wait`;
      const add = (host: string): Promise<number | null> =>
        project
          .start([host], { within: [...inContainer(host), 'sh', '-c', commands] })
          .done.then(({ code }) => code);
      expect(await Promise.all([add('one'), add('two')])).toEqual([0, 0]);
      const { document } = await project.json(['partitions', 'list', 'items']);
      expect(document.keys.map(({ key }: { key: string }) => key).toSorted()).toEqual(
        ['one', 'two'].flatMap((host) => [1, 2, 3].map((n) => `${host}-${n}`)),
      );
      expect(fs.readdirSync(project.path('.dynpart')).filter((name) => name.includes('tmp'))).toEqual([]);
      await expectIntact(project);
    });

    it('one that was paused for so long that it was robbed says so, and records nothing twice', async () => {
      await using project = projectOf('a');
      const one = project.start(['sensor', 'tick', 'feed', '--json'], {
        within: inContainer('one'),
        env: { GO: 'go-one' },
      });
      await marked(project, 'start a');
      const first = firstIn(one);
      process.kill(first, 'SIGSTOP');
      silentFor(project, 'executors', 5.1 * 60_000);
      project.write({ go: '' });
      expect(await resumed(project, { within: inContainer('two') })).toEqual(['a SUCCESS']);
      const after = project.stateBytes();
      process.kill(first, 'SIGCONT');
      const { code, stdout } = await one.done;
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'runs-lost' } });
      expect(marks(project)).toEqual(['start a', 'start a', 'stop a', 'abort a']);
      expect(recordsOf(project)).toEqual(['a SUCCESS']);
      expect(project.stateBytes()).toBe(after);
      await expectIntact(project);
    });

    it('one that was paused for so long begins nothing that others have taken up, and what it ends does not count', async () => {
      await using project = projectOf('a b');
      const one = project.start(['sensor', 'tick', 'feed', '--json', '--concurrency', '1'], {
        within: inContainer('one'),
        env: { GO: 'go-one' },
      });
      await marked(project, 'start a');
      const first = firstIn(one);
      process.kill(first, 'SIGSTOP');
      silentFor(project, 'executors', 5.1 * 60_000);
      project.write({ go: '' });
      // Interrupted once, it is executed alone and after the other one.
      expect(await resumed(project, { within: inContainer('two') })).toEqual(['a SUCCESS', 'b SUCCESS']);
      // As long as it is away at the least: from one look at the state to the next. Five minutes are longer.
      await new Promise((resolve) => setTimeout(resolve, 600));
      project.write({ 'go-one': '' });
      process.kill(first, 'SIGCONT');
      expect((await one.done).code).toBe(1);
      expect(marks(project)).toEqual(['start a', 'start b', 'stop b', 'start a', 'stop a', 'stop a']);
      expect(recordsOf(project).toSorted()).toEqual(['a SUCCESS', 'b SUCCESS']);
      await expectIntact(project);
    });

    it('one that was paused for so long ends a run that another one executes by now: only the other’s end counts', async () => {
      await using project = projectOf('a');
      const start = (host: string) =>
        project.start(['sensor', 'tick', 'feed', '--json'], {
          within: inContainer(host),
          env: { GO: `go-${host}` },
        });
      const one = start('one');
      await marked(project, 'start a');
      const first = firstIn(one);
      process.kill(first, 'SIGSTOP');
      silentFor(project, 'executors', 5.1 * 60_000);
      const two = start('two');
      await marked(project, 'start a', 2);
      project.write({ 'go-one': '' });
      process.kill(first, 'SIGCONT');
      expect((await one.done).code).toBe(1);
      expect(project.exists('.dynpart', 'history', 'runs.000001.jsonl')).toBe(false);
      expect((await runsOf(project))[0]?.status).toMatch(/^(QUEUED|STARTED)$/);
      project.write({ 'go-two': '' });
      expect((await two.done).code).toBe(0);
      expect(recordsOf(project)).toEqual(['a SUCCESS']);
      await expectIntact(project);
    });

    it.each(JUMPS)('are not taken for dead by one whose clock was set %s by an hour', async (_, jump) => {
      await using project = projectOf('a');
      const one = project.start(['sensor', 'tick', 'feed', '--json'], { within: inContainer('one') });
      await marked(project, 'start a');
      const sensing = project.start(['sensor', 'tick', 'slow', '--json'], { within: inContainer('three') });
      await marked(project, 'evaluating');
      const set = { ...ahead(project, jump), within: inContainer('two') };
      expect(await resumed(project, set)).toEqual([]);
      const busy = await project.json(['sensor', 'tick', 'slow'], set);
      expect(busy).toMatchObject({ code: 0, document: { ticks: [{ status: 'BUSY' }] } });
      project.write({ go: '' });
      expect((await one.done).code).toBe(0);
      expect((await sensing.done).code).toBe(0);
      expect(marks(project).filter((line) => line === 'start a' || line === 'evaluating')).toHaveLength(2);
      await expectIntact(project);
    });

    it.each(JUMPS)(
      'that died are taken for dead also when the clock was set %s by an hour',
      async (_, jump) => {
        await using project = projectOf('a');
        const one = project.start(['sensor', 'tick', 'feed'], { within: inContainer('one') });
        await marked(project, 'start a');
        one.process.kill('SIGKILL');
        await one.done;
        project.write({ go: '' });
        const set = { ...ahead(project, jump), within: inContainer('two') };
        expect(await resumed(project, set)).toEqual([]);
        silentFor(project, 'executors', 5.1 * 60_000);
        expect(await resumed(project, set)).toEqual(['a SUCCESS']);
      },
    );

    it('one that was killed is dead, also where /proc is not its own and its pid is another process there', async () => {
      await using project = projectOf('a');
      const script = `echo $((OUTSIDE - 1)) > /proc/sys/kernel/ns_last_pid
"$0" "$1" sensor tick feed & pid=$!; test $pid = $OUTSIDE || exit 99
until grep -q 'start a' marks.txt 2>/dev/null; do sleep 0.02; done
kill -9 $pid; wait $pid 2>/dev/null
touch go; exec "$0" "$1" sensor tick feed --json`;
      const { code, stdout } = await project.dynpart([], {
        within: ['unshare', '--pid', '--fork', '--kill-child', 'sh', '-c', script],
        // These tests live, and out here they have that pid.
        env: { OUTSIDE: String(process.pid) },
      });
      expect(code).toBe(0);
      expect(statuses(JSON.parse(stdout).resumed)).toEqual(['a SUCCESS']);
    });

    it('one whose pid the system gave to another process is dead', async () => {
      await using project = projectOf('a');
      const script = `"$0" "$1" sensor tick feed & pid=$!
until grep -q 'start a' marks.txt 2>/dev/null; do sleep 0.02; done
kill -9 $pid; wait $pid 2>/dev/null
echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid; sleep 30 & echo "reused $pid $!" >&2
touch go; exec "$0" "$1" sensor tick feed --json`;
      const { code, stdout, stderr } = await project.dynpart([], {
        within: [...inContainer('one'), 'sh', '-c', script],
      });
      const [, before, now] = /reused (\d+) (\d+)/.exec(stderr) ?? [];
      expect(now, stderr).toBe(before);
      expect(code).toBe(0);
      expect(statuses(JSON.parse(stdout).resumed)).toEqual(['a SUCCESS']);
    });
  },
);

describe('a clock that is set', () => {
  it('back by an hour between two ticks keeps no sensor from ticking, and its history has each tick once', async () => {
    await using project = projectOf('a');
    await project.dynpart(['sensor', 'start', 'feed']);
    project.write({ go: '' });
    const tick = async (options: RunOptions = {}): Promise<string[]> =>
      (await project.json(['sensor', 'tick', '--due'], options)).document.ticks.map(
        ({ status }: { status: string }) => status,
      );
    expect(await tick(ahead(project, HOUR))).toEqual(['SUCCESS']);
    expect(await tick()).toEqual(['SKIPPED']);
    // From here on the clock is the same, and the interval is what counts.
    expect(await tick()).toEqual([]);
    await project.dynpart(['sensor', 'tick', 'feed']);
    const { document } = await project.json(['sensor', 'history', 'feed']);
    expect(document.ticks.map(({ status }: { status: string }) => status)).toEqual([
      'SKIPPED',
      'SKIPPED',
      'SUCCESS',
    ]);
    await expectIntact(project);
  });

  it('forward by an hour between two ticks makes a sensor due, once', async () => {
    await using project = projectOf();
    await project.dynpart(['sensor', 'start', 'feed']);
    const due = async (options: RunOptions = {}): Promise<number> =>
      (await project.json(['sensor', 'tick', '--due'], options)).document.ticks.length;
    expect(await due()).toBe(1);
    expect(await due()).toBe(0);
    expect(await due(ahead(project, HOUR))).toBe(1);
    expect(await due(ahead(project, HOUR))).toBe(0);
  });

  it.each(JUMPS)('%s by an hour during an evaluation is no timeout', async (_, jump) => {
    await using project = projectOf();
    const { code, document } = await project.json(
      ['sensor', 'tick', 'jumps'],
      ahead(project, 0, { JUMP: String(jump) }),
    );
    expect(code).toBe(0);
    expect(document.ticks).toMatchObject([{ status: 'SUCCESS', cursor: { after: String(jump) } }]);
    await expectIntact(project);
  });

  it.each(JUMPS)(
    '%s by an hour while runs are executed delays no record and no cancellation',
    async (_, jump) => {
      await using project = projectOf();
      await project.dynpart(['partitions', 'add', 'items', 'long', 'jumps']);
      const command = project.start(
        ['materialize', 'jumpy', '--all', '--json'],
        ahead(project, 0, { JUMP: String(jump) }),
      );
      await marked(project, 'start long');
      const isDone = async (): Promise<boolean> => statuses(await runsOf(project)).includes('jumps SUCCESS');
      await eventually('the record of the run that ended', isDone);
      // Nobody takes the other one for abandoned.
      expect((await project.json(['worker', '--once'])).document.runs).toEqual([]);
      const long = (await runsOf(project)).find(({ partitionKey }) => partitionKey === 'long');
      expect(await project.json(['runs', 'cancel', long!.id])).toMatchObject({
        document: { runs: [{ status: 'CANCELED' }] },
      });
      await command.done;
      await expectIntact(project);
    },
  );
});

describe('a run that takes its process down each time', () => {
  it('is a FAILURE after three executions, and takes its neighbours with it only once', async () => {
    const healthy = ['n1', 'n2', 'n3', 'n4', 'n5'];
    await using project = projectOf(['n1', 'deadly', ...healthy.slice(1)].join(' '));
    const kills: string[][] = [];
    for (;;) {
      const { signal } = await project.dynpart(['sensor', 'tick', 'poisoned']);
      if (signal === null) break;
      expect(signal).toBe('SIGKILL');
      kills.push(marks(project));
      expect(kills.length).toBeLessThan(10);
    }
    expect(kills).toHaveLength(3);
    expect(countOf(project, 'start deadly')).toBe(3);
    // The second and the third time nobody else was being executed.
    for (const at of [1, 2]) {
      const since = kills[at]!.slice(kills[at - 1]!.length);
      const open = since.filter(
        (line) => line.startsWith('start') && !since.includes(line.replace('start', 'stop')),
      );
      expect(open).toEqual(['start deadly']);
      expect(since.at(-1)).toBe('start deadly');
    }
    // Nobody was begun more often than once for each process that died with it in its hands.
    for (const key of healthy) expect(countOf(project, `start ${key}`)).toBeLessThanOrEqual(2);
    const runs = await runsOf(project);
    expect(statuses(runs)).toEqual(['deadly FAILURE', ...healthy.map((key) => `${key} SUCCESS`)]);
    expect(runs.find(({ partitionKey }) => partitionKey === 'deadly')?.error?.code).toBe('interrupted');
    await project.dynpart(['sensor', 'tick', 'poisoned']);
    expect(countOf(project, 'start deadly')).toBe(3);
    await expectIntact(project);
  });

  it('and what had not begun counts for nothing, however often its process dies', async () => {
    await using project = projectOf('a b c d');
    for (let time = 1; time <= 4; time++) {
      const tick = project.start(['sensor', 'tick', 'feed', '--concurrency', '1']);
      await eventually(`start ${time}`, () => marks(project).length >= time);
      tick.process.kill('SIGKILL');
      await tick.done;
    }
    project.write({ go: '' });
    await project.dynpart(['sensor', 'tick', 'feed']);
    const runs = await runsOf(project);
    for (const { partitionKey, status } of runs) {
      const begun = countOf(project, `start ${partitionKey}`);
      expect([partitionKey, begun <= 3, status]).toEqual([partitionKey, true, 'SUCCESS']);
    }
    await expectIntact(project);
  });
});
