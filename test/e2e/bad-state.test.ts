/** State files that are damaged, gone, newer or out of reach: exit 5, the way back, and no byte touched; and commands that only read never write. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BothFormsOptions, inBothForms, runHere } from '../support/in-process.ts';
import { binary, Project, type RunResult } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const one = asset({ name: 'one', partitions: things, materialize: ({ partitionKey }) => partitionKey });
const feed = sensor({
  name: 'feed',
  assets: [one],
  evaluate: () => ({ cursor: 'c', dynamicPartitionsRequests: [things.buildAddRequest(['new'])], runRequests: [{ partitionKey: 'new', runKey: 'new' }] }),
});
export default definePipeline({ assets: [one], sensors: [feed] });
`;

/** Every file and folder below one: content, time of change and mode. */
function snapshot(folder: string): Record<string, string> {
  const entries: Record<string, string> = {};
  for (const name of fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const file = path.join(folder, name);
    const stat = fs.lstatSync(file);
    entries[name] = stat.isFile()
      ? `${stat.ino} ${stat.mtimeMs} ${stat.mode} ${fs.readFileSync(file, 'base64')}`
      : `folder ${stat.mtimeMs}`;
  }
  return entries;
}

function expectNoStack({ stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>): void {
  expect
    .soft(`${stdout}\n${stderr}`.replaceAll('\\n', '\n'))
    .not.toMatch(/^\s+at |node:internal|this is a bug|^Node\.js v/m);
}

interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Fails in both forms with the same error, and changes nothing at all in the folder. */
async function fails(
  project: Project,
  args: readonly string[],
  exitCode = 5,
  options: BothFormsOptions = {},
): Promise<ErrorDocument> {
  const before = snapshot(project.folder);
  const { text, json } = await inBothForms(project, args, options);
  for (const result of [text, json]) {
    expectNoStack(result);
    expect.soft([args, result.code]).toEqual([args, exitCode]);
  }
  expect.soft(snapshot(project.folder)).toEqual(before);
  expect.soft(text.stdout).toBe('');
  expect.soft(json.stderr).toBe('');
  expect(json.stdout.split('\n')).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  const { error } = JSON.parse(json.stdout) as { error: ErrorDocument };
  expect.soft(text.stderr).toContain(error.message);
  return error;
}

async function done(project: Project, ...args: string[]) {
  const { code, stdout, stderr } = await runHere(project, [...args, '--json']);
  const document = JSON.parse(stdout);
  expect([args, code, document.error, stderr]).toEqual([args, 0, undefined, '']);
  return document;
}

/** A project whose state has three commits: keys a and b, then c, then d. */
async function projectWithState(): Promise<Project> {
  const project = new Project({ 'pipeline.ts': PIPELINE });
  await done(project, 'partitions', 'add', 'things', 'a', 'b');
  await done(project, 'partitions', 'add', 'things', 'c');
  await done(project, 'partitions', 'add', 'things', 'd');
  return project;
}

const keysOf = async (project: Project): Promise<string[]> =>
  (await done(project, 'partitions', 'list', 'things')).keys.map(({ key }: { key: string }) => key);

const EVERY_COMMAND: readonly (readonly string[])[] = [
  ['partitions', 'list'],
  ['partitions', 'list', 'things'],
  ['partitions', 'add', 'things', 'z'],
  ['partitions', 'remove', 'things', 'a'],
  ['partitions', 'sync', 'things', '--from', 'keys.txt'],
  ['sensor', 'list'],
  ['sensor', 'tick'],
  ['sensor', 'tick', '--dry-run'],
  ['sensor', 'stop', 'feed'],
  ['sensor', 'cursor', 'feed', '--set', 'x'],
  ['sensor', 'history', 'feed'],
  ['materialize', '--missing'],
  ['materialize', '--key', 'a', '--no-run'],
  ['worker', '--once'],
  ['runs', 'list'],
  ['runs', 'cancel', 'x'],
  ['status'],
  ['state', 'check'],
  ['state', 'export', 'copy.json'],
];

const FEW_COMMANDS: readonly (readonly string[])[] = [['partitions', 'add', 'things', 'z'], ['status']];

/** Damage as a copy over the file or a torn write would do it: a new file, so that the generations keep their content. */
function replaceState(project: Project, content: string): void {
  fs.rmSync(project.path('.dynpart', 'state.json'));
  project.write({ '.dynpart/state.json': content });
}

describe('a state file', () => {
  it('that is empty is refused by every command, which touch nothing', async () => {
    await using project = await projectWithState();
    project.write({ 'keys.txt': 'a\n' });
    replaceState(project, '');
    for (const args of EVERY_COMMAND) {
      const { code, message, hint } = await fails(project, args);
      expect([args, code]).toEqual([args, 'state-empty']);
      expect(message).toContain(project.path('.dynpart', 'state.json'));
      expect(hint).toContain('state restore');
      expect(hint).toContain('--last');
    }
    // In a process of its own as here: its streams, its exit code.
    for (const args of FEW_COMMANDS)
      expect(await fails(project, args, 5, { isSpawned: true })).toEqual(await fails(project, args));
    await done(project, 'state', 'restore', '--last');
    expect(await keysOf(project)).toEqual(['a', 'b', 'c', 'd']);
  });

  const DAMAGES: readonly (readonly [
    what: string,
    code: string,
    damage: (text: string) => string,
    says: string,
  ])[] = [
    ['blank', 'state-empty', () => ' \n', 'empty'],
    ['cut off', 'state-not-json', (text) => text.slice(0, text.length / 2), 'not whole'],
    ['not JSON', 'state-not-json', () => '<html>', 'not whole'],
    [
      'with bytes of zero at its end',
      'state-not-json',
      (text) => `${text.slice(0, -10)}\0\0\0\0`,
      'not whole',
    ],
    ['of two writers, one behind the other', 'state-not-json', (text) => text + text, 'not whole'],
    ['a list', 'state-misshapen', () => '[]', 'an object'],
    ['null', 'state-misshapen', () => 'null', 'an object'],
    ['an empty object', 'state-misshapen', () => '{}', 'schema'],
    ['of a newer schema', 'state-newer', (text) => text.replace(/"schema":\d+/, '"schema":99'), '99'],
    ['of a newer schema, and nothing else', 'state-newer', () => '{"schema":98}', '98'],
    ['of a schema that never was', 'state-older', (text) => text.replace(/"schema":\d+/, '"schema":0'), '0'],
    [
      'with a key that is a number',
      'state-misshapen',
      (text) => text.replace('"a","b"', '"a",3'),
      'sets.things.keys[1]',
    ],
    ['with a wrong count', 'state-misshapen', (text) => text.replace('[2,"', '[7,"'), 'sets.things.added'],
    ['without sets', 'state-misshapen', (text) => text.replace('"sets":', '"stes":'), 'sets'],
    [
      'with a serial that is a text',
      'state-misshapen',
      (text) => text.replace(/"serial":\d+/, '"serial":"3"'),
      'serial',
    ],
  ];

  it.each(DAMAGES)(
    'that is %s is refused (%s), and restore --last brings it back and keeps what was there',
    async (what, code, damage, says) => {
      await using project = await projectWithState();
      const good = project.stateBytes()!;
      const damaged = damage(good);
      expect(damaged).not.toBe(good);
      replaceState(project, damaged);
      for (const args of FEW_COMMANDS) {
        const error = await fails(project, args);
        expect([what, error.code]).toEqual([what, code]);
        expect(error.message).toContain(project.path('.dynpart', 'state.json'));
        expect(error.message).toContain(says);
        if (code === 'state-newer') expect(error.hint).toContain('newer');
        else expect(error.hint).toContain('state restore --last');
      }
      const { serial, file } = await done(project, 'state', 'restore', '--last');
      expect(file).toBe(project.path('.dynpart', 'state.json'));
      expect(serial).toBeGreaterThan(3);
      expect(await keysOf(project)).toEqual(['a', 'b', 'c', 'd']);
      const kept = fs.readdirSync(project.path('.dynpart')).filter((name) => name.startsWith('state.json.'));
      expect(kept).toHaveLength(1);
      expect(project.read('.dynpart', kept[0]!)).toBe(damaged);
      expect((await done(project, 'state', 'check')).ok).toBe(true);
    },
  );

  it('that was edited in place, so that its newest generation is damaged too, goes back to the one before', async () => {
    await using project = await projectWithState();
    fs.writeFileSync(project.path('.dynpart', 'state.json'), '{"schema":1,');
    expect((await fails(project, ['partitions', 'list', 'things'])).code).toBe('state-not-json');
    await done(project, 'state', 'restore', '--last');
    expect(await keysOf(project)).toEqual(['a', 'b', 'c']);
  });

  it('that was edited in place into one with a problem goes back to the generation before, which has none', async () => {
    await using project = await projectWithState();
    fs.writeFileSync(
      project.path('.dynpart', 'state.json'),
      project.stateBytes()!.replace('"c","d"', '"c","c"'),
    );
    const checked = await project.json(['state', 'check']);
    expect(checked.code).toBe(5);
    expect(checked.document).toMatchObject({
      ok: false,
      problems: [expect.objectContaining({ message: expect.stringContaining('"c"') })],
    });
    const text = await project.dynpart(['state', 'check']);
    expect(text).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('"c"'),
      stderr: expect.stringContaining('restore'),
    });
    expectNoStack(text);
    await done(project, 'state', 'restore', '--last');
    expect(await keysOf(project)).toEqual(['a', 'b', 'c']);
  });

  it('that is gone while its generations are there is never a fresh start', async () => {
    await using project = await projectWithState();
    project.write({ 'keys.txt': 'a\n' });
    fs.rmSync(project.path('.dynpart', 'state.json'));
    for (const args of [
      ...FEW_COMMANDS,
      ['sensor', 'tick'],
      ['state', 'check'],
      ['partitions', 'list', 'things'],
    ]) {
      const { code, message, hint } = await fails(project, args);
      expect([args, code]).toEqual([args, 'state-missing']);
      expect(message).toContain(project.path('.dynpart', 'state.json'));
      expect(hint).toContain('state restore --last');
    }
    await done(project, 'state', 'restore', '--last');
    expect(await keysOf(project)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('that is an old copy is passed over for the newest generation, with a warning', async () => {
    await using project = await projectWithState();
    const old = project.stateBytes()!;
    await done(project, 'partitions', 'add', 'things', 'e');
    replaceState(project, old);
    const { code, document, stderr } = await project.json(['partitions', 'list', 'things']);
    expect(code).toBe(0);
    expect(document.total).toBe(5);
    expect(stderr).toMatch(/^warning: .*state restore/);
    expect(project.stateBytes()).toBe(old);
  });
});

describe('a state file out of reach', () => {
  it('below a regular file is refused by every command', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'keys.txt': 'a\n', regular: 'a file\n' });
    for (const args of EVERY_COMMAND) {
      const { code, message } = await fails(project, [...args, '--state', 'regular/state.json']);
      expect.soft([args, code]).toEqual([args, 'state-io']);
      expect.soft(message).toContain(project.path('regular'));
    }
  });

  it('that is itself a folder, or whose folder would be below a file, is named', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'folder/x.txt': '', regular: 'a file\n' });
    for (const args of FEW_COMMANDS) {
      const folder = await fails(project, [...args, '--state', 'folder']);
      expect([folder.code, folder.message]).toEqual([
        'state-io',
        expect.stringContaining(project.path('folder')),
      ]);
      const deep = await fails(project, [...args, '--state', 'regular/deep/er/state.json']);
      expect([deep.code, deep.message]).toEqual([
        'state-io',
        expect.stringContaining(project.path('regular')),
      ]);
    }
  });

  it('behind a link to itself is named', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    fs.symlinkSync('loop', project.path('loop'));
    for (const args of FEW_COMMANDS) {
      const loop = await fails(project, [...args, '--state', 'loop/state.json']);
      expect([loop.code, loop.message]).toEqual(['state-io', expect.stringContaining(project.path('loop'))]);
    }
  });

  it('with a name that is too long is named', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const { code } = await fails(project, [
      'partitions',
      'add',
      'things',
      'a',
      '--state',
      `${'x'.repeat(300)}.json`,
    ]);
    expect(code).toBe('state-io');
  });

  const asRoot = process.getuid?.() === 0;
  if (asRoot)
    console.warn(
      'SKIPPED as root: a read-only folder does not stop root; run the tests as another user to see it',
    );
  it.skipIf(asRoot)('in a read-only folder is named, and reading goes on', async () => {
    await using project = await projectWithState();
    fs.chmodSync(project.path('.dynpart'), 0o500);
    try {
      expect(await keysOf(project)).toEqual(['a', 'b', 'c', 'd']);
      for (const args of [
        ['partitions', 'add', 'things', 'z'],
        ['sensor', 'tick'],
        ['sensor', 'stop', 'feed'],
      ]) {
        const { code, message } = await fails(project, args);
        expect(code).toBe('state-io');
        expect(message).toContain(project.path('.dynpart'));
      }
    } finally {
      fs.chmodSync(project.path('.dynpart'), 0o700);
    }
  });
});

describe('state restore and export', () => {
  it('make a round trip, keep a copy of what was there, and go on counting', async () => {
    await using project = await projectWithState();
    await done(project, 'materialize', '--key', 'a');
    const exported = await done(project, 'state', 'export', 'copy.json');
    expect(exported.file).toBe(project.path('copy.json'));
    expect(JSON.parse(project.read('copy.json'))).toEqual(project.state());
    const printed = await project.dynpart(['state', 'export']);
    expect(JSON.parse(printed.stdout)).toEqual(project.state());
    await done(project, 'partitions', 'remove', 'things', 'a', 'b');
    await done(project, 'partitions', 'add', 'things', 'later');
    const before = project.stateBytes()!;
    const restored = await done(project, 'state', 'restore', 'copy.json');
    expect(restored.serial).toBeGreaterThan(JSON.parse(before).serial as number);
    expect(project.state()).toMatchObject({ serial: restored.serial, lineage: JSON.parse(before).lineage });
    expect(await keysOf(project)).toEqual(['a', 'b', 'c', 'd']);
    expect((await done(project, 'status')).assets[0]).toMatchObject({ materialized: 1, missing: 3 });
    const kept = fs.readdirSync(project.path('.dynpart')).filter((name) => name.startsWith('state.json.'));
    expect(kept.map((name) => project.read('.dynpart', name))).toEqual([before]);
    expect((await done(project, 'state', 'check')).ok).toBe(true);
    await done(project, 'partitions', 'add', 'things', 'after');
    expect(project.state().serial).toBe(restored.serial + 1);
  });

  it('take a copy into an empty folder', async () => {
    await using from = await projectWithState();
    await done(from, 'state', 'export', 'copy.json');
    await using to = new Project({ 'pipeline.ts': PIPELINE, 'copy.json': from.read('copy.json') });
    await done(to, 'state', 'restore', 'copy.json');
    expect(await keysOf(to)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('refuse a copy that is none, name it, and do not advise to restore over it', async () => {
    await using project = await projectWithState();
    project.write({
      'empty.json': '',
      'html.json': '<html>',
      'other.json': '{"name":"x"}',
      'newer.json': '{"schema":99}',
      'twice.json': project.stateBytes()!.replace('"c","d"', '"c","c"'),
      'folder/x.txt': '',
    });
    for (const name of ['empty.json', 'html.json', 'other.json', 'newer.json', 'twice.json', 'folder']) {
      const exit = name === 'folder' ? 2 : 5;
      const { message, hint } = await fails(project, ['state', 'restore', name], exit);
      expect(message).toContain(name);
      expect.soft(hint).not.toContain(`--state ${project.path(name)}`);
    }
    const missing = await fails(project, ['state', 'restore', 'nope.json'], 2);
    expect(missing.message).toContain('nope.json');
    expect((await fails(project, ['state', 'restore'], 2)).code).toBe('usage');
    expect((await fails(project, ['state', 'restore', 'empty.json', '--last'], 2)).code).toBe('usage');
  });

  it('say when there is nothing to go back to, and make nothing', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const before = snapshot(project.folder);
    const result = await project.dynpart(['state', 'restore', '--last']);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('state restore FILE');
    expect(snapshot(project.folder)).toEqual(before);
  });

  it('cannot write where there is no folder: named, and nothing left behind', async () => {
    await using project = await projectWithState();
    project.write({ regular: '', 'folder/x.txt': '' });
    for (const target of ['nowhere/copy.json', 'regular/copy.json']) {
      const { code, message } = await fails(project, ['state', 'export', target]);
      expect(code).toBe('state-io');
      expect(message).toContain(project.path(target));
    }
  });
});

describe('commands that only read', () => {
  const READING: readonly (readonly string[])[] = [
    ['partitions', 'list'],
    ['partitions', 'list', 'things'],
    ['partitions', 'list', 'things', '--count'],
    ['sensor', 'list'],
    ['sensor', 'history', 'feed'],
    ['sensor', 'cursor', 'feed'],
    ['sensor', 'tick', '--dry-run'],
    ['sensor', 'tick', 'feed', '--dry-run'],
    ['materialize', '--missing', '--dry-run'],
    ['materialize', '--key', 'fresh', '--add', '--dry-run'],
    ['partitions', 'remove', 'things', 'a', '--dry-run'],
    ['partitions', 'remove', 'things', '--keep-last', '0', '--dry-run'],
    ['partitions', 'remove', 'things', 'a', '--purge', '--dry-run'],
    ['partitions', 'sync', 'things', '--from', 'keys.txt', '--dry-run'],
    ['runs', 'list'],
    ['status'],
    ['status', 'one'],
    ['assets', 'list'],
    ['state', 'check'],
    ['state', 'export'],
    ['materialize', '--failed'],
    ['worker', '--once'],
  ];
  const READS_JSON = READING.filter(([name, action]) => name !== 'state' || action !== 'export');

  it('make no folder where there never was a state', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'keys.txt': 'k\n' });
    const before = snapshot(project.folder);
    for (const args of READING) {
      const { code, stderr } = await project.dynpart(args);
      expect([args, code, stderr]).toEqual([args, 0, '']);
      expect([args, snapshot(project.folder)]).toEqual([args, before]);
    }
    for (const args of READING.slice(0, 8)) {
      expect((await project.dynpart([...args, '--state', 'elsewhere/deep/state.json'])).code).toBe(0);
    }
    expect(snapshot(project.folder)).toEqual(before);
  });

  it('never write, byte for byte and time for time, where there is one', async () => {
    await using project = await projectWithState();
    project.write({ 'keys.txt': 'k\n' });
    await done(project, 'sensor', 'tick');
    const { runs } = await done(project, 'materialize', '--key', 'a');
    const id = runs[0].id as string;
    const before = snapshot(project.folder);
    for (const args of [
      ...READS_JSON,
      ['runs', 'show', id],
      ['runs', 'logs', id],
      ['runs', 'logs', id, '--follow'],
    ]) {
      const [text, json] = await Promise.all([project.dynpart(args), project.dynpart([...args, '--json'])]);
      // What wants somebody is said on stderr.
      const said = args[0] === 'status' ? /^missing: .*\n$/ : /^$/;
      expect([args, text.code, text.stderr, json.code]).toEqual([args, 0, expect.stringMatching(said), 0]);
      expect([args, snapshot(project.folder)]).toEqual([args, before]);
    }
  });

  it('never write either when the pipeline file was edited since', async () => {
    await using project = await projectWithState();
    project.write({ 'keys.txt': 'k\n', 'pipeline.ts': `${PIPELINE}// edited\n` });
    const before = snapshot(project.folder);
    for (const args of READS_JSON.filter((_, at) => at % 2 === 1)) {
      expect([args, (await project.dynpart(args)).code]).toEqual([args, 0]);
      expect([args, snapshot(project.folder)]).toEqual([args, before]);
    }
  });

  it('say in a dry run exactly what is then done', async () => {
    await using project = await projectWithState();
    const dry = (await done(project, 'sensor', 'tick', 'feed', '--dry-run')).ticks[0];
    const real = (await done(project, 'sensor', 'tick', 'feed')).ticks[0];
    for (const field of ['status', 'cursor', 'partitions', 'skippedRunKeys'])
      expect(dry[field]).toEqual(real[field]);
    expect(dry.runs.map(({ id }: { id: unknown }) => id)).toEqual([null]);
  });
});

describe('stdout', () => {
  let project: Project;
  const MANY = Array.from({ length: 100_000 }, (_, at) => `key-${at}`);

  beforeAll(async () => {
    project = new Project({ 'pipeline.ts': PIPELINE, 'keys.txt': MANY.join('\n') });
    await done(project, 'partitions', 'add', 'things', '--from', 'keys.txt');
  });
  afterAll(async () => project[Symbol.asyncDispose]());

  /** A shell line in which $D is dynpart; what it wrote and the exit codes of the parts of its pipe. */
  function shell(line: string): Promise<RunResult> {
    return new Promise((resolve, reject) => {
      const child = spawn('bash', ['-c', line], {
        cwd: project.folder,
        env: { PATH: process.env['PATH'] ?? '', HOME: project.folder, NODE: process.execPath, BIN: binary },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].setEncoding('utf8').on('data', (chunk: string) => (said[name] += chunk));
      child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, ...said }));
    });
  }

  it.each([
    ['partitions list things', 'key-0\n'],
    ['partitions list things --json-lines', '"key-0"\n'],
    ['state export', '{"schema"'],
    ['partitions list things --json', '{"set"'],
    ['materialize --missing --dry-run', 'key-0\tone\tmissing\n'],
  ])('closed early is no error of dynpart %s', async (command, begins) => {
    const { stdout, stderr } = await shell(
      `"$NODE" "$BIN" ${command} | head -c ${begins.length}; echo " \${PIPESTATUS[0]}"`,
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(`${begins} 0\n`);
  });

  it('closed before anything was written is no error', async () => {
    const { stderr, code } = await shell('"$NODE" "$BIN" partitions list things >&-');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  });

  it('closed early does not stop a command that does something', async () => {
    const { stdout, stderr } = await shell(
      '"$NODE" "$BIN" partitions add things --json one-more | true; echo "${PIPESTATUS[0]}"',
    );
    expect([stdout, stderr]).toEqual(['0\n', '']);
    expect((await done(project, 'partitions', 'list', 'things', '--count')).total).toBe(100_001);
  });

  it.skipIf(!fs.existsSync('/dev/full'))('on a full disk is said in words', async () => {
    const result = await shell('"$NODE" "$BIN" partitions list things > /dev/full');
    expectNoStack(result);
    expect.soft(result.code).toBe(5);
    expect(result.stderr).toMatch(/space/);
  });

  it
    .skipIf(!fs.existsSync('/dev/full'))
    .each([
      '--help',
      '--json --help',
      '--version',
      'runs list --help',
      'nonsense --json',
      'partitions list things --json',
      'partitions list nothing --json',
    ])('on a full disk ends neither in a stack nor in success: %s', async (line) => {
    const result = await shell(`"$NODE" "$BIN" ${line} > /dev/full`);
    expectNoStack(result);
    expect(result.code).toBe(5);
    expect(result.stderr.match(/cannot write to standard output: no space/g)).toHaveLength(1);
  });

  it.skipIf(!fs.existsSync('/dev/full'))('on a full disk keeps no run from its end', async () => {
    const { code } = await shell(
      '"$NODE" "$BIN" partitions add things full-1 full-2 --materialize --json > /dev/full',
    );
    expect(code).toBe(5);
    const { runs } = await done(project, 'runs', 'list', '--key', 'full-2');
    expect(runs.map((run: { status: string }) => run.status)).toEqual(['SUCCESS']);
  });

  it('read slowly gets every key', async () => {
    const { stdout } = await shell(
      '"$NODE" "$BIN" partitions list things --after key-9 | (sleep 0.3; wc -l)',
    );
    expect(Number(stdout)).toBeGreaterThan(99_900);
  });
});
