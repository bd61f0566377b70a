/**
 * Every error code that `explain` has a page for is reached, its message is that of the page, and it ends with the exit code that the page says.
 * What takes processes that die, full disks or a server is reached by the test that is named.
 */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readPages } from '../../src/cli/explain/pages.ts';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { pipeline, SAID, Scene, SCENARIOS } from '../support/code-scenes.ts';
import { Project, root } from '../support/project.ts';

const PAGE = path.join(root, 'docs/when-something-went-wrong.md');

interface Reached {
  readonly code: string;
  readonly message: string;
}

/** Reached where there are the processes, disks and servers for it. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'sensor-stuck': 'test/e2e/blocked.test.ts',
  'sensor-interrupted': 'test/e2e/interrupts.test.ts',
  'runs-lost': 'test/e2e/owners.test.ts',
  'run-blocked': 'test/e2e/blocked.test.ts',
  interrupted: 'test/engine/runs/execute-run.test.ts',
  'process-exited': 'test/e2e/processes.test.ts',
  'process-died': 'test/e2e/processes.test.ts',
  'process-out-of-memory': 'test/e2e/processes.test.ts',
  'process-killed': 'test/e2e/processes.test.ts',
  'process-unusable': 'test/e2e/processes.test.ts',
  'move-incomplete': 'test/state/moving/move-state.test.ts',
  'state-mounted': 'test/state/json/state-file.test.ts',
  'state-too-large': 'test/state/json/state-file.test.ts',
  'log-too-large': 'test/e2e/large-logs.test.ts',
  'commit-unsynced': 'test/state/json/state-file.test.ts',
  'commit-unsure': 'test/state/json/paused-writer.test.ts',
  'pipeline-unreadable': 'test/loader/module-kinds.test.ts',
  'database-unreachable': 'test/e2e/postgres.test.ts',
  'database-refuses': 'test/e2e/postgres.test.ts',
  'database-not-migrated': 'test/state/postgres/database-errors.test.ts',
  'database-foreign': 'test/e2e/postgres.test.ts',
  'database-version': 'test/e2e/postgres.test.ts',
  'database-too-old': 'test/state/postgres/database-errors.test.ts',
};

const pages = readPages(PAGE);

/** The exit code of the chapter that a code stands in. */
const CHAPTERS: ReadonlyMap<string, number> = new Map(
  fs
    .readFileSync(PAGE, 'utf8')
    .split(/^(?=## )/m)
    .flatMap((chapter) => {
      const heading = /^## (.*)$/m.exec(chapter)?.[1] ?? '';
      const said = new RegExp(`^- \\[${heading}\\].*exit code (\\d)`, 'm').exec(
        fs.readFileSync(PAGE, 'utf8'),
      )?.[1];
      return [...chapter.matchAll(/\(`([a-z]+(?:-[a-z]+)*)`(?:, exit code (\d))?/g)].map(
        ([, code, own]) => [code!, Number(own ?? said)] as const,
      );
    })
    .toReversed(),
);

/** All errors of an answer: its own, and those of its ticks, runs and their assets. */
function errorsIn(value: unknown): Reached[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'error' && inner !== null ? [inner as Reached, ...errorsIn(inner)] : errorsIn(inner),
  );
}

/** What a page calls a message, as a pattern: names, keys, numbers and what is left out may be any. */
function patternOf(title: string): RegExp {
  const escaped = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(
    escaped
      .replaceAll(/'[^']*'/g, "'[^']*'")
      .replaceAll(/"[^"]*"/g, '"[^"]*"')
      .replaceAll('…', '[^]*')
      .replaceAll(/\d+/g, '[\\d.,]+')
      .replaceAll(' on vm ', ' on \\S+ '),
  );
}

describe('every code', () => {
  it('has a scenario, or a test that is named', () => {
    expect(
      [...Object.keys(SCENARIOS), ...Object.keys(SAID), ...Object.keys(ELSEWHERE), 'bug'].toSorted(),
    ).toEqual([...pages.keys()].toSorted());
  });

  it.each(Object.entries(SCENARIOS))(
    '%s is reached, with the message and the exit code of its page',
    async (code, scenario) => {
      const project = new Project({ 'pipeline.ts': pipeline() });
      onTestFinished(() => project[Symbol.asyncDispose]());
      const answer = await scenario(new Scene(project));
      const [error] = errorsIn(answer.document).filter((one) => one.code === code);
      expect(error, JSON.stringify(answer)).toBeDefined();
      const { title } = pages.get(code)!;
      // The heading of `canceled` has several messages.
      const titles = code === 'canceled' ? title.split(', ') : [title];
      if (code !== 'usage')
        expect(titles.filter((one) => patternOf(one).test(error!.message))).toHaveLength(1);
      // A list only looks at what became of a run.
      if (!Array.isArray(answer.document.runs) || answer.document.summary !== undefined)
        expect(answer.code).toBe(CHAPTERS.get(code));
    },
  );

  it.each(Object.entries(SAID))(
    '%s is said, in the words and with the exit code of its page',
    async (code, scenario) => {
      const project = new Project({ 'pipeline.ts': pipeline() });
      onTestFinished(() => project[Symbol.asyncDispose]());
      const said = await scenario(new Scene(project));
      expect(said.text).toMatch(patternOf(pages.get(code)!.title));
      expect(said.code).toBe(CHAPTERS.get(code));
    },
  );

  it.each(Object.entries(ELSEWHERE))('%s is expected in %s', (code, test) => {
    expect(fs.readFileSync(path.join(root, test), 'utf8')).toMatch(new RegExp(`'${code}'`));
  });
});

it('bug is what is said of what nobody expected', async () => {
  await using project = new Project({ 'pipeline.ts': pipeline() });
  class Broken extends CapturedTerminal {
    override readStdin(): never {
      throw new TypeError('nobody expected this');
    }
  }
  const terminal = new Broken({ cwd: project.folder, env: { HOME: project.folder } });
  const { code, stdout, stderr } = await runOn(terminal, [
    'partitions',
    'add',
    'letters',
    '--from',
    '-',
    '--json',
  ]);
  expect([code, JSON.parse(stdout).error.code]).toEqual([1, 'bug']);
  expect(`${stdout}${stderr}`).toMatch(patternOf(pages.get('bug')!.title));
  expect(stderr).toContain('TypeError: nobody expected this');
});
