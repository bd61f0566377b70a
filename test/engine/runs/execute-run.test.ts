/** Executing one run: order, tries, timeouts, values, and what is the asset’s failure and what is not. */
import type { RunTask } from '../../../src/engine/plan/executors/owned-run.ts';
/* oxlint-disable unicorn/consistent-function-scoping -- helpers stand beside the tests that they are for */
import { NOTHING_CARRIED } from '../../../src/model/carried.ts';
import { outcomeOf } from '../../../src/model/run.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { asset, type AssetOptions } from '../../../src/definitions/asset.ts';
import { FailureError } from '../../../src/model/failure.ts';
import type { IoManager } from '../../../src/definitions/io-manager.ts';
import { RetryAfter } from '../../../src/definitions/retry-after.ts';
import { definePipeline, type Pipeline } from '../../../src/definitions/pipeline.ts';
import { loadProcessGroups } from '../../../src/cli/isolation/load-process-groups.ts';
import { Programs } from '../../../src/engine/user-code/programs.ts';
import type { Event } from '../../../src/engine/event.ts';
import { executeHere, type RunEnding } from '../../../src/engine/runs/execute-run.ts';
import { GRACE_MS } from '../../../src/engine/runs/try-asset.ts';
import type { RunLogLine } from '../../../src/state/store.ts';
import { letters } from '../../support/builders.ts';
import { MapValues, Recorder } from '../../support/engine-rig.ts';
import { FakeClock } from '../../support/fake-clock.ts';

interface Setup {
  readonly audio?: Partial<AssetOptions<unknown>>;
  readonly transcript?: Partial<AssetOptions<unknown>>;
  readonly config?: Partial<AssetOptions<unknown>>;
  readonly ioManager?: IoManager;
}

/** An asset without partitions, one by letter that needs it, and one by letter that needs that. */
class Studio {
  readonly clock = new FakeClock();
  readonly values = new MapValues();
  readonly events = new Recorder<Event>();
  readonly log: (RunLogLine & { readonly run: string })[] = [];
  /** What was told to be made before the end of the run. */
  readonly onTheWay: string[] = [];
  /** What is on record: `asset` or `asset@key`. */
  readonly made = new Set<string>();
  readonly skipped = new Set<string>();
  readonly interrupt = new AbortController();
  readonly pipeline: Pipeline;
  readonly #ioManager: IoManager;

  constructor({ audio = {}, transcript = {}, config = {}, ioManager }: Setup = {}) {
    const first = asset({ name: 'config', materialize: () => 'config', ...config } as AssetOptions<unknown>);
    const second = asset({
      name: 'audio',
      partitions: letters,
      materialize: ({ partitionKey }) => `audio ${partitionKey}`,
      ...audio,
    } as AssetOptions<unknown>);
    const third = asset({
      name: 'transcript',
      partitions: letters,
      inputs: { sound: second },
      materialize: ({ inputs }: { inputs: { sound: unknown } }) => `words of ${String(inputs.sound)}`,
      ...transcript,
    } as AssetOptions<unknown>);
    const loner = asset({
      name: 'summary',
      partitions: letters,
      inputs: { config: first },
      deps: [second],
      materialize: ({ inputs }) => `${inputs.config as string}!`,
    });
    const label = asset({ name: 'label', partitions: letters, materialize: () => 'label' });
    this.pipeline = definePipeline({
      assets: [first, second, third, loner, label],
      ...(ioManager && { ioManager }),
    });
    this.#ioManager = ioManager ?? this.values;
  }

  run(assets: readonly string[], fields: Partial<RunTask> = {}): Promise<RunEnding> {
    const execute = executeHere({
      pipeline: this.pipeline,
      ioManager: this.#ioManager,
      clock: this.clock,
      emit: this.events.add,
      statusOf: ({ asset, key }) => {
        const name = key === null ? asset : `${asset}@${key}`;
        return this.made.has(name) ? 'materialized' : this.skipped.has(name) ? 'skipped' : 'missing';
      },
      beginsWith: () => NOTHING_CARRIED,
      gather: () => Promise.resolve([]),
      begun: () => undefined,
      made: (_, { outcome }) => void this.onTheWay.push(outcome.asset),
      closeLog: () => undefined,
      programsOf: () => new Programs({ processes: loadProcessGroups }),
      appendLog: (run, lines) => void this.log.push(...lines.map((line) => ({ ...line, run }))),
    });
    const task = { id: 'g-1', partitionKey: 'a', tags: {}, assets, done: [], ...fields };
    return execute(task, this.interrupt.signal);
  }

  async end(
    assets: readonly string[],
    fields: Partial<RunTask> = {},
  ): Promise<Extract<RunEnding, { type: 'ended' }>> {
    const ending = await this.run(assets, fields);
    if (ending.type !== 'ended') throw new Error('it was interrupted');
    return ending;
  }
}

const statusesOf = ({ assets }: Extract<RunEnding, { type: 'ended' }>): string[] =>
  assets.map(({ asset: name, status, attempts, error }) =>
    `${name} ${status} ${attempts} ${error?.code ?? ''}`.trim(),
  );

/** Resolves when the signal of a context is aborted. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

afterEach(() => vi.useRealTimers());

describe('a run', () => {
  it('materializes its assets in order, each from the values of the same key (Dagster 20)', async () => {
    const the = new Studio();
    expect(await the.end(['audio', 'transcript'])).toMatchObject({ status: 'SUCCESS', error: null });
    expect([...the.values.values]).toEqual([
      ['audio@a', 'audio a'],
      ['transcript@a', 'words of audio a'],
    ]);
  });

  it('gives user code its key, its tags, its attempt and what it may use', async () => {
    const seen: object[] = [];
    const the = new Studio({
      audio: {
        materialize: ({ partitionKey, run, inputs, addMetadata }) => {
          seen.push({ partitionKey, run, inputs });
          addMetadata({ words: 1, kept: true });
          addMetadata({ words: 2 });
        },
      },
    });
    const { assets } = await the.end(['audio'], { tags: { by: 'me' } });
    expect(seen).toEqual([
      { partitionKey: 'a', run: { id: 'g-1', tags: { by: 'me' }, attempt: 1 }, inputs: {} },
    ]);
    expect(assets).toEqual([
      outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 1, metadata: { words: 2, kept: true } }),
    ]);
  });

  it('keeps metadata as well-formed text, and no more than 64 KiB of it in all', async () => {
    const the = new Studio({
      audio: { materialize: ({ addMetadata }) => addMetadata({ title: 'Episode \ud83c', '\udf89': 1 }) },
    });
    expect((await the.end(['audio'])).assets[0]!.metadata).toEqual({ title: 'Episode \ufffd', '\ufffd': 1 });
    const big = new Studio({
      audio: {
        materialize: ({ addMetadata }) => {
          addMetadata({ first: 'x'.repeat(40_000) });
          addMetadata({ second: 'x'.repeat(40_000) });
        },
      },
    });
    const { status, error } = await big.end(['audio']);
    expect([status, error?.message]).toEqual([
      'FAILURE',
      expect.stringMatching(/addMetadata takes 65536 bytes of JSON in all, and these are 80\d\d\d/),
    ]);
  });

  it('keeps metadata as it was when it was added', async () => {
    const list = [1];
    const the = new Studio({
      audio: { materialize: ({ addMetadata }) => void (addMetadata({ list }), list.push(2)) },
    });
    expect((await the.end(['audio'])).assets[0]!.metadata).toEqual({ list: [1] });
  });

  it.each<readonly [string, unknown, string]>([
    ['a Date', { at: new Date(0) }, 'metadata.at is a Date'],
    ['a text', 'x', 'takes an object'],
    ['a list', [], 'takes an object'],
  ])('fails where metadata is %s', async (_, metadata, says) => {
    const the = new Studio({ audio: { materialize: ({ addMetadata }) => addMetadata(metadata as never) } });
    expect((await the.end(['audio'])).error!.message).toContain(says);
  });

  it('waits within the run for what asks for a minute at most, ten times, beside its own retries', async () => {
    let tries = 0;
    const the = new Studio({
      audio: {
        retry: { maxRetries: 1 },
        materialize: () => {
          tries++;
          throw tries % 4 === 3 ? new Error('broken') : new RetryAfter(60, 'not now');
        },
      },
    });
    const began = the.clock.now();
    const ending = await the.end(['audio']);
    // not now × 2, broken, not now × 3, broken for the second time
    expect([tries, the.clock.now() - began]).toEqual([7, 5 * 60_000]);
    expect([ending.error!.message, ending.asked]).toEqual([
      expect.stringContaining('broken'),
      new Map<string, number>(),
    ]);
    tries = -1000;
    const patient = new Studio({
      audio: { materialize: () => (tries++, Promise.reject(new RetryAfter(1.5))) },
    });
    expect((await patient.end(['audio'])).asked).toEqual(new Map([['audio', 1500]]));
    expect(tries).toBe(-1000 + 11);
  });

  it('ends where user code asks for more than a minute, and says when', async () => {
    const the = new Studio({
      audio: { retry: { maxRetries: 5 }, materialize: () => Promise.reject(new RetryAfter(61, '429')) },
    });
    const ending = await the.end(['audio', 'transcript']);
    expect(statusesOf(ending)).toEqual([
      'audio FAILURE 1 asset-threw',
      'transcript SKIPPED 0 upstream-failed',
    ]);
    const again = new Date(the.clock.now() + 61_000).toISOString();
    expect(ending.error!.message).toContain(`threw: 429 (asks to be tried again at ${again})`);
    expect(ending.asked).toEqual(new Map([['audio', 61_000]]));
  });

  it.each([-1, Number.NaN, Infinity, '5' as never])('refuses to wait for %s seconds', (seconds) => {
    expect(() => new RetryAfter(seconds)).toThrow(/RetryAfter takes seconds from 0 to 31622400/);
  });

  it('hands on the one value of an asset without partitions to every key', async () => {
    const the = new Studio();
    the.values.save({ asset: 'config', partitionKey: null }, 'loud');
    the.made.add('config').add('audio@a');
    await the.end(['summary']);
    expect(the.values.values.get('summary@a')).toBe('loud!');
  });

  it('skips what depends on a failed asset, and says so; what does not is materialized', async () => {
    const the = new Studio({
      audio: {
        materialize: () => {
          throw new RangeError('no sound');
        },
      },
    });
    const ending = await the.end(['audio', 'transcript', 'summary', 'label']);
    expect(statusesOf(ending)).toEqual([
      'audio FAILURE 1 asset-threw',
      'transcript SKIPPED 0 upstream-failed',
      'summary SKIPPED 0 upstream-failed',
      'label SUCCESS 1',
    ]);
    expect(ending.status).toBe('FAILURE');
    expect(ending.error!.message).toContain('RangeError: no sound');
    expect(ending.error!.message).toContain('"a"');
    expect([...the.values.values.keys()]).toEqual(['label@a']);
  });

  it('fails where an upstream outside of it is not there; one that only comes first may be missing', async () => {
    const the = new Studio();
    expect(statusesOf(await the.end(['transcript']))).toEqual(['transcript FAILURE 0 upstream-missing']);
    expect(statusesOf(await the.end(['transcript']))).toEqual(['transcript FAILURE 0 upstream-missing']);
    the.made.add('config');
    the.values.save({ asset: 'config', partitionKey: null }, 'x');
    expect(statusesOf(await the.end(['summary']))).toEqual(['summary SUCCESS 1']);
    the.made.add('audio@a');
    the.values.save({ asset: 'audio', partitionKey: 'a' }, 'sound');
    expect(statusesOf(await the.end(['transcript']))).toEqual(['transcript SUCCESS 1']);
  });

  it('makes nothing again that is done, and tells what others follow', async () => {
    const the = new Studio();
    const outcome = outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 3, metadata: { kept: true } });
    the.values.save({ asset: 'audio', partitionKey: 'a' }, 'sound');
    the.made.add('config');
    the.values.save({ asset: 'config', partitionKey: null }, 'x');
    const done = [outcome];
    const ending = await the.end(['audio', 'transcript', 'summary'], { done });
    expect(ending.assets[0]).toEqual(done[0]);
    expect(statusesOf(ending)).toEqual(['audio SUCCESS 3', 'transcript SUCCESS 1', 'summary SUCCESS 1']);
    expect(the.onTheWay).toEqual(['transcript']);
  });

  it('goes by what another run has come to since of what is done: skipped it, made it, or failed to', async () => {
    const the = new Studio();
    const made = outcomeOf({ asset: 'audio', status: 'SUCCESS', attempts: 1 });
    const skipped = outcomeOf({ asset: 'audio', status: 'SKIPPED', skipReason: 'silent', attempts: 1 });
    const assets = ['audio', 'transcript'];
    the.skipped.add('audio@a');
    const [, behindSkipped] = (await the.end(assets, { done: [made] })).assets;
    expect(behindSkipped).toMatchObject({ status: 'SKIPPED', skipReason: "asset 'audio' was skipped" });
    const [, behindBoth] = (await the.end(assets, { done: [skipped] })).assets;
    expect(behindBoth).toMatchObject({ status: 'SKIPPED', skipReason: 'silent' });
    the.skipped.clear();
    const failed = await the.end(assets, { done: [skipped] });
    expect(statusesOf(failed)).toEqual(['audio SKIPPED 1', 'transcript FAILURE 0 upstream-missing']);
    the.made.add('audio@a');
    the.values.save({ asset: 'audio', partitionKey: 'a' }, 'sound');
    const again = await the.end(assets, { done: [skipped] });
    expect(statusesOf(again)).toEqual(['audio SKIPPED 1', 'transcript SUCCESS 1']);
  });

  it('asks an I/O manager that can tell whether an upstream is there', async () => {
    const asked: object[] = [];
    const ioManager = Object.assign(new MapValues(), {
      exists: (context: object) => {
        asked.push(context);
        return false;
      },
    });
    const the = new Studio({ ioManager });
    the.made.add('audio@a');
    expect(statusesOf(await the.end(['transcript']))).toEqual(['transcript FAILURE 0 upstream-missing']);
    expect(asked).toEqual([{ asset: 'audio', partitionKey: 'a' }]);
  });

  it('fails, and no more than the run, where a user’s own I/O manager throws', async () => {
    const broken = (method: 'save' | 'load' | 'exists'): Studio => {
      const ioManager: IoManager = Object.assign(new MapValues(), {
        [method]: () => {
          throw new Error(`${method} is broken`);
        },
      });
      const the = new Studio({ ioManager });
      the.made.add('audio@a');
      return the;
    };
    for (const method of ['save', 'load', 'exists'] as const) {
      const ending = await broken(method).end([method === 'save' ? 'audio' : 'transcript']);
      expect(ending.error).toMatchObject({
        code: 'asset-threw',
        message: expect.stringContaining(`${method} is broken`) as string,
      });
    }
  });

  it('is not failed by dynpart’s own files: that failure passes through', async () => {
    const failure = new FailureError({ reason: 'state-io', file: '/v', action: 'write', cause: 'no space' });
    for (const method of ['save', 'load'] as const) {
      const ioManager = Object.assign(new MapValues(), {
        [method]: () => {
          throw failure;
        },
      });
      const the = new Studio({
        ioManager,
        audio: { retry: { maxRetries: 5 } },
        transcript: { retry: { maxRetries: 5 } },
      });
      the.made.add('audio@a');
      await expect(the.run([method === 'save' ? 'audio' : 'transcript'])).rejects.toBe(failure);
      expect(the.events.all).toEqual([]);
    }
  });

  it('fails where a value could not be brought back from JSON, and keeps nothing', async () => {
    const the = new Studio({ audio: { materialize: () => ({ items: [{ at: new Date(0) }] }) } });
    const ending = await the.end(['audio']);
    expect(statusesOf(ending)).toEqual(['audio FAILURE 1 value-not-json']);
    expect(ending.error!.message).toContain('value.items[0].at is a Date');
    expect(the.values.values.size).toBe(0);
  });

  it('keeps bytes and nothing; and leaves a user’s own I/O manager whatever it is given', async () => {
    for (const value of [undefined, new Uint8Array([1])]) {
      const the = new Studio({ audio: { materialize: () => value } });
      expect((await the.end(['audio'])).status).toBe('SUCCESS');
      expect(the.values.values.get('audio@a')).toBe(value);
    }
    const own = new MapValues();
    const the = new Studio({ ioManager: own, audio: { materialize: () => new Date(0) } });
    expect((await the.end(['audio'])).status).toBe('SUCCESS');
    expect(own.values.get('audio@a')).toEqual(new Date(0));
  });

  it('fails for an asset that the pipeline does not have any more, and goes on with the others', async () => {
    expect(statusesOf(await new Studio().end(['gone', 'audio']))).toEqual([
      'gone FAILURE 0 unknown-asset',
      'audio SUCCESS 1',
    ]);
  });
});

describe('the tries of an asset', () => {
  const failing = (
    times: number,
  ): { materialize: AssetOptions<unknown>['materialize']; attempts: number[] } => {
    const attempts: number[] = [];
    return {
      attempts,
      materialize: ({ run }) => {
        attempts.push(run.attempt);
        if (attempts.length <= times) throw new Error(`try ${run.attempt} failed`);
        return 'fine';
      },
    };
  };

  it('are made as often as its policy says, with growing pauses', async () => {
    const { attempts, materialize } = failing(9);
    const the = new Studio({
      audio: { materialize, retry: { maxRetries: 3, delayMs: 100, backoff: 'exponential' } },
    });
    const ending = await the.end(['audio']);
    expect(attempts).toEqual([1, 2, 3, 4]);
    expect(the.clock.slept).toEqual([100, 300, 700]);
    expect(statusesOf(ending)).toEqual(['audio FAILURE 4 asset-threw']);
    expect(ending.error!.message).toContain('try 4 failed');
    expect(the.events.all.filter(({ type }) => type === 'attempt-failed')).toMatchObject(
      [1, 2, 3].map((attempt) => ({
        type: 'attempt-failed',
        run: 'g-1',
        asset: 'audio',
        partitionKey: 'a',
        attempt,
        problem: { code: 'asset-threw' },
      })),
    );
  });

  it('end with the first that succeeds', async () => {
    const { attempts, materialize } = failing(1);
    const the = new Studio({ audio: { materialize, retry: { maxRetries: 3 } } });
    expect(statusesOf(await the.end(['audio', 'transcript']))).toEqual([
      'audio SUCCESS 2',
      'transcript SUCCESS 1',
    ]);
    expect(attempts).toEqual([1, 2]);
    expect(the.values.values.get('transcript@a')).toBe('words of fine');
  });

  it('are one where there is no policy', async () => {
    const { attempts, materialize } = failing(9);
    await new Studio({ audio: { materialize } }).end(['audio']);
    expect(attempts).toEqual([1]);
  });

  it('are made again also where the value cannot be kept or its saving fails', async () => {
    let saves = 0;
    const ioManager = Object.assign(new MapValues(), {
      save: () => {
        if (++saves === 1) throw new Error('busy');
      },
    });
    expect(
      statusesOf(await new Studio({ ioManager, audio: { retry: { maxRetries: 1 } } }).end(['audio'])),
    ).toEqual(['audio SUCCESS 2']);
    let tries = 0;
    const the = new Studio({
      audio: { materialize: () => (++tries === 1 ? NaN : 1), retry: { maxRetries: 1 } },
    });
    expect(statusesOf(await the.end(['audio']))).toEqual(['audio SUCCESS 2']);
  });

  it('forget the metadata of those that failed', async () => {
    const the = new Studio({
      audio: {
        retry: { maxRetries: 1 },
        materialize: ({ run, addMetadata }) => {
          addMetadata({ [`try${run.attempt}`]: true });
          if (run.attempt === 1) throw new Error('x');
        },
      },
    });
    expect((await the.end(['audio'])).assets[0]!.metadata).toEqual({ try2: true });
  });

  it('stand each in the log, with what they printed and why they failed', async () => {
    const the = new Studio({
      audio: {
        retry: { maxRetries: 3 },
        timeoutMs: 1000,
        materialize: ({ run, log, signal }) => {
          log.info(`hello ${run.attempt}`);
          if (run.attempt === 1) throw new Error('thrown');
          if (run.attempt === 2) return NaN;
          if (run.attempt === 3) {
            vi.advanceTimersByTime(1000);
            expect(signal.aborted).toBe(true);
            throw new Error('because of the signal');
          }
          return 1;
        },
      },
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    the.clock.sleep = () => Promise.resolve();
    await the.end(['audio']);
    expect(the.log.every(({ run, asset: name }) => run === 'g-1' && name === 'audio')).toBe(true);
    const of = (attempt: number): string =>
      the.log
        .filter((line) => line.attempt === attempt)
        .map(({ text }) => text)
        .join('\n');
    expect(of(1)).toMatch(/^hello 1\n.*threw: thrown/);
    expect(of(2)).toMatch(/^hello 2\n.*cannot be kept/);
    expect(of(3)).toMatch(/^hello 3\n.*longer than its timeout/);
    expect(of(4)).toBe('hello 4');
  });
});

describe('the timeout of an asset', () => {
  it('aborts its signal and fails the try', async () => {
    let reason: unknown;
    const the = new Studio({
      audio: {
        timeoutMs: 5,
        materialize: async ({ signal }) => {
          await aborted(signal);
          reason = signal.reason;
          throw new Error('stopped');
        },
      },
    });
    const ending = await the.end(['audio']);
    expect(statusesOf(ending)).toEqual(['audio FAILURE 1 asset-timeout']);
    expect(ending.error!.message).toContain('5 ms');
    expect((reason as Error).name).toBe('AbortError');
    expect(the.log.map(({ text }) => text).join()).toContain('longer than its timeout');
  });

  it('gives up on user code that ignores its signal after ten seconds, and tries again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const began = new Recorder<number>();
    const the = new Studio({
      audio: {
        timeoutMs: 1000,
        retry: { maxRetries: 1 },
        materialize: ({ run }) => {
          began.add(run.attempt);
          return run.attempt === 1 ? new Promise(() => undefined) : 'second';
        },
      },
    });
    the.clock.sleep = () => Promise.resolve();
    const ending = the.end(['audio']);
    await began.count(1);
    await vi.advanceTimersByTimeAsync(1000);
    await vi.advanceTimersByTimeAsync(GRACE_MS - 1);
    expect(began.all).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(statusesOf(await ending)).toEqual(['audio SUCCESS 2']);
    expect(GRACE_MS).toBe(10_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await new Studio({ audio: { timeoutMs: 2 ** 40 } }).end(['audio']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a run that is interrupted', () => {
  it('does not begin where it was interrupted before', async () => {
    let called = 0;
    const the = new Studio({ audio: { materialize: () => ++called } });
    the.interrupt.abort();
    expect(await the.run(['audio'])).toEqual({ type: 'interrupted' });
    expect(called).toBe(0);
  });

  it('ends as interrupted where its user code gives up on the signal, and is not retried', async () => {
    const began = new Recorder<number>();
    const the = new Studio({
      audio: {
        retry: { maxRetries: 5 },
        materialize: async ({ signal, run }) => {
          began.add(run.attempt);
          await aborted(signal);
          throw new Error('aborted');
        },
      },
    });
    const ending = the.run(['audio', 'transcript']);
    await began.count(1);
    the.interrupt.abort();
    expect(await ending).toEqual({ type: 'interrupted' });
    expect(began.all).toEqual([1]);
  });

  it('keeps what came to its end all the same, and begins nothing more', async () => {
    const began = new Recorder<string>();
    const the = new Studio({
      audio: {
        materialize: async ({ signal }) => {
          began.add('audio');
          await aborted(signal);
          return 'whole';
        },
      },
      transcript: { materialize: () => began.add('transcript') },
    });
    const ending = the.run(['audio', 'transcript']);
    await began.count(1);
    the.interrupt.abort();
    expect(await ending).toEqual({ type: 'interrupted' });
    expect(the.values.values.get('audio@a')).toBe('whole');
    expect(began.all).toEqual(['audio']);
  });

  it('ends in the pause before a retry', async () => {
    const the = new Studio({
      audio: {
        retry: { maxRetries: 5, delayMs: 1000 },
        materialize: () => {
          throw new Error('x');
        },
      },
    });
    the.clock.sleep = (_ms, signal) => {
      expect(signal).toBe(the.interrupt.signal);
      the.interrupt.abort();
      return Promise.resolve();
    };
    expect(await the.run(['audio'])).toEqual({ type: 'interrupted' });
  });
});
