/** The way back through the real command: copies while others work, copies in odd places, and restores under the feet of processes. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { binary, Project, type Running } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const here = (name) => new URL(name, import.meta.url);
const wait = async (name, signal) => {
  while (!fs.existsSync(here(name))) {
    if (signal.aborted) throw new Error('aborted');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const items = dynamicPartitions('items');
const first = asset({
  name: 'first',
  partitions: items,
  async materialize({ partitionKey, signal, run }) {
    fs.appendFileSync(here('launched.txt'), partitionKey + ' ' + run.id + '\\n');
    if (partitionKey.startsWith('slow')) await wait('finish', signal);
    return partitionKey;
  },
});
const second = asset({ name: 'second', partitions: items, inputs: { first }, materialize: ({ inputs }) => inputs.first + '!' });
const feed = sensor({
  name: 'feed',
  assets: [first],
  async evaluate({ partitions, cursor, signal }) {
    if (fs.existsSync(here('hold'))) {
      fs.writeFileSync(here('evaluating'), '');
      await wait('go-on', signal);
    }
    const listed = fs.readFileSync(here('feed.txt'), 'utf8').split('\\n').filter((line) => line !== '');
    const fresh = listed.slice(Number(cursor ?? 0));
    return {
      cursor: String(listed.length),
      dynamicPartitionsRequests: [items.buildAddRequest(await partitions(items).missing(fresh))],
      runRequests: fresh.map((key) => ({ partitionKey: key, runKey: key })),
    };
  },
});
export default definePipeline({ assets: [first, second], sensors: [feed] });
`;

class WayBackProject extends Project {
  constructor() {
    super({ 'pipeline.mjs': PIPELINE, 'feed.txt': '' });
  }

  /** A command that must succeed; its document. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
  async does(...args: string[]): Promise<any> {
    const { code, document, stderr } = await this.json(args);
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' });
    return document;
  }

  async keys(): Promise<string[]> {
    return (await this.does('partitions', 'list', 'items')).keys.map(
      ({ key }: { key: string }) => key,
    ) as string[];
  }

  async checks(): Promise<void> {
    expect(await this.does('state', 'check')).toMatchObject({ ok: true, problems: [] });
  }

  launched(): string[] {
    return this.exists('launched.txt') ? this.read('launched.txt').split('\n').slice(0, -1) : [];
  }

  kept(): string[] {
    return fs.readdirSync(this.path('.dynpart')).filter((name) => name.includes('before-restore'));
  }
}

/** Waits for a file, or for what writes it to end without. */
async function appears(project: Project, name: string, running: Running): Promise<void> {
  let ended = false;
  void running.done.then(() => (ended = true));
  while (!project.exists(name)) {
    if (ended) throw new Error(`it ended without writing ${name}: ${JSON.stringify(await running.done)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('state export', () => {
  it('is whole and one commit, however many others write meanwhile', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'k0');
    const writing = (async () => {
      for (let at = 1; at <= 12; at++) await project.does('partitions', 'add', 'items', `k${at}`);
    })();
    let serial = 0;
    for (let at = 0; at < 6; at++) {
      const written = await project.does('state', 'export', 'copy.json');
      const copy = JSON.parse(project.read('copy.json'));
      expect(copy).toMatchObject({ serial: written.serial, lineage: project.state().lineage });
      // One commit added one key each.
      expect(copy.sets.items.keys).toEqual(Array.from({ length: copy.serial }, (_, key) => `k${key}`));
      expect(written.serial).toBeGreaterThanOrEqual(serial);
      serial = written.serial as number;
    }
    await writing;
    await project.does('state', 'restore', 'copy.json');
    await project.checks();
  });

  it('takes the place of a file that is there, also behind a link, and refuses the place of the state itself', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'a');
    await project.does('state', 'export', 'copy.json');
    await project.does('state', 'export', 'real.json');
    await project.does('partitions', 'add', 'items', 'b');
    fs.symlinkSync('real.json', project.path('link.json'));
    for (const name of ['copy.json', 'link.json']) await project.does('state', 'export', name);
    expect(project.read('copy.json')).toBe(project.stateBytes());
    expect(project.read('real.json')).toBe(project.stateBytes());
    expect(fs.lstatSync(project.path('link.json')).isSymbolicLink()).toBe(true);

    fs.symlinkSync('.dynpart/state.json', project.path('sly.json'));
    const before = fs.statSync(project.path('.dynpart', 'state.json')).ino;
    for (const name of [
      '.dynpart/state.json',
      'sly.json',
      '.dynpart/.state.json.000000000001',
      '.dynpart/.state.json.000000000009',
    ]) {
      const { code, document } = await project.json(['state', 'export', name]);
      expect([name, code, document.error.code]).toEqual([name, 2, 'file-in-the-way']);
      expect(document.error.message).toContain(name);
    }
    expect(fs.statSync(project.path('.dynpart', 'state.json')).ino).toBe(before);
    expect(fs.readdirSync(project.path('.dynpart')).filter((name) => name.startsWith('.state'))).toHaveLength(
      2,
    );
    await project.does('state', 'export', '.dynpart/copy.json');
    await project.checks();

    const otherCopy = project.read('copy.json').replace(/"lineage":"[^"]*"/, '"lineage":"another"');
    project.write({ 'theirs.txt': 'theirs', 'other.json': otherCopy });
    fs.mkdirSync(project.path('folder'));
    for (const name of ['theirs.txt', 'other.json', 'folder']) {
      const { code, document } = await project.json(['state', 'export', name]);
      expect([name, code, document.error.code]).toEqual([name, 2, 'file-in-the-way']);
    }
    expect(project.read('theirs.txt')).toBe('theirs');
    expect(project.read('other.json')).toBe(otherCopy);
  });

  it('goes through pipes and devices, and leaves them what they are', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'a');
    execFileSync('mkfifo', [project.path('fifo')]);
    const read = fs.promises.readFile(project.path('fifo'), 'utf8');
    expect((await project.dynpart(['state', 'export', 'fifo'])).code).toBe(0);
    expect(await read).toBe(project.stateBytes());
    expect(fs.statSync(project.path('fifo')).isFIFO()).toBe(true);
    // Through a link of our own: were it renamed over, no more than that would be lost.
    fs.symlinkSync('/dev/stdout', project.path('out'));
    const command = `'${process.execPath}' '${binary}' state export out | cat`;
    expect(execFileSync('sh', ['-c', command], { cwd: project.folder, encoding: 'utf8' })).toBe(
      project.stateBytes(),
    );
    expect(fs.readlinkSync(project.path('out'))).toBe('/dev/stdout');
    expect((await project.dynpart(['state', 'export'])).stdout).toBe(project.stateBytes());
  });

  it('of a state that there never was is refused: no restore would take it', async () => {
    await using project = new WayBackProject();
    const { code, document } = await project.json(['state', 'export', 'copy.json']);
    expect([code, document.error.code]).toEqual([2, 'usage']);
    expect(fs.readdirSync(project.folder).toSorted()).toEqual(['feed.txt', 'pipeline.mjs']);
  });

  const asRoot = process.getuid?.() === 0;
  it.skipIf(asRoot)(
    `${asRoot ? 'SKIPPED as root, whom no permission stops: ' : ''}into a folder that may not be written to is named, and leaves nothing`,
    async () => {
      await using project = new WayBackProject();
      await project.does('partitions', 'add', 'items', 'a');
      fs.mkdirSync(project.path('locked'), { mode: 0o500 });
      const { code, document } = await project.json(['state', 'export', 'locked/copy.json']);
      expect([code, document.error.code]).toEqual([5, 'state-io']);
      expect(document.error.message).toContain(project.path('locked', 'copy.json'));
      expect(fs.readdirSync(project.path('locked'))).toEqual([]);
    },
  );
});

describe('state restore', () => {
  it('of a copy of another state says so, and is done', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'mine');
    await using other = new WayBackProject();
    await other.does('partitions', 'add', 'items', 'theirs');
    await other.does('state', 'export', project.path('theirs.json'));
    const { lineage } = project.state();
    const { code, stderr } = await project.dynpart(['state', 'restore', 'theirs.json']);
    expect(code).toBe(0);
    expect(stderr).toContain('is a copy of another state');
    expect(stderr).toContain(lineage);
    expect(project.state().lineage).toBe(other.state().lineage);
    expect(await project.keys()).toEqual(['theirs']);
    expect(project.kept()).toHaveLength(1);
    // And back again, from what was kept.
    await project.does('state', 'restore', project.path('.dynpart', project.kept()[0]!));
    expect(await project.keys()).toEqual(['mine']);
    expect(project.kept()).toHaveLength(2);
    await project.checks();
  });

  it('executes what was queued or started in the copy, and cancels what was being canceled there', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'a', 'b', 'c');
    await project.does('materialize', 'first', '--all', '--no-run');
    const copy = project.state();
    copy.executors = [
      {
        id: 'x',
        pid: 1,
        startTime: '1',
        bootId: 'b',
        pidNamespace: 'n',
        host: 'h',
        since: '2026-01-01T00:00:00.000Z',
        slots: 1,
        wants: 0,
      },
    ];
    Object.assign(copy.runs[0], {
      owner: 'x',
      ownedSince: 1,
      status: 'qsc',
      startedAt: { 2: '2026-01-01T00:00:00.000Z', 3: '2026-01-01T00:00:00.000Z' },
    });
    project.write({ 'copy.json': JSON.stringify(copy) });
    await project.does('state', 'restore', 'copy.json');
    await project.checks();
    const { runs } = await project.does('worker', '--once');
    expect(
      project
        .launched()
        .map((line) => line.split(' ')[0]!)
        .toSorted(),
    ).toEqual(['a', 'b']);
    expect(
      (await project.does('runs', 'list')).runs
        .map(({ partitionKey, status }: Record<string, string>) => `${partitionKey} ${status}`)
        .toSorted(),
    ).toEqual(['a SUCCESS', 'b SUCCESS', 'c CANCELED']);
    expect(runs).toHaveLength(3);
    await project.checks();
  });

  it('under a process that executes runs: a run of the copy goes on and counts, another one is canceled, and none runs twice', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'slow 1', 'slow 2');
    const one = project.start(['materialize', 'first', '--key', 'slow 1', '--json']);
    await appears(project, 'launched.txt', one);
    await project.does('state', 'export', 'copy.json');
    const two = project.start(['materialize', 'first', '--key', 'slow 2', '--json']);
    while (project.launched().length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await project.does('state', 'restore', 'copy.json');
    await project.checks();
    // It is aborted, although it would never end by itself.
    expect(JSON.parse((await two.done).stdout).runs).toMatchObject([
      { partitionKey: 'slow 2', status: 'CANCELED' },
    ]);
    // Nobody takes the other one from its process.
    await project.does('worker', '--once');
    project.write({ finish: '' });
    expect(JSON.parse((await one.done).stdout).runs).toMatchObject([
      { partitionKey: 'slow 1', status: 'SUCCESS' },
    ]);
    expect(project.launched()).toHaveLength(2);
    expect(project.state()).toMatchObject({
      runs: [],
      executors: [],
      assets: { first: { status: expect.stringMatching(/^m\.?$/) } },
    });
    await project.checks();
  });

  it('while a sensor is being evaluated makes its tick busy: nothing of it lands, and the next one finds everything', async () => {
    await using project = new WayBackProject();
    project.write({ 'feed.txt': 'a\n' });
    await project.does('sensor', 'tick');
    await project.does('state', 'export', 'copy.json');
    project.write({ 'feed.txt': 'a\nb\n', hold: '' });
    const tick = project.start(['sensor', 'tick', '--json']);
    await appears(project, 'evaluating', tick);
    // Back to the very state that the evaluation began with: also then it has to be asked again.
    await project.does('state', 'restore', 'copy.json');
    project.write({ 'go-on': '' });
    const { ticks } = JSON.parse((await tick.done).stdout);
    expect(ticks).toMatchObject([{ status: 'BUSY' }]);
    expect(await project.keys()).toEqual(['a']);
    expect((await project.does('sensor', 'tick')).ticks).toMatchObject([{ status: 'SUCCESS' }]);
    expect(await project.keys()).toEqual(['a', 'b']);
    expect(project.launched()).toHaveLength(2);
    await project.checks();
  });

  it('to a copy whose values are gone: the run that needs one names it, stays, and goes on when it is made again', async () => {
    await using project = new WayBackProject();
    await project.does('partitions', 'add', 'items', 'a');
    await project.does('materialize', 'first', '--key', 'a');
    await project.does('state', 'export', 'copy.json');
    await project.does('partitions', 'remove', 'items', 'a', '--purge');
    await project.does('state', 'restore', 'copy.json');
    await project.checks();
    const { code, document } = await project.json(['materialize', 'second', '--key', 'a']);
    expect([code, document.error.code]).toEqual([5, 'value-damaged']);
    expect(document.error.message).toContain(project.path('.dynpart', 'values', 'first', 'a'));
    await project.does('materialize', 'first', '--key', 'a');
    await project.does('sensor', 'tick');
    expect((await project.does('status', 'second')).assets[0]).toMatchObject({ materialized: 1 });
  });
});

/** Ends the process right before a call that changes a name beside the state; the n-th of them. */
const KILL = `const fs = require('node:fs');
let left = Number(process.env.KILL_AT);
for (const name of ['linkSync', 'renameSync', 'fsyncSync', 'unlinkSync', 'openSync']) {
  const real = fs[name];
  fs[name] = (...args) => {
    const counts = name === 'fsyncSync' || (String(args[0]).includes('state.json') && (name !== 'openSync' || args[1] === 'wx'));
    if (counts && left-- === 0) process.kill(process.pid, 'SIGKILL');
    return real(...args);
  };
}
`;

it.each(['FILE', '--last'])(
  'state restore %s that is killed at any step leaves the old state or the restored one',
  { timeout: 300_000 },
  async (how) => {
    await using project = new WayBackProject();
    project.write({ 'kill.cjs': KILL });
    await project.does('partitions', 'add', 'items', 'a');
    await project.does('state', 'export', 'copy.json');
    await project.does('partitions', 'add', 'items', 'b');
    const damage = (): void => {
      fs.rmSync(project.path('.dynpart', 'state.json'));
      project.write({ '.dynpart/state.json': 'damaged' });
    };
    fs.cpSync(project.path('.dynpart'), project.path('start'), { recursive: true });
    const restored = how === 'FILE' ? ['a'] : ['a', 'b'];
    let kills = 0;
    // Both take the same steps: every second one of the second, for the time that it takes.
    for (let at = 0; ; at += how === 'FILE' ? 1 : 2) {
      fs.rmSync(project.path('.dynpart'), { recursive: true });
      fs.cpSync(project.path('start'), project.path('.dynpart'), { recursive: true });
      if (how === '--last') damage();
      const args = ['state', 'restore', how === 'FILE' ? 'copy.json' : how];
      const { code, signal } = await project.dynpart(args, {
        env: { NODE_OPTIONS: `--require ${project.path('kill.cjs')}`, KILL_AT: String(at) },
      });
      if (signal === null) {
        expect(code).toBe(0);
        break;
      }
      kills++;
      const { code: readable, document } = await project.json(['partitions', 'list', 'items']);
      if (how === 'FILE' || readable === 0)
        expect([at, ['a', 'a b']]).toEqual([
          at,
          expect.arrayContaining([document.keys.map(({ key }: { key: string }) => key).join(' ')]),
        ]);
      else expect([at, document.error.code]).toEqual([at, 'state-not-json']);
      // Whatever was kept is whole: what was there.
      for (const name of project.kept())
        expect(project.read('.dynpart', name)).toBe(
          how === 'FILE' ? project.read('start', 'state.json') : 'damaged',
        );
      await project.does('state', 'restore', ...args.slice(2));
      expect([at, await project.keys()]).toEqual([at, restored]);
    }
    await project.checks();
    expect(kills).toBeGreaterThan(how === 'FILE' ? 8 : 4);
  },
);

describe('the way back that is printed', () => {
  it('can be pasted into a shell, whatever the path of the state is', async () => {
    await using project = new WayBackProject();
    const folder = project.path(`a b'c"$(x)\n%s\\ -d`);
    const state = path.join(folder, 'state.json');
    fs.mkdirSync(project.path('bin'));
    fs.symlinkSync(binary, project.path('bin', 'dynpart'));
    await project.does('--state', state, 'partitions', 'add', 'items', 'a');
    await project.does('--state', state, 'partitions', 'add', 'items', 'b');
    // Its newest generation is the same file as long as nobody puts another one in its place.
    fs.rmSync(state);
    fs.writeFileSync(state, '');
    const { document } = await project.json(['--state', state, 'partitions', 'list', 'items']);
    const command = /generation: (dynpart .*); to take/s.exec(document.error.hint)![1]!;
    execFileSync('sh', ['-c', command], {
      cwd: project.folder,
      stdio: 'pipe',
      env: { PATH: `${project.path('bin')}:${process.env['PATH']}`, HOME: project.folder },
    });
    expect((await project.does('--state', state, 'partitions', 'list', 'items')).total).toBe(2);
  });
});
