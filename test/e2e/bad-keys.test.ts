/** Keys that cannot be keys are refused by name and line; keys that can are kept exactly, whatever is in them. */
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BothFormsOptions, inBothForms } from '../support/in-process.ts';
import { Project, type RunResult } from '../support/project.ts';

const PIPELINE = `
import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const things = dynamicPartitions('things');
const copies = dynamicPartitions('copies');
const one = asset({ name: 'one', partitions: things, materialize: ({ partitionKey }) => ({ partitionKey }) });
const echo = asset({
  name: 'echo',
  partitions: things,
  inputs: { one },
  materialize({ partitionKey, inputs }) {
    if (inputs.one.partitionKey !== partitionKey) throw new Error('the value of another key: ' + inputs.one.partitionKey);
  },
});
export default definePipeline({ assets: [one, echo], partitions: [copies] });
`;

const LEGAL = [
  '--weird',
  '-x',
  '--',
  '--key',
  '--json',
  'a,b',
  'a|b',
  '...',
  '..',
  '.',
  '/etc/passwd',
  '../../escape',
  'a/b',
  'a\\b',
  "it's",
  '"quoted"',
  '"',
  'say "x"',
  '`tick`',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  ' ',
  ' leading',
  'trailing ',
  'a  b',
  '\u00a0',
  '{"a":1}',
  'null',
  '0',
  'true',
  '%2F',
  '%',
  '=',
  '#',
  '*',
  '$HOME',
  '~',
  'CON',
  'nul.txt',
  '🎉',
  '👩‍👩‍👧',
  '\u202eevil',
  '\u2066isolated',
  '\ufeffmark',
  'a\u0085b',
  'a\u2028b',
  'a\u200bb',
  'مفتاح',
  '鍵',
  'Case',
  'case',
  'CASE',
  '\u00e9',
  'e\u0301',
  '\u212b',
  '\u00c5',
  '.json',
  'a.json',
  'a.bin',
  'x'.repeat(1024),
  '🎉'.repeat(256),
];

const TOO_LONG = 'y'.repeat(1025);

/** Refused as a user's mistake: the exit code, words on stderr, nothing on stdout, no stack. */
function expectRefusal({ code, stdout, stderr }: RunResult, exitCode = 2): void {
  expect.soft(stderr).not.toMatch(/^\s+at |node:internal|this is a bug/m);
  expect.soft(stdout).toBe('');
  expect.soft(stderr).toMatch(/\S/);
  expect(code).toBe(exitCode);
}

/** The same command as text and with `--json`; what the error says. */
async function refused(project: Project, args: readonly string[], options: BothFormsOptions = {}) {
  const { text, json } = await inBothForms(project, args, options);
  expectRefusal(text);
  expect(json.code).toBe(2);
  expect(json.stdout.trimEnd().split('\n')).toHaveLength(1);
  const { error } = JSON.parse(json.stdout) as { error: { code: string; message: string; hint: string } };
  return { ...error, text: text.stderr };
}

/** At most three processes at once. */
async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

async function added(
  project: Project,
  args: readonly string[],
  options: BothFormsOptions = {},
): Promise<readonly string[]> {
  const { code, document } = await project.json(['partitions', 'add', 'things', ...args], options);
  expect(code).toBe(0);
  return document.added as string[];
}

function jsonOf(result: RunResult) {
  expect(result.stderr).toBe('');
  expect(result.code).toBe(0);
  return JSON.parse(result.stdout);
}

describe('legal keys', () => {
  it('round-trip through every command, format and file name', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const run = (...args: string[]) => project.dynpart(args);
    expect(jsonOf(await run('partitions', 'add', 'things', '--json', '--', ...LEGAL)).added).toEqual(LEGAL);

    const [text, lines, json] = await Promise.all([
      run('partitions', 'list', 'things'),
      run('partitions', 'list', 'things', '--json-lines'),
      run('partitions', 'list', 'things', '--json'),
    ]);
    expect(jsonOf(json).keys.map(({ key }: { key: string }) => key)).toEqual(LEGAL);
    expect(
      lines.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(LEGAL);
    const shown = text.stdout.split('\n').slice(0, -1);
    expect(shown.map((line) => (line.startsWith('"') ? JSON.parse(line) : line))).toEqual(LEGAL);
    for (const { stdout } of [text, lines, json]) {
      expect(stdout).not.toMatch(
        // oxlint-disable-next-line no-control-regex -- these must not reach a terminal
        /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/,
      );
    }

    const copied = await project.dynpart(
      ['partitions', 'add', 'copies', '--from', '-', '--json-lines', '--json'],
      { input: lines.stdout },
    );
    expect(jsonOf(copied).added).toEqual(LEGAL);

    // What is a flag of the command is taken for a key behind a = alone.
    const flags = new Set(['--', '--key', '--json']);
    const named = LEGAL.flatMap((key) => (flags.has(key) ? [`--key=${key}`] : ['--key', key]));
    const made = jsonOf(await run('materialize', '--json', ...named));
    expect(made.summary).toMatchObject({ total: LEGAL.length, succeeded: LEGAL.length });
    expect(made.runs.map(({ partitionKey }: { partitionKey: string }) => partitionKey).toSorted()).toEqual(
      LEGAL.toSorted(),
    );
    const again = jsonOf(await run('materialize', '--json', ...LEGAL.map((key) => `--key=${key}`)));
    expect(again.summary).toMatchObject({ total: LEGAL.length, succeeded: LEGAL.length });

    expect(fs.readdirSync(project.folder).toSorted()).toEqual(['.dynpart', 'pipeline.ts']);
    expect(
      fs
        .readdirSync(project.path('.dynpart', 'values'))
        .filter((name) => !name.startsWith('.'))
        .toSorted(),
    ).toEqual(['echo', 'one']);
    expect(fs.readdirSync(project.path('.dynpart', 'values', 'one'))).toHaveLength(LEGAL.length);
    expect(fs.readdirSync(project.path('.dynpart', 'values', 'one'), { recursive: true })).toHaveLength(
      LEGAL.length,
    );

    await eachOf(LEGAL, async (key) => {
      const { runs } = jsonOf(await run('runs', 'list', '--json', `--key=${key}`));
      expect([key, runs.map(({ partitionKey }: { partitionKey: string }) => partitionKey)]).toEqual([
        key,
        [key, key],
      ]);
    });

    const failing = await run('materialize', '--json', ...LEGAL.flatMap((key) => ['--key', `${key}?`]));
    expect(failing.code).toBe(2);

    const rest = LEGAL.slice(5);
    expect(
      jsonOf(await run('partitions', 'list', 'things', '--json', `--after=${LEGAL[4]!}`)).keys.map(
        ({ key }: { key: string }) => key,
      ),
    ).toEqual(rest);
    expect(
      jsonOf(await run('partitions', 'list', 'things', '--json', '--prefix=--')).keys.map(
        ({ key }: { key: string }) => key,
      ),
    ).toEqual(LEGAL.filter((key) => key.startsWith('--')));

    expect(
      jsonOf(await run('partitions', 'remove', 'things', '--purge', '--json', '--', ...LEGAL)).removed,
    ).toEqual(LEGAL);
    expect(jsonOf(await run('partitions', 'list', 'things', '--json')).keys).toEqual([]);
    expect(fs.readdirSync(project.path('.dynpart', 'values', 'one'))).toEqual([]);
    expect((await run('state', 'check')).code).toBe(0);
  });

  it('that begin with a dash are taken behind -- and as the value of a flag, and are hinted at otherwise', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    expect(await refused(project, ['partitions', 'add', 'things', '--weird'])).toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('--'),
    });
    expect(project.exists('.dynpart')).toBe(false);
    expect((await project.dynpart(['partitions', 'add', 'things', '--', '--weird', '-x'])).code).toBe(0);
    const [one, two] = await Promise.all([
      project.json(['materialize', '--key', '--weird']),
      project.json(['materialize', '--key=-x']),
    ]);
    expect([one, two].map(({ document }) => document.runs[0].partitionKey)).toEqual(['--weird', '-x']);
  });

  it('that differ only in case or in Unicode form are different keys with values of their own', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const keys = ['key', 'KEY', 'Key', '\u00e9', 'e\u0301'];
    expect(await added(project, keys)).toEqual(keys);
    expect((await project.json(['materialize', '--all'])).document.summary).toMatchObject({
      succeeded: 5,
      failed: 0,
    });
    const names = fs.readdirSync(project.path('.dynpart', 'values', 'one'));
    expect(new Set(names.map((name) => name.normalize('NFC').toLowerCase())).size).toBe(5);
  });
});

describe('keys that cannot be keys', () => {
  const BAD: readonly (readonly [string, string, string])[] = [
    ['empty', '', 'empty'],
    ['longer than 1,024 bytes', TOO_LONG, '1025 bytes'],
    ['longer than 1,024 bytes in UTF-8 only', 'é'.repeat(513), '1026 bytes'],
    ['with a line break', 'a\nb', 'U+000A'],
    ['with a tab', 'a\tb', 'U+0009'],
    ['with an escape sequence', '\u001b[31mred', 'U+001B'],
    ['with DEL', 'a\u007f', 'U+007F'],
  ];

  it.each(BAD)(
    '%s are refused by add, remove and materialize, and nothing is applied',
    async (_, key, why) => {
      await using project = new Project({ 'pipeline.ts': PIPELINE });
      expect(await added(project, ['there'])).toEqual(['there']);
      const before = project.stateBytes();
      for (const args of [
        ['partitions', 'add', 'things', 'fine', key],
        ['partitions', 'remove', 'things', 'there', key],
        ['materialize', '--add', '--key', 'there', '--key', key],
      ]) {
        const { code, message, text } = await refused(project, args);
        expect(code).toBe('invalid-key');
        expect(message).toContain(why);
        expect(message).toContain(JSON.stringify(key.slice(0, 60)).slice(1, -1).replace('\u007f', '\\u007f'));
        expect(message).not.toContain('fine');
        // oxlint-disable-next-line no-control-regex -- these must not reach a terminal
        expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
      }
      expect(project.stateBytes()).toBe(before);
    },
  );

  it('are refused in a process of its own as they are here: its streams, its exit code', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const args = ['partitions', 'add', 'things', 'fine', 'tab\there'];
    expect(await refused(project, args, { isSpawned: true })).toEqual(await refused(project, args));
  });

  it('are named each, not only the first', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const { message } = await refused(project, [
      'partitions',
      'add',
      'things',
      '',
      'ok',
      'a\u0001',
      'b\u0002',
    ]);
    expect(message).toContain('""');
    expect(message).toContain('a\\u0001');
    expect(message).toContain('b\\u0002');
    expect(project.exists('.dynpart')).toBe(false);
  });

  it('with half of a surrogate pair are refused with their line', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const input = '"fine"\n"\\ud800"\n"a\\udc00b"\n"\\ud83c\\udf89"\n';
    const { code, message } = await refused(
      project,
      ['partitions', 'add', 'things', '--from', '-', '--json-lines'],
      { input },
    );
    expect(code).toBe('invalid-key');
    expect(message).toMatch(/line 2: "\\ud800".*surrogate/);
    expect(message).toMatch(/line 3: "a\\udc00b".*surrogate/);
    expect(message).not.toMatch(/line [14]:/);
    expect(project.exists('.dynpart')).toBe(false);
  });
});

describe('a keys file', () => {
  it('may have CRLF, a byte order mark, blank lines and blanks at the ends of keys', async () => {
    await using project = new Project({
      'pipeline.ts': PIPELINE,
      'crlf.txt': '\ufeffone\r\n\r\n  two  \r\n\n   \nthree\n one\nfour',
      'json.txt': '\ufeff"five"\r\n\n  "six"  \r\n"one"\n',
      'exact.txt': `${'x'.repeat(1024)}\r\n${'é'.repeat(512)}\n`,
    });
    expect(await added(project, ['--from', 'crlf.txt'])).toEqual(['one', '  two  ', 'three', ' one', 'four']);
    expect(await added(project, ['--from', 'json.txt', '--json-lines'])).toEqual(['five', 'six']);
    expect(await added(project, ['--from', 'exact.txt'])).toEqual(['x'.repeat(1024), 'é'.repeat(512)]);
    expect(await added(project, ['--from', '-'], { input: '\ufeffseven\r\n--eight\n' })).toEqual([
      'seven',
      '--eight',
    ]);
  });

  it('with bad lines applies nothing and names each of them with its number', async () => {
    const lines = Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? `good${at}` : `bad\u0001${at}`));
    await using project = new Project({
      'pipeline.ts': PIPELINE,
      'bad.txt': `good\na\u0001b\n\n${TOO_LONG}\nfine\rish\nlast\n`,
      'many.txt': lines.join('\n'),
      'json.txt': '"ok"\nplain\n5\n["a"]\n""\n"a" "b"\n',
    });
    await added(project, ['there']);
    const before = project.stateBytes();
    for (const args of [
      ['partitions', 'add', 'things', '--from', 'bad.txt'],
      ['partitions', 'remove', 'things', '--from', 'bad.txt'],
      ['partitions', 'sync', 'things', '--from', 'bad.txt'],
      ['materialize', '--add', '--keys-from', 'bad.txt'],
    ]) {
      const { code, message } = await refused(project, args);
      expect(code).toBe('invalid-key');
      expect(message).toContain('bad.txt');
      expect(message.match(/line \d+:/g)).toEqual(['line 2:', 'line 4:', 'line 5:']);
    }
    const json = await refused(project, [
      'partitions',
      'add',
      'things',
      '--from',
      'json.txt',
      '--json-lines',
    ]);
    expect(json.message.match(/line \d+:/g)).toEqual(['line 2:', 'line 3:', 'line 4:', 'line 5:', 'line 6:']);
    expect(project.stateBytes()).toBe(before);
    const many = await refused(project, ['partitions', 'add', 'things', '--from', 'many.txt']);
    expect(many.message.match(/line \d+:/g)).toEqual(
      lines.flatMap((_, at) => (at % 2 === 0 ? [] : [`line ${at + 1}:`])),
    );
  });

  it.each(['\ufeffa\nb\n', '\ufffe\u6100'])(
    'that is UTF-16 is told as that, not as broken keys',
    async (text) => {
      await using project = new Project({ 'pipeline.ts': PIPELINE });
      project.write({ 'keys.txt': Buffer.from(text, 'utf16le') });
      const { code, message } = await refused(project, ['partitions', 'add', 'things', '--from', 'keys.txt']);
      expect([code, message]).toEqual([
        'keys-file',
        'cannot read keys from keys.txt: it is UTF-16, not UTF-8: iconv -f UTF-16 -t UTF-8',
      ]);
    },
  );

  it('that is not UTF-8 is refused with the lines that are not, and only these', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE });
    const replacement = Buffer.from('really \ufffd\n');
    project.write({
      'latin.txt': Buffer.concat([Buffer.from('good\ncaf\u00e9\n', 'latin1'), replacement]),
      'fine.txt': replacement,
    });
    const { code, message } = await refused(project, ['partitions', 'add', 'things', '--from', 'latin.txt']);
    expect(code).toBe('invalid-key');
    expect(message).toMatch(/line 2: .*UTF-8/);
    expect(project.exists('.dynpart')).toBe(false);
    expect(await added(project, ['--from', 'fine.txt'])).toEqual(['really \ufffd']);
    expect(message.match(/line \d+:/g)).toEqual(['line 2:']);
  });

  it('that is a folder or not there is named', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'folder/file.txt': '' });
    for (const file of ['folder', 'missing.txt', 'pipeline.ts/keys.txt']) {
      for (const args of [
        ['partitions', 'add', 'things', '--from', file],
        ['materialize', '--keys-from', file],
      ]) {
        const { code, message } = await refused(project, args);
        expect(code).toBe('keys-file');
        expect(message).toContain(file);
      }
    }
    expect(project.exists('.dynpart')).toBe(false);
  });

  it('that is empty does not empty a set by accident', async () => {
    await using project = new Project({ 'pipeline.ts': PIPELINE, 'empty.txt': '\ufeff\r\n\n' });
    await added(project, ['there']);
    const before = project.stateBytes();
    const { code, hint } = await refused(project, ['partitions', 'sync', 'things', '--from', 'empty.txt']);
    expect({ code, hint }).toEqual({ code: 'usage', hint: expect.stringContaining('--allow-empty') });
    expect(project.stateBytes()).toBe(before);
    const { document } = await project.json([
      'partitions',
      'sync',
      'things',
      '--from',
      'empty.txt',
      '--allow-empty',
    ]);
    expect(document.removed).toEqual(['there']);
  });
});
