/** `dynpart check` through the real binary: everything that is wrong with a pipeline, and nothing else touched. */
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';

const GOOD = `import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const things = dynamicPartitions('things');
const one = asset({ name: 'one', partitions: things, materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [one], evaluate: () => ({ skipReason: 'nothing' }) });
export default definePipeline({ assets: [one], sensors: [feed] });
`;

describe('dynpart check', () => {
  it('says what a good pipeline has, and writes nothing beside it', async () => {
    await using project = new Project({ 'pipeline.ts': GOOD });
    const text = await project.dynpart(['check']);
    expect([text.code, text.stdout, text.stderr]).toEqual([
      0,
      `ok: 1 asset, 1 sensor, 1 set in ${project.path('pipeline.ts')}\n`,
      '',
    ]);
    const { code, document } = await project.json(['check']);
    expect([code, document]).toEqual([0, { ok: true, problems: [] }]);
    expect(fs.existsSync(project.path('.dynpart'))).toBe(false);
  });

  it('names every mistake with its place, each on a line', async () => {
    await using project = new ProjectHere({
      'pipeline.ts': GOOD.replace("name: 'one'", "name: ''").replace(
        "name: 'feed'",
        "name: 'feed', every: 3",
      ),
    });
    const { code, document } = await project.json(['check']);
    expect(code).toBe(2);
    expect(document.ok).toBe(false);
    expect(document.error).toBeUndefined();
    expect(document.problems.length).toBeGreaterThan(1);
    for (const problem of document.problems)
      expect(problem).toEqual({
        code: 'pipeline-invalid',
        message: expect.any(String),
        place: expect.stringContaining(`${project.path('pipeline.ts')}:`),
      });
    const text = await project.dynpart(['check']);
    expect(text.code).toBe(2);
    expect(text.stdout.split('\n')).toEqual([
      ...document.problems.map(({ message, place }: Record<string, string>) => `${place}: ${message}`),
      '',
    ]);
  });

  it.each([
    ['a syntax error', 'const = 3;', 'pipeline-syntax', true],
    ['an import that leads nowhere', "import './none.ts';", 'pipeline-import-missing', true],
    ['code that throws', "throw new Error('no luck');", 'pipeline-threw', false],
    ['no default export', 'export const x = 1;', 'pipeline-no-default', false],
  ])('of %s says what and where', async (_, content, problem, hasPlace) => {
    await using project = new ProjectHere({ 'pipeline.ts': content });
    const { code, document } = await project.json(['check']);
    expect([code, document.ok]).toEqual([2, false]);
    expect(document.problems).toEqual([
      {
        code: problem,
        message: expect.any(String),
        place: hasPlace ? expect.stringContaining(`${project.path('pipeline.ts')}:1:`) : null,
      },
    ]);
  });

  it('says what fails a moment later, where nothing waited for it: each tick would end with that', async () => {
    const lost = `async function lost() { await null; throw new Error('no settings'); }
void lost();
setTimeout(() => { throw new Error('a timer'); });
`;
    await using project = new Project({ 'pipeline.ts': `${GOOD}${lost}` });
    const { code, document } = await project.json(['check']);
    expect([code, document.ok, document.error]).toEqual([2, false, undefined]);
    expect(document.problems).toEqual(
      ['no settings', 'a timer'].map((what) => ({
        code: 'pipeline-stray',
        message: expect.stringContaining(`failed where nothing waited for it: ${what}`),
        place: null,
      })),
    );
    const text = await project.dynpart(['check']);
    expect([text.code, text.stderr]).toEqual([2, '']);
    expect(text.stdout).toContain('no settings');
  });

  describe('of code that waits for what will never be', () => {
    const unsettled = expect.stringContaining('a promise that never settles');

    it('says so as one of its problems, and doctor as one of its checks', async () => {
      await using project = new Project({ 'pipeline.ts': `await new Promise(() => {});\n${GOOD}` });
      const { code, document } = await project.json(['check']);
      expect([code, document]).toEqual([
        2,
        { ok: false, problems: [{ code: 'pipeline-unsettled', message: unsettled, place: null }] },
      ]);
      const text = await project.dynpart(['check']);
      expect([text.code, text.stdout, text.stderr]).toEqual([2, unsettled, '']);
      const doctor = await project.json(['doctor']);
      expect([doctor.code, doctor.document]).toEqual([
        2,
        {
          ok: false,
          checks: expect.arrayContaining([
            expect.objectContaining({ name: 'pipeline', status: 'failure', message: unsettled }),
            expect.objectContaining({ name: 'state', status: 'ok' }),
          ]),
        },
      ]);
    });

    it('keeps nobody from the state', async () => {
      await using project = new Project({ 'pipeline.ts': GOOD });
      await project.dynpart(['partitions', 'add', 'things', 'a']);
      project.write({ 'pipeline.ts': `await new Promise(() => {});\n${GOOD}` });
      expect(await project.dynpart(['assets', 'list'])).toMatchObject({
        code: 0,
        stdout: 'one\tthings\t-\t-\t-\n',
        stderr: expect.stringContaining('using the names that the state remembers: dynpart check'),
      });
      const { code, document } = await project.json(['materialize', '--all']);
      expect([code, document]).toEqual([
        2,
        { error: expect.objectContaining({ code: 'pipeline-unsettled' }) },
      ]);
    });
  });

  it('of an export that throws when it is looked at is no bug of dynpart', async () => {
    const content = "export default new Proxy({}, { get() { throw new Error('hands off'); } });\n";
    await using project = new Project({ 'pipeline.ts': content });
    const { code, document } = await project.json(['check']);
    expect([code, document.problems[0].code]).toEqual([2, 'pipeline-threw']);
    expect(document.problems[0].message).toContain('hands off');
  });

  it('of a folder without a pipeline file is 2, too', async () => {
    await using project = new ProjectHere();
    const { code, document } = await project.json(['check']);
    expect([code, document.problems[0].code]).toEqual([2, 'pipeline-not-found']);
  });
});
