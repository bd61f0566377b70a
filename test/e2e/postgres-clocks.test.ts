/** A state in PostgreSQL, and processes on machines whose clocks differ: what is counted by time is counted by one clock for all. */
import fs from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

/** Loaded before dynpart: its clock is so many minutes ahead. */
const CLOCK = `
const RealDate = Date;
const ahead = Number(process.env.MINUTES_AHEAD) * 60_000;
globalThis.Date = class extends RealDate {
  constructor(...given) { super(...(given.length === 0 ? [RealDate.now() + ahead] : given)); }
  static now() { return RealDate.now() + ahead; }
};
`;

const PIPELINE = `
import fs from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const items = dynamicPartitions('items');
const here = (name: string) => new URL(name, import.meta.url);
// By a clock that nobody has set.
const now = () => performance.timeOrigin + performance.now();
const call = asset({ name: 'call', partitions: items, pool: 'api', materialize: () => fs.appendFileSync(here('calls'), now() + '\\n') });
const slow = sensor({
  name: 'slow',
  assets: [],
  defaultStatus: 'stopped',
  timeoutSeconds: 60,
  async evaluate() {
    fs.writeFileSync(here('evaluating'), '');
    while (!fs.existsSync(here('go'))) await new Promise((resolve) => setTimeout(resolve, 20));
    return { cursor: 'done' };
  },
});
export default definePipeline({ assets: [call], sensors: [slow], pools: { api: { limit: 8, rate: { calls: 2, perSeconds: 3 } } } });
`;

let cluster: PostgresCluster;
beforeAll(async () => void (cluster = await PostgresCluster.start()));
afterAll(() => cluster[Symbol.dispose]());

const projectOf = (): Project =>
  new Project({ 'pipeline.ts': PIPELINE, 'clock.cjs': CLOCK }, cluster.url('public').replace(/\?.*/, ''));

const ahead = (project: Project, minutes: number) => ({
  env: { MINUTES_AHEAD: String(minutes), NODE_OPTIONS: `--require ${project.path('clock.cjs')}` },
});

const chosen = (some: readonly string[]) => ['materialize', 'call', ...some.flatMap((key) => ['--key', key])];

it.each([5, -5])('a rate holds over processes of which one is %i minutes ahead', async (minutes) => {
  await using project = projectOf();
  const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
  await project.dynpart(['partitions', 'add', 'items', ...keys]);
  const ended = await Promise.all([
    project.dynpart(chosen(keys.slice(0, 3)), ahead(project, minutes)),
    project.dynpart(chosen(keys.slice(3)), ahead(project, 0)),
  ]);
  expect(ended.map(({ code }) => code)).toEqual([0, 0]);
  const calls = fs.readFileSync(project.path('calls'), 'utf8').trim().split('\n').map(Number);
  expect(calls).toHaveLength(6);
  for (const from of calls)
    expect(calls.filter((at) => at >= from && at < from + 3000).length).toBeLessThan(3);
  // And neither waited for the other’s clock.
  expect(Math.max(...calls) - Math.min(...calls)).toBeLessThan(120_000);
});

it.each([60, -60])(
  'a sensor that is evaluated is busy, and not stuck, for one that is %i minutes ahead',
  async (minutes) => {
    await using project = projectOf();
    const evaluating = project.start(['sensor', 'tick', 'slow']);
    while (!project.exists('evaluating')) await new Promise((resolve) => setTimeout(resolve, 20));
    const { code, document } = await project.json(['sensor', 'tick', 'slow'], ahead(project, minutes));
    expect([code, document.ticks[0].status, document.ticks[0].error]).toEqual([0, 'BUSY', null]);
    // As its own clock counts.
    const { startedAt, busy } = document.ticks[0];
    const heldMs = Date.parse(startedAt) - Date.parse(busy.since);
    expect(heldMs).toBeGreaterThan(-2000);
    expect(heldMs).toBeLessThan(65_000);
    project.write({ go: '' });
    expect((await evaluating.done).code).toBe(0);
  },
);
