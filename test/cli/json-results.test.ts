/** What commands give back: their types, docs/reference.md, and what `--json` really prints are the same. */
import { afterAll, describe, expect, it } from 'vitest';
import type { Declaration } from '../../src/cli/command-line/declaration.ts';
import { declaredAll } from '../../src/cli/command-table.ts';
import { runHere } from '../support/in-process.ts';
import { Project } from '../support/project.ts';
import { readReference } from '../support/json-reference.ts';
import { misfits, textOf } from '../support/shape.ts';
import { shapesOfMembers } from '../support/type-shapes.ts';

const reference = readReference();
const types = shapesOfMembers('src/cli/json-results.ts', 'Results');

describe('the reference of JSON', () => {
  it('has a line for each type of result', () => {
    expect([...reference.keys()]).toEqual([...types.keys()]);
  });

  it('has a line for each command', async () => {
    const listed = [...reference.keys()].flatMap((words) =>
      words.split(', ').flatMap((one) => {
        const [, before, choices, behind] = /^(.*?)([\w-]+(?:\|[\w-]+)*)((?: [A-Z]+| --\S+)*)$/.exec(one)!;
        return choices!
          .split('|')
          .map((choice) => `${before}${choice}${behind}`.replace(/ (?:[A-Z]|--).*$/, ''));
      }),
    );
    const commands: string[] = [];
    const visit = (command: Declaration, path: readonly string[]): void => {
      if (command.handler !== null && !command.isHidden) commands.push(path.join(' '));
      for (const below of command.commands) visit(below, [...path, below.name]);
    };
    visit(await declaredAll(), []);
    const without = ['completion bash', 'completion zsh', 'completion fish'];
    expect(new Set([...listed, ...without])).toEqual(new Set([...commands, 'completion']));
  });

  it.each([...types.keys()])('names the fields of the type: %s', (words) => {
    expect(textOf(reference.get(words)!)).toBe(textOf(types.get(words)!));
  });

  it('is read as it is meant', () => {
    const text = [
      '## JSON',
      '```text',
      'a b    {"x","y":[],          a remark',
      '       "z"?:[T]}    and more',
      'T      {"m":{},"error"}|null',
      'error  null or {"code"}',
      '```',
    ].join('\n');
    expect([...readReference(text)].map(([words, shape]) => [words, textOf(shape)])).toEqual([
      ['a b', '{"x","y":[],"z"?:[{"error":{"code"}|null,"m":{}}|null]}'],
    ]);
  });
});

describe('what is printed', async () => {
  const project = new Project({
    'pipeline.ts': `
      import { asset, definePipeline, dynamicPartitions, sensor } from 'dynpart';
      const letters = dynamicPartitions('letters');
      const upper = asset({
        name: 'upper',
        partitions: letters,
        materialize: ({ partitionKey, log, addMetadata }) => {
          if (partitionKey === 'bad') throw new Error('bad');
          log.info('made');
          addMetadata({ size: 1 });
          return partitionKey;
        },
      });
      const feed = sensor({
        name: 'feed',
        assets: [upper],
        evaluate: ({ log }) => {
          log.info('looked');
          return { cursor: '1', runRequests: [{ partitionKey: 'a', runKey: 'a', tags: { t: '1' } }],
            dynamicPartitionsRequests: [letters.buildAddRequest(['a'])] };
        },
      });
      const ear = { name: 'ear', on: ['run-failed'], send: () => undefined };
      export default definePipeline({ assets: [upper], sensors: [feed], notify: [ear] });`,
    copy: '',
  });
  afterAll(() => project[Symbol.asyncDispose]());

  const COMMANDS: readonly (readonly [string, string])[] = [
    ['init', 'init new --template http'],
    ['check', 'check'],
    ['sensor tick', 'sensor tick --dry-run'],
    ['sensor tick', 'sensor tick'],
    ['partitions add', 'partitions add letters b'],
    ['partitions add', 'partitions add letters bad --materialize'],
    ['partitions list', 'partitions list'],
    ['partitions list SET', 'partitions list letters --limit 1'],
    ['partitions list SET --count', 'partitions list letters --count'],
    ['partitions show', 'partitions show letters a'],
    ['partitions show', 'partitions show letters bad'],
    ['partitions remove', 'partitions remove letters b'],
    ['partitions sync', 'partitions sync letters --from copy --allow-empty --dry-run'],
    ['sensor list', 'sensor list'],
    ['sensor start|stop', 'sensor stop feed'],
    ['sensor start|stop', 'sensor start feed'],
    ['sensor cursor', 'sensor cursor feed'],
    ['sensor history', 'sensor history feed'],
    ['materialize, runs retry', 'materialize --all'],
    ['status', 'status'],
    ['materialize, runs retry', 'materialize --all --summary'],
    ['materialize, runs retry', 'materialize --all --dry-run'],
    ['materialize, runs retry', 'materialize --all --no-run'],
    ['value show|path', 'value show upper --key a'],
    ['value show|path', 'value path upper --key a'],
    ['worker --once', 'worker --once'],
    ['materialize, runs retry', 'runs retry --status FAILURE'],
    ['runs list', 'runs list --limit 1'],
    ['runs cancel|release', 'runs cancel --status QUEUED'],
    ['assets list', 'assets list'],
    ['assets mark', 'assets mark upper --as materialized --key a --key bad'],
    ['why ASSET', 'why upper'],
    ['why ASSET --key', 'why upper --key a'],
    ['status', 'status --html page.html'],
    ['state check', 'state check'],
    ['state export FILE', 'state export state-copy.json'],
    ['state adopt', 'state adopt'],
    ['state move', 'state move --to other.json --dry-run'],
    ['state restore', 'state restore state-copy.json'],
    ['doctor', 'doctor'],
    ['schedule cron|systemd', 'schedule cron'],
    ['schedule cron|systemd', 'schedule systemd'],
    ['explain', 'explain usage'],
    ['completion SHELL', 'completion bash'],
  ];

  it.each(COMMANDS)('has the fields of %s: %s', async (words, command) => {
    const { stdout, stderr } = await runHere(project, [...command.split(' '), '--json']);
    const document: unknown = JSON.parse(stdout);
    expect(document, stderr).not.toHaveProperty('error');
    expect(misfits(document, reference.get(words)!)).toEqual([]);
  });

  it('has the fields of one run and of what it printed', async () => {
    const { stdout } = await runHere(project, ['runs', 'list', '--json']);
    const [{ id }] = (JSON.parse(stdout) as { runs: [{ id: string }] }).runs;
    for (const [words, command] of [
      ['runs show', 'show'],
      ['runs logs', 'logs'],
      ['runs cancel|release', 'release'],
    ] as const) {
      const ran = await runHere(project, ['runs', command, id, '--json']);
      expect(misfits(JSON.parse(ran.stdout), reference.get(words)!)).toEqual([]);
    }
    const followed = await runHere(project, ['runs', 'logs', id, '--follow', '--json']);
    for (const line of followed.stdout.trimEnd().split('\n'))
      expect(misfits(JSON.parse(line), reference.get('runs logs --follow')!)).toEqual([]);
  });

  // The last one breaks the pipeline file, for good.
  it.each([
    ['status', 'status --html no/such/page.html', null],
    ['partitions add', 'partitions add letters late --materialize', 'export default broken('],
  ])('has what was done before a failure, beside the failure: %s', async (words, command, broken) => {
    if (broken !== null) project.write({ 'pipeline.ts': broken });
    const { code, stdout } = await runHere(project, [...command.split(' '), '--json']);
    const { error, ...before } = JSON.parse(stdout) as { error: unknown };
    expect(code).toBeGreaterThan(0);
    expect(error).toMatchObject({ code: expect.any(String), message: expect.any(String) });
    expect(misfits(before, reference.get(words)!)).toEqual([]);
  });
});
