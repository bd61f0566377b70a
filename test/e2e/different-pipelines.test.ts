/** Workers with different pipelines on one state in PostgreSQL: each takes what it can make, and says what it leaves. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

let cluster: PostgresCluster;
beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

const pipelineOf = (
  assets: string,
): string => `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const rare = asset({ name: 'rare', partitions: things, materialize: ({ partitionKey }) => partitionKey });
const plain = asset({ name: 'plain', partitions: things, materialize: ({ partitionKey }) => partitionKey });
export default definePipeline({ assets: [${assets}] });
`;

it('leave runs in the queue that only others can make, and those keep nobody', async () => {
  await using project = new Project({ 'pipeline.ts': pipelineOf('rare, plain') });
  const env = { DYNPART_STATE: cluster.url('different') };
  const run = async (...args: readonly string[]): Promise<{ code: number | null; stderr: string }> =>
    project.dynpart(args, { env });
  await run('state', 'migrate');
  const keys = Array.from({ length: 30 }, (_, at) => `k${at}`);
  await run('partitions', 'add', 'things', ...keys);
  await run('materialize', 'rare', '--all', '--no-run');
  await run('materialize', 'plain', '--all', '--no-run');
  project.write({ 'pipeline.ts': pipelineOf('plain') });
  const plain = await run('worker', '--once', '--concurrency', '2');
  expect(plain.stderr).toContain(
    'warning: 30 queued runs left to other workers: this pipeline does not have 1 asset: rare\n',
  );
  expect(plain.stderr.split('left to other workers')).toHaveLength(2);
  expect(plain.code).toBe(0);
  const listed = async (status: string): Promise<Record<string, number>> => {
    const { document } = await project.json(['runs', 'list', '--status', status, '--limit', '100'], { env });
    const counts: Record<string, number> = {};
    for (const { assets } of document.runs as { assets: { asset: string }[] }[])
      counts[assets[0]!.asset] = (counts[assets[0]!.asset] ?? 0) + 1;
    return counts;
  };
  expect(await listed('QUEUED')).toEqual({ rare: 30 });
  expect(await listed('SUCCESS')).toEqual({ plain: 30 });
  project.write({ 'pipeline.ts': pipelineOf('rare, plain') });
  const both = await run('worker', '--once');
  expect(both.stderr).not.toContain('left to other workers');
  expect(await listed('SUCCESS')).toEqual({ plain: 30, rare: 30 });
  expect((await run('state', 'check')).code).toBe(0);
});
