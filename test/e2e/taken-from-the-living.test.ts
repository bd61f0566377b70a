/** A run that is taken from a process while that executes it: what the process makes of it after that counts for nothing. */
import fs from 'node:fs';
import { expect, it } from 'vitest';
import { describeEachStore } from '../support/each-store.ts';
import { ByHandHere } from '../support/in-process.ts';
import type { Project } from '../support/project.ts';

const PIPELINE = `import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asset, definePipeline, dynamicPartitions, type IoManager } from 'dynpart';
const items = dynamicPartitions('items');
const here = (name: string) => new URL(name, import.meta.url);
const make = async () => {
  const of = process.env.OF;
  fs.writeFileSync(here('begun-' + of), '');
  while (!fs.existsSync(here('go-' + of))) await sleep(10);
  return of;
};
async function* each({ keys }: { keys: AsyncIterable<{ partitionKey: string }> }) {
  for await (const { partitionKey } of keys) yield [partitionKey, await make()] as const;
}
// Nothing takes back what it has kept.
const kept = (key: string | null) => here('kept-of-' + key);
const own: IoManager = {
  save: ({ partitionKey }, value) => fs.writeFileSync(kept(partitionKey), String(value)),
  load: ({ partitionKey }) => fs.readFileSync(kept(partitionKey), 'utf8'),
  remove: ({ partitionKey }) => fs.rmSync(kept(partitionKey)),
};
export default definePipeline({
  ...(process.env.OWN && { ioManager: own }),
  assets: [
    asset({ name: 'here', partitions: items, materialize: make }),
    asset({ name: 'elsewhere', partitions: items, isolation: 'process', materialize: make }),
    asset({ name: 'together', partitions: items, batch: 3, materialize: each as never }),
  ],
});
`;

const valueOf = async (project: Project, asset: string): Promise<string> =>
  (await project.dynpart(['value', 'show', asset, '--key', 'k'])).stdout;

const isLeft = (name: string): boolean =>
  name.includes('~') || (name.startsWith('.tmp/') && !name.startsWith('.tmp/boot-'));

function waitingIn(project: Project): string[] {
  const folder = project.path('.dynpart', 'values');
  if (!fs.existsSync(folder)) return [];
  return (fs.readdirSync(folder, { recursive: true }) as string[]).filter(isLeft);
}

describeEachStore('a run that is taken from a process that executes it', ByHandHere, (projectWith) => {
  it.each(['here', 'elsewhere', 'together'])('keeps the value of whoever has it now (%s)', async (asset) => {
    await using project = projectWith({ 'pipeline.ts': PIPELINE });
    await project.dynpart(['partitions', 'add', 'items', 'k']);
    const args = ['materialize', asset, '--key', 'k'];
    const first = project.start(args, { env: { OF: 'first' } });
    while (!project.exists('begun-first')) await new Promise((resolve) => setTimeout(resolve, 10));
    const { document } = await project.json(['runs', 'list']);
    await project.dynpart(['runs', 'release', document.runs[0].id]);
    project.write({ 'go-second': '' });
    expect((await project.dynpart(args, { env: { OF: 'second' } })).code).toBe(0);
    // It has looked by then, and knows that the run is not its own.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    project.write({ 'go-first': '' });
    expect(await first.done).toMatchObject({ code: 1, stderr: expect.stringContaining('no longer') });
    expect(await valueOf(project, asset)).toBe('"second"\n');
    expect(waitingIn(project)).toEqual([]);
    // Whoever comes next settles what others have left.
    await project.dynpart(['materialize', '--missing'], { env: { OF: 'second' } });
    expect(await valueOf(project, asset)).toBe('"second"\n');
  });

  it.each(['here', 'elsewhere', 'together'])(
    'keeps nothing of who stood still meanwhile, and has not heard of it (%s)',
    async (asset) => {
      await using project = projectWith({ 'pipeline.ts': PIPELINE });
      await project.dynpart(['partitions', 'add', 'items', 'k']);
      const args = ['materialize', asset, '--key', 'k'];
      const first = project.start(args, { env: { OF: 'first', OWN: '1' } });
      const started = async (): Promise<boolean> =>
        project.exists('begun-first') &&
        (await project.json(['runs', 'list'])).document.runs[0].status === 'STARTED';
      while (!(await started())) await new Promise((resolve) => setTimeout(resolve, 50));
      const { document } = await project.json(['runs', 'list']);
      // Its commits are not what it is stopped in.
      await new Promise((resolve) => setTimeout(resolve, 300));
      first.process.kill('SIGSTOP');
      await project.dynpart(['runs', 'release', document.runs[0].id]);
      project.write({ 'go-second': '' });
      expect(await project.dynpart(args, { env: { OF: 'second', OWN: '1' } })).toMatchObject({ code: 0 });
      project.write({ 'go-first': '' });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(fs.readFileSync(project.path('kept-of-k'), 'utf8')).toBe('second');
      first.process.kill('SIGCONT');
      expect(await first.done).toMatchObject({ code: 1, stderr: expect.stringContaining('no longer') });
      expect(fs.readFileSync(project.path('kept-of-k'), 'utf8')).toBe('second');
    },
  );
});
