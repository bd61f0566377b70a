/** `dynpart init` through the real binary: each template runs and compiles at once, and nothing that was there is touched. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TEMPLATES } from '../../src/cli/init/templates.ts';
import { ProjectHere } from '../support/in-process.ts';
import { Project, root } from '../support/project.ts';

const page = (name: string): string => fs.readFileSync(path.join(root, name), 'utf8');

/** What `tsc` says; nothing when it finds nothing. */
function compile(folder: string): Promise<string> {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--noEmit'], { cwd: folder }, (_, stdout) => resolve(stdout));
  });
}

/** As npm would install them. */
function install(project: Project, names: readonly string[]): void {
  for (const name of names) {
    fs.mkdirSync(path.dirname(project.path('node_modules', name)), { recursive: true });
    const target = name === 'dynpart' ? root : path.join(root, 'node_modules', name);
    fs.symlinkSync(target, project.path('node_modules', name));
  }
}

/** What the first tick of each template finds. */
const FOUND = {
  files: '2 keys added, 2 runs queued; 2 runs succeeded',
  rss: '2 keys added; automation: 2 runs queued; 2 runs succeeded',
  http: '2 keys added; automation: 2 runs queued; 2 runs succeeded',
  postgres: null,
};

describe('dynpart init', () => {
  it.each(TEMPLATES)(
    '--template %s runs, is right and compiles at once, whatever the type of the package',
    async (template) => {
      for (const type of [undefined, 'module', 'commonjs']) {
        await using project = new ProjectHere({ 'package.json': JSON.stringify({ private: true, type }) });
        install(project, ['dynpart', '@types/node']);
        const { code, document } = await project.json(['init', '--template', template]);
        expect(code).toBe(0);
        expect(document.files).toContain(project.path('pipeline.ts'));
        for (const file of document.files) expect(fs.existsSync(file)).toBe(true);
        expect((await project.dynpart(['check'])).code).toBe(0);
        const tick = await project.dynpart(['sensor', 'tick']);
        expect(tick.code, tick.stderr).toBe(0);
        if (FOUND[template] === null) expect(tick.stderr).toBe('');
        else expect(tick.stderr).toContain(FOUND[template]);
        if (type === 'commonjs') expect(await compile(project.folder)).toBe('');
      }
    },
  );

  it('leaves nothing behind where the disk is full, so that the next try is the first', async () => {
    await using project = new ProjectHere();
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    for (const fails of [0, 2]) {
      let calls = 0;
      const real = fs.writeSync;
      vi.spyOn(fs, 'writeSync').mockImplementation((...given: unknown[]) => {
        if (calls++ === fails) throw full;
        return Reflect.apply(real, fs, given) as number;
      });
      const { code, stderr } = await project.dynpart(['init', 'new']);
      vi.restoreAllMocks();
      expect([code, stderr]).toEqual([2, expect.stringContaining('no space left on the disk (ENOSPC)')]);
      const left = fs.readdirSync(project.path('new'), { recursive: true, withFileTypes: true });
      expect(left.filter((entry) => entry.isFile())).toEqual([]);
    }
    expect((await project.dynpart(['init', 'new'])).code).toBe(0);
  });

  it('says what it wrote, and the next three commands, which work as they are', async () => {
    await using project = new Project();
    const { code, stdout, stderr } = await project.dynpart(['init', 'my orders']);
    expect([code, stdout]).toEqual([
      0,
      ['inbox/monday.csv', 'inbox/tuesday.csv', 'pipeline.ts', 'tsconfig.json', '.gitignore']
        .map((name) => `my orders/${name}\n`)
        .join(''),
    ]);
    expect(stderr).toContain("next, after cd 'my orders':\n");
    const commands = [...stderr.matchAll(/^ {2}dynpart (.*?) {2}/gm)].map(([, words]) => words!);
    expect(commands).toEqual(['check', 'sensor tick', 'status']);
    for (const words of commands) {
      const ran = await project.dynpart(words.split(' '), { cwd: project.path('my orders') });
      expect(ran.code, ran.stderr).toBe(0);
    }
    expect(project.read('my orders', '.dynpart', 'values', 'total', 'monday.csv.json')).toBe('19.5\n');
  });

  it('lets an editor find the types of a dynpart that is installed elsewhere', async () => {
    await using project = new ProjectHere();
    await project.dynpart(['init', '--template', 'rss']);
    install(project, ['@types/node']);
    expect(await compile(project.folder)).toBe('');
    const { compilerOptions } = JSON.parse(project.read('tsconfig.json'));
    expect(compilerOptions.paths).toEqual({
      dynpart: [path.join(root, 'dist/types/index.d.ts')],
      'dynpart/sources': [path.join(root, 'dist/types/sources/index.d.ts')],
    });
    project.write({ 'pipeline.ts': project.read('pipeline.ts').replace('item.title', 'item.titel') });
    expect(await compile(project.folder)).toMatch(/^pipeline\.ts\(\d+,\d+\): error TS2551/);
  });

  it('has the pipeline of the README and the tsconfig.json of docs/start.md', async () => {
    await using project = new ProjectHere();
    install(project, ['dynpart']);
    await project.dynpart(['init']);
    expect(page('README.md')).toContain(`\`\`\`ts\n${project.read('pipeline.ts')}\`\`\`\n`);
    expect(page('docs/start.md')).toContain(`\`\`\`json\n${project.read('tsconfig.json')}\`\`\`\n`);
  });

  it('touches nothing that is there, but for a line that git needs', async () => {
    const theirs = { 'tsconfig.json': '{ "theirs": true }\n', 'package.json': '{ "type": "commonjs" }\n' };
    await using project = new ProjectHere({ ...theirs, '.gitignore': 'dist/' });
    const { code, stdout, stderr } = await project.dynpart(['init']);
    expect([code, stdout]).toEqual([0, 'inbox/monday.csv\ninbox/tuesday.csv\npipeline.ts\n.gitignore\n']);
    expect(stderr).toContain('tsconfig.json stays as it is');
    for (const [name, content] of Object.entries(theirs)) expect(project.read(name)).toBe(content);
    expect(project.read('.gitignore')).toBe('dist/\n.dynpart/\n');
  });

  it.each([
    ['pipeline.ts', (project: Project) => project.write({ 'pipeline.ts': 'mine' })],
    ['inbox/monday.csv', (project: Project) => project.write({ 'inbox/monday.csv': 'mine' })],
    ['pipeline.ts', (project: Project) => fs.symlinkSync('/nowhere', project.path('pipeline.ts'))],
  ])('is refused where %s is in the way, and writes nothing', async (name, prepare) => {
    await using project = new ProjectHere();
    prepare(project);
    const before = fs.readdirSync(project.folder, { recursive: true });
    const { code, document } = await project.json(['init']);
    expect([code, document.error.code, document.error.message]).toEqual([
      2,
      'file-in-the-way',
      `${name} stays as it is: init would write it into ${project.folder}, and overwrites nothing`,
    ]);
    expect(document.error.hint).toContain('dynpart init DIR');
    expect(fs.readdirSync(project.folder, { recursive: true })).toEqual(before);
    expect((await project.dynpart(['init', 'elsewhere'])).code).toBe(0);
  });

  it('names all that is in the way', async () => {
    await using project = new ProjectHere();
    await project.dynpart(['init']);
    const { document } = await project.json(['init']);
    expect(document.error.message).toBe(
      `inbox/monday.csv, inbox/tuesday.csv, pipeline.ts stay as they are: init would write them into ${project.folder}, and overwrites nothing`,
    );
  });

  it('names what cannot be: a folder that is a file, a template that is not there', async () => {
    await using project = new ProjectHere({ file: '' });
    const file = await project.json(['init', 'file']);
    expect([file.code, file.document.error]).toEqual([
      2,
      {
        code: 'usage',
        message: `cannot write into ${project.path('file')}: a part of the path is a file, not a folder (ENOTDIR)`,
        hint: 'name a folder that you may write to: dynpart init DIR',
      },
    ]);
    const template = await project.json(['init', '--template', 'postgress']);
    expect([template.code, template.document.error.hint]).toEqual([2, 'did you mean --template postgres?']);
    expect(fs.readdirSync(project.folder)).toEqual(['file']);
  });

  it.skipIf(process.getuid?.() === 0)('names a folder that cannot be written (not as root)', async () => {
    await using project = new ProjectHere();
    fs.chmodSync(project.folder, 0o500);
    const { code, document } = await project.json(['init']);
    fs.chmodSync(project.folder, 0o700);
    expect([code, document.error.code]).toEqual([2, 'usage']);
    expect(document.error.message).toContain(`cannot write into ${project.folder}`);
  });
});
