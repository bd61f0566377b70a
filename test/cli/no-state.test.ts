/** `--state` names a file that holds something else: each command says so, and leaves it as it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProjectHere } from '../support/in-process.ts';

const PIPELINE = `
  import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
  const letters = dynamicPartitions('letters');
  const upper = asset({ name: 'upper', partitions: letters, materialize: () => 1 });
  const none = sensor({ name: 'none', assets: [upper], evaluate: () => ({ skipReason: 'nothing' }) });
  export default definePipeline({ assets: [upper], sensors: [none] });
`;

const OTHERS: Readonly<Record<string, string>> = {
  'package.json': '{ "name": "app" }\n',
  'list.json': '[1, 2]\n',
  'notes.txt': 'to do: nothing\n',
  'picture.png': '\x89PNG\r\n\x1a\n',
};

const COMMANDS = [
  'partitions list letters',
  'partitions add letters a',
  'partitions remove letters a',
  'sensor tick',
  'sensor list',
  'sensor stop none',
  'sensor cursor none --clear',
  'sensor watch',
  'materialize --all',
  'worker --once',
  'worker',
  'runs list',
  'runs cancel r-1',
  'status',
  'status --html page.html',
  'status --format prometheus',
  'assets list',
  'assets mark upper --as missing --all',
  'why upper --key a',
  'value show upper --key a',
  'state check',
  'state export copy.json',
  'state adopt',
  'state move --to elsewhere/state.json',
  'ui --port 0',
  'schedule cron',
];

let project: ProjectHere;
beforeAll(() => {
  project = new ProjectHere({ 'pipeline.ts': PIPELINE, ...OTHERS });
});
afterAll(() => project[Symbol.asyncDispose]());

const unchanged = (): void => {
  for (const [name, content] of Object.entries(OTHERS))
    expect(project.read(name)).toBe(new TextDecoder().decode(Buffer.from(content)));
  for (const name of ['page.html', 'copy.json', 'elsewhere', '.dynpart'])
    expect(project.exists(name)).toBe(false);
};

describe('a file that holds something else', () => {
  it.each(COMMANDS)('is told as no state by `%s`, and stays', async (command) => {
    const { code, stderr } = await project.dynpart([...command.split(' '), '--state', 'package.json']);
    expect(code).toBe(5);
    expect(stderr).toContain(
      `error: ${project.path('package.json')} is no state of dynpart: schema should be a whole number\n  it was left as it is. Name the state`,
    );
    expect(stderr).not.toMatch(/the state file|--last/);
    unchanged();
  });

  it.each(Object.keys(OTHERS))('is told so whatever it is: %s', async (name) => {
    const { code, document } = await project.json(['status', '--state', name]);
    expect([code, document.error.message]).toEqual([
      5,
      expect.stringContaining(`${name} is no state of dynpart: `),
    ]);
    unchanged();
  });

  it('is one of the checks of doctor', async () => {
    const { code, document } = await project.json(['doctor', '--state', 'package.json']);
    expect(code).toBe(5);
    const found = document.checks.filter(({ status }: { status: string }) => status === 'failure');
    expect(found).toMatchObject([
      { name: 'state', message: expect.stringContaining('is no state of dynpart') },
    ]);
  });

  it('is no copy, and no place for one', async () => {
    const copy = await project.dynpart(['state', 'restore', 'package.json']);
    expect([copy.code, copy.stderr]).toEqual([
      5,
      expect.stringContaining('is no state of dynpart: schema should be'),
    ]);
    expect(copy.stderr).not.toContain('the state file');
    unchanged();
  });
});
