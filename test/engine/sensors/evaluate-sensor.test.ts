/** Calling a sensor's function: what it may see, how long it may take, and what comes of whatever it does. */
import { EVERYTHING } from '../../../src/state/needs.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SensorContext, SensorOptions } from '../../../src/definitions/sensor.ts';
import type { LogLine } from '../../../src/model/tick.ts';
import {
  evaluateHere,
  type Evaluation,
  type EvaluationInput,
} from '../../../src/engine/sensors/evaluate-sensor.ts';
import { MemoryStore } from '../../../src/state/memory/memory-store.ts';
import { keysAdded, letters, lettersPipeline } from '../../support/builders.ts';
import { Recorder } from '../../support/engine-rig.ts';
import { loadProcessGroups } from '../../../src/cli/isolation/load-process-groups.ts';
import { FakeClock } from '../../support/fake-clock.ts';

type Evaluate = SensorOptions['evaluate'];

async function evaluate(
  evaluateSensor: Evaluate,
  input: Partial<EvaluationInput> = {},
  options: Partial<SensorOptions> = {},
): Promise<Evaluation & { output: LogLine[] }> {
  const pipeline = lettersPipeline({ feed: { evaluate: evaluateSensor, ...options } });
  const store = new MemoryStore(new FakeClock());
  await store.commit(EVERYTHING, () => ({
    changes: [keysAdded('letters', ['a', 'b']), { type: 'sensor-changed', sensor: 'feed', cursor: 'c7' }],
    outcome: undefined,
  }));
  const output: LogLine[] = [];
  const evaluation = await evaluateHere(
    pipeline,
    new FakeClock(),
    loadProcessGroups,
  )(pipeline.sensors.get('feed')!, {
    cursor: 'c7',
    sets: await store.sets(),
    lastTickAt: null,
    interrupt: new AbortController().signal,
    onOutput: (line) => output.push(line),
    programs: null,
    ...input,
  });
  return { ...evaluation, output };
}

async function failureOf(...args: Parameters<typeof evaluate>): Promise<object> {
  const { ended } = await evaluate(...args);
  if ('result' in ended) throw new Error('it succeeded');
  return ended.failure;
}

/** Resolves when the signal is aborted. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

afterEach(() => vi.useRealTimers());

describe('a sensor', () => {
  it('sees its cursor, the time of its last tick and the keys at the start of the tick', async () => {
    let seen: object = {};
    const lastTickAt = new Date(5);
    const { ended } = await evaluate(
      async ({ cursor, partitions, lastTickAt: at }) => {
        const view = partitions(letters);
        const keys: string[] = [];
        for await (const key of view.keys()) keys.push(key);
        const [count, a, z] = [await view.count(), await view.has('a'), await view.has('z')];
        seen = { cursor, at, keys, count, a, z, byName: await partitions('letters').count() };
        return { cursor: 'c8' };
      },
      { lastTickAt },
    );
    expect(seen).toEqual({
      cursor: 'c7',
      at: lastTickAt,
      keys: ['a', 'b'],
      count: 2,
      a: true,
      z: false,
      byName: 2,
    });
    expect(ended).toEqual({
      result: { cursor: 'c8', requests: [], runs: [], skipReason: null, failures: [] },
    });
  });

  it('gets what is missing, each once, in its own order, however often it asks', async () => {
    const answers: string[][] = [];
    await evaluate(async ({ partitions }) => {
      const view = partitions(letters);
      for (let time = 0; time < 12; time++) {
        expect(await view.has('a')).toBe(true);
        expect(await view.has('x')).toBe(false);
        answers.push(
          await view.missing(new Set(['z', 'a', 'y'])),
          await view.missing(['y', 'z', 'y', 'b']),
          await view.missing([]),
        );
      }
    });
    expect(answers.slice(0, 3)).toEqual([['z', 'y'], ['y', 'z'], []]);
    expect(answers.slice(-3)).toEqual([['z', 'y'], ['y', 'z'], []]);
  });

  it('does not take for new what is kept out', async () => {
    await evaluate(async ({ partitions }) => {
      expect(await partitions(letters).missing(['unwanted', 'new', 'a'])).toEqual(['new']);
      expect(await partitions(letters).has('unwanted')).toBe(false);
    });
  });

  // oxlint-disable-next-line typescript/no-explicit-any -- code that was written before the answers were promises
  it.each<readonly [string, (view: any) => unknown, string]>([
    [
      'missing(…).length',
      (view) => view.missing(['x']).length,
      "write await partitions('letters').missing(…)",
    ],
    ['missing(…).filter', (view) => view.missing(['x']).filter(Boolean), 'missing(…) is a promise'],
    ['…missing(…)', (view) => [...view.missing(['x'])], 'missing(…) is a promise'],
    ['for of missing(…)', (view) => Array.from(new Set(view.missing(['x']))), 'missing(…) is a promise'],
    [
      'an add request of missing(…)',
      (view) => letters.buildAddRequest(view.missing(['x'])),
      'missing(…) is a promise',
    ],
    [
      'keys.length',
      (view) => view.keys.length,
      "write for await (const key of partitions('letters').keys())",
    ],
    ['keys.includes', (view) => view.keys.includes('a'), 'keys is a function'],
    ['…keys', (view) => [...view.keys], 'keys is a function'],
    ['…keys()', (view) => [...view.keys()], 'write for await'],
    ['count > 0', (view) => view.count > 0, "write await partitions('letters').count()"],
    ['count() + 1', (view) => view.count() + 1, 'count() is a promise'],
    ['has(…) in a text', (view) => `${view.has('a')}`, 'has(…) is a promise'],
  ])('that uses %s as of old is told its line and what to write', async (_, use, hint) => {
    const { ended } = await evaluate(({ partitions }) => void use(partitions(letters)));
    const failure = 'failure' in ended ? ended.failure : undefined;
    expect(failure).toMatchObject({ reason: 'sensor-threw', message: expect.stringContaining(hint) });
    const [place] = (failure as { frames: readonly string[] }).frames.filter(
      (frame) => !frame.includes('/src/'),
    );
    expect(place).toContain('evaluate-sensor.test.ts');
  });

  it.each<readonly [string, (context: SensorContext) => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new TypeError('no feed');
      },
      /TypeError: no feed/,
    ],
    ['rejects', () => Promise.reject(new Error('offline')), /offline/],
    [
      'throws what is no error',
      () => {
        throw 'text';
      },
      /^text$/,
    ], // oxlint-disable-line no-throw-literal, typescript/only-throw-error
    [
      'asks for a set that is not there',
      ({ partitions }) => partitions('leters'),
      /no set 'leters'; did you mean 'letters'/,
    ],
    [
      'asks what is missing of a bare text',
      ({ partitions }) => partitions(letters).missing('abc'),
      /missing\(\) takes a list/,
    ],
    [
      'builds a request of a bare text',
      () => ({ dynamicPartitionsRequests: [letters.buildAddRequest('abc')] }),
      /keys must be a list/,
    ],
  ])('that %s is a failure with the user’s own words (Dagster 34)', async (_, act, says) => {
    const failure = await failureOf(act as Evaluate);
    expect(failure).toMatchObject({ reason: 'sensor-threw', sensor: 'feed' });
    expect((failure as { message: string }).message).toMatch(says);
  });

  it('that returns what cannot be used is a failure that names everything', async () => {
    expect(await failureOf((() => ({ cursor: 5, foo: 1 })) as unknown as Evaluate)).toMatchObject({
      reason: 'sensor-result',
      problems: [expect.stringContaining('foo'), expect.stringContaining('cursor')],
    });
  });

  it('that outlives its timeout is a failure, and its signal is aborted', async () => {
    let signalled: AbortSignal | undefined;
    const failure = await failureOf(
      ({ signal }) => {
        signalled = signal;
        return new Promise(() => undefined);
      },
      {},
      { timeoutSeconds: 0.005 },
    );
    expect(failure).toEqual({ reason: 'sensor-timeout', sensor: 'feed', seconds: 0.005 });
    expect(signalled!.aborted).toBe(true);
  });

  it('that answers only because its time was over is a failure all the same', async () => {
    const failure = await failureOf(
      async ({ signal }) => {
        await aborted(signal);
        return { cursor: 'half' };
      },
      {},
      { timeoutSeconds: 0.005 },
    );
    expect(failure).toMatchObject({ reason: 'sensor-timeout' });
  });

  it('that is interrupted is a failure of its own kind', async () => {
    const interrupt = new AbortController();
    const began = new Recorder<string>();
    const failure = failureOf(
      () => {
        began.add('began');
        return new Promise(() => undefined);
      },
      { interrupt: interrupt.signal },
    );
    await began.count(1);
    interrupt.abort();
    expect(await failure).toEqual({ reason: 'sensor-interrupted', sensor: 'feed' });
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await evaluate(() => undefined);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has what it writes in the log of its tick, line by line', async () => {
    const { log, output } = await evaluate(({ log: writer }) => {
      writer.info('one\ntwo');
      writer.warn('careful');
      return {};
    });
    expect(log.map(({ stream, text }) => `${stream}: ${text}`)).toEqual([
      'log: one',
      'log: two',
      'log: warn: careful',
    ]);
    expect(output).toEqual(log);
  });

  it('runs programs whose output goes to its log and into the result', async () => {
    let result = { stdout: '', stderr: '' };
    const { log } = await evaluate(async ({ exec }) => {
      result = await exec(process.execPath, ['-e', 'console.log("out"); console.error("err")']);
    });
    expect(result).toMatchObject({ stdout: 'out', stderr: 'err' });
    expect(log.map(({ stream, text }) => `${stream}: ${text}`).sort()).toEqual([
      'stderr: err',
      'stdout: out',
    ]);
  });

  it('ends a program with its own end', async () => {
    const interrupt = new AbortController();
    let ended: unknown;
    const began = new Recorder<string>();
    const evaluation = failureOf(
      async ({ exec, log }) => {
        log.info('begin');
        const running = exec(process.execPath, ['-e', 'console.log("ready"); setInterval(() => 0, 1000)']);
        await running.catch((error: unknown) => {
          ended = error;
          began.add('ended');
          throw error;
        });
      },
      {
        interrupt: interrupt.signal,
        onOutput: ({ text }) => {
          if (text === 'ready') interrupt.abort();
        },
      },
    );
    expect(await evaluation).toMatchObject({ reason: 'sensor-interrupted' });
    await began.count(1);
    expect(ended).toMatchObject({ isCanceled: true });
  });
});
