/** A state in PostgreSQL belongs to one pipeline, as one in a file does. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresCluster } from '../support/postgres-cluster.mjs';
import { Project } from '../support/project.ts';

const pipeline = (name: string): string => `
  import { asset, definePipeline, dynamicPartitions } from 'dynpart';
  const keys = dynamicPartitions('${name}');
  const made = asset({ name: 'made-of-${name}', partitions: keys, materialize: () => 1 });
  export default definePipeline({ assets: [made] });
`;

let cluster: PostgresCluster;

beforeAll(async () => {
  cluster = await PostgresCluster.start();
});
afterAll(() => cluster[Symbol.dispose]());

describe('a state in a database', () => {
  it('is refused to another pipeline by name, with the way on, until that one adopts it', async () => {
    await using project = new Project({
      'orders.ts': pipeline('orders'),
      'customers.ts': pipeline('customers'),
    });
    const url = cluster.url('whose');
    const env = { DYNPART_STATE: url };
    const ask = (file: string, ...words: string[]) => project.json(['-f', file, ...words], { env });
    expect((await ask('orders.ts', 'state', 'migrate')).code).toBe(0);
    expect((await ask('orders.ts', 'partitions', 'add', 'orders', 'a', '--materialize')).code).toBe(0);
    for (const words of [
      ['partitions', 'add', 'customers', 'x'],
      ['materialize', '--all'],
      ['worker', '--once'],
      ['status'],
      ['runs', 'list'],
      ['sensor', 'list'],
      ['assets', 'list'],
      ['partitions', 'list'],
      ['value', 'show', 'made-of-orders', '--key', 'a'],
    ]) {
      const { code, document } = await ask('customers.ts', ...words);
      expect([words, code, document.error.code]).toEqual([words, 2, 'foreign-state']);
      expect(document.error.message).toContain(project.path('orders.ts'));
      expect(document.error.hint).toMatch(
        /state adopt; to use another state: a schema of its own: \?schema=NAME$/,
      );
    }
    expect((await ask('customers.ts', 'state', 'adopt')).code).toBe(0);
    expect((await ask('customers.ts', 'partitions', 'add', 'customers', 'x')).code).toBe(0);
    expect((await ask('orders.ts', 'status')).document.error.code).toBe('foreign-state');
  });
});
