/** docs/keys-and-automation.md: each command that it shows is given, and says what it shows. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { CapturedTerminal, runOn } from '../support/captured-terminal.ts';
import { filesOf } from '../support/docs-page.ts';
import { Project, root } from '../support/project.ts';

const PAGE = 'docs/keys-and-automation.md';

interface Shown {
  readonly line: string;
  readonly output: string;
}

/** The commands of the blocks that are `console`, each with what stands below it. */
function commandsOf(page: string): Shown[] {
  const text = fs.readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { line: part.slice(0, end), output: part.slice(end + 1) };
      }),
  );
}

/** As a shell does: words, and quotes around some. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, three]) => one ?? two ?? three!);

const withoutChance = (text: string): string =>
  text.replaceAll(/\d+ s ago/g, 'N s ago').replaceAll(/runs show \S+/g, 'runs show ID');

it('every command of the page says what is shown', async () => {
  await using project = new Project(Object.fromEntries(filesOf(PAGE)));
  const shown = commandsOf(PAGE);
  expect(shown.length).toBeGreaterThan(25);
  for (const { line, output } of shown) {
    const [program, ...args] = wordsOf(line);
    if (program !== 'dynpart') {
      execFileSync('sh', ['-c', line], { cwd: project.folder });
      continue;
    }
    const env = { NO_COLOR: '1', HOME: project.folder, ...project.environment };
    const terminal = new CapturedTerminal({ isTerminal: true, cwd: project.folder, env });
    const { code, stdout, stderr } = await runOn(terminal, args, systemClock);
    expect([line, code, stderr]).toEqual([line, 0, code === 0 ? stderr : '']);
    expect(`$ ${line}\n${withoutChance(stdout)}`).toBe(`$ ${line}\n${withoutChance(output)}`);
  }
});
