/** A run of two assets that stops after the first: through the real binary, stopped by a signal and killed. */
import { describe, expect, it } from 'vitest';
import { ByHandHere } from '../support/in-process.ts';
import type { Project } from '../support/project.ts';

/** `first` says when it is made; `second` waits until there is a file `go`. Stopped by a signal, `first` ends well in the grace. */
const PIPELINE = `import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const here = (name) => new URL(name, import.meta.url);
const mark = (line) => fs.appendFileSync(here('marks.txt'), line + '\\n');
const until = async (name, signal) => {
  while (!fs.existsSync(here(name))) await sleep(20, undefined, { signal });
};
const first = asset({
  name: 'first',
  partitions: items,
  async materialize({ partitionKey, signal }) {
    mark('first ' + partitionKey);
    // The signal comes while this asset is at work, and it comes to its end all the same.
    if (fs.existsSync(here('slow'))) await until('nowhere', signal).catch(() => undefined);
    return { of: partitionKey };
  },
});
const second = asset({
  name: 'second',
  partitions: items,
  inputs: { first },
  async materialize({ partitionKey, inputs, signal }) {
    mark('second ' + partitionKey);
    await until('go', signal);
    return 'second of ' + inputs.first.of;
  },
});
const source = sensor({
  name: 'source',
  assets: [first, second],
  evaluate: ({ cursor }) =>
    cursor === null
      ? { cursor: '1', dynamicPartitionsRequests: [items.buildAddRequest(['k'])], runRequests: [{ partitionKey: 'k' }] }
      : {},
});
export default definePipeline({ assets: [first, second], sensors: [source] });
`;

interface Run {
  readonly status: string;
  readonly assets: readonly { readonly asset: string; readonly status: string }[];
}

async function runsOf(project: Project): Promise<string[]> {
  const { document } = await project.json(['runs', 'list']);
  return (document.runs as Run[]).map(
    ({ status, assets }) => `${status} ${assets.map((one) => `${one.asset} ${one.status}`).join(' ')}`,
  );
}

const marks = (project: Project): string[] =>
  project.exists('marks.txt') ? project.read('marks.txt').trim().split('\n') : [];

describe('a run of two assets', () => {
  it.each(['while the first is at work', 'while the second is at work'])(
    'is taken up by the next tick with its second asset alone, after SIGTERM %s',
    async (when) => {
      const isSlow = when.includes('first');
      await using project = new ByHandHere({ 'pipeline.ts': PIPELINE, ...(isSlow && { slow: '' }) });
      const running = project.start(['sensor', 'tick']);
      await expect.poll(() => marks(project), { timeout: 60_000 }).toContain(isSlow ? 'first k' : 'second k');
      running.process.kill('SIGTERM');
      expect(await running.done).toMatchObject({ code: 143 });
      expect(await runsOf(project)).toEqual(['QUEUED first SUCCESS second QUEUED']);
      expect(JSON.parse(project.read('.dynpart/values/first/k.json'))).toEqual({ of: 'k' });
      project.write({ go: '' });
      const { code } = await project.dynpart(['sensor', 'tick']);
      expect(code).toBe(0);
      expect(await runsOf(project)).toEqual(['SUCCESS first SUCCESS second SUCCESS']);
      expect(marks(project).filter((mark) => mark === 'first k')).toHaveLength(1);
      expect(JSON.parse(project.read('.dynpart/values/second/k.json'))).toBe('second of k');
    },
  );

  it.each([
    ['the next tick', ['sensor', 'tick'], ['sensor', 'tick']],
    ['a worker', ['sensor', 'tick', '--no-run'], ['worker', '--once']],
    ['materialize, by key', ['materialize', '--key', 'k', '--add'], ['materialize', '--key', 'k']],
    ['materialize, by state', ['materialize', '--key', 'k', '--add'], ['materialize', '--missing']],
  ])(
    'is taken up so when its process was killed a while after the first was made, by %s',
    async (_, first, next) => {
      await using project = new ByHandHere({ 'pipeline.ts': PIPELINE });
      const queues = first.includes('--no-run');
      if (queues) await project.dynpart(first);
      const running = project.start(queues ? ['worker'] : first);
      await expect
        .poll(() => runsOf(project), { timeout: 60_000 })
        .toEqual(['STARTED first SUCCESS second STARTED']);
      // On record, so it is there: in its place a moment later, which the kill may take away.
      const { stdout } = await project.dynpart(['value', 'show', 'first', '--key', 'k']);
      expect(JSON.parse(stdout)).toEqual({ of: 'k' });
      running.process.kill('SIGKILL');
      await running.done;
      project.write({ go: '' });
      expect(await project.dynpart(next)).toMatchObject({ code: 0 });
      expect(await runsOf(project)).toEqual(['SUCCESS first SUCCESS second SUCCESS']);
      expect(marks(project)).toEqual(['first k', 'second k', 'second k']);
      expect(JSON.parse(project.read('.dynpart/values/second/k.json'))).toBe('second of k');
      expect(await project.dynpart(['state', 'check'])).toMatchObject({ code: 0 });
    },
  );

  it('counts what is on record while the rest of it is in progress, and keeps that when it is canceled', async () => {
    await using project = new ByHandHere({ 'pipeline.ts': PIPELINE });
    const running = project.start(['materialize', '--key', 'k', '--add']);
    await expect
      .poll(() => runsOf(project), { timeout: 60_000 })
      .toEqual(['STARTED first SUCCESS second STARTED']);
    const counts = async (): Promise<string[]> =>
      (await project.json(['status'])).document.assets.map(
        (one: { asset: string; materialized: number; inProgress: number }) =>
          `${one.asset} ${one.materialized} ${one.inProgress}`,
      );
    expect(await counts()).toEqual(['first 1 0', 'second 0 1']);
    const { document } = await project.json(['runs', 'list']);
    await project.dynpart(['runs', 'cancel', document.runs[0].id]);
    expect(await running.done).toMatchObject({ code: 1 });
    expect(await runsOf(project)).toEqual(['CANCELED first SUCCESS second CANCELED']);
    expect(await counts()).toEqual(['first 1 0', 'second 0 0']);
    project.write({ go: '' });
    expect(await project.dynpart(['runs', 'retry', document.runs[0].id])).toMatchObject({ code: 0 });
    expect(marks(project)).toEqual(['first k', 'second k', 'second k']);
    // With its key it is forgotten.
    await project.dynpart(['partitions', 'remove', 'items', 'k']);
    await project.dynpart(['partitions', 'add', 'items', 'k']);
    expect(await counts()).toEqual(['first 0 0', 'second 0 0']);
  });

  it('leaves what it made on record when materialize is stopped with Ctrl-C, and again makes the rest', async () => {
    await using project = new ByHandHere({ 'pipeline.ts': PIPELINE });
    await project.dynpart(['partitions', 'add', 'items', 'k']);
    const running = project.start(['materialize', '--missing']);
    await expect.poll(() => marks(project), { timeout: 60_000 }).toContain('second k');
    running.process.kill('SIGINT');
    expect(await running.done).toMatchObject({ code: 130 });
    expect(await runsOf(project)).toEqual(['CANCELED first SUCCESS second CANCELED']);
    project.write({ go: '' });
    expect(await project.dynpart(['materialize', '--missing'])).toMatchObject({ code: 0 });
    expect(marks(project)).toEqual(['first k', 'second k', 'second k']);
    expect(await project.dynpart(['state', 'check'])).toMatchObject({ code: 0 });
  });
});
