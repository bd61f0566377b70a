/** Commands that the real binary prints, pasted into a shell in the same folder: they are about the pipeline and the state that were named. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { binary, Project, type RunOptions, type RunResult } from '../support/project.ts';

/** Files of their own for a pipeline and a state that need quotes, and nothing in the folder itself. */
const FILE = "a'b/pipeline.ts";
const STATE = 'my state/x.json';
const FLAGS = ['-f', FILE, '--state', STATE];
const SAID = String.raw`-f 'a'\''b/pipeline.ts' --state 'my state/x.json'`;

const PIPELINE = `import { appendFileSync } from 'node:fs';
import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
const keys = dynamicPartitions('keys');
const one = asset({ name: 'one', materialize: () => 1 });
const raw = asset({ name: 'raw', partitions: keys, inputs: { one }, materialize: () => 1 });
const bad = asset({ name: 'bad', partitions: keys, materialize: ({ partitionKey }) => {
  console.log('looking at ' + partitionKey);
  throw new Error('no luck; dynpart status');
} });
const pooled = asset({ name: 'pooled', pool: () => 'nowhere', materialize: () => 1 });
const feed = sensor({ name: 'feed', assets: [bad], evaluate: () => ({
  dynamicPartitionsRequests: [keys.buildAddRequest(['k 1'])],
  runRequests: [{ partitionKey: 'k 1', runKey: 'k 1' }],
}) });
const hook = { name: 'ear', on: ['run-failed'], send: ({ incidents }) => {
  for (const { command } of incidents) appendFileSync(import.meta.dirname + "/heard.txt", command + '\\n');
} };
export default definePipeline({ assets: [one, raw, bad, pooled], pools: { api: { limit: 1 } }, sensors: [feed], notify: [hook] });
`;

let project: Project;
let ticked: RunResult;
beforeAll(async () => {
  project = new Project({
    [FILE]: PIPELINE,
    'bin/dynpart': `#!/bin/sh\nexec '${process.execPath}' '${binary}' "$@"\n`,
  });
  fs.chmodSync(project.path('bin/dynpart'), 0o755);
  fs.mkdirSync(project.path('my state'));
  ticked = await dynpart(['sensor', 'tick', '-v']);
});
afterAll(() => project[Symbol.asyncDispose]());

const dynpart = (args: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
  project.dynpart([...FLAGS, ...args], options);

function pasted(command: string): { readonly code: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: project.folder,
    encoding: 'utf8',
    env: {
      ...project.environment,
      PATH: `${project.path('bin')}:${process.env['PATH']}`,
      HOME: project.folder,
      XDG_CACHE_HOME: project.path('.cache'),
    },
  });
  return { code: status, text: stdout + stderr };
}

/** The commands in a text: each has the flags. */
function commandsIn(text: string): string[] {
  const found = [
    ...text.matchAll(
      /dynpart (?:-f .*? )?(?:runs|sensor|materialize|why|status|partitions|worker)\b[^;\n,)]*/g,
    ),
  ].map(([one]) => one.trim());
  expect(found.length, text).toBeGreaterThan(0);
  for (const one of found) expect(one, text).toContain(`dynpart ${SAID} `);
  return found;
}

describe('a command that is printed', () => {
  it('when runs have failed tells of them', () => {
    const [logs, retry] = commandsIn(/to see what.*/.exec(ticked.stderr)![0]);
    expect(pasted(logs!)).toMatchObject({ code: 0, text: expect.stringContaining('looking at k 1') });
    expect(pasted(retry!)).toMatchObject({ code: 1, text: expect.stringContaining('no luck') });
  });

  it('by status makes what it says', async () => {
    const { stderr } = await dynpart(['status']);
    const [logs, , missing, why] = commandsIn(stderr.replaceAll(/no luck.*?: /g, 'no luck: '));
    expect(pasted(logs!).text).toContain('looking at k 1');
    expect(pasted(why!).text).toContain("'one' is not automated");
    expect(pasted(`${missing!} --dry-run`)).toMatchObject({ code: 0, text: expect.stringContaining('one') });
  });

  it('by why is in its text and in its JSON', async () => {
    const [command] = commandsIn((await dynpart(['why', 'bad', '--key', 'k 1'])).stdout.split('\t').at(-1)!);
    const { document } = await project.json([...FLAGS, 'why', 'bad', '--key', 'k 1']);
    expect(document.command).toBe(command);
    expect(document.run.error.message).toContain('no luck; dynpart status\n');
    expect(pasted(command!).text).toContain('no luck');
  });

  it('in the hint of an error is in its text and in its JSON', async () => {
    const { code, stderr } = await dynpart(['value', 'show', 'one']);
    const [command] = commandsIn(stderr);
    const { document } = await project.json([...FLAGS, 'value', 'show', 'one']);
    expect([code, document.error.hint]).toEqual([2, expect.stringContaining(command!)]);
    expect(pasted(`${command!} --dry-run`)).toMatchObject({ code: 0, text: expect.stringContaining('one') });
  });

  it.each([
    ['before the command', [...FLAGS, 'runs', 'show']],
    ['behind it', ['runs', 'show', `--file=${FILE}`, '--state', STATE]],
    ['short', [`-f${FILE}`, `--state=${STATE}`, 'runs', 'show']],
  ])('is the one that was meant where a line could not be read, with flags %s', async (_, args) => {
    const { code, stderr } = await project.dynpart(args);
    const list = commandsIn(stderr)[1]!;
    expect([code, stderr]).toEqual([2, expect.stringContaining(`to find one: dynpart ${SAID} runs list`)]);
    expect(pasted(list)).toMatchObject({ code: 0, text: expect.stringContaining('FAILURE') });
    const { document } = await project.json(args);
    expect(document.error.hint).toContain(`to find one: ${list}`);
  });

  it('by doctor is in its text and in its JSON', async () => {
    await dynpart(['materialize', 'one', '--no-run']);
    const { stdout } = await dynpart(['doctor']);
    const [command] = commandsIn(stdout);
    const { document } = await project.json([...FLAGS, 'doctor']);
    expect(document.checks).toContainEqual(
      expect.objectContaining({ hint: expect.stringContaining(command!) }),
    );
    expect(pasted(`${command!} --once`)).toMatchObject({ code: 0 });
    expect((await dynpart(['value', 'show', 'one'])).stdout).toBe('1\n');
  });

  it('names nothing that the environment names for the next one as well', async () => {
    const env = { DYNPART_FILE: FILE, DYNPART_STATE: STATE };
    expect((await project.dynpart(['runs', 'retry'], { env })).stderr).toContain(
      'to find one: dynpart runs list',
    );
    expect((await project.dynpart(['--state', STATE, 'runs', 'retry'], { env })).stderr).toContain(
      "to find one: dynpart --state 'my state/x.json' runs list",
    );
  });

  it('is whole on a terminal of 80 columns, where nothing else is too long', async () => {
    const terminal = new CapturedTerminal({
      isTerminal: true,
      columns: 80,
      cwd: project.folder,
      env: { NO_COLOR: '1', HOME: project.folder },
    });
    await dynpart(['sensor', 'stop', 'feed']);
    const { stdout } = await runOn(terminal, [...FLAGS, 'status'], { now: () => Date.now() } as never);
    await dynpart(['sensor', 'start', 'feed']);
    const lines = stdout.split('\n');
    expect(lines).toContain(`sensor feed: stopped; dynpart ${SAID} sensor start feed`);
    for (const line of lines) if (!line.includes(SAID)) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(lines.filter((line) => line.includes(SAID)).length).toBeGreaterThan(2);
    expect(stdout).not.toMatch(/dynpart .*…/);
  });

  it.skipIf(!fs.existsSync('/dev/full'))('where nothing more could be printed has them, too', () => {
    expect(pasted(`dynpart ${SAID} runs list > /dev/full`).text).toContain(
      `see: dynpart ${SAID} status, dynpart ${SAID} runs list`,
    );
  });
});

describe('of who wrote it no flags are kept', () => {
  it('in a hint on record: it has those of who reads it', async () => {
    expect((await dynpart(['materialize', 'pooled'])).stderr).toContain(`then: dynpart ${SAID} runs retry `);
    const kept = fs
      .readdirSync(project.path('my state'), { recursive: true, encoding: 'utf8' })
      .map((name) => project.path('my state', name))
      .filter((name) => fs.statSync(name).isFile())
      .map((name) => fs.readFileSync(name, 'utf8'))
      .join('\n');
    expect(kept).toContain('then: dynpart runs retry ');
    expect(kept).not.toMatch(/dynpart (?:-f|--state)/);
    const reader = ['--state', STATE, 'runs', 'list', '--limit', '1'];
    const { document } = await project.json(reader);
    expect(document.runs[0].error.hint).toContain("then: dynpart --state 'my state/x.json' runs retry ");
    const shown = await project.dynpart(['--state', STATE, 'runs', 'show', document.runs[0].id]);
    expect(shown.stdout).toContain("then: dynpart --state 'my state/x.json' runs retry ");
  });

  it('in what a hook is told', () => {
    const heard = project.read("a'b/heard.txt").trimEnd().split('\n');
    expect(heard.length).toBeGreaterThan(0);
    for (const line of heard) expect(line).toMatch(/^dynpart runs logs \S+$/);
  });

  it('on the page', async () => {
    expect((await dynpart(['status', '--html', 'page.html'])).code).toBe(0);
    const page = project.read('page.html');
    expect(page).toContain('dynpart runs logs');
    expect(page).not.toMatch(/dynpart (?:-f|--state)/);
  });
});

it('a password in the address of a state is not printed', async () => {
  const state = 'postgres://etl:hunter2@127.0.0.1:1/w?schema=a';
  const { stdout, stderr } = await project.dynpart(['-f', FILE, '--state', state, 'runs', 'retry']);
  expect(stderr).toContain("--state 'postgres://etl@127.0.0.1:1/w?schema=a' runs list");
  const unread = await project.dynpart(['-f', FILE, '--state', state, 'runs', 'show']);
  expect(unread.stderr).toContain("--state 'postgres://etl@127.0.0.1:1/w?schema=a' runs list");
  const json = await project.dynpart(['-f', FILE, '--state', state, 'runs', 'retry', '--json']);
  expect(json.stdout).toContain("--state 'postgres://etl@127.0.0.1:1/w?schema=a' runs list");
  expect(stdout + stderr + unread.stdout + unread.stderr + json.stdout + json.stderr).not.toContain(
    'hunter2',
  );
});
