/** `partitions list --status`: keys by what became of them, in every form of its output. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

/** Keys with an `r` or a `t` in them cannot be made: not at all, or not as text. */
const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const people = dynamicPartitions('people');
const unless = (letter) => ({ partitionKey }) => { if (partitionKey.includes(letter)) throw new Error('no'); };
const raw = asset({ name: 'raw', partitions: items, materialize: unless('r') });
const text = asset({ name: 'text', partitions: items, inputs: { raw }, materialize: unless('t') });
const page = asset({ name: 'page', deps: [], materialize: () => 1 });
export default definePipeline({ assets: [raw, text, page], partitions: [people] });
`;

let project: Project;
beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  const must = async (...args: string[]): Promise<void> => void (await runHere(project, args));
  await must('partitions', 'add', 'items', '1r', '2t', '3', '4', '5r', '6', '7', '8');
  await must('partitions', 'add', 'people', 'ann');
  for (const key of ['1r', '2t', '3', '5r', '6']) await must('materialize', '--key', key);
  await must('materialize', 'raw', '--key', '7');
  await must('materialize', '--key', '8', '--no-run');
});
afterAll(() => project[Symbol.asyncDispose]());

async function list(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runHere(project, ['partitions', 'list', 'items', ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout.trimEnd().split('\n').join(' ');
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into it freely
async function json(...args: string[]): Promise<any> {
  return JSON.parse((await runHere(project, ['partitions', 'list', ...args, '--json'])).stdout);
}

describe('partitions list --status', () => {
  it.each([
    // A key that is queued is in progress, as `status` counts it.
    [['missing'], '1r 4 5r 7'],
    [['missing', '--asset', 'raw'], '4'],
    [['missing', '--asset', 'text'], '1r 4 5r 7'],
    [['failed'], '1r 2t 5r'],
    [['failed', '--asset', 'raw'], '1r 5r'],
    [['failed', '--asset', 'text'], '2t'],
    [['materialized'], '3 6'],
    [['materialized', '--asset', 'raw'], '2t 3 6 7'],
    [['MISSING', '--asset', 'raw'], '4'],
  ])('%j lists the keys in that state, in order', async ([status, ...rest], keys) => {
    expect(await list('--status', status!, ...rest)).toBe(keys);
    expect(await list('--status', status!, ...rest, '--count')).toBe(String(keys.split(' ').length));
    expect(await list('--status', status!, ...rest, '--json-lines')).toBe(
      keys
        .split(' ')
        .map((key) => JSON.stringify(key))
        .join(' '),
    );
  });

  it('counts as `status` does', async () => {
    const { stdout } = await runHere(project, ['status', '--json']);
    const { assets } = JSON.parse(stdout) as { assets: Record<string, unknown>[] };
    for (const { asset, set, ...counts } of assets) {
      if (set === null) continue;
      for (const status of ['missing', 'failed', 'materialized'])
        expect([asset, status, counts[status]]).toEqual([
          asset,
          status,
          Number(await list('--status', status, '--asset', asset as string, '--count')),
        ]);
    }
  });

  it('goes with --prefix, --limit and --after, page by page', async () => {
    const document = await json('items', '--status', 'missing', '--limit', '2');
    expect(document).toEqual({
      set: 'items',
      total: 8,
      keys: ['1r', '4'].map((key) => ({
        key,
        addedAt: expect.any(String) as string,
        version: null,
        item: null,
      })),
      next: '4',
    });
    const rest = await json('items', '--status', 'missing', '--limit', '2', '--after', '4');
    expect(rest.keys.map(({ key }: { key: string }) => key)).toEqual(['5r', '7']);
    expect(rest.next).toBe(null);
    expect(await list('--status', 'missing', '--after', '1r', '--count')).toBe('3');
    expect(await list('--status', 'missing', '--prefix', '5')).toBe('5r');
    // What it stands behind need not be in that state itself.
    expect(await list('--status', 'missing', '--after', '3')).toBe('4 5r 7');
    expect(await json('items', '--status', 'missing', '--count')).toEqual({ set: 'items', total: 4 });
  });

  it('of a set without assets is empty', async () => {
    for (const status of ['missing', 'failed', 'materialized'])
      expect((await json('people', '--status', status)).keys).toEqual([]);
  });

  it.each([
    [
      ['items', '--status', 'done'],
      'usage',
      'missing, failed, stale, skipped, materialized, backlog, not "done"',
    ],
    [['items', '--status', 'missing', '--asset', 'rwa'], 'unknown-asset', 'rwa'],
    [['people', '--status', 'missing', '--asset', 'raw'], 'usage', "has set 'items', not 'people'"],
    [['items', '--status', 'missing', '--asset', 'page'], 'usage', 'has no set'],
    [['items', '--asset', 'raw'], 'usage', '--status'],
    [['--status', 'missing', '--asset', 'raw'], 'usage', 'SET'],
    [['--status', 'missing'], 'usage', 'SET'],
  ])('%j is refused', async (args, code, words) => {
    const { error } = await json(...args);
    expect(error).toMatchObject({ code, message: expect.stringContaining(words) as string });
  });
});
