/** Sensors that throw, return rubbish, hang, print or ask for very much: exit 3, the user's own place, and the state as it was. */
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { Project, type RunResult } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const other = dynamicPartitions('other');
const one = asset({ name: 'one', partitions: things, materialize: ({ partitionKey }) => partitionKey });
const lost = asset({ name: 'lost', partitions: things, materialize: () => 1 });
function parseFeed(text: string): never {
  throw new TypeError('the feed is no XML: ' + text);
}
const many = Array.from({ length: 100_000 }, (_, at) => 'k' + at);
class Result {
  cursor = 'moved';
}
const sensors: Record<string, (context: any) => unknown> = {
  throws: () => {
    return parseFeed('<html>');
  },
  rejects: async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw new Error('fetch failed', { cause: new Error('ENOTFOUND feed.example') });
  },
  throwsText: () => { throw 'only text'; },
  throwsNothing: () => { throw undefined; },
  throwsNull: () => Promise.reject(null),
  throwsObject: () => { throw { status: 503 }; },
  throwsCycle: () => { const error: any = {}; error.self = error; throw error; },
  throwsSymbol: () => { throw Symbol('odd'); },
  throwsOwnCause: () => { const error: any = new Error('goes round'); error.cause = error; throw error; },
  throwsOddMessage: () => { const error: any = new Error('x'); error.message = Symbol('odd'); throw error; },
  throwsTrap: () => { const error = new Error('x'); Object.defineProperty(error, 'message', { get() { throw new Error('trap'); } }); throw error; },
  text: () => 'rubbish',
  number: () => 42,
  list: () => [{ partitionKey: 'a' }],
  yes: () => true,
  aFunction: () => () => ({}),
  aMap: () => new Map([['cursor', 'moved']]),
  aDate: () => new Date(0),
  unknownField: () => ({ cursr: 'moved', runRequest: [] }),
  wrongTypes: () => ({ cursor: 3, dynamicPartitionsRequests: 'x', runRequests: {}, skipReason: 7 }),
  cursorNull: () => ({ cursor: null }),
  loneCursor: () => ({ cursor: 'a\\ud800' }),
  contradiction: () => ({ cursor: 'moved', skipReason: 'nothing', runRequests: [{ partitionKey: 'there' }] }),
  unknownKeys: () => ({ cursor: 'moved', dynamicPartitionsRequests: [things.buildAddRequest(['new'])], runRequests: ['there', 'new', ...Array.from({ length: 30 }, (_, at) => 'ghost' + at)].map((partitionKey) => ({ partitionKey })) }),
  badAndUnknown: () => ({ runRequests: [{ partitionKey: 'bell\\u0007' }, { partitionKey: 'ghost' }] }),
  removedKey: () => ({ dynamicPartitionsRequests: [things.buildDeleteRequest(['there'])], runRequests: [{ partitionKey: 'there' }] }),
  unknownAssets: () => ({ cursor: 'moved', dynamicPartitionsRequests: [things.buildAddRequest(['new'])], runRequests: [{ partitionKey: 'new', assets: ['oen'] }, { partitionKey: 'new', assets: [lost] }] }),
  noKey: () => ({ cursor: 'moved', runRequests: [{}, { partitionKey: null }, { partitionKey: 5 }, null, 'there', { partitionKey: '' }, { partitionKey: 'there', key: 1 }] }),
  badRuns: () => ({ runRequests: [{ partitionKey: 'there', tags: { a: 1 } }, { partitionKey: 'there', runKey: '' }, { partitionKey: 'there', runKey: 5 }, { partitionKey: 'there', assets: 'one' }, { partitionKey: 'there', assets: [] }, { partitionKey: 'there', assets: [7] }] }),
  badAdds: () => ({ cursor: 'moved', dynamicPartitionsRequests: [things.buildAddRequest(['', 'bell\\u0007', '\\ud800', 'fine', 'x'.repeat(1025)]), { set: 'things', keys: ['x'] }, null, dynamicPartitions('nosuch').buildAddRequest(['x'])] }),
  addsOneText: () => ({ dynamicPartitionsRequests: [things.buildAddRequest('abc' as any)] }),
  unknownSet: ({ partitions }) => partitions('thigns'),
  prints: () => {
    console.log('from console.log');
    process.stdout.write('from stdout.write\\n');
    console.error('from console.error');
    process.stdout.write(new TextEncoder().encode('from bytes\\n'));
    return { skipReason: 'printed' };
  },
  floats: async () => {
    void Promise.reject(new Error('nobody waits for me'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { skipReason: 'over' };
  },
  timer: async () => {
    setTimeout(() => { throw new Error('thrown by a timer'); }, 5);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return { skipReason: 'over' };
  },
  exits: () => { process.exit(0); },
  good: () => ({ cursor: 'g', dynamicPartitionsRequests: [things.buildAddRequest(['good'])], runRequests: [{ partitionKey: 'good', runKey: 'good' }] }),
  huge: ({ cursor }) => ({ cursor: 'end', dynamicPartitionsRequests: [things.buildAddRequest(many)], runRequests: many.map((partitionKey) => ({ partitionKey, runKey: partitionKey })) }),
};
const timed = [
  sensor({ name: 'never', timeoutSeconds: 1, defaultStatus: 'stopped', evaluate: () => new Promise(() => undefined) }),
  sensor({ name: 'deaf', timeoutSeconds: 1, defaultStatus: 'stopped', evaluate: () => new Promise(() => setInterval(() => undefined, 1000)) }),
];
export default definePipeline({
  assets: [one],
  partitions: [other],
  sensors: [...timed, ...Object.entries(sensors).map(([name, evaluate]) => sensor({ name, assets: [one], defaultStatus: 'stopped', evaluate: evaluate as never }))],
});
`;

/** \`file:line\` of the first line of the pipeline that holds a text. */
function lineOf(text: string): string {
  const at = PIPELINE.split('\n').findIndex((line) => line.includes(text));
  expect(at).toBeGreaterThan(0);
  return `pipeline.ts:${at + 1}`;
}

let project: Project;

beforeAll(async () => {
  project = new ProjectHere({ 'pipeline.ts': PIPELINE });
  const { code, stderr } = await project.dynpart(['partitions', 'add', 'things', 'there']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

afterAll(async () => project[Symbol.asyncDispose]());

/** No frames but the user's own, and no word of a bug. */
function expectNoStack(
  { stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>,
  folder = project.folder,
): void {
  const said = `${stdout}\n${stderr}`.replaceAll('\\n', '\n');
  expect.soft(said).not.toMatch(/node:internal|this is a bug|^Node\.js v/m);
  const frames = said.split('\n').filter((line) => /^\s+at /.test(line));
  expect.soft(frames.filter((frame) => !frame.includes(`${folder}/`))).toEqual([]);
}

type Ticks = (args: readonly string[]) => Promise<RunResult>;

/** In a process of its own, for what ends one, goes astray in it or stays behind in it. */
const inOwnProcess: Ticks = (args) => project.start(args).done;

/** Ticks in both forms; both must fail with 3 and leave the state's bytes alone. */
async function failingTick(sensor: string, ticks: Ticks = (args) => project.dynpart(args)) {
  const before = project.stateBytes();
  const args = ['sensor', 'tick', sensor];
  const text = await ticks(args);
  const json = await ticks([...args, '--json']);
  expect(project.stateBytes()).toBe(before);
  for (const result of [text, json]) expectNoStack(result);
  expect.soft([sensor, text.code, json.code]).toEqual([sensor, 3, 3]);
  expect.soft(text.stdout).toBe('');
  expect.soft(text.stderr).toContain(`'${sensor}'`);
  expect(json.stdout.split('\n')).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  const document = JSON.parse(json.stdout) as {
    ticks: {
      error: { code: string; message: string };
      status: string;
      cursor: unknown;
      partitions: unknown[];
      runs: unknown[];
    }[];
  };
  expect(document.ticks).toEqual([
    expect.objectContaining({
      sensor,
      status: 'FAILURE',
      partitions: [],
      runs: [],
      cursor: { before: null, after: null },
    }),
  ]);
  const { error } = document.ticks[0]!;
  expect.soft(text.stderr).toContain(error.message.split('\n')[0]);
  return error;
}

describe('a sensor that throws', () => {
  it('fails with the message and the frames of its own file', async () => {
    const { code, message } = await failingTick('throws', inOwnProcess);
    expect(code).toBe('sensor-threw');
    expect(message).toContain('TypeError: the feed is no XML: <html>');
    const frames = message.split('\n').slice(1);
    expect(frames[0]).toContain(`${project.folder}/${lineOf('throw new TypeError')})`);
    expect(frames[1]).toContain(`${project.folder}/${lineOf('return parseFeed')})`);
    expect(frames).toHaveLength(2);
  });

  it('after a wait fails with its cause and no frames but its own', async () => {
    const { code, message } = await failingTick('rejects');
    expect(code).toBe('sensor-threw');
    expect(message).toContain('fetch failed');
    expect(message).toContain('ENOTFOUND feed.example');
    expect(message).toContain(`${project.folder}/${lineOf("throw new Error('fetch failed'")}`);
  });

  it.each([
    ['throwsText', 'only text'],
    ['throwsNothing', 'undefined'],
    ['throwsNull', 'null'],
    ['throwsObject', '503'],
    ['throwsCycle', 'threw'],
    ['throwsSymbol', 'Symbol(odd)'],
    ['throwsOwnCause', 'goes round'],
    ['throwsOddMessage', 'threw'],
    ['throwsTrap', 'threw'],
  ])('something odd (%s) fails as any other', async (sensor, said) => {
    const { code, message } = await failingTick(sensor);
    expect(code).toBe('sensor-threw');
    expect(message).toContain(said);
  });

  it('in a promise that nobody waits for, or in a timer, is a failure of the sensor with its own frames', async () => {
    expect((await failingTick('floats', inOwnProcess)).message).toContain('nobody waits for me');
    expect((await failingTick('timer', inOwnProcess)).message).toContain('thrown by a timer');
  });

  it('is in the history with its error', async () => {
    await project.dynpart(['sensor', 'tick', 'throws']);
    const { code, document } = await project.json(['sensor', 'history', 'throws', '--limit', '1']);
    expect(code).toBe(0);
    expect(document.ticks).toEqual([
      expect.objectContaining({
        status: 'FAILURE',
        error: expect.objectContaining({ code: 'sensor-threw' }),
      }),
    ]);
  });

  it('in a dry run fails as well, and writes nothing', async () => {
    const names = fs.readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).toSorted();
    const { code, stderr } = await project.dynpart(['sensor', 'tick', 'throws', '--dry-run']);
    expect(code).toBe(3);
    expect(stderr).toContain('the feed is no XML');
    expect(fs.readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(names);
  });

  it('that calls process.exit does not end the tick as if all were well', async () => {
    const before = project.stateBytes();
    // One after the other: of two at once, one would find the sensor busy.
    const text = await inOwnProcess(['sensor', 'tick', 'exits']);
    const json = await inOwnProcess(['sensor', 'tick', 'exits', '--json']);
    expect(project.stateBytes()).toBe(before);
    expect.soft([text.code, json.code]).toEqual([3, 3]);
    expect.soft(text.stderr).toMatch(/exit/);
    expect(json.stdout).toMatch(/^\{.*\}\n$/);
  });
});

describe('a sensor that returns rubbish', () => {
  const RUBBISH: readonly (readonly [sensor: string, says: readonly string[]])[] = [
    ['text', ['a string']],
    ['number', ['a number']],
    ['list', ['an array']],
    ['yes', ['a boolean']],
    ['aFunction', ['a function']],
    ['aMap', ['Map']],
    ['aDate', ['Date']],
    ['unknownField', ['"cursr"', "'cursor'", '"runRequest"', "'runRequests'"]],
    [
      'wrongTypes',
      ['cursor must be', 'dynamicPartitionsRequests must be', 'runRequests must be', 'skipReason must be'],
    ],
    ['cursorNull', ['cursor must be', 'null']],
    ['loneCursor', ['cursor', 'surrogate']],
    ['contradiction', ['skipReason and runRequests']],
    ['unknownKeys', Array.from({ length: 30 }, (_, at) => `"ghost${at}"`)],
    ['badAndUnknown', ['"bell\\u0007"', '"ghost"']],
    ['removedKey', ['"there"', "'things'"]],
    ['unknownAssets', ['"oen"', '"lost"']],
    ['noKey', [0, 1, 2, 3, 4, 5, 6].map((at) => `runRequests[${at}]`)],
    ['badRuns', [0, 1, 2, 3, 4, 5].map((at) => `runRequests[${at}]`)],
    [
      'badAdds',
      [
        '""',
        '"bell\\u0007"',
        '"\\ud800"',
        '1025 bytes',
        'dynamicPartitionsRequests[1]',
        'dynamicPartitionsRequests[2]',
        '"nosuch"',
      ],
    ],
  ];

  it.each(RUBBISH)('(%s) fails with every fault named', async (sensor, says) => {
    const { code, message } = await failingTick(sensor);
    expect(code).toBe('sensor-result');
    for (const words of says) expect(message).toContain(words);
    expect(message).not.toContain('"fine"');
    expect(message).not.toContain('"new" ');
  });

  it.each([
    ['addsOneText', "['abc']"],
    ['unknownSet', "'things'"],
  ])('(%s) is told how to do it at the line where it did it', async (sensor, says) => {
    const { code, message } = await failingTick(sensor);
    expect(code).toBe('sensor-threw');
    expect(message).toContain(says);
    expect(message).toContain(`${project.folder}/${lineOf(`${sensor}:`)}`);
  });
});

describe('a sensor that never ends', () => {
  it.each(['never', 'deaf'])('(%s) is stopped at its timeout', async (sensor) => {
    const began = Date.now();
    const before = project.stateBytes();
    const { code, stdout } = await inOwnProcess(['sensor', 'tick', sensor, '--json']);
    // Its timeout is a second, and no other one has less than a minute.
    expect(Date.now() - began).toBeLessThan(40_000);
    expect(code).toBe(3);
    const [tick] = JSON.parse(stdout).ticks;
    expect(tick).toMatchObject({
      status: 'FAILURE',
      error: { code: 'sensor-timeout', message: expect.stringContaining('1 s') },
    });
    expect(project.stateBytes()).toBe(before);
  });
});

describe('in a watch', () => {
  it('a sensor has all of its time, however long its thread takes to load the pipeline', async () => {
    await using own = new Project({
      'pipeline.ts': `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
await new Promise((resolve) => setTimeout(resolve, 2500));
const evaluate = () => ({ dynamicPartitionsRequests: [keys.buildAddRequest(['a'])] });
export default definePipeline({ partitions: [keys], sensors: [sensor({ name: 'quick', timeoutSeconds: 1, evaluate })] });
`,
    });
    const watch = own.start(['sensor', 'watch']);
    await watch.saw('quick');
    watch.process.kill('SIGTERM');
    expect((await watch.done).stderr).toContain('quick: 1 key added');
  });

  it('a sensor whose last evaluation left something behind that blocks is stopped at its timeout, in seconds', async () => {
    await using own = new Project({
      'pipeline.ts': `import { definePipeline, dynamicPartitions, sensor } from 'dynpart';
const evaluate = () => { setTimeout(() => { for (;;); }, 50); return { skipReason: 'nothing new' }; };
const sensors = [sensor({ name: 'leaves', timeoutSeconds: 1, minimumIntervalSeconds: 1, evaluate })];
export default definePipeline({ partitions: [dynamicPartitions('keys')], sensors });
`,
    });
    const watch = own.start(['sensor', 'watch', '--json']);
    await watch.saw('"FAILURE"');
    watch.process.kill('SIGTERM');
    expect((await watch.done).stdout).toContain('"code":"sensor-timeout"');
  });

  it('a sensor fails with its own words, one document a tick, while another one goes on', async () => {
    await using own = new ProjectHere({ 'pipeline.ts': PIPELINE });
    const watch = own.start(['sensor', 'watch', 'throws', 'good', '--json']);
    for (const name of ['throws', 'good'])
      expect((await own.dynpart(['sensor', 'start', name])).code).toBe(0);
    await watch.saw('"sensor":"throws"');
    await watch.saw('"sensor":"good"');
    watch.process.kill('SIGTERM');
    const { code, stdout } = await watch.done;
    expect(code).toBe(0);
    const ticks = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).tick ?? {}]));
    const ofThrows = ticks.find(({ sensor }) => sensor === 'throws');
    expect(ofThrows).toMatchObject({ status: 'FAILURE', error: { code: 'sensor-threw' } });
    expect(ofThrows.error.message).toContain('the feed is no XML');
    expect(ticks.find(({ sensor }) => sensor === 'good')).toMatchObject({ status: 'SUCCESS' });
  });
});

describe('a person who looks at a watch', () => {
  it('reads once that a sensor fails, once that it works again, and of each batch when it has ended', async () => {
    await using own = new ProjectHere({
      'pipeline.ts': `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const made = asset({ name: 'made', partitions: keys, materialize: ({ partitionKey }) => partitionKey });
let ticks = 0;
const moody = sensor({ name: 'moody', assets: [made], defaultStatus: 'running', minimumIntervalSeconds: 0.1, evaluate: ({ cursor }) => {
  if (++ticks <= 3) throw new Error('broken ' + ticks);
  if (ticks > 6) return { skipReason: 'done' };
  const key = 'k' + ticks;
  return { cursor: key, dynamicPartitionsRequests: [keys.buildAddRequest([key])], runRequests: [{ partitionKey: key }] };
} });
export default definePipeline({ assets: [made], sensors: [moody] });
`,
    });
    const watch = own.start(['sensor', 'watch']);
    await watch.saw('works again');
    await watch.saw('1 run succeeded in');
    watch.process.kill('SIGTERM');
    const { code, stderr } = await watch.done;
    expect(code).toBe(0);
    const lines = stderr.trimEnd().split('\n');
    expect(lines.filter((line) => line.includes('broken'))).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z error: .*broken 1/),
    ]);
    expect(lines.filter((line) => line.includes('works again'))).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z moody: works again$/),
    ]);
    // The sum of all is none of the batches.
    expect(lines.at(-1)).toMatch(/Z in all: \d runs? succeeded in /);
    const batches = lines.slice(0, -1).filter((line) => line.includes('1 run succeeded in'));
    expect(batches.length).toBeGreaterThanOrEqual(1);
    for (const line of batches) expect(line).toMatch(/^\d{4}-\d\d-\d\dT/);
  });
});

describe('a sensor that prints', () => {
  const PRINTED = ['from console.log', 'from stdout.write', 'from console.error', 'from bytes'];

  it('leaves stdout alone, and is heard on stderr with --verbose only', async () => {
    const [quiet, json, verbose] = await Promise.all([
      inOwnProcess(['sensor', 'tick', 'prints']),
      inOwnProcess(['sensor', 'tick', 'prints', '--json', '--if-busy', 'wait']),
      inOwnProcess(['sensor', 'tick', 'prints', '--json', '--verbose', '--if-busy', 'wait']),
    ]);
    expect(quiet).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(json).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(json.stdout).ticks[0]).toMatchObject({ status: 'SKIPPED', skipReason: 'printed' });
    expect(JSON.parse(verbose.stdout).ticks[0].status).toBe('SKIPPED');
    for (const line of PRINTED) expect(verbose.stderr).toContain(line);
  });

  it('at load time leaves stdout alone, too', async () => {
    await using loud = new Project({
      'pipeline.ts': `console.log('at load');\nprocess.stdout.write('raw at load\\n');\n${PIPELINE}`,
    });
    const { code, document, stderr } = await loud.json(['assets', 'list', '--verbose']);
    expect(code).toBe(0);
    expect(document.assets).toHaveLength(1);
    expect(stderr).toContain('at load');
    expect(stderr).toContain('raw at load');
  });
});

describe('many at once', () => {
  it('one sensor fails, another succeeds: exit 3, and the other is committed', async () => {
    await using own = new ProjectHere({ 'pipeline.ts': PIPELINE });
    const { code, document } = await own.json(['sensor', 'tick', 'throws', 'good', 'text']);
    expect(code).toBe(3);
    expect(
      document.ticks.map((tick: { sensor: string; status: string }) => [tick.sensor, tick.status]),
    ).toEqual([
      ['throws', 'FAILURE'],
      ['good', 'SUCCESS'],
      ['text', 'FAILURE'],
    ]);
    expect(document.ticks[1].runs).toEqual([
      expect.objectContaining({ partitionKey: 'good', status: 'SUCCESS' }),
    ]);
    expect(own.state().sensors.good.cursor).toBe('g');
    expect(own.state().sets.things.keys).toEqual(['good']);
    const text = await own.dynpart(['sensor', 'tick', 'throws', 'good']);
    expect(text.code).toBe(3);
    expectNoStack(text, own.folder);
  });

  it('an odd error of one sensor does not take another one down', async () => {
    await using own = new ProjectHere({ 'pipeline.ts': PIPELINE });
    const { code, stdout } = await own.dynpart(['sensor', 'tick', 'throwsTrap', 'good', '--json']);
    expect.soft(code).toBe(3);
    const { ticks } = JSON.parse(stdout) as { ticks: { status: string }[] };
    expect(ticks.map(({ status }) => status)).toEqual(['FAILURE', 'SUCCESS']);
  });

  it('a hundred thousand requests are committed, and the second tick changes no byte', async () => {
    await using own = new ProjectHere({ 'pipeline.ts': PIPELINE });
    const first = await own.json(['sensor', 'tick', 'huge', '--no-run']);
    expect(first.code).toBe(0);
    expect(first.document.ticks[0]).toMatchObject({
      status: 'SUCCESS',
      cursor: { before: null, after: 'end' },
    });
    expect(first.document.ticks[0].runs).toHaveLength(100_000);
    expect(first.document.ticks[0].partitions[0].added).toHaveLength(100_000);
    const before = own.stateBytes();
    const second = await own.json(['sensor', 'tick', 'huge', '--no-run']);
    expect(second.code).toBe(0);
    expect(second.document.ticks[0]).toMatchObject({ status: 'SKIPPED', runs: [] });
    expect(second.document.ticks[0].skippedRunKeys).toHaveLength(100_000);
    expect(own.stateBytes() === before).toBe(true);
    const { document } = await own.json(['partitions', 'list', 'things', '--count']);
    expect(document.total).toBe(100_000);
  });
});
