/** Pipeline files that are not there, do not parse, do not load or do not hold together: exit 2, each with its own words and place. */
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type BothFormsOptions, inBothForms, runHere } from '../support/in-process.ts';
import { Project, type RunResult } from '../support/project.ts';

const GOOD = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const one = asset({ name: 'one', partitions: things, materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [one], evaluate: () => ({ skipReason: 'nothing' }) });
export default definePipeline({ assets: [one], sensors: [feed] });
`;

interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** The lines of a stack, wherever they were written. */
function framesIn({ stdout, stderr }: Pick<RunResult, 'stdout' | 'stderr'>): string[] {
  return `${stdout}\n${stderr}`
    .replaceAll('\\n', '\n')
    .split('\n')
    .filter((line) => /^\s+at /.test(line));
}

/** Refused with 2 as text and as one JSON document, and nothing was written. */
async function refused(
  project: Project,
  args: readonly string[] = ['assets', 'list'],
  options: BothFormsOptions = {},
): Promise<ErrorDocument> {
  const names = fs.readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).toSorted();
  const { text, json } = await inBothForms(project, args, options);
  for (const result of [text, json]) {
    expect.soft(`${result.stdout}\n${result.stderr}`).not.toMatch(/node:internal|this is a bug|^Node\.js v/m);
    expect.soft(framesIn(result).filter((frame) => !frame.includes(`${project.folder}/`))).toEqual([]);
    expect.soft(result.code).toBe(2);
  }
  expect(text.stdout).toBe('');
  // What rests on names that are only remembered is told before.
  expect(text.stderr).toMatch(/^(?:warning: .*using the names that the state remembers.*\n)?error: \S/);
  expect(json.stdout.split('\n')).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  const document = JSON.parse(json.stdout) as { error: ErrorDocument };
  expect(Object.keys(document.error).toSorted()).toEqual(['code', 'hint', 'message']);
  expect(text.stderr).toContain(document.error.message.split('\n')[0]!.trimEnd());
  expect(fs.readdirSync(project.folder, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(names);
  return document.error;
}

async function refusedPipeline(
  content: string,
  files: Readonly<Record<string, string>> = {},
  name = 'pipeline.ts',
  options: BothFormsOptions = {},
) {
  await using project = new Project({ [name]: content, ...files });
  const error = await refused(project, ['assets', 'list'], options);
  return { ...error, folder: project.folder, file: project.path(name) };
}

describe('a pipeline file that cannot be read', () => {
  it('is not there: the folder and the usual names are said', async () => {
    await using project = new Project();
    for (const args of [
      ['assets', 'list'],
      ['partitions', 'list'],
      ['partitions', 'add', 'things', 'a'],
      ['sensor', 'tick'],
      ['status'],
      ['runs', 'list'],
      ['worker', '--once'],
    ]) {
      const { code, message, hint } = await refused(project, args);
      expect([args, code]).toEqual([args, 'pipeline-not-found']);
      expect(message).toContain(project.folder);
      expect(message).toContain('pipeline.ts');
      expect(hint).toContain('-f');
    }
  });

  it('is not there where -f or DYNPART_FILE says', async () => {
    await using project = new Project({ 'folder.ts/pipeline.ts': GOOD });
    for (const [args, options] of [
      [['-f', 'nope.ts', 'assets', 'list'], {}],
      [['assets', 'list'], { env: { DYNPART_FILE: 'sub/nope.ts' } }],
    ] as const) {
      const { code, message } = await refused(project, args, options);
      expect(code).toBe('pipeline-not-found');
      expect(message).toContain(`${project.folder}/`);
      expect(message).toContain('nope.ts');
    }
  });

  it('keeps from nothing that is on record, and from all else: a wrong name is no empty state', async () => {
    await using project = new Project({ 'pipeline.ts': GOOD });
    await project.dynpart(['partitions', 'add', 'things', 'a']);
    await project.dynpart(['state', 'export', 'copy.json']);
    fs.rmSync(project.path('pipeline.ts'));
    fs.rmSync(project.path('.dynpart'), { recursive: true });
    for (const args of [
      ['state', 'export'],
      ['state', 'check'],
      ['runs', 'list'],
      ['runs', 'show', 'x'],
    ]) {
      const byFile = await refused(project, [...args, '-f', 'nope.ts']);
      expect([args, byFile.code]).toEqual([args, 'pipeline-not-found']);
      expect(byFile.message).toContain('nope.ts');
      const byState = await refused(project, [...args, '--state', 'nope.json']);
      expect([args, byState.message]).toEqual([args, `there is no state in ${project.path('nope.json')}`]);
    }
    expect((await project.dynpart(['state', 'restore', 'copy.json', '--state', 'new.json'])).code).toBe(0);
    const { code } = await project.dynpart(['state', 'move', '--state', 'new.json', '--to', 'other.json']);
    expect(code).toBe(0);
    expect((await project.dynpart(['state', 'check', '--state', 'other.json'])).code).toBe(0);
    expect((await project.dynpart(['state', 'check', '--state', 'other.json', '-f', 'nope.ts'])).code).toBe(
      0,
    );
  });

  it('is a folder', async () => {
    await using project = new Project({ 'folder.ts/pipeline.ts': GOOD });
    const { code, message } = await refused(project, ['-f', 'folder.ts', 'assets', 'list']);
    expect(code).toBe('pipeline-unreadable');
    expect(message).toContain(project.path('folder.ts'));
    expect(message).toContain('it is a folder');
  });
});

describe('a pipeline file with a syntax error', () => {
  it.each([
    [
      'pipeline.ts',
      "import { definePipeline } from 'dynpart';\nconst broken = ;\nexport default definePipeline({});\n",
      '2:16',
      'const broken = ;',
    ],
    [
      'pipeline.ts',
      "import { definePipeline } from 'dynpart';\nexport default definePipeline({\n  assets: [)],\n});\n",
      '3:12',
      'assets: [)]',
    ],
    ['pipeline.js', 'export default {{;\n', '1:17', 'export default {{;'],
    ['pipeline.mjs', "const text = 'not closed\nexport default text;\n", '1:14', "const text = 'not closed"],
  ])('in %s names file, line and column, and shows the line', async (name, content, place, excerpt) => {
    const { code, message, file } = await refusedPipeline(content, {}, name);
    expect(code).toBe('pipeline-syntax');
    expect(message).toContain(`${file}:${place}:`);
    expect(message).toContain(excerpt);
    expect(message).toMatch(/\n.*\^/);
  });

  it('in a file that it imports names that file', async () => {
    const { code, message, folder } = await refusedPipeline(`import './lib/broken.ts';\n${GOOD}`, {
      'lib/broken.ts': 'export const a = 1;\nexport const b = [1,;\n',
    });
    expect(code).toBe('pipeline-syntax');
    expect(message).toContain(`${folder}/lib/broken.ts:2:`);
    expect(message).toContain('export const b = [1,;');
  });
});

describe('syntax that would not do what it says', () => {
  const DECORATED = 'class Maker {\n  @logged make() {}\n}\nfunction logged() {}\n';

  it.each([
    ['decorators, in TypeScript', 'pipeline.ts', DECORATED, '2:3', /: decorators are not supported/],
    ['decorators, in JavaScript', 'pipeline.mjs', DECORATED, '2:3', /: decorators are not supported/],
    [
      'decorators of parameters',
      'pipeline.ts',
      'class A { constructor(@inject x: number) {} }\n',
      '1:23',
      /: decorators are not supported/,
    ],
    [
      'using at the top level',
      'pipeline.ts',
      'using x = { [Symbol.dispose]() {} };\n',
      '1:1',
      /: using at the top level of a file is not supported/,
    ],
    [
      'await using at the top level',
      'pipeline.mjs',
      '\nawait using x = null;\n',
      '2:1',
      /: using at the top level of a file is not supported/,
    ],
    [
      'what the compiler does not know',
      'pipeline.ts',
      'class A { accessor x = 1; }\n',
      '1:20',
      /: syntax that is not supported here \(decoratorAutoAccessors\)\n/,
    ],
  ])('is refused with its place: %s', async (_, name, content, place, words) => {
    const { code, message, file } = await refusedPipeline(content + GOOD, {}, name);
    expect(code).toBe('pipeline-syntax');
    expect(message).toContain(`${file}:${place}: `);
    expect(message).toMatch(words);
    expect(message).not.toMatch(/babel/i);
  });

  it('is refused in a file that it imports, too', async () => {
    const { message, folder } = await refusedPipeline(`import './maker';\n${GOOD}`, {
      'maker.ts': DECORATED,
    });
    expect(message).toContain(`${folder}/maker.ts:2:3: decorators are not supported`);
  });
});

describe('an import that is missing', () => {
  it.each([
    ['a file', './lib/nope.ts', 'path'],
    ['a file without its ending', '../nope', 'path'],
    ['a package', 'no-such-package-of-mine', 'npm install no-such-package-of-mine'],
    ['a part of a package with a scope', '@no-such/package/sub', 'npm install @no-such/package'],
  ])('(%s) is named with file and line, and what to do', async (_, specifier, hint) => {
    const {
      code,
      message,
      hint: said,
      file,
    } = await refusedPipeline(
      `import { definePipeline } from 'dynpart';\n\nimport { thing } from '${specifier}';\nexport default definePipeline({ assets: [thing] });\n`,
    );
    expect(code).toBe('pipeline-import-missing');
    expect(message).toContain(`${file}:3:`);
    expect(message).toContain(`'${specifier}'`);
    expect(said).toContain(hint);
  });

  it('in a file that is imported is named with that file', async () => {
    const { code, message, folder } = await refusedPipeline(`import './lib/deep.ts';\n${GOOD}`, {
      'lib/deep.ts': "export const a = 1;\nimport './nope.ts';\n",
    });
    expect(code).toBe('pipeline-import-missing');
    expect(message).toContain(`${folder}/lib/deep.ts:2:`);
    expect(message).toContain("'./nope.ts'");
  });

  it('by import() and by require is named as well', async () => {
    const dynamic = await refusedPipeline(`await import('./nope.ts');\n${GOOD}`);
    expect([dynamic.code, dynamic.message]).toEqual([
      'pipeline-import-missing',
      expect.stringContaining(`${dynamic.file}:1:`),
    ]);
    const required = await refusedPipeline(`${GOOD}require('no-such-package-of-mine');\n`);
    expect([required.code, required.message]).toEqual([
      'pipeline-import-missing',
      expect.stringContaining(`${required.file}:6:`),
    ]);
  });
});

describe('a pipeline file that exports no pipeline', () => {
  it('has no default export', async () => {
    const { code, message, hint } = await refusedPipeline(
      "import { dynamicPartitions } from 'dynpart';\nexport const things = dynamicPartitions('things');\n",
    );
    expect(code).toBe('pipeline-no-default');
    expect(message).toContain('things');
    expect(hint).toContain('export default definePipeline');
    expect((await refusedPipeline('')).code).toBe('pipeline-no-default');
  });

  it.each([
    ['export default { assets: [] };', 'an object'],
    ['export default Promise.resolve(1);', 'a promise (write await in front of it)'],
    ['export default null;', 'null'],
    ['export default [];', 'an array'],
    ["export default 'pipeline';", 'a string'],
    ['export default () => 1;', 'a function'],
    [
      "import { asset } from 'dynpart';\nexport default asset({ name: 'a', materialize: () => 1 });",
      'an asset',
    ],
    [
      "import { sensor } from 'dynpart';\nexport default sensor({ name: 's', evaluate: () => undefined });",
      'a sensor',
    ],
    [
      "import { dynamicPartitions } from 'dynpart';\nexport default dynamicPartitions('d');",
      'a partitions definition',
    ],
  ])('but something else: %s', async (content, what) => {
    const { code, message, hint } = await refusedPipeline(content);
    expect(code).toBe('pipeline-not-one');
    expect(message).toContain(what);
    expect(hint).toContain('definePipeline');
  });
});

describe('a pipeline that does not hold together', () => {
  it('has two assets of one name: both places are said', async () => {
    const { code, message, file } = await refusedPipeline(`import { asset, definePipeline } from 'dynpart';
const a = asset({ name: 'same', materialize: () => 1 });
const b = asset({ name: 'same', materialize: () => 2 });
export default definePipeline({ assets: [a, b] });
`);
    expect(code).toBe('pipeline-invalid');
    expect(message).toContain("'same'");
    expect(message).toMatch(new RegExp(`${file}:2$`, 'm'));
    expect(message).toContain(`${file}:3:`);
  });

  it('has an upstream that is not in it: both are named', async () => {
    const { code, message, file } = await refusedPipeline(`import { asset, definePipeline } from 'dynpart';
const lost = asset({ name: 'lost', materialize: () => 1 });
const down = asset({ name: 'down', inputs: { lost }, deps: [lost], materialize: () => 2 });
export default definePipeline({ assets: [down] });
`);
    expect(code).toBe('pipeline-invalid');
    expect(message).toContain("'down'");
    expect(message).toContain("'lost'");
    expect(message).toContain(`${file}:3:`);
  });

  it('goes in a circle: the circle is shown', async () => {
    const { code, message } = await refusedPipeline(`import { asset, definePipeline } from 'dynpart';
const deps: any[] = [];
const a = asset({ name: 'a', deps, materialize: () => 1 });
const b = asset({ name: 'b', deps: [a], materialize: () => 2 });
const c = asset({ name: 'c', inputs: { b }, materialize: () => 3 });
deps.push(c);
export default definePipeline({ assets: [a, b, c] });
`);
    expect(code).toBe('pipeline-invalid');
    expect(message).toMatch(/[abc] → [abc] → [abc] → [abc]/);
  });

  it('has many faults: all are reported at once, each with its line', async () => {
    const { code, message, file } =
      await refusedPipeline(`import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const a1 = asset({ name: 'twice', partitions: things, materialize: () => 1 });
const a2 = asset({ name: 'twice', partitions: things, materialize: () => 1 });
const badName = asset({ name: 'no name', materialize: () => 1 });
const proto = asset({ name: '__proto__', materialize: () => 1 });
const typo = asset({ name: 'typo', materialze: () => 1, timeoutMs: -1, retry: { maxRetries: 1.5 } } as any);
const other = asset({ name: 'other', partitions: dynamicPartitions('elsewhere'), inputs: { a1, x: 5 as any }, materialize: () => 1 });
const s1 = sensor({ name: 'feed', timeoutSeconds: 0, defaultStatus: 'on' as any, evaluate: () => undefined });
const s2 = sensor({ name: 'feed', assets: [asset({ name: 'stranger', materialize: () => 1 })] } as any);
export default definePipeline({ assets: [a1, a2, badName, proto, typo, other, 7 as any], sensors: [s1, s2], conurrency: 3 } as any);
`);
    expect(code).toBe('pipeline-invalid');
    for (const [line, ...words] of [
      ['4', "'twice'"],
      ['5', '"no name"'],
      ['6', '"__proto__"'],
      ['7', "'materialze'", "'materialize'"],
      ['7', 'timeoutMs'],
      ['7', 'maxRetries'],
      ['8', "'twice'", "'elsewhere'"],
      ['8', "'x'"],
      ['9', 'timeoutSeconds'],
      ['9', 'defaultStatus'],
      ['10', "'stranger'"],
      ['10', 'evaluate'],
      ['10', "two sensors named 'feed'"],
    ]) {
      const found = message
        .split('\n')
        .filter((one) => one.includes(`${file}:${line}:`) && words.every((word) => one.includes(word)));
      expect([line, words, found.length]).toEqual([line, words, 1]);
    }
    expect(message).toContain("'conurrency'; did you mean 'concurrency'?");
    expect(message).toContain('assets[6]');
  });

  it('names the line of a definition, and not the column that it has in the compiled code', async () => {
    const content = `import { asset, definePipeline } from 'dynpart';
const x = asset({ name: 'no name', materialize: () => 1 });
export default definePipeline({ assets: [x] });
`;
    const { message } = await refusedPipeline(content);
    expect(message).toMatch(/pipeline\.ts:2: "no name" is no name/);
  });
});

// The tests' own process rewrites stacks: which frames a user sees is seen in a process of its own.
const SPAWNED: BothFormsOptions = { isSpawned: true };

describe('a pipeline file that throws', () => {
  it("shows the user's frames and no others", async () => {
    await using project = new Project({
      'pipeline.ts': `import { definePipeline } from 'dynpart';\nimport { readSettings } from './lib/settings.ts';\nreadSettings();\nexport default definePipeline({});\n`,
      'lib/settings.ts': `export function readSettings(): never {\n  throw new RangeError('FEED_URL is not set');\n}\n`,
    });
    const { code, message } = await refused(project, ['assets', 'list'], SPAWNED);
    expect(code).toBe('pipeline-threw');
    expect(message).toContain('RangeError: FEED_URL is not set');
    const frames = message.split('\n').slice(1);
    expect(frames).toHaveLength(2);
    expect(frames[0]).toContain(`${project.folder}/lib/settings.ts:2)`);
    expect(frames[1]).toContain(`${project.folder}/pipeline.ts:3`);
  });

  it.each([
    ["throw 'only text';", 'only text'],
    ['throw null;', 'null'],
    ['await Promise.reject(new Error("later"));', 'later'],
    ["const error: any = new Error('goes round'); error.cause = error; throw error;", 'goes round'],
    ["throw new SyntaxError('of my own (1:2)');", 'of my own'],
    [
      "throw Object.assign(new Error(\"Cannot find module 'mine'\"), { code: 'MINE' });",
      'Cannot find module',
    ],
  ])('something odd: %s', async (statement, said) => {
    const { code, message } = await refusedPipeline(`${statement}\n${GOOD}`, {}, 'pipeline.ts', SPAWNED);
    expect(code).toBe('pipeline-threw');
    expect(message).toContain(said);
  });

  it('because it reads broken JSON is not told to mend its own syntax', async () => {
    const { code, message, file } = await refusedPipeline(
      `${GOOD}function readConfig() {\n  return JSON.parse('{"a":');\n}\nreadConfig();\n`,
      {},
      'pipeline.ts',
      SPAWNED,
    );
    expect(code).toBe('pipeline-threw');
    expect(message).toContain('JSON');
    expect(message).toContain(`at readConfig (${file}:7)`);
  });

  it('or calls process.exit while it loads does not end the command as if all were well', async () => {
    await using project = new Project({ 'pipeline.ts': `process.exit(0);\n${GOOD}` });
    const { code, stdout } = await project.dynpart(['sensor', 'tick', '--json']);
    expect.soft(code).toBe(2);
    expect(stdout).toMatch(/^\{.*\}\n$/);
  });
});

describe('while the pipeline file is broken', () => {
  it.each([
    ['a syntax error', 'export default {{;\n'],
    ['a missing import', `import './nope.ts';\n${GOOD}`],
    ['an error of its own', `throw new Error('broken');\n${GOOD}`],
    [
      'two assets of one name',
      GOOD.replace('definePipeline({ assets: [one]', 'definePipeline({ assets: [one, one]'),
    ],
    ['no file', null],
  ])('(%s) the commands that need only the state go on, and the others say why not', async (_, content) => {
    await using project = new Project({ 'pipeline.ts': GOOD });
    expect((await project.dynpart(['partitions', 'add', 'things', 'a', 'b'])).code).toBe(0);
    expect((await project.dynpart(['materialize', '--key', 'a'])).code).toBe(0);
    if (content === null) fs.rmSync(project.path('pipeline.ts'));
    else project.write({ 'pipeline.ts': content });

    const run = async (...args: string[]) => {
      const { code, stdout } = await runHere(project, [...args, '--json']);
      const document = JSON.parse(stdout);
      expect([args, code, document.error]).toEqual([args, 0, undefined]);
      return document;
    };
    expect((await run('partitions', 'list')).sets).toEqual([{ set: 'things', total: 2 }]);
    expect((await run('partitions', 'list', 'things')).total).toBe(2);
    expect((await run('partitions', 'add', 'things', 'c')).added).toEqual(['c']);
    expect((await run('partitions', 'remove', 'things', 'c')).removed).toEqual(['c']);
    expect((await run('runs', 'list')).runs).toHaveLength(1);
    expect((await run('status')).assets).toEqual([
      expect.objectContaining({ asset: 'one', total: 2, materialized: 1, missing: 1 }),
    ]);
    expect((await run('sensor', 'list')).sensors).toEqual([
      expect.objectContaining({ sensor: 'feed', status: 'RUNNING' }),
    ]);
    expect((await run('sensor', 'stop', 'feed')).status).toBe('STOPPED');
    expect((await run('sensor', 'cursor', 'feed', '--set', 'x')).cursor).toBe('x');
    await run('sensor', 'history', 'feed');
    expect((await run('state', 'check')).ok).toBe(true);

    const text = await project.dynpart(['status']);
    expect(framesIn(text)).toEqual([]);
    for (const args of [
      ['sensor', 'tick'],
      ['materialize', '--missing'],
      ['worker', '--once'],
    ]) {
      const before = project.stateBytes();
      const { code, message } = await refused(project, args, SPAWNED);
      expect(code).toMatch(/^pipeline-/);
      expect(message).toContain(project.folder);
      expect(project.stateBytes()).toBe(before);
    }
    const unknown = await refused(project, ['partitions', 'list', 'thngs']);
    expect(unknown.code).toBe('unknown-set');
  });
});
