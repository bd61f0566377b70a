/**
 * The blocks of the pages of the documentation, and its code as files: a block whose first line is a comment with a file's name is
 * that file. What a block needs besides stands before it, in a comment that readers do not see:
 *
 * - `<!-- before … -->`: lines in front of a piece of TypeScript, so that it compiles and runs;
 * - `<!-- held by test/… -->`: it is no program; that test holds it against the code. `<!-- every block held by test/… -->`: of a whole page;
 * - `<!-- not run: … -->`: why it cannot be.
 */
import fs from 'node:fs';
import path from 'node:path';
import { afterAll } from 'vitest';
import { root } from './project.ts';

/** Every page that has blocks: the README and docs/, without what is for those who change dynpart. */
export const PAGES: readonly string[] = [
  'README.md',
  ...fs
    .readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export interface Block {
  readonly page: string;
  readonly line: number;
  /** The heading that it stands below. */
  readonly heading: string;
  readonly language: string;
  readonly text: string;
  /** The file that it is, by its first line. */
  readonly file: string | null;
  readonly before: string;
  readonly heldBy: string | null;
  readonly notRun: string | null;
}

const FENCE = /^(?:<!-- (?<mark>(?:(?!-->)[^])*?)\s*-->\n+)?```(?<language>\S*)\n(?<text>[^]*?)^```$/gm;

/** In the order of the page. */
export function blocksOf(page: string): readonly Block[] {
  const whole = fs.readFileSync(path.join(root, page), 'utf8');
  const [, allHeldBy = null] = /^<!-- every block held by (\S+) -->$/m.exec(whole) ?? [];
  return [...whole.matchAll(FENCE)].map((match) => {
    const { mark = '', language = '', text = '' } = match.groups!;
    const above = whole.slice(0, match.index);
    const headings = [...above.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)];
    const [, file = null, code = text] = /^(?:\/\/|#) (\S+\.\w+)\n([^]*)$/.exec(text) ?? [];
    const isUnit = language === 'ini' || language === 'systemd';
    return {
      page,
      line: (above + (mark === '' ? '' : `<!-- ${mark}-->\n`)).split('\n').length,
      heading: headings.at(-1)?.[1] ?? '',
      language,
      file: isUnit ? null : file,
      text: isUnit ? text : code,
      before: /^before\n([^]*)/.exec(mark)?.[1] ?? '',
      heldBy: /^held by (\S+)$/.exec(mark)?.[1] ?? allHeldBy,
      notRun: /^not run: (.+)$/s.exec(mark)?.[1] ?? null,
    };
  });
}

export interface DocsPage {
  readonly folder: string;
  /** In the order of the page. */
  readonly files: readonly string[];
}

/** Files of the page by name. */
export function filesOf(page: string): ReadonlyMap<string, string> {
  return new Map(blocksOf(page).flatMap(({ file, text }) => (file === null ? [] : [[file, text] as const])));
}

/** Pieces of TypeScript that are no file, by a name that says where they stand. */
export function snippetsOf(page: string): ReadonlyMap<string, string> {
  return new Map(
    blocksOf(page)
      .filter(
        ({ language, file, notRun, heldBy }) =>
          language === 'ts' && file === null && notRun === null && heldBy === null,
      )
      .map(({ line, before, text }) => [`line-${line}.ts`, `${before}\n${text}\nexport {};\n`] as const),
  );
}

/**
 * Puts the files and pieces of a page into a folder that goes away when the tests of this file have ended. It lies in this
 * repository, where vitest reads TypeScript and knows `dynpart`.
 */
export function writePage(page: string): DocsPage {
  const folder = path.join(root, '.pages', `${path.basename(page, '.md')}-${process.pid}`);
  fs.mkdirSync(folder, { recursive: true });
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
  const files = new Map([...filesOf(page), ...snippetsOf(page)]);
  for (const [name, code] of files) fs.writeFileSync(path.join(folder, name), code);
  return { folder, files: [...files.keys()] };
}

/** Runs the tests that a page shows, as tests of the file that calls it. @returns their files */
export async function runTestsOf({ folder, files }: DocsPage): Promise<readonly string[]> {
  const tests = files.filter((name) => name.endsWith('.test.ts'));
  for (const name of tests) await import(/* @vite-ignore */ path.join(folder, name));
  return tests;
}
