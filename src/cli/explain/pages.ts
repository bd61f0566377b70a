/** What there is to say of each error code: the page `docs/when-something-went-wrong.md`, which comes with the package, taken apart. */
import fs from 'node:fs';

export interface Page {
  /** The message, as it is said. */
  readonly title: string;
  /** Markdown. */
  readonly text: string;
}

/** By code, in the order of the page. */
export function readPages(file: string): ReadonlyMap<string, Page> {
  const pages = new Map<string, Page>();
  const add = (heading: string, text: string): void => {
    for (const [, code] of heading.matchAll(/\(`([a-z]+(?:-[a-z]+)*)`/g)) {
      const before = pages.get(code!);
      const title = titleIn(heading, code!);
      pages.set(
        code!,
        before === undefined
          ? { title, text }
          : { title: before.title, text: `${before.text}\n\n${title}\n\n${text}` },
      );
    }
  };
  for (const chapter of fs
    .readFileSync(file, 'utf8')
    // What is there for the test of the page's commands.
    .replaceAll(/<!--[^]*?-->\n*/g, '')
    .split(/^(?=## )/m)
    .slice(1)) {
    const [introduction = '', ...sections] = chapter.split(/^(?=### )/m);
    const words = introduction
      .replace(/^## .*\n/, '')
      .split(/^\|/m)[0]!
      .trim();
    for (const line of introduction.split('\n').filter((one) => one.startsWith('| '))) {
      const [heading = '', meaning = ''] = line.slice(2, -2).split(/ (?<!\\)\| /);
      add(heading, `${meaning.replaceAll('\\|', '|')}.\n\n${words}`);
    }
    for (const section of sections) {
      const end = section.indexOf('\n');
      add(section.slice(4, end), section.slice(end).trim());
    }
  }
  return pages;
}

/** The words in front of the code: a heading may name several. */
function titleIn(heading: string, code: string): string {
  const before = heading.slice(0, heading.indexOf(`(\`${code}\``));
  return before
    .slice(before.lastIndexOf('`)') + 1)
    .replace(/^[), ]+/, '')
    .replaceAll('`', '')
    .trim();
}
