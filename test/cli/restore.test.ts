/** `dynpart state restore` when the state file cannot be read, at whichever of its readings. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { Project } from '../support/project.ts';

const pipeline = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('keys');
export default definePipeline({ assets: [asset({ name: 'a', partitions: keys, materialize: () => 1 })] });
`;

let project: Project;
beforeEach(() => {
  project = new Project({ 'pipeline.ts': pipeline });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await project[Symbol.asyncDispose]();
});

function dynpart(...args: readonly string[]): Promise<Ran> {
  const terminal = new CapturedTerminal({
    cwd: project.folder,
    env: { XDG_CACHE_HOME: project.path('.cache') },
  });
  return runOn(terminal, args);
}

it('says where a copy is in characters that do nothing to a terminal', async () => {
  await dynpart('partitions', 'add', 'keys', 'a', 'b');
  const { stderr } = await dynpart('state', 'export', 'copy\u202e.json', '-v');
  expect(stderr).toContain('copy\\u202e.json');
});

it('a copy goes to standard output also as -, and no file is made of that name', async () => {
  await dynpart('partitions', 'add', 'keys', 'a', 'b');
  const { stdout, code } = await dynpart('state', 'export', '-');
  expect([code, JSON.parse(stdout).sets.keys.keys]).toEqual([0, ['a', 'b']]);
  expect(fs.existsSync(project.path('-'))).toBe(false);
});

it('is exit 5 with the file and the cause, and changes nothing, whichever reading is refused', async () => {
  await dynpart('partitions', 'add', 'keys', 'a', 'b');
  await dynpart('state', 'export', 'copy.json');
  await dynpart('partitions', 'add', 'keys', 'c');
  const file = project.path('.dynpart', 'state.json');
  const before = fs.readFileSync(file, 'utf8');
  const real = fs.readFileSync;
  let refused = 0;
  for (let nth = 1; ; nth++) {
    let reads = 0;
    vi.spyOn(fs, 'readFileSync').mockImplementation(((name: unknown, ...rest: unknown[]) => {
      if (name === file && ++reads === nth) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
      return (real as (...args: unknown[]) => unknown)(name, ...rest);
    }) as never);
    const { code, stderr } = await dynpart('state', 'restore', 'copy.json');
    vi.restoreAllMocks();
    if (reads < nth) break;
    refused++;
    expect(code, stderr).toBe(5);
    expect(stderr).toContain(`cannot read ${file}: no permission (EACCES)`);
    expect(fs.readFileSync(file, 'utf8')).toBe(before);
  }
  expect(refused).toBeGreaterThan(1);
});

// A device may never end.
it.each([
  ['/dev/zero', '/dev/zero is a device, not a file'],
  ['.', 'HERE is a folder, not a file'],
  ['none', 'there is no file HERE/none'],
])('is exit 2 where what is named can be no copy: %s', async (named, message) => {
  const { code, stderr } = await dynpart('state', 'restore', named);
  expect([code, stderr]).toEqual([
    2,
    `error: ${message.replace('HERE', project.folder)}\n  name a copy made by: dynpart state export FILE\n`,
  ]);
});

const restored = (state: string): Promise<Ran> => dynpart('--state', state, 'state', 'restore', 'copy.json');
const listing = (): string[] => fs.readdirSync(project.folder).toSorted();

it('leaves no copy behind where nothing took the place of what is there', async () => {
  await dynpart('partitions', 'add', 'keys', 'a', 'b');
  await dynpart('state', 'export', 'copy.json');
  const state = project.path('.dynpart', 'state.json');
  const before = fs.readdirSync(project.path('.dynpart'));
  const real = fs.readFileSync.bind(fs) as (...args: unknown[]) => unknown;
  vi.spyOn(fs, 'readFileSync').mockImplementation((...args: unknown[]) =>
    args[0] === '/proc/self/mountinfo'
      ? `36 35 0:49 /data/state.json ${state} rw,relatime - ext4 /dev/sda1 rw\n`
      : (real(...args) as never),
  );
  const { code, stderr } = await dynpart('state', 'restore', 'copy.json');
  vi.restoreAllMocks();
  expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringContaining('is a mount of its own') });
  expect(fs.readdirSync(project.path('.dynpart'))).toEqual(before);
});

describe('takes the place of a state alone', () => {
  const others: Record<string, string> = {
    'a text': 'notes',
    'other JSON': '{"name":"x","schema":4}',
    'a page': '<!doctype html>',
    zero: '0',
  };

  beforeEach(async () => {
    await dynpart('partitions', 'add', 'keys', 'a', 'b');
    await dynpart('materialize', '--key', 'a');
    await dynpart('state', 'export', 'copy.json');
  });

  it.each(Object.entries(others))('and not of %s', async (_, content) => {
    project.write({ other: content });
    const before = listing();
    const { code, stderr } = await restored('other');
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('it is no state of dynpart'),
    });
    expect(project.read('other')).toBe(content);
    expect(listing()).toEqual(before);
  });

  it('and not of a value, be it a state’s text, or of what else is beside a state', async () => {
    const value = project.path('.dynpart', 'values', 'a', 'a.json');
    fs.copyFileSync(project.path('copy.json'), value);
    expect(await restored(value)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it is a value beside a state'),
    });
    expect(fs.readFileSync(value)).toEqual(fs.readFileSync(project.path('copy.json')));
    const [log = ''] = fs.readdirSync(project.path('.dynpart', 'history'));
    const history = project.path('.dynpart', 'history', log);
    const file = fs.statSync(history).isFile() ? history : project.path('pipeline.ts');
    expect((await restored(file)).code).toBe(2);
  });

  it('what is no file leads to one, and not to the permissions', async () => {
    execFileSync('mkfifo', [project.path('pipe')]);
    fs.symlinkSync('nowhere', project.path('link'));
    fs.mkdirSync(project.path('folder'));
    for (const name of ['pipe', 'link', 'folder']) {
      const { code, stderr } = await dynpart('--state', name, 'status');
      expect([name, code]).toEqual([name, 5]);
      expect(stderr).toContain('name a file (--state FILE), or move that away');
    }
  });

  it('and not of a pipe, a device, or a link that leads nowhere', async () => {
    execFileSync('mkfifo', [project.path('pipe')]);
    fs.symlinkSync('nowhere', project.path('link'));
    const before = listing();
    for (const name of ['pipe', 'link']) expect((await restored(name)).code).toBe(5);
    expect(listing()).toEqual(before);
    expect(fs.lstatSync(project.path('pipe')).isFIFO()).toBe(true);
    expect(fs.readlinkSync(project.path('link'))).toBe('nowhere');
  });

  it.each([
    ['is not there', null],
    ['was emptied', ''],
    ['holds zeros', '\0'.repeat(300)],
    ['was torn at once', '{"sch'],
    ['was torn later', '{"schema":4,"lineage":"0'],
    ['was written by hand', '{\n  "schema": 4\n}'],
  ])('that %s', async (_, content) => {
    if (content !== null) project.write({ 'other.json': content });
    expect(await restored('other.json')).toMatchObject({ code: 0 });
    expect((await dynpart('--state', 'other.json', 'partitions', 'list', 'keys')).code).toBe(0);
  });

  it('that holds anything, where generations of its name say that it was one', async () => {
    project.write({ '.dynpart/state.json': 'anything' });
    expect((await restored('.dynpart/state.json')).code).toBe(0);
  });
});

it('brings back what keys carry, byte for byte', async () => {
  const items = {
    plain: { n: 1.5e-7, nested: [null, true, 'é 🐦 \u2028 \u0000'], order: { z: 1, a: 2 } },
    '__proto__ "odd" \\ / é': { text: 'x'.repeat(300), empty: {}, list: [[]] },
  };
  for (const [key, item] of Object.entries(items))
    await dynpart(
      'partitions',
      'add',
      'keys',
      key,
      '--version',
      `W/"${key.length}"`,
      '--item',
      JSON.stringify(item),
    );
  const carried = (): string => {
    const { sets } = JSON.parse(project.read('.dynpart', 'state.json'));
    return JSON.stringify([sets.keys.keys, sets.keys.versions, sets.keys.items]);
  };
  const before = carried();
  expect(before).toContain(JSON.stringify(Object.values(items)));
  await dynpart('state', 'export', project.path('copy.json'));
  await dynpart('partitions', 'remove', 'keys', ...Object.keys(items));
  expect(carried()).not.toBe(before);
  expect((await dynpart('state', 'restore', project.path('copy.json'))).code).toBe(0);
  expect(carried()).toBe(before);
});
