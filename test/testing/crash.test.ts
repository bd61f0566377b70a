/** What is killed at a commit is gone with all that it had not committed, and the next tick goes by the real rules. */
import { asset, definePipeline, dynamicPartitions, type IoManager, sensor } from 'dynpart';
import { testPipeline, type Crash } from 'dynpart/testing';
import { describe, expect, it } from 'vitest';

const orders = dynamicPartitions('orders');

/** Orders that come in one after the other, and what was done for them outside. */
function shop(...first: string[]) {
  const outside = { orders: first, mails: [] as string[] };
  const mail = asset({
    name: 'mail',
    partitions: orders,
    materialize({ partitionKey }) {
      outside.mails.push(partitionKey);
      return { sent: partitionKey };
    },
  });
  const receipt = asset({
    name: 'receipt',
    partitions: orders,
    inputs: { mail },
    materialize: ({ inputs }) => `receipt of ${inputs.mail.sent}`,
  });
  const found = sensor({
    name: 'found',
    assets: [mail, receipt],
    async evaluate({ partitions }) {
      const fresh = await partitions(orders).missing(outside.orders);
      if (fresh.length === 0) return { skipReason: 'nothing new' };
      return {
        dynamicPartitionsRequests: [orders.buildAddRequest(fresh)],
        runRequests: fresh.map((partitionKey) => ({ partitionKey, runKey: partitionKey })),
      };
    },
  });
  return { outside, receipt, options: { assets: [mail, receipt], sensors: [found] } };
}

const wordsOf = (crashes: readonly Crash[]): string[] => crashes.map(({ words }) => words);

describe('crashEverywhere', () => {
  it('kills before and after every commit, and the next tick takes up what was left', async () => {
    const { outside, receipt, options } = shop('a', 'b');
    const test = testPipeline(definePipeline(options));
    const mails: Record<string, string> = {};
    const crashes = await test.crashEverywhere(
      async (test) => {
        outside.mails = [];
        await test.tick('found');
      },
      async (test, crash) => {
        expect(await test.keys(orders)).toEqual(['a', 'b']);
        for (const key of ['a', 'b']) expect(await test.value(receipt, key)).toBe(`receipt of ${key}`);
        mails[crash?.words ?? 'not killed'] = outside.mails.toSorted().join('');
      },
    );
    const queued = '2 keys added to orders: "a", "b"; 2 runs of mail and receipt queued; tick of found';
    const ended = 'run of mail and receipt for "a": SUCCESS; run of mail and receipt for "b": SUCCESS';
    expect(wordsOf(crashes)).toEqual([
      `killed before commit 1 (pipeline known; ${queued})`,
      `killed after commit 1 (pipeline known; ${queued})`,
      `killed before commit 2 (${ended})`,
      `killed after commit 2 (${ended})`,
    ]);
    // At least once, and a second time only where nothing of the first was on record.
    expect(mails).toEqual({
      'not killed': 'ab',
      [crashes[0]!.words]: 'ab',
      [crashes[1]!.words]: 'ab',
      [crashes[2]!.words]: 'aabb',
      [crashes[3]!.words]: 'ab',
    });
    // The test itself has seen nothing of it.
    expect(await test.keys(orders)).toEqual([]);
  });

  it('finds the sensor that is not safe, and says where', async () => {
    const seen = new Set<string>();
    const forgets = sensor({
      name: 'forgets',
      evaluate() {
        const fresh = ['a'].filter((key) => !seen.has(key));
        for (const key of fresh) seen.add(key);
        return { dynamicPartitionsRequests: [orders.buildAddRequest(fresh)] };
      },
    });
    const test = testPipeline(definePipeline({ partitions: [orders], sensors: [forgets] }));
    const crashing = test.crashEverywhere(
      async (test) => {
        seen.clear();
        await test.tick();
      },
      async (test) => expect(await test.keys(orders)).toEqual(['a']),
    );
    await expect(crashing).rejects.toThrow(
      /^killed before commit 1 \(pipeline known; 1 key added to orders: "a"; tick of forgets\): expected \[\] to deeply equal/,
    );
    await expect(crashing).rejects.toMatchObject({ name: 'AssertionError', expected: ['a'] });
  });

  it('does not blame a kill for what is wrong without one', async () => {
    const test = testPipeline(definePipeline(shop('a').options));
    const wrong = test.crashEverywhere(
      (test) => test.tick(),
      () => expect(1).toBe(2),
    );
    await expect(wrong).rejects.toThrow(/^expected 1 to be 2/);
    const idle = test.crashEverywhere(
      (test) => test.plan(),
      () => undefined,
    );
    await expect(idle).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/commits nothing/),
    });
  });

  it('begins each time from what the test has', async () => {
    const { outside, receipt, options } = shop('a');
    const test = testPipeline(definePipeline(options), { now: '2026-05-01' });
    await test.tick();
    outside.orders.push('b');
    outside.mails = [];
    await test.advance('1h');
    await test.crashEverywhere(
      async (test) => {
        expect(test.now.toISOString()).toBe('2026-05-01T01:00:00.000Z');
        await test.tick();
      },
      async (test) => {
        expect(await test.keys(orders)).toEqual(['a', 'b']);
        expect(await test.value(receipt, 'a')).toBe('receipt of a');
        expect(await test.value(receipt, 'b')).toBe('receipt of b');
      },
    );
    // Made before, and never again.
    expect(outside.mails).not.toContain('a');
  });

  it('lets nothing begin after the kill, and waits for what is at work', async () => {
    const log: string[] = [];
    const slow = asset({
      name: 'slow',
      partitions: orders,
      async materialize({ partitionKey, log: write }) {
        log.push(`begin ${partitionKey}`);
        await new Promise((resolve) => setTimeout(resolve, partitionKey === 'a' ? 1 : 150));
        write.info('done');
        log.push(`end ${partitionKey}`);
      },
    });
    const both = sensor({
      name: 'both',
      assets: [slow],
      async evaluate({ partitions }) {
        const fresh = await partitions(orders).missing(['a', 'b', 'c']);
        return {
          dynamicPartitionsRequests: [orders.buildAddRequest(fresh)],
          runRequests: fresh.map((partitionKey) => ({ partitionKey })),
        };
      },
    });
    const test = testPipeline(definePipeline({ assets: [slow], sensors: [both], concurrency: 2 }));
    await test.crashEverywhere(
      async (test) => {
        log.length = 0;
        await test.tick();
      },
      () => {
        // No execution is under way when others begin.
        const under = new Set<string>();
        for (const line of log) {
          const [what, key = ''] = line.split(' ');
          if (what === 'begin') expect(under.has(key), log.join(', ')).toBe(false);
          if (what === 'begin') under.add(key);
          else under.delete(key);
        }
        expect(under.size).toBe(0);
        expect(new Set(log).size).toBe(6);
      },
    );
  });

  it('kills a materialize, too: without sensors, what is left is executed by the next process', async () => {
    const { assets } = shop().options;
    const test = testPipeline(definePipeline({ assets }));
    const made: string[] = [];
    await test.crashEverywhere(
      (test) => test.materialize('mail', 'a'),
      async (test, crash) => {
        made.push(`${crash?.when} ${crash?.commit}: ${await test.status('mail', 'a')}`);
      },
    );
    expect(made).toEqual([
      'undefined undefined: materialized',
      'before 1: missing',
      'after 1: materialized',
      'before 2: materialized',
      'after 2: materialized',
    ]);
  });

  it('kills between an I/O manager of the user and the record', async () => {
    const saved: string[] = [];
    const kept = new Map<string, unknown>();
    const ioManager: IoManager = {
      async save({ asset, partitionKey }, value) {
        await Promise.resolve();
        saved.push(`${asset} ${partitionKey}`);
        kept.set(`${asset} ${partitionKey}`, value);
      },
      load: ({ asset, partitionKey }) => kept.get(`${asset} ${partitionKey}`),
      remove: ({ asset, partitionKey }) => void kept.delete(`${asset} ${partitionKey}`),
    };
    const { receipt, options } = shop('a');
    const test = testPipeline(definePipeline({ ...options, ioManager }));
    await test.crashEverywhere(
      async (test) => {
        saved.length = 0;
        kept.clear();
        await test.tick();
      },
      async (test, crash) => {
        expect(await test.value(receipt, 'a')).toBe('receipt of a');
        expect(saved.length).toBe(crash?.commit === 2 && crash.when === 'before' ? 4 : 2);
      },
    );
  });
});
