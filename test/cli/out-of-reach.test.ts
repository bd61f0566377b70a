/** What the disk does not let be seen is not taken for gone: neither a state, nor the pipeline that a state belongs to. */
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { behindLink } from '../../src/state/json/odd-files.ts';
import { besideOf, placeBeside } from '../../src/state/json/places-beside.ts';
import { CapturedTerminal, type Ran, runOn } from '../support/captured-terminal.ts';
import { Project } from '../support/project.ts';

const pipeline = `import { asset, definePipeline, dynamicPartitions } from 'dynpart';
const keys = dynamicPartitions('keys');
export default definePipeline({ assets: [asset({ name: 'a', partitions: keys, materialize: () => 1 })] });
`;

let project: Project;
beforeEach(() => {
  project = new Project({ 'first.ts': pipeline, 'second.ts': pipeline });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await project[Symbol.asyncDispose]();
});

function dynpart(...args: readonly string[]): Promise<Ran> {
  const env = { XDG_CACHE_HOME: project.path('.cache') };
  return runOn(new CapturedTerminal({ cwd: project.folder, env }), args);
}

/** Asked in any way whether it is there, or for what is in it, the disk refuses. */
function keepAway(file: string, code: string): void {
  const away = Object.assign(new Error(code), { code });
  for (const step of ['statSync', 'readFileSync', 'lstatSync', 'accessSync'] as const) {
    const real = fs[step] as (...args: unknown[]) => unknown;
    vi.spyOn(fs, step).mockImplementation((...args: unknown[]) => {
      if (args[0] === file) throw away;
      return real.apply(fs, args) as never;
    });
  }
  const existsSync = fs.existsSync.bind(fs);
  vi.spyOn(fs, 'existsSync').mockImplementation((asked) => asked !== file && existsSync(asked));
}

describe.each(['EIO', 'EACCES'])('where the disk answers %s', (code) => {
  it('a state is not taken over from a pipeline that cannot be seen', async () => {
    await dynpart('-f', 'first.ts', '--state', 's.json', 'materialize', '--key', 'k', '--add');
    const before = project.read('s.json');
    keepAway(project.path('first.ts'), code);
    const { code: exit, stderr } = await dynpart(
      '-f',
      'second.ts',
      '--state',
      's.json',
      'materialize',
      '--key',
      'k',
    );
    expect({ exit, stderr }).toEqual({
      exit: 5,
      stderr: expect.stringContaining(`cannot read ${project.path('first.ts')}: `),
    });
    expect(project.read('s.json')).toBe(before);
  });

  it('no other state is begun beside one that cannot be seen', async () => {
    await dynpart('-f', 'first.ts', 'partitions', 'add', 'keys', 'k');
    // What an older dynpart may have left: no generations that tell of it.
    const folder = project.path('.dynpart');
    for (const name of fs.readdirSync(folder)) if (name.startsWith('.')) fs.rmSync(`${folder}/${name}`);
    const names = fs.readdirSync(folder);
    keepAway(project.path('.dynpart', 'first.json'), code);
    const { code: exit, stderr } = await dynpart('-f', 'first.ts', 'partitions', 'add', 'keys', 'other');
    expect({ exit, stderr }).toEqual({ exit: 5, stderr: expect.stringContaining('first.json: ') });
    expect(fs.readdirSync(folder)).toEqual(names);
  });

  it('no state is begun while one that may be meant cannot be seen', async () => {
    await dynpart('-f', 'first.ts', 'materialize', '--key', 'k', '--add');
    fs.renameSync(project.path('first.ts'), project.path('renamed.ts'));
    keepAway(project.path('.dynpart', 'first.json'), code);
    const { code: exit, stderr } = await dynpart('-f', 'renamed.ts', 'materialize', '--key', 'k', '--add');
    expect({ exit, stderr }).toEqual({ exit: 5, stderr: expect.stringContaining('first.json: ') });
    expect(project.exists('.dynpart', 'renamed.json')).toBe(false);
  });

  it('a link to a state that cannot be seen is not taken for the state itself', () => {
    project.write({ 'shared.json': '{}' });
    const link = project.path('link.json');
    fs.symlinkSync('shared.json', link);
    const real = fs.statSync;
    vi.spyOn(fs, 'existsSync').mockReturnValue(false);
    vi.spyOn(fs, 'statSync').mockImplementation((...args: Parameters<typeof real>) => {
      if (args[0] === link) throw Object.assign(new Error(code), { code });
      return real(...args);
    });
    expect(() => behindLink(link)).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ reason: 'state-io', file: link }) }),
    );
  });

  it('what an older version kept beside a state is not taken for nothing', () => {
    const state = project.path('s.json');
    fs.mkdirSync(project.path('values'));
    expect(placeBeside(state, true)).toBe(project.folder);
    keepAway(project.path('values'), code);
    expect(() => placeBeside(state, true)).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ reason: 'state-io' }) }),
    );
    vi.restoreAllMocks();
    fs.rmdirSync(project.path('values'));
    expect(placeBeside(state, true)).toBe(besideOf(state));
  });
});
