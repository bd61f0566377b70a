/** Unknown names, flags and commands, contradictions, bad numbers and missing arguments: exit 2, and what was probably meant. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BothFormsOptions, inBothForms, runHere } from '../support/in-process.ts';
import { Project, type RunResult } from '../support/project.ts';

const PIPELINE = `
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const people = dynamicPartitions('people');
const record = asset({ name: 'record', partitions: things, materialize: () => 1 });
const portrait = asset({ name: 'portrait', partitions: people, materialize: () => 2 });
const feed = sensor({ name: 'feed', assets: [record], evaluate: () => undefined });
export default definePipeline({ assets: [record, portrait], sensors: [feed] });
`;

let project: Project;
let runId: string;

beforeAll(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE, 'keys.txt': 'alpha\n' });
  await project.dynpart(['partitions', 'add', 'things', 'alpha', 'beta', 'both']);
  await project.dynpart(['partitions', 'add', 'people', 'both']);
  const { document } = await project.json(['materialize', 'record', '--key', 'alpha']);
  runId = document.runs[0].id as string;
});

afterAll(async () => project[Symbol.asyncDispose]());

/** A user's mistake: exit 2, words on stderr, nothing on stdout, no stack. */
function expectRefusal({ code, stdout, stderr }: RunResult): void {
  expect.soft(`${stdout}\n${stderr}`).not.toMatch(/^\s+at |node:internal|this is a bug/m);
  expect.soft(stdout).toBe('');
  expect.soft(stderr).toMatch(/\S/);
  expect.soft(code).toBe(2);
}

/** The same command as text and with `--json`, the state untouched by both; what the error says. */
async function refused(args: readonly string[], options: BothFormsOptions = {}) {
  const before = project.stateBytes();
  const { text, json } = await inBothForms(project, args, options);
  expectRefusal(text);
  expect.soft(json.code).toBe(2);
  expect.soft(json.stderr).toBe('');
  expect(project.stateBytes()).toBe(before);
  expect(json.stdout.split('\n')).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  const { error } = JSON.parse(json.stdout) as {
    error: { code: string; message: string; hint: string | null };
  };
  expect(Object.keys(error).toSorted()).toEqual(['code', 'hint', 'message']);
  expect(text.stderr).toContain(error.message.split('\n')[0]);
  return { ...error, said: `${error.message}\n${error.hint ?? ''}` };
}

describe('an unknown name', () => {
  const UNKNOWN: readonly (readonly [args: readonly string[], code: string, nearest: string])[] = [
    [['partitions', 'list', 'thngs'], 'unknown-set', 'things'],
    [['partitions', 'list', 'thngs', '--count'], 'unknown-set', 'things'],
    [['partitions', 'add', 'thngs', 'k'], 'unknown-set', 'things'],
    [['partitions', 'add', 'thngs', '--from', 'keys.txt'], 'unknown-set', 'things'],
    [['partitions', 'remove', 'Things', 'alpha'], 'unknown-set', 'things'],
    [['partitions', 'remove', 'thinsg', '--keep-last', '0'], 'unknown-set', 'things'],
    [['partitions', 'sync', 'peolpe', '--from', 'keys.txt'], 'unknown-set', 'people'],
    [['sensor', 'tick', 'fed'], 'unknown-sensor', 'feed'],
    [['sensor', 'tick', 'feed', 'feeed', '--dry-run'], 'unknown-sensor', 'feed'],
    [['sensor', 'watch', 'fed'], 'unknown-sensor', 'feed'],
    [['sensor', 'start', 'fed'], 'unknown-sensor', 'feed'],
    [['sensor', 'stop', 'fed'], 'unknown-sensor', 'feed'],
    [['sensor', 'cursor', 'fed'], 'unknown-sensor', 'feed'],
    [['sensor', 'cursor', 'fed', '--set', 'x'], 'unknown-sensor', 'feed'],
    [['sensor', 'history', 'fed'], 'unknown-sensor', 'feed'],
    [['runs', 'list', '--sensor', 'fed'], 'unknown-sensor', 'feed'],
    [['materialize', 'recrod', '--all'], 'unknown-asset', 'record'],
    [['materialize', 'record', 'potrait', '--missing', '--dry-run'], 'unknown-asset', 'portrait'],
    [['status', 'recod'], 'unknown-asset', 'record'],
    [['runs', 'list', '--asset', 'recod'], 'unknown-asset', 'record'],
    [['materialize', 'record', '--key', 'alpa'], 'unknown-key', 'alpha'],
    [['materialize', 'record', '--key', 'alpha', '--key', 'bta'], 'unknown-key', 'beta'],
    [['partitions', 'list', 'things', '--after', 'alpa'], 'unknown-key', 'alpha'],
  ];

  it.each(UNKNOWN)('in dynpart %j is refused with %s and the nearest one', async (args, code, nearest) => {
    const error = await refused(args);
    expect(error.code).toBe(code);
    expect(error.hint).toContain(`"${nearest}"`);
    expect(error.said).toContain('dynpart ');
  });

  it('is refused in a process of its own as it is here: its streams, its exit code', async () => {
    const args = ['partitions', 'list', 'thngs'];
    expect(await refused(args, { isSpawned: true })).toEqual(await refused(args));
  });

  it('of a key names every one that is unknown, and how to register it', async () => {
    const error = await refused(['materialize', 'record', '--keys-from', '-'], {
      input: 'alpha\nnope\nnada\n',
    });
    expect(error.code).toBe('unknown-key');
    for (const key of ['"nope"', '"nada"', 'partitions add things', '--add'])
      expect(error.said).toContain(key);
    expect(error.message).not.toContain('alpha');
  });

  it('of a run is refused with the nearest id', async () => {
    const wrong = `${runId.slice(0, -3)}${runId.at(-3) === 'x' ? 'y' : 'x'}${runId.slice(-2)}`;
    for (const args of [
      ['runs', 'show', wrong],
      ['runs', 'logs', wrong],
      ['runs', 'logs', wrong, '--follow'],
      ['runs', 'retry', wrong],
      ['runs', 'cancel', runId, wrong],
      ['runs', 'release', wrong],
      ['runs', 'list', '--after', wrong],
    ]) {
      const error = await refused(args);
      expect.soft([args, error.code]).toEqual([args, 'unknown-run']);
      expect.soft(error.message).toContain(wrong);
      expect.soft([args, error.hint]).toEqual([args, expect.stringContaining(runId)]);
    }
  });

  it('like nothing there is is refused with the command that lists what there is', async () => {
    for (const [args, list] of [
      [['partitions', 'list', 'qqqqqq'], 'dynpart partitions list'],
      [['sensor', 'cursor', 'qqqqqq'], 'dynpart sensor list'],
      [['status', 'qqqqqq'], 'dynpart assets list'],
      [['runs', 'show', 'qqqqqq'], 'dynpart runs list'],
      [['partitions', 'list', '__proto__'], 'dynpart partitions list'],
      [['sensor', 'tick', 'constructor'], 'dynpart sensor list'],
      [['status', 'toString'], 'dynpart assets list'],
    ] as const) {
      const error = await refused(args);
      expect(error.message).toContain(args.at(-1));
      expect(error.hint).toContain(list);
      expect(error.hint).not.toContain('did you mean');
    }
  });

  it('with control or bidirectional characters does not reach the terminal as it is', async () => {
    for (const args of [
      ['partitions', 'list', '\u001b[2Jx\u202e'],
      ['\u001b[2Jx\u202e'],
      ['partitions', 'list', '--\u001b[2Jx\u202e'],
      ['partitions', 'list', 'things', '--limit', '\u001b[2Jx\u202e'],
      ['materialize', '--key', 'a\u202eb'],
      ['-f', '\u001b[2J\u202e.ts', 'sensor', 'tick'],
    ]) {
      const { stderr, code } = await runHere(project, args);
      expect([args, code]).toEqual([args, 2]);
      // oxlint-disable-next-line no-control-regex -- these must not reach a terminal
      expect(stderr).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202e]/);
    }
  });
});

describe('an unknown flag or command', () => {
  const UNKNOWN: readonly (readonly [args: readonly string[], nearest: string])[] = [
    [['runs', 'list', '--statsu', 'SUCCESS'], '--status'],
    [['materialize', '--mising'], '--missing'],
    [['sensor', 'tick', '--dryrun'], '--dry-run'],
    [['partitions', 'list', 'things', '--limits=3'], '--limit'],
    [['--verbos', 'status'], '--verbose'],
    [['status', '--jsn'], '--json'],
    [['partitons', 'list'], 'partitions'],
    [['partitions', 'lst'], 'list'],
    [['sensor', 'tik'], 'tick'],
    [['materialise', '--all'], 'materialize'],
    [['state', 'exprot'], 'export'],
  ];

  it.each(UNKNOWN)('in dynpart %j is refused with the nearest one', async (args, nearest) => {
    const error = await refused(args);
    expect(error.code).toBe('usage');
    expect(error.hint).toMatch(new RegExp(`did you mean ${nearest}\\?`));
  });

  it('like nothing there is is refused with where to look', async () => {
    for (const args of [['qqqqqq'], ['state', 'qqqqqq'], ['status', '--qqqqqq'], ['-Z']]) {
      const error = await refused(args);
      expect(error.code).toBe('usage');
      expect(error.hint).toMatch(
        /^see: dynpart(?: state| status)? --help(?:; a key that begins with a dash goes behind --)?$/,
      );
    }
  });

  it('that is missing is a mistake, too: the help is on stderr', async () => {
    for (const args of [[], ['partitions'], ['sensor'], ['runs'], ['state'], ['assets']]) {
      const text = await runHere(project, args);
      expectRefusal(text);
      expect(text.stderr).toContain('Commands:');
    }
  });

  it('that is missing with --json is one document', async () => {
    for (const args of [['--json'], ['partitions', '--json'], ['runs', '--json']]) {
      const { code, stdout } = await runHere(project, args);
      expect(code).toBe(2);
      expect([args, JSON.parse(stdout === '' ? 'null' : stdout)]).toEqual([
        args,
        { error: expect.objectContaining({ code: 'usage' }) },
      ]);
    }
  });
});

describe('flags', () => {
  const CONTRADICTIONS: readonly (readonly [args: readonly string[], named: string])[] = [
    [['materialize', 'record', '--all', '--key', 'alpha'], '--all'],
    [['materialize', 'record', '--all', '--keys-from', 'keys.txt'], '--all'],
    [['materialize', 'record', '--all', '--add'], '--add'],
    [['sensor', 'cursor', 'feed', '--set', 'a', '--clear'], '--clear'],
    [['partitions', 'remove', 'things', 'alpha', '--keep-last', '1'], '--keep-last'],
    [['partitions', 'remove', 'things', '--from', 'keys.txt', '--older-than', '1d'], '--older-than'],
    [['state', 'restore', 'copy.json', '--last'], '--last'],
  ];

  it.each(CONTRADICTIONS)('of dynpart %j contradict each other', async (args, named) => {
    const error = await refused(args);
    expect(error.code).toBe('usage');
    expect(error.said).toContain(named);
  });

  const VALUES: readonly (readonly [args: readonly string[], flag: string, value: string])[] = [
    [['partitions', 'list', 'things', '--limit', '0'], '--limit', '"0"'],
    [['partitions', 'list', 'things', '--limit', '-1'], '--limit', '"-1"'],
    [['partitions', 'list', 'things', '--limit', '1.5'], '--limit', '"1.5"'],
    [['partitions', 'list', 'things', '--limit', '1e3'], '--limit', '"1e3"'],
    [['partitions', 'list', 'things', '--limit='], '--limit', '""'],
    [['partitions', 'list', 'things', '--limit', '9007199254740993'], '--limit', '"9007199254740993"'],
    [['runs', 'list', '--limit', 'ten'], '--limit', '"ten"'],
    [['runs', 'list', '--status', 'succes'], '--status', '"succes"'],
    [['sensor', 'history', 'feed', '--limit', '0x10'], '--limit', '"0x10"'],
    [['sensor', 'tick', '--concurrency', '0'], '--concurrency', '"0"'],
    [['sensor', 'tick', '--if-busy', 'later'], '--if-busy', '"later"'],
    [['sensor', 'tick', '--wait-timeout', '-3'], '--wait-timeout', '"-3"'],
    [['materialize', '--all', '--order', 'random'], '--order', '"random"'],
    [['materialize', '--all', '--limit', 'NaN'], '--limit', '"NaN"'],
    [['worker', '--once', '--concurrency', 'Infinity'], '--concurrency', '"Infinity"'],
    [['partitions', 'remove', 'things', '--older-than', '30'], '--older-than', '"30"'],
    [['partitions', 'remove', 'things', '--older-than', '30 days'], '--older-than', '"30 days"'],
    [['partitions', 'remove', 'things', '--older-than', '-1d'], '--older-than', '"-1d"'],
    [['partitions', 'remove', 'things', '--keep-last', '-1'], '--keep-last', '"-1"'],
    [
      ['partitions', 'sync', 'things', '--from', 'keys.txt', '--max-remove', 'some'],
      '--max-remove',
      '"some"',
    ],
    [['partitions', 'sync', 'things', '--from', 'keys.txt', '--max-remove', '5.5'], '--max-remove', '"5.5"'],
  ];

  it.each(VALUES)('of dynpart %j name %s and the value %s', async (args, flag, value) => {
    const error = await refused(args);
    expect(error.code).toBe('usage');
    expect(error.message).toContain(flag);
    expect(error.message).toContain(value);
  });

  const MISSING: readonly (readonly [args: readonly string[], named: string])[] = [
    [['partitions', 'add'], 'set'],
    [['partitions', 'add', 'things'], 'no key'],
    [['partitions', 'remove', 'things'], 'no key'],
    [['partitions', 'sync', 'things'], '--from'],
    [['partitions', 'list', 'things', '--limit'], '--limit'],
    [['sensor', 'cursor'], 'sensor'],
    [['sensor', 'start'], 'sensor'],
    [['runs', 'show'], 'id'],
    [['runs', 'cancel'], 'ids'],
    [['runs', 'retry'], 'filters'],
    [['materialize', '--key'], '--key'],
    [['materialize'], 'which keys'],
    [['materialize', '--prefix', 'a'], 'which keys'],
    [['state', 'restore'], '--last'],
    [['status', '-f'], '--file'],
    [['status', '--state'], '--state'],
    [['partitions', 'list', 'things', 'more'], 'arguments'],
    [['sensor', 'list', 'feed'], 'arguments'],
    [['assets', 'list', 'record'], 'arguments'],
  ];

  it.each(MISSING)(
    'and arguments of dynpart %j are missing or too many: %s is named',
    async (args, named) => {
      const error = await refused(args);
      expect(error.code).toBe('usage');
      expect(error.message).toContain(named);
      expect(error.hint).toMatch(/\S/);
    },
  );
});

describe('a key of several sets', () => {
  it('is ambiguous when the assets are not said, and is not when they are', async () => {
    const error = await refused(['materialize', '--key', 'both']);
    expect(error.code).toBe('ambiguous-keys');
    for (const name of ['"both"', '"things"', '"people"']) expect(error.said).toContain(name);
    const { code, document } = await project.json(['materialize', 'portrait', '--key', 'both', '--dry-run']);
    expect(code).toBe(0);
    expect(document.summary.total).toBe(1);
  });

  it('that is new to all of them is not guessed either', async () => {
    const error = await refused(['materialize', '--key', 'fresh', '--add']);
    expect(error.code).toBe('ambiguous-keys');
  });
});
