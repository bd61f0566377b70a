/** Dagster's acceptance cases for keys, definitions and materializing, by their numbers in docs/coming-from-dagster.md. */
import { asset, definePipeline, dynamicPartitions, type IoManager, PipelineError, sensor } from 'dynpart';
import { testPipeline } from 'dynpart/testing';
import { describe, expect, it } from 'vitest';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const foo = dynamicPartitions('foo');
const other = dynamicPartitions('baz');
const made = asset({
  name: 'made',
  partitions: foo,
  materialize: ({ partitionKey }) => `made ${partitionKey}`,
});

/** Sets, and a sensor that does what it is told. */
function world(evaluate: Parameters<typeof sensor>[0]['evaluate'] = () => undefined) {
  const probe = sensor({ name: 'probe', assets: [made], evaluate });
  return testPipeline(definePipeline({ assets: [made], sensors: [probe], partitions: [other] }));
}

describe('a set', () => {
  it('Dagster 1: is empty in a fresh state', async () => {
    expect(await world().keys(foo)).toEqual([]);
  });

  it('Dagster 2: keeps the order of adding', async () => {
    const test = world();
    await test.add(foo, ['foo', 'bar', 'baz']);
    expect(await test.keys(foo)).toEqual(['foo', 'bar', 'baz']);
  });

  it('Dagster 3: takes a key once, and no key of another set', async () => {
    const test = world();
    await test.add(foo, ['foo', 'bar', 'baz']);
    expect(await test.add(foo, ['foo'])).toEqual({ added: [], updated: [], skipped: ['foo'] });
    expect(await test.add(foo, ['foo', 'qux'])).toEqual({ added: ['qux'], updated: [], skipped: ['foo'] });
    expect(await test.keys(foo)).toEqual(['foo', 'bar', 'baz', 'qux']);
    expect(await test.keys(other)).toEqual([]);
  });

  it('Dagster 4: gives up a key once, without an error the second time; a set that is not there is a slip', async () => {
    const test = world();
    await test.add(foo, ['foo', 'bar', 'baz']);
    expect(await test.remove(foo, ['foo'])).toEqual({ removed: ['foo'], skipped: [] });
    expect(await test.remove(foo, ['foo'])).toEqual({ removed: [], skipped: ['foo'] });
    expect(await test.keys(foo)).toEqual(['bar', 'baz']);
    await expect(test.remove('bar', ['foo'])).rejects.toMatchObject({ code: 'unknown-set' });
  });

  it('Dagster 5: says whether it has a key, not a longer one', async () => {
    const answers: boolean[] = [];
    const test = world(async ({ partitions }) => {
      const set = partitions(foo);
      answers.push(
        await set.has('foo'),
        await set.has('fo'),
        await set.has('qux'),
        await partitions(other).has('foo'),
      );
      return undefined;
    });
    await test.tick();
    await test.add(foo, ['foo']);
    await test.tick();
    expect(answers).toEqual([false, false, false, false, true, false, false, false]);
  });

  it('Dagster 6: comes in pages, and a last page that is full promises no other', async () => {
    await using project = new Project({
      'pipeline.ts': `import { definePipeline, dynamicPartitions } from 'dynpart';
export default definePipeline({ partitions: [dynamicPartitions('foo')] });`,
    });
    await runHere(project, ['partitions', 'add', 'foo', 'a', 'b', 'c', 'd']);
    const page = async (...args: string[]): Promise<unknown> => {
      const { stdout } = await runHere(project, [
        'partitions',
        'list',
        'foo',
        '--limit',
        '2',
        ...args,
        '--json',
      ]);
      const { keys, next, error } = JSON.parse(stdout);
      return error?.code ?? [keys.map(({ key }: { key: string }) => key), next];
    };
    expect(await page()).toEqual([['a', 'b'], 'b']);
    expect(await page('--after', 'b')).toEqual([['c', 'd'], null]);
    // Dagster begins anew where the cursor is foreign: a pager would go round for ever.
    expect(await page('--after', 'nope')).toBe('unknown-key');
  });

  it('Dagster 8: is asked for many keys at once', async () => {
    const many = Array.from({ length: 700 }, (_, number) => `key_${number}`);
    const answers: unknown[] = [];
    const test = world(async ({ partitions }) => {
      const set = partitions(foo);
      answers.push(await set.missing([]), await set.missing(['key_0', 'nope', 'nope']));
      answers.push(await set.missing([...many, 'nope']), (await partitions(other).missing(many)).length);
      return undefined;
    });
    await test.add(foo, many);
    await test.tick();
    expect(answers).toEqual([[], ['nope'], ['nope'], 700]);
  });

  it("Dagster 10: is, for a result's run requests, what it is after the result's own requests", async () => {
    const test = world(() => ({
      dynamicPartitionsRequests: [foo.buildAddRequest(['pending']), foo.buildDeleteRequest(['key_0'])],
      runRequests: ['key_1', 'pending'].map((partitionKey) => ({ partitionKey })),
    }));
    await test.add(foo, ['key_0', 'key_1']);
    expect((await test.tick('probe')).runs).toMatchObject([
      { partitionKey: 'key_1', status: 'SUCCESS' },
      { partitionKey: 'pending', status: 'SUCCESS' },
    ]);
    expect(await test.keys(foo)).toEqual(['key_1', 'pending']);
  });
});

describe('a definition', () => {
  it('Dagster 13: without a name is refused, with its place', () => {
    const nameless = dynamicPartitions(undefined as never);
    try {
      definePipeline({ partitions: [nameless] });
      expect.unreachable();
    } catch (error) {
      expect(PipelineError.problemsOf(error)).toMatchObject([
        {
          message: expect.stringContaining('is no name for a set'),
          place: expect.stringMatching(/keys\.test\.ts:\d+/),
        },
      ]);
    }
  });

  it.each(['a\nb', 'a\bb', 'a\tb', 'a\0b', '\u007f'])(
    'Dagster 16: keys with control characters are named, each with its place, and nothing is applied: %j',
    async (bad) => {
      const test = world(() => ({
        cursor: 'later',
        dynamicPartitionsRequests: [foo.buildAddRequest(['good', bad])],
      }));
      await expect(test.add(foo, ['good', bad])).rejects.toMatchObject({ code: 'invalid-key' });
      const { status, error } = await test.tick('probe');
      expect([status, error!.code]).toEqual(['FAILURE', 'sensor-result']);
      expect(error!.message).toContain(JSON.stringify(bad).slice(1, -1).replace('\u007f', '\\u007f'));
      expect([await test.keys(foo), await test.cursor('probe')]).toEqual([[], null]);
    },
  );

  it('Dagster 16 and 17: three dots, bars, brackets and commas are letters of a key like any others', async () => {
    const test = world();
    const odd = ['foo...bar', 'a|b', '[a]', 'a,b'];
    await test.add(foo, odd);
    expect(await test.keys(foo)).toEqual(odd);
    for (const key of odd) {
      await test.materialize(made, key);
      expect(await test.value(made, key)).toBe(`made ${key}`);
    }
  });

  it('Dagster 21: an asset without keys that wants the value of one with keys is refused', () => {
    const all = asset({ name: 'all', inputs: { made } as never, materialize: () => 0 });
    expect(() => definePipeline({ assets: [made, all] })).toThrow(
      'only a value of the same key can be handed on',
    );
  });
});

describe('materialize', () => {
  it('Dagster 19: refuses a key that is not there, and makes it once it is', async () => {
    await using project = new Project({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const foo = dynamicPartitions('foo');
export default definePipeline({ assets: [asset({ name: 'made', partitions: foo, materialize: ({ partitionKey }) => partitionKey })] });`,
    });
    const ask = async (...args: string[]) => {
      const { code, stdout } = await runHere(project, [
        'materialize',
        'made',
        '--key',
        'a',
        ...args,
        '--json',
      ]);
      return [code, JSON.parse(stdout).error?.code ?? JSON.parse(stdout).summary.succeeded];
    };
    expect(await ask()).toEqual([2, 'unknown-key']);
    await runHere(project, ['partitions', 'add', 'foo', 'a']);
    expect(await ask()).toEqual([0, 1]);
    const { stdout } = await runHere(project, ['partitions', 'show', 'foo', 'a', '--json']);
    expect(JSON.parse(stdout).assets).toMatchObject([{ asset: 'made', state: 'materialized' }]);
  });

  it('Dagster 20: an I/O manager is told the key, when it saves and when it loads', async () => {
    const seen: unknown[] = [];
    const kept = new Map<string, unknown>();
    const ioManager: IoManager = {
      save: ({ asset, partitionKey }, value) =>
        void (seen.push(['save', asset, partitionKey]), kept.set(asset, value)),
      load: ({ asset, partitionKey }) => (seen.push(['load', asset, partitionKey]), kept.get(asset)),
      remove: ({ asset }) => void kept.delete(asset),
    };
    const next = asset({
      name: 'next',
      partitions: foo,
      inputs: { made },
      materialize: ({ inputs }) => inputs.made.length,
    });
    const test = testPipeline(definePipeline({ assets: [made, next], ioManager }));
    await test.materialize(made, 'apple');
    await test.materialize(next, 'apple');
    expect(seen).toEqual([
      ['save', 'made', 'apple'],
      ['load', 'made', 'apple'],
      ['save', 'next', 'apple'],
    ]);
  });

  it('Dagster 23: tags of a run request reach the asset; run configuration is refused', async () => {
    const tags: unknown[] = [];
    const tagged = asset({
      name: 'tagged',
      partitions: foo,
      materialize: ({ run }) => void tags.push(run.tags),
    });
    let more = {};
    const probe = sensor({
      name: 'probe',
      assets: [tagged],
      evaluate: () => ({
        dynamicPartitionsRequests: [foo.buildAddRequest(['a'])],
        runRequests: [{ partitionKey: 'a', tags: { foo: 'a' }, ...more }],
      }),
    });
    const test = testPipeline(definePipeline({ assets: [tagged], sensors: [probe] }));
    await test.tick();
    expect(tags).toEqual([{ foo: 'a' }]);
    more = { runConfig: {} };
    expect((await test.tick(probe)).error!.message).toMatch(/unknown field .?runConfig/);
  });
});
