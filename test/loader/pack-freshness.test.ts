/** The pack never serves yesterday's code: whatever decides what an import means is looked at again. */
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Fixture, pipelineSaying } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture[Symbol.asyncDispose]());

const imports = (specifier: string): string => pipelineSaying('v', `import { v } from '${specifier}';`);
const packaged = (at: string, v: string, manifest: object = {}): Record<string, string> => ({
  [`${at}/package.json`]: JSON.stringify({ name: 'pkg', type: 'module', main: 'index.js', ...manifest }),
  [`${at}/index.js`]: `export const v = '${v}';\n`,
});

const manifest = (file: string): string => JSON.stringify({ type: 'module', imports: { '#v': file } });

/** Packed with the first files, then changed: the next load says the other thing, and so does the one from the new pack. */
async function expectSeen(
  change: () => void,
  [before, after]: readonly [string, string],
  file = 'pipeline.ts',
) {
  expect(await fixture.say(file)).toEqual({ value: before, compiled: true });
  expect(await fixture.say(file)).toEqual({ value: before, compiled: false });
  change();
  expect((await fixture.say(file)).value).toBe(after);
  expect((await fixture.say(file)).value).toBe(after);
}

describe('the pack', () => {
  it('is written by the first load and is all that the second needs', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('./v'), 'v.ts': "export const v: string = 'one';\n" });
    expect(await fixture.say()).toEqual({ value: 'one', compiled: true });
    expect(fixture.packs).toHaveLength(1);
    const written = fs.readFileSync(fixture.pack);
    expect(await fixture.say()).toEqual({ value: 'one', compiled: false });
    expect(fs.readFileSync(fixture.pack)).toEqual(written);
  });

  it('stands in the cache folder, never beside the pipeline', async () => {
    fixture = new Fixture({ 'pipeline.ts': pipelineSaying('1') });
    const before = fs.readdirSync(fixture.folder);
    await fixture.say();
    const after = fs.readdirSync(fixture.folder).filter((name) => !['.cache', 'jiti-seen'].includes(name));
    expect(after).toEqual(before);
  });

  it('sees an edited pipeline file', async () => {
    fixture = new Fixture({ 'pipeline.ts': pipelineSaying("'one'") });
    await expectSeen(() => fixture.write({ 'pipeline.ts': pipelineSaying("'two'") }), ['one', 'two']);
  });

  it('sees an edited import of an import', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('./a'),
      'a.ts': "export { v } from './b.ts';\n",
      'b.ts': "export const v = 'one';\n",
    });
    await expectSeen(() => fixture.write({ 'b.ts': "export const v = 'two';\n" }), ['one', 'two']);
  });

  it('sees other bytes of the same length under the same time', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('./v'), 'v.ts': "export const v = 'one';\n" });
    const file = fixture.path('v.ts');
    await expectSeen(() => {
      const { atime, mtime } = fs.statSync(file);
      fixture.write({ 'v.ts': "export const v = 'two';\n" });
      fs.utimesSync(file, atime, mtime);
    }, ['one', 'two']);
  });

  it('sees an edited JSON file', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('data.v', "import data from './data.json';"),
      'data.json': '{"v":"one"}',
    });
    await expectSeen(() => fixture.write({ 'data.json': '{"v":"two"}' }), ['one', 'two']);
  });

  it('sees an edited CommonJS file, imported and required', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(
        'v + required.v',
        "import { v } from './a.cjs';\nconst required = require('./b.cjs');",
      ),
      'a.cjs': "exports.v = 'o';\n",
      'b.cjs': "exports.v = 'ne';\n",
    });
    await expectSeen(
      () => fixture.write({ 'a.cjs': "exports.v = 't';\n", 'b.cjs': "exports.v = 'wo';\n" }),
      ['one', 'two'],
    );
  });

  it.each([
    ['./v.js', 'v.ts', 'v.js'],
    ['./v', 'v.ts', 'v.js'],
    ['./v', 'v/index.ts', 'v.ts'],
    ['./v', 'v.mts', 'v.ts'],
  ])("sees a file that would now win: '%s' was %s, then there is %s", async (specifier, loser, winner) => {
    fixture = new Fixture({ 'pipeline.ts': imports(specifier), [loser]: "export const v = 'one';\n" });
    await expectSeen(() => fixture.write({ [winner]: "export const v = 'two';\n" }), ['one', 'two']);
  });

  it('sees that the file is gone, and takes the one that is left', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('./v.js'), 'v.js': "export const v = 'one';\n" });
    await expectSeen(() => {
      fs.rmSync(fixture.path('v.js'));
      fixture.write({ 'v.ts': "export const v = 'two';\n" });
    }, ['one', 'two']);
  });

  it('sees that a CommonJS file is gone, and takes the one that is left', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('./v'),
      'v.cjs': "exports.v = 'one';\n",
      'v.ts': "export const v = 'two';\n",
    });
    await expectSeen(() => fs.rmSync(fixture.path('v.cjs')), ['one', 'two']);
  });

  it('sees that the entry of a package is another file, though its package.json is the same', async () => {
    const files = packaged('node_modules/pkg', 'one', { main: './lib' });
    delete files['node_modules/pkg/index.js'];
    fixture = new Fixture({
      'pipeline.ts': imports('pkg'),
      ...files,
      'node_modules/pkg/lib/index.js': "export const v = 'one';\n",
    });
    await expectSeen(() => {
      fs.rmSync(fixture.path('node_modules/pkg/lib'), { recursive: true });
      fixture.write({ 'node_modules/pkg/lib.js': "export const v = 'two';\n" });
    }, ['one', 'two']);
  });

  it('says so when an imported file is gone for good', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('./v'), 'v.ts': "export const v = 'one';\n" });
    await fixture.say();
    fs.rmSync(fixture.path('v.ts'));
    const { code, document } = await fixture.json(['sensor', 'tick', '--dry-run'], { env: fixture.env });
    expect({ code, error: document.error.code }).toEqual({ code: 2, error: 'pipeline-import-missing' });
  });

  it('sees a tsconfig.json with paths that appears', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('pkg'),
      'src/mine.ts': "export const v = 'two';\n",
      ...packaged('node_modules/pkg', 'one'),
    });
    await expectSeen(
      () => fixture.write({ 'tsconfig.json': '{"compilerOptions":{"paths":{"pkg":["./src/mine.ts"]}}}' }),
      ['one', 'two'],
    );
  });

  it('sees paths that appear in a file which tsconfig.json extends', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('pkg'),
      'src/mine.ts': "export const v = 'two';\n",
      'tsconfig.json': '{"extends":"./tsconfig.base.json"}',
      'tsconfig.base.json': '{}',
      ...packaged('node_modules/pkg', 'one'),
    });
    const paths = '{"compilerOptions":{"paths":{"pkg":["./src/mine.ts"]}}}';
    expect((await fixture.say()).value).toBe('one');
    fixture.write({ 'tsconfig.base.json': paths });
    expect((await fixture.say()).value).toBe('two');
  });

  it('sees a package that was installed anew with another entry', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('pkg'), ...packaged('node_modules/pkg', 'one') });
    await expectSeen(
      () =>
        fixture.write({
          ...packaged('node_modules/pkg', 'one', { main: 'other.js' }),
          'node_modules/pkg/other.js': "export const v = 'two';\n",
        }),
      ['one', 'two'],
    );
  });

  it('sees a package whose code alone was changed', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('pkg'), ...packaged('node_modules/pkg', 'one') });
    await expectSeen(() => fixture.write(packaged('node_modules/pkg', 'two')), ['one', 'two']);
  });

  it('sees a package that is gone', async () => {
    fixture = new Fixture({ 'pipeline.ts': imports('pkg'), ...packaged('node_modules/pkg', 'one') });
    await fixture.say();
    fs.rmSync(fixture.path('node_modules'), { recursive: true });
    const { code, document } = await fixture.json(['sensor', 'tick', '--dry-run'], { env: fixture.env });
    expect({ code, error: document.error.code }).toEqual({ code: 2, error: 'pipeline-import-missing' });
  });

  it('sees that package.json says otherwise what #name means', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('#v'),
      'package.json': manifest('./a.cjs'),
      'a.cjs': "exports.v = 'one';\n",
      'b.cjs': "exports.v = 'two';\n",
    });
    expect((await fixture.say()).value).toBe('one');
    fixture.write({ 'package.json': manifest('./b.cjs') });
    expect((await fixture.say()).value).toBe('two');
  });

  it('sees a nearer copy of a package', async () => {
    fixture = new Fixture({ 'sub/pipeline.ts': imports('pkg'), ...packaged('node_modules/pkg', 'one') });
    await expectSeen(
      () => fixture.write(packaged('sub/node_modules/pkg', 'two')),
      ['one', 'two'],
      'sub/pipeline.ts',
    );
  });

  it('sees that a linked package leads elsewhere, as after an upgrade by pnpm', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('pkg'),
      ...packaged('node_modules/.pnpm/pkg@1/node_modules/pkg', 'one', { version: '1.0.0' }),
      ...packaged('node_modules/.pnpm/pkg@2/node_modules/pkg', 'two', { version: '2.0.0' }),
    });
    const link = fixture.path('node_modules/pkg');
    fs.symlinkSync('.pnpm/pkg@1/node_modules/pkg', link);
    await expectSeen(() => {
      fs.rmSync(link);
      fs.symlinkSync('.pnpm/pkg@2/node_modules/pkg', link);
    }, ['one', 'two']);
  });

  it('sees that the folder above is a link to another release', async () => {
    fixture = new Fixture({
      'releases/1/pipeline.ts': imports('./v'),
      'releases/1/v.ts': "export const v = 'one';\n",
      'releases/2/pipeline.ts': imports('./v'),
      'releases/2/v.ts': "export const v = 'two';\n",
    });
    const link = fixture.path('current');
    fs.symlinkSync('releases/1', link);
    expect((await fixture.say('current/pipeline.ts')).value).toBe('one');
    expect((await fixture.say('current/pipeline.ts')).value).toBe('one');
    fs.rmSync(link);
    fs.symlinkSync('releases/2', link);
    expect((await fixture.say('current/pipeline.ts')).value).toBe('two');
  });

  it('sees that an imported file is a link to another one', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('./v'),
      'one.ts': "export const v = 'one';\n",
      'two.ts': "export const v = 'two';\n",
    });
    const link = fixture.path('v.ts');
    fs.symlinkSync('one.ts', link);
    expect((await fixture.say()).value).toBe('one');
    expect((await fixture.say()).value).toBe('one');
    fs.rmSync(link);
    fs.symlinkSync('two.ts', link);
    expect((await fixture.say()).value).toBe('two');
  });

  it('sees an optional import that appears', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(
        'v',
        "let v = 'one';\ntry { ({ v } = await import('./optional')); } catch {}",
      ),
    });
    expect((await fixture.say()).value).toBe('one');
    expect((await fixture.say()).value).toBe('one');
    fixture.write({ 'optional.ts': "export const v: string = 'two';\n" });
    expect((await fixture.say()).value).toBe('two');
    expect((await fixture.say()).value).toBe('two');
  });

  it('sees a file that would be found before the one that an import without an ending led to', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('v', "import { v } from './said';"),
      'said/index.ts': "export const v: string = 'one';\n",
    });
    expect((await fixture.say()).value).toBe('one');
    expect((await fixture.say()).value).toBe('one');
    fixture.write({ 'said.ts': "export const v: string = 'two';\n" });
    expect((await fixture.say()).value).toBe('two');
  });

  it('sees that a file whose whole name is said has become a folder', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('v', "import { v } from './said.js';"),
      'said.js': "export const v = 'one';\n",
    });
    expect((await fixture.say()).value).toBe('one');
    expect((await fixture.say()).value).toBe('one');
    fs.rmSync(path.join(fixture.folder, 'said.js'));
    fixture.write({ 'said.js/index.ts': "export const v: string = 'two';\n" });
    expect((await fixture.say()).value).toBe('two');
  });

  it('has nothing of a file that is first imported by an evaluation, and so never an old one', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(
        "await later('step')",
        'const later = async (name: string) => (await import(`./steps/${name}.ts`)).v;',
      ),
      'steps/step.ts': "export const v: string = 'one';\n",
    });
    expect((await fixture.say()).value).toBe('one');
    expect((await fixture.say()).value).toBe('one');
    fixture.write({ 'steps/step.ts': "export const v: string = 'two';\n" });
    expect((await fixture.say()).value).toBe('two');
  });

  it('keeps two pipelines of one folder apart', async () => {
    fixture = new Fixture({
      'pipeline.ts': imports('./v'),
      'other.ts': pipelineSaying('v + v', "import { v } from './v';"),
      'v.ts': "export const v = 'one';\n",
    });
    expect(await fixture.sayTwice('pipeline.ts')).toBe('one');
    expect(await fixture.sayTwice('other.ts')).toBe('oneone');
    expect(await fixture.say('pipeline.ts')).toEqual({ value: 'one', compiled: false });
    expect(fixture.packs).toHaveLength(2);
  });
});

describe('the pack is used', () => {
  const v = "export const v = 'one';\n";

  it.each([
    ['a folder of the same name', { 'v.ts': v, 'v/other.ts': v }, './v'],
    ['a file that lost', { 'v.js': v, 'v.ts': "export const v = 'two';\n" }, './v'],
    ['a folder that lost', { 'v.ts': v, 'v/index.ts': "export const v = 'two';\n" }, './v'],
  ])('beside %s', async (_, files, specifier) => {
    fixture = new Fixture({ 'pipeline.ts': imports(specifier), ...(files as Record<string, string>) });
    expect(await fixture.sayTwice()).toBe('one');
  });

  it('below a folder that is a link', async () => {
    fixture = new Fixture({ 'real/pipeline.ts': imports('./v'), 'real/v.ts': v });
    fs.symlinkSync('real', fixture.path('linked'));
    expect(await fixture.sayTwice('linked/pipeline.ts')).toBe('one');
  });
});
