/** A run that is canceled while its process can do nothing: it ends with the next command that commits, and says what canceled it. */
import { it } from 'vitest';
import { describeEachStore } from '../support/each-store.ts';
import { ProjectHere } from '../support/in-process.ts';
import type { Project, Running } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const here = (name: string) => new URL(name, import.meta.url);
export default definePipeline({ assets: [
  asset({ name: 'waits', partitions: items, async materialize({ partitionKey, signal }) {
    fs.writeFileSync(here('begun-' + partitionKey), '');
    while (!fs.existsSync(here('go'))) await sleep(20, undefined, { signal });
    return partitionKey;
  } }),
] });
`;

/** A process that executes the run of key a, and is paused. */
async function paused(project: Project): Promise<Running> {
  await project.dynpart(['partitions', 'add', 'items', 'a', 'b', 'c']);
  const running = project.start(['materialize', 'waits', '--key', 'a']);
  while (!project.exists('begun-a')) await new Promise((resolve) => setTimeout(resolve, 20));
  running.process.kill('SIGSTOP');
  return running;
}

async function runOfA(project: Project): Promise<{ readonly id: string; readonly told: string }> {
  const { document } = await project.json(['runs', 'list', '--key', 'a']);
  const { id, status, error } = document.runs.at(-1);
  return { id, told: `${status}: ${error?.message}` };
}

describeEachStore('a run that is canceled while its process is paused', ProjectHere, (projectWith) => {
  it.concurrent.for([
    ['materialize', 'waits', '--key', 'b'],
    ['materialize', 'waits', '--missing', '--no-run'],
    ['materialize', 'waits', '--key', 'b', '--no-run'],
    ['partitions', 'remove', 'items', 'c'],
    ['partitions', 'sync', 'items', '--from', 'keys'],
    ['runs', 'cancel', '--key', 'b'],
  ])('is ended by whoever commits when that process has died: %s', async (args, { expect }) => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE, keys: 'a\nb\n' });
    const running = await paused(project);
    const { id } = await runOfA(project);
    await project.dynpart(['runs', 'cancel', id]);
    running.process.kill('SIGKILL');
    await running.done;
    expect((await runOfA(project)).told).toBe('STARTED: undefined');
    project.write({ go: '' });
    const { code, stderr } = await project.dynpart(args);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { document } = await project.json(['runs', 'show', id]);
    expect(document.run).toMatchObject({
      status: 'CANCELED',
      error: { message: 'it was canceled by hand (runs cancel)' },
    });
    expect(await project.json(['state', 'check'])).toMatchObject({ code: 0 });
  });

  it.concurrent('is ended where there is nothing else to do', async ({ expect }) => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE });
    const running = await paused(project);
    const { id } = await runOfA(project);
    await project.dynpart(['runs', 'cancel', id]);
    running.process.kill('SIGKILL');
    await running.done;
    expect(await project.dynpart(['materialize', 'waits', '--stale'])).toMatchObject({ code: 0 });
    expect((await runOfA(project)).told).toBe('CANCELED: it was canceled by hand (runs cancel)');
  });

  it.concurrent.for([
    [['partitions', 'remove', 'items', 'a'], 'partitions remove', 'lives'],
    [['partitions', 'sync', 'items', '--from', 'keys'], 'partitions sync', 'lives'],
    [['partitions', 'remove', 'items', 'a'], 'partitions remove', 'dies'],
  ] as const)(
    'with its key is told to have lost the key, also when that is back again: %s, the process %3$s',
    async ([args, by, then], { expect }) => {
      await using project = projectWith({ 'pipeline.ts': PIPELINE, keys: 'b\nc\n' });
      const running = await paused(project);
      const { id } = await runOfA(project);
      expect(await project.dynpart([...args])).toMatchObject({ code: 0 });
      expect(await project.dynpart(['partitions', 'add', 'items', 'a'])).toMatchObject({ code: 0 });
      running.process.kill(then === 'lives' ? 'SIGCONT' : 'SIGKILL');
      const { code, stderr } = await running.done;
      if (then === 'lives') {
        expect(code).toBe(1);
        expect(stderr).toContain(`canceled: run ${id} for a: its partition key was removed (${by})`);
      } else await project.dynpart(['materialize', 'waits', '--stale']);
      expect((await runOfA(project)).told).toBe(`CANCELED: its partition key was removed (${by})`);
    },
  );

  it.concurrent('by hand is told so, also where its key is removed afterwards', async ({ expect }) => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE });
    const running = await paused(project);
    const { id } = await runOfA(project);
    await project.dynpart(['runs', 'cancel', id]);
    expect(await project.dynpart(['partitions', 'remove', 'items', 'a'])).toMatchObject({ code: 0 });
    running.process.kill('SIGCONT');
    const { stderr } = await running.done;
    expect(stderr).toContain(`canceled: run ${id} for a: it was canceled by hand (runs cancel)`);
    expect((await runOfA(project)).told).toBe('CANCELED: it was canceled by hand (runs cancel)');
  });
});
