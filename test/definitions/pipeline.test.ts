/** Defining a pipeline: every default filled in, and every problem said at once, with its code and its place. */
import { describe, expect, it } from 'vitest';
import { asset, type AnyAsset, type AssetOptions } from '../../src/definitions/asset.ts';
import { allKeys, lastKeys, mapKeys } from '../../src/definitions/gather.ts';
import { kindOf } from '../../src/definitions/brand.ts';
import { dynamicPartitions } from '../../src/definitions/partitions.ts';
import { checkPipeline } from '../../src/definitions/rules/pipeline.ts';
import type { PipelineProblem } from '../../src/model/failures/pipeline.ts';
import { definePipeline, PipelineError } from '../../src/definitions/pipeline.ts';
import type { PipelineOptions } from '../../src/definitions/pipeline-options.ts';
import { sensor, type SensorOptions } from '../../src/definitions/sensor.ts';
import { idle } from '../support/builders.ts';

const letters = dynamicPartitions('letters');
const numbers = dynamicPartitions('numbers');

/** An asset whose options TypeScript would not let pass. */
const odd = (options: object | undefined): AnyAsset => asset(options as AssetOptions<unknown>);
const oddSensor = (options: object): ReturnType<typeof sensor> =>
  sensor({ name: 's', evaluate: () => undefined, ...options });
const problemsOf = (options: unknown): PipelineProblem[] => checkPipeline(options as PipelineOptions);
const codesOf = (options: unknown): string[] => problemsOf(options).map(({ code }) => code);

describe('a pipeline', () => {
  it('fills in every default', () => {
    const a = idle('a', { partitions: letters });
    const pipeline = definePipeline({
      assets: [a],
      sensors: [sensor({ name: 's', assets: [a], evaluate: () => undefined })],
      partitions: [numbers],
    });
    expect(kindOf(pipeline)).toBe('pipeline');
    expect(pipeline.assets.get('a')).toMatchObject({
      set: 'letters',
      deps: [],
      upstream: [],
      retry: { maxRetries: 0, delayMs: 0, backoff: 'constant', jitter: 'none' },
      later: null,
      freshFor: null,
      timeoutMs: null,
      concurrency: null,
    });
    expect(pipeline.sensors.get('s')).toMatchObject({
      assets: ['a'],
      minimumIntervalSeconds: 30,
      timeoutSeconds: 60,
      defaultStatus: 'RUNNING',
    });
    expect(pipeline.sets).toEqual(['numbers', 'letters']);
    expect(pipeline.concurrency).toBe(10);
    expect(pipeline.ioManager).toBeNull();
    expect(definePipeline({})).toMatchObject({ sets: [] });
  });

  it('takes an empty retry policy for one retry at once', () => {
    expect(definePipeline({ assets: [idle('a', { retry: {} })] }).assets.get('a')!.retry).toEqual({
      maxRetries: 1,
      delayMs: 0,
      backoff: 'constant',
      jitter: 'none',
    });
  });

  it('puts upstream assets first, and leaves the others in their order', () => {
    const first = idle('first');
    const second = idle('second', { deps: [first] });
    const third = idle('third', { inputs: { x: second }, deps: [second, first] });
    const pipeline = definePipeline({ assets: [idle('other'), third, first, second] });
    expect([...pipeline.assets.keys()]).toEqual(['other', 'first', 'second', 'third']);
    expect(pipeline.assets.get('third')!.upstream).toEqual(['second', 'first']);
    expect(pipeline.assets.get('third')!.inputs).toEqual(new Map([['x', 'second']]));
  });

  it('puts what takes many keys behind what they are keys of, in a later stage, and all that is made of it too', () => {
    const sound = idle('sound', { partitions: letters });
    const totals = idle('totals', { inputs: { all: allKeys(sound, { onMissing: 'skip' }) } });
    const share = idle('share', {
      partitions: letters,
      inputs: { sound, totals },
      deps: [lastKeys(sound, 3)],
    });
    const pipeline = definePipeline({ assets: [share, totals, sound] });
    expect([...pipeline.assets.values()].map(({ name, stage }) => [name, stage])).toEqual([
      ['sound', 0],
      ['totals', 1],
      ['share', 1],
    ]);
    expect(pipeline.assets.get('totals')).toMatchObject({
      upstream: [],
      gathers: [{ asset: 'sound', input: 'all', which: { kind: 'all' }, onMissing: 'skip' }],
    });
    expect(pipeline.assets.get('share')).toMatchObject({
      upstream: ['sound', 'totals'],
      gathers: [{ asset: 'sound', input: null, which: { kind: 'last', count: 3 }, onMissing: 'fail' }],
    });
  });

  it('calls functions with their own `this`', () => {
    class Feed implements SensorOptions {
      readonly name = 's';
      readonly #reason = 'mine';
      evaluate(): { skipReason: string } {
        return { skipReason: this.#reason };
      }
    }
    const feed = new Feed();
    const pipeline = definePipeline({ sensors: [sensor(feed)] });
    expect(pipeline.sensors.get('s')!.evaluate({} as never)).toEqual({ skipReason: 'mine' });
  });

  it('takes two definitions of one set for one set', () => {
    const pipeline = definePipeline({
      assets: [idle('a', { partitions: letters }), idle('b', { partitions: dynamicPartitions('letters') })],
    });
    expect(pipeline.sets).toEqual(['letters']);
  });
});

describe('the rules of a pipeline', () => {
  const unlisted = idle('unlisted');
  const lettered = idle('up', { partitions: letters });
  const cases: readonly (readonly [what: string, options: unknown, code: string, says: RegExp])[] = [
    ['no object', null, 'invalid-pipeline', /takes an object .* not null/],
    ['a list instead of options', [], 'invalid-pipeline', /not an array/],
    [
      'many keys of no asset',
      { assets: [idle('a', { inputs: { all: allKeys('x' as never) } })] },
      'invalid-asset',
      /allKeys\(\) of input 'all' of asset 'a' takes an asset, not a string/,
    ],
    [
      'many keys of an asset without partitions',
      { assets: [idle('up'), idle('a', { deps: [allKeys(idle('up'))] })] },
      'invalid-asset',
      /deps of asset 'a' takes keys of asset 'up', which has no partitions: name the asset itself/,
    ],
    [
      'many keys of an asset that is not there',
      { assets: [idle('a', { inputs: { all: lastKeys(unlisted, 2) } })] },
      'unknown-upstream',
      /input 'all' of asset 'a' is asset 'unlisted'/,
    ],
    [
      'no last keys',
      {
        assets: [
          idle('up', { partitions: letters }),
          idle('a', { inputs: { all: lastKeys(idle('up', { partitions: letters }), 0) } }),
        ],
      },
      'invalid-option',
      /lastKeys\(\) of input 'all' of asset 'a' takes how many keys as a whole number above 0/,
    ],
    [
      'another word for what a missing key means',
      { assets: [lettered, idle('a', { deps: [allKeys(lettered, { onMissing: 'ignore' as never })] })] },
      'invalid-option',
      /onMissing of deps of asset 'a' must be 'fail', 'skip' or 'wait', not 'ignore'/,
    ],
    [
      'mapped keys without a function',
      { assets: [lettered, idle('a', { partitions: letters, deps: [mapKeys(lettered, 5 as never)] })] },
      'invalid-option',
      /mapKeys\(\) of deps of asset 'a' takes a function of the key, not a number/,
    ],
    [
      'mapped keys of an asset that has none itself',
      { assets: [lettered, idle('a', { deps: [mapKeys(lettered, () => 'x')] })] },
      'invalid-option',
      /mapKeys\(\) of deps of asset 'a' names keys for each key of the asset, which has no partitions/,
    ],
    [
      'a wait for many keys where it takes none',
      { assets: [idle('a', { automate: { when: 'stale', waitFor: 'all' } })] },
      'invalid-option',
      /automate\.waitFor of asset 'a' says how many upstream keys are waited for, and it takes none of many/,
    ],
    [
      'a wait for something else',
      {
        assets: [
          lettered,
          idle('a', { deps: [allKeys(lettered)], automate: { when: 'stale', waitFor: { allBut: 0 } } }),
        ],
      },
      'invalid-option',
      /automate\.waitFor of asset 'a' must be 'all' or \{ allBut: n \} with a whole number above 0/,
    ],
    [
      'a wait for all but some keys that needs all of them',
      {
        assets: [
          lettered,
          idle('a', { deps: [allKeys(lettered)], automate: { when: 'stale', waitFor: { allBut: 2 } } }),
        ],
      },
      'invalid-option',
      /asks for it while keys of asset 'up' are not there, and onMissing 'fail' needs all of them/,
    ],
    [
      'an unknown option of many keys',
      { assets: [lettered, idle('a', { deps: [allKeys(lettered, { onMising: 'skip' } as never)] })] },
      'unknown-option',
      /allKeys\(\) of deps of asset 'a' has an unknown option 'onMising'; did you mean 'onMissing'/,
    ],
    [
      'assets that are no list',
      { assets: {} },
      'invalid-pipeline',
      /assets of the pipeline must be a list, not an object/,
    ],
    [
      'something else among the assets',
      { assets: ['a'] },
      'invalid-pipeline',
      /assets\[0\].* asset\(\), not be a string/,
    ],
    [
      'something else among the sensors',
      { sensors: [idle('a')] },
      'invalid-pipeline',
      /sensors\[0\].* sensor\(\)/,
    ],
    [
      'something else among the sets',
      { partitions: [null] },
      'invalid-pipeline',
      /partitions\[0\].* dynamicPartitions\(\), not be null/,
    ],
    ['an unknown option', { asets: [] }, 'unknown-option', /'asets'; did you mean 'assets'/],
    [
      'history of no days',
      { history: { days: 0 } },
      'invalid-option',
      /history\.days of the pipeline must be a number of days above 0/,
    ],
    [
      'half a run of history',
      { history: { runs: 0.5 } },
      'invalid-option',
      /history\.runs of the pipeline must be a whole number above 0/,
    ],
    ['a list for a history', { history: [] }, 'invalid-option', /history of the pipeline must be an object/],
    [
      'an unknown part of the history',
      { history: { tick: 5 } },
      'unknown-option',
      /history of the pipeline has an unknown option 'tick'; did you mean 'ticks'\?/,
    ],
    [
      'no concurrency',
      { concurrency: 0 },
      'invalid-option',
      /concurrency of the pipeline must be a whole number above 0/,
    ],
    ['half a concurrency', { concurrency: 1.5 }, 'invalid-option', /whole number/],
    [
      'an I/O manager without functions',
      { ioManager: { save: 1, load() {}, remove() {} } },
      'invalid-io-manager',
      /no function 'save'/,
    ],
    [
      'asset() without options',
      { assets: [odd(undefined)] },
      'invalid-asset',
      /takes an object, not undefined/,
    ],
    [
      'an asset without materialize',
      { assets: [odd({ name: 'a' })] },
      'invalid-asset',
      /'a' has no materialize function/,
    ],
    [
      'an asset with an unknown option',
      { assets: [idle('a', { inptus: {} } as object)] },
      'unknown-option',
      /asset 'a' .* 'inptus'; did you mean 'inputs'/,
    ],
    [
      'a name that leaves its folder',
      { assets: [idle('../a')] },
      'invalid-name',
      /"\.\.\/a" is no name for an asset/,
    ],
    ['an empty name', { assets: [idle('')] }, 'invalid-name', /"" is no name/],
    ['a name that begins with a dash', { assets: [idle('-a')] }, 'invalid-name', /-a/],
    ['a name that is too long', { assets: [idle('a'.repeat(201))] }, 'invalid-name', /at most 200/],
    ['a name that objects inherit from', { assets: [idle('__proto__')] }, 'invalid-name', /__proto__/],
    [
      'a name that is no text',
      { assets: [odd({ name: 5, materialize() {} })] },
      'invalid-name',
      /a number is no name/,
    ],
    ['a set with a bad name', { partitions: [dynamicPartitions('a b')] }, 'invalid-name', /for a set/],
    [
      'an asset of a set with a bad name',
      { assets: [idle('a', { partitions: dynamicPartitions('') })] },
      'invalid-name',
      /for a set/,
    ],
    [
      'partitions that are no set',
      { assets: [idle('a', { partitions: 'letters' as never })] },
      'invalid-asset',
      /must come from dynamicPartitions\(\), not be a string/,
    ],
    [
      'a timeout of nothing',
      { assets: [idle('a', { timeoutMs: 0 })] },
      'invalid-option',
      /timeoutMs of asset 'a'/,
    ],
    [
      'a timeout without end',
      { assets: [idle('a', { timeoutMs: Infinity })] },
      'invalid-option',
      /timeoutMs/,
    ],
    [
      'a concurrency below 1',
      { assets: [idle('a', { concurrency: -1 })] },
      'invalid-option',
      /concurrency of asset 'a'/,
    ],
    [
      'a retry that is no object',
      { assets: [idle('a', { retry: 3 as never })] },
      'invalid-asset',
      /retry of asset 'a' must be an object, not a number/,
    ],
    [
      'an unknown retry option',
      { assets: [idle('a', { retry: { maxRetires: 1 } as object })] },
      'unknown-option',
      /did you mean 'maxRetries'/,
    ],
    [
      'negative retries',
      { assets: [idle('a', { retry: { maxRetries: -1 } })] },
      'invalid-asset',
      /maxRetries/,
    ],
    [
      'a period that is none',
      { assets: [idle('a', { automate: { when: 'missing', every: 'year' as never } })] },
      'invalid-option',
      /automate.every of asset 'a' must be one of 'hour', 'day', 'week', 'month'/,
    ],
    [
      'a time that cannot be read',
      { assets: [idle('a', { automate: { when: 'missing', every: 'day', at: '25:00' } })] },
      'invalid-option',
      /automate.at of asset 'a' must be a time of each day such as '07:00', not '25:00'/,
    ],
    [
      'half a time of a week',
      { assets: [idle('a', { automate: { when: 'missing', every: 'week', at: 'mon 7' } })] },
      'invalid-option',
      /a time of each week such as 'mon 07:00', not 'mon 7'/,
    ],
    [
      'a time without a period',
      { assets: [idle('a', { automate: { when: 'missing', at: '07:00' } })] },
      'invalid-option',
      /automate.at of asset 'a' says when in each period: it needs every/,
    ],
    [
      'a time zone that nobody knows',
      { assets: [idle('a', { automate: { when: 'missing', every: 'day', timeZone: 'Europe/Atlantis' } })] },
      'invalid-option',
      /automate.timeZone of asset 'a' must be a time zone such as 'Europe\/Berlin', not 'Europe\/Atlantis'/,
    ],
    [
      'a time zone without a period',
      { assets: [idle('a', { automate: { when: 'missing', timeZone: 'UTC' } })] },
      'invalid-option',
      /automate.timeZone of asset 'a' needs every/,
    ],
    [
      'delays that are none',
      {
        assets: [
          idle('a', {
            automate: 'missing',
            retry: { later: ['10m', 'soon', '366d'] },
          }),
        ],
      },
      'invalid-asset',
      /retry.later of asset 'a' must hold durations of a year at most such as '10m', '1h' or '1d', not 'soon'/,
    ],
    [
      'a delay of years',
      { assets: [idle('a', { automate: 'missing', retry: { later: ['367d'] } })] },
      'invalid-asset',
      /durations of a year at most .*, not '367d'/,
    ],
    [
      'a delay that is no text',
      { assets: [idle('a', { automate: 'missing', retry: { later: [5 as never] } })] },
      'invalid-asset',
      /, not a number/,
    ],
    [
      'no delays',
      { assets: [idle('a', { automate: 'missing', retry: { later: [] } })] },
      'invalid-asset',
      /a list of 1 to 100 durations/,
    ],
    [
      'delays without anybody who requests',
      { assets: [idle('a', { retry: { later: ['1h'] } })] },
      'invalid-asset',
      /retry.later of asset 'a' needs automate/,
    ],
    [
      'freshness that is a text',
      { assets: [idle('a', { freshFor: '2d' as never })] },
      'invalid-option',
      /freshFor of asset 'a' must be durations such as \{ warn: '26h', fail: '2d' \}, not '2d'/,
    ],
    [
      'freshness that says nothing',
      { assets: [idle('a', { freshFor: {} })] },
      'invalid-option',
      /freshFor of asset 'a' says nothing: it needs warn, fail or both/,
    ],
    [
      'freshness by a word that is nearly one',
      { assets: [idle('a', { freshFor: { fails: '2d', warn: '1d' } as never })] },
      'unknown-option',
      /freshFor of asset 'a' has an unknown option 'fails'; did you mean 'fail'\?/,
    ],
    [
      'a warning that comes too late',
      { assets: [idle('a', { freshFor: { warn: '48h', fail: '2d' } })] },
      'invalid-option',
      /warns after '48h', when it is overdue already: warn must be less than fail, '2d'/,
    ],
    [
      'freshness in other words',
      { assets: [idle('a', { freshFor: { fail: '2 Days' } })] },
      'invalid-option',
      /freshFor.fail of asset 'a' must be a duration .*, not '2 Days'; did you mean '2d'\?/,
    ],
    [
      'freshness of no time',
      { assets: [idle('a', { freshFor: { warn: '0s' } })] },
      'invalid-option',
      /freshFor.warn of asset 'a' must be a duration .*, not '0s'$/,
    ],
    [
      'freshness as a number',
      { assets: [idle('a', { freshFor: { warn: 5 as never } })] },
      'invalid-option',
      /freshFor.warn of asset 'a' must be a duration .*, not a number$/,
    ],
    [
      'new keys every something',
      { sensors: [sensor({ name: 's', expectNewKeysEvery: '10 mins', evaluate: () => undefined })] },
      'invalid-option',
      /expectNewKeysEvery of sensor 's' must be a duration .*, not '10 mins'; did you mean '10m'\?/,
    ],
    [
      'new keys in two years',
      { sensors: [sensor({ name: 's', expectNewKeysEvery: '105w', evaluate: () => undefined })] },
      'invalid-option',
      /of a year at most .*, not '105w'$/,
    ],
    ['half a retry', { assets: [idle('a', { retry: { maxRetries: 0.5 } })] }, 'invalid-asset', /maxRetries/],
    ['a negative delay', { assets: [idle('a', { retry: { delayMs: -1 } })] }, 'invalid-asset', /delayMs/],
    [
      'an unknown backoff',
      { assets: [idle('a', { retry: { backoff: 'x' as never } })] },
      'invalid-asset',
      /backoff/,
    ],
    [
      'an unknown jitter',
      { assets: [idle('a', { retry: { jitter: 'x' as never } })] },
      'invalid-asset',
      /jitter/,
    ],
    [
      'inputs that are a list',
      { assets: [idle('a', { inputs: [] as never })] },
      'invalid-asset',
      /inputs of asset 'a' must be an object/,
    ],
    [
      'deps that are no list',
      { assets: [idle('a', { deps: {} as never })] },
      'invalid-asset',
      /deps of asset 'a' must be a list/,
    ],
    [
      'an input that is no asset',
      { assets: [idle('a', { inputs: { x: 'b' as never } })] },
      'invalid-asset',
      /input 'x' of asset 'a' must be an asset/,
    ],
    [
      'an upstream that is not in the pipeline',
      { assets: [idle('a', { inputs: { x: unlisted } })] },
      'unknown-upstream',
      /'unlisted', which is not in the pipeline/,
    ],
    [
      'a dep that is not in the pipeline',
      { assets: [idle('a', { deps: [unlisted] })] },
      'unknown-upstream',
      /deps of asset 'a'/,
    ],
    [
      'a sensor without evaluate',
      { sensors: [oddSensor({ evaluate: undefined })] },
      'invalid-sensor',
      /no evaluate function/,
    ],
    [
      'a sensor with an unknown option',
      { sensors: [oddSensor({ interval: 5 })] },
      'unknown-option',
      /'interval'/,
    ],
    [
      'an interval of nothing',
      { sensors: [oddSensor({ minimumIntervalSeconds: 0 })] },
      'invalid-option',
      /minimumIntervalSeconds/,
    ],
    [
      'a cron line that cannot be read',
      { sensors: [oddSensor({ cron: '0 25 * * *' })] },
      'invalid-option',
      /cron of sensor .* must be five fields .*: its hour is '25'/,
    ],
    [
      'a cron line beside an interval',
      { sensors: [oddSensor({ cron: '0 7 * * *', minimumIntervalSeconds: 60 })] },
      'invalid-option',
      /it can tick by one of them/,
    ],
    [
      'a time zone that does not exist',
      { sensors: [oddSensor({ cron: '0 7 * * *', timeZone: 'Europe/Berln' })] },
      'invalid-option',
      /timeZone of sensor .* must be a time zone/,
    ],
    [
      'a time zone without a cron line',
      { sensors: [oddSensor({ timeZone: 'UTC' })] },
      'invalid-option',
      /says nothing without cron/,
    ],
    [
      'a timeout that is no number',
      { sensors: [oddSensor({ timeoutSeconds: '60' })] },
      'invalid-option',
      /timeoutSeconds/,
    ],
    [
      'an unknown default status',
      { sensors: [oddSensor({ defaultStatus: 'RUNNING' })] },
      'invalid-sensor',
      /defaultStatus/,
    ],
    [
      'targets that are no list',
      { sensors: [oddSensor({ assets: {} })] },
      'invalid-sensor',
      /must be a list/,
    ],
    [
      'a target that is no asset',
      { sensors: [oddSensor({ assets: ['a'] })] },
      'invalid-sensor',
      /holds a string/,
    ],
    [
      'a target that is not in the pipeline',
      { sensors: [oddSensor({ assets: [unlisted] })] },
      'unknown-asset',
      /'unlisted', which is not in the pipeline/,
    ],
    [
      'two assets of one name',
      { assets: [idle('a'), idle('a')] },
      'duplicate-asset',
      /two assets named 'a'; the first is at /,
    ],
    [
      'one asset twice',
      { assets: ((a) => [a, a])(idle('a')) },
      'duplicate-asset',
      /stands in the list twice/,
    ],
    [
      'two sensors of one name',
      { sensors: [oddSensor({}), oddSensor({})] },
      'duplicate-sensor',
      /two sensors named 's'/,
    ],
  ];

  it.each(cases)('name %s', (_, options, code, says) => {
    const problems = problemsOf(options);
    expect(problems.map((problem) => problem.code)).toEqual([code]);
    expect(problems[0]!.message).toMatch(says);
  });

  it('have an asset and its upstream agree on their set, unless the upstream has none', () => {
    const lettered = idle('lettered', { partitions: letters });
    const plain = idle('plain');
    expect(codesOf({ assets: [lettered, idle('b', { partitions: numbers, deps: [lettered] })] })).toEqual([
      'different-partitions',
    ]);
    expect(codesOf({ assets: [lettered, idle('b', { inputs: { lettered } })] })).toEqual([
      'different-partitions',
    ]);
    expect(codesOf({ assets: [plain, idle('b', { partitions: numbers, inputs: { plain } })] })).toEqual([]);
  });

  it('find a circle, which only a trick can make', () => {
    const inputs: Record<string, AnyAsset> = {};
    const a = idle('a', { inputs });
    const b = idle('b', { inputs: { a } });
    inputs['b'] = b;
    const problems = problemsOf({ assets: [a, b] });
    expect(problems.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      'cycle: assets depend on each other in a circle: a → b → a',
    ]);
  });

  it('find a circle through many keys', () => {
    const inputs: Record<string, AnyAsset> = {};
    const a = idle('a', { partitions: letters, inputs });
    const b = idle('b', { partitions: letters, deps: [allKeys(a)] });
    inputs['b'] = b;
    expect(problemsOf({ assets: [a, b] }).map(({ message }) => message)).toEqual([
      'assets depend on each other in a circle: a → b → a',
    ]);
  });

  it('find it beside other mistakes, in one report', () => {
    const inputs: Record<string, AnyAsset> = { odd: 5 as never };
    const automate = { when: 'missing', every: 'day', at: '25:00', timeZone: 'Mars' } as const;
    const a = idle('a', { inputs, automate });
    inputs['b'] = idle('b', { inputs: { a } });
    expect(
      codesOf({ assets: [a, inputs['b'], idle('c', { automate: { when: 'stale', at: 'mon 7' } })] }),
    ).toEqual(['invalid-option', 'invalid-option', 'invalid-option', 'invalid-asset', 'cycle']);
  });

  it('find what is wrong with a definition that stands there twice once', () => {
    const bad = oddSensor({ evaluate: 3 });
    const twice = idle('a', { deps: [5 as never] });
    expect(codesOf({ assets: [twice, twice], sensors: [bad, bad] }).toSorted()).toEqual(
      [...codesOf({ assets: [twice], sensors: [bad] }), 'duplicate-asset', 'duplicate-sensor'].toSorted(),
    );
  });

  it('say everything at once', () => {
    const options = {
      concurrency: -1,
      assets: [idle('a b'), odd({ name: 'c' }), idle('d', { inputs: { x: unlisted }, timeoutMs: NaN })],
      sensors: [oddSensor({ assets: [unlisted], timeoutSeconds: 0 })],
      ioManager: {},
    };
    expect(codesOf(options).sort()).toEqual(
      [
        'invalid-option',
        'invalid-name',
        'invalid-asset',
        'unknown-upstream',
        'invalid-option',
        'unknown-asset',
        'invalid-option',
        'invalid-io-manager',
        'invalid-io-manager',
        'invalid-io-manager',
      ].sort(),
    );
  });

  it('say where in the user’s file it stands', () => {
    const [problem] = problemsOf({ assets: [odd({ name: 'here' })] });
    // `odd` is where asset() is called.
    expect(problem!.place).toMatch(/pipeline\.test\.ts:\d+(:\d+)?$/);
    expect(problemsOf({ partitions: [dynamicPartitions('no name')] })[0]!.place).toMatch(
      /pipeline\.test\.ts:\d+(:\d+)?$/,
    );
  });

  it('are thrown as one error that another copy of the package would recognise', () => {
    let thrown: unknown;
    try {
      definePipeline({ assets: [idle('a b'), idle('c d')] });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PipelineError);
    expect(PipelineError.problemsOf(thrown)).toHaveLength(2);
    expect(PipelineError.problemsOf(new Error('x'))).toBeUndefined();
    expect((thrown as Error).message.split('\n')).toHaveLength(2);
  });

  it('do not take a definition without a name for another one without a name', () => {
    expect(codesOf({ assets: [odd(undefined), odd(undefined)] })).toEqual(['invalid-asset', 'invalid-asset']);
  });
});

describe('a mistake of definePipeline', () => {
  const bad = odd({ name: 'bad name', partitions: letters, materialize: () => 1 });
  const target = odd({ name: 'target', materialize: () => 1, retri: {} });
  const fed = oddSensor({ assets: [target], evaluate: 1 });

  it.each([
    ['an object where a list is meant', { assets: { bad, target }, sensors: { fed } }],
    ['one definition where a list is meant', { assets: bad, sensors: fed }],
    ['a misspelt field', { asset: [bad, target], sensor: [fed] }],
    ['a list instead of an object', [bad, target, fed]],
  ])('does not hide those of its parts: %s', (_what, options) => {
    const codes = codesOf(options);
    expect(codes).toContain('invalid-name');
    expect(codes).toContain('invalid-sensor');
  });

  it('makes nothing unknown that is there', () => {
    expect(codesOf({ asset: [target], sensors: [fed] })).not.toContain('unknown-asset');
  });
});
