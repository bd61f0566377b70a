/** Every kind of module says the same from jiti and from the pack, and the same as Node itself would say. */
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { root } from '../support/project.ts';
import { Fixture, pipelineSaying } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture[Symbol.asyncDispose]());

/** What `value` is, with these imports and files; asked twice. */
function said(value: string, imports = '', files: Readonly<Record<string, string>> = {}): Promise<unknown> {
  fixture = new Fixture({ 'pipeline.ts': pipelineSaying(value, imports), ...files });
  return fixture.sayTwice();
}

describe('TypeScript', () => {
  it('may use what Node cannot strip', async () => {
    expect(
      await said(
        '[Color.Red, K.A, N.z, new C(1).get(), new D().p(), typeof this, top]',
        `enum Color { Red = 'r' }
const enum K { A = 3 }
namespace N { export const z = 9; }
class C { constructor(private readonly x: number) {} get() { return this.x satisfies number; } }
abstract class B<T> { declare t: T; #p = 1; p() { return this.#p; } }
class D extends B<string> {}
const top = <number>await Promise.resolve(4);`,
      ),
    ).toEqual(['r', 3, 9, 1, 1, 'undefined', 4]);
  });

  it('ends what is declared with using at the end of its function', async () => {
    expect(
      await said(
        'used',
        `// An @ in a comment, and one in a text: a@b.c
const used: string[] = [];
function named(name: string) { return { [Symbol.dispose]() { used.push(name); }, async [Symbol.asyncDispose]() { used.push(name); } }; }
async function use() { using a = named('a'); await using b = named('b@c.d'); used.push('use'); }
await use();`,
      ),
    ).toEqual(['use', 'b@c.d', 'a']);
  });

  it('loses what is imported for its type alone', async () => {
    expect(
      await said('v', "import type { T } from './types';\nimport { type U, v } from './v';\nlet t: T | U;", {
        'types.d.ts': 'export type T = 1;\n',
        'v.ts': 'export type U = 2;\nexport const v: T2 = 3;\ntype T2 = number;\n',
      }),
    ).toBe(3);
  });

  it('may begin with a byte order mark or a hashbang', async () => {
    for (const start of ['\ufeff', '#!/usr/bin/env node\n']) {
      fixture = new Fixture({ 'pipeline.ts': start + pipelineSaying('1') });
      expect(await fixture.sayTwice()).toBe(1);
      await fixture[Symbol.asyncDispose]();
    }
  });

  it.each(['mts', 'js', 'mjs'])('is not a must: pipeline.%s', async (ending) => {
    fixture = new Fixture({
      [`pipeline.${ending}`]: pipelineSaying('v', "import { v } from './v.js';"),
      'v.js': 'export const v = 1;\n',
    });
    expect(await fixture.sayTwice(`pipeline.${ending}`)).toBe(1);
  });
});

describe('imports of local files', () => {
  it('may be by name, by all names, by default, and passed on', async () => {
    expect(
      await said(
        '[a, S, Object.keys(all).filter((name) => name !== "__esModule").sort(), d, n]',
        "import { a, S } from './all';\nimport * as all from './all';\nimport d, { n } from './leaf';",
        {
          'all.ts':
            "export * from './leaf';\nexport { a } from './c';\nexport { default as S } from './leaf';\n",
          'leaf.ts': "export default 'def';\nexport const n = 1;\n",
          'c.ts': "export const a = 'a';\n",
        },
      ),
    ).toEqual(['a', 'def', ['S', 'a', 'n'], 'def', 1]);
  });

  it('are alive: what changes there changes here', async () => {
    expect(
      await said('[live, bump(), live]', "import { live, bump } from './live';", {
        'live.ts': 'export let live = 1;\nexport const bump = () => ++live;\n',
      }),
    ).toEqual([1, 2, 2]);
  });

  it('are run once, in order', async () => {
    expect(
      await said('globalThis.order', "import './a';\nimport './b';\nimport './a';", {
        'a.ts': "((globalThis as any).order ??= []).push('a');\nimport './c';\n",
        'b.ts': "await new Promise((done) => setTimeout(done, 5));\n(globalThis as any).order.push('b');\n",
        'c.ts': "((globalThis as any).order ??= []).push('c');\n",
      }),
    ).toEqual(['c', 'a', 'b']);
  });

  it('may go in a circle', async () => {
    expect(
      await said('p()', "import { p } from './p';", {
        'p.ts': "import { q } from './q';\nexport const p = () => q();\nexport const one = () => 1;\n",
        'q.ts': "import { one } from './p';\nimport './q';\nexport const q = () => one();\n",
      }),
    ).toBe(1);
  });

  it('may go in a circle that is entered at two places at once', async () => {
    expect(
      await said(
        '[p.viaQ(), q.viaP()]',
        "const [p, q] = await Promise.all([import('./p'), import('./q')]);",
        {
          'p.ts':
            "import { two } from './q';\nexport const one = () => 1;\nexport const viaQ = () => two();\n",
          'q.ts':
            "import { one } from './p';\nexport const two = () => 2;\nexport const viaP = () => one();\n",
        },
      ),
    ).toEqual([2, 1]);
  });

  it('may go in a circle over three files that wait for something', async () => {
    const wait = 'await new Promise((done) => setTimeout(done, 3));\n';
    expect(
      await said(
        '[a(), b, c()]',
        "const [{ a }, { b }, { c }] = await Promise.all([import('./a'), import('./b'), import('./c')]);",
        {
          'a.ts': `import { b } from './b';\n${wait}export const a = () => b;\n`,
          'b.ts': `import { c } from './c';\n${wait}export const b = 'b';\nexport const viaC = () => c();\n`,
          'c.ts': `import { a } from './a';\n${wait}export const c = () => a();\n`,
        },
      ),
    ).toEqual(['b', 'b', 'b']);
  });

  it('may be asked for by a function that they import themselves', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('[await lazy(), await lazy()]', "import { lazy } from './lazy';"),
      'lazy.ts': "export const two = 2;\nexport const lazy = async () => (await import('./heavy')).four;\n",
      'heavy.ts': "import { two } from './lazy';\nexport const four: number = two * 2;\n",
    });
    expect((await fixture.say()).value).toEqual([4, 4]);
    expect((await fixture.say()).value).toEqual([4, 4]);
  });

  it('that throw fail for each who asks, and once is enough to tell', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(
        'tried',
        "const tried: string[] = [];\nfor (const _ of [1, 2]) await import('./bad').catch((error) => tried.push(error.message));\nawait Promise.all([import('./bad'), import('./bad')]).catch((error) => tried.push(error.message));",
      ),
      'bad.ts': "throw new Error('bad');\n",
    });
    expect((await fixture.say()).value).toEqual(['bad', 'bad', 'bad']);
    expect((await fixture.say()).value).toEqual(['bad', 'bad', 'bad']);
  });

  it('may be of a folder with an index', async () => {
    expect(
      await said('v', "import { v } from './folder';", { 'folder/index.ts': 'export const v = 1;\n' }),
    ).toBe(1);
  });

  it('may be dynamic: by text, by address, by an object', async () => {
    expect(
      await said(
        '[a.v, b.v, c.v, (await later()).v]',
        `const a = await import('./v');
const b = await import(new URL('./v.ts', import.meta.url).href);
const c = await import(new URL('./v.ts', import.meta.url) as never);
const later = () => import('./v');`,
        { 'v.ts': 'export const v = 1;\n' },
      ),
    ).toEqual([1, 1, 1, 1]);
  });

  it('may come as late as in materialize', async () => {
    fixture = new Fixture({
      'pipeline.ts': `import { asset, definePipeline } from 'dynpart';
export default definePipeline({
  assets: [asset({ name: 'late', async materialize({ addMetadata }) {
    const { v } = await import('./v');
    addMetadata({ v });
    return v;
  } })],
});
`,
      'v.ts': 'export const v: number = 7;\n',
    });
    for (let time = 0; time < 2; time++) {
      const { code, document } = await fixture.json(['materialize', 'late', '--all'], { env: fixture.env });
      expect(code).toBe(0);
      expect(document.runs[0].assets[0].metadata).toEqual({ v: 7 });
    }
  });

  it('may be missing where somebody minds it', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('v', "let v = 0;\ntry { await import('./none'); } catch { v = 1; }"),
    });
    expect((await fixture.say()).value).toBe(1);
    expect((await fixture.say()).value).toBe(1);
  });
});

describe('an import that leads nowhere', () => {
  // The expected ones are Node's own, from the same import in a .mjs file that dynpart does not touch.
  const GUARD = `async function codeOf(load: () => unknown) {
  try { await load(); return null; } catch (error) { return (error as NodeJS.ErrnoException).code; }
}`;

  it.each([
    ["import('a-package-that-is-left-out')", 'ERR_MODULE_NOT_FOUND'],
    ["import('@scope/left-out/part')", 'ERR_MODULE_NOT_FOUND'],
    ["import('./none.js')", 'ERR_MODULE_NOT_FOUND'],
    ["import('/none/of/this.mjs')", 'ERR_MODULE_NOT_FOUND'],
    ["import('node:none')", 'ERR_UNKNOWN_BUILTIN_MODULE'],
    ["import('http://localhost/none.js')", 'ERR_UNSUPPORTED_ESM_URL_SCHEME'],
    ["import('bun:sqlite')", 'ERR_UNSUPPORTED_ESM_URL_SCHEME'],
    ["import('#none')", 'ERR_PACKAGE_IMPORT_NOT_DEFINED'],
    ["import('#defined').then(({ v }) => { throw Object.assign(new Error(), { code: v }); })", 'a value'],
    ["import(new URL('./none.ts', import.meta.url).href)", 'ERR_MODULE_NOT_FOUND'],
    ["import('closed/inside.js')", 'ERR_PACKAGE_PATH_NOT_EXPORTED'],
    ["import.meta.resolve('a-package-that-is-left-out')", 'ERR_MODULE_NOT_FOUND'],
    ["require('a-package-that-is-left-out')", 'MODULE_NOT_FOUND'],
  ])('%s has the code %s', async (load, code) => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(`await codeOf(() => ${load})`, GUARD),
      'node_modules/closed/package.json': '{"name":"closed","exports":{".":"./index.js"}}',
      'node_modules/closed/index.js': '',
      'node_modules/closed/inside.js': '',
      'package.json': '{"imports":{"#defined":"./defined.mjs"}}',
      'defined.mjs': "export const v = 'a value';\n",
    });
    expect((await fixture.say()).value).toBe(code);
  });

  it('is named with its path, also where it is a URL', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(
        'message',
        "let message = '';\ntry { await import(new URL('./none.ts', import.meta.url).href); } catch (error) { ({ message } = error as Error); }",
      ),
    });
    expect((await fixture.say()).value).toMatch(
      /^Cannot find module '\/(?!.*file:).*\/none\.ts' imported from /,
    );
  });

  it('is none where the code stands in a data URL', async () => {
    expect(await said("(await import('data:text/javascript,export const v = 3')).v")).toBe(3);
  });

  it('of a file that Node itself loads is the same error for a guard', async () => {
    fixture = new Fixture({
      'optional.mjs': `let value = 'with it';
try { await import('a-package-that-is-left-out'); } catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
  value = 'without it';
}
export default value;
`,
      'pipeline.ts': pipelineSaying('value', "import value from './optional.mjs';"),
    });
    expect((await fixture.say()).value).toBe('without it');
  });
});

describe('a tsconfig.json whose base is not installed', () => {
  const TSCONFIG = '{"extends":"@tsconfig/left-out/tsconfig.json"}';

  it('hides no file that is there', async () => {
    fixture = new Fixture({
      'tsconfig.json': TSCONFIG,
      'value.ts': 'export const v: number = 3;\n',
      'pipeline.ts': pipelineSaying('v', "import { v } from './value';"),
    });
    expect((await fixture.say()).value).toBe(3);
    expect((await fixture.say()).value).toBe(3);
  });

  it.each([
    ['first', '["./tsconfig.none.json", "./tsconfig.base.json"]'],
    ['last', '["./tsconfig.base", "@tsconfig/left-out/tsconfig"]'],
    ['further up', '"./tsconfig.middle.json"'],
  ])('and keeps the aliases of a base that is there: %s', async (_, bases) => {
    fixture = new Fixture({
      'tsconfig.json': `{ "extends": ${bases} }`,
      'tsconfig.middle.json': '{ "extends": ["@tsconfig/left-out", "./tsconfig.base.json"] }',
      'tsconfig.base.json': '{ "extends": "base", "compilerOptions": { "baseUrl": "./src" } }',
      'node_modules/base/tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
      'src/lib/value.ts': 'export const v: number = 3;\n',
      'pipeline.ts': pipelineSaying('v', "import { v } from '@lib/value';"),
    });
    expect((await fixture.say()).value).toBe(3);
    expect((await fixture.say()).value).toBe(3);
  });

  it.each([
    ['that is not installed', '"extends": "@tsconfig/left-out/tsconfig.json",'],
    ['that is the file itself', '"extends": ["./tsconfig.json"],'],
    ['that is no text', '"extends": 5,'],
  ])('and keeps its own aliases beside a base %s', async (_, base) => {
    const paths =
      '"paths": { "@lib/*": ["./lib/*"], "settings": ["lib/settings.ts"], /* of no file */ "*": ["./none/*"], }';
    fixture = new Fixture({
      'tsconfig.json': `{ ${base} // "a comment"
        "compilerOptions": { ${paths}, }, }`,
      'lib/value.ts': 'export const v: number = 3;\n',
      'lib/settings.ts': 'export const more: number = 4;\n',
      'pipeline.ts': pipelineSaying(
        'v + more',
        "import { v } from '@lib/value';\nimport { more } from 'settings';",
      ),
    });
    expect((await fixture.say()).value).toBe(7);
  });
});

describe('a name that dynpart does not have', () => {
  it.each([
    ["import { Asset } from 'dynpart';\nAsset({});", "'dynpart' has no export Asset; did you mean asset?"],
    [
      "import { dynamicPartition } from 'dynpart';\ndynamicPartition('x');",
      'did you mean dynamicPartitions?',
    ],
    ["const { sensors } = require('dynpart');", 'did you mean sensor?'],
    [
      "import dynpart from 'dynpart';\ndynpart.asset({});",
      "'dynpart' has no default export; name what you need",
    ],
    [
      "import { feeds } from 'dynpart/sources';\nfeeds({});",
      "'dynpart/sources' has no export feeds; did you mean feed?",
    ],
  ])('%s is told with the nearest', async (code, message) => {
    fixture = new Fixture({ 'pipeline.ts': `${code}\nexport default 1;\n` });
    const failed = await fixture.json(['assets', 'list'], { env: fixture.env });
    expect(failed.code).toBe(2);
    expect(failed.document.error.message).toContain(message);
    expect(failed.document.error.message).toContain(`${fixture.path('pipeline.ts')}:`);
  });
});

describe('a file that is there and cannot be read', () => {
  it('is told with the reason, not as one that is missing', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('1', "import './part.ts';"),
      'part.ts': '',
      // Whoever runs the tests may be root, whom no permission stops.
      'deny.cjs': `const fs = require('node:fs');
const read = fs.readFileSync;
fs.readFileSync = (file, ...rest) => {
  if (String(file).endsWith(process.env.DENIED))
    throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
  return read(file, ...rest);
};
`,
    });
    for (const denied of ['part.ts', 'pipeline.ts']) {
      const { code, document } = await fixture.json(['assets', 'list'], {
        env: { ...fixture.env, DENIED: denied, NODE_OPTIONS: `--require=${fixture.path('deny.cjs')}` },
      });
      expect([code, document.error.code]).toEqual([2, 'pipeline-unreadable']);
      expect(document.error.message).toBe(`cannot read ${fixture.path(denied)}: no permission (EACCES)`);
    }
  });

  it.each([
    ['a link in a circle', './circle.ts', 'circle.ts', 'it is a symbolic link that is not followed (ELOOP)'],
    ['a link that leads nowhere', './nowhere.ts', 'nowhere.ts', 'it is a symbolic link that leads nowhere'],
    ['a folder', './folder.ts', 'folder.ts', 'it is a folder'],
  ])('is so also as %s, named or imported', async (_, specifier, name, cause) => {
    fixture = new Fixture({ 'pipeline.ts': pipelineSaying('1', `import '${specifier}';`) });
    fs.symlinkSync('circle.ts', fixture.path('circle.ts'));
    fs.symlinkSync('gone', fixture.path('nowhere.ts'));
    fs.mkdirSync(fixture.path('folder.ts'));
    for (const args of [
      ['check'],
      ['-f', name, 'check'],
      ['-f', name, 'status'],
      ['-f', name, 'sensor', 'tick'],
    ]) {
      const { code, document } = await fixture.json(args);
      const { code: said, message } = document.error ?? document.problems[0];
      expect([code, said, message]).toEqual([
        2,
        'pipeline-unreadable',
        `cannot read ${fixture.path(name)}: ${cause}`,
      ]);
    }
  });
});

describe('JSON', () => {
  it.each([
    ['{"a":[1]}', { a: [1] }],
    ['[1,2]', [1, 2]],
    ['"text"', 'text'],
    ['null', null],
    ['0', 0],
    ['{}', {}],
    ['[]', []],
    ['{"default":1,"a":2}', { default: 1, a: 2 }],
    ['{"__esModule":true,"a":2}', { __esModule: true, a: 2 }],
    ['\ufeff{"a":1}', { a: 1 }],
  ])('%s is its default export', async (json, value) => {
    expect(await said('data', "import data from './data.json';", { 'data.json': json })).toEqual(value);
  });

  it('has its keys as names, and may be imported with an attribute', async () => {
    expect(
      await said('[a, data]', "import data, { a } from './data.json' with { type: 'json' };", {
        'data.json': '{"a":1}',
      }),
    ).toEqual([1, { a: 1 }]);
  });

  it('that is broken is named', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('data', "import data from './data.json';"),
      'data.json': '{"a":',
    });
    const { code, document } = await fixture.json(['sensor', 'tick'], { env: fixture.env });
    expect(code).toBe(2);
    expect(JSON.stringify(document.error)).toContain('data.json');
  });
});

describe('CommonJS', () => {
  it('may be imported and required as .cjs', async () => {
    expect(
      await said(
        '[a, whole.a, required.a, exists]',
        `import whole, { a } from './c.cjs';
const required = require('./c.cjs');
const exists: boolean = require('node:fs').existsSync('/');`,
        { 'c.cjs': 'exports.a = 1;\n' },
      ),
    ).toEqual([1, 1, 1, true]);
  });

  it('may be imported as .js', async () => {
    expect(
      await said(
        '[a, whole.a, make(), Object.keys(all).sort()]',
        "import whole, { a } from './c.js';\nimport make from './f.js';\nimport * as all from './c.js';",
        {
          'c.js': 'module.exports = { a: 1, b: 2 };\n',
          'f.js': 'module.exports = function () { return 3; };\n',
        },
      ),
    ).toEqual([1, 1, 3, ['a', 'b', 'default']]);
  });

  it('keeps the names that stand on a function', async () => {
    expect(
      await said('[make(), helper]', "import make, { helper } from './f.js';", {
        'f.js': 'module.exports = function () { return 3; };\nmodule.exports.helper = 4;\n',
      }),
    ).toEqual([3, 4]);
  });

  it("may be the pipeline itself, with require('dynpart') and no node_modules", async () => {
    fixture = new Fixture({
      'pipeline.js': pipelineSaying('1')
        .replace(/^import (.*) from 'dynpart';/, "const $1 = require('dynpart');")
        .replace('export default', 'module.exports ='),
    });
    expect(await fixture.sayTwice('pipeline.js')).toBe(1);
  });

  it('cannot require TypeScript, and is told so if it cannot', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('q', "const { q } = require('./q');"),
      'q.ts': 'export const q: number = 1;\n',
    });
    const { code, document } = await fixture.json(['sensor', 'tick', '--dry-run'], { env: fixture.env });
    // Either it works, or the words say what is wrong: the file is there, only `require` cannot load it.
    if (code !== 0) expect(`${document.error.message} ${document.error.hint}`).toMatch(/require/);
  });
});

describe('a CommonJS file that is required', () => {
  it('may require its neighbours and JSON, and resolve', async () => {
    expect(
      await said(
        "[required.data.a, require.resolve('./data.json').endsWith('data.json')]",
        "const required = require('./c.cjs');",
        {
          'c.cjs': "exports.data = require('./data.json');\n",
          'data.json': '{"a":1}',
        },
      ),
    ).toEqual([1, true]);
  });
});

describe('packages', () => {
  const packages = {
    'node_modules/cjs/package.json': '{"name":"cjs"}',
    'node_modules/cjs/index.js': "exports.v = 'cjs';\n",
    'node_modules/esm/package.json':
      '{"name":"esm","type":"module","exports":{".":"./index.js","./sub":"./sub.js"}}',
    'node_modules/esm/index.js': "export const v = 'esm';\n",
    'node_modules/esm/sub.js': "export const v = 'esm/sub';\n",
    'node_modules/@scope/dual/package.json':
      '{"name":"@scope/dual","exports":{"import":"./index.mjs","require":"./index.js"}}',
    'node_modules/@scope/dual/index.js': "exports.v = 'dual, required';\n",
    'node_modules/@scope/dual/index.mjs': "export const v = 'dual, imported';\n",
  };

  it('are imported by Node, each the way it was made for', async () => {
    expect(
      await said(
        '[c, whole.v, e, s, d, dynamic.v, required, require("@scope/dual").v]',
        `import { createRequire } from 'node:module';
import whole, { v as c } from 'cjs';
import { v as e } from 'esm';
import { v as s } from 'esm/sub';
import { v as d } from '@scope/dual';
const dynamic = await import('@scope/dual');
const required = createRequire(import.meta.url)('@scope/dual').v;`,
        packages,
      ),
    ).toEqual([
      'cjs',
      'cjs',
      'esm',
      'esm/sub',
      'dual, imported',
      'dual, imported',
      'dual, required',
      'dual, required',
    ]);
  });

  it('may be shadowed by a path alias, which is not packed and works', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('v', "import { v } from '@/v';"),
      'src/v.ts': 'export const v = 1;\n',
      'tsconfig.json':
        '{\n  // with a comment\n  "compilerOptions": { "paths": { "@/*": ["./src/*"] } }\n}\n',
    });
    expect((await fixture.say()).value).toBe(1);
    expect((await fixture.say()).value).toBe(1);
    fixture.write({ 'src/v.ts': 'export const v = 2;\n' });
    expect((await fixture.say()).value).toBe(2);
  });

  it('may hold definitions made with another copy of dynpart', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying(
        '[foreign.name, own.name]',
        "import { foreign } from 'shared';\nimport { own } from './own';",
      ).replace('assets: [thing], sensors', 'assets: [thing, foreign, own], sensors'),
      'own.ts':
        "import { asset } from 'dynpart';\nexport const own = asset({ name: 'own', materialize: () => 1 });\n",
      'node_modules/shared/package.json': '{"name":"shared","type":"module","main":"index.js"}',
      'node_modules/shared/index.js':
        "import { asset } from 'dynpart';\nexport const foreign = asset({ name: 'foreign', materialize: () => 1 });\n",
      'node_modules/dynpart/package.json': fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
    });
    fs.cpSync(path.join(root, 'dist'), fixture.path('node_modules/dynpart/dist'), { recursive: true });
    expect(await fixture.sayTwice()).toEqual(['foreign', 'own']);
    const { code, document } = await fixture.json(['materialize', 'foreign', 'own', '--all'], {
      env: fixture.env,
    });
    expect({ code, failed: document.summary.failed }).toEqual({ code: 0, failed: 0 });
  });
});

describe('import.meta', () => {
  it('says where the file is', async () => {
    const value = await said(
      '[import.meta.url, import.meta.filename, import.meta.dirname, __filename, __dirname]',
    );
    const file = fixture.path('pipeline.ts');
    expect(value).toEqual([pathToFileURL(file).href, file, fixture.folder, file, fixture.folder]);
  });

  it('resolves what is there', async () => {
    const value = await said("[import.meta.resolve('./v.ts'), import.meta.resolve('node:fs')]", '', {
      'v.ts': '',
    });
    expect(value).toEqual([pathToFileURL(fixture.path('v.ts')).href, 'node:fs']);
  });

  it('resolves what is not there yet, as Node does', async () => {
    fixture = new Fixture({ 'pipeline.ts': pipelineSaying("import.meta.resolve('./not-there.txt')") });
    const address = pathToFileURL(fixture.path('not-there.txt')).href;
    expect((await fixture.say()).value).toBe(address);
    expect((await fixture.say()).value).toBe(address);
  });
});

describe('places', () => {
  it.each(['with blanks', 'ünï-çødé 日本', '100%25 #hash ?query', "quote'd"])(
    'may be called %s',
    async (name) => {
      fixture = new Fixture({
        [`${name}/pipeline.ts`]: pipelineSaying(
          '[v, w, import.meta.filename]',
          `import { v } from './v ${name.replaceAll("'", '')}';\nimport w from './w.cjs';`,
        ),
        [`${name}/v ${name.replaceAll("'", '')}.ts`]: 'export const v = 1;\n',
        [`${name}/w.cjs`]: 'module.exports = 2;\n',
      });
      // `#` and `?` in a specifier begin an address's end: only the folder is asked with them.
      if (/[#?]/.test(name))
        fixture.write({
          [`${name}/pipeline.ts`]: pipelineSaying(
            '[v, w, import.meta.filename]',
            "import { v } from './v';\nimport w from './w.cjs';",
          ),
          [`${name}/v.ts`]: 'export const v = 1;\n',
        });
      expect(await fixture.sayTwice(`${name}/pipeline.ts`)).toEqual([
        1,
        2,
        fixture.path(name, 'pipeline.ts'),
      ]);
    },
  );

  it('of a linked pipeline file are those of the real one', async () => {
    fixture = new Fixture({
      'repo/pipeline.ts': pipelineSaying('v', "import { v } from './v';"),
      'repo/v.ts': 'export const v = 1;\n',
    });
    fs.symlinkSync('repo/pipeline.ts', fixture.path('linked.ts'));
    expect(await fixture.sayTwice('linked.ts')).toBe(1);
  });
});

describe('a stack', () => {
  const boom = `// The lines of this file count.
interface Text { readonly text: string }

export function boom(): never {
  const say: Text = { text: 'boom' };

  throw new Error(say.text);
}
`;

  it('has the lines of the source, compiled and packed', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('boom()', "import { boom } from './boom';"),
      'boom.ts': boom,
    });
    const line =
      fixture
        .read('pipeline.ts')
        .split('\n')
        .findIndex((text) => text.includes('boom()')) + 1;
    for (let time = 0; time < 2; time++) {
      const { code, stderr } = await fixture.dynpart(['sensor', 'tick'], { env: fixture.env });
      expect(code).toBe(3);
      expect(stderr).toContain(`${fixture.path('boom.ts')}:7`);
      expect(stderr).toContain(`${fixture.path('pipeline.ts')}:${line}`);
    }
  });

  it('of an error while loading has them too', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('1', "import { boom } from './boom';\n\nboom();"),
      'boom.ts': boom,
    });
    const { code, stderr } = await fixture.dynpart(['sensor', 'tick'], { env: fixture.env });
    expect(code).toBe(2);
    expect(stderr).toContain(`${fixture.path('boom.ts')}:7`);
    expect(stderr).toContain(`${fixture.path('pipeline.ts')}:4`);
  });
});

describe('a pipeline that never finishes loading', () => {
  it('is an error, not silence', async () => {
    fixture = new Fixture({ 'pipeline.ts': pipelineSaying('1', 'await new Promise(() => {});') });
    const { code, stderr } = await fixture.dynpart(['sensor', 'tick'], { env: fixture.env });
    expect(code).toBe(2);
    expect(stderr).not.toBe('');
  });

  it('is an error in JSON, too', async () => {
    fixture = new Fixture({ 'pipeline.ts': pipelineSaying('1', 'await new Promise(() => {});') });
    const { code, document } = await fixture.json(['sensor', 'tick'], { env: fixture.env });
    expect(code).toBe(2);
    expect(document.error.message).toEqual(expect.any(String));
  });
});

describe('a watch', () => {
  it('loads the pipeline into the thread of a sensor, compiled and packed', async () => {
    fixture = new Fixture({
      'pipeline.ts': pipelineSaying('[v, w]', "import { v } from './v';\nimport w from './w.cjs';"),
      'v.ts': 'export const v: number = 1;\n',
      'w.cjs': 'module.exports = 2;\n',
    });
    for (let time = 0; time < 2; time++) {
      const watch = fixture.start(['sensor', 'watch', '--json'], { env: fixture.env });
      await watch.saw('"status":"');
      watch.process.kill('SIGINT');
      const { code } = await watch.done;
      expect(code).toBe(0);
      const { stdout } = await fixture.dynpart(['partitions', 'list', 'said']);
      expect(JSON.parse(stdout)).toEqual({ value: [1, 2] });
      fs.rmSync(fixture.path('.dynpart'), { recursive: true });
    }
  });
});
