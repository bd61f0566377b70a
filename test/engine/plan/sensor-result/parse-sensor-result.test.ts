/** What a sensor returned: taken as it was meant, or refused with everything that is wrong with it. */
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { dynamicPartitions } from '../../../../src/definitions/partitions.ts';
import { definePipeline } from '../../../../src/definitions/pipeline.ts';
import { sensor } from '../../../../src/definitions/sensor.ts';
import { parseSensorResult } from '../../../../src/engine/plan/sensor-result/parse-sensor-result.ts';
import type { EvaluatedResult } from '../../../../src/engine/plan/sensor-result/result-fields.ts';
import { idle } from '../../../support/builders.ts';

const letters = dynamicPartitions('letters');
const audio = idle('audio', { partitions: letters });
const transcript = idle('transcript', { partitions: letters, inputs: { audio } });
const report = idle('report');
const count = idle('count', { partitions: dynamicPartitions('numbers') });
const pipeline = definePipeline({
  assets: [transcript, audio, report, count],
  sensors: [
    sensor({ name: 'feed', assets: [audio], evaluate: () => undefined }),
    sensor({ name: 'aimless', evaluate: () => undefined }),
  ],
});

const parse = (value: unknown, name = 'feed'): ReturnType<typeof parseSensorResult> =>
  parseSensorResult(value, pipeline.sensors.get(name)!, pipeline);

function resultOf(value: unknown, name?: string): EvaluatedResult {
  const parsed = parse(value, name);
  if ('problems' in parsed) throw new Error(parsed.problems.join('; '));
  return parsed.result;
}

function problemsOf(value: unknown, name?: string): readonly string[] {
  const parsed = parse(value, name);
  if ('result' in parsed) throw new Error('it was accepted');
  return parsed.problems;
}

describe('the result of a sensor', () => {
  it.each([undefined, null, {}, { dynamicPartitionsRequests: undefined, cursor: undefined }])(
    'may be %j: nothing',
    (value) => {
      expect(resultOf(value)).toEqual({
        cursor: undefined,
        requests: [],
        runs: [],
        skipReason: null,
        failures: [],
      });
    },
  );

  it('may name what could not be looked at', () => {
    expect(resultOf({ failures: [{ name: 'b', error: 'down' }] }).failures).toEqual([
      { name: 'b', error: 'down' },
    ]);
    expect(
      problemsOf({
        failures: [{ name: 'b', error: new Error('down') }, 'b', { name: 'b', error: 'e', code: 5 }],
      }),
    ).toEqual([
      'failures[0].error must be a string, not an object',
      'failures[1] must be { name, error }, not a string',
      'failures[2] has an unknown field "code"',
    ]);
  });

  it('is taken as it stands', () => {
    expect(
      resultOf({
        cursor: '',
        dynamicPartitionsRequests: [letters.buildAddRequest(['a']), letters.buildDeleteRequest(['b'])],
        runRequests: [{ partitionKey: 'a', runKey: 'k', tags: { by: 'me' } }],
      }),
    ).toEqual({
      cursor: '',
      requests: [
        { type: 'add', set: 'letters', keys: ['a'] },
        { type: 'delete', set: 'letters', keys: ['b'] },
      ],
      runs: [
        { set: 'letters', assets: ['audio'], tags: { by: 'me' }, keys: ['a'], runKeys: ['k'], numbers: [0] },
      ],
      skipReason: null,
      failures: [],
    });
    expect(resultOf({ skipReason: 'none', runRequests: [] }).skipReason).toBe('none');
    expect(resultOf(vm.runInNewContext('({ cursor: "1" })')).cursor).toBe('1');
  });

  it('may name assets by themselves or by their names, and gets them in dependency order, each once', () => {
    const [run] = resultOf({
      runRequests: [{ partitionKey: 'a', assets: [transcript, 'audio', audio] }],
    }).runs;
    expect(run!.assets).toEqual(['audio', 'transcript']);
    expect(resultOf({ runRequests: [{ assets: ['report'] }] }, 'aimless').runs[0]).toMatchObject({
      set: null,
      keys: [null],
    });
  });

  it.each<readonly [string, unknown, RegExp]>([
    ['a text', 'a', /it is a string; return an object/],
    ['a list', [], /it is an array/],
    ['a function', () => 1, /it is a function/],
    ['an unknown field', { runRequest: [] }, /unknown field "runRequest"; did you mean 'runRequests'/],
    ['a cursor that is a number', { cursor: 5 }, /cursor must be a string, not a number/],
    ['a cursor that is null', { cursor: null }, /cursor must be a string, not null/],
    [
      'a cursor of more than a MiB',
      { cursor: 'x'.repeat(1_048_577) },
      /cursor has 1048577 bytes; it may have 1048576/,
    ],
    ['a cursor that is no text', { cursor: '\ud83d' }, /cursor holds half of a surrogate pair/],
    ['a reason that is no text', { skipReason: true }, /skipReason must be a string, not a boolean/],
    [
      'requests that are no list',
      { dynamicPartitionsRequests: letters.buildAddRequest([]) },
      /dynamicPartitionsRequests must be a list, not an object/,
    ],
    ['run requests that are no list', { runRequests: {} }, /runRequests must be a list/],
    [
      'a request made by hand',
      { dynamicPartitionsRequests: [{ add: ['a'] }] },
      /\[0\] must come from buildAddRequest/,
    ],
    ['a request that is null', { dynamicPartitionsRequests: [null] }, /not be null/],
    [
      'a set that the pipeline does not have',
      { dynamicPartitionsRequests: [dynamicPartitions('unknown').buildAddRequest(['a'])] },
      /set "unknown", which the pipeline does not have/,
    ],
    [
      'a key that is no text',
      { dynamicPartitionsRequests: [{ type: 'add', set: 'letters', keys: [5] }] },
      /a key is a string, not a number/,
    ],
    [
      'a key with a line break',
      { dynamicPartitionsRequests: [letters.buildAddRequest(['a\nb'])] },
      /key "a\\nb" in dynamicPartitionsRequests\[0\]: it holds the control character U\+000A/,
    ],
    [
      'a key to delete that cannot be one',
      { dynamicPartitionsRequests: [letters.buildDeleteRequest([''])] },
      /it is empty/,
    ],
    [
      'a run request that is a text',
      { runRequests: ['a'] },
      /runRequests\[0\] must be an object .* not a string/,
    ],
    [
      'an unknown field in a run request',
      { runRequests: [{ partitionKey: 'a', runkey: 'a' }] },
      /unknown field "runkey"; did you mean 'runKey'/,
    ],
    [
      'a partition key that is a number',
      { runRequests: [{ partitionKey: 5 }] },
      /a key is a string, not a number/,
    ],
    [
      'a run key that is empty',
      { runRequests: [{ partitionKey: 'a', runKey: '' }] },
      /runKey of runRequests\[0\] must be a string that is not empty/,
    ],
    ['a run key that is a number', { runRequests: [{ partitionKey: 'a', runKey: 7 }] }, /not a number/],
    [
      'tags that are no texts',
      { runRequests: [{ partitionKey: 'a', tags: { n: 1 } }] },
      /tags of runRequests\[0\] must be an object of strings/,
    ],
    [
      'a run request without its key',
      { runRequests: [{}] },
      /no partitionKey, but "audio" is partitioned by 'letters'/,
    ],
    [
      'a key for an asset without partitions',
      { runRequests: [{ partitionKey: 'a', assets: [report] }] },
      /names key "a", but "report" has no partitions/,
    ],
    [
      'an asset that the pipeline does not have',
      { runRequests: [{ partitionKey: 'a', assets: ['video'] }] },
      /the pipeline has no asset "video"/,
    ],
    [
      'assets that are no list',
      { runRequests: [{ partitionKey: 'a', assets: 'audio' }] },
      /assets must be a list/,
    ],
    [
      'an asset that is a number',
      { runRequests: [{ partitionKey: 'a', assets: [1] }] },
      /holds a number where an asset/,
    ],
    ['no assets', { runRequests: [{ partitionKey: 'a', assets: [] }] }, /names no assets/],
    [
      'assets of two sets',
      { runRequests: [{ partitionKey: 'a', assets: [audio, count] }] },
      /partitioned differently: 'audio' by 'letters', 'count' by 'numbers'/,
    ],
    ['a reason and runs', { skipReason: 'x', runRequests: [{ partitionKey: 'a' }] }, /contradict each other/],
  ])('may not be %s', (_, value, says) => {
    const problems = problemsOf(value);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(says);
  });

  it('needs a target: the request’s or the sensor’s', () => {
    expect(problemsOf({ runRequests: [{ partitionKey: 'a' }] }, 'aimless')).toEqual([
      "runRequests[0]: it names no assets, and neither does sensor 'aimless'",
    ]);
  });

  it('is refused with everything that is wrong with it, every key of it', () => {
    const problems = problemsOf({
      cursor: 1,
      dynamicPartitionsRequests: [
        letters.buildAddRequest(['ok', 'a\n', 'b\r']),
        dynamicPartitions('x').buildAddRequest(['\0']),
      ],
      runRequests: [{ partitionKey: 'c\t' }, { partitionKey: 'ok' }, { assets: ['nope'] }],
      more: 1,
    });
    for (const said of ['cursor', '"a\\n"', '"b\\r"', 'set "x"', '"\\u0000"', '"c\\t"', '"nope"', '"more"']) {
      expect(problems.join('\n')).toContain(said);
    }
    expect(problems).toHaveLength(8);
  });

  it('shortens a key that is far too long to be shown', () => {
    const [problem] = problemsOf({
      dynamicPartitionsRequests: [letters.buildAddRequest(['x'.repeat(5000)])],
    });
    expect(problem!.length).toBeLessThan(250);
    expect(problem).toContain('it has 5000 bytes');
  });

  it('may not be a Map or a Date, whose fields nobody could see', () => {
    for (const value of [new Map([['cursor', '1']]), new Date(), new Set(['a'])])
      expect(problemsOf(value)).toHaveLength(1);
  });
});
