/** Commands in process: what reaches which stream, on a terminal and elsewhere, in every mode. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import stringWidth from 'string-width';
import { CapturedTerminal, type Ran, runOn, type TerminalOptions } from '../support/captured-terminal.ts';
import { Project } from '../support/project.ts';

const HOSTILE = /[\p{Zl}\p{Zp}\p{Bidi_C}\ufeff]|(?![\n\t])\p{Cc}/u;
// oxlint-disable-next-line no-control-regex -- colours begin so
const COLOUR = /\u001b\[/;

const evil = 'evil \u202egnp\u009b31m\u200f.exe';
const wide = '日本のポッドキャスト👩‍👩‍👧';
const long = 'x'.repeat(300);

const pipeline = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const loud = '\\u001b]0;owned\\u0007\\u001b[2J\\u202e\\u2028';
const good = asset({ name: 'good', partitions: keys, materialize: ({ partitionKey, log, addMetadata }) => {
  console.log('says ' + loud);
  log.info(loud);
  addMetadata({ title: loud });
  return partitionKey;
} });
const bad = asset({ name: 'bad', partitions: keys, materialize: () => { throw new Error('boom ' + loud); } });
const feed = sensor({ name: 'feed', assets: [good], evaluate: ({ cursor, log }) => {
  log.info(loud);
  if (cursor === null) return { cursor: 'c' + loud, dynamicPartitionsRequests: [keys.buildAddRequest(['a', ${JSON.stringify(evil)}])], runRequests: [{ partitionKey: ${JSON.stringify(evil)}, runKey: ${JSON.stringify(evil)}, tags: { tag: loud } }] };
  return { skipReason: 'why ' + loud };
} });
const angry = sensor({ name: 'angry', assets: [good], defaultStatus: 'stopped', evaluate: () => { throw new Error(loud); } });
export default definePipeline({ assets: [good, bad], sensors: [feed, angry] });
`;

let project: Project;
beforeEach(() => {
  project = new Project({ 'pipeline.ts': pipeline });
});
afterEach(() => project[Symbol.asyncDispose]());

function dynpart(args: readonly string[], options: TerminalOptions = {}): Promise<Ran> {
  const terminal = new CapturedTerminal({
    cwd: project.folder,
    ...options,
    env: { XDG_CACHE_HOME: project.path('.cache'), ...options.env },
  });
  return runOn(terminal, args);
}

const onTerminal = { isTerminal: true } as const;

describe('hostile text', () => {
  it('reaches no stream in any mode', async () => {
    const commands = [
      ['sensor', 'tick', '--dry-run'],
      ['sensor', 'tick', '-v'],
      ['sensor', 'tick'],
      ['sensor', 'tick', 'angry'],
      ['partitions', 'add', 'keys', wide, `\u061c${long}`],
      ['partitions', 'add', 'keys', 'b\u001b[2J'],
      ['partitions', 'add', `no\u001b[2J\u202eset`, 'x'],
      ['partitions', 'list', 'keys'],
      ['partitions', 'list', 'keys', '--json-lines'],
      ['partitions', 'list', 'keys', '--after', '\u202enone'],
      ['partitions', 'list', 'keys', '--limit', '1'],
      ['partitions'],
      ['partitions', 'list', `--\u202ewhat\u001b[2J`],
      [`\u202ewhat\u001b[2J`],
      ['-f', `\u202ewhat\u001b[2J.ts`, 'sensor', 'tick'],
      ['--state', `/proc/\u202ewhat\u001b[2J`, 'status'],
      ['partitions', 'add', 'keys', '--from', `\u202ewhat\u001b[2J`],
      ['sensor', 'list'],
      ['sensor', 'cursor', 'feed'],
      ['sensor', 'history', 'feed'],
      ['sensor', 'history', 'angry'],
      ['materialize', '--key', evil, '--dry-run'],
      ['materialize', '--key', evil, '-v'],
      ['materialize', '--key', evil],
      ['runs', 'list'],
      ['runs', 'list', '--key', evil],
      ['runs', 'show', `\u202ewhat\u001b[2J`],
      ['status'],
      ['assets', 'list'],
      ['partitions', 'sync', 'keys', '--from', '-', '--dry-run'],
      ['partitions', 'remove', 'keys', evil, '--dry-run'],
    ];
    for (const command of commands) {
      for (const args of [command, [...command, '--json']]) {
        for (const isTerminal of [true, false]) {
          const { stdout, stderr } = await dynpart(args, {
            isTerminal,
            env: { NO_COLOR: '1' },
            stdin: `${evil}\n\u202eb\n`,
          });
          expect(`${args.join(' ')}\n${stdout}${stderr}`.slice(args.join(' ').length)).not.toMatch(HOSTILE);
          if (args.includes('--json')) {
            expect(stdout.trimEnd().split('\n')).toHaveLength(1);
            JSON.parse(stdout);
          }
        }
      }
    }
  });

  it('of a run reaches no stream from its record and its log, and is whole in JSON', async () => {
    await dynpart(['sensor', 'tick']);
    await dynpart(['materialize', 'bad', '--key', evil]);
    const { runs } = JSON.parse((await dynpart(['runs', 'list', '--json'])).stdout);
    expect(runs).toHaveLength(2);
    expect(runs.map((run: { partitionKey: string }) => run.partitionKey)).toEqual([evil, evil]);
    for (const { id } of runs) {
      for (const command of ['show', 'logs']) {
        for (const isTerminal of [true, false]) {
          const { code, stdout, stderr } = await dynpart(['runs', command, id], {
            isTerminal,
            env: { NO_COLOR: '1' },
          });
          expect(code).toBe(0);
          expect(stdout).not.toBe('');
          expect(stdout + stderr).not.toMatch(HOSTILE);
        }
        const { stdout } = await dynpart(['runs', command, id, '--json']);
        expect(stdout).not.toMatch(HOSTILE);
        expect(JSON.stringify(JSON.parse(stdout))).toContain('\u202e');
      }
    }
  });
});

describe('a key', () => {
  it('that could be misread is listed so that it can be read back', async () => {
    const keys = ['plain', ' blank', '"quoted"', wide, '\u202eturned', 'a\\b'];
    await dynpart(['partitions', 'add', 'keys', ...keys]);
    const { stdout } = await dynpart(['partitions', 'list', 'keys']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => (line.startsWith('"') ? JSON.parse(line) : line)),
    ).toEqual(keys);
    const lines = await dynpart(['partitions', 'list', 'keys', '--json-lines']);
    const other = await dynpart(['partitions', 'sync', 'keys', '--from', '-', '--json-lines', '--json'], {
      stdin: lines.stdout,
    });
    expect(JSON.parse(other.stdout)).toMatchObject({ added: [], removed: [], unchanged: keys.length });
  });
});

describe('partitions', () => {
  it('list --count counts what the other flags leave', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a1', 'b1', 'a2', 'a3']);
    const count = async (...flags: string[]): Promise<unknown> => {
      const args = ['partitions', 'list', 'keys', '--count', ...flags];
      const { total } = JSON.parse((await dynpart([...args, '--json'])).stdout) as { total: number };
      expect((await dynpart(args)).stdout).toBe(`${total}\n`);
      return total;
    };
    expect(await count()).toBe(4);
    expect(await count('--prefix', 'a')).toBe(3);
    expect(await count('--after', 'b1')).toBe(2);
    expect(await count('--prefix', 'a', '--after', 'a1', '--limit', '1')).toBe(1);
    expect((await dynpart(['partitions', 'list', 'keys', '--count', '--after', 'no'])).code).toBe(2);
  });

  it('remove --dry-run says that nothing would be removed', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    const args = ['partitions', 'remove', 'keys', 'b', '--dry-run'];
    expect(await dynpart(args, onTerminal)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: 'nothing would be removed from keys: 1 key not there\n',
    });
    expect((await dynpart(args)).stderr).toBe('');
  });
});

describe('a mistake that is near what was meant', () => {
  it('of an ended run is told by runs cancel', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    await dynpart(['materialize', 'good', '--all']);
    const { runs } = JSON.parse((await dynpart(['runs', 'list', '--json'])).stdout);
    const { code, stderr } = await dynpart(['runs', 'cancel', runs[0].id], onTerminal);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `run ${runs[0].id} had ended before: SUCCESS; nothing was canceled\n`,
    });
  });

  it('of a key in the place of an asset names --key', async () => {
    await dynpart(['partitions', 'add', 'keys', 'k1']);
    const { code, stderr } = await dynpart(['materialize', 'k1']);
    expect(code).toBe(2);
    expect(stderr).toContain(
      `"k1" is a key of set 'keys'; a key goes behind --key: dynpart materialize --key k1`,
    );
  });

  it.each([
    ['why k1', `"k1" is a key of set 'keys': dynpart partitions show keys k1`],
    ['status k1', `"k1" is a key of set 'keys': dynpart partitions show keys k1`],
    ['value show k1', `"k1" is a key of set 'keys': dynpart partitions show keys k1`],
    ['runs logs k1', `"k1" is a key of set 'keys': dynpart runs list --key k1`],
    ['sensor history good', '"good" is an asset: dynpart status good'],
    ['partitions list good', '"good" is an asset: dynpart status good'],
    ['status keys', '"keys" is a set: dynpart partitions list keys'],
    ['materialize k1 k2', 'dynpart materialize --key k1 --key k2'],
    ['status k3', 'see which there are: dynpart assets list'],
  ])('of one name in the place of another: %s', async (line, hint) => {
    await dynpart(['partitions', 'add', 'keys', 'k1', 'k2']);
    await dynpart(['materialize', 'good', '--key', 'k1']);
    const { code, stderr } = await dynpart(line.split(' '));
    expect(code).toBe(2);
    expect(stderr).toContain(hint);
  });
});

describe('colours', () => {
  const modes: readonly [string, TerminalOptions, readonly string[], boolean][] = [
    ['on a terminal', onTerminal, [], true],
    ['not on a pipe', { isTerminal: false }, [], false],
    ['not with NO_COLOR', { ...onTerminal, env: { NO_COLOR: '1' } }, [], false],
    ['with an empty NO_COLOR', { ...onTerminal, env: { NO_COLOR: '' } }, [], true],
    ['not on a dumb terminal', { ...onTerminal, env: { TERM: 'dumb' } }, [], false],
    ['not with --no-color', onTerminal, ['--no-color'], false],
    ['not with --json', onTerminal, ['--json'], false],
  ];

  it.each(modes)('%s', async (_, options, flags, coloured) => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    const status = await dynpart(['status', ...flags], options);
    expect(COLOUR.test(status.stdout)).toBe(coloured);
    const error = await dynpart(['partitions', 'list', 'none', ...flags], options);
    expect(error.code).toBe(2);
    expect(COLOUR.test(error.stderr)).toBe(coloured);
    expect(error.stdout).not.toMatch(COLOUR);
  });

  it('are chosen for each stream by itself', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    const isTerminal = { stdout: false, stderr: true };
    expect((await dynpart(['status'], { isTerminal })).stdout).not.toMatch(COLOUR);
    expect((await dynpart(['partitions', 'list', 'none'], { isTerminal })).stderr).toMatch(COLOUR);
  });
});

describe('a table of a command', () => {
  it('fits into the terminal, whatever the keys', async () => {
    await dynpart(['partitions', 'add', 'keys', wide.repeat(8), long, 'short']);
    await dynpart(['materialize', 'good', '--all']);
    for (const columns of [60, 80, 120]) {
      for (const args of [
        ['partitions', 'list', 'keys'],
        ['runs', 'list'],
        ['status'],
        ['sensor', 'list'],
        ['assets', 'list'],
      ]) {
        const { stdout } = await dynpart(args, { isTerminal: true, columns, env: { NO_COLOR: '1' } });
        const lines = stdout.trimEnd().split('\n');
        expect(lines.length).toBeGreaterThan(1);
        for (const line of lines) {
          if (columns >= 80) expect([args, stringWidth(line) <= columns]).toEqual([args, true]);
        }
      }
    }
  });

  it('shows every ID whole, and keys until they differ, on the narrowest terminal', async () => {
    const alike = ['one', 'two'].map((end) => `https://example.org/${'x'.repeat(60)}/${end}/feed`);
    await dynpart(['partitions', 'add', 'keys', ...alike]);
    await dynpart(['materialize', 'good', '--all']);
    const { runs } = JSON.parse((await dynpart(['runs', 'list', '--json'])).stdout);
    expect(runs).toHaveLength(2);
    const { stdout } = await dynpart(['runs', 'list'], { isTerminal: true, columns: 40 });
    for (const { id } of runs) expect(stdout).toContain(id);
    const listed = await dynpart(['partitions', 'list', 'keys'], {
      isTerminal: true,
      columns: 40,
      env: { NO_COLOR: '1' },
    });
    expect(listed.stdout).toMatch(/^https:.*…x*\/one\/feed /m);
    expect(listed.stdout).toMatch(/^https:.*…x*\/two\/feed /m);
    for (const line of listed.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('has short times for a person, and whole ones for a pipe', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    await dynpart(['materialize', 'good', '--all']);
    const person = await dynpart(['runs', 'list'], { isTerminal: true, columns: 120 });
    expect(person.stdout).toMatch(/ \d+ s ago +\d+\.\d s +materialize$/m);
    expect((await dynpart(['runs', 'list'])).stdout).toMatch(
      /\t\d{4}-\d\d-\d\dT[\d:.]+Z\t\d+\.\d s\tmaterialize$/m,
    );
  });

  it('of sensors is short for a person, too', async () => {
    await dynpart(['sensor', 'tick']);
    const person = await dynpart(['sensor', 'list'], { isTerminal: true, columns: 200 });
    expect(person.stdout).toMatch(/^feed .* \d+ s ago /m);
    expect((await dynpart(['sensor', 'list'])).stdout).toMatch(/^feed\t.*\t\d{4}-\d\d-\d\dT[\d:.]+Z\t/m);
  });

  it('is of runs of a status that was typed in small letters', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    await dynpart(['materialize', 'good', '--all']);
    for (const [status, count] of [
      ['success', 1],
      ['Failure', 0],
    ] as const) {
      const { code, stdout } = await dynpart(['runs', 'list', '--status', status, '--json']);
      expect([code, JSON.parse(stdout).runs.length]).toEqual([0, count]);
    }
  });

  it('is a record a line for a pipe, with whole keys', async () => {
    await dynpart(['partitions', 'add', 'keys', long]);
    expect((await dynpart(['partitions', 'list', 'keys'])).stdout).toBe(`${long}\n`);
    const { stdout } = await dynpart(['status']);
    expect(stdout.split('\n')[0]!.split('\t').slice(0, 2)).toEqual(['good', 'keys']);
  });
});

describe('under cron', () => {
  it('nothing new is silent, something new is one line on stderr', async () => {
    const first = await dynpart(['sensor', 'tick']);
    expect(first).toMatchObject({ code: 0, stdout: '' });
    expect(first.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(await dynpart(['sensor', 'tick'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('-q says nothing but errors', async () => {
    expect(await dynpart(['sensor', 'tick', '-q'])).toEqual({ code: 0, stdout: '', stderr: '' });
    const failed = await dynpart(['materialize', 'bad', '--all', '-q']);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain('boom');
  });

  it('a person at a terminal hears that there is nothing new', async () => {
    await dynpart(['sensor', 'tick']);
    expect((await dynpart(['sensor', 'tick'], { ...onTerminal, env: { NO_COLOR: '1' } })).stderr).toContain(
      'feed: nothing new',
    );
  });
});

describe('the exit code of a command', () => {
  const codes: readonly [readonly string[], number][] = [
    [['--version'], 0],
    [['--help'], 0],
    [['partitions', 'add', 'keys', 'a'], 0],
    [[], 2],
    [['partitions'], 2],
    [['no-such-command'], 2],
    [['status', '--no-such-flag'], 2],
    [['status', 'none'], 2],
    [['partitions', 'list', 'none'], 2],
    [['partitions', 'list', 'keys', '--limit', 'many'], 2],
    [['-f', 'none.ts', 'sensor', 'tick'], 2],
    [['sensor', 'tick', 'angry'], 3],
    [['status', '--exit-code'], 0],
  ];

  it.each(codes)('%j is %d', async (args, code) => {
    expect((await dynpart(args)).code).toBe(code);
    if (args[0]?.startsWith('--')) return;
    const json = await dynpart([...args, '--json']);
    expect(json.code).toBe(code);
    if (code === 2)
      expect(JSON.parse(json.stdout)).toMatchObject({
        error: { code: expect.any(String), message: expect.any(String) },
      });
  });

  it('of a failed run is 1, of a sensor and a run that failed 3, of missing keys 10', async () => {
    await dynpart(['sensor', 'tick']);
    expect((await dynpart(['status', '--exit-code'])).code).toBe(10);
    expect((await dynpart(['materialize', 'bad', '--all'])).code).toBe(1);
    expect((await dynpart(['materialize', 'bad', '--all', '--no-run'])).code).toBe(0);
    expect((await dynpart(['sensor', 'tick', 'angry', 'feed'])).code).toBe(3);
  });

  it('of a state that cannot be used is 5', async () => {
    await dynpart(['partitions', 'add', 'keys', 'a']);
    project.write({ '.dynpart/state.json': 'no JSON' });
    expect((await dynpart(['status'])).code).toBe(5);
  });
});

describe('global flags', () => {
  it.each([[['--json', 'status']], [['status', '--json']]])(
    'may stand before and after: %j',
    async (args) => {
      JSON.parse((await dynpart(args)).stdout);
    },
  );

  it('nearest to the command win over the environment', async () => {
    project.write({ 'other.ts': pipeline.replaceAll("'good'", "'other'") });
    const env = { DYNPART_FILE: project.path('other.ts') };
    expect((await dynpart(['assets', 'list'], { env })).stdout).toContain('other');
    expect((await dynpart(['assets', 'list', '-f', 'pipeline.ts'], { env })).stdout).not.toContain('other');
    await dynpart(['partitions', 'add', 'keys', 'a', '--state', 'a.json'], {
      env: { DYNPART_STATE: 'b.json' },
    });
    expect([project.exists('a.json'), project.exists('b.json')]).toEqual([true, false]);
    await dynpart(['partitions', 'add', 'keys', 'a'], { env: { DYNPART_STATE: 'b.json' } });
    expect(project.exists('b.json')).toBe(true);
  });

  it('is not taken for the value of the flag before it', async () => {
    const { code, stdout } = await dynpart(['partitions', 'list', 'keys', '--prefix', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'usage',
        message: '--prefix needs a value, and --json is a flag',
        hint: 'a value that begins with - is written so: --prefix=--json',
      },
    });
    await dynpart(['partitions', 'add', 'keys', '--', '--json']);
    expect((await dynpart(['partitions', 'list', 'keys', '--prefix=--json'])).stdout).toBe('--json\n');
  });

  it('behind -- are keys', async () => {
    await dynpart(['partitions', 'add', 'keys', '--', '--json', '-q']);
    expect((await dynpart(['partitions', 'list', 'keys'])).stdout).toBe('--json\n-q\n');
  });
});
