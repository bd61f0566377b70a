/** `dynpart value` through the real binary: what is on record, as it is kept, wherever it lies; and words where there is nothing. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileNameOf } from '../../src/files/file-name.ts';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { inBothForms, runHere } from '../support/in-process.ts';
import { binary, Project } from '../support/project.ts';

const PIPELINE = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const items = dynamicPartitions('items');
const record = asset({ name: 'record', partitions: items, materialize: ({ partitionKey }) => {
  if (partitionKey === 'bad') throw new Error('no luck');
  return { key: partitionKey, sign: '\\u202e' };
} });
const bytes = asset({ name: 'bytes', partitions: items, materialize: () => Uint8Array.from({ length: 200_000 }, (_, at) => at) });
const nothing = asset({ name: 'nothing', partitions: items, materialize: () => undefined });
const config = asset({ name: 'config', materialize: () => [1, 2] });
export default definePipeline({ assets: [record, bytes, nothing, config] });
`;

const AB = fileNameOf('a/b');

let project: Project;
beforeEach(async () => {
  project = new Project({ 'pipeline.ts': PIPELINE });
  await runHere(project, ['partitions', 'add', 'items', '--', 'a/b', 'bad', 'later', '-x']);
  await runHere(project, ['materialize', '--key', 'a/b', '--key', 'bad', '--key=-x']);
  await runHere(project, ['materialize', 'config']);
});
afterEach(() => project[Symbol.asyncDispose]());

const place = (name: string): string => project.path('.dynpart', 'values', ...name.split('/'));

const on = (...args: string[]): Promise<Ran> =>
  runOn(new CapturedTerminal({ isTerminal: true, cwd: project.folder, env: { NO_COLOR: '1' } }), args);

describe('value', () => {
  it.each([
    ['record --key a/b', `record/${AB}.json`, '{"key":"a/b","sign":"\u202e"}\n'],
    ['record --key=-x', `record/${fileNameOf('-x')}.json`, '{"key":"-x","sign":"\u202e"}\n'],
    ['nothing --key a/b', `nothing/${AB}.none`, ''],
    ['config', 'config/=.json', '[1,2]\n'],
  ])('show prints what is kept, and path names its file: %s', async (typed, file, content) => {
    const words = typed.split(' ');
    const shown = await project.dynpart(['value', 'show', ...words]);
    expect(shown).toEqual({ code: 0, signal: null, stdout: content, stderr: '' });
    expect(fs.readFileSync(place(file), 'utf8')).toBe(content);
    const { text, json } = await inBothForms(project, ['value', 'path', ...words]);
    expect([text.code, text.stdout]).toEqual([0, `${place(file)}\n`]);
    const key = words
      .slice(1)
      .join(' ')
      .replace(/^--key[ =]/, '');
    const document = { asset: words[0], partitionKey: key === '' ? null : key, path: place(file) };
    expect(JSON.parse(json.stdout)).toEqual(document);
    expect(JSON.parse((await runHere(project, ['value', 'show', ...words, '--json'])).stdout)).toEqual(
      document,
    );
  });

  it('show writes bytes as they are', () => {
    const args = [binary, 'value', 'show', 'bytes', '--key', 'a/b'];
    const shown = execFileSync(process.execPath, args, { cwd: project.folder });
    expect(shown.equals(Buffer.from(Uint8Array.from({ length: 200_000 }, (_, at) => at)))).toBe(true);
  });

  it('show lets nothing through to a terminal that would disturb it', async () => {
    const json = await on('value', 'show', 'record', '--key', 'a/b');
    expect([json.code, json.stdout]).toEqual([0, '{"key":"a/b","sign":"\\u202e"}\n']);
    const bytes = await on('value', 'show', 'bytes', '--key', 'a/b');
    expect([bytes.code, bytes.stdout]).toEqual([2, '']);
    expect(bytes.stderr).toContain('the value is 200,000 bytes, no text');
    expect(bytes.stderr).toContain('into a file: dynpart value show bytes --key a/b > FILE');
  });

  it.each(['with the journal of the process that left it', 'after a loss of power, without one'])(
    'finds a value that waits for its place, and leaves it there: %s',
    async (how) => {
      const listed = await runHere(project, ['runs', 'list', '--key', 'a/b', '--json']);
      const [{ id: run }] = (JSON.parse(listed.stdout) as { runs: [{ id: string }] }).runs;
      const [file, waiting] = [place(`record/${AB}.json`), place(`record/${AB}.json~${run}`)];
      fs.renameSync(file, waiting);
      // What it is to replace is there, and so is one of a run that has failed.
      fs.writeFileSync(file, '"older"\n');
      fs.writeFileSync(place(`record/${AB}.json~zzz-1`), '"of no run"\n');
      if (how.startsWith('with ')) {
        const lines = [run, 'zzz-1'].map((id) =>
          JSON.stringify({ run: id, asset: 'record', key: 'a/b', file }),
        );
        fs.writeFileSync(place('.tmp/1-2-3'), `${lines.join('\n')}\n`);
      } else fs.rmSync(place('.tmp'), { recursive: true });
      const shown = await project.dynpart(['value', 'show', 'record', '--key', 'a/b']);
      expect([shown.code, shown.stdout]).toEqual([0, '{"key":"a/b","sign":"\u202e"}\n']);
      const named = await project.dynpart(['value', 'path', 'record', '--key', 'a/b']);
      expect([named.code, named.stdout]).toEqual([0, `${waiting}\n`]);
      expect(fs.readFileSync(file, 'utf8')).toBe('"older"\n');
    },
  );

  it('shows what the I/O manager of the pipeline has, which has no path', async () => {
    project.write({
      'pipeline.ts': PIPELINE.replace(
        'config] }',
        `config], ioManager: { save() {}, remove() {}, load: ({ asset, partitionKey }) => {
          if (asset === 'bytes') throw new Error('no connection');
          return { from: 'elsewhere', partitionKey };
        } } }`,
      ),
    });
    const shown = await runHere(project, ['value', 'show', 'record', '--key', 'a/b']);
    expect([shown.code, shown.stdout]).toEqual([0, '{"from":"elsewhere","partitionKey":"a/b"}\n']);
    const { document } = await project.json(['value', 'show', 'record', '--key', 'a/b']);
    expect(document).toEqual({ asset: 'record', partitionKey: 'a/b', path: null });
    const failed = await project.json(['value', 'show', 'bytes', '--key', 'a/b']);
    expect([failed.code, failed.document.error?.code]).toEqual([0, undefined]);
    const path = await project.json(['value', 'path', 'record', '--key', 'a/b']);
    expect([path.code, path.document.error.hint]).toEqual([
      2,
      'to see the value: dynpart value show record --key a/b',
    ]);
    const broken = await runHere(project, ['value', 'show', 'bytes', '--key', 'a/b']);
    expect(broken.code).toBe(5);
    expect(broken.stderr).toContain('no connection');
  });

  it.each([
    ['value show record --key later', 2, 'usage', 'to make it: dynpart materialize record --key later'],
    [
      'value show record --key bad',
      2,
      'usage',
      'why: dynpart runs list --status FAILURE --asset record --key bad; again: dynpart materialize record --key bad',
    ],
    ['value path record --key latr', 2, 'unknown-key', 'did you mean "later"'],
    ['value show recrd --key later', 2, 'unknown-asset', 'did you mean "record"'],
    ['value show record', 2, 'usage', 'dynpart value show record --key KEY'],
    ['value show config --key later', 2, 'asset-without-key', 'dynpart materialize config'],
    ['value show', 2, 'usage', 'to find one: dynpart assets list'],
  ])('says what is not there, and what now: %s', async (typed, code, reason, hint) => {
    const { json } = await inBothForms(project, typed.split(' '));
    const { error } = JSON.parse(json.stdout);
    expect([json.code, error.code]).toEqual([code, reason]);
    expect(error.hint).toContain(hint);
  });

  it('says that a value on record is gone, and how to make it again', async () => {
    fs.rmSync(place(`record/${AB}.json`));
    const { code, document } = await project.json(['value', 'show', 'record', '--key', 'a/b']);
    expect([code, document.error.code]).toEqual([5, 'value-damaged']);
    expect(document.error.hint).toContain('dynpart materialize record --key a/b');
  });
});
