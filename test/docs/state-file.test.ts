/** docs/state-file.md: the document that it shows is a state, and the questions for `jq` answer what the page says they do. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { blocksOf } from '../support/docs-page.ts';
import { Session } from '../support/docs-session.ts';
import { runHere } from '../support/in-process.ts';
import { Project, root } from '../support/project.ts';
import { documentOfPage, STATE_FILE } from './settings/state-file.ts';

/** A document, or an object in it. */
type Fields = Readonly<Record<string, unknown>>;

const PAGE = 'docs/state-file.md';
const text = fs.readFileSync(path.join(root, PAGE), 'utf8');

async function setUp(project: Project): Promise<void> {
  await STATE_FILE['Questions for `jq`']!.prepare(project, new Session(project));
}

it('the document is a state that has no problem', async () => {
  await using project = new Project();
  await setUp(project);
  const { code, stdout } = await runHere(project, ['state', 'check', '--json']);
  expect([code, JSON.parse(stdout)]).toEqual([0, { ok: true, serial: 6, problems: [] }]);
});

it('it has the fields that a state has, and no other', async () => {
  await using project = new Project();
  await runHere(project, ['init']);
  await runHere(project, ['sensor', 'tick']);
  const [page, real] = [documentOfPage() as Fields, project.state() as Fields];
  const keys = (document: Fields, path: readonly string[]): string[] =>
    Object.keys(path.reduce((inner, name) => inner[name] as Fields, document));
  expect(keys(page, []).toSorted()).toEqual(keys(real, []).toSorted());
  for (const name of ['pipeline', 'writers', 'writtenBy'])
    expect(keys(page, [name])).toEqual(keys(real, [name]));
  for (const group of [
    ['sensors', 'new-files'],
    ['sets', 'uploads'],
  ]) {
    const shown = keys(page, group);
    // What is left out where there is nothing is told in a comment.
    const untold = keys(real, group).filter((key) => !shown.includes(key) && !text.includes(`"${key}": `));
    expect(untold).toEqual([]);
  }
});

it('the questions answer what is shown', async () => {
  await using project = new Project();
  await setUp(project);
  const [, script = ''] = /^cd \.dynpart\n([^]*)/.exec(
    blocksOf(PAGE).find(({ text }) => text.startsWith('cd .dynpart'))!.text,
  )!;
  const answers = execFileSync('sh', ['-ec', script], { cwd: project.path('.dynpart'), encoding: 'utf8' });
  const shown = blocksOf(PAGE).filter(({ language }) => language === 'text');
  expect(shown).toHaveLength(2);
  for (const { text } of shown) expect(answers).toContain(text);
  expect(answers).toContain('\nthursday.csv\n');
});
