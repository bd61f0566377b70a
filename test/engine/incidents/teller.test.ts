/** Hooks of a pipeline under test: who is told what, when, and never twice within a minute. */
import { describe, expect, it } from 'vitest';
import {
  asset,
  definePipeline,
  dynamicPartitions,
  type Notify,
  type NotifyMessage,
  sensor,
} from '../../../src/index.ts';
import { testPipeline } from '../../../src/testing/index.ts';

const ALL = ['run-failed', 'sensor-failed', 'stuck', 'overdue', 'recovered'] as const;

/** A pipeline whose parts fail when the test says so, and what its hook was told. */
function scene(options: Partial<Notify> = {}) {
  const told: NotifyMessage[] = [];
  const bad = { keys: new Set<string>(), feed: null as string | null, hook: null as (() => unknown) | null };
  const found: string[] = [];
  const letters = dynamicPartitions('letters');
  const copy = asset({
    name: 'copy',
    partitions: letters,
    automate: 'missing',
    materialize({ partitionKey }) {
      if (bad.keys.has(partitionKey)) throw new Error('no such file https://user:pw@host/x?token=1');
      return partitionKey;
    },
  });
  const feed = sensor({
    name: 'feed',
    evaluate() {
      if (bad.feed !== null) throw new Error(bad.feed);
      return { dynamicPartitionsRequests: [letters.buildAddRequest(found)] };
    },
  });
  const pipeline = definePipeline({
    assets: [copy],
    sensors: [feed],
    notify: [
      {
        on: ALL,
        send(message) {
          told.push(message);
          return bad.hook?.();
        },
        ...options,
      },
    ],
  });
  const test = testPipeline(pipeline, { now: '2026-03-02T07:00:00.000Z' });
  const texts = (): string[] =>
    told.splice(0).map(({ text }) => text.trimEnd().replaceAll(/logs \S+/g, 'logs RUN'));
  return { test, bad, found, told, texts, pipeline, copy, letters };
}

describe('hooks of notify', () => {
  it('tells of failed keys once, with every key, and when all of them are made', async () => {
    const { test, bad, found, texts } = scene();
    found.push('a', 'b', 'c');
    bad.keys.add('a').add('c');
    await test.tick();
    expect(texts()).toEqual([
      'copy failed for 2 keys: no such file https://…@host/x?…\n  a\n  c\n  dynpart runs logs RUN',
    ]);
    await test.advance('1h');
    await test.tick();
    expect(texts()).toEqual([]);
    bad.keys.clear();
    await test.materialize('copy', 'a');
    expect(texts()).toEqual([]);
    await test.advance('1h');
    await test.materialize('copy', 'c');
    expect(texts()).toEqual([
      'copy is well again: it failed from 2026-03-02 07:00 UTC, for 2 h: no such file https://…@host/x?…',
    ]);
    await test.advance('1h');
    await test.tick();
    expect(texts()).toEqual([]);
  });

  it('tells of a sensor that fails, and of nothing while it goes on failing', async () => {
    const { test, bad, texts } = scene();
    bad.feed = '503 from https://example.org/feed?key=secret';
    await test.tick();
    await test.advance('1h');
    await test.tick();
    bad.feed = null;
    await test.advance('1h');
    await test.tick();
    expect(texts()).toEqual([
      'sensor feed failed: 503 from https://example.org/feed?…\n  dynpart sensor history feed --limit 3',
      'sensor feed is well again: it failed from 2026-03-02 07:00 UTC, for 2 h: 503 from https://example.org/feed?…',
    ]);
  });

  it('reminds of what goes on, at its interval', async () => {
    const { test, bad, texts } = scene({ remindEvery: '1d' });
    bad.feed = 'down';
    for (let hour = 0; hour <= 49; hour++) {
      await test.tick();
      await test.advance('1h');
    }
    expect(texts().map((text) => text.split('\n')[0])).toEqual([
      'sensor feed failed: down',
      'sensor feed still failed, for 1 d now: down',
      'sensor feed still failed, for 2 d now: down',
    ]);
  });

  it('calls a hook that throws again after a minute, two, four, with what is due then', async () => {
    const { test, bad, told } = scene();
    const at: number[] = [];
    bad.feed = 'down';
    bad.hook = () => {
      at.push(test.now.getTime());
      throw new Error('the hook is down, too');
    };
    const began = test.now.getTime();
    for (let half = 0; half < 40; half++) {
      await test.tick();
      await test.advance('30s');
    }
    const minutes = at.map((time) => Math.round((time - began) / 60_000));
    expect(minutes).toEqual([0, 1, 3, 7, 15]);
    bad.hook = null;
    bad.feed = null;
    told.length = 0;
    await test.advance('1h');
    await test.tick();
    // What has come and gone before anybody was told is told, once.
    expect(told.map(({ incidents }) => incidents.map(({ occasion }) => occasion))).toEqual([['recovered']]);
  });

  it('tells at least once of what was committed, wherever it is killed', async () => {
    const { test, bad, found, told } = scene();
    found.push('a');
    bad.keys.add('a');
    const crashes = await test.crashEverywhere(
      (one) => one.tick(),
      async (one) => {
        await one.advance('2m');
        await one.tick();
        expect(told.length).toBeGreaterThan(0);
        expect(new Set(told.flatMap(({ incidents }) => incidents.map(({ asset: name }) => name)))).toEqual(
          new Set(['copy']),
        );
        told.length = 0;
      },
    );
    expect(crashes.length).toBeGreaterThan(4);
  });
});
